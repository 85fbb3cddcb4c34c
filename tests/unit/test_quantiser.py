"""Rounding of poses: on the grid and near what was given, calm at edges, exact at ends, and nothing thrown away."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.parameters import MAXIMUM, MINIMUM, POSE_SIZE, Pose, PoseVector, mirror, neutral
from core.pose.quantiser import GROUPS, LEVELS, STEPS_PER_UNIT, Quantiser, grid

ROUNDING = LEVELS[1:]
BODY_AND_HEAD = ((Pose.BODY_Y, Pose.HEAD_Y), (Pose.BODY_Z, Pose.NECK_Z))


def wander(count: int = 400, seed: int = 3, step: float = 0.03) -> NDArray[np.float32]:
    """Poses that drift through their whole range, every value on its own way."""
    random = np.random.default_rng(seed)
    poses = [random.uniform(MINIMUM, MAXIMUM)]
    for _ in range(count - 1):
        poses.append(np.clip(poses[-1] + random.normal(0.0, step, POSE_SIZE), MINIMUM, MAXIMUM))
    return np.array(poses, np.float32)


def pose_of(**values: float) -> PoseVector:
    pose = neutral()
    for name, value in values.items():
        pose[Pose[name]] = value
    return pose


def everywhere(value: float | NDArray[np.float64]) -> PoseVector:
    return np.asarray(neutral() + value, np.float32)


def test_the_levels_are_those_of_the_panel() -> None:
    assert LEVELS == ("off", "low", "medium", "high", "higher", "highest", "gaming")
    assert Quantiser().level == "off"


@pytest.mark.parametrize("level", ["", "Off", "ultra", "8"])
def test_an_unknown_level_is_refused_and_changes_nothing(level: str) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        Quantiser(level)
    quantiser = Quantiser("high")
    with pytest.raises(ValueError, match="expected one of"):
        quantiser.level = level
    assert quantiser.level == "high"
    assert (quantiser(wander(1)[0]) == Quantiser("high")(wander(1)[0])).all()


def test_every_value_is_in_one_group() -> None:
    assert sorted(value for values in GROUPS.values() for value in values) == list(Pose)
    assert set(STEPS_PER_UNIT) == set(GROUPS)


def test_off_gives_every_pose_as_it_is() -> None:
    quantiser = Quantiser("off")
    for pose in wander(50):
        assert (quantiser(pose) == pose).all()


@pytest.mark.parametrize("level", LEVELS)
def test_a_result_is_a_new_pose_inside_its_ranges_and_the_input_stays(level: str) -> None:
    quantiser = Quantiser(level)
    for pose in wander(100):
        before = pose.copy()
        rounded = quantiser(pose)
        again = rounded.copy()
        assert rounded.shape == (POSE_SIZE,)
        assert rounded.dtype == np.float32
        assert (rounded >= MINIMUM).all()
        assert (rounded <= MAXIMUM).all()
        assert (pose == before).all()
        rounded[:] = 9.0
        assert (quantiser(everywhere(np.nan)) == again).all()
        assert (quantiser(pose) == again).all()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("value", [-0.0, -1e-6, -1e-30, 0.0])
def test_no_zero_is_negative(level: str, value: float) -> None:
    rounded = Quantiser(level)(np.full(POSE_SIZE, value, np.float32))
    assert not np.signbit(rounded[rounded == 0.0]).any()


@pytest.mark.parametrize("level", ROUNDING)
def test_every_value_is_on_its_grid(level: str) -> None:
    quantiser, steps = Quantiser(level), grid(level)
    for pose in wander():
        place = quantiser(pose) * steps
        assert np.abs(place - np.rint(place)).max() < 1e-4


@pytest.mark.parametrize("level", ROUNDING)
@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_rest_and_both_ends_are_on_every_grid(level: str, value: float) -> None:
    wanted = np.maximum(everywhere(value), MINIMUM)
    assert (Quantiser(level)(wanted) == wanted).all()


@pytest.mark.parametrize("level", ROUNDING)
def test_a_value_is_never_farther_away_than_it_may_be(level: str) -> None:
    quantiser, steps = Quantiser(level), grid(level)
    poses = wander(800)
    off = np.array([np.abs(quantiser(pose) - pose) * steps for pose in poses])
    assert off[0].max() <= 0.5 + 1e-4
    assert off.max() <= 0.65 + 1e-4
    assert off.max() > 0.5, "a memory"
    assert 0.2 < np.sqrt((off**2).mean()) < 0.36


@pytest.mark.parametrize("level", ROUNDING)
def test_a_value_that_trembles_on_an_edge_stays_where_it_is(level: str) -> None:
    random, steps = np.random.default_rng(5), grid(level)
    for edge in (0.5, 1.5, 2.5):
        quantiser = Quantiser(level)
        # at an end the memory is half as wide, because what is near the end belongs to it
        reach = 0.14 if edge > 0.5 else 0.07
        first = quantiser(everywhere((edge + reach / 2) / steps))
        shown = [quantiser(everywhere((edge + random.uniform(-reach, reach, POSE_SIZE)) / steps)) for _ in range(200)]
        changes = (np.diff(np.array([first, *shown]), axis=0) != 0.0).sum(axis=0)
        assert changes.max() <= 1


@pytest.mark.parametrize("level", ROUNDING)
def test_a_value_that_moves_on_passes_every_grid_point(level: str) -> None:
    for direction in (1, -1):
        quantiser, steps = Quantiser(level), grid(level)
        seen = np.array([quantiser(everywhere(value)) for value in np.linspace(0.0, 1.0, 2000)[::direction]])
        for value in Pose:
            assert len(np.unique(seen[:, value])) == steps[value] + 1
            assert (np.diff(seen[:, value]) * direction >= 0.0).all()


@pytest.mark.parametrize("level", ROUNDING)
def test_what_is_near_an_end_goes_to_the_end_at_once(level: str) -> None:
    quantiser, steps = Quantiser(level), grid(level)
    for near, end in ((0.49, MAXIMUM), (0.49, MINIMUM)):
        inward = np.where(end > 0.0, -1.0, 1.0)
        # from the point beside the end, from which 0.51 steps are no reason to move elsewhere
        quantiser(np.asarray(end + inward / steps, np.float32))
        assert (quantiser(np.asarray(end + inward * near / steps, np.float32)) == end).all()
        assert (quantiser(np.asarray(end + inward * 0.6 / steps, np.float32)) == end).all()
        assert (quantiser(np.asarray(end + inward * 0.7 / steps, np.float32)) != end).all()


@pytest.mark.parametrize("level", LEVELS)
def test_winks_and_smiles_survive(level: str) -> None:
    quantiser = Quantiser(level)
    wink = quantiser(pose_of(EYE_WINK_LEFT=1.0))
    assert wink[Pose.EYE_WINK_LEFT] == 1.0
    assert not np.delete(wink, Pose.EYE_WINK_LEFT).any()
    for strength in (0.3, 0.5, 0.625, 1.0):
        smile = quantiser(pose_of(MOUTH_RAISED_CORNER_LEFT=strength, MOUTH_RAISED_CORNER_RIGHT=strength))
        corners = smile[Pose.MOUTH_RAISED_CORNER_LEFT : Pose.MOUTH_SMIRK]
        assert np.abs(corners - strength).max() <= 0.65 / 4
        assert (corners > 0.0).all()
    blink = quantiser(pose_of(EYE_WINK_LEFT=0.98, EYE_WINK_RIGHT=0.99))
    assert (blink[Pose.EYE_WINK_LEFT : Pose.EYE_HAPPY_WINK_LEFT] == 1.0).all() or level == "off"


@pytest.mark.parametrize("level", ROUNDING)
@pytest.mark.parametrize("value", list(Pose))
def test_no_value_is_written_into_another(level: str, value: Pose) -> None:
    alone = neutral()
    alone[value] = 0.8
    rounded = Quantiser(level)(alone)
    assert rounded[value] > 0.6
    assert not np.delete(rounded, value).any()


@pytest.mark.parametrize("level", ROUNDING)
def test_left_and_right_are_rounded_alike_but_apart(level: str) -> None:
    for pose in wander(60):
        assert (Quantiser(level)(mirror(pose)) == mirror(Quantiser(level)(pose)) + 0.0).all()


@pytest.mark.parametrize("level", LEVELS)
def test_a_body_that_copies_the_head_lands_where_the_head_does(level: str) -> None:
    quantiser = Quantiser(level)
    poses = wander(600, step=0.01)
    for frame, pose in enumerate(poses):
        # on its own for a while, so that its memory is another one
        if frame % 40 >= 10:
            for body, head in BODY_AND_HEAD:
                pose[body] = pose[head]
        rounded = quantiser(pose)
        if frame % 40 >= 10:
            assert all(rounded[body] == rounded[head] for body, head in BODY_AND_HEAD)
    assert all(grid(level)[body] == grid(level)[head] for body, head in BODY_AND_HEAD)


def test_the_body_goes_its_own_way_where_it_is_no_copy() -> None:
    rounded = Quantiser("gaming")(pose_of(HEAD_Y=0.5, BODY_Y=-0.5))
    assert rounded[Pose.HEAD_Y] == 0.5
    assert rounded[Pose.BODY_Y] == -0.5


def test_levels_only_ever_get_coarser() -> None:
    for finer, coarser in pairwise(LEVELS):
        assert (grid(coarser) <= grid(finer)).all()
        assert (grid(coarser) < grid(finer)).any()


def test_no_step_is_so_coarse_that_it_is_a_jump() -> None:
    steps = grid("gaming")
    assert (steps[: Pose.HEAD_X] >= 4).all()
    assert (steps[Pose.HEAD_X :] >= 12).all()
    assert (steps == np.rint(steps)).all()


def test_the_error_grows_with_the_level() -> None:
    poses = wander(500)
    errors = []
    for level in LEVELS:
        quantiser = Quantiser(level)
        errors.append(np.mean([np.abs(quantiser(pose) - pose).mean() for pose in poses]))
    assert errors[0] == 0.0
    assert all(finer < coarser for finer, coarser in pairwise(errors))


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_not_a_number_stays_what_it_was(level: str) -> None:
    quantiser, undisturbed = Quantiser(level), Quantiser(level)
    assert not quantiser(everywhere(np.nan)).any()
    good = wander(3)
    undisturbed(everywhere(0.0))
    assert (quantiser(good[0]) == undisturbed(good[0])).all()
    broken = good[1].copy()
    broken[::2] = np.nan
    whole = np.where(np.isnan(broken), good[0], good[1])
    assert (quantiser(broken) == undisturbed(whole)).all()
    assert (quantiser(everywhere(np.nan)) == undisturbed(whole)).all()
    assert (quantiser(good[2]) == undisturbed(good[2])).all()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e30, -1e30, 1e300, -1e300, 1e-40, -1e-40])
def test_monstrous_values_are_taken_as_the_nearest_there_are(level: str, value: float) -> None:
    quantiser, undisturbed = Quantiser(level), Quantiser(level)
    monster = np.full(POSE_SIZE, value)
    rounded = quantiser(monster)
    assert np.abs(rounded - np.clip(monster, MINIMUM, MAXIMUM)).max() < 1e-6
    undisturbed(np.clip(monster, MINIMUM, MAXIMUM).astype(np.float32))
    for pose in wander(3):
        assert (quantiser(pose) == undisturbed(pose)).all()


def test_another_level_forgets_the_grid_points_and_the_same_one_does_not() -> None:
    steps = grid("highest")[Pose.MOUTH_AAA]
    beyond = pose_of(MOUTH_AAA=2.6 / steps)
    quantiser = Quantiser("highest")
    quantiser(pose_of(MOUTH_AAA=2.0 / steps))
    quantiser.level = "highest"
    assert quantiser(beyond)[Pose.MOUTH_AAA] == pytest.approx(2.0 / steps)
    quantiser.level = "low"
    quantiser.level = "highest"
    assert quantiser(beyond)[Pose.MOUTH_AAA] == pytest.approx(3.0 / steps)


def test_after_a_reset_nothing_is_remembered() -> None:
    steps = grid("highest")[Pose.MOUTH_AAA]
    quantiser = Quantiser("highest")
    quantiser(pose_of(MOUTH_AAA=2.0 / steps))
    quantiser.reset()
    assert quantiser(pose_of(MOUTH_AAA=2.6 / steps))[Pose.MOUTH_AAA] == pytest.approx(3.0 / steps)
    quantiser.reset()
    assert not quantiser(everywhere(np.nan)).any()
