"""VRM's presets to pose values: both spellings, what each preset moves, and which way eyes and head go."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.mapping import MAPPINGS, vrm
from core.pose.parameters import Pose, PoseVector

REST = np.zeros(vrm.VALUE_COUNT, np.float32)
VRM_0 = (
    "A I U E O Blink Blink_L Blink_R Joy Angry Sorrow Fun LookUp LookDown LookLeft LookRight".split(),
    "aa ih ou ee oh blink blinkLeft blinkRight happy angry sad relaxed lookUp lookDown lookLeft lookRight".split(),
)


def values(**presets: float) -> NDArray[np.float32]:
    """A face by the names of the constants in lower case."""
    face = REST.copy()
    for name, value in presets.items():
        face[getattr(vrm, name.upper())] = value
    return face


def posed(**presets: float) -> PoseVector:
    return vrm.to_pose(values(**presets), REST, (0.0, 0.0, 0.0))


def against(neutral: NDArray[np.float32], **presets: float) -> PoseVector:
    return vrm.to_pose(values(**presets), neutral, (0.0, 0.0, 0.0))


def moved(pose: PoseVector) -> dict[str, float]:
    return {Pose(place).name.lower(): round(float(value), 3) for place, value in enumerate(pose) if value}


def both(name: str, value: float) -> dict[str, float]:
    return {f"{name}_left": value, f"{name}_right": value}


@pytest.mark.parametrize(("old", "new"), list(zip(*VRM_0, strict=True)))
def test_vrm_0_and_vrm_1_spell_the_same_presets(old: str, new: str) -> None:
    assert vrm.BY_SPELLING[old.lower()] == vrm.BY_SPELLING[new.lower()]


def test_every_preset_has_a_value_of_its_own() -> None:
    places = {vrm.BY_SPELLING[name.lower()] for name in [*VRM_0[0], "surprised"]}
    assert places == set(range(vrm.VALUE_COUNT)) - {vrm.GAZE_UP, vrm.GAZE_RIGHT}


def test_the_table_of_mappings_knows_it() -> None:
    mapping = MAPPINGS[vrm.VOCABULARY]
    assert mapping.to_pose is vrm.to_pose
    assert mapping.shapes is vrm.SHAPES
    assert vrm.SHAPES.shape == (vrm.VALUE_COUNT,)


def test_a_calibration_stretches_shapes_but_not_the_gaze() -> None:
    gaze = {vrm.LOOK_UP, vrm.LOOK_DOWN, vrm.LOOK_LEFT, vrm.LOOK_RIGHT, vrm.GAZE_UP, vrm.GAZE_RIGHT}
    assert {place for place in range(vrm.VALUE_COUNT) if not vrm.SHAPES[place]} == gaze


def test_a_resting_face_is_a_resting_pose() -> None:
    pose = vrm.to_pose(REST, REST, (0.0, 0.0, 0.0))
    assert pose.shape == (45,)
    assert pose.dtype == np.float32
    assert moved(pose) == {}


@pytest.mark.parametrize(
    ("preset", "value"),
    [
        ("mouth_a", "mouth_aaa"),
        ("mouth_i", "mouth_iii"),
        ("mouth_u", "mouth_uuu"),
        ("mouth_e", "mouth_eee"),
        ("mouth_o", "mouth_ooo"),
        ("blink_left", "eye_wink_left"),
        ("blink_right", "eye_wink_right"),
    ],
)
def test_mouths_and_winks_move_one_value_each(preset: str, value: str) -> None:
    assert moved(posed(**{preset: 0.5})) == {value: 0.5}


def test_a_blink_closes_both_eyes() -> None:
    assert moved(posed(blink=1.0)) == both("eye_wink", 1.0)


def test_a_blink_and_a_wink_at_once_close_an_eye_once() -> None:
    assert moved(posed(blink=0.5, blink_left=1.0)) == {"eye_wink_left": 1.0, "eye_wink_right": 0.5}


def test_joy_smiles_with_mouth_and_brows_and_closes_eyes_happily() -> None:
    assert moved(posed(joy=1.0)) == {**both("eyebrow_happy", 1.0), **both("mouth_raised_corner", 1.0)}
    laughing = moved(posed(joy=1.0, blink=1.0))
    assert laughing["eye_happy_wink_left"] == laughing["eye_happy_wink_right"] == 1.0
    assert "eye_wink_left" not in laughing


def test_anger_and_sorrow_move_brows_and_mouth() -> None:
    assert moved(posed(angry=0.5)) == both("eyebrow_angry", 0.5)
    assert moved(posed(sorrow=0.5)) == {**both("eyebrow_troubled", 0.5), **both("mouth_lowered_corner", 0.5)}


def test_fun_relaxes_the_lids_by_half_and_lifts_the_brows() -> None:
    relaxed = moved(posed(fun=1.0))
    assert relaxed["eye_relaxed_left"] == relaxed["eye_relaxed_right"] == 0.5
    assert relaxed["eyebrow_happy_left"] == 1.0
    assert "eye_relaxed_left" not in moved(posed(fun=1.0, blink=1.0)), "a closed lid has nothing to relax"


def test_surprise_opens_the_eyes_and_raises_the_brows() -> None:
    assert moved(posed(surprised=0.5)) == {**both("eye_surprised", 0.5), **both("eyebrow_raised", 0.5)}


@pytest.mark.parametrize(
    ("preset", "value", "sign"),
    [
        ("look_up", Pose.IRIS_ROTATION_X, 1),
        ("look_down", Pose.IRIS_ROTATION_X, -1),
        ("look_right", Pose.IRIS_ROTATION_Y, 1),
        ("look_left", Pose.IRIS_ROTATION_Y, -1),
        ("gaze_up", Pose.IRIS_ROTATION_X, 1),
        ("gaze_right", Pose.IRIS_ROTATION_Y, 1),
    ],
)
def test_the_eyes_go_up_and_to_the_own_right(preset: str, value: Pose, sign: int) -> None:
    pose = posed(**{preset: 0.5})
    assert set(moved(pose)) == {value.name.lower()}
    assert sign * float(pose[value]) > 0.2


def test_the_gaze_is_relative_to_where_the_eyes_rest() -> None:
    resting = values(gaze_up=0.25, look_left=0.25)
    assert moved(against(resting, gaze_up=0.25, look_left=0.25)) == {}
    assert against(resting, look_left=0.25)[Pose.IRIS_ROTATION_X] < 0.0


def test_shapes_are_not_measured_against_the_neutral_twice() -> None:
    assert moved(against(values(mouth_a=0.25), mouth_a=0.5)) == {"mouth_aaa": 0.5}


def test_the_head_turns_as_with_every_tracker() -> None:
    pose = vrm.to_pose(REST, REST, (7.5, -7.5, 3.0))
    assert (pose[Pose.HEAD_X], pose[Pose.HEAD_Y], pose[Pose.NECK_Z]) == (-0.5, 0.5, np.float32(0.2))


def test_more_than_full_stays_a_pose() -> None:
    pose = vrm.to_pose(np.full(vrm.VALUE_COUNT, 1.5, np.float32), REST, (0.0, 0.0, 0.0))
    assert np.isfinite(pose).all()
    assert pose[Pose.EYE_WINK_LEFT] >= 0.0
    assert pose[Pose.EYE_RELAXED_LEFT] >= 0.0
