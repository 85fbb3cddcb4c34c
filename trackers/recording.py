"""Recorded packets: the ``.rec`` files that replay an input exactly.

Format: records of { f64 seconds since the start, u32 length, that many bytes }, little-endian, no header. One record is
one datagram (or one read of a stream).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

from core.wire.errors import StreamUnreadable

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
