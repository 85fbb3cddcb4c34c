"""The smoothing filter: calm at rest, quick in motion, right at uneven times."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.pose.one_euro import OneEuroFilter, for_sliders

FRAME_NS = 16_666_667
UNEVEN_GAPS_NS = [1, 400_000, 9_000_000, 16_000_000, 33_000_000, 250_000_000, 3_000_000_000]


def values(*numbers: float) -> NDArray[np.float32]:
    return np.array(numbers, np.float32)


def filter_of(smoothing: int, responsiveness: int = 50) -> OneEuroFilter:
    made = for_sliders(smoothing, responsiveness)
    assert made is not None
    return made


def step_response(smoothing: int, gaps_ns: list[int]) -> list[float]:
    """What comes out after the input jumped from 0 to 1."""
    smooth, now = filter_of(smoothing), 0
    smooth(values(0.0), now)
    response = []
    for gap in gaps_ns:
        now += gap
        response.append(float(smooth(values(1.0), now)[0]))
    return response


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8), st.lists(st.integers(0, 400_000_000), max_size=20))
def test_a_constant_comes_out_as_it_is(constant: list[float], gaps_ns: list[int]) -> None:
    smooth, now = filter_of(60), 5
    for gap in [0, *gaps_ns]:
        now += gap
        assert smooth(values(*constant), now) == pytest.approx(constant, abs=1e-6)


@pytest.mark.parametrize("smoothing", [1, 30, 60, 100])
@pytest.mark.parametrize("gaps", [[FRAME_NS] * 200, UNEVEN_GAPS_NS * 20])
def test_after_a_step_it_rises_to_the_new_value_and_never_past_it(smoothing: int, gaps: list[int]) -> None:
    response = step_response(smoothing, gaps)
    assert all(before <= after for before, after in pairwise(response))
    assert 0.99 < response[-1] <= 1.0


def test_more_smoothing_is_calmer() -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.02, 600).astype(np.float32)
    spread = []
    for smoothing in (10, 30, 60, 100):
        smooth = filter_of(smoothing)
        spread.append(np.std([smooth(values(value), n * FRAME_NS)[0] for n, value in enumerate(noise)]))
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < 0.4 * 0.02


def test_more_smoothing_is_later() -> None:
    sums = [sum(step_response(smoothing, [FRAME_NS] * 60)) for smoothing in (1, 30, 60, 100)]
    assert sums == sorted(sums, reverse=True)


def test_a_fast_move_is_followed_sooner_than_a_slow_one() -> None:
    lags = []
    for speed in (0.2, 4.0):
        smooth = filter_of(80)
        for n in range(60):
            wanted = speed * n * FRAME_NS / 1e9
            shown = float(smooth(values(wanted), n * FRAME_NS)[0])
        lags.append((wanted - shown) / speed)
    assert lags[1] < lags[0]


def test_a_time_that_does_not_advance_changes_nothing() -> None:
    smooth = filter_of(50)
    smooth(values(0.0), 1_000_000_000)
    assert smooth(values(1.0), 1_000_000_000)[0] == 0.0
    assert smooth(values(1.0), 900_000_000)[0] == 0.0
    assert 0.0 < smooth(values(1.0), 1_016_000_000)[0] < 1.0


def test_after_a_reset_the_next_value_passes_as_it_is() -> None:
    smooth = filter_of(100)
    for n in range(30):
        smooth(values(1.0), n * FRAME_NS)
    smooth.reset()
    assert smooth(values(-1.0), 31 * FRAME_NS)[0] == -1.0
    assert smooth(values(-1.0), 32 * FRAME_NS)[0] == -1.0


def test_a_long_hole_does_not_make_it_overshoot() -> None:
    smooth = filter_of(30)
    for n in range(30):
        smooth(values(n / 30), n * FRAME_NS)
    assert 29 / 30 <= smooth(values(1.0), 3_600_000_000_000)[0] <= 1.0


def test_values_are_smoothed_each_for_itself() -> None:
    alone, together = filter_of(50), filter_of(50)
    for n in range(40):
        moving = 0.5 + 0.5 * np.sin(n / 5)
        result = together(values(moving, 0.25), n * FRAME_NS)
        assert result[0] == alone(values(moving), n * FRAME_NS)[0]
        assert result[1] == 0.25


def test_the_result_is_never_the_filters_own_memory() -> None:
    smooth = filter_of(50)
    smooth(values(0.5), 0)[0] = 9.0
    smooth(values(0.5), FRAME_NS)[0] = 9.0
    assert smooth(values(0.5), 2 * FRAME_NS)[0] == 0.5


@pytest.mark.parametrize("smoothing", [0, -5])
def test_smoothing_zero_is_no_filter(smoothing: int) -> None:
    assert for_sliders(smoothing, 50) is None


def test_more_responsiveness_follows_a_jump_sooner_and_leaves_a_still_face_calm() -> None:
    after = []
    for responsiveness in (0, 50, 100):
        smooth = filter_of(60, responsiveness)
        smooth(values(0.0), 0)
        smooth(values(1.0), FRAME_NS)
        after.append(float(smooth(values(1.0), 2 * FRAME_NS)[0]))
    assert after[0] < after[1] < after[2]
    assert filter_of(60, 0).minimum_cutoff_hz == filter_of(60, 100).minimum_cutoff_hz


def test_smoothing_beyond_the_slider_is_its_end() -> None:
    assert step_response(250, [FRAME_NS] * 5) == step_response(100, [FRAME_NS] * 5)
