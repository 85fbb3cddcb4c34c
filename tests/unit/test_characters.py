"""Characters by their folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.wire.characters import character_names, character_picture
from core.wire.folders import CHARACTERS
from core.wire.settings import DEFAULT_CHARACTER


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    for folder in ("nocti", "Berta", "empty", ".hidden", "_draft"):
        (tmp_path / folder).mkdir()
    for folder in ("nocti", "Berta", ".hidden", "_draft"):
        (tmp_path / folder / "character.png").write_bytes(b"png")
    for file in ("single.png", "LOUD.PNG", "README.md", ".secret.png"):
        (tmp_path / file).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_folders_with_a_picture_and_single_pictures_can_be_chosen(shelf: Path) -> None:
    assert character_names(shelf) == ["Berta", "LOUD", "nocti", "single"]


def test_a_folder_that_is_not_there_has_no_characters(tmp_path: Path) -> None:
    assert character_names(tmp_path / "nowhere") == []


def test_a_file_in_place_of_the_folder_has_no_characters(shelf: Path) -> None:
    assert character_names(shelf / "README.md") == []


def test_the_picture_in_the_folder_wins_over_the_single_one(shelf: Path) -> None:
    (shelf / "nocti.png").write_bytes(b"other")
    assert character_picture("nocti", shelf) == shelf / "nocti" / "character.png"


def test_a_single_picture_is_a_character(shelf: Path) -> None:
    assert character_picture("single", shelf) == shelf / "single.png"


def test_every_name_that_can_be_chosen_has_a_picture(shelf: Path) -> None:
    (shelf / "LOUD.PNG").unlink()
    assert all(character_picture(name, shelf) for name in character_names(shelf))


def test_a_picture_in_capital_letters_is_found_under_the_name_that_is_offered(shelf: Path) -> None:
    assert character_picture("LOUD", shelf) is not None


@pytest.mark.parametrize("name", ["", ".", "..", "empty", "nobody", "x" * 1024, "a\x00b"])
def test_a_name_without_a_picture_is_none_and_no_error(shelf: Path, name: str) -> None:
    assert character_picture(name, shelf) is None


@pytest.mark.parametrize("name", ["../nocti", "a/../nocti", "nocti/", "/etc/passwd", "./nocti", "sub/nocti"])
def test_a_name_cannot_lead_out_of_the_folder(shelf: Path, name: str) -> None:
    inside = shelf / "sub"
    inside.mkdir()
    assert character_picture(name, inside) is None


def test_a_folder_that_may_not_be_looked_into_does_not_take_the_others_away(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Path.is_file

    def refuse(self: Path) -> bool:
        if "Berta" in self.parts:
            raise PermissionError(13, "Permission denied")
        return looked(self)

    monkeypatch.setattr(Path, "is_file", refuse)
    assert character_names(shelf) == ["LOUD", "nocti", "single"]
    assert character_picture("Berta", shelf) is None


def test_the_default_character_is_part_of_the_project() -> None:
    assert character_picture(DEFAULT_CHARACTER, CHARACTERS) is not None
