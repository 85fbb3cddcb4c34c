"""The zip archive around PyTorch's files: what it announces is checked before anything in it is read.

Layout: PKWARE's APPNOTE.TXT, as far as ``torch.save`` uses it. Everything stays below the limits of 32-bit archives, so
the 64-bit records that PyTorch adds are not needed.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from core.wire.errors import ModelFileBad

MAXIMUM_BYTES = 256 << 20
"""Of a file, and of all its entries unpacked."""
_MAXIMUM_ENTRIES = 4096
_MAXIMUM_RATIO = 200
"""Weights do not get smaller than this by packing them."""
_SMALL_BYTES = 1 << 16

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1


class _Entry(NamedTuple):
    method: int
    checksum: int
    packed: int
    unpacked: int
    header_at: int


class TorchArchive:
    """The entries of one file, by their names' bytes. Raises ModelFileBad for everything that is not in order."""

    def __init__(self, content: bytes, file: str) -> None:
        self._content, self._file = content, file
        self._unpacked: dict[bytes, memoryview] = {}
        if not content.startswith(b"PK\x03\x04"):
            raise ModelFileBad("no zip archive", file=file, reason="not_a_torch_file")
        self._directory_at, self._entries = self._read_directory()
        self._check_totals()

    @property
    def names(self) -> list[bytes]:
        """All of them, in the directory's order."""
        return list(self._entries)

    def read(self, name: bytes) -> memoryview:
        """One entry's content, unpacked once and held against its checksum."""
        if name not in self._unpacked:
            entry = self._entries.get(name)
            if entry is None:
                raise self._damaged(f"no entry {name[:100]!r}")
            self._unpacked[name] = self._unpack(name, entry)
        return self._unpacked[name]

    def _read_directory(self) -> tuple[int, dict[bytes, _Entry]]:
        content = self._content
        end = content.rfind(b"PK\x05\x06", max(0, len(content) - _END.size - 0xFFFF))
        if end < 0 or end + _END.size > len(content):
            raise self._damaged("the archive has no end")
        *_, count, size, start, comment = _END.unpack_from(content, end)
        if end + _END.size + comment != len(content) or start + size > end:
            raise self._damaged("the archive's end does not fit")
        if count > _MAXIMUM_ENTRIES:
            raise ModelFileBad(f"{count} entries", file=self._file, reason="too_large")
        entries: dict[bytes, _Entry] = {}
        at = start
        for _ in range(count):
            name, entry, at = self._read_entry(at, start + size)
            if name in entries:
                raise ModelFileBad(f"two entries {name[:100]!r}", file=self._file, reason="unsafe")
            entries[name] = entry
        if at != start + size:
            raise self._damaged("the directory is longer than its entries")
        return start, entries

    def _read_entry(self, at: int, end: int) -> tuple[bytes, _Entry, int]:
        if at + _CENTRAL.size > end:
            raise self._damaged("the directory is too short")
        fields = _CENTRAL.unpack_from(self._content, at)
        magic, _, _, flags, method, _, _, checksum, packed, unpacked = fields[:10]
        name_bytes, extra_bytes, comment_bytes, _, _, _, header_at = fields[10:]
        name_at = at + _CENTRAL.size
        following = name_at + name_bytes + extra_bytes + comment_bytes
        if magic != b"PK\x01\x02" or following > end:
            raise self._damaged("a directory entry does not fit")
        name = self._content[name_at : name_at + name_bytes]
        if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
            raise ModelFileBad(f"{name[:100]!r}: packed in another way", file=self._file, reason="not_a_torch_file")
        return name, _Entry(method, checksum, packed, unpacked, header_at), following

    def _check_totals(self) -> None:
        entries = self._entries.values()
        total = sum(entry.unpacked for entry in entries)
        if total > MAXIMUM_BYTES:
            raise ModelFileBad(f"{total} bytes unpacked", file=self._file, reason="too_large")
        for entry in entries:
            if entry.unpacked > _MAXIMUM_RATIO * entry.packed + _SMALL_BYTES:
                detail = f"{entry.packed} bytes become {entry.unpacked}"
                raise ModelFileBad(detail, file=self._file, reason="unsafe")

    def _unpack(self, name: bytes, entry: _Entry) -> memoryview:
        at = entry.header_at
        if at + _LOCAL.size > self._directory_at:
            raise self._damaged("an entry lies outside")
        magic, *_, name_bytes, extra_bytes = _LOCAL.unpack_from(self._content, at)
        if magic != b"PK\x03\x04":
            raise self._damaged(f"{name[:100]!r} is not where the directory says")
        start = at + _LOCAL.size + name_bytes + extra_bytes
        content = memoryview(self._content)[start : start + entry.packed]
        if entry.method == _DEFLATED:
            content = self._inflate(content, entry.unpacked)
        if len(content) != entry.unpacked or zlib.crc32(content) != entry.checksum:
            raise self._damaged(f"{name[:100]!r} has another checksum")
        return content

    def _inflate(self, packed: memoryview, size: int) -> memoryview:
        try:
            # one byte more than announced: enough to see that there is more, and never more than that
            return memoryview(zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 1))
        except zlib.error as problem:
            raise self._damaged(str(problem)) from problem

    def _damaged(self, detail: str) -> ModelFileBad:
        return ModelFileBad(detail, file=self._file, reason="damaged")
