"""Breath: even at rest, faster after lively movement, none when it is switched off."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.breath import Breath
from core.pose.parameters import Pose, PoseVector, neutral


def watch(breath: Breath, seconds: float, fps: float = 60.0, lively: bool = False) -> NDArray[np.float64]:
    poses = (moved(frame / fps) if lively else neutral() for frame in range(int(seconds * fps)))
    return np.array([breath.at(1.0 / fps, pose) for pose in poses])


def moved(seconds: float) -> PoseVector:
    pose = neutral()
    pose[Pose.HEAD_Y] = 0.8 * np.sin(5.0 * seconds)
    pose[Pose.MOUTH_AAA] = abs(np.sin(9.0 * seconds))
    return pose


def breaths(values: NDArray[np.float64]) -> int:
    return int(((values[:-1] < 0.5) & (values[1:] >= 0.5)).sum())


@pytest.mark.parametrize("per_minute", [6.0, 14.0, 30.0])
def test_a_resting_avatar_breathes_as_often_as_the_user_says(per_minute: float) -> None:
    breath = Breath()
    breath.per_minute = per_minute
    values = watch(breath, 120.0)
    assert breaths(values) == pytest.approx(2 * per_minute, abs=1)
    assert (values.min(), values.max()) == pytest.approx((0.0, 1.0), abs=0.01)


def test_it_is_smooth() -> None:
    assert np.abs(np.diff(watch(Breath(), 10.0), n=2)).max() < 0.001


def test_it_is_the_same_at_every_frame_rate() -> None:
    slow, fast = watch(Breath(), 20.0, 30.0), watch(Breath(), 20.0, 120.0)
    assert np.abs(slow[1:] - fast[4::4][: len(slow) - 1]).max() < 0.15
    assert breaths(slow) == breaths(fast)


def test_lively_movement_makes_it_faster_and_rest_slow_again() -> None:
    breath = Breath()
    rest = breaths(watch(breath, 60.0))
    watch(breath, 10.0, lively=True)
    lively = breaths(watch(breath, 60.0, lively=True))
    watch(breath, 30.0)
    again = breaths(watch(breath, 60.0))
    assert lively > 1.5 * rest
    assert again == pytest.approx(rest, abs=1)


def test_a_trembling_tracker_is_no_effort() -> None:
    breath, noise = Breath(), np.random.default_rng(1)
    quiet = breaths(watch(Breath(), 60.0))
    values = []
    for _ in range(3600):
        pose = neutral()
        pose[Pose.HEAD_X : Pose.BODY_Z + 1] = noise.normal(0.0, 0.01, 5)
        values.append(breath.at(1 / 60, pose))
    assert breaths(np.array(values)) <= quiet + 2


def test_it_can_be_left_even_and_switched_off() -> None:
    even, off = Breath(), Breath()
    even.reactive, off.per_minute = False, 0.0
    assert breaths(watch(even, 60.0, lively=True)) == breaths(watch(Breath(), 60.0))
    assert not watch(off, 10.0, lively=True).any()


@pytest.mark.parametrize("elapsed_s", [0.0, -5.0, 3600.0])
def test_odd_steps_of_time_are_harmless(elapsed_s: float) -> None:
    breath = Breath()
    watch(breath, 1.0)
    assert 0.0 <= breath.at(elapsed_s, neutral()) <= 1.0
