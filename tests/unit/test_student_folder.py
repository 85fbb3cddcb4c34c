"""A THA4 student's folder: whether it is one, and which files it consists of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.errors import EasyVtuberError, ModelFileBad, ModelMissing
from models.student.folder import student_files
from tests.data import data

LAMBDA = "models/tha4_student/lambda_00"
YAML = "character_model.yaml"
NAMES = ("character.png", "face_morpher.pt", "body_morpher.pt")
CONVERTED = ("character.png", "face_morpher.onnx", "body_morpher.onnx")
DESCRIPTION = (
    "character_image_file_name: character.png\r\n"
    "face_morpher_file_name: face_morpher.pt\r\n"
    "body_morpher_file_name: body_morpher.pt"
)


def fill(folder: Path, *names: str, description: str | bytes | None = None) -> Path:
    """A folder with empty files of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    if description is not None:
        content = description if isinstance(description, bytes) else description.encode()
        (folder / YAML).write_bytes(content)
    return folder


def found(folder: Path) -> tuple[str, ...] | None:
    files = student_files(folder)
    if files is None:
        return None
    assert {file.parent for file in (files.picture, files.face, files.body)} == {folder}
    return files.picture.name, files.face.name, files.body.name


def refused(folder: Path) -> dict[str, Any]:
    with pytest.raises(EasyVtuberError) as caught:
        student_files(folder)
    assert isinstance(caught.value, (ModelFileBad, ModelMissing))
    return dict(caught.value.parameters)


# -- files ------------------------------------------------------------------------------------------------------------


def test_the_authors_own_folder_is_one() -> None:
    assert found(data(LAMBDA)) == NAMES


@pytest.mark.parametrize(
    "description",
    [
        DESCRIPTION,
        b"\xef\xbb\xbf" + DESCRIPTION.encode(),
        DESCRIPTION.replace("\r\n", "\n") + "\n",
        "\n".join(reversed(DESCRIPTION.splitlines())),
        "# a remark\n---\n" + DESCRIPTION + "\nauthor: someone\n...\n",
        DESCRIPTION.replace("character.png", "'character.png'").replace("face_morpher.pt", '"face_morpher\\x2ept"'),
        "{" + ", ".join(DESCRIPTION.splitlines()) + "}",
    ],
)
def test_a_description_is_read_however_it_is_written(tmp_path: Path, description: str | bytes) -> None:
    assert found(fill(tmp_path, *NAMES, description=description)) == NAMES


@pytest.mark.parametrize(
    "names", [("私の絵.png", "顔.pt", "体.pt"), ("a b.webp", "x", "y.onnx"), ("2024-01-01", "1", "~")]
)
def test_files_have_the_names_that_the_description_gives(tmp_path: Path, names: tuple[str, ...]) -> None:
    description = DESCRIPTION
    for usual, name in zip(NAMES, names, strict=True):
        description = description.replace(usual, name)
    folder = fill(tmp_path / "キャラ 角色 ё", *names, *NAMES, description=description)
    assert found(folder) == names


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (NAMES, NAMES),
        (CONVERTED, CONVERTED),
        ((*NAMES, *CONVERTED[1:]), NAMES),
        ((*NAMES[:2], CONVERTED[2]), (*NAMES[:2], CONVERTED[2])),
    ],
)
def test_without_a_description_the_usual_names_count(
    tmp_path: Path, there: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    assert found(fill(tmp_path, *there)) == wanted


@pytest.mark.parametrize(
    "there", [(), ("character.png",), ("character.png", "character.json", "lambda.pt", "face.onnx")]
)
def test_other_folders_are_no_students(tmp_path: Path, there: tuple[str, ...]) -> None:
    assert found(fill(tmp_path, *there)) is None


def test_what_is_no_folder_is_no_student(tmp_path: Path) -> None:
    fill(tmp_path, "file")
    assert student_files(tmp_path / "file") is None
    assert student_files(tmp_path / "nothing") is None
    assert student_files(tmp_path / ("long" * 100)) is None


@pytest.mark.parametrize("missing", NAMES)
@pytest.mark.parametrize("description", [None, DESCRIPTION])
def test_a_student_that_lacks_a_file_is_told_which(tmp_path: Path, missing: str, description: str | None) -> None:
    fill(tmp_path, *(name for name in NAMES if name != missing), description=description)
    assert refused(tmp_path) == {"model": "tha4_student", "file": missing}


def test_a_folder_in_a_files_place_is_no_file(tmp_path: Path) -> None:
    fill(tmp_path, "character.png", "face_morpher.pt", description=DESCRIPTION)
    (tmp_path / "body_morpher.pt").mkdir()
    assert refused(tmp_path) == {"model": "tha4_student", "file": "body_morpher.pt"}


OUTSIDE = [
    "../secret.pt", "..", ".", "/etc/passwd", "sub/face.pt", "sub\\\\face.pt", "C:face.pt", "C:\\\\face.pt",
    "//host/face.pt", "\\\\\\\\host\\\\face.pt",
    "face.pt:stream", "face.pt ", " face.pt", "face.pt.", "...", "fa\\0ce.pt", "fa\\nce.pt",
    "a\\x07", "\\ud800.pt", "fa*ce.pt", "face?.pt", "~/face.pt",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_description_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "secret.pt")
    folder = fill(tmp_path / "folder", *NAMES, description=DESCRIPTION.replace("face_morpher.pt", f'"{name}"'))
    fill(folder / "sub", "face.pt")
    assert refused(folder) == {"file": YAML, "reason": "unsafe"}


def link(at: Path, to: Path) -> None:
    try:
        at.symlink_to(to)
    except OSError:
        pytest.skip("links cannot be made here")
    if not at.is_symlink():
        pytest.skip("links are not made here, whatever is said")


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "secret.pt")
    folder = fill(tmp_path / "folder", "character.png", "body_morpher.pt", description=DESCRIPTION)
    link(folder / "face_morpher.pt", tmp_path / "secret.pt")
    assert refused(folder) == {"file": YAML, "reason": "unsafe"}


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "character.png", "body_morpher.pt", description=DESCRIPTION)
    link(tmp_path / "face_morpher.pt", tmp_path / "other.pt")
    link(tmp_path / "other.pt", tmp_path / "face_morpher.pt")
    assert refused(tmp_path).get("file") in (YAML, "face_morpher.pt")


