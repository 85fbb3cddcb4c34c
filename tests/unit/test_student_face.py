"""A student's newer face in a picture that is bent: when it is looked at, where it is painted, how near it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.pose.parameters import EYEBROWS, Pose
from core.render.compose import Composer
from core.render.visible import visible_bands
from models.base import Picture
from models.motion import FaceChange
from models.student.model import StudentModel
from models.student.moving import find_moving
from models.student.regions import Regions, Split, whole_face
from models.student.weights import Layer, SineNetwork, StudentWeights
from tests.unit.real_student import open_real_student, poses_of
from tests.unit.student_networks import (
    FACE_LEFT,
    FACE_TOP,
    FACE_VALUES,
    SIZE,
    Array,
    figure,
    small_character,
    some_poses,
)
from tests.unit.student_runtime import WatchedRuntime, closed_twice

TURNED = some_poses(2, seed=31)[1]
MOUTH, EYES = [Pose.MOUTH_AAA, Pose.MOUTH_SMIRK], [Pose.EYE_WINK_LEFT, Pose.IRIS_ROTATION_Y]


def lively() -> tuple[StudentWeights, Array]:
    """The small character with a face that changes as much as a real one's, and without its finest waves, so that
    what changes lies together."""
    weights, picture = small_character(0.1)
    first, *rest = weights.face.levels[0]
    weight = first.weight.copy()
    weight[:, 2:] *= 12.0
    face = SineNetwork(((Layer(weight, first.bias), *rest),), weights.face.output)
    return StudentWeights(face, weights.body), picture


def opened(runtime: WatchedRuntime, face_on: WatchedRuntime | None = None) -> StudentModel:
    weights, picture = lively()
    regions = Regions(Split.exactly(figure()), Split.exactly(whole_face()))
    return StudentModel(weights, picture, regions, runtime, SIZE, processor=face_on)


@pytest.fixture(scope="module")
def runtime() -> WatchedRuntime:
    return WatchedRuntime()


@pytest.fixture(scope="module")
def model(runtime: WatchedRuntime) -> Iterator[StudentModel]:
    yield from closed_twice(opened(runtime), runtime)


def draw(model: StudentModel, pose: Array) -> Picture:
    out = np.zeros((model.size, model.size, 4), np.uint8)
    model.render(pose, out)
    return out


def other(pose: Array, values: list[Pose], by: float = 0.6) -> Array:
    """The pose with other values."""
    made = pose.copy()
    made[values] = np.where(made[values] > 0.5, made[values] - by, made[values] + by)
    return made


def shown(model: StudentModel, picture: Picture, rendered: Array, pose: Array, face: bool = True) -> Picture:
    """The picture of one pose bent to another one."""
    change = model.face_change(rendered, pose) if face else None
    displacement = model.motion([rendered], pose)
    return Composer().compose(picture, visible_bands(picture), displacement=displacement, change=change).copy()


def reach(change: FaceChange) -> Array:
    """Shape (512, 512): where it changes what is seen."""
    found = np.zeros((SIZE, SIZE), np.bool_)
    height, width = change.paint.shape[:2]
    found[change.top : change.top + height, change.left : change.left + width] = change.paint.any(axis=2)
    return found


def inner(where: Array) -> Array:
    """Without the rim, where a part of a face that goes on changing beyond its points fades out."""
    return np.asarray(cv2.erode(where.astype(np.uint8), np.ones((9, 9), np.uint8)), np.bool_)


def error(first: Picture, second: Picture, where: Array) -> float:
    return float(((first.astype(np.float64) - second)[where] ** 2).mean())


# -- when -------------------------------------------------------------------------------------------------------------


def test_a_face_that_stays_costs_nothing(model: StudentModel, runtime: WatchedRuntime) -> None:
    pose = TURNED.copy()
    pose[FACE_VALUES:] *= 0.5
    runtime.taken_runs()
    assert model.face_change(TURNED, pose) is None
    assert model.face_change(TURNED, TURNED.copy()) is None
    assert runtime.taken_runs() == {}


def test_eyebrows_wait_for_the_next_picture(model: StudentModel, runtime: WatchedRuntime) -> None:
    pose = TURNED.copy()
    pose[EYEBROWS] = 1.0 - pose[EYEBROWS]
    runtime.taken_runs()
    assert model.face_change(TURNED, pose) is None
    assert runtime.taken_runs() == {}


@pytest.mark.parametrize(("values", "parts"), [(MOUTH, 1), (EYES, 1), (MOUTH + EYES, 2)])
def test_only_what_changed_is_looked_at_and_what_was_seen_not_again(values: list[Pose], parts: int) -> None:
    own = WatchedRuntime()
    model = opened(own)
    own.taken_runs()
    pose = other(TURNED, values)
    first = model.face_change(TURNED, pose)
    assert own.taken_runs() == {"face change": 2 * parts, "face place": 1}
    again = model.face_change(TURNED, pose)
    assert own.taken_runs() == {}
    assert first is not None
    assert again is not None
    assert np.array_equal(first.paint, again.paint)
    model.face_change(TURNED, other(pose, values, 0.2))
    assert own.taken_runs() == {"face change": parts}
    model.close()


def test_poses_out_of_range_are_clamped(model: StudentModel) -> None:
    wild = other(TURNED, EYES)
    wild[Pose.MOUTH_AAA], wild[Pose.HEAD_X] = np.nan, np.inf
    inside = wild.copy()
    inside[Pose.MOUTH_AAA], inside[Pose.HEAD_X] = 0.0, 1.0
    for first, second in (((wild, TURNED), (inside, TURNED)), ((TURNED, wild), (TURNED, inside))):
        found, expected = model.face_change(*first), model.face_change(*second)
        assert found is not None
        assert expected is not None
        assert np.array_equal(found.paint, expected.paint)


def test_it_is_computed_on_the_processor_and_leaves_cores_to_the_picture() -> None:
    card, elsewhere = WatchedRuntime(on_host=False), WatchedRuntime()
    model = opened(card, elsewhere)
    card.taken_runs()
    assert model.face_change(TURNED, other(TURNED, MOUTH)) is not None
    assert card.taken_runs() == {}
    assert not any(network.alone for network in elsewhere.networks)
    assert not any("face change" in network.name for network in (*card.networks, *card.prepared))
    model.close()
    assert (card.open_sessions, elsewhere.open_sessions) == (0, 0)


@pytest.mark.parametrize("opening", [2, 3, 4, 5])
def test_a_processor_that_refuses_leaves_nothing_open(opening: int) -> None:
    """After the motion: the survey, mouth, eyes, and where they are."""
    card, elsewhere = WatchedRuntime(on_host=False), WatchedRuntime()
    elsewhere.fails_at = opening
    with pytest.raises(MemoryError):
        opened(card, elsewhere)
    assert (card.open_sessions, elsewhere.open_sessions) == (0, 0)


@pytest.mark.parametrize("network", ["face change", "face place"])
def test_after_a_failure_it_is_right(network: str) -> None:
    own = WatchedRuntime()
    model, fresh = opened(own), opened(WatchedRuntime())
    pose = other(TURNED, MOUTH + EYES)
    own.runs_left[network] = 0
    with pytest.raises(MemoryError):
        model.face_change(TURNED, pose)
    own.runs_left.clear()
    found, expected = model.face_change(TURNED, pose), fresh.face_change(TURNED, pose)
    assert found is not None
    assert expected is not None
    assert np.array_equal(found.paint, expected.paint)
    model.close()
    fresh.close()


# -- where ------------------------------------------------------------------------------------------------------------


def test_a_face_that_never_changes_has_nothing_that_moves() -> None:
    weights, picture = lively()
    still = replace(weights.face, output=Layer(weights.face.output.weight * 0.01, weights.face.output.bias))
    own = WatchedRuntime()
    assert find_moving(still, own).parts == ()
    regions = Regions(Split.exactly(figure()), Split.exactly(whole_face()))
    model = StudentModel(StudentWeights(still, weights.body), picture, regions, own, SIZE)
    assert model.face_change(TURNED, other(TURNED, MOUTH + EYES)) is None
    model.close()
    assert own.open_sessions == 0


def test_no_character_makes_the_look_expensive() -> None:
    weights, _ = lively()
    own = WatchedRuntime()
    parts = find_moving(weights.face, own).parts
    assert [int(part.values.sum()) for part in parts] == [11, 16]
    assert all(60 < part.points.sum() <= 430 for part in parts)
    assert sum(int(part.points.sum()) for part in parts) <= 530
    assert own.open_sessions == 0


@pytest.mark.parametrize("values", [MOUTH, EYES, MOUTH + EYES])
def test_the_new_face_is_where_the_picture_shows_it(model: StudentModel, values: list[Pose]) -> None:
    """Head and body are turned; the true picture has the same head and the new face."""
    pose = other(TURNED, values)
    given, wanted = draw(model, TURNED), draw(model, pose)
    change = model.face_change(TURNED, pose)
    assert change is not None
    where = inner(reach(change))
    assert error(given, wanted, where) > 60.0
    assert error(shown(model, given, TURNED, pose), wanted, where) < 0.25 * error(given, wanted, where)


def test_it_follows_the_head(model: StudentModel) -> None:
    pose = other(TURNED, MOUTH + EYES)
    pose[Pose.HEAD_Y] -= 0.15
    pose[Pose.NECK_Z] += 0.1
    given, wanted = draw(model, TURNED), draw(model, pose)
    without, with_it = (shown(model, given, TURNED, pose, face) for face in (False, True))
    where = inner((without != with_it).any(axis=2))
    assert where.sum() > 200
    assert error(with_it, wanted, where) < 0.25 * error(without, wanted, where)


def test_round_the_face_nothing_changes_and_it_fades_towards_there(model: StudentModel) -> None:
    rest = TURNED.copy()
    rest[FACE_VALUES:] = 0.0
    change = model.face_change(rest, other(rest, MOUTH + EYES))
    assert change is not None
    assert change.size == SIZE
    edge = [change.paint[0], change.paint[-1], change.paint[:, 0], change.paint[:, -1]]
    assert not any(each.any() for each in edge)
    assert np.abs(change.paint).max() > 30
    assert 0 <= change.paint[..., 3].min() <= change.paint[..., 3].max() <= 255
    where = np.argwhere(reach(change))
    assert (where.min(axis=0) >= (FACE_TOP - 40, FACE_LEFT - 40)).all()
    assert (where.max(axis=0) <= (FACE_TOP + 168, FACE_LEFT + 168)).all()


def test_alpha_stays_and_no_colour_is_above_it(model: StudentModel) -> None:
    pose = other(TURNED, MOUTH + EYES)
    given = draw(model, TURNED)
    without, with_it = (shown(model, given, TURNED, pose, face) for face in (False, True))
    assert np.array_equal(with_it[..., 3], without[..., 3])
    assert (with_it[..., :3] <= with_it[..., 3:]).all()


def test_a_face_looked_at_meanwhile_leaves_the_next_picture_right(model: StudentModel) -> None:
    expected = draw(model, TURNED)
    model.face_change(some_poses(1, seed=8)[0], other(TURNED, MOUTH))
    assert np.array_equal(draw(model, TURNED), expected)


# -- a real one -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Iterator[StudentModel]:
    model = open_real_student(Split.exactly(whole_face()))
    yield model
    model.close()


@pytest.mark.parametrize(
    ("start", "movement", "share"),
    [
        ({}, {"EYE_WINK_LEFT": 1.0, "EYE_WINK_RIGHT": 1.0}, 0.1),
        ({"EYE_WINK_LEFT": 1.0, "EYE_WINK_RIGHT": 1.0}, {"EYE_WINK_LEFT": 0.0, "EYE_WINK_RIGHT": 0.0}, 0.1),
        ({}, {"MOUTH_AAA": 0.8}, 0.25),
        ({"MOUTH_AAA": 0.8}, {"MOUTH_AAA": 0.2, "MOUTH_OOO": 0.4}, 0.35),
        ({"HEAD_Y": 0.5, "NECK_Z": -0.3}, {"MOUTH_AAA": 0.8, "EYE_WINK_LEFT": 1.0, "EYE_WINK_RIGHT": 0.6}, 0.1),
        ({"HEAD_X": -0.4, "BODY_Y": 0.5}, {"IRIS_ROTATION_X": 0.6, "IRIS_ROTATION_Y": -0.6}, 0.25),
        ({"HEAD_Y": -0.6}, {"EYE_WINK_LEFT": 1.0, "EYE_WINK_RIGHT": 1.0, "HEAD_Y": -0.5, "HEAD_X": 0.1}, 0.35),
    ],
    ids=str,
)
def test_mouth_and_eyes_are_much_nearer_to_what_would_be_drawn(
    real: StudentModel, start: dict[str, float], movement: dict[str, float], share: float
) -> None:
    first, second = poses_of(start, movement)
    given, wanted = draw(real, first), draw(real, second)
    change = real.face_change(first, second)
    assert change is not None
    where = cv2.dilate(reach(change).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(np.bool_)
    without, with_it = (shown(real, given, first, second, face) for face in (False, True))
    assert error(with_it, wanted, where) < share * error(without, wanted, where)
