"""Editing OBS's files: one setting changes, everything else stays, byte for byte, and the old file is kept."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.install.obs.files import (
    FileUnreadable,
    IniFile,
    ini_value,
    read_collection,
    read_ini,
    replace_file,
    with_ini_value,
    write_collection,
    write_ini,
)

USER_INI = """[General]
FirstRun=true
# Path64bit=in a comment
Python=not a section

[python]
Other=1
path64BIT=C:/Python310

[Basic]
Path64bit=elsewhere
SceneCollection=Ünïtled
"""


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Python", "Path64bit", "C:/Python310"),
        ("General", "Path64bit", None),
        ("Basic", "SceneCollection", "Ünïtled"),
        ("Missing", "Path64bit", None),
        ("General", "Python", "not a section"),
    ],
)
def test_a_setting_is_read_as_obs_reads_it(section: str, key: str, value: str | None) -> None:
    assert ini_value(USER_INI, section, key) == value
    assert ini_value(USER_INI.replace("\n", "\r\n"), section, key) == value


def test_a_setting_is_changed_in_place() -> None:
    expected = USER_INI.replace("path64BIT=C:/Python310", "path64BIT=C:/Python312")
    assert with_ini_value(USER_INI, "Python", "Path64bit", "C:/Python312") == expected


def test_a_setting_is_added_to_its_section() -> None:
    assert with_ini_value(USER_INI, "general", "New", "x") == USER_INI.replace(
        "Python=not a section\n", "Python=not a section\nNew=x\n"
    )
    assert with_ini_value(USER_INI, "Basic", "New", "x") == USER_INI + "New=x\n"
    assert with_ini_value(USER_INI, "Fresh", "New", "x") == USER_INI + "\n[Fresh]\nNew=x\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "[Python]\nPath64bit=p\n"),
        ("[Python]", "[Python]\nPath64bit=p\n"),
        ("[Python]\n", "[Python]\nPath64bit=p\n"),
        ("[Python]\nPath64bit=\n", "[Python]\nPath64bit=p\n"),
        ("[A]\nb=1", "[A]\nb=1\n\n[Python]\nPath64bit=p\n"),
        ("[A]\r\nb=1\r\n", "[A]\r\nb=1\r\n\r\n[Python]\r\nPath64bit=p\r\n"),
        ("[Python]\r\nb=1", "[Python]\r\nb=1\r\nPath64bit=p\r\n"),
        ("[Python]\n\n[Python]\nPath64bit=q\n", "[Python]\n\n[Python]\nPath64bit=p\n"),
    ],
)
def test_files_of_every_shape_are_added_to(text: str, expected: str) -> None:
    assert with_ini_value(text, "Python", "Path64bit", "p") == expected


LINES = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=30), max_size=8)
NAMES = st.text("abcXYZ0_", min_size=1, max_size=6)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="\\"), max_size=20)


@given(LINES, st.sampled_from(["\n", "\r\n"]), NAMES, NAMES, VALUES)
def test_any_text_keeps_its_other_lines(lines: list[str], ending: str, section: str, key: str, value: str) -> None:
    text = ending.join(lines)
    changed = with_ini_value(text, section, key, value)
    assert ini_value(changed, section, key) == value
    assert with_ini_value(changed, section, key, value) == changed
    kept = changed.split("\n")
    lost = [line for line in text.rstrip("\r\n").split("\n") if line not in kept and line + "\r" not in kept]
    assert len(lost) <= 1, "only the setting's own line may change"


def test_line_breaks_and_backslashes_are_written_as_obs_writes_them() -> None:
    text = with_ini_value("", "S", "k", "a\\b\nc\rd")
    assert text == "[S]\nk=a\\\\b\\nc\\rd\n"
    assert ini_value(text, "S", "k") == "a\\b\nc\rd"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_marks_line_ends_and_odd_bytes_survive(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "user.ini"
    original = mark + b"[A]\r\nname=\xff\xfe odd\r\n[B]\r\nx=1\r\n"
    path.write_bytes(original)
    file = read_ini(path)
    assert file.has_mark == bool(mark)
    backup = write_ini(path, file._replace(text=with_ini_value(file.text, "B", "x", "2")))
    assert path.read_bytes() == original.replace(b"x=1", b"x=2")
    assert backup is not None
    assert backup.read_bytes() == original


def test_a_missing_settings_file_is_empty_and_can_be_made(tmp_path: Path) -> None:
    path = tmp_path / "new folder/user.ini"
    assert read_ini(path) == IniFile("", sys.platform == "win32")
    assert write_ini(path, IniFile("[A]\nb=ü\n", True)) is None
    assert path.read_bytes() == b"\xef\xbb\xbf[A]\nb=\xc3\xbc\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["user.ini"]


def test_a_collection_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "Szene ✨.json"
    text = (
        '{"z": 1, "sources": [{"volume": 0.10000000149011612, "big": 9007199254740993, "e": 1e-07}], "a": "二\\ud83d"}'
    )
    path.write_text("\ufeff" + text, "utf-8")
    collection = read_collection(path)
    assert list(collection) == ["z", "sources", "a"]
    write_collection(path, collection)
    assert read_collection(path) == collection == json.loads(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"sources": {}}',
        b'{"name": "x"}',
        b"\xff\xfe",
        b'{"sources": [], "modules": {"a": 1, "a": 2}}',
        b'{"sources": ' + b"[" * 200_000,
    ],
)
def test_what_is_no_collection_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(FileUnreadable, match=r"x\.json"):
        read_collection(path)
    assert path.read_bytes() == data


def test_every_backup_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "global.ini"
    path.write_bytes(b"0")
    backups = [replace_file(path, str(number).encode()) for number in range(1, 4)]
    assert path.read_bytes() == b"3"
    assert [backup.read_bytes() for backup in backups if backup] == [b"0", b"1", b"2"]
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and links")
def test_rights_and_links_are_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.ini", tmp_path / "link.ini"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    backup = replace_file(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert backup is not None
    assert stat.S_IMODE(backup.stat().st_mode) == 0o640


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "global.ini"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert not list(tmp_path.glob("*.new"))


def test_half_a_backup_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "global.ini"
    path.write_bytes(b"old")

    def full(original: object, copied: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["global.ini"]
    assert path.read_bytes() == b"old"
