"""The 45 pose values: names and ranges as the networks were trained with, mirroring, clamping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.parameters import EYEBROWS, FACE, MAXIMUM, MINIMUM, POSE_SIZE, ROTATION, Pose, clamp, mirror, neutral

REFERENCE = (
    ("eyebrow_troubled", 2), ("eyebrow_angry", 2), ("eyebrow_lowered", 2), ("eyebrow_raised", 2), ("eyebrow_happy", 2),
    ("eyebrow_serious", 2), ("eye_wink", 2), ("eye_happy_wink", 2), ("eye_surprised", 2), ("eye_relaxed", 2),
    ("eye_unimpressed", 2), ("eye_raised_lower_eyelid", 2), ("iris_small", 2), ("mouth_aaa", 1), ("mouth_iii", 1),
    ("mouth_uuu", 1), ("mouth_eee", 1), ("mouth_ooo", 1), ("mouth_delta", 1), ("mouth_lowered_corner", 2),
    ("mouth_raised_corner", 2), ("mouth_smirk", 1), ("iris_rotation_x", 1), ("iris_rotation_y", 1), ("head_x", 1),
    ("head_y", 1), ("neck_z", 1), ("body_y", 1), ("body_z", 1), ("breathing", 1),
)  # fmt: skip
"""The groups of THA4's pose parameters in order; two values are the character's left and right."""


def test_names_are_the_references_in_its_order() -> None:
    expected = []
    for name, arity in REFERENCE:
        expected += [name] if arity == 1 else [f"{name}_left", f"{name}_right"]
    assert [value.name.lower() for value in Pose] == expected
    assert [int(value) for value in Pose] == list(range(POSE_SIZE)) == list(range(45))


def test_only_gaze_head_and_body_have_two_directions() -> None:
    two_sided = [value.name for value in Pose if MINIMUM[value] == -1.0]
    assert two_sided == ["IRIS_ROTATION_X", "IRIS_ROTATION_Y", "HEAD_X", "HEAD_Y", "NECK_Z", "BODY_Y", "BODY_Z"]
    assert set(np.unique(MINIMUM)) == {-1.0, 0.0}
    assert set(np.unique(MAXIMUM)) == {1.0}


def test_the_networks_parts_cover_every_value_once() -> None:
    covered = [index for part in (EYEBROWS, FACE, ROTATION) for index in range(part.start, part.stop)]
    assert covered == list(range(POSE_SIZE))


def test_neutral_is_all_zero_and_fresh_every_time() -> None:
    first = neutral()
    first[:] = 1.0
    assert neutral().dtype == np.float32
    assert not neutral().any()


@pytest.mark.parametrize("constant", [MAXIMUM, MINIMUM])
def test_the_ranges_cannot_be_changed_by_accident(constant: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        constant[0] = 5.0


@given(st.lists(st.floats(-1, 1, width=32), min_size=POSE_SIZE, max_size=POSE_SIZE))
def test_mirroring_twice_changes_nothing(values: list[float]) -> None:
    pose = np.array(values, np.float32)
    assert np.array_equal(mirror(mirror(pose)), pose)


def test_a_mirror_swaps_sides_and_turns_around_what_turns() -> None:
    pose = neutral()
    pose[Pose.EYE_WINK_LEFT], pose[Pose.MOUTH_RAISED_CORNER_RIGHT] = 1.0, 0.5
    pose[Pose.HEAD_Y], pose[Pose.HEAD_X], pose[Pose.NECK_Z], pose[Pose.IRIS_ROTATION_Y] = 0.4, 0.3, -0.2, 0.1
    seen = mirror(pose)
    assert (seen[Pose.EYE_WINK_LEFT], seen[Pose.EYE_WINK_RIGHT]) == (0.0, 1.0)
    assert (seen[Pose.MOUTH_RAISED_CORNER_LEFT], seen[Pose.MOUTH_RAISED_CORNER_RIGHT]) == (0.5, 0.0)
    turned = [float(seen[value]) for value in (Pose.HEAD_Y, Pose.HEAD_X, Pose.NECK_Z, Pose.IRIS_ROTATION_Y)]
    assert turned == pytest.approx([-0.4, 0.3, 0.2, -0.1])


def test_a_mirror_leaves_what_has_no_side() -> None:
    pose = neutral()
    one_sided = [Pose.MOUTH_AAA, Pose.MOUTH_SMIRK, Pose.IRIS_ROTATION_X, Pose.HEAD_X, Pose.BREATHING]
    pose[one_sided] = 0.7
    assert np.array_equal(mirror(pose), pose)


@given(st.lists(st.floats(width=32), min_size=POSE_SIZE, max_size=POSE_SIZE))
def test_clamp_makes_any_numbers_a_pose(values: list[float]) -> None:
    clamped = clamp(np.array(values, np.float32))
    assert clamped.dtype == np.float32
    assert np.isfinite(clamped).all()
    assert (clamped >= MINIMUM).all()
    assert (clamped <= MAXIMUM).all()


def test_clamp_keeps_what_is_inside_and_makes_a_new_array() -> None:
    pose = np.linspace(0, 1, POSE_SIZE, dtype=np.float32)
    clamped = clamp(pose)
    assert np.array_equal(clamped, pose)
    assert not np.shares_memory(clamped, pose)


def test_clamp_takes_what_is_no_number_as_rest() -> None:
    assert not clamp(np.full(POSE_SIZE, np.nan, np.float32)).any()
