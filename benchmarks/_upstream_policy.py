"""EasyVtuber's "Input Simplify" and the key of its cache in memory, as a simulation over poses; no picture is made.

From a description of what the program does: rules add up from level to level, first values are rewritten, then they are
rounded to so many parts of a unit. Nothing is clamped. Its cache knows a picture by the text of the whole pose.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import EYEBROWS, Pose, PoseVector
from core.pose.quantiser import LEVELS

from ._test_data import Poses

_LEVEL_NUMBERS = dict(zip(LEVELS, (0, 1, 2, 3, 4, 6, 8), strict=True))
_FROM_MEDIUM, _FROM_HIGHER = 2, 4

_PARTS: dict[str, tuple[int, ...]] = {
    #                     off  low medium high higher highest gaming
    "rest": (1000, 200, 200, 200, 200, 128, 83),
    "EYE_WINK": (1000, 50, 50, 32, 24, 16, 11),
    "EYE_HAPPY_WINK": (1000, 50, 50, 32, 24, 16, 11),
    "EYE_SURPRISED": (1000, 30, 10, 10, 8, 6, 5),
    "EYE_RAISED_LOWER_EYELID": (1000, 10, 10, 10, 10, 7, 5),
    "MOUTH_LOWERED_CORNER": (1000, 5, 0, 0, 0, 5, 5),
    "MOUTH_RAISED_CORNER": (1000, 5, 0, 0, 0, 5, 5),
    "IRIS_ROTATION": (1000, 25, 25, 20, 10, 7, 5),
    "HEAD": (1000, 200, 100, 100, 50, 32, 21),
    "NECK": (1000, 200, 200, 200, 100, 64, 42),
}
"""Parts of a unit by the beginning of a value's name; 0 is not rounded. Only the neck's and the head's own values are
rounded more coarsely, the body's copies of them are not."""


def upstream_quantise(level: str, pose: PoseVector, brows: bool = True) -> PoseVector:
    """What EasyVtuber makes of a pose: shape (45,), float32, not clamped. ``brows`` off puts them to 0, its default.

    Raises KeyError for an unknown level.
    """
    number = _LEVEL_NUMBERS[level]
    value = np.array(pose, np.float32)
    if number >= _FROM_MEDIUM:
        _shut_evenly(value)
        _close_corners(value)
    if number >= _FROM_HIGHER:
        _one_eye(value)
    parts = _parts(level)
    rounded = parts > 0
    value[rounded] = np.round(value[rounded] * parts[rounded]) / parts[rounded]
    if not brows:
        value[EYEBROWS] = 0.0
    return value


def upstream_keys(level: str, poses: Poses, brows: bool = True) -> list[str]:
    """What its cache would look each pose up by."""
    return [str(upstream_quantise(level, pose, brows)[None]) for pose in poses]


def upstream_cost_avoided(level: str, poses: Poses, brows: bool = True) -> float:
    """Share (0..1) of the networks' work that its cache spares, were there memory without end.

    A picture that is known costs nothing, one that is not costs everything. "off" switches its cache off as well.
    """
    if _LEVEL_NUMBERS[level] == 0:
        return 0.0
    return 1.0 - len(set(upstream_keys(level, poses, brows))) / len(poses)


@cache
def _parts(level: str) -> NDArray[np.float32]:
    groups = [next((name for name in _PARTS if value.name.startswith(name)), "rest") for value in Pose]
    return np.array([_PARTS[group][LEVELS.index(level)] for group in groups], np.float32)


def _shut_evenly(value: PoseVector) -> None:
    """Half of both ways to close an eye goes into each of them."""
    lids = (
        value[Pose.EYE_WINK_LEFT : Pose.EYE_HAPPY_WINK_LEFT] + value[Pose.EYE_HAPPY_WINK_LEFT : Pose.EYE_SURPRISED_LEFT]
    ) / 2
    value[Pose.EYE_WINK_LEFT : Pose.EYE_SURPRISED_LEFT] = np.tile(lids, 2)


def _close_corners(value: PoseVector) -> None:
    """U becomes O, and the mouth's corners only tell an open mouth from a closed one."""
    value[Pose.MOUTH_OOO] += value[Pose.MOUTH_UUU]
    value[Pose.MOUTH_UUU] = 0.0
    opened = value[[Pose.MOUTH_AAA, Pose.MOUTH_III, Pose.MOUTH_UUU, Pose.MOUTH_OOO]].sum() > 0.0
    value[Pose.MOUTH_LOWERED_CORNER_LEFT : Pose.MOUTH_RAISED_CORNER_LEFT] = 0.0
    value[Pose.MOUTH_RAISED_CORNER_LEFT : Pose.MOUTH_SMIRK] = 0.5 if opened else 0.0


def _one_eye(value: PoseVector) -> None:
    """Both eyes do the same, lower lids rest, and every vowel is an A."""
    for left in (Pose.EYE_WINK_LEFT, Pose.EYE_HAPPY_WINK_LEFT, Pose.EYE_SURPRISED_LEFT):
        value[left : left + 2] = value[left : left + 2].mean()
    value[Pose.EYE_RAISED_LOWER_EYELID_LEFT : Pose.IRIS_SMALL_LEFT] = 0.0
    others = value[Pose.MOUTH_OOO] + value[Pose.MOUTH_III] + value[Pose.MOUTH_UUU]
    value[Pose.MOUTH_AAA] = min(1.0, value[Pose.MOUTH_AAA] + others / 2.0)
    value[[Pose.MOUTH_OOO, Pose.MOUTH_III, Pose.MOUTH_UUU]] = 0.0
