"""What is here: told right, and told fast."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.wire.json_file import write_json
from models.store import files as files_module
from models.store.catalog import CATALOGUE
from models.store.entry import Entry, StoredFile
from models.store.files import CACHE_NAME, EntryState, Files, Presence
from models.store.places import Places

from .store_server import onnx, places_in

GOOD = onnx("a network", 100)
ENTRY = next(entry for entry in CATALOGUE if entry.key == "tha3_seperable_fp16")
PATHS = tuple(file.place.path for file in ENTRY.files)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that was looked into."""
    seen: list[Path] = []
    look = files_module._look

    def remember(file: StoredFile, path: Path) -> bool:
        seen.append(path)
        return look(file, path)

    monkeypatch.setattr(files_module, "_look", remember)
    return seen


def put(places: Places, path: str, content: bytes = GOOD) -> Path:
    target = places.weights / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def known(entry: Entry, content: bytes) -> Entry:
    """The entry as if its files' hashes were known."""
    sha256 = hashlib.sha256(content).hexdigest()
    return replace(entry, files=tuple(replace(f, sha256=sha256, byte_count=len(content)) for f in entry.files))


def test_nothing_some_and_all_of_an_entry(places: Places) -> None:
    files = Files(places)
    assert files.status(ENTRY) == EntryState(Presence.ABSENT, missing=PATHS)
    for path in PATHS[:2]:
        put(places, path)
    assert files.status(ENTRY) == EntryState(Presence.PARTIAL, missing=PATHS[2:])
    for path in PATHS[2:]:
        put(places, path)
    assert files.status(ENTRY) == EntryState(Presence.PRESENT)


@pytest.mark.parametrize("content", [b"", GOOD[:-1], b"<html>", GOOD + b"!"])
def test_a_file_that_is_no_network_is_damaged(places: Places, content: bytes) -> None:
    put(places, PATHS[0], content)
    assert Files(places).status(ENTRY) == EntryState(Presence.DAMAGED, missing=PATHS[1:], damaged=PATHS[:1])


def test_another_network_than_the_known_one_is_damaged(places: Places) -> None:
    entry = known(ENTRY, GOOD)
    for path in PATHS:
        put(places, path)
    put(places, PATHS[1], onnx("b network", 100))
    put(places, PATHS[2], onnx("longer network", 100))
    assert Files(places).status(entry).damaged == PATHS[1:3]


def test_a_file_is_looked_into_once(places: Places, looks: list[Path]) -> None:
    entry = known(ENTRY, GOOD)
    for path in PATHS:
        put(places, path)
    files = Files(places)
    for _ in range(3):
        assert files.status(entry).presence is Presence.PRESENT
    assert len(looks) == len(PATHS)
    assert Files(places).status(entry).presence is Presence.PRESENT
    assert len(looks) == len(PATHS), "also remembered by the next process"
    assert files.status(entry, afresh=True).presence is Presence.PRESENT
    assert len(looks) == 2 * len(PATHS)


def test_a_changed_file_is_looked_into_again(places: Places, looks: list[Path]) -> None:
    entry = known(ENTRY, GOOD)
    for path in PATHS:
        put(places, path)
    files = Files(places)
    files.status(entry)
    changed = put(places, PATHS[0], onnx("x network", 100))
    assert changed.stat().st_size == len(GOOD)
    os.utime(changed, ns=(0, 1_000_000_000))
    looks.clear()
    assert files.status(entry).damaged == PATHS[:1]
    assert looks == [changed]


def test_another_hash_in_the_catalogue_is_another_question(places: Places) -> None:
    for path in PATHS:
        put(places, path)
    files = Files(places)
    assert files.status(known(ENTRY, GOOD)).presence is Presence.PRESENT
    assert files.status(known(ENTRY, GOOD[::-1])).presence is Presence.DAMAGED


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}'])
def test_a_damaged_memory_is_made_anew(places: Places, text: str) -> None:
    put(places, PATHS[0])
    places.cache.mkdir(parents=True)
    (places.cache / CACHE_NAME).write_text(text, encoding="utf-8")
    assert Files(places).status(ENTRY).presence is Presence.PARTIAL


@pytest.mark.parametrize("verdict", [True, [], [1], [1, 2, "", True], "yes", None, {"sound": True}])
def test_a_verdict_of_another_form_is_not_believed(places: Places, verdict: object) -> None:
    path = put(places, PATHS[0], b"<html>")
    write_json(places.cache / CACHE_NAME, {str(path): verdict})
    assert Files(places).status(ENTRY).presence is Presence.DAMAGED


def test_a_disk_that_cannot_be_written_is_no_hindrance(places: Places) -> None:
    put(places, PATHS[0])
    places.cache.write_text("a file where the folder should be", encoding="utf-8")
    files = Files(places)
    assert files.status(ENTRY).presence is Presence.PARTIAL
    assert files.status(ENTRY).presence is Presence.PARTIAL


def test_a_folder_in_a_files_place_is_no_file(places: Places) -> None:
    (places.weights / PATHS[0]).mkdir(parents=True)
    assert Files(places).status(ENTRY).presence is Presence.ABSENT
