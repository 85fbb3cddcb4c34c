"""ARKit's 52 blend shapes to the 45 pose values.

Formulas: pkhungurn's talking-head-anime-4 demos (their converters for iFacialMocap and MediaPipe, with the defaults),
but for what is said at each place. Shapes are 0 at rest and 1 at full; a calibration has stretched them already.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import Pose, PoseVector, neutral
from core.pose.sample import HeadAngles

from .arkit_names import NAMES, SHAPE, VOCABULARY
from .head import turn_head
from .mouth import mixture

__all__ = ["SHAPES", "VOCABULARY", "to_pose"]

SHAPES: NDArray[np.bool_] = np.array([not name.startswith("eyeLook") for name in NAMES])
"""What a calibration may stretch: all but the gaze, which rests anywhere and is used relative to the neutral."""

_SMILE_FROM, _SMILE_RANGE = 0.4, 0.2
_BLINK_FULL, _WIDE_FULL, _BROW_DOWN_FULL, _FROWN_FULL = 0.8, 0.5, 0.4, 0.6
_SQUINT_FROM, _SQUINT_RANGE = 0.1, 0.6
_EYE_SQUINT_FROM, _EYE_SQUINT_RANGE = 0.4, 0.5
_CHEEK_ALIVE = 0.02
_JAW_FROM, _JAW_RANGE = 0.1, 0.3
_FUNNEL_FROM, _FUNNEL_RANGE = 0.25, 0.25
_LOPSIDED_FROM = 0.15
_WINK_APART = 0.1
_GAZE_GAIN = 4.0 / 3.0
_CLOSED = 0.01
"""The demos change over from a closed to an open mouth in one step; here it happens over so much of the jaw's way."""

_SIDES = ("Left", "Right")
_BLINK = [SHAPE[f"eyeBlink{side}"] for side in _SIDES]
_WIDE = [SHAPE[f"eyeWide{side}"] for side in _SIDES]
_CHEEK_SQUINT = [SHAPE[f"cheekSquint{side}"] for side in _SIDES]
_EYE_SQUINT = [SHAPE[f"eyeSquint{side}"] for side in _SIDES]
_BROW_DOWN = [SHAPE[f"browDown{side}"] for side in _SIDES]
_BROW_OUTER_UP = [SHAPE[f"browOuterUp{side}"] for side in _SIDES]
_SMILE = [SHAPE[f"mouthSmile{side}"] for side in _SIDES]
_GAZE_UP = (
    np.array([(name.startswith("eyeLookUp")) - (name.startswith("eyeLookDown")) for name in NAMES], np.float64) / 2
)
_GAZE_RIGHT = np.zeros(len(NAMES))
"""Toward the subject's right: the left eye looks in, the right one out."""
for _name, _sign in (("InLeft", 1), ("OutLeft", -1), ("InRight", -1), ("OutRight", 1)):
    _GAZE_RIGHT[SHAPE[f"eyeLook{_name}"]] = _sign / 2


def to_pose(values: NDArray[np.float32], neutral_values: NDArray[np.float32], head: HeadAngles) -> PoseVector:
    """See :data:`core.pose.mapping.Mapper`."""
    pose = neutral()
    turn_head(pose, head)
    shape = values.tolist()
    smile = (shape[_SMILE[0]] + shape[_SMILE[1]]) / 2 + shape[SHAPE["mouthShrugUpper"]]
    smiling = _ramp(smile, _SMILE_FROM, _SMILE_RANGE)
    # MediaPipe never moves the cheeks: its squint is taken from the eye (the demos leave the lid alone then).
    # A calibration takes the rest off a cheek that lives: what is left is 0 at rest, and only the neutral tells
    alive = max(*(shape[place] for place in _CHEEK_SQUINT), *(float(neutral_values[place]) for place in _CHEEK_SQUINT))
    dead = 1.0 - _unit(alive / _CHEEK_ALIVE)
    for side in (0, 1):
        _eye_and_brow(pose, shape, side, smile, smiling)
        pose[Pose.EYE_RAISED_LOWER_EYELID_LEFT + side] = max(
            _ramp(shape[_CHEEK_SQUINT[side]], _SQUINT_FROM, _SQUINT_RANGE),
            _ramp(shape[_EYE_SQUINT[side]], _EYE_SQUINT_FROM, _EYE_SQUINT_RANGE) * dead,
        )
    _mouth(pose, shape, smile)
    gaze = values.astype(np.float64) - neutral_values
    pose[Pose.IRIS_ROTATION_X] = _GAZE_GAIN * float(gaze @ _GAZE_UP)
    pose[Pose.IRIS_ROTATION_Y] = _GAZE_GAIN * float(gaze @ _GAZE_RIGHT)
    return pose


