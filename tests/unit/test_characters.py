"""Characters by their folders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.characters import character_names, character_picture
from core.wire.errors import EasyVtuberError
from core.wire.folders import CHARACTERS, PROJECT
from core.wire.settings import DEFAULT_CHARACTER
from models.student.folder import student_files
from tests.contract.fake_outputs import LIMIT_S


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


# -- students, whose description names the picture --------------------------------------------------------------------

YAML = "character_model.yaml"
NETWORKS = "face_morpher_file_name: face_morpher.pt\nbody_morpher_file_name: body_morpher.pt\n"


def write_student(
    shelf: Path, picture: str, description: Optional[Union[str, bytes]] = None, name: str = "student"
) -> Path:
    """A student's folder with a picture of this name; ``description`` is how the picture is named in it."""
    folder = shelf / name
    folder.mkdir(exist_ok=True)
    for file in (picture, "face_morpher.pt", "body_morpher.pt"):
        (folder / file).write_bytes(b"x")
    line = f"character_image_file_name: {picture}\n" if description is None else description
    content = line if isinstance(line, bytes) else line.encode()
    (folder / YAML).write_bytes(content + b"\n" + NETWORKS.encode())
    return folder


def found_student(shelf: Path, name: str = "student") -> Optional[str]:
    """The name of the picture that is found; what can be chosen and what is found must agree."""
    picture = character_picture(name, shelf)
    assert (name in character_names(shelf)) == (picture is not None)
    if picture is None:
        return None
    assert picture.parent == shelf / name
    return picture.name


@pytest.mark.parametrize("name", ["lambda.png", "私の絵.png", "two words.webp", "no-suffix", "2024-01-01", "a#b.png"])
def test_a_student_whose_picture_has_another_name_can_be_chosen(shelf: Path, name: str) -> None:
    folder = write_student(shelf, name)
    assert found_student(shelf) == name
    files = student_files(folder)
    assert files is not None
    assert files.picture == character_picture("student", shelf)


@pytest.mark.parametrize(
    "description",
    [
        "character_image_file_name: own.png",
        "character_image_file_name:   own.png   ",
        "character_image_file_name: own.png\r",
        "character_image_file_name: 'own.png'",
        'character_image_file_name: "own.png"',
        'character_image_file_name: "own.png"  # the picture',
        "character_image_file_name: own.png # the picture",
        "# a remark\n---\nauthor: someone\ncharacter_image_file_name: own.png",
        b"\xef\xbb\xbfcharacter_image_file_name: own.png",
    ],
)
def test_a_description_is_understood_as_the_networks_reader_understands_it(
    shelf: Path, description: Union[str, bytes]
) -> None:
    folder = write_student(shelf, "own.png", description)
    files = student_files(folder)
    assert files is not None
    assert found_student(shelf) == files.picture.name == "own.png"


def test_the_usual_name_wins_over_the_description(shelf: Path) -> None:
    folder = write_student(shelf, "own.png")
    (folder / "character.png").write_bytes(b"x")
    assert found_student(shelf) == "character.png"


@pytest.mark.parametrize(
    "description",
    [
        "",
        "character_image_file_name:",
        "character_image_file_name: ''",
        "character_image_file_name: missing.png",
        "character_image_file_name: 'own.png",
        "character_image_file_name: 'own.png' more",
        "# character_image_file_name: own.png",
        "my_character_image_file_name: own.png",
        "picture: own.png",
        b"\xff\xfe" + "character_image_file_name: own.png".encode("utf-16-le"),
        b"character_image_file_name: \xff\xfe.png",
    ],
)
def test_a_description_that_names_no_picture_is_no_character(shelf: Path, description: Union[str, bytes]) -> None:
    write_student(shelf, "own.png", description)
    assert found_student(shelf) is None


