"""Reading a character: every kind of picture becomes the same kind, everything else is a refusal with a name."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.wire.errors import CharacterDescriptionBad, CharacterError, CharacterMissing, CharacterNotPicture
from core.wire.folders import CHARACTERS
from models.character import PICTURE_SIZE, fit, load_character, read_picture

Pixels = NDArray[np.uint8]


def png(pixels: NDArray[np.generic]) -> bytes:
    done, content = cv2.imencode(".png", np.asarray(pixels))
    assert done
    return content.tobytes()


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of exactly this kind, from the specification."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    written = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def write(folder: Path, content: bytes, description: bytes | None = None, name: str = "someone") -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "character.png").write_bytes(content)
    if description is not None:
        (folder / name / "character.json").write_bytes(description)


def plain(width: int = 512, height: int = 512, colour: tuple[int, ...] = (10, 120, 230, 255)) -> Pixels:
    return np.full((height, width, len(colour)), colour, np.uint8)


# -- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nocti", "mothlight"])
def test_our_own_characters_can_be_read(name: str) -> None:
    character = load_character(name)
    assert character.picture.shape == (PICTURE_SIZE, PICTURE_SIZE, 4)
    assert 0 < (character.picture[:, :, 3] > 0).mean() < 1
    assert (CHARACTERS / name).is_dir()


def test_a_picture_of_the_right_kind_comes_as_it_is(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(1, 256, (512, 512, 4), dtype=np.uint8)
    write(tmp_path, png(picture))
    character = load_character("someone", tmp_path)
    assert character.name == "someone"
    assert character.parts == {}
    assert np.array_equal(character.picture, picture)
    assert character.picture.flags.c_contiguous


COLOUR, SOFT, GREY = (10, 120, 230), (10, 120, 230, 128), (77, 77, 77, 255)
PALETTE = (b"PLTE", bytes([0, 0, 0, 230, 120, 10]))
BYTE_ROWS = (b"\0" + b"\x01" * 512) * 512
KINDS = {
    "RGB": (png(plain(colour=COLOUR)), (*COLOUR, 255)),
    "grey": (png(plain(colour=(77,))[:, :, 0]), GREY),
    "16 bit RGBA": (png(np.full((512, 512, 4), [value * 257 for value in SOFT], np.uint16)), SOFT),
    "16 bit grey": (png(np.full((512, 512), 77 * 257, np.uint16)), GREY),
    "grey with alpha": (raw_png(512, 512, 8, 4, (b"\0" + b"\x4d\x80" * 512) * 512), (77, 77, 77, 128)),
    "palette": (raw_png(512, 512, 8, 3, BYTE_ROWS, PALETTE), (*COLOUR, 255)),
    "palette with alpha": (raw_png(512, 512, 8, 3, BYTE_ROWS, PALETTE, (b"tRNS", bytes([0, 128]))), SOFT),
    "1 bit": (raw_png(512, 512, 1, 0, (b"\0" + b"\xff" * 64) * 512), (255, 255, 255, 255)),
}
"""A file of each kind, and the straight BGRA that every one of its pixels means."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_png_becomes_straight_bgra(tmp_path: Path, kind: str) -> None:
    content, colour = KINDS[kind]
    write(tmp_path, content)
    picture = load_character("someone", tmp_path).picture
    assert picture.shape == (512, 512, 4)
    assert picture.dtype == np.uint8
    assert (picture == colour).all()


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (3, 700), (700, 3), (511, 512), (513, 511), (256, 256), (1024, 1024), (300, 900)]
)
def test_any_size_is_fitted_centred_and_standing_on_the_bottom(tmp_path: Path, width: int, height: int) -> None:
    write(tmp_path, png(plain(width, height)))
    alpha = load_character("someone", tmp_path).picture[:, :, 3]
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    scale = 512 / max(width, height)
    assert rows[-1] == 511
    assert len(rows) == max(1, round(height * scale))
    assert len(columns) == max(1, round(width * scale))
    assert abs(columns[0] - (511 - columns[-1])) <= 1


