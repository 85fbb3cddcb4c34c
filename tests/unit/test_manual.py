"""The face as the sliders say."""

from __future__ import annotations

from itertools import pairwise

import pytest

from core.pose.parameters import Pose
from core.wire.settings import Value, defaults
from trackers import manual
from trackers.base import Adjustable, TrackerState

FRAME_NS = 16_666_667
START = 5_000_000_000


def settings(text: str) -> dict[str, Value]:
    return {**defaults(), "manual_pose": text}


def follow(tracker: manual.ManualTracker, start: int, frames: int, value: Pose) -> list[float]:
    shown = []
    for n in range(frames):
        sample = tracker.latest(start + n * FRAME_NS)
        assert sample is not None
        shown.append(float(sample.values[value]))
    return shown


def test_it_holds_the_pose_of_the_sliders() -> None:
    tracker = manual.open_tracker(settings("eye_wink_left=1 mouth_aaa=0.5 head_y=-0.5 ears=1"))
    follow(tracker, START, 120, Pose.MOUTH_AAA)
    sample = tracker.latest(START + 120 * FRAME_NS)
    assert sample is not None
    assert sample.values[[Pose.EYE_WINK_LEFT, Pose.MOUTH_AAA, Pose.HEAD_Y]] == pytest.approx([1.0, 0.5, -0.5], abs=0.01)
    assert sample.values.sum() == pytest.approx(1.0, abs=0.02)
    assert not sample.tracks_eyes


def test_a_moved_slider_is_followed_without_a_jump() -> None:
    tracker = manual.open_tracker(settings("mouth_aaa=0"))
    before = follow(tracker, START, 30, Pose.MOUTH_AAA)
    assert isinstance(tracker, Adjustable)
    tracker.adjust(settings("mouth_aaa=1"))
    after = follow(tracker, START + 30 * FRAME_NS, 60, Pose.MOUTH_AAA)
    assert after == sorted(after)
    assert after[-1] == pytest.approx(1.0, abs=0.01)
    assert max(b - a for a, b in pairwise([before[-1], *after])) < 0.25


def test_it_always_tracks() -> None:
    assert manual.open_tracker(settings("")).status(START).state is TrackerState.TRACKING