@pytest.mark.parametrize(
    "name",
    [
        "../single.png",
        "..\\single.png",
        "../nocti/character.png",
        "sub/inside.png",
        "sub\\inside.png",
        "./own.png",
        "{shelf}/single.png",
        "C:single.png",
        "C:\\single.png",
        "\\\\server\\share\\single.png",
        "own.png:stream",
        ".",
        "..",
        "...",
        "own.png.",
        "own.png\x00",
        "*.png",
        "own.pn?",
        "sub",
        YAML + "/../own.png",
    ],
)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_description_cannot_lead_out_of_its_folder(shelf: Path, name: str, quote: str) -> None:
    """Descriptions come with downloads. What the networks' reader refuses is not followed here either."""
    described = name.format(shelf=shelf)
    folder = write_student(shelf, "own.png", f"character_image_file_name: {quote}{described}{quote}")
    (folder / "sub").mkdir()
    for file in ("sub/inside.png", "own.png."):
        (folder / file).write_bytes(b"x")
    assert found_student(shelf) is None
    with pytest.raises(EasyVtuberError):
        student_files(folder)


def test_a_name_that_windows_would_shorten_is_not_followed(shelf: Path) -> None:
    folder = write_student(shelf, "own.png", "character_image_file_name: 'own.png '")
    (folder / "own.png ").write_bytes(b"x")
    assert found_student(shelf) is None


@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_huge_description_is_not_read_through(shelf: Path, place: str) -> None:
    line, filling = b"character_image_file_name: own.png\n", b"# filling\n" * 8000
    folder = write_student(shelf, "own.png", line + filling if place == "before" else filling + line)
    assert found_student(shelf) is None
    with pytest.raises(EasyVtuberError):
        student_files(folder)


@pytest.mark.parametrize(
    "filling",
    [
        "\n" * 65000,
        "character_image_file_name: own.png" + " " * 65000 + "'",
        "character_image_file_name" + "\t" * 65000,
    ],
    ids=["empty lines", "spaces", "tabs"],
)
def test_no_description_holds_obs_up(shelf: Path, filling: str) -> None:
    """The panel is opened on OBS's own thread: once, some of these took it minutes."""
    for number in range(20):
        write_student(shelf, "own.png", filling, f"student {number}")
    program = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); from core.wire.characters import character_names; "
    looking = f"from pathlib import Path; print(character_names(Path({str(shelf)!r})))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program + looking], capture_output=True, timeout=LIMIT_S, check=True
    )
    assert done.stdout.decode().strip() == str(character_names(shelf))


def test_a_description_that_cannot_be_opened_is_no_character_and_no_error(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_student(shelf, "own.png")
    assert found_student(shelf) == "own.png"

    def refuse(self: Path, *how: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert found_student(shelf) is None


def test_a_folder_in_the_descriptions_place_is_no_character(shelf: Path) -> None:
    folder = write_student(shelf, "own.png")
    (folder / YAML).unlink()
    (folder / YAML).mkdir()
    assert found_student(shelf) is None


NAME = st.text(st.characters(codec="utf-8", exclude_characters="/\0\r\n\x85\u2028\u2029"), min_size=1, max_size=12)


@given(st.binary(max_size=60), NAME)
def test_no_description_whatever_is_an_error_or_leads_out(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    shelf = tmp_path_factory.getbasetemp() / "any shelf"
    (shelf / "student").mkdir(parents=True, exist_ok=True)
    for description in (
        content,
        b"character_image_file_name:" + content,
        f"character_image_file_name: {name}".encode(),
    ):
        (shelf / "student" / YAML).write_bytes(description)
        assert found_student(shelf) in (None, YAML), "there is no other file in the folder"


@given(NAME, st.sampled_from(["{}", "'{}'", '"{}"']))
def test_the_picture_is_the_one_that_the_networks_reader_finds(
    tmp_path_factory: pytest.TempPathFactory, name: str, written: str
) -> None:
    shelf = tmp_path_factory.mktemp("shelf")
    try:
        folder = write_student(shelf, name, f"character_image_file_name: {written.format(name)}")
        files = student_files(folder)
    except (OSError, EasyVtuberError):
        return  # no name for a file here, or none for a description
    assert files is not None
    picture = character_picture("student", shelf)
    assert picture is None or picture == files.picture
    if not set(name) & set("'\"\\"):
        assert picture is not None