@pytest.mark.parametrize("size", [200, 512, 1500])
def test_scaling_keeps_colours_even_at_soft_edges(size: int) -> None:
    """Transparent pixels may hold any colour: none of it may bleed into the edge."""
    picture = plain(size, size, (0, 255, 0, 0))
    row, column = np.mgrid[:size, :size]
    inside = np.hypot(row - size / 2, column - size / 2) < size / 3
    picture[inside] = (10, 120, 230, 255)
    fitted = fit(picture).astype(int)
    visible = fitted[:, :, 3] > 16
    assert np.abs(fitted[visible][:, :3] - (10, 120, 230)).max() <= 12
    assert not fitted[fitted[:, :, 3] == 0].any()


def test_fully_transparent_pixels_become_black_and_the_given_picture_stays() -> None:
    picture = plain(colour=(9, 9, 9, 0))
    assert not fit(picture).any()
    assert (picture[:, :, 0] == 9).all()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        png(plain())[:100],
        png(plain())[:24],
        b"\x89PNG\r\n\x1a\n",
        png(plain(colour=(1, 2, 3, 4)))[:-40][:33] + bytes(500),
    ],
    ids=["empty", "nul", "text", "svg", "cut off", "header only", "signature only", "broken inside"],
)
def test_what_is_not_a_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, content)
    with pytest.raises(CharacterNotPicture) as refusal:
        load_character("someone", tmp_path)
    assert refusal.value.parameters == {"character": "someone"}


@pytest.mark.parametrize(
    ("width", "height"), [(8193, 2), (2, 8193), (30_000, 30_000), (100_000, 100_000), (2**31 - 1, 2**31 - 1)]
)
def test_a_huge_picture_is_refused_before_it_takes_memory(tmp_path: Path, width: int, height: int) -> None:
    write(tmp_path, raw_png(width, height, 1, 0, b"\0" * 5000))
    with pytest.raises(CharacterNotPicture, match="pixels"):
        load_character("someone", tmp_path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    write(tmp_path, b"")
    with (tmp_path / "someone" / "character.png").open("wb") as file:
        file.truncate((64 << 20) + 1)  # a hole: it takes no space
    with pytest.raises(CharacterNotPicture):
        load_character("someone", tmp_path)


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["夜の子", "Ünïcode – näme", "with space", "emoji 🦋", "d.o.t"])
def test_any_name_may_be_a_folder(tmp_path: Path, name: str) -> None:
    write(tmp_path / "папка", png(plain()), name=name)
    assert load_character(name, tmp_path / "папка").name == name


def test_a_single_picture_is_a_character_too(tmp_path: Path) -> None:
    (tmp_path / "夜.png").write_bytes(png(plain()))
    (tmp_path / "character.json").write_text("this belongs to nobody")
    assert load_character("夜", tmp_path).parts == {}


@pytest.mark.parametrize(
    "name", ["", ".", "..", "nobody", "../someone", "someone/../someone", "/etc/passwd", "someone\0", "long" * 200]
)
def test_a_name_that_is_none_is_a_missing_character(tmp_path: Path, name: str) -> None:
    write(tmp_path, png(plain()))
    with pytest.raises(CharacterMissing):
        load_character(name, tmp_path)


def test_a_missing_folder_is_a_missing_character(tmp_path: Path) -> None:
    with pytest.raises(CharacterMissing):
        load_character("someone", tmp_path / "nowhere")


# -- descriptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_parts_come_as_they_are_described(tmp_path: Path, mark: bytes) -> None:
    parts = {"eye_left": {"box": [1, 2, 3, 4]}, "何か": None}
    write(tmp_path, png(plain()), mark + json.dumps({"parts": parts, "name": "x"}).encode())
    assert load_character("someone", tmp_path).parts == parts


