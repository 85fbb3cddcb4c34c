"""The 45 pose values that every THA3 and THA4 network takes, by name.

Order and ranges: pkhungurn's talking-head-anime-3/-4 demos, ``pose_parameters``. "Left" is the character's own left.
Every value runs from 0 to 1 except the gaze, head and body rotations, which run from -1 to 1.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

PoseVector: TypeAlias = NDArray[np.float32]
"""Shape (45,), float32, clamped to ``MINIMUM``..``MAXIMUM`` wherever it leaves the pose package."""

POSE_SIZE = 45


class Pose(IntEnum):
    """Index of each value in a pose vector."""

    EYEBROW_TROUBLED_LEFT = 0
    EYEBROW_TROUBLED_RIGHT = 1
    EYEBROW_ANGRY_LEFT = 2
    EYEBROW_ANGRY_RIGHT = 3
    EYEBROW_LOWERED_LEFT = 4
    EYEBROW_LOWERED_RIGHT = 5
    EYEBROW_RAISED_LEFT = 6
    EYEBROW_RAISED_RIGHT = 7
    EYEBROW_HAPPY_LEFT = 8
    EYEBROW_HAPPY_RIGHT = 9
    EYEBROW_SERIOUS_LEFT = 10
    EYEBROW_SERIOUS_RIGHT = 11
    EYE_WINK_LEFT = 12
    EYE_WINK_RIGHT = 13
    EYE_HAPPY_WINK_LEFT = 14
    EYE_HAPPY_WINK_RIGHT = 15
    EYE_SURPRISED_LEFT = 16
    EYE_SURPRISED_RIGHT = 17
    EYE_RELAXED_LEFT = 18
    EYE_RELAXED_RIGHT = 19
    EYE_UNIMPRESSED_LEFT = 20
    EYE_UNIMPRESSED_RIGHT = 21
    EYE_RAISED_LOWER_EYELID_LEFT = 22
    EYE_RAISED_LOWER_EYELID_RIGHT = 23
    IRIS_SMALL_LEFT = 24
    IRIS_SMALL_RIGHT = 25
    MOUTH_AAA = 26
    MOUTH_III = 27
    MOUTH_UUU = 28
    MOUTH_EEE = 29
    MOUTH_OOO = 30
    MOUTH_DELTA = 31
    MOUTH_LOWERED_CORNER_LEFT = 32
    MOUTH_LOWERED_CORNER_RIGHT = 33
    MOUTH_RAISED_CORNER_LEFT = 34
    MOUTH_RAISED_CORNER_RIGHT = 35
    MOUTH_SMIRK = 36
    IRIS_ROTATION_X = 37  # + up
    IRIS_ROTATION_Y = 38  # + the character's right
    HEAD_X = 39  # + up
    HEAD_Y = 40  # + the character's right
    NECK_Z = 41  # + toward the character's right shoulder
    BODY_Y = 42
    BODY_Z = 43
    BREATHING = 44


EYEBROWS = slice(0, 12)
FACE = slice(12, 39)
ROTATION = slice(39, 45)

MAXIMUM: PoseVector = np.ones(POSE_SIZE, np.float32)
MINIMUM: PoseVector = np.zeros(POSE_SIZE, np.float32)
MINIMUM[Pose.IRIS_ROTATION_X : Pose.BREATHING] = -1.0
for _constant in (MAXIMUM, MINIMUM):
    _constant.setflags(write=False)

MIRRORED: NDArray[np.intp] = np.arange(POSE_SIZE)
"""``pose[MIRRORED] * MIRROR_SIGN`` is the pose seen in a mirror: left and right swapped."""
MIRROR_SIGN: PoseVector = np.ones(POSE_SIZE, np.float32)
for _value in Pose:
    if _value.name.endswith("_LEFT"):
        MIRRORED[_value] = Pose[_value.name[: -len("LEFT")] + "RIGHT"]
        MIRRORED[Pose[_value.name[: -len("LEFT")] + "RIGHT"]] = _value
for _value in (Pose.IRIS_ROTATION_Y, Pose.HEAD_Y, Pose.NECK_Z, Pose.BODY_Y, Pose.BODY_Z):
    MIRROR_SIGN[_value] = -1.0
MIRRORED.setflags(write=False)
MIRROR_SIGN.setflags(write=False)


def neutral() -> PoseVector:
    """A fresh pose with every value at rest (0)."""
    return np.zeros(POSE_SIZE, np.float32)


def clamp(pose: PoseVector) -> PoseVector:
    """The pose inside every value's range; what is not a number becomes 0. Returns a new array."""
    return np.clip(np.nan_to_num(pose, nan=0.0, posinf=1.0, neginf=-1.0), MINIMUM, MAXIMUM).astype(np.float32)


def mirror(pose: PoseVector) -> PoseVector:
    """The same expression seen in a mirror."""
    return pose[MIRRORED] * MIRROR_SIGN
