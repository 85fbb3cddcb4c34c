"""Pose values by name, and the texts that keep numbers for them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.parameters import MINIMUM, Pose
from core.wire.pose_values import (
    NAMES,
    SIGNED,
    STEMS,
    Tuning,
    indices,
    read_numbers,
    read_pose,
    read_tuning,
    write_numbers,
    write_pose,
    write_tuning,
)

LONGEST = 8192


def test_the_names_are_those_of_the_pose_in_its_order() -> None:
    assert [value.name.lower() for value in Pose] == list(NAMES)
    assert [name for name in NAMES if MINIMUM[NAMES.index(name)] < 0.0] == list(SIGNED)


def test_a_name_without_its_side_stands_for_both() -> None:
    assert indices("eye_wink") == [Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT]
    assert indices("eye_wink_left") == [Pose.EYE_WINK_LEFT]
    assert indices("mouth_aaa") == [Pose.MOUTH_AAA]
    assert indices("ears") == indices("") == []
    assert sorted(place for stem in STEMS for place in indices(stem)) == list(range(len(NAMES)))


def test_a_pose_comes_back_as_it_was_written() -> None:
    values = {"head_x": -0.25, "mouth_aaa": 1.0, "eye_wink": 0.5}
    assert read_pose(write_pose({**values, "mouth_iii": 0.0})) == values


def test_values_are_brought_into_their_range() -> None:
    assert read_pose("head_x=-7 mouth_aaa=-1 eye_wink=9") == {"head_x": -1.0, "mouth_aaa": 0.0, "eye_wink": 1.0}


@pytest.mark.parametrize(
    "text", ["", "ears=1", "mouth_aaa", "mouth_aaa=", "mouth_aaa=nan", "=1", "mouth_aaa=1,x", ",,,"]
)
def test_what_does_not_fit_is_left_out(text: str) -> None:
    assert read_pose(text) == {}
    assert read_pose(f"{text} head_y=0.5") == {"head_y": 0.5}


def test_a_tuning_comes_back_and_what_is_usual_is_not_written() -> None:
    tuned = {"eye_wink_left": Tuning(1.5, 2.0, 0.1), "mouth_aaa": Tuning(dead=0.05)}
    assert read_tuning(write_tuning({**tuned, "head_x": Tuning()})) == tuned
    assert read_tuning("mouth_aaa=2") == {"mouth_aaa": Tuning(2.0)}
    assert read_tuning("mouth_aaa=99,99,99") == {"mouth_aaa": Tuning(4.0, 4.0, 0.8)}


def test_every_value_tuned_still_fits_into_the_setting() -> None:
    everything = {name: Tuning(1.234, 2.345, 0.123) for name in (*NAMES, *STEMS)}
    assert len(write_tuning(everything)) < LONGEST
    assert read_tuning(write_tuning(everything)) == everything


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    for numbers in read_numbers(text).values():
        assert all(map(math.isfinite, numbers))


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.floats(-100, 100), min_size=1, max_size=3)))
def test_numbers_come_back_to_three_places(numbers: dict[str, list[float]]) -> None:
    again = read_numbers(write_numbers(numbers))
    assert again.keys() == numbers.keys()
    for name, values in numbers.items():
        assert again[name] == pytest.approx(values, abs=0.001)
