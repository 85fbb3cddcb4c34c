"""What can be imported from, as a list of files with names: a zip that is not trusted, a folder, or a single file."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO

from core.wire.errors import ArchiveBad

from .layout import is_unsafe

MAXIMUM_ENTRIES = 50_000
MAXIMUM_FOLDER_FILES = 500_000
MAXIMUM_FILE_BYTES = 2 << 30
MAXIMUM_BYTES = 16 << 30
MAXIMUM_RATIO = 100
"""Weights hardly shrink at all; what grows a hundredfold is made to fill a disk."""
_RATIO_COUNTS_FROM = 1 << 20
_LONGEST_READ = 16 << 20
_NOT_ENTERED = {".git", ".venv", "venv", "envs", "site-packages", "node_modules", "__pycache__"}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, ValueError, RuntimeError)
"""What reading a member of a broken zip can raise, besides OSError."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a container."""

    name: str
    """As the container has it, decoded; with slashes of either kind."""
    byte_count: int
    open: Callable[[], IO[bytes]]
    refused: str = ""
    """Why it must not be taken, whatever it is; empty when it may."""
    packed_bytes: int = 0
    above: str = ""
    """The folders above the container itself: the user may point into a tree (at ``tha3``, say)."""

    @property
    def full_name(self) -> str:
        """Name together with the folders above the container."""
        return f"{self.above}/{self.name}" if self.above else self.name


@contextmanager
def open_container(path: Path) -> Iterator[list[Item]]:
    """List what is in a zip or a folder; a single file is a container of one. Raises ArchiveBad."""
    if path.is_dir():
        yield _folder_items(path)
    elif not path.is_file():
        raise ArchiveBad(path=str(path), reason="path_missing")
    elif path.suffix.lower() in (".onnx", ".task", ".pt"):
        yield [_file_item(path, path.name, _above(path.parent))]
    else:
        try:
            file = path.open("rb")
        except OSError as problem:
            raise ArchiveBad(str(problem), path=str(path), reason="not_readable") from problem
        with file, open_zip(file, path.name) as items:
            yield items


@contextmanager
def open_zip(file: BufferedIOBase, name: str) -> Iterator[list[Item]]:
    """List the members of a zip. ``name`` is for people. Raises ArchiveBad."""
    try:
        archive = zipfile.ZipFile(_ReadsNoMoreThanNeeded(file))
    except (*DAMAGE, OSError, OverflowError, IndexError, struct.error) as problem:
        raise ArchiveBad(f"{type(problem).__name__}: {problem}", path=name, reason="not_a_zip") from problem
    with archive:
        members = archive.infolist()
        if len(members) > MAXIMUM_ENTRIES:
            raise ArchiveBad(f"{len(members)} entries", path=name, reason="too_large")
        yield [_member(archive, info) for info in members if not info.is_dir()]


class _ReadsNoMoreThanNeeded(BufferedIOBase):
    """A zip's list of contents is read in one piece, as long as the zip says: here it may not say gigabytes."""

    def __init__(self, file: BufferedIOBase) -> None:
        self._file = file

    def read(self, most: int | None = -1, /) -> bytes:
        if most is None or most < 0:
            here = self._file.tell()
            most = self._file.seek(0, os.SEEK_END) - here
            self._file.seek(here)
        if most > _LONGEST_READ:
            raise zipfile.BadZipFile(f"{most} bytes at once")
        return self._file.read(most)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Item:
    name = _decoded(info)
    kind = stat.S_IFMT(info.external_attr >> 16)
    refused = ""
    if info.flag_bits & 0x1:
        refused = "encrypted"
    elif is_unsafe(name):
        refused = "unsafe_name"
    elif kind not in (0, stat.S_IFREG):
        refused = "not_a_file"
    elif info.compress_type not in _METHODS:
        refused = "unknown_compression"
    return Item(name, info.file_size, lambda: archive.open(info), refused, info.compress_size)


def _decoded(info: zipfile.ZipInfo) -> str:
    """The member's name as it was meant: packers in China write GBK without saying so, others UTF-8."""
    name = info.orig_filename.partition("\0")[0]
    if info.flag_bits & 0x800 or name.isascii():
        return name
    raw = name.encode("cp437")  # it was decoded from that
    for encoding in ("utf-8", "gbk"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def is_bomb(item: Item) -> bool:
    """Does it unpack to more than any network needs?"""
    shrunk = item.packed_bytes * MAXIMUM_RATIO < item.byte_count if item.byte_count > _RATIO_COUNTS_FROM else False
    return item.byte_count > MAXIMUM_FILE_BYTES or (shrunk and item.packed_bytes > 0)


def _folder_items(folder: Path) -> list[Item]:
    items: list[Item] = []
    above = _above(folder)
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NOT_ENTERED)
        paths = [Path(place) / name for name in sorted(files)]
        items += [_file_item(path, path.relative_to(folder).as_posix(), above) for path in paths]
        if len(items) > MAXIMUM_FOLDER_FILES:
            raise ArchiveBad(f"more than {MAXIMUM_FOLDER_FILES} files", path=str(folder), reason="too_large")
    return items


def _above(folder: Path) -> str:
    return "/".join(folder.resolve().parts[-3:])


def _file_item(path: Path, name: str, above: str) -> Item:
    try:
        facts = path.stat()
    except OSError:
        return Item(name, 0, lambda: path.open("rb"), "not_a_file")
    refused = "" if stat.S_ISREG(facts.st_mode) else "not_a_file"
    return Item(name, facts.st_size, lambda: path.open("rb"), refused, above=above)


def read_pieces(stream: IO[bytes], most: int) -> Iterator[bytes]:
    """A stream piece by piece, and not one byte more than it announced."""
    left = most
    while left > 0:
        piece = stream.read(min(left, 1 << 20))
        if not piece:
            raise EOFError(f"{left} bytes are missing")
        left -= len(piece)
        yield piece
    if stream.read(1):
        raise ValueError("more bytes than announced")
