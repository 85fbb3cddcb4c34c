"""The simulations that caches are compared with: EasyVtuber's rounding, our policy, and the streamer who sits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import _quantiser_steps, _test_data
from benchmarks._policy import Avoided, cost_avoided
from benchmarks._quantiser_steps import exact_steps, moves
from benchmarks._seated import at_rate, seated_trace
from benchmarks._upstream_policy import upstream_cost_avoided, upstream_keys, upstream_quantise
from core.pose.parameters import MAXIMUM, MINIMUM, POSE_SIZE, Pose, PoseVector, neutral
from core.pose.quantiser import GROUPS, LEVELS

Poses = NDArray[np.float32]
DISTINCT = {"off": 4603, "low": 4591, "medium": 4584, "high": 4579, "higher": 4567, "highest": 4527, "gaming": 4437}
"""Different poses of 5000 that were counted after EasyVtuber's own rounding: brows off, no breath, irises at rest."""

MEASURED = ("wink", "head_x", "breathing")


def pose_of(**values: float) -> PoseVector:
    pose = neutral()
    for name, value in values.items():
        pose[Pose[name]] = value
    return pose


def upstream(level: str, name: str, **values: float) -> float:
    return float(upstream_quantise(level, pose_of(**values))[Pose[name]])


@pytest.fixture(scope="module")
def trace() -> Poses:
    recorded = _test_data.trace()
    if recorded is None:
        pytest.skip("the recorded poses are not here; EASYVTUBER_TEST_DATA tells where they lie")
    return recorded


@pytest.fixture(scope="module")
def drawn_trace() -> Poses:
    """Two minutes of somebody lively, made up: steps of all sizes, blinks, a mouth that opens now and then."""
    random = np.random.default_rng(2)
    poses = [random.uniform(MINIMUM, MAXIMUM)]
    for frame in range(2401):
        pose = np.clip(poses[-1] + random.normal(0.0, 0.03, POSE_SIZE), MINIMUM, MAXIMUM)
        pose[Pose.EYE_WINK_LEFT : Pose.EYE_HAPPY_WINK_LEFT] = 1.0 if frame % 61 < 3 else 0.1
        pose[Pose.MOUTH_AAA] = 0.8 if frame % 90 < 20 else 0.0
        pose[Pose.MOUTH_III : Pose.MOUTH_DELTA + 1] = 0.0
        pose[Pose.BODY_Y], pose[Pose.BODY_Z] = pose[Pose.HEAD_Y], pose[Pose.NECK_Z]
        poses.append(pose)
    return np.array(poses[1:], np.float32)


# EasyVtuber's


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("EYEBROW_RAISED_LEFT", (1000, 200, 200, 200, 200, 128, 83)),
        ("EYE_RELAXED_RIGHT", (1000, 200, 200, 200, 200, 128, 83)),
        ("MOUTH_SMIRK", (1000, 200, 200, 200, 200, 128, 83)),
        ("BREATHING", (1000, 200, 200, 200, 200, 128, 83)),
        ("BODY_Y", (1000, 200, 200, 200, 200, 128, 83)),
        ("BODY_Z", (1000, 200, 200, 200, 200, 128, 83)),
        ("IRIS_SMALL_LEFT", (1000, 200, 200, 200, 200, 128, 83)),
        ("IRIS_ROTATION_X", (1000, 25, 25, 20, 10, 7, 5)),
        ("IRIS_ROTATION_Y", (1000, 25, 25, 20, 10, 7, 5)),
        ("HEAD_X", (1000, 200, 100, 100, 50, 32, 21)),
        ("HEAD_Y", (1000, 200, 100, 100, 50, 32, 21)),
        ("NECK_Z", (1000, 200, 200, 200, 100, 64, 42)),
    ],
)
def test_upstream_rounds_to_its_parts(name: str, parts: tuple[int, ...]) -> None:
    for level, count in zip(LEVELS, parts, strict=True):
        for value in (0.237, 0.5, 0.913):
            assert upstream(level, name, **{name: value}) == pytest.approx(round(value * count) / count, abs=1e-6)


