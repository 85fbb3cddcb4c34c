"""Small files that are swapped in one step."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from core.wire import json_file
from core.wire.json_file import write_json


def test_it_makes_the_folder_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "new" / "かお.json"
    write_json(file, {"name": "かお", "values": [1, 2.5, None]})
    assert json.loads(file.read_text(encoding="utf-8")) == {"name": "かお", "values": [1, 2.5, None]}
    assert list(file.parent.iterdir()) == [file]
    assert "かお" in file.read_text(encoding="utf-8"), "people read these files as well"


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.json"
    write_json(file, {"old": 1})
    with pytest.raises(TypeError):
        write_json(file, {"new": object()})

    def full(self: Path, text: str, encoding: str) -> int:
        with self.open("w", encoding=encoding) as half:
            half.write(text[:2])
        raise OSError(28, "no space left")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space"):
        write_json(file, {"new": 1})
    assert json.loads(file.read_text(encoding="utf-8")) == {"old": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_where_files_that_are_read_cannot_be_swapped_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses while a virus scanner looks at the old file."""
    refusals = iter([PermissionError("in use"), PermissionError("in use")])
    replace = Path.replace

    def in_use(self: Path, target: Path) -> Path:
        problem = next(refusals, None)
        if problem is not None:
            raise problem
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", in_use)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(json_file, "_PAUSE_S", 0.0)
    write_json(tmp_path / "a.json", {"new": 1})
    assert (tmp_path / "a.json").is_file()


@pytest.mark.parametrize("platform", ["win32", "linux"])
def test_a_file_that_may_never_be_swapped_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    tries = []

    def refuse(self: Path, target: Path) -> Path:
        tries.append(target)
        raise PermissionError("for ever")

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(json_file, "_PAUSE_S", 0.0)
    with pytest.raises(PermissionError):
        write_json(tmp_path / "a.json", {"new": 1})
    assert len(tries) == (4 if platform == "win32" else 1)
    assert not list(tmp_path.iterdir())
