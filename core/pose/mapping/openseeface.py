"""OpenSeeFace's features to the 45 pose values.

The features calibrate themselves inside OpenSeeFace (a running median is 0, the extremes -1 and 1), so a dead zone
keeps their noise out of a resting face. Angles and gaze rest anywhere and are used relative to the neutral.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import Pose, PoseVector, neutral
from core.pose.sample import HeadAngles

from .head import turn_head

VOCABULARY = "openseeface"

(LEFT_OPEN, RIGHT_OPEN, GAZE_X, GAZE_Y,
 EYE_LEFT, EYE_RIGHT,
 BROW_STEEPNESS_LEFT, BROW_UP_LEFT, BROW_QUIRK_LEFT,
 BROW_STEEPNESS_RIGHT, BROW_UP_RIGHT, BROW_QUIRK_RIGHT,
 CORNER_UP_LEFT, CORNER_IN_LEFT, CORNER_UP_RIGHT, CORNER_IN_RIGHT,
 MOUTH_OPEN, MOUTH_WIDE) = range(18)  # fmt: skip
VALUE_COUNT = 18
"""Both eyes' openness 0..1, the mean gaze direction's x and y, then the fourteen features in the record's order
(-1..1)."""

_OPEN_ENOUGH = 0.85
"""Openness above which an eye counts as fully open, and the range down to fully closed."""
_CLOSING_RANGE = 0.6
_DEAD_ZONE = 0.15
_SMILE_FROM, _SMILE_FULL = 0.3, 0.6
_GAZE_GAIN = 3.0
_MOUTH_GAIN = 1.6


def to_pose(values: NDArray[np.float32], neutral_values: NDArray[np.float32], head: HeadAngles) -> PoseVector:
    """See :data:`core.pose.mapping.Mapper`."""
    pose = neutral()
    turn_head(pose, head)
    corners = _beyond((values[CORNER_UP_LEFT] + values[CORNER_UP_RIGHT]) / 2)
    smile = _ramp(corners, _SMILE_FROM, _SMILE_FULL)
    for side, openness, wide, brow in (
        (0, values[LEFT_OPEN], values[EYE_LEFT], values[BROW_UP_LEFT]),
        (1, values[RIGHT_OPEN], values[EYE_RIGHT], values[BROW_UP_RIGHT]),
    ):
        closed = min(max((_OPEN_ENOUGH - float(openness)) / _CLOSING_RANGE, 0.0), 1.0)
        pose[Pose.EYE_WINK_LEFT + side] = closed * (1.0 - smile)
        pose[Pose.EYE_HAPPY_WINK_LEFT + side] = closed * smile
        pose[Pose.EYE_SURPRISED_LEFT + side] = max(_beyond(wide), 0.0) * (1.0 - closed) * 0.6
        raised = _beyond(brow)
        pose[Pose.EYEBROW_RAISED_LEFT + side] = max(raised, 0.0)
        pose[Pose.EYEBROW_LOWERED_LEFT + side] = max(-raised, 0.0) * 0.7
        pose[Pose.EYEBROW_HAPPY_LEFT + side] = max(corners, 0.0) * smile
    pose[Pose.MOUTH_RAISED_CORNER_LEFT : Pose.MOUTH_RAISED_CORNER_RIGHT + 1] = max(corners, 0.0)
    pose[Pose.MOUTH_LOWERED_CORNER_LEFT : Pose.MOUTH_LOWERED_CORNER_RIGHT + 1] = max(-corners, 0.0)
    _open_mouth(pose, float(values[MOUTH_OPEN]), float(values[MOUTH_WIDE]))
    # OpenSeeFace's points are turned back into the head's own space: the gaze is free of the head's turn already
    pose[Pose.IRIS_ROTATION_X] = -_GAZE_GAIN * float(values[GAZE_Y] - neutral_values[GAZE_Y])
    pose[Pose.IRIS_ROTATION_Y] = _GAZE_GAIN * float(values[GAZE_X] - neutral_values[GAZE_X])
    return pose


def _open_mouth(pose: PoseVector, openness: float, wide: float) -> None:
    opened = min(max(_beyond(openness), 0.0) * _MOUTH_GAIN, 1.0)
    spread, pursed = max(_beyond(wide), 0.0), max(-_beyond(wide), 0.0)
    pose[Pose.MOUTH_AAA] = opened * (1.0 - 0.6 * max(spread, pursed))
    pose[Pose.MOUTH_III] = opened * spread * 0.6
    pose[Pose.MOUTH_OOO] = opened * pursed * 0.6


def _beyond(value: float | np.float32) -> float:
    """The value with the dead zone round 0 taken out, stretched so that +-1 stays +-1."""
    size = max(abs(float(value)) - _DEAD_ZONE, 0.0) / (1.0 - _DEAD_ZONE)
    return math.copysign(size, float(value))


def _ramp(value: float, start: float, full: float) -> float:
    return min(max((value - start) / (full - start), 0.0), 1.0)