def test_upstream_rounds_eyes_that_it_has_not_averaged() -> None:
    for level, count in (("off", 1000), ("low", 50)):
        assert upstream(level, "EYE_WINK_LEFT", EYE_WINK_LEFT=0.437) == pytest.approx(round(0.437 * count) / count)
    for level, count in (("low", 30), ("medium", 10), ("high", 10)):
        assert upstream(level, "EYE_SURPRISED_LEFT", EYE_SURPRISED_LEFT=0.437) == pytest.approx(
            round(0.437 * count) / count
        )


def test_upstream_shares_a_blink_between_two_kinds_from_medium_on() -> None:
    assert upstream("low", "EYE_HAPPY_WINK_LEFT", EYE_WINK_LEFT=1.0) == 0.0
    for level in ("medium", "high"):
        for name in ("EYE_WINK_LEFT", "EYE_HAPPY_WINK_LEFT"):
            assert upstream(level, name, EYE_WINK_LEFT=1.0) == 0.5
        assert upstream(level, "EYE_WINK_RIGHT", EYE_WINK_LEFT=1.0) == 0.0


@pytest.mark.parametrize("level", ["higher", "highest", "gaming"])
def test_upstream_cannot_wink_from_higher_on(level: str) -> None:
    rounded = upstream_quantise(level, pose_of(EYE_WINK_LEFT=1.0, EYE_SURPRISED_RIGHT=1.0))
    for left in (Pose.EYE_WINK_LEFT, Pose.EYE_HAPPY_WINK_LEFT, Pose.EYE_SURPRISED_LEFT):
        assert rounded[left] == rounded[left + 1] > 0.0
    assert upstream(level, "EYE_RAISED_LOWER_EYELID_LEFT", EYE_RAISED_LOWER_EYELID_LEFT=1.0) == 0.0


def test_upstream_loses_smiles_from_medium_on() -> None:
    smile = {"MOUTH_RAISED_CORNER_LEFT": 0.83, "MOUTH_LOWERED_CORNER_LEFT": 0.83}
    assert upstream("low", "MOUTH_RAISED_CORNER_LEFT", **smile) == pytest.approx(0.8)
    for level in ("medium", "high", "higher"):
        assert upstream(level, "MOUTH_RAISED_CORNER_LEFT", **smile) == 0.0
        assert upstream(level, "MOUTH_LOWERED_CORNER_LEFT", **smile) == 0.0
        assert upstream(level, "MOUTH_RAISED_CORNER_RIGHT", MOUTH_UUU=0.3) == 0.5
    for level in ("highest", "gaming"):
        assert upstream(level, "MOUTH_RAISED_CORNER_RIGHT", MOUTH_AAA=0.3) == pytest.approx(0.4)


def test_upstream_merges_vowels() -> None:
    for level in ("medium", "high"):
        assert upstream(level, "MOUTH_OOO", MOUTH_UUU=0.3, MOUTH_OOO=0.9) == pytest.approx(1.2)
        assert upstream(level, "MOUTH_UUU", MOUTH_UUU=0.3) == 0.0
    assert upstream("higher", "MOUTH_AAA", MOUTH_AAA=0.2, MOUTH_III=0.3, MOUTH_UUU=0.3) == pytest.approx(0.5)
    assert upstream("higher", "MOUTH_AAA", MOUTH_AAA=0.8, MOUTH_OOO=0.8) == 1.0
    assert upstream("higher", "MOUTH_III", MOUTH_III=0.3) == 0.0
    assert upstream("higher", "MOUTH_OOO", MOUTH_OOO=0.3) == 0.0


def test_upstream_puts_brows_to_rest_unless_they_are_wanted() -> None:
    pose = pose_of(EYEBROW_RAISED_LEFT=1.0, HEAD_X=0.5)
    before = pose.copy()
    assert upstream_quantise("low", pose)[Pose.EYEBROW_RAISED_LEFT] == 1.0
    assert upstream_quantise("low", pose, brows=False)[Pose.EYEBROW_RAISED_LEFT] == 0.0
    assert (pose == before).all()


@pytest.mark.parametrize("level", LEVELS)
def test_upstream_finds_as_many_different_poses_as_were_counted(level: str, trace: Poses) -> None:
    poses = trace.copy()
    poses[:, Pose.BREATHING] = 0.0
    poses[:, Pose.IRIS_SMALL_LEFT : Pose.MOUTH_AAA] = 0.0
    numbers = {(upstream_quantise(level, pose, brows=False) + 0.0).tobytes() for pose in poses}
    # which way a few exact halves go depends on the width of the numbers
    assert abs(len(numbers) - DISTINCT[level]) <= 3


