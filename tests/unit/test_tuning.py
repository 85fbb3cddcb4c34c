"""Each pose value bent by gain, curve and dead zone."""

from __future__ import annotations

import numpy as np
import pytest

from core.pose.parameters import Pose, neutral
from core.pose.tuning import TunedValues


def tuned(text: str, **values: float) -> dict[str, object]:
    pose = neutral()
    for name, value in values.items():
        pose[Pose[name.upper()]] = value
    bent = TunedValues(text)(pose)
    return {name: pytest.approx(float(bent[Pose[name.upper()]])) for name in values}


def test_nothing_tuned_gives_the_pose_itself() -> None:
    pose = neutral()
    assert TunedValues("")(pose) is pose


def test_gain_multiplies_and_leaves_the_others() -> None:
    assert tuned("mouth_aaa=2", mouth_aaa=0.3, mouth_iii=0.3) == {"mouth_aaa": 0.6, "mouth_iii": 0.3}


def test_a_curve_lifts_small_movements_and_keeps_both_ends() -> None:
    for value in (0.0, 1.0, -1.0):
        assert tuned("head_x=1,2", head_x=value) == {"head_x": value}
    assert tuned("head_x=1,2", head_x=-0.25) == {"head_x": -0.5}


def test_a_dead_zone_swallows_the_small_and_keeps_the_full() -> None:
    assert tuned("head_y=1,1,0.2", head_y=0.15) == {"head_y": 0.0}
    assert tuned("head_y=1,1,0.2", head_y=-1.0) == {"head_y": -1.0}
    assert tuned("head_y=1,1,0.2", head_y=0.6) == {"head_y": 0.5}


def test_a_side_says_more_than_both() -> None:
    assert tuned("eye_wink_left=0 eye_wink=2", eye_wink_left=0.4, eye_wink_right=0.4) == {
        "eye_wink_left": 0.0,
        "eye_wink_right": 0.8,
    }


def test_everything_stays_finite() -> None:
    text = " ".join(f"{value.name.lower()}=4,0.25,0.8" for value in Pose)
    for size in (0.0, 1e-30, 1.0, 3.0):
        assert np.isfinite(TunedValues(text)(np.full(45, size, np.float32))).all()
