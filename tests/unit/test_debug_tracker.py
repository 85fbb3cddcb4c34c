"""The demonstration face: in range, smooth, and alive everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.parameters import MAXIMUM, MINIMUM, POSE_SIZE, Pose
from trackers import debug
from trackers.base import TrackerState
from trackers.debug import DebugTracker, motion

FRAME_NS = 1_000_000_000 // 60


@pytest.fixture(scope="module")
def shown() -> NDArray[np.float32]:
    """Twenty seconds at 60 a second."""
    return np.array([motion(frame / 60) for frame in range(20 * 60)])


def test_it_stays_in_every_values_range(shown: NDArray[np.float32]) -> None:
    assert shown.shape[1] == POSE_SIZE
    assert (shown >= MINIMUM - 1e-6).all()
    assert (shown <= MAXIMUM + 1e-6).all()


def test_it_moves_without_jumps(shown: NDArray[np.float32]) -> None:
    assert np.abs(np.diff(shown, axis=0)).max() < 0.08


def test_every_part_of_the_face_has_its_turn(shown: NDArray[np.float32]) -> None:
    reach = np.ptp(shown, axis=0)
    parts = [
        Pose.EYE_WINK_LEFT,
        Pose.EYEBROW_RAISED_RIGHT,
        Pose.MOUTH_AAA,
        Pose.MOUTH_OOO,
        Pose.MOUTH_RAISED_CORNER_LEFT,
    ]
    turns = [Pose.IRIS_ROTATION_X, Pose.IRIS_ROTATION_Y, Pose.HEAD_X, Pose.HEAD_Y, Pose.NECK_Z, Pose.BODY_Y]
    assert reach[[*parts, Pose.BREATHING]].min() > 0.9
    assert reach[turns].min() > 0.7


def test_samples_come_at_60_a_second_and_are_never_of_the_future() -> None:
    tracker = DebugTracker()
    arrivals = set()
    for now in range(10**12, 10**12 + 10**9, 1_000_000):
        sample = tracker.latest(now)
        assert sample is not None
        assert 0 <= now - sample.arrival_ns < FRAME_NS
        arrivals.add(sample.arrival_ns)
    assert len(arrivals) in (60, 61)


def test_the_same_moment_is_the_same_face() -> None:
    one, two = DebugTracker().latest(5 * 10**9 + 10), DebugTracker().latest(5 * 10**9 + 20)
    assert one is not None
    assert two is not None
    assert one.arrival_ns == two.arrival_ns
    assert np.array_equal(one.values, two.values)


def test_it_is_always_there_and_always_tracking() -> None:
    tracker = debug.open_tracker({})
    assert debug.unavailable() is None
    assert tracker.status(0).state is TrackerState.TRACKING
    tracker.close()
    tracker.close()
