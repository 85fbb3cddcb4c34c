"""VRM's preset expressions (VRM 0 and VRM 1) to the 45 pose values.

The five vowels are the same five that the networks know. Whoever sends these has folded a face into five mouths and
four moods already: single brows, squints and cheeks are lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import Pose, PoseVector, neutral
from core.pose.sample import HeadAngles

from .head import turn_head

VOCABULARY = "vrm"

(MOUTH_A, MOUTH_I, MOUTH_U, MOUTH_E, MOUTH_O, BLINK, BLINK_LEFT, BLINK_RIGHT, JOY, ANGRY, SORROW, FUN, SURPRISED,
 LOOK_UP, LOOK_DOWN, LOOK_LEFT, LOOK_RIGHT, GAZE_UP, GAZE_RIGHT) = range(19)  # fmt: skip
VALUE_COUNT = 19
"""The presets 0..1, then where the eye bones look: up and to the subject's right, -1..1 for 35 degrees."""

BY_SPELLING: dict[str, int] = {
    "a": MOUTH_A, "i": MOUTH_I, "u": MOUTH_U, "e": MOUTH_E, "o": MOUTH_O,
    "aa": MOUTH_A, "ih": MOUTH_I, "ou": MOUTH_U, "ee": MOUTH_E, "oh": MOUTH_O,
    "blink": BLINK, "blink_l": BLINK_LEFT, "blink_r": BLINK_RIGHT, "blinkleft": BLINK_LEFT, "blinkright": BLINK_RIGHT,
    "joy": JOY, "happy": JOY, "angry": ANGRY, "sorrow": SORROW, "sad": SORROW, "fun": FUN, "relaxed": FUN,
    "surprised": SURPRISED, "lookup": LOOK_UP, "lookdown": LOOK_DOWN, "lookleft": LOOK_LEFT, "lookright": LOOK_RIGHT,
}  # fmt: skip
"""Index by the preset's name in lower case, in VRM 0's and VRM 1's spelling."""

SHAPES: NDArray[np.bool_] = np.array([place < LOOK_UP for place in range(VALUE_COUNT)])
"""What a calibration may stretch: all but the gaze."""

_RELAXED_LIDS = 0.5


def to_pose(values: NDArray[np.float32], neutral_values: NDArray[np.float32], head: HeadAngles) -> PoseVector:
    """See :data:`core.pose.mapping.Mapper`."""
    pose = neutral()
    turn_head(pose, head)
    clip = values.tolist()
    pose[Pose.MOUTH_AAA : Pose.MOUTH_OOO + 1] = clip[MOUTH_A : MOUTH_O + 1]
    smiling = min(max(clip[JOY] + clip[FUN], 0.0), 1.0)
    for side, wink in ((0, clip[BLINK_LEFT]), (1, clip[BLINK_RIGHT])):
        closed = min(max(clip[BLINK], wink), 1.0)
        pose[Pose.EYE_WINK_LEFT + side] = closed * (1.0 - smiling)
        pose[Pose.EYE_HAPPY_WINK_LEFT + side] = closed * smiling
        pose[Pose.EYE_SURPRISED_LEFT + side] = clip[SURPRISED] * (1.0 - closed)
        pose[Pose.EYE_RELAXED_LEFT + side] = clip[FUN] * _RELAXED_LIDS * (1.0 - closed)
        pose[Pose.EYEBROW_TROUBLED_LEFT + side] = clip[SORROW]
        pose[Pose.EYEBROW_ANGRY_LEFT + side] = clip[ANGRY]
        pose[Pose.EYEBROW_RAISED_LEFT + side] = clip[SURPRISED]
        pose[Pose.EYEBROW_HAPPY_LEFT + side] = smiling
        pose[Pose.MOUTH_RAISED_CORNER_LEFT + side] = clip[JOY]
        pose[Pose.MOUTH_LOWERED_CORNER_LEFT + side] = clip[SORROW]
    gaze = (values - neutral_values).tolist()
    # senders tell one gaze by clips, by bones, or by both: it is not to be counted twice
    pose[Pose.IRIS_ROTATION_X] = max(gaze[LOOK_UP] - gaze[LOOK_DOWN], gaze[GAZE_UP], key=abs)
    pose[Pose.IRIS_ROTATION_Y] = max(gaze[LOOK_RIGHT] - gaze[LOOK_LEFT], gaze[GAZE_RIGHT], key=abs)
    return pose
