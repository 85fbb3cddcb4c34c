"""The microphone's mouth over the tracked one."""

from __future__ import annotations

import numpy as np
import pytest

from core.pose.lip_sync import MouthSample, apply_lip_sync
from core.pose.parameters import Pose, PoseVector, neutral

VOICE = MouthSample(0.7, np.array([0.5, 0.0, 0.2, 0.0, 0.0], np.float32))
SILENCE = MouthSample(0.0, np.zeros(5, np.float32))
SHOWN = [Pose.MOUTH_AAA, Pose.MOUTH_III, Pose.MOUTH_UUU, Pose.MOUTH_DELTA]


def tracked() -> PoseVector:
    pose = neutral()
    pose[SHOWN] = 0.3, 0.4, 0.0, 0.2
    pose[Pose.MOUTH_RAISED_CORNER_LEFT], pose[Pose.HEAD_X] = 0.6, 0.5
    return pose


@pytest.mark.parametrize(
    ("mode", "presence", "voice", "mouth"),
    [
        ("only", 1.0, VOICE, [0.5, 0.0, 0.2, 0.0]),
        ("only", 1.0, SILENCE, [0.0, 0.0, 0.0, 0.0]),
        ("add", 1.0, VOICE, [0.5, 0.4, 0.2, 0.2]),
        ("add", 1.0, SILENCE, [0.3, 0.4, 0.0, 0.2]),
        ("lost", 1.0, VOICE, [0.3, 0.4, 0.0, 0.2]),
        ("lost", 0.0, VOICE, [0.5, 0.0, 0.2, 0.0]),
        ("lost", 0.5, VOICE, [0.4, 0.2, 0.1, 0.1]),
        ("only", 1.0, None, [0.3, 0.4, 0.0, 0.2]),
    ],
)
def test_each_way(mode: str, presence: float, voice: MouthSample | None, mouth: list[float]) -> None:
    pose = apply_lip_sync(tracked(), voice, mode, presence)
    assert pose[SHOWN] == pytest.approx(mouth)
    assert pose[[Pose.MOUTH_RAISED_CORNER_LEFT, Pose.HEAD_X]] == pytest.approx([0.6, 0.5])


def test_the_pose_that_was_given_stays_as_it_is() -> None:
    pose = tracked()
    apply_lip_sync(pose, VOICE, "only", 1.0)
    assert np.array_equal(pose, tracked())
