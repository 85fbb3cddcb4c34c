"""OpenSeeFace's datagrams, packed and unpacked from its documented layout and from nothing of ours."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

RECORD = struct.Struct("<d i 2f f f B f 4f 3f 3f 68f 136f 210f 14f")
"""time, face id, width and height, right eye, left eye, fit ok, fit error, quaternion, Euler angles, translation,
confidences, landmarks, points, features."""
FORK_EXTRA = struct.Struct("<6f")

RESTING_EULER = (164.5, 13.0, 84.6)
"""Where a real face that looks ahead rests."""


class Face(NamedTuple):
    """One record. Points are 70 triples, features as OpenSeeFace names them in order."""

    time: float = 1_700_000_000.0
    face_id: int = 0
    size: tuple[float, float] = (640.0, 360.0)
    right_open: float = 1.0
    left_open: float = 1.0
    fit_ok: int = 1
    fit_error: float = 5.0
    quaternion: tuple[float, ...] = (0.72, 0.67, 0.01, -0.17)
    euler: tuple[float, ...] = RESTING_EULER
    translation: tuple[float, ...] = (0.7, -0.9, -4.3)
    confidence: tuple[float, ...] = (0.8,) * 68
    landmarks: tuple[float, ...] = (100.0,) * 136
    points: tuple[float, ...] = (0.1,) * 210
    features: tuple[float, ...] = (0.0,) * 14

    def packed(self) -> bytes:
        """The 1785 bytes of this record."""
        return RECORD.pack(
            self.time, self.face_id, *self.size, self.right_open, self.left_open, self.fit_ok, self.fit_error,
            *self.quaternion, *self.euler, *self.translation, *self.confidence, *self.landmarks, *self.points,
            *self.features,
        )  # fmt: skip

    def turned(self, pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> Face:
        """The same face with its Euler angles changed by so many degrees."""
        x, y, z = self.euler
        return self._replace(euler=(x + pitch, y + yaw, z + roll))


def datagram(*faces: Face, extra: Sequence[float] | None = None) -> bytes:
    """Faces one after another; ``extra`` makes them the fork's longer records."""
    tail = FORK_EXTRA.pack(*extra) if extra is not None else b""
    return b"".join(face.packed() + tail for face in faces)


def unpacked(record: bytes) -> Face:
    """The fields of one 1785-byte record."""
    fields = RECORD.unpack(record)
    sizes = (1, 1, 2, 1, 1, 1, 1, 4, 3, 3, 68, 136, 210, 14)
    taken: list[Any] = []
    at = 0
    for size in sizes:
        taken.append(fields[at] if size == 1 else tuple(fields[at : at + size]))
        at += size
    return Face(*taken)
