"""Frames between the processes: a ring of pictures in a memory-mapped file, ordered by sequence numbers.

No lock is shared, so a killed writer can never block the reader. The writer marks a slot with the new sequence
number, fills it, and marks it again as finished; the reader checks both marks before and after it copied. A slot is
used again only ``slots`` frames later, so a torn copy needs a reader that is that late, and then it notices.

Layout (little-endian; offsets in bytes)::

    0     8s  magic "EVTRING1"
    8     u32 number of slots
    12    u32 bytes of picture a slot can hold
    64    u64 newest finished sequence number (0: none yet)
    128   one record of 128 bytes per slot:
              u64 begun, u64 finished, u32 width, u32 height, u32 flags, u32 unused,
              u64 packet_ns, u64 sampled_ns, u64 rendered_ns, u64 published_ns
    4096  the pictures, one after another: 8-bit BGRA, straight alpha, sRGB, rows without padding

Stores and loads of the 8-byte marks are single machine operations on every platform OBS runs on; the order between
them and the pixels is secured by the pipe message ("frame") that follows each finished frame.
"""

from __future__ import annotations

import mmap
import os
import secrets
import struct
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Optional, Type

from .errors import FrameRingUnusable

MAGIC = b"EVTRING1"
HEADER_BYTES = 4096
SLOT_COUNT = 4
_SLOTS_AT, _SLOT_RECORD = 128, 128
_NEWEST_AT = 64
_HEAD = struct.Struct("<8sII")
_RECORD = struct.Struct("<IIIIQQQQ")
_MARK = struct.Struct("<Q")

FLAG_IN_BETWEEN = 1
"""The picture was made from its neighbours, not rendered at a pose."""
FLAG_TRANSPARENT = 2
"""Nothing is visible (the avatar is hidden)."""


class FrameHeader(NamedTuple):
    """What is known about one frame in the ring. Times come from :func:`core.wire.clock.now_ns`; 0 means none."""

    sequence: int
    width: int
    height: int
    flags: int = 0
    packet_ns: int = 0
    sampled_ns: int = 0
    rendered_ns: int = 0
    published_ns: int = 0

    @property
    def size(self) -> int:
        """Bytes of the picture."""
        return self.width * self.height * 4


