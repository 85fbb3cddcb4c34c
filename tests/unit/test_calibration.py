"""The neutral face: when it is taken, from what, and how one gives way to the next."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose import rotation
from core.pose.calibration import (
    AUTOMATIC_AFTER_NS,
    EASED_IN_NS,
    REACH_NS,
    WINDOW_NS,
    Calibration,
    Neutral,
    measured,
)
from core.pose.sample import HeadAngles, TrackerSample

FRAME_NS = 16_666_667
START_NS = 7_000_000_000
SECOND = 1_000_000_000


def sample(now: int, value: float = 0.0, head: HeadAngles = (0.0, 0.0, 0.0)) -> TrackerSample:
    return TrackerSample(now, "openseeface", np.full(3, value, np.float32), head)


def neutral_of(value: float, head: HeadAngles = (0.0, 0.0, 0.0)) -> Neutral:
    return Neutral(rotation.from_degrees(head), np.full(3, value, np.float32))


def watch(calibration: Calibration, start: int, duration: int, value: float, head: HeadAngles = (0.0, 0.0, 0.0)) -> int:
    """Feed 60 samples a second; returns the time of the last one."""
    for now in range(start, start + duration, FRAME_NS):
        calibration.add(sample(now, value, head))
    return now


def values_at(calibration: Calibration, now: int) -> NDArray[np.float32]:
    neutral = calibration.at(now)
    assert neutral is not None
    return neutral.values


def yaw_at(calibration: Calibration, now: int) -> float:
    neutral = calibration.at(now)
    assert neutral is not None
    return rotation.to_degrees(neutral.rotation)[1]


def test_before_any_face_there_is_no_neutral() -> None:
    calibration = Calibration()
    assert calibration.at(START_NS) is None
    assert calibration.neutral is None


def test_the_first_face_seen_is_the_provisional_neutral_and_is_not_kept() -> None:
    calibration = Calibration()
    calibration.add(sample(START_NS, 0.3, (1.0, 2.0, 3.0)))
    calibration.add(sample(START_NS + FRAME_NS, 0.9))
    assert values_at(calibration, START_NS + FRAME_NS) == pytest.approx(0.3)
    assert yaw_at(calibration, START_NS + FRAME_NS) == pytest.approx(2.0)
    assert calibration.neutral is None


def test_without_a_stored_neutral_one_is_taken_by_itself_after_a_second() -> None:
    calibration = Calibration()
    taken = [now for now in range(0, 3_000_000_000, FRAME_NS) if calibration.add(sample(START_NS + now, 0.25))]
    assert len(taken) == 1
    assert AUTOMATIC_AFTER_NS <= taken[0] < AUTOMATIC_AFTER_NS + 2 * FRAME_NS
    assert calibration.neutral is not None


def test_a_stored_neutral_is_used_at_once_and_never_replaced_by_itself() -> None:
    calibration = Calibration(neutral_of(0.5))
    assert not any(calibration.add(sample(START_NS + now, 0.1)) for now in range(0, 3_000_000_000, FRAME_NS))
    assert values_at(calibration, START_NS) == pytest.approx(0.5)


def test_a_stored_neutral_that_does_not_fit_the_samples_gives_way_to_a_new_one() -> None:
    calibration = Calibration(Neutral(rotation.IDENTITY, np.zeros(7, np.float32)))
    end = watch(calibration, START_NS, AUTOMATIC_AFTER_NS + 10 * FRAME_NS, 0.2)
    assert values_at(calibration, end + EASED_IN_NS) == pytest.approx([0.2] * 3)


def test_calibrating_needs_a_face_during_the_last_half_second() -> None:
    calibration = Calibration()
    assert not calibration.calibrate(START_NS)
    end = watch(calibration, START_NS, WINDOW_NS, 0.4)
    assert not calibration.calibrate(end + WINDOW_NS + FRAME_NS)
    assert calibration.calibrate(end)


def test_two_samples_are_too_few_to_calibrate_by() -> None:
    calibration = Calibration()
    for n in range(2):
        calibration.add(sample(START_NS + n * FRAME_NS))
    assert not calibration.calibrate(START_NS + 2 * FRAME_NS)


def test_a_calibration_is_the_middle_of_the_last_half_second() -> None:
    calibration = Calibration(neutral_of(0.0))
    end = watch(calibration, START_NS, 2_000_000_000, 0.9, (0.0, 40.0, 0.0))
    end = watch(calibration, end + FRAME_NS, WINDOW_NS + 2 * FRAME_NS, 0.2, (0.0, 12.0, 0.0))
    calibration.add(sample(end + FRAME_NS, 1.0))  # a blink, say
    calibration.calibrate(end + FRAME_NS)
    neutral = calibration.neutral
    assert neutral is not None
    assert neutral.values == pytest.approx(0.2)
    assert rotation.to_degrees(neutral.rotation)[1] == pytest.approx(12.0, abs=0.6)


def test_a_new_neutral_is_eased_in() -> None:
    calibration = Calibration(neutral_of(0.0))
    now = watch(calibration, START_NS, WINDOW_NS, 0.8, (0.0, 30.0, 0.0))
    calibration.calibrate(now)
    steps = [now + EASED_IN_NS * n // 20 for n in range(25)]
    shapes = [float(values_at(calibration, at)[0]) for at in steps]
    yaws = [yaw_at(calibration, at) for at in steps]
    for eased, end in ((shapes, 0.8), (yaws, 30.0)):
        assert eased[0] == pytest.approx(0.0, abs=1e-6)
        assert eased == sorted(eased)
        assert max(after - before for before, after in pairwise(eased)) < end / 10
        assert eased[-1] == pytest.approx(end, rel=1e-4)


def test_calibrating_again_while_easing_goes_on_from_where_it_is() -> None:
    calibration = Calibration(neutral_of(0.0))
    now = watch(calibration, START_NS, WINDOW_NS, 0.8)
    calibration.calibrate(now)
    halfway = watch(calibration, now + FRAME_NS, EASED_IN_NS // 2, 0.1)
    before = values_at(calibration, halfway).copy()
    calibration.calibrate(halfway)
    assert values_at(calibration, halfway) == pytest.approx(before)


def test_easing_takes_the_short_way_round() -> None:
    w, x, y, z = rotation.from_degrees((0.0, 10.0, 0.0))
    calibration = Calibration(Neutral((-w, -x, -y, -z), np.zeros(3, np.float32)))
    now = watch(calibration, START_NS, WINDOW_NS, 0.0, (0.0, 20.0, 0.0))
    calibration.calibrate(now)
    assert all(9.99 < yaw_at(calibration, now + EASED_IN_NS * n // 10) < 20.01 for n in range(12))


def test_after_a_loss_the_face_from_before_it_is_forgotten() -> None:
    calibration = Calibration()
    end = watch(calibration, START_NS, WINDOW_NS, 0.9)
    again = end + WINDOW_NS + 2 * FRAME_NS
    for n in range(5):
        calibration.add(sample(again + n * FRAME_NS, 0.1))
    assert values_at(calibration, again) == pytest.approx(0.1)
    calibration.calibrate(again + 5 * FRAME_NS)
    assert calibration.neutral is not None
    assert calibration.neutral.values == pytest.approx(0.1)


def test_the_wait_for_the_automatic_one_starts_anew_after_a_loss() -> None:
    calibration = Calibration()
    end = watch(calibration, START_NS, AUTOMATIC_AFTER_NS - 5 * FRAME_NS, 0.9)
    watch(calibration, end + 2 * WINDOW_NS, AUTOMATIC_AFTER_NS - 5 * FRAME_NS, 0.1)
    assert calibration.neutral is None


# -- how far a face goes -------------------------------------------------------------------------------------------


def faces(calibration: Calibration, start: int, seconds: float, reached: float, rest: float = 0.0) -> int:
    """A face that goes between ``rest`` and ``reached`` twice a second; returns the time after it."""
    now = start
    for frame in range(int(seconds * 60)):
        now = start + frame * FRAME_NS
        calibration.add(sample(now, reached if frame % 30 < 15 else rest))
    return now + FRAME_NS


def test_the_farthest_face_becomes_the_reach() -> None:
    calibration = Calibration(neutral_of(0.1))
    now = watch(calibration, START_NS, WINDOW_NS, 0.1) + FRAME_NS
    assert calibration.begin_reach(now)
    assert 0.0 < calibration.reach_left_s(now + FRAME_NS) <= REACH_NS / 1e9
    now = faces(calibration, now, REACH_NS / 1e9 + 0.2, 0.5, 0.1)
    assert calibration.reach_left_s(now) == 0.0
    assert calibration.neutral is not None
    assert calibration.neutral.reach == pytest.approx(0.5)


def test_a_shape_that_was_not_made_stays_full_at_one() -> None:
    calibration = Calibration(neutral_of(0.1))
    now = watch(calibration, START_NS, WINDOW_NS, 0.1) + FRAME_NS
    calibration.begin_reach(now)
    faces(calibration, now, REACH_NS / 1e9 + 0.2, 0.15, 0.1)
    assert calibration.neutral is not None
    assert calibration.neutral.reach == pytest.approx(1.0)


def test_a_few_wild_values_do_not_make_everything_else_small() -> None:
    calibration = Calibration(neutral_of(0.0))
    now = watch(calibration, START_NS, WINDOW_NS, 0.0) + FRAME_NS
    calibration.begin_reach(now)
    for frame in range(int(REACH_NS / FRAME_NS) + 2):
        calibration.add(sample(now + frame * FRAME_NS, 1.0 if frame % 100 == 0 else 0.5))
    assert calibration.neutral is not None
    assert calibration.neutral.reach == pytest.approx(0.5)


def test_a_reach_cannot_be_learned_without_a_face() -> None:
    assert not Calibration().begin_reach(START_NS)
    calibration = Calibration(neutral_of(0.0))
    end = watch(calibration, START_NS, WINDOW_NS, 0.0)
    assert not calibration.begin_reach(end + 2 * WINDOW_NS)


def test_too_few_faces_leave_the_reach_as_it_is() -> None:
    calibration = Calibration(neutral_of(0.0))
    now = watch(calibration, START_NS, WINDOW_NS, 0.0) + FRAME_NS
    calibration.begin_reach(now)
    calibration.add(sample(now, 1.0))
    assert not calibration.add(sample(now + REACH_NS + SECOND, 1.0))
    assert calibration.neutral is not None
    assert calibration.neutral.reach is None


def test_calibrating_the_neutral_keeps_the_reach() -> None:
    reach = np.array([0.5, 0.6, 0.7], np.float32)
    calibration = Calibration(Neutral(rotation.IDENTITY, np.zeros(3, np.float32), reach=reach))
    now = watch(calibration, START_NS, WINDOW_NS, 0.2)
    assert calibration.calibrate(now)
    assert calibration.neutral is not None
    assert calibration.neutral.reach is reach
    calibration.forget_reach()
    assert calibration.neutral.reach is None


def test_values_are_stretched_from_rest_to_reach() -> None:
    shapes = np.array([True, True, False])
    resting = Neutral(rotation.IDENTITY, np.array([0.2, 0.0, 0.3], np.float32))
    reaching = Neutral(rotation.IDENTITY, resting.values, reach=np.array([0.6, 0.5, 0.5], np.float32))
    for given_values, plain, stretched in (
        ((0.2, 0.0, 0.3), (0.0, 0.0, 0.3), (0.0, 0.0, 0.3)),
        ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.5, 1.5, 1.0)),
        ((0.6, 0.25, -0.5), (0.5, 0.25, -0.5), (1.0, 0.5, -0.5)),
        ((0.1, -0.3, 0.0), (0.0, -0.3, 0.0), (0.0, -0.3, 0.0)),
    ):
        values = np.array(given_values, np.float32)
        assert measured(values, resting, shapes) == pytest.approx(plain, abs=1e-6)
        assert measured(values, reaching, shapes) == pytest.approx(stretched, abs=1e-6)


def test_a_smile_at_the_moment_of_calibration_does_not_take_the_smile_away() -> None:
    smiling = Neutral(rotation.IDENTITY, np.array([0.95], np.float32))
    assert measured(np.array([0.9], np.float32), smiling, np.array([True]))[0] > 0.8


# -- where the head rests ------------------------------------------------------------------------------------------


def placed(now: int, x: float) -> TrackerSample:
    return TrackerSample(
        now, "openseeface", np.zeros(3, np.float32), position=(x, 0.1, -0.5), body_degrees=(0.0, x, 0.0)
    )


def test_the_place_of_the_head_and_the_torso_belong_to_the_neutral() -> None:
    calibration = Calibration()
    for frame in range(90):
        calibration.add(placed(START_NS + frame * FRAME_NS, 0.3))
    assert calibration.neutral is not None
    assert calibration.neutral.position == pytest.approx((0.3, 0.1, -0.5))
    assert calibration.neutral.body == pytest.approx((0.0, 0.3, 0.0))


def test_a_neutral_kept_before_places_were_known_takes_the_first_one() -> None:
    calibration = Calibration(neutral_of(0.0))
    calibration.add(placed(START_NS, 0.4))
    found = calibration.at(START_NS)
    assert found is not None
    assert found.position == pytest.approx((0.4, 0.1, -0.5))