@pytest.mark.parametrize("description", [b"{}", b'{"author": "somebody"}', b'{"parts": {}}'])
def test_a_description_without_parts_describes_none(tmp_path: Path, description: bytes) -> None:
    write(tmp_path, png(plain()), description)
    assert load_character("someone", tmp_path).parts == {}


@pytest.mark.parametrize(
    ("description", "field"),
    [
        (b"", "character.json"),
        (b"{", "character.json"),
        (b"null", "character.json"),
        (b"[]", "character.json"),
        (b'"text"', "character.json"),
        (b"\xff\xfe{}", "character.json"),
        (b"[" * 100_000, "character.json"),
        (b'{"parts": ' + b"1" * 5000 + b"}", "character.json"),
        (b'{"parts": []}', "parts"),
        (b'{"parts": null}', "parts"),
        (b'{"parts": "eyes"}', "parts"),
        (b'{"parts": 5}', "parts"),
    ],
)
def test_a_wrong_description_names_the_field(tmp_path: Path, description: bytes, field: str) -> None:
    write(tmp_path, png(plain()), description)
    with pytest.raises(CharacterDescriptionBad) as refusal:
        load_character("someone", tmp_path)
    assert refusal.value.parameters == {"character": "someone", "field": field}


def test_a_folder_in_the_pictures_place_is_no_character(tmp_path: Path) -> None:
    (tmp_path / "someone" / "character.png").mkdir(parents=True)
    with pytest.raises(CharacterError):
        load_character("someone", tmp_path)


# -- students, whose description names the picture ---------------------------------------------------------------------

STUDENT_YAML = "character_model.yaml"


def write_student(folder: Path, picture: str, content: bytes, name: str = "someone") -> Path:
    """A student's folder with one picture."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / picture).write_bytes(content)
    (folder / name / STUDENT_YAML).write_text(f"character_image_file_name: {picture}\n", encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("picture", ["own.png", "私の 絵.webp"])
def test_a_student_is_read_from_the_picture_that_its_description_names(tmp_path: Path, picture: str) -> None:
    folder = write_student(tmp_path, picture, png(plain()))
    (folder / "character.json").write_text('{"parts": {"mouth": 5}}', encoding="utf-8")
    character = load_character("someone", tmp_path)
    assert (character.picture == (10, 120, 230, 255)).all()
    assert (character.folder, character.parts) == (folder, {"mouth": 5})


def test_a_student_whose_picture_is_none_is_refused(tmp_path: Path) -> None:
    write_student(tmp_path, "own.png", b"not a picture")
    with pytest.raises(CharacterNotPicture):
        load_character("someone", tmp_path)


@pytest.mark.parametrize("named", ["../elsewhere/character.png", "missing.png", "..", ""])
def test_a_description_that_leads_elsewhere_makes_no_character(tmp_path: Path, named: str) -> None:
    write(tmp_path, png(plain()), name="elsewhere")
    folder = write_student(tmp_path, "own.png", png(plain()))
    (folder / STUDENT_YAML).write_text(f"character_image_file_name: {named}\n", encoding="utf-8")
    with pytest.raises(CharacterMissing):
        load_character("someone", tmp_path)


def test_only_a_character_in_a_folder_of_its_own_has_a_place_for_networks(tmp_path: Path) -> None:
    write(tmp_path, png(plain()))
    (tmp_path / "single.png").write_bytes(png(plain()))
    assert load_character("someone", tmp_path).folder == tmp_path / "someone"
    assert load_character("single", tmp_path).folder is None


def test_a_picture_is_read_by_its_path_as_characters_are(tmp_path: Path) -> None:
    path = tmp_path / "夜 picture.png"
    path.write_bytes(png(plain(300, 600)))
    assert np.array_equal(read_picture(path), fit(plain(300, 600)))
    path.write_bytes(b"not a picture")
    with pytest.raises(CharacterNotPicture):
        read_picture(path)
    with pytest.raises(CharacterNotPicture):
        read_picture(tmp_path / "missing.png")