class FrameRing:
    """One end of the ring. OBS's side creates it (and owns its file), the worker attaches to it."""

    def __init__(self, memory: mmap.mmap, locator: str, owned_file: Optional[Path]) -> None:
        self._memory = memory
        self._owned_file = owned_file
        self.locator = locator
        magic, slots, slot_bytes = _HEAD.unpack_from(memory, 0) if len(memory) >= HEADER_BYTES else (b"", 0, 0)
        self.slots, self.slot_bytes = int(slots), int(slot_bytes)
        if magic != MAGIC or not 2 <= self.slots <= 16 or HEADER_BYTES + self.slots * self.slot_bytes > len(memory):
            memory.close()
            if owned_file is not None:
                _unlink(owned_file)
            raise FrameRingUnusable("not a frame ring", path=locator)
        self._view = memoryview(memory)

    @classmethod
    def create(cls, slot_bytes: int, slots: int = SLOT_COUNT, folder: Optional[Path] = None) -> FrameRing:
        """A new, empty ring. Its memory is reserved now, so that a full disk is an error here and not a crash later."""
        size = HEADER_BYTES + slots * slot_bytes
        name = f"easyvtuber-{os.getpid()}-{secrets.token_hex(6)}"
        file: Optional[Path] = None
        try:
            if sys.platform == "win32":
                locator = f"tag:Local\\{name}"
                memory = mmap.mmap(-1, size, tagname=locator[4:])
            else:
                file = (folder or _memory_folder()) / name
                locator = f"file:{file}"
                memory = _reserve(file, size)
        except (OSError, ValueError) as problem:
            if file is not None:
                _unlink(file)
            raise FrameRingUnusable(str(problem), path=str(file or "shared memory")) from problem
        _HEAD.pack_into(memory, 0, MAGIC, slots, slot_bytes)
        return cls(memory, locator, file)

    @classmethod
    def attach(cls, locator: str) -> FrameRing:
        """Open the ring that the other process created."""
        kind, _, name = locator.partition(":")
        try:
            if kind == "file":
                with Path(name).open("r+b") as handle:
                    memory = mmap.mmap(handle.fileno(), 0)
            elif kind == "tag" and sys.platform == "win32":
                head = mmap.mmap(-1, HEADER_BYTES, tagname=name)
                _, slots, slot_bytes = _HEAD.unpack_from(head, 0)
                head.close()
                memory = mmap.mmap(-1, HEADER_BYTES + slots * slot_bytes, tagname=name)
            else:
                raise ValueError(f"unknown kind of locator: {kind}")
        except (OSError, ValueError) as problem:
            raise FrameRingUnusable(str(problem), path=locator) from problem
        return cls(memory, locator, None)

    @property
    def memory(self) -> mmap.mmap:
        """The mapping itself, for a reader that hands addresses to C."""
        return self._memory

    @property
    def newest(self) -> int:
        """Sequence number of the newest finished frame, 0 before the first."""
        return int(_MARK.unpack_from(self._memory, _NEWEST_AT)[0])

    def picture_offset(self, sequence: int) -> int:
        """Where in the mapping the picture of this sequence number lies."""
        return HEADER_BYTES + (sequence % self.slots) * self.slot_bytes

    def begin(self, sequence: int, size: int) -> memoryview:
        """Writer: claim the slot of the next frame and get its bytes to fill."""
        if size > self.slot_bytes:
            raise FrameRingUnusable(f"{size} bytes do not fit in {self.slot_bytes}", path=self.locator)
        _MARK.pack_into(self._memory, self._record(sequence), sequence)
        start = self.picture_offset(sequence)
        return self._view[start : start + size]

    def finish(self, header: FrameHeader) -> None:
        """Writer: the picture is complete; make it the newest."""
        at = self._record(header.sequence)
        _RECORD.pack_into(
            self._memory,
            at + 16,
            header.width,
            header.height,
            header.flags,
            0,
            header.packet_ns,
            header.sampled_ns,
            header.rendered_ns,
            header.published_ns,
        )
        _MARK.pack_into(self._memory, at + 8, header.sequence)
        _MARK.pack_into(self._memory, _NEWEST_AT, header.sequence)

    def header(self, sequence: int) -> Optional[FrameHeader]:
        """Reader: the frame's header, or None when the slot does not (or no longer) hold this frame whole."""
        if not self.intact(sequence):
            return None
        width, height, flags, _, packet, sampled, rendered, published = _RECORD.unpack_from(
            self._memory, self._record(sequence) + 16
        )
        header = FrameHeader(sequence, width, height, flags, packet, sampled, rendered, published)
        if not 0 < header.size <= self.slot_bytes or not self.intact(sequence):
            return None
        return header

    def intact(self, sequence: int) -> bool:
        """Reader: does the slot still hold exactly this frame? Ask again after copying."""
        at = self._record(sequence)
        begun = _MARK.unpack_from(self._memory, at)[0]
        finished = _MARK.unpack_from(self._memory, at + 8)[0]
        return bool(sequence > 0 and begun == sequence == finished)

    def read(self, sequence: int) -> Optional[bytes]:
        """Reader: a copy of the picture, or None when it was overwritten meanwhile."""
        header = self.header(sequence)
        if header is None:
            return None
        start = self.picture_offset(sequence)
        copy = bytes(self._view[start : start + header.size])
        return copy if self.intact(sequence) else None

    def close(self) -> None:
        """Give the mapping back; the creator also removes the file. Safe to call twice."""
        self._view.release()
        try:
            self._memory.close()
        except BufferError:
            # someone still holds a view (a frame being pushed): the memory goes when that view goes
            pass
        if self._owned_file is not None:
            _unlink(self._owned_file)

    def __enter__(self) -> FrameRing:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def _record(self, sequence: int) -> int:
        return _SLOTS_AT + (sequence % self.slots) * _SLOT_RECORD


def remove_left_over_file(locator: str) -> None:
    """Remove the file of a ring whose creator died without closing it."""
    if locator.startswith("file:") and Path(locator[5:]).name.startswith("easyvtuber-"):
        _unlink(Path(locator[5:]))


def _memory_folder() -> Path:
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and os.access(shared, os.W_OK) else Path(tempfile.gettempdir())


def _reserve(file: Path, size: int) -> mmap.mmap:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.ftruncate(descriptor, size)
        if sys.platform != "win32" and hasattr(os, "posix_fallocate"):
            # a hole in a mapped file on a full disk is a SIGBUS for whoever touches it, and OBS would be one of them
            os.posix_fallocate(descriptor, 0, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _unlink(file: Path) -> None:
    try:
        file.unlink()
    except OSError:
        pass
