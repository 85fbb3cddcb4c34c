"""The microphone's delay in OBS: what it is made of, and that it does not flicker."""

from __future__ import annotations

import pytest

from core.wire.settings import PHONES, TRACKERS
from core.worker.audio_delay import LONGEST_MS, TRACKER_DELAY_MS, SteadyDelay, audio_delay_ms


def test_every_tracker_has_an_assumed_delay() -> None:
    assert set(TRACKER_DELAY_MS) == {*TRACKERS, "microphone"}


def test_phones_cameras_and_hands_differ() -> None:
    assert {TRACKER_DELAY_MS[name] for name in PHONES} == {50}
    assert {TRACKER_DELAY_MS[name] for name in ("webcam", "openseeface")} == {60}
    assert {TRACKER_DELAY_MS[name] for name in ("mouse", "microphone", "manual")} == {0}


@pytest.mark.parametrize(
    ("pose_age_ms", "tracker", "frame_interval_ms", "wanted"),
    [
        (20.0, "mouse", 20.0, 30),
        (20.0, "ifacialmocap", 20.0, 80),
        (20.0, "webcam", 20.0, 90),
        (20.0, "openseeface", 40.0, 100),
        (22.4, "mouse", 20.0, 30),
        (22.6, "mouse", 20.0, 35),
        (0.0, "manual", 0.0, 0),
        (20.0, "a tracker of tomorrow", 20.0, 30),
    ],
)
def test_it_is_the_sum_rounded_to_five(pose_age_ms: float, tracker: str, frame_interval_ms: float, wanted: int) -> None:
    assert audio_delay_ms(pose_age_ms, tracker, frame_interval_ms) == wanted


@pytest.mark.parametrize("pose_age_ms", [-1e9, -1.0, 3.3, 777.7, 1e9, float("inf")])
def test_it_is_always_a_delay_that_can_be_typed_into_obs(pose_age_ms: float) -> None:
    delay = audio_delay_ms(pose_age_ms, "webcam", 16.667)
    assert 0 <= delay <= LONGEST_MS
    assert delay % 5 == 0


def test_the_shown_delay_follows_only_what_is_worth_it() -> None:
    shown = SteadyDelay()
    assert [shown.show(delay) for delay in (90, 95, 85, 95, 100, 95, 105, 90, 80)] == [
        90, 90, 90, 90, 100, 100, 100, 90, 80,
    ]  # fmt: skip


def test_slow_drift_is_followed_too() -> None:
    shown = SteadyDelay()
    told = [shown.show(delay) for delay in range(50, 155, 5)]
    assert told == sorted(told)
    assert (told[0], told[-1]) == (50, 150)
    assert len(set(told)) == 11
