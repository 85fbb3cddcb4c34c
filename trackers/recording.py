"""Recorded packets: the ``.rec`` files that replay an input exactly.

Format: records of { f64 seconds since the start, u32 length, that many bytes }, little-endian, no header. One record is
one datagram (or one read of a stream).
"""

from __future__ import annotations

import logging
import math
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

from core.wire.errors import RecordingFailed, StreamUnreadable

_log = logging.getLogger(__name__)

MAXIMUM_RECORD_BYTES = 65535
MAXIMUM_SECONDS = 3600.0
MAXIMUM_FILE_BYTES = 1 << 30
MAXIMUM_RECORDS = 1_000_000
"""More than an hour of anything; a file of empty records would cost ten times its size in memory."""

_HEAD = struct.Struct("<dI")


@dataclass(frozen=True, slots=True)
class Record:
    """One packet and when it came, in seconds since the recording began."""

    seconds: float
    datagram: bytes


def read_recording(path: Path) -> list[Record]:
    """Every record of the file; what follows a broken record is left out.

    Raises StreamUnreadable when the file cannot be read or holds no record at all.
    """
    try:
        if not path.is_file():
            # a pipe or a device would be read for ever
            raise StreamUnreadable("not a file", path=str(path))
        size = path.stat().st_size
        if size > MAXIMUM_FILE_BYTES:
            raise StreamUnreadable(f"{size} bytes", path=str(path))
        content = path.read_bytes()
    except OSError as problem:
        raise StreamUnreadable(str(problem), path=str(path)) from problem
    records: list[Record] = []
    at, before = 0, 0.0
    while at + _HEAD.size <= len(content) and len(records) < MAXIMUM_RECORDS:
        seconds, length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        if length > MAXIMUM_RECORD_BYTES or at + length > len(content):
            break
        if not math.isfinite(seconds) or not before <= seconds <= MAXIMUM_SECONDS:
            break
        records.append(Record(seconds, content[at : at + length]))
        at, before = at + length, seconds
    if not records:
        raise StreamUnreadable("no whole record", path=str(path))
    return records


class RecordingWriter:
    """Writes a ``.rec`` file packet by packet. Safe to write to and to close from different threads.

    What is written is whole up to the last packet at any moment: a process that dies costs at most a buffer's worth.
    """

    def __init__(self, path: Path) -> None:
        """Raises RecordingFailed when the file cannot be made."""
        self.path = path
        self.packets = 0
        self._bytes = 0
        self._start_ns: int | None = None
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")
        except OSError as problem:
            raise RecordingFailed(str(problem), path=str(path)) from problem

    def write(self, packet: bytes, arrival_ns: int) -> None:
        """Append one packet. After an hour, a gigabyte or a full disk nothing more is written."""
        with self._lock:
            if self._file.closed:
                return
            if self._start_ns is None:
                self._start_ns = arrival_ns
            seconds = max(arrival_ns - self._start_ns, 0) / 1e9
            record = _HEAD.pack(seconds, len(packet)) + packet
            full = seconds > MAXIMUM_SECONDS or self._bytes + len(record) > MAXIMUM_FILE_BYTES
            if full or len(packet) > MAXIMUM_RECORD_BYTES or self.packets >= MAXIMUM_RECORDS:
                return
            try:
                self._file.write(record)
            except OSError as problem:
                _log.warning("recording %s ends: %s", self.path, problem)
                self._close()
                return
            self.packets += 1
            self._bytes += len(record)

    def close(self) -> None:
        """End the file. Safe to call twice."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        try:
            self._file.close()
        except OSError as problem:
            _log.warning("recording %s is incomplete: %s", self.path, problem)
