"""Values from outside: faded in, held, faded out."""

from __future__ import annotations

from itertools import pairwise

import pytest

from core.pose.override import OverrideLayer
from core.pose.parameters import Pose, neutral

FRAME_NS = 16_666_667


def run(layer: OverrideLayer, start: int, frames: int, values: dict[int, float], under: float = 0.2) -> list[float]:
    pose = neutral()
    pose[Pose.MOUTH_AAA] = under
    return [float(layer.apply(pose, values, start + n * FRAME_NS)[Pose.MOUTH_AAA]) for n in range(frames)]


def test_a_value_comes_stays_and_goes_without_a_jump() -> None:
    layer = OverrideLayer()
    before = run(layer, 0, 5, {})
    held = run(layer, 5 * FRAME_NS, 60, {Pose.MOUTH_AAA: 1.0})
    after = run(layer, 65 * FRAME_NS, 60, {})
    assert (before[-1], held[-1], after[-1]) == pytest.approx((0.2, 1.0, 0.2))
    assert max(abs(b - a) for a, b in pairwise([*before, *held, *after])) < 0.15


def test_other_values_are_left_alone() -> None:
    layer, pose = OverrideLayer(), neutral()
    pose[Pose.HEAD_X] = 0.7
    for n in range(30):
        shown = layer.apply(pose, {Pose.MOUTH_AAA: 1.0}, n * FRAME_NS)
    assert shown[Pose.HEAD_X] == pytest.approx(0.7)


def test_without_any_value_the_pose_is_given_on() -> None:
    pose = neutral()
    assert OverrideLayer().apply(pose, {}, 5) is pose
