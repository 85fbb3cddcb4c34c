"""Life without a tracker: blinks like a person's, motion without jumps, and no moment that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.idle import IdleMotion
from core.pose.parameters import MAXIMUM, MINIMUM, Pose

FRAME_NS = 16_666_667
MINUTES = 10
SECOND = 1_000_000_000
LIDS = [Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT]
GAZE = [Pose.IRIS_ROTATION_X, Pose.IRIS_ROTATION_Y]
SWAY = [Pose.HEAD_X, Pose.HEAD_Y, Pose.NECK_Z, Pose.BODY_Y, Pose.BODY_Z]


class Blink(NamedTuple):
    start_s: float
    end_s: float
    closed: float


def blinks(idle: IdleMotion, minutes: float) -> Iterator[Blink]:
    """Every stretch of 60 frames a second in which the lids were not fully open."""
    start, closed = None, 0.0
    for frame in range(int(minutes * 3600)):
        now = frame / 60.0
        lids = idle.lids(now)
        if lids > 0.0:
            start, closed = (now, lids) if start is None else (start, max(closed, lids))
        elif start is not None:
            yield Blink(start, now, closed)
            start = None


@pytest.fixture(scope="module", params=[1, 2, 3])
def ten_minutes(request: pytest.FixtureRequest) -> list[Blink]:
    return list(blinks(IdleMotion(request.param), MINUTES))


@pytest.fixture(scope="module")
def minute() -> NDArray[np.float32]:
    """The poses of two minutes at 60 a second."""
    idle = IdleMotion(7)
    return np.array([idle.pose(frame * FRAME_NS) for frame in range(2 * 3600)])


def steps(poses: NDArray[np.float32], values: list[Pose]) -> float:
    return float(np.abs(np.diff(poses[:, values], axis=0)).max())


def test_it_blinks_as_often_as_a_person_at_rest(ten_minutes: list[Blink]) -> None:
    assert 12.0 <= len(ten_minutes) / MINUTES <= 22.0


def test_it_never_stares_and_never_flutters(ten_minutes: list[Blink]) -> None:
    gaps = [after.start_s - before.start_s for before, after in pairwise(ten_minutes)]
    assert max(gaps) <= 9.1
    assert min(gaps) >= 0.34
    assert sum(gap < 0.85 for gap in gaps) < 0.25 * len(gaps), "two in a row are the exception"


def test_every_blink_closes_the_eyes_and_opens_them_again(ten_minutes: list[Blink]) -> None:
    assert {blink.closed for blink in ten_minutes} == {1.0}
    assert all(0.15 < blink.end_s - blink.start_s < 0.4 for blink in ten_minutes)


def test_blinks_come_in_no_rhythm(ten_minutes: list[Blink]) -> None:
    gaps = [after.start_s - before.start_s for before, after in pairwise(ten_minutes)]
    assert np.std(gaps) > 1.0


def test_both_eyes_blink_together(minute: NDArray[np.float32]) -> None:
    assert np.array_equal(minute[:, Pose.EYE_WINK_LEFT], minute[:, Pose.EYE_WINK_RIGHT])


def test_nothing_jumps_from_one_frame_to_the_next(minute: NDArray[np.float32]) -> None:
    assert steps(minute, LIDS) < 0.4
    assert steps(minute, GAZE) < 0.6
    assert steps(minute, SWAY) < 0.08


def test_only_lids_gaze_head_and_body_move(minute: NDArray[np.float32]) -> None:
    still = np.ones(minute.shape[1], bool)
    still[[*LIDS, *GAZE, *SWAY]] = False
    assert not minute[:, still].any()


def test_it_stays_in_every_values_range(minute: NDArray[np.float32]) -> None:
    assert (minute >= MINIMUM).all()
    assert (minute <= MAXIMUM).all()


def test_the_gaze_wanders_but_comes_home(minute: NDArray[np.float32]) -> None:
    gaze = minute[:, GAZE]
    assert np.ptp(gaze, axis=0).min() > 0.2
    assert np.abs(gaze.mean(axis=0)).max() < 0.1
    assert (np.abs(gaze).max(axis=1) < 0.05).mean() > 0.25


def test_the_sway_is_small_and_never_stands_still_for_long(minute: NDArray[np.float32]) -> None:
    assert np.abs(minute[:, SWAY]).max() < 0.35
    for second in range(0, len(minute) - 120, 120):
        assert np.ptp(minute[second : second + 120, Pose.BODY_Y]) > 0.0005


def test_strength_scales_sway_and_gaze_but_not_the_blink() -> None:
    whole, none = IdleMotion(3), IdleMotion(3)
    for frame in range(600):
        moving, still = whole.pose(frame * FRAME_NS, 1.0), none.pose(frame * FRAME_NS, 0.0)
        assert not still[[*GAZE, *SWAY]].any()
        assert np.array_equal(moving[LIDS], still[LIDS])


def test_the_same_seed_does_the_same_and_another_something_else() -> None:
    first, again, other = ([blink.start_s for blink in blinks(IdleMotion(seed), 1.0)] for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.parametrize("interval_s", [2.0, 4.0, 8.0])
def test_the_interval_between_blinks_is_the_users(interval_s: float) -> None:
    idle = IdleMotion(3)
    idle.blink_interval_s = interval_s
    starts = [blink.start_s for blink in blinks(idle, MINUTES)]
    singles = [gap for gap in (after - before for before, after in pairwise(starts)) if gap > 0.8]
    assert np.mean(singles) == pytest.approx(interval_s, rel=0.2)


@pytest.mark.parametrize("fps", [1.0, 4.0, 24.0, 60.0, 144.0])
def test_any_frame_rate_blinks_and_stays_in_range(fps: float) -> None:
    idle = IdleMotion(2)
    lids = np.array([idle.lids(frame / fps) for frame in range(int(120 * fps))])
    assert ((lids >= 0.0) & (lids <= 1.0)).all()
    assert (lids > 0.0).any()


@pytest.mark.parametrize("jump_s", [3.0, 25.0, 3600.0, 86_400.0 * 30, -0.02, -1.0, -5.0, -17.0, -200.0])
def test_a_jump_in_time_is_harmless(jump_s: float) -> None:
    """Before and after it, wherever in a blink it comes, the eyes are open again soon and blink again soon."""
    base = 10_000_000 * SECOND
    for moment in np.arange(0.0, 12.0, 0.25):
        idle = IdleMotion(4)
        for frame in range(int(moment * 60) + 1):
            idle.pose(base + frame * FRAME_NS)
        after = base + int((moment + jump_s) * SECOND)
        poses = np.array([idle.pose(after + frame * 2 * FRAME_NS) for frame in range(30 * 19)])
        assert (poses >= MINIMUM).all()
        assert (poses <= MAXIMUM).all()
        open_eyes = poses[:, Pose.EYE_WINK_LEFT] == 0.0
        assert open_eyes[:40].any()
        assert not open_eyes.all()