def test_upstream_pays_for_every_text_once() -> None:
    poses = np.array([pose_of(HEAD_X=value) for value in (0.1, 0.1, 0.101, 0.3, 0.1)])
    assert upstream_cost_avoided("low", poses) == pytest.approx(3 / 5)
    assert len(set(upstream_keys("off", poses))) == 3
    assert upstream_cost_avoided("off", poses) == 0.0, "it has no cache then"
    assert len(set(upstream_keys("low", np.array([pose_of(HEAD_X=-0.0001), pose_of(HEAD_X=0.0001)])))) == 2, "-0."


# Ours


def test_our_policy_counts_what_was_done() -> None:
    first, head, face = pose_of(), pose_of(HEAD_X=0.5), pose_of(EYE_WINK_LEFT=1.0)
    poses = np.array([first, first, head, first, face, face, first, head])
    # drawn in full: first and face; with a known face: head; the rest is known or the same
    for level in LEVELS:
        assert cost_avoided(level, poses, 0.9) == pytest.approx(Avoided(1.0 - 2.9 / 8, 2 / 8, 3 / 8, 1 / 8))
        assert cost_avoided(level, poses, 0.25).cost == pytest.approx(1.0 - 2.25 / 8)


def test_our_policy_refuses_an_unknown_level() -> None:
    with pytest.raises(ValueError, match="expected one of"):
        cost_avoided("ultra", np.array([neutral()]))


def test_shares_are_shares_and_coarser_levels_spare_more(drawn_trace: Poses) -> None:
    seated = seated_trace(drawn_trace)
    avoided = [cost_avoided(level, seated) for level in LEVELS]
    for one in avoided:
        assert all(0.0 <= share <= 1.0 for share in one)
        assert one.cost == pytest.approx(one.unchanged + one.frame_hits + 0.1 * one.face_hits)
    assert avoided[0].cost < avoided[1].cost < avoided[3].cost < avoided[-1].cost


@pytest.mark.parametrize("level", LEVELS[1:])
def test_ours_spares_more_than_upstream(level: str, trace: Poses) -> None:
    for poses in (trace[:1500], seated_trace(trace)[:1500]):
        assert cost_avoided(level, poses).cost > upstream_cost_avoided(level, poses)


# The streamer who sits


def test_the_seated_streamer_is_the_same_every_time(drawn_trace: Poses) -> None:
    once, before = seated_trace(drawn_trace, 20.0, 4), drawn_trace.copy()
    assert (once == seated_trace(drawn_trace, 20.0, 4)).all()
    assert (once != seated_trace(drawn_trace, 20.0, 5)).any()
    assert (drawn_trace == before).all()


@pytest.mark.parametrize("rate", [20.0, 60.0])
def test_the_seated_streamer_has_poses_like_any_other(drawn_trace: Poses, rate: float) -> None:
    seated = seated_trace(drawn_trace, rate)
    assert seated.shape == drawn_trace.shape
    assert seated.dtype == np.float32
    assert (seated >= MINIMUM).all()
    assert (seated <= MAXIMUM).all()
    assert (seated[:, Pose.BODY_Y] == seated[:, Pose.HEAD_Y]).all()
    assert (seated[:, Pose.BODY_Z] == seated[:, Pose.NECK_Z]).all()
    assert (seated[:, Pose.BREATHING] == drawn_trace[:, Pose.BREATHING]).all()


def test_who_sits_moves_little_talks_and_blinks(trace: Poses) -> None:
    seated = seated_trace(trace)
    head = seated[:, Pose.HEAD_X : Pose.BODY_Y]
    steps = np.abs(np.diff(head, axis=0))
    assert head.std(axis=0).max() < 0.5 * trace[:, Pose.HEAD_X : Pose.BODY_Y].std(axis=0).max()
    assert np.median(np.abs(head)) < 0.12
    assert (np.median(steps, axis=0) > 0.001).all()
    assert (np.median(steps, axis=0) < 0.01).all()
    assert steps.max() > 0.2, "a big movement now and then"
    mouth = seated[:, Pose.MOUTH_AAA : Pose.MOUTH_DELTA].sum(axis=1) > 0.05
    assert 0.05 < mouth.mean() < 0.4
    lids = seated[:, Pose.EYE_WINK_LEFT] > 0.5
    blinks = int((np.diff(lids.astype(int)) == 1).sum())
    assert 15 < blinks < 250
    assert lids.mean() < 0.1