def _eye_and_brow(pose: PoseVector, shape: list[float], side: int, smile: float, smiling: float) -> None:
    pose[Pose.EYEBROW_ANGRY_LEFT + side] = (1.0 - smiling) * _unit(shape[_BROW_DOWN[side]] / _BROW_DOWN_FULL)
    pose[Pose.EYEBROW_RAISED_LEFT + side] = _unit(shape[SHAPE["browInnerUp"]] + shape[_BROW_OUTER_UP[side]])
    pose[Pose.EYEBROW_HAPPY_LEFT + side] = _unit(smile) * smiling
    # lids that are nearly alike close alike; the farther they are apart, the more each keeps its own
    here, there = shape[_BLINK[side]], shape[_BLINK[1 - side]]
    own = _unit(abs(here - there) / _WINK_APART)
    closed = _unit((here * (1.0 + own) + there * (1.0 - own)) / 2 / _BLINK_FULL)
    pose[Pose.EYE_WINK_LEFT + side] = (1.0 - smiling) * closed
    pose[Pose.EYE_HAPPY_WINK_LEFT + side] = smiling * closed
    pose[Pose.EYE_SURPRISED_LEFT + side] = _unit(shape[_WIDE[side]] / _WIDE_FULL)


def _mouth(pose: PoseVector, shape: list[float], smile: float) -> None:
    # the demos give both corners the mean; a smile that is clearly on one side stays on its side here
    apart = shape[_SMILE[0]] - shape[_SMILE[1]]
    lopsided = (max(abs(apart) - _LOPSIDED_FROM, 0.0) / 2) * (1.0 if apart > 0.0 else -1.0)
    pose[Pose.MOUTH_RAISED_CORNER_LEFT] = _unit(smile + lopsided)
    pose[Pose.MOUTH_RAISED_CORNER_RIGHT] = _unit(smile - lopsided)
    opened = _ramp(shape[SHAPE["jawOpen"]], _JAW_FROM, _JAW_RANGE)
    part = _unit(opened / _CLOSED)
    frown = _unit((shape[SHAPE["mouthFrownLeft"]] + shape[SHAPE["mouthFrownRight"]]) / _FROWN_FULL)
    pose[Pose.MOUTH_LOWERED_CORNER_LEFT : Pose.MOUTH_LOWERED_CORNER_RIGHT + 1] = frown * (1.0 - part)
    if part == 0.0:
        return
    funnel = shape[SHAPE["mouthFunnel"]]
    lower_down = _unit(shape[SHAPE["mouthLowerDownLeft"]] + shape[SHAPE["mouthLowerDownRight"]])
    point = np.array((opened, lower_down, _unit(funnel), _unit(shape[SHAPE["mouthPucker"]])))
    a, i, u, o = (float(share) * part for share in mixture(point))
    rounded = _unit(u + o)
    is_o = _ramp(funnel, _FUNNEL_FROM, _FUNNEL_RANGE)
    pose[Pose.MOUTH_AAA], pose[Pose.MOUTH_III] = a, i
    pose[Pose.MOUTH_UUU], pose[Pose.MOUTH_OOO] = rounded * (1.0 - is_o), rounded * is_o


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _ramp(value: float, start: float, length: float) -> float:
    return _unit((value - start) / length)
