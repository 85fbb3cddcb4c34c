"""The student as a character: what it computes when, sizes, key frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from core.pose.parameters import MAXIMUM, MINIMUM, Pose, PoseVector
from models.base import KeyFrame, MotionFields, Picture
from models.student.model import StudentKeyFrame, StudentModel
from models.student.regions import Regions, Split, everywhere, whole_face
from tests.unit.student_networks import (
    FACE_VALUES,
    SIZE,
    Array,
    blended,
    figure,
    reference,
    shown,
    small_character,
    small_face,
    small_fields,
    some_poses,
    together,
)
from tests.unit.student_runtime import WatchedRuntime, processor

POSES = some_poses(5, seed=31)
TURNED = POSES[0].copy()
TURNED[FACE_VALUES:] = POSES[1][FACE_VALUES:]
"""The first pose's face on another pose's body."""


def opened(runtime: WatchedRuntime, size: int = SIZE, everything: bool = False) -> StudentModel:
    weights, picture = small_character()
    where = everywhere() if everything else Regions(Split.exactly(figure()), Split.exactly(whole_face()))
    return StudentModel(weights, picture, where, runtime, size)


def draw(model: StudentModel, pose: Array) -> tuple[Picture, StudentKeyFrame]:
    out = np.full((model.size, model.size, 4), 55, np.uint8)
    return out, model.render(pose, out)


def between(model: StudentModel, older: KeyFrame, newer: KeyFrame, fraction: float) -> Picture:
    out = np.full((model.size, model.size, 4), 55, np.uint8)
    model.between(older, newer, fraction, out)
    return out


def distance(first: Picture, second: Picture) -> float:
    return float(np.abs(first.astype(float) - second).mean())


def largest(first: Picture, second: Picture) -> int:
    return int(np.abs(first.astype(int) - second).max())


@pytest.fixture(scope="module", params=[True, False], ids=["processor", "card"])
def runtime(request: pytest.FixtureRequest) -> WatchedRuntime:
    return WatchedRuntime(on_host=request.param)


@pytest.fixture(scope="module")
def model(runtime: WatchedRuntime) -> Iterator[StudentModel]:
    made = opened(runtime)
    yield made
    made.close()
    made.close()
    assert runtime.open_sessions == 0


def test_it_says_what_it_is(model: StudentModel) -> None:
    assert (model.family, model.size) == ("tha4_student", SIZE)


@pytest.mark.parametrize("size", [255, 1025, 0, -512])
def test_sizes_it_cannot_make_are_refused(size: int) -> None:
    runtime = WatchedRuntime()
    with pytest.raises(ValueError, match=str(size)):
        opened(runtime, size)
    assert runtime.networks == []


def test_the_picture_is_the_networks(model: StudentModel) -> None:
    expected = reference(POSES[0])
    expected[~figure()] = 0
    assert largest(draw(model, POSES[0])[0], expected) <= 1


def test_the_face_is_computed_when_a_face_value_changed(model: StudentModel, runtime: WatchedRuntime) -> None:
    draw(model, POSES[2])
    shares = len(model.render(POSES[0], np.zeros((SIZE, SIZE, 4), np.uint8)).points)
    runtime.taken_runs()
    body = {"body": shares, "pixels": shares}
    draw(model, TURNED)  # the same face
    assert runtime.taken_runs() == body
    other = TURNED.copy()
    for value in (0, 38):
        other[value] += 0.5
        draw(model, other)
        runs = runtime.taken_runs()
        assert runs.pop("face") >= 1 and runs == body
    draw(model, other)
    assert "face" not in runtime.taken_runs()
    for value in (39, 44):
        other[value] = 0.25
        draw(model, other)
        assert runtime.taken_runs() == body


def test_no_network_runs_between(model: StudentModel, runtime: WatchedRuntime) -> None:
    _, older = draw(model, POSES[0])
    _, newer = draw(model, POSES[1])
    runtime.taken_runs()
    between(model, older, newer, 0.5)
    assert runtime.taken_runs() == {"between": len(older.points)}


def test_the_order_in_which_poses_come_does_not_matter(model: StudentModel) -> None:
    first, _ = draw(model, POSES[0])
    for pose in (POSES[1], TURNED, POSES[0]):
        again, _ = draw(model, pose)
    assert np.array_equal(first, again)
    assert distance(first, draw(model, TURNED)[0]) > 0.5


def test_between_key_frames_it_goes_from_one_to_the_other(model: StudentModel) -> None:
    first, older = draw(model, POSES[0])
    second, newer = draw(model, TURNED)
    shares = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    pictures = [between(model, older, newer, share) for share in shares]
    assert largest(pictures[0], first) <= 1 and largest(pictures[-1], second) <= 1
    away = [distance(picture, first) for picture in pictures]
    left = [distance(picture, second) for picture in pictures]
    assert away == sorted(away) and left == sorted(left, reverse=True)
    assert len(set(away)) == len(shares) and away[-1] > 0.5
    assert np.array_equal(between(model, older, newer, -3.0), pictures[0])
    assert np.array_equal(between(model, older, newer, 1.5), pictures[-1])
    for picture in pictures:
        assert (picture[:, :, :3] <= picture[:, :, 3:]).all()


def test_between_key_frames_the_newest_face_is_shown(model: StudentModel) -> None:
    _, older = draw(model, POSES[0])
    _, newer = draw(model, POSES[1])
    expected = shown(blended(small_face(POSES[1]), (small_fields(POSES[0]) + small_fields(POSES[1])) / 2.0))
    expected[~figure()] = 0
    assert largest(between(model, older, newer, 0.5), expected) <= 1


@dataclass(frozen=True)
class ForeignKey:
    pose: PoseVector
    fields: MotionFields | None = None


def test_key_frames_of_another_model_are_refused(model: StudentModel) -> None:
    _, own = draw(model, POSES[0])
    foreign = ForeignKey(POSES[0])
    for older, newer in ((own, foreign), (foreign, own)):
        with pytest.raises(TypeError):
            between(model, older, newer, 0.5)


def test_key_frames_can_be_read_for_two_more_pictures(model: StudentModel) -> None:
    for pose in POSES:
        picture, key = draw(model, pose)
        before = together(key.fields)
        for other in (TURNED, POSES[3]):
            _, newest = draw(model, other)
        assert np.array_equal(together(key.fields), before)
        draw(model, pose)
        assert largest(between(model, newest, draw(model, pose)[1], 1.0), picture) <= 1


@pytest.mark.parametrize("on_host", [True, False], ids=["processor", "card"])
def test_fields_make_the_picture_again(on_host: bool) -> None:
    model = opened(WatchedRuntime(on_host), everything=True)
    picture, key = draw(model, POSES[0])
    fields = key.fields
    shapes = [array.shape for array in (fields.warp, fields.blend, fields.colour)]
    assert shapes == [(SIZE, SIZE, 2), (SIZE, SIZE), (SIZE, SIZE, 4)]
    assert all(array.dtype == np.float32 for array in (fields.warp, fields.blend, fields.colour))
    # red first, as the reference has it
    assert np.abs(together(fields) - small_fields(POSES[0])).max() < 1e-4
    assert largest(shown(blended(small_face(POSES[0]), together(fields))), picture) <= 1
    model.close()


def test_fields_are_zero_where_nothing_can_be_seen(model: StudentModel) -> None:
    _, key = draw(model, POSES[0])
    fields = together(key.fields)
    assert not fields[~figure()].any()
    assert np.abs(fields - small_fields(POSES[0]))[figure()].max() < 1e-4


def _halved(picture: Picture) -> Array:
    rows = picture.reshape(len(picture) // 2, 2, len(picture) // 2, 2, 4)
    return np.asarray(rows.astype(float).mean(axis=(1, 3)))


@pytest.fixture(scope="module")
def at_512() -> list[Picture]:
    """A picture, one of another pose, and the one between them."""
    model = opened(WatchedRuntime())
    first, older = draw(model, POSES[0])
    second, newer = draw(model, TURNED)
    made = [first, second, between(model, older, newer, 0.5)]
    model.close()
    return made


@pytest.mark.parametrize("size", [256, 384, 768, 1024])
def test_every_size_shows_the_same(size: int, at_512: list[Picture]) -> None:
    model = opened(WatchedRuntime(), size)
    first, older = draw(model, POSES[0])
    second, newer = draw(model, TURNED)
    for found, expected in zip((first, second, between(model, older, newer, 0.5)), at_512, strict=True):
        assert found.shape == (size, size, 4)
        assert (found[:, :, :3] <= found[:, :, 3:]).all()
        if size == 256:
            assert np.abs(found - _halved(expected)).max() <= 1.0
        elif size == 1024:
            assert np.abs(_halved(found) - expected).mean() < 0.5
        scaled = cv2.resize(expected, (size, size), interpolation=cv2.INTER_AREA if size < SIZE else cv2.INTER_LINEAR)
        assert np.abs(found - scaled.astype(float)).mean() < 1.0
    model.close()


def test_poses_out_of_range_are_clamped(model: StudentModel) -> None:
    wild = (POSES[0] - 0.5) * 8.0
    wild[Pose.MOUTH_AAA], wild[Pose.HEAD_X], wild[Pose.HEAD_Y] = np.nan, np.inf, -np.inf
    given = wild.copy()
    picture, key = draw(model, wild)
    assert np.array_equal(wild, given, equal_nan=True)
    inside = np.clip(np.nan_to_num(wild, nan=0.0), MINIMUM, MAXIMUM)
    assert np.array_equal(key.pose, inside)
    expected = reference(inside)
    expected[~figure()] = 0
    assert largest(picture, expected) <= 1
    key.pose[:] = 0.0  # the caller's pose and the model's are not one
    assert np.array_equal(wild, given, equal_nan=True)


def test_a_pose_of_another_type_or_a_part_of_an_array_will_do(model: StudentModel) -> None:
    expected, _ = draw(model, POSES[0])
    wide = np.zeros((45, 2))
    wide[:, 0] = POSES[0]
    assert np.array_equal(draw(model, wide[:, 0])[0], expected)


def test_two_models_on_one_runtime_do_not_meet() -> None:
    runtime = processor()
    weights, picture = small_character()
    where = Regions(Split.exactly(figure()), Split.exactly(whole_face()))
    first, second = (StudentModel(weights, picture, where, runtime, SIZE) for _ in range(2))
    expected, older = draw(first, POSES[0])
    draw(second, POSES[1])
    again, newer = draw(first, POSES[0])
    assert np.array_equal(again, expected)
    second.close()
    assert np.array_equal(between(first, older, newer, 0.5), expected)
    first.close()
