"""Head rotations: angles to quaternions and back, relative to a neutral, and their mean."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose import rotation
from core.pose.rotation import IDENTITY, Quaternion

ANGLE = st.floats(-80.0, 80.0)
HEAD = st.tuples(ANGLE, ANGLE, ANGLE)


def angle_between(first: Quaternion, second: Quaternion) -> float:
    """Degrees of the turn that leads from one to the other."""
    return math.degrees(2.0 * math.acos(min(abs(sum(a * b for a, b in zip(first, second, strict=True))), 1.0)))


@given(HEAD)
def test_angles_come_back_from_a_quaternion(head: tuple[float, float, float]) -> None:
    assert rotation.to_degrees(rotation.from_degrees(head)) == pytest.approx(head, abs=1e-6)


@given(HEAD)
def test_quaternions_from_angles_have_length_one(head: tuple[float, float, float]) -> None:
    assert math.hypot(*rotation.from_degrees(head)) == pytest.approx(1.0)


@given(HEAD)
def test_nothing_lies_between_a_head_and_itself(head: tuple[float, float, float]) -> None:
    turned = rotation.from_degrees(head)
    assert rotation.to_degrees(rotation.relative(turned, turned)) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


@given(HEAD)
def test_relative_to_no_turn_is_the_turn_itself(head: tuple[float, float, float]) -> None:
    assert rotation.relative(rotation.from_degrees(head), IDENTITY) == pytest.approx(rotation.from_degrees(head))


@given(HEAD, HEAD)
def test_relative_undoes_multiply(neutral: tuple[float, float, float], turn: tuple[float, float, float]) -> None:
    resting, turned = rotation.from_degrees(neutral), rotation.from_degrees(turn)
    assert rotation.relative(rotation.multiply(resting, turned), resting) == pytest.approx(turned, abs=1e-9)


@pytest.mark.parametrize("head", [(20.0, 0.0, 0.0), (0.0, 20.0, 0.0), (0.0, 0.0, 20.0)])
def test_turns_about_one_axis_simply_add(head: tuple[float, float, float]) -> None:
    once = rotation.from_degrees(head)
    assert rotation.to_degrees(rotation.multiply(once, once)) == pytest.approx([2 * angle for angle in head])


def test_a_turn_past_the_wrap_is_still_a_small_turn() -> None:
    before, after = rotation.from_degrees((0.0, 0.0, 179.0)), rotation.from_degrees((0.0, 0.0, -179.0))
    assert rotation.to_degrees(rotation.relative(after, before)) == pytest.approx((0.0, 0.0, 2.0), abs=1e-6)


def test_a_head_that_looks_sideways_still_nods_about_its_own_axis() -> None:
    aside, nodding = rotation.from_degrees((0.0, 60.0, 0.0)), rotation.from_degrees((15.0, 60.0, 0.0))
    assert rotation.to_degrees(rotation.relative(nodding, aside)) == pytest.approx((15.0, 0.0, 0.0), abs=1e-6)


def test_the_mean_of_nothing_is_no_turn() -> None:
    assert rotation.mean([]) == IDENTITY


def test_the_mean_lies_in_the_middle() -> None:
    turns = [rotation.from_degrees((0.0, yaw, 0.0)) for yaw in (10.0, 20.0, 30.0)]
    assert rotation.to_degrees(rotation.mean(turns)) == pytest.approx((0.0, 20.0, 0.0), abs=1e-6)


@given(HEAD)
def test_the_mean_takes_both_writings_of_a_turn_as_one(head: tuple[float, float, float]) -> None:
    w, x, y, z = rotation.from_degrees(head)
    assert angle_between(rotation.mean([(w, x, y, z), (-w, -x, -y, -z)]), (w, x, y, z)) == pytest.approx(0.0, abs=1e-3)
