"""What a picture file's first bytes say: its kind and its size, before anything is decoded.

A few kilobytes can announce a picture of many gigabytes. Formats: PNG (W3C), JPEG (ITU T.81 annex B), WebP container
(RFC 9649), BMP (BITMAPINFOHEADER and BITMAPCOREHEADER).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PNG, JPEG, WEBP, BMP = "png", "jpg", "webp", "bmp"

_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """Kind and size in pixels; a size of 0 x 0 could not be read."""

    kind: str
    width: int
    height: int


def read_header(content: bytes) -> Header | None:
    """The header of a PNG, JPEG, WebP or BMP file; None for anything else. Pure; never raises."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Header(PNG, _big(content, 16, 4), _big(content, 20, 4))
    if content.startswith(b"\xff\xd8\xff"):
        return Header(JPEG, *_jpeg_size(content))
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return Header(WEBP, *_webp_size(content))
    if content.startswith(b"BM"):
        return Header(BMP, *_bmp_size(content))
    return None


def _big(content: bytes, start: int, count: int) -> int:
    part = content[start : start + count]
    return int.from_bytes(part, "big") if len(part) == count else 0


def _little(content: bytes, start: int, count: int, signed: bool = False) -> int:
    part = content[start : start + count]
    return int.from_bytes(part, "little", signed=signed) if len(part) == count else 0


def _jpeg_size(content: bytes) -> tuple[int, int]:
    place = 2
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            return 0, 0
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in _STANDALONE:
            place += 2
        elif marker in _START_OF_FRAME:
            return _big(content, place + 7, 2), _big(content, place + 5, 2)
        else:
            place += 2 + max(2, _big(content, place + 2, 2))
    return 0, 0


def _webp_size(content: bytes) -> tuple[int, int]:
    chunk = content[12:16]
    if chunk == b"VP8X" and len(content) >= 30:
        return _little(content, 24, 3) + 1, _little(content, 27, 3) + 1
    if chunk == b"VP8L" and len(content) >= 25:
        bits = _little(content, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(content) >= 30:
        return _little(content, 26, 2) & 0x3FFF, _little(content, 28, 2) & 0x3FFF
    return 0, 0


def _bmp_size(content: bytes) -> tuple[int, int]:
    if _little(content, 14, 4) == 12:
        return _little(content, 18, 2), _little(content, 20, 2)
    # rows from the top are marked by a negative height
    return abs(_little(content, 18, 4, True)), abs(_little(content, 22, 4, True))