def test_a_silent_recording_makes_a_silent_streamer(drawn_trace: Poses) -> None:
    silent = drawn_trace.copy()
    silent[:, Pose.MOUTH_AAA : Pose.MOUTH_DELTA + 1] = 0.0
    assert not seated_trace(silent)[:, Pose.MOUTH_AAA : Pose.MOUTH_DELTA].any()


def test_a_short_recording_will_do() -> None:
    assert seated_trace(np.array([neutral()] * 3)).shape == (3, POSE_SIZE)


def test_another_rate_is_the_same_movement(drawn_trace: Poses) -> None:
    faster = at_rate(drawn_trace, 20.0, 60.0)
    assert len(faster) == (len(drawn_trace) - 1) * 3 + 1
    assert faster[::3] == pytest.approx(drawn_trace, abs=1e-6)
    assert faster[1] == pytest.approx(drawn_trace[0] * 2 / 3 + drawn_trace[1] / 3, abs=1e-6)
    assert (faster[:, Pose.BODY_Y] == faster[:, Pose.HEAD_Y]).all()
    assert (at_rate(drawn_trace, 20.0, 20.0) == drawn_trace).all()
    slower = at_rate(drawn_trace, 20.0, 10.0)
    assert slower == pytest.approx(drawn_trace[::2], abs=1e-6)
    assert at_rate(drawn_trace[:1], 20.0, 60.0) == pytest.approx(drawn_trace[:1])


# How the steps were found


def test_what_is_nudged_together_covers_every_value_once() -> None:
    nudged = [value for name in GROUPS for move in moves(name) for value in move]
    assert sorted(nudged) == list(Pose)
    assert moves("wink") == [(Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT)]
    assert moves("neck_z") == [(Pose.NECK_Z, Pose.BODY_Z)]
    assert len(moves("vowels")) == 5
    assert moves("gaze") == [(Pose.IRIS_ROTATION_X,), (Pose.IRIS_ROTATION_Y,)]


def test_a_step_leaves_the_error_it_was_made_for() -> None:
    # 16 of 255 at a nudge of 0.01: 255 / 10 ** (40 / 20) = 2.55 at a nudge of 0.00159, a step of 0.00552
    assert exact_steps("neck_z", 0.01)[0] == pytest.approx(1.0 / (0.01 * 2.55 / 16.0 * 12.0**0.5))
    assert exact_steps("wink", 10.0) == [12.0, 10.0, 8.0, 6.0, 5.0, 4.0]
    assert exact_steps("breathing", 10.0) == [24.0, 20.0, 16.0, 12.0, 12.0, 12.0]
    assert exact_steps("head_y", 10.0) == [100.0, 60.0, 40.0, 28.0, 20.0, 12.0]


def test_the_measurement_needs_a_student(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _quantiser_steps.main(["--character", str(tmp_path), "--json", str(tmp_path / "figures.json")]) == 2
    assert "There is no THA4 student" in capsys.readouterr().out
    assert not (tmp_path / "figures.json").exists()


def test_the_measurement_agrees_with_the_steps_in_force(trace: Poses, tmp_path: Path) -> None:
    if not (_test_data.folder() / "models" / "tha4_student" / "lambda_00").is_dir():
        pytest.skip("the student is not here; EASYVTUBER_TEST_DATA tells where it lies")
    file = tmp_path / "figures.json"
    assert _quantiser_steps.main(["--poses", "1", "--groups", *MEASURED, "--json", str(file)]) == 0
    figures = json.loads(file.read_text(encoding="utf-8"))
    for name in MEASURED:
        exact = np.array(figures[f"{name}_exact"].split(), float)
        in_force = np.array(figures[f"{name}_in_force"].split(), float)
        # one pose is not eight: the neck moves more or less of the picture
        assert (np.abs(np.log(exact / in_force)) < np.log(1.6)).all(), name
