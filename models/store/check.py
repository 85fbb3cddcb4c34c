"""Is a file at all what its name says? Looks at its build, not at its numbers, and reads only a few bytes of it.

An ONNX file is one protobuf message whose fields must end exactly where the file ends, so a file that was cut short, or
an error page of a web server in its place, is told without reading it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeAlias

from core.wire.errors import ModelFileBad

Check: TypeAlias = Callable[[str, Path], None]
"""Called with the contract and the file; raises ModelFileBad. The file's suffix is that of its place."""

_IR_VERSION, _GRAPH = 1, 7
_NEWEST_IR_VERSION = 64
_MOST_FIELDS = 4096
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ZIP_END = struct.Struct("<12sIIH")
"""End record: mark and counts, size and start of the list of contents, length of the comment that follows."""
_ZIP_END_MARK = b"PK\x05\x06"
_ZIP64 = 0xFFFFFFFF
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
_LONGEST_DESCRIPTION = 64 << 10
_TAIL = 22 + 65535
"""Both a zip's and a picture's end mark may have this much behind it."""


def check_content(contract: str, path: Path) -> None:
    """Raise ModelFileBad when the file is empty, cut short or of another kind than its suffix says."""
    checker = _BY_SUFFIX.get(path.suffix.lower())
    if checker is None:
        raise ModelFileBad(f"{contract}: nothing is known about {path.suffix}", file=path.name, reason="not_a_network")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            problem = checker(file, size) if size else "file_damaged"
    except OSError as error:
        raise ModelFileBad(f"{contract}: {error}", file=path.name, reason="file_damaged") from error
    if problem:
        raise ModelFileBad(f"{contract}: {size} bytes", file=path.name, reason=problem)


def _check_onnx(file: BinaryIO, size: int) -> str:
    found: set[int] = set()
    for _ in range(_MOST_FIELDS):
        if file.tell() == size:
            return "" if {_IR_VERSION, _GRAPH} <= found else "not_a_network"
        tag = _varint(file)
        if tag is None:
            return "file_damaged" if found else "not_a_network"
        field, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value = _varint(file)
            if field == _IR_VERSION and not (value and value <= _NEWEST_IR_VERSION):
                return "not_a_network"
            length = 0 if value is not None else size
        elif kind == _BYTES:
            length = _varint(file) or 0
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(kind, -1)
        if length < 0 or not field or file.tell() + length > size:
            return "file_damaged" if _IR_VERSION in found else "not_a_network"
        found.add(field)
        file.seek(length, os.SEEK_CUR)
    return "not_a_network"


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for place in range(10):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            return value
    return None


def _check_zip(file: BinaryIO, size: int) -> str:
    if b"PK\x03\x04" not in file.read(64):  # some are padded at the front
        return "not_a_network"
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    place = tail.rfind(_ZIP_END_MARK)
    if place < 0 or len(tail) - place < _ZIP_END.size:
        return "file_damaged"
    _, contents_size, contents_start, comment_size = _ZIP_END.unpack_from(tail, place)
    end = size - len(tail) + place
    is_whole = place + _ZIP_END.size + comment_size == len(tail)
    fits = _ZIP64 in (contents_size, contents_start) or contents_start + contents_size <= end
    return "" if is_whole and fits else "file_damaged"


def _check_png(file: BinaryIO, size: int) -> str:
    if file.read(8) != _PNG_START:
        return "not_a_picture"
    file.seek(max(0, size - _TAIL))
    return "" if _PNG_END in file.read(_TAIL) else "file_damaged"


def _check_text(file: BinaryIO, size: int) -> str:
    content = file.read(_LONGEST_DESCRIPTION + 1)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return "file_damaged"
    is_text = len(content) <= _LONGEST_DESCRIPTION and "\x00" not in text and ":" in text and not text.startswith("<")
    return "" if is_text else "file_damaged"


_BY_SUFFIX: dict[str, Callable[[BinaryIO, int], str]] = {
    ".onnx": _check_onnx,
    ".pt": _check_zip,
    ".task": _check_zip,
    ".png": _check_png,
    ".yaml": _check_text,
}
