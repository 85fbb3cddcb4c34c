"""What our caches would spare, as a simulation over poses; no picture is made."""

from __future__ import annotations

from typing import NamedTuple

from core.pose.parameters import FACE
from core.pose.quantiser import Quantiser

from ._test_data import Poses

STUDENT_BODY_SHARE = 0.9
"""How much of a student's work is the body's, which depends on the whole pose; the rest is the face's."""


class Avoided(NamedTuple):
    """All shares (0..1) of the frames, but the first."""

    cost: float
    """Of the networks' work, that of every frame drawn in full being 1."""
    unchanged: float
    """The pose was that of the frame before: nothing was done."""
    frame_hits: float
    """The whole picture was known from earlier."""
    face_hits: float
    """The whole picture was not known, its face was."""


def cost_avoided(level: str, poses: Poses, body_share: float = STUDENT_BODY_SHARE) -> Avoided:
    """The quantiser, "the same as the last frame", whole pictures and faces kept by value, all without end.

    ``body_share``: what a frame with a known face costs. A face is known by all values that the face's networks see.
    Raises ValueError for an unknown level.
    """
    quantiser = Quantiser(level)
    frames: set[bytes] = set()
    faces: set[bytes] = set()
    last, spent = b"", 0.0
    unchanged = frame_hits = face_hits = 0
    for pose in poses:
        rounded = quantiser(pose)
        frame, face = rounded.tobytes(), rounded[: FACE.stop].tobytes()
        if frame == last:
            unchanged += 1
        elif frame in frames:
            frame_hits += 1
        elif face in faces:
            face_hits += 1
            spent += body_share
        else:
            spent += 1.0
        frames.add(frame)
        faces.add(face)
        last = frame
    count = len(poses)
    return Avoided(1.0 - spent / count, unchanged / count, frame_hits / count, face_hits / count)
