"""The mouth by microphone: over the tracked one, instead of it, or while there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .parameters import Pose, PoseVector

_VOWELS = slice(Pose.MOUTH_AAA, Pose.MOUTH_OOO + 1)
_OPEN = slice(Pose.MOUTH_AAA, Pose.MOUTH_DELTA + 1)


@dataclass(frozen=True, slots=True)
class MouthSample:
    """What a microphone heard last."""

    level: float
    """How wide the mouth is, 0..1."""
    vowels: NDArray[np.float32]
    """Shape (5,), float32: how much of A, I, U, E, O is in it; together ``level``."""


def apply_lip_sync(pose: PoseVector, mouth: MouthSample | None, mode: str, presence: float) -> PoseVector:
    """The pose with the microphone's mouth; a new array, or ``pose`` when there is nothing to change.

    ``mode``: ``only`` (the tracker's open mouth is not used; its smile is), ``add`` (the wider of both, vowel by vowel)
    or ``lost`` (as far as the tracker is not there; ``presence`` 0..1 is how much it is). A microphone that does not
    work (None) leaves the tracker's mouth alone.
    """
    if mouth is None:
        return pose
    changed = pose.copy()
    if mode == "only":
        changed[_OPEN] = 0.0
        changed[_VOWELS] = mouth.vowels
    elif mode == "add":
        changed[_VOWELS] = np.maximum(changed[_VOWELS], mouth.vowels)
    elif mode == "lost":
        weight = np.float32(1.0 - presence)
        changed[_OPEN] *= 1.0 - weight
        changed[_VOWELS] += mouth.vowels * weight
    return changed
