"""From a picture file to a character's folder: whole or not at all, never over another one, under a name that works."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.characters import character_names
from core.wire.errors import DiskFull, PictureUnusable
from models.character import load_character
from models.face_parts import FaceParts
from models.picture_import import Choices, create_character
from models.picture_import.__main__ import main
from models.picture_import.names import free_names, safe_name

from .picture_import_pictures import WHITE, character, composed, placed

RESERVED = {"con", "prn", "aux", "nul", "com1", "lpt9"}


def saved(folder: Path, name: str = "someone.png", picture: Any = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    shown = placed(character("drawn"), 0.5, 20, 44, 300, 300) if picture is None else picture
    done, content = cv2.imencode(path.suffix, shown)
    assert done
    path.write_bytes(content.tobytes())
    return path


# -- the folder -----------------------------------------------------------------------------------------------------


def test_a_character_is_there_and_can_be_loaded(tmp_path: Path) -> None:
    source = saved(
        tmp_path / "画像 folder", "元の絵.png", composed(placed(character("nocti"), 1.2, 80, 86, 700, 700), WHITE)
    )
    into = tmp_path / "角色"
    created = create_character(source, "夜の子", folder=into)
    assert created.name == "夜の子"
    assert created.folder == into / "夜の子"
    assert character_names(into) == ["夜の子"]
    assert np.array_equal(load_character("夜の子", into).picture, created.prepared.picture)
    assert (created.folder / "original.png").read_bytes() == source.read_bytes()
    report = np.asarray(cv2.imdecode(np.frombuffer(created.report.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED))
    assert report.shape == (640, 1200, 4)
    assert {path.name for path in into.iterdir()} == {"夜の子"}
    assert {path.name for path in created.folder.iterdir()} == {"character.png", "original.png", "import"}


def test_the_record_says_what_was_done(tmp_path: Path) -> None:
    created = create_character(saved(tmp_path), "a", Choices(alpha_curve=True), tmp_path / "c")
    record = json.loads((created.folder / "import" / "import.json").read_text(encoding="utf-8"))
    assert record["source"] == "someone.png"
    assert record["choices"]["alpha_curve"] is True
    assert record["findings"]["size"] == [300, 300]
    assert "fitted" in [note["key"] for note in record["prepared"]["notes"]]
    assert len(record["prepared"]["head"]) == 4


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "bmp"])
def test_the_original_is_kept_as_what_it_is(tmp_path: Path, extension: str) -> None:
    picture = composed(placed(character("drawn"), 0.6, 0, 0, 307, 307), WHITE)[..., :3]
    content = saved(tmp_path, f"a.{extension}", picture).read_bytes()
    (tmp_path / "wrong.txt").write_bytes(content)
    created = create_character(tmp_path / "wrong.txt", "a", folder=tmp_path / "c")
    assert (created.folder / f"original.{extension}").read_bytes() == content


def test_a_head_left_elsewhere_is_described_for_the_rig(tmp_path: Path) -> None:
    source = saved(tmp_path, picture=placed(character("drawn"), 0.7, 60, 153, 512, 512))
    created = create_character(source, "a", Choices(fit=False), tmp_path / "c")
    parts = load_character("a", tmp_path / "c").parts
    head = FaceParts.from_json(parts).head
    assert head is not None
    expected = 60 + 0.7 * 192, 153 + 0.7 * 63, 60 + 0.7 * 320, 153 + 0.7 * 191
    assert np.abs(np.array([head.left, head.top, head.right, head.bottom]) - expected).max() < 6
    assert not (create_character(source, "b", folder=tmp_path / "c").folder / "character.json").exists()
    assert created.name == "a"


def test_nothing_that_exists_is_touched(tmp_path: Path) -> None:
    into = tmp_path / "c"
    (into / "Nocti").mkdir(parents=True)
    (into / "Nocti" / "mine.txt").write_text("mine", encoding="utf-8")
    (into / "nocti 2.png").write_bytes(b"a single picture is a character too")
    (into / "nocti 3").mkdir()
    names = [create_character(saved(tmp_path), "nocti", folder=into).name for _ in range(2)]
    assert names == ["nocti 4", "nocti 5"]
    assert (into / "Nocti" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in (into / "Nocti").iterdir()] == ["mine.txt"]
    assert not list((into / "nocti 3").iterdir())


def test_a_name_taken_in_the_last_moment_gets_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def taken_just_now(self: Path, target: Path) -> Path:
        if target.name == "a":
            target.mkdir()
            (target / "theirs").write_text("x", encoding="utf-8")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", taken_just_now)
    assert create_character(saved(tmp_path), "a", folder=tmp_path / "c").name == "a 2"
    assert [path.name for path in (tmp_path / "c" / "a").iterdir()] == ["theirs"]


@pytest.mark.parametrize(
    ("problem", "refusal", "reason"),
    [
        (errno.ENOSPC, DiskFull, None),
        (errno.EACCES, PictureUnusable, "folder_not_writable"),
        (errno.EIO, PictureUnusable, "folder_not_writable"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: int, refusal: type[Exception], reason: str | None
) -> None:
    source, into = saved(tmp_path), tmp_path / "c"
    write, written = Path.write_bytes, []

    def fails_at_the_third(self: Path, content: bytes) -> int:
        written.append(self)
        if len(written) == 3:
            raise OSError(problem, os.strerror(problem))
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", fails_at_the_third)
    with pytest.raises(refusal) as raised:
        create_character(source, "a", folder=into)
    assert getattr(raised.value, "parameters", {}).get("reason") == reason
    assert list(into.iterdir()) == []


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("a file", encoding="utf-8")
    with pytest.raises(PictureUnusable) as refusal:
        create_character(saved(tmp_path), "a", folder=tmp_path / "c")
    assert refusal.value.parameters == {"path": "someone.png", "reason": "folder_not_writable"}


@pytest.mark.parametrize(
    ("content", "reason"), [(b"junk", "not_a_picture"), (None, "not_readable"), ("clear", "picture_empty")]
)
def test_an_unusable_picture_makes_no_folder(tmp_path: Path, content: bytes | str | None, reason: str) -> None:
    if content == "clear":
        saved(tmp_path, "a.png", np.zeros((50, 50, 4), np.uint8))
    elif isinstance(content, bytes):
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(PictureUnusable) as refusal:
        create_character(tmp_path / "a.png", "a", folder=tmp_path / "c")
    assert refusal.value.parameters == {"path": "a.png", "reason": reason}
    assert not (tmp_path / "c").exists() or not list((tmp_path / "c").iterdir())


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Nocti", "Nocti"),
        ("夜の子", "夜の子"),
        ("小蛾 2", "小蛾 2"),
        ("emoji 🦋", "emoji 🦋"),
        ('a/b\\c:d*e?f"g<h>i|j', "a b c d e f g h i j"),
        ("..", "character"),
        ("../../etc/passwd", "etc passwd"),
        ("name. . ", "name"),
        (".hidden", "hidden"),
        ("__private", "private"),
        ("CON", "character CON"),
        ("com1.txt", "character com1.txt"),
        ("nul", "character nul"),
        ("console", "console"),
        ("", "character"),
        ("\0\n\t", "character"),
        ("a\u202egnp", "a gnp"),
        ("e\u0301", "é"),
        ("\ud800x", "x"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_name_is_made_safe(wanted: str, name: str) -> None:
    assert safe_name(wanted) == name


@given(st.text(max_size=100))
def test_every_text_becomes_a_name_that_works_everywhere(wanted: str) -> None:
    name = safe_name(wanted)
    assert name
    assert len(name.encode("utf-8")) <= 200
    assert name == name.strip(" .")
    assert not name.startswith((".", "_"))
    assert not set(name) & set('<>:"/\\|?*\0')
    assert name.split(".")[0].strip().lower() not in RESERVED
    assert safe_name(name) == name


def test_a_name_that_is_taken_gets_the_first_free_number(tmp_path: Path) -> None:
    for taken in ("Moth", "moth 2", "moth 4"):
        (tmp_path / taken).mkdir()
    names = free_names("moth", tmp_path)
    assert [next(names), next(names)] == ["moth 3", "moth 5"]


# -- the command line -----------------------------------------------------------------------------------------------


def test_the_command_tells_what_it_saw_and_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = saved(tmp_path, "夜.png", composed(placed(character("nocti"), 1.2, 80, 86, 700, 700), WHITE))
    assert main([str(source), "--into", str(tmp_path / "c")]) == 0
    told = capsys.readouterr().out
    assert "The background has one colour (red 255, green 255, blue 255)." in told
    assert "The background was removed" in told
    assert "Character: 夜" in told
    assert str(tmp_path / "c" / "夜" / "import" / "before_after.png") in told


def test_the_commands_options_reach_the_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = saved(tmp_path, picture=composed(placed(character("drawn"), 0.5, 20, 44, 300, 300), WHITE))
    into = str(tmp_path / "c")
    assert main([str(source), "--name", "x", "--keep-background", "--no-fit", "--alpha-curve", "--into", into]) == 0
    told = capsys.readouterr().out
    assert "alpha curve" in told
    assert "background was removed" not in told
    picture = load_character("x", tmp_path / "c").picture
    assert (picture[..., 3] == 255).all()


def test_the_command_refuses_with_a_sentence_and_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    assert main([str(tmp_path / "a.txt"), "--into", str(tmp_path / "c")]) == 1
    assert "a.txt cannot become a character: it is no PNG, JPEG, WebP or BMP picture." in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
