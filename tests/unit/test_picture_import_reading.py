"""Reading picture files: every kind becomes straight BGRA the right way up, all else a refusal with a reason."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.wire.errors import PictureUnusable
from models.picture_import.headers import BMP, JPEG, PNG, WEBP, Header, read_header
from models.picture_import.reading import MAXIMUM_FILE_BYTES, as_bgra, read_picture

COLOUR, SOFT = (10, 120, 230), (10, 120, 230, 128)


def encoded(extension: str, pixels: NDArray[np.generic], *options: int) -> bytes:
    done, content = cv2.imencode(f".{extension}", np.asarray(pixels), list(options))
    assert done
    return content.tobytes()


def plain(*colour: int, height: int = 40, width: int = 60, dtype: type[np.generic] = np.uint8) -> NDArray[np.generic]:
    return np.full((height, width, len(colour)), colour, dtype)


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The same JPEG with an EXIF block that says how the camera was held."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    body = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def palette_png() -> bytes:
    """Indexed colours, the second one half transparent."""
    header = struct.pack(">IIBBBBB", 60, 40, 8, 3, 0, 0, 0)
    rows = (b"\0" + b"\x01" * 60) * 40
    parts = [
        (b"IHDR", header),
        (b"PLTE", bytes([0, 0, 0, 230, 120, 10])),
        (b"tRNS", bytes([0, 128])),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bmp_without_alpha() -> bytes:
    """32 bits a pixel, the fourth byte unused."""
    pixels = bytes([10, 120, 230, 0]) * (60 * 40)
    info = struct.pack("<IiiHHIIiiII", 40, 60, -40, 1, 32, 0, len(pixels), 2835, 2835, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54) + info + pixels


KINDS = {
    "png": (encoded("png", plain(*COLOUR)), "png", (*COLOUR, 255)),
    "png with alpha": (encoded("png", plain(*SOFT)), "png", SOFT),
    "16 bit png": (encoded("png", plain(*(v * 257 for v in SOFT), dtype=np.uint16)), "png", SOFT),
    "grey png": (encoded("png", plain(77)), "png", (77, 77, 77, 255)),
    "palette png": (palette_png(), "png", SOFT),
    "webp": (encoded("webp", plain(*SOFT), cv2.IMWRITE_WEBP_QUALITY, 101), "webp", SOFT),
    "bmp": (encoded("bmp", plain(*COLOUR)), "bmp", (*COLOUR, 255)),
    "bmp with an unused byte": (bmp_without_alpha(), "bmp", (*COLOUR, 255)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_becomes_straight_bgra(tmp_path: Path, kind: str) -> None:
    content, extension, colour = KINDS[kind]
    path = tmp_path / "名前 with space.picture"
    path.write_bytes(content)
    read = read_picture(path)
    assert read.picture.shape == (40, 60, 4)
    assert read.picture.dtype == np.uint8
    assert read.picture.flags.c_contiguous
    assert (read.picture == colour).all()
    assert (read.extension, read.content) == (extension, content)


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3)], ids=["grey", "colour"])
def test_a_jpeg_is_about_what_was_saved(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "a.jpeg").write_bytes(encoded("jpg", np.full(shape, 90, np.uint8)))
    read = read_picture(tmp_path / "a.jpeg")
    assert np.abs(read.picture[..., :3].astype(int) - 90).max() <= 2
    assert (read.picture[..., 3] == 255).all()
    assert read.extension == "jpg"


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (1, 1)), (6, (0, 1)), (8, (1, 0))])
def test_a_jpeg_is_turned_the_way_the_camera_was_held(
    tmp_path: Path, orientation: int, corner: tuple[int, int]
) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :30] = 255  # the upper left quarter, as the sensor saw it
    (tmp_path / "a.jpg").write_bytes(with_orientation(encoded("jpg", pixels), orientation))
    picture = read_picture(tmp_path / "a.jpg").picture
    assert picture.shape[:2] == ((60, 40) if orientation in (6, 8) else (40, 60))
    quarter = np.asarray(cv2.resize(picture[..., 0], (2, 2), interpolation=cv2.INTER_AREA))
    assert divmod(int(np.argmax(quarter)), 2) == corner


def test_floats_and_grey_with_alpha_are_understood_too() -> None:
    assert (as_bgra(np.full((2, 3, 3), 0.5, np.float32)) == (127, 127, 127, 255)).all()
    assert (as_bgra(np.full((2, 3, 2), 9, np.uint8)) == 9).all()


def big_png(width: int, height: int) -> bytes:
    small = encoded("png", plain(*COLOUR))
    header = struct.pack(">II", width, height) + small[24:29]
    return small[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + small[33:]


def big_jpeg() -> bytes:
    small = bytearray(encoded("jpg", plain(*COLOUR)))
    place = small.index(b"\xff\xc0")
    small[place + 5 : place + 9] = struct.pack(">HH", 60_000, 60_000)
    return bytes(small)


def big_bmp() -> bytes:
    return bmp_without_alpha()[:18] + struct.pack("<ii", 9000, -9000) + bmp_without_alpha()[26:]


def big_webp() -> bytes:
    return b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (9000).to_bytes(3, "little") * 2 + bytes(40)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_a_picture"),
        (b"GIF89a" + bytes(100), "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_picture"),
        (encoded("png", plain(*COLOUR))[:60], "picture_damaged"),
        (encoded("png", plain(*COLOUR))[:20], "picture_damaged"),
        (encoded("webp", plain(*COLOUR))[:30], "picture_damaged"),
        (b"\xff\xd8\xff" + bytes(60), "picture_damaged"),
        (b"BM" + bytes(60), "picture_damaged"),
        (big_png(8193, 4), "picture_too_large"),
        (big_png(4, 2**31 - 1), "picture_too_large"),
        (big_jpeg(), "picture_too_large"),
        (big_bmp(), "picture_too_large"),
        (big_webp(), "picture_too_large"),
    ],
)
def test_what_is_no_usable_picture_is_refused_with_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "it.png").write_bytes(content)
    with pytest.raises(PictureUnusable) as refusal:
        read_picture(tmp_path / "it.png")
    assert refusal.value.parameters == {"path": "it.png", "reason": reason}


def test_a_missing_file_a_folder_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(MAXIMUM_FILE_BYTES + 1)  # a hole: it takes no space
    for name, reason in (("none.png", "not_readable"), ("", "not_readable"), ("huge.png", "file_too_large")):
        with pytest.raises(PictureUnusable) as refusal:
            read_picture(tmp_path / name)
        assert refusal.value.parameters["reason"] == reason


@pytest.mark.parametrize(
    ("extension", "kind"),
    [("png", PNG), ("jpg", JPEG), ("bmp", BMP), ("webp", WEBP)],
    ids=["png", "jpg", "bmp", "webp"],
)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (300, 7), (7, 300)])
def test_a_header_tells_the_size_of_what_opencv_wrote(extension: str, kind: str, width: int, height: int) -> None:
    for options in ((), (cv2.IMWRITE_WEBP_QUALITY, 101) if extension == "webp" else ()):
        content = encoded(extension, plain(*COLOUR, height=height, width=width), *options)
        assert read_header(content) == Header(kind, width, height)


@given(st.sampled_from([KINDS[name][0] for name in KINDS]), st.integers(0, 300), st.binary(max_size=40))
def test_no_bytes_make_the_header_fail(content: bytes, place: int, junk: bytes) -> None:
    header = read_header(content[:place] + junk + content[place + len(junk) :])
    assert header is None or (header.width >= 0 and header.height >= 0)
