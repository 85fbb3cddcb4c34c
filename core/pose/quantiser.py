"""Poses rounded to a grid, so that a face at rest is the same pose again and again and pictures can be shown twice.

What is rounded is what the eye does not miss. Nothing is thrown away, no value is written into another, left and right
stay apart: only steps get coarser from level to level, and eyes and mouth still reach both ends of their range.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .parameters import MAXIMUM, MINIMUM, POSE_SIZE, Pose, PoseVector

OFF = "off"
LEVELS = (OFF, "low", "medium", "high", "higher", "highest", "gaming")

GROUPS: Mapping[str, tuple[Pose, ...]] = {
    "brows": tuple(Pose)[Pose.EYEBROW_TROUBLED_LEFT : Pose.EYE_WINK_LEFT],
    "wink": (Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT),
    "happy_wink": (Pose.EYE_HAPPY_WINK_LEFT, Pose.EYE_HAPPY_WINK_RIGHT),
    "surprised": (Pose.EYE_SURPRISED_LEFT, Pose.EYE_SURPRISED_RIGHT),
    "half_closed": tuple(Pose)[Pose.EYE_RELAXED_LEFT : Pose.EYE_RAISED_LOWER_EYELID_LEFT],
    "lower_lid": (Pose.EYE_RAISED_LOWER_EYELID_LEFT, Pose.EYE_RAISED_LOWER_EYELID_RIGHT),
    "iris_small": (Pose.IRIS_SMALL_LEFT, Pose.IRIS_SMALL_RIGHT),
    "vowels": tuple(Pose)[Pose.MOUTH_AAA : Pose.MOUTH_DELTA],
    "mouth_shape": tuple(Pose)[Pose.MOUTH_DELTA : Pose.IRIS_ROTATION_X],
    "gaze": (Pose.IRIS_ROTATION_X, Pose.IRIS_ROTATION_Y),
    "head_x": (Pose.HEAD_X,),
    "head_y": (Pose.HEAD_Y, Pose.BODY_Y),
    "neck_z": (Pose.NECK_Z, Pose.BODY_Z),
    "breathing": (Pose.BREATHING,),
}
"""Values that share a grid. The body has the head's, because trackers give it the head's values."""

STEPS_PER_UNIT: Mapping[str, tuple[int, ...]] = {
    #               low  medium  high  higher  highest  gaming
    "brows": (12, 10, 8, 6, 5, 4),
    "wink": (20, 12, 9, 6, 5, 4),
    "happy_wink": (16, 10, 8, 6, 5, 4),
    "surprised": (12, 10, 8, 6, 5, 4),
    "half_closed": (18, 12, 8, 6, 5, 4),
    "lower_lid": (12, 10, 8, 6, 5, 4),
    "iris_small": (12, 10, 8, 6, 5, 4),
    "vowels": (12, 10, 8, 6, 5, 4),
    "mouth_shape": (12, 10, 8, 6, 5, 4),
    "gaze": (12, 10, 8, 6, 5, 4),
    "head_x": (100, 60, 40, 28, 20, 12),
    "head_y": (100, 60, 40, 28, 20, 12),
    "neck_z": (210, 130, 95, 65, 46, 32),
    "breathing": (24, 20, 16, 12, 12, 12),
}
"""Grid steps from 0 to 1, for each level but "off".

Found on a real THA4 student, around recorded poses: how much a nudge of each value changes the worst square of 32 x 32
of the picture's 512 x 512 pixels (an eye, a mouth; over the whole picture a mouth that opens hardly counts). A level
has one target of error for all groups, 40, 36, 33, 30, 27 and 24 dB in that square for a group alone, where rounding to
a step s is taken as noise of s / sqrt(12); the most visible value of a group decides. That would let this character's
small mouth do with two shapes, so a face's group has at least 12, 10, 8, 6, 5, 4 steps. A head that turns slowly is
judged in time as well, where a step of half a pixel is a jerk: turning and nodding have at least 100 steps at the first
level (0.15 degrees), and breathing more than one picture alone would need.
"""

_HELD_STEPS = 0.65
"""A value stays on its grid point until it is farther away than this; half a step would be no memory at all."""
_END_STEPS = 0.5
_HEAD, _BODY = slice(Pose.HEAD_Y, Pose.NECK_Z + 1), slice(Pose.BODY_Y, Pose.BODY_Z + 1)


class Quantiser:
    """Rounds poses one after another and remembers where each value was. Used by one thread."""

    def __init__(self, level: str = OFF) -> None:
        """Raises ValueError for a level that is not in ``LEVELS``."""
        self._good: PoseVector = np.zeros(POSE_SIZE, np.float32)
        self._point: NDArray[np.float64] | None = None
        self._take(level)

    @property
    def level(self) -> str:
        """One of ``LEVELS``; setting another forgets the grid points, and anything else raises ValueError."""
        return self._level

    @level.setter
    def level(self, level: str) -> None:
        if level != self._level:
            self._take(level)

    def reset(self) -> None:
        """Forget everything: the next pose is rounded as if it were the first."""
        self._good = np.zeros(POSE_SIZE, np.float32)
        self._point = None

    def __call__(self, pose: PoseVector) -> PoseVector:
        """The pose on the grid: a new array, shape (45,), float32, inside every value's range, never -0.0.

        A value is at most 0.65 of a step away from what was given (0.5 in the first pose). Within half a step of an
        end of its range it is that end. What is not a number stays what it was last, 0 at first.
        """
        known = np.where(np.isnan(pose), self._good, pose)
        # adding 0 turns -0.0 into 0.0: both look the same, but not to a cache that compares bytes
        self._good = (np.minimum(np.maximum(known, MINIMUM), MAXIMUM) + 0.0).astype(np.float32)
        if self._level == OFF:
            return self._good.copy()
        return (self._nearest(self._good) / self._grid + 0.0).astype(np.float32)

    def _take(self, level: str) -> None:
        self._grid = grid(level)
        self._level, self._point = level, None
        if level != OFF:
            self._low, self._high = MINIMUM * self._grid, MAXIMUM * self._grid

    def _nearest(self, pose: PoseVector) -> NDArray[np.float64]:
        """Where everything is now, in steps from 0."""
        position = pose * self._grid
        point = np.rint(position)
        if self._point is not None:
            np.copyto(point, self._point, where=np.abs(position - self._point) <= _HELD_STEPS)
        np.copyto(point, self._low, where=position <= self._low + _END_STEPS)
        np.copyto(point, self._high, where=position >= self._high - _END_STEPS)
        # with memories of their own, head and body could keep to two sides of an edge for good
        np.copyto(point[_BODY], point[_HEAD], where=pose[_BODY] == pose[_HEAD])
        self._point = point
        return point


def grid(level: str) -> NDArray[np.float64]:
    """Steps from 0 to 1 for each of the 45 values, infinitely many for "off". Raises ValueError for no level."""
    if level not in LEVELS:
        raise ValueError(f"expected one of {', '.join(LEVELS)}, got {level!r}")
    steps = np.full(POSE_SIZE, np.inf)
    if level != OFF:
        for name, values in GROUPS.items():
            steps[list(values)] = STEPS_PER_UNIT[name][LEVELS.index(level) - 1]
    return steps