def test_a_folder_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    fill(tmp_path / "folder", *NAMES, description=DESCRIPTION)
    link(tmp_path / "link", tmp_path / "folder")
    assert found(tmp_path / "link") == NAMES


LAUGHS = "a: &a [x, x]\n" + "".join(f"b{at}: &b{at} [*{'a' if at == 0 else f'b{at - 1}'}, *a]\n" for at in range(30))
BAD_DESCRIPTIONS: dict[str, str | bytes] = {
    "nothing": b"",
    "a remark": "# nothing",
    "a list": "- character.png\n- face_morpher.pt",
    "a text": "character.png",
    "a key less": "\n".join(DESCRIPTION.splitlines()[:2]),
    "no name": DESCRIPTION.replace(" character.png", ""),
    "a list of names": DESCRIPTION.replace("face_morpher.pt", "[face_morpher.pt]"),
    "a mapping of names": DESCRIPTION.replace("face_morpher.pt", "{a: face_morpher.pt}"),
    "two documents": DESCRIPTION + "\n---\n" + DESCRIPTION,
    "an alias": "a: &a face_morpher.pt\n" + DESCRIPTION.replace("face_morpher.pt", "*a"),
    "an anchor": DESCRIPTION.replace("face_morpher.pt", "&a face_morpher.pt"),
    "a billion laughs": LAUGHS + DESCRIPTION,
    "an object": DESCRIPTION.replace("face_morpher.pt", "!!python/object/apply:os.getcwd []"),
    "a tagged text": DESCRIPTION.replace("face_morpher.pt", "!!python/name:os.system face_morpher.pt"),
    "a deep list": DESCRIPTION + "\nx: " + "[" * 60_000,
    "a deep mapping": DESCRIPTION + "\nx: " + "{a: " * 15_000,
    "deep keys": "? " * 30_000,
    "an unknown alias": DESCRIPTION.replace("face_morpher.pt", "*nobody"),
    "a character that is none": DESCRIPTION.replace("face_morpher.pt", '"\\UFFFFFFFF"'),
    "a version of many digits": "%YAML 1." + "9" * 10_000 + "\n---\n" + DESCRIPTION,
    "another version": "%YAML 2.0\n---\n" + DESCRIPTION,
    "control characters": DESCRIPTION.replace("face_morpher.pt", "face\x07.pt"),
    "an open quote": DESCRIPTION.replace("face_morpher.pt", '"face_morpher.pt'),
    "a tab": DESCRIPTION.replace("face_morpher_file_name", "\tface_morpher_file_name"),
    "no UTF-8": DESCRIPTION.encode("utf-16"),
    "a picture": b"\x89PNG\r\n\x1a\n",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("case", sorted(BAD_DESCRIPTIONS))
def test_a_description_that_is_none_is_refused(tmp_path: Path, case: str) -> None:
    fill(tmp_path, *NAMES, description=BAD_DESCRIPTIONS[case])
    assert refused(tmp_path) == {"file": YAML, "reason": "bad_description"}


def test_a_description_as_long_as_a_book_is_not_read(tmp_path: Path) -> None:
    fill(tmp_path, *NAMES, description=DESCRIPTION + "\n#" + "x" * (64 << 10))
    assert refused(tmp_path) == {"file": YAML, "reason": "too_large"}


@given(st.text(max_size=200) | st.text("[]{}:,-?&*!|>'\"%@`#\n \tabc._", max_size=200) | st.binary(max_size=100))
def test_no_description_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, tail: str | bytes) -> None:
    added = tail if isinstance(tail, bytes) else tail.encode("utf-8", "surrogatepass")
    folder = fill(tmp_path_factory.getbasetemp() / "any", *NAMES)
    for description in (added, DESCRIPTION.encode() + b"\n" + added, b"face_morpher_file_name: " + added):
        (folder / YAML).write_bytes(description)
        try:
            student_files(folder)
        except (ModelFileBad, ModelMissing) as problem:
            assert problem.parameters.keys() in ({"file", "reason"}, {"model", "file"})
