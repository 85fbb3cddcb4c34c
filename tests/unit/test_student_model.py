"""The student as a character: what it computes when, sizes, faces that are remembered, motion."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from accel.base import FULL
from core.pose.parameters import MAXIMUM, MINIMUM, Pose
from models.base import Picture
from models.character import read_picture
from models.motion import CELLS, displacement, smoothed
from models.student import family as student_family
from models.student.model import StudentModel
from models.student.points import Mask
from models.student.preparation import FULL_TIER
from models.student.regions import Regions, Split, whole_face
from tests.contract.fake_outputs import LIMIT_S
from tests.unit.bent import bent, error
from tests.unit.real_student import open_real_student, poses_of
from tests.unit.student_networks import (
    FACE_VALUES,
    SIZE,
    Array,
    dense,
    figure,
    reference,
    small_character,
    small_weights,
    some_poses,
)
from tests.unit.student_runtime import WatchedRuntime, closed_twice, processor
from tests.windows.small_student import write_small_student

POSES = some_poses(5, seed=31)
TURNED = POSES[0].copy()
TURNED[FACE_VALUES:] = POSES[1][FACE_VALUES:]
"""The first pose's face on another pose's body."""
FACE_BYTES = 128 * 128 * 4 * 4


def exactly(mask: Mask) -> Regions:
    return Regions(Split.exactly(mask), Split.exactly(whole_face()))


def opened(
    runtime: WatchedRuntime, size: int = SIZE, where: Regions | None = None, motion_on: WatchedRuntime | None = None
) -> StudentModel:
    weights, picture = small_character()
    return StudentModel(weights, picture, where or exactly(figure()), runtime, size, processor=motion_on)


def draw(model: StudentModel, pose: Array) -> Picture:
    out = np.full((model.size, model.size, 4), 55, np.uint8)
    model.render(pose, out)
    return out


def face_of(pose: Array, body: Array = POSES[0]) -> Array:
    """The pose's face on a body that is always the same."""
    return np.concatenate([pose[:FACE_VALUES], body[FACE_VALUES:]])


def distance(first: Picture, second: Picture) -> float:
    return float(np.abs(first.astype(float) - second).mean())


def largest(first: Picture, second: Picture) -> int:
    return int(np.abs(first.astype(int) - second).max())


@pytest.fixture(scope="module", params=[True, False], ids=["processor", "card"])
def runtime(request: pytest.FixtureRequest) -> WatchedRuntime:
    return WatchedRuntime(on_host=request.param)


@pytest.fixture(scope="module")
def model(runtime: WatchedRuntime) -> Iterator[StudentModel]:
    yield from closed_twice(opened(runtime), runtime)


@pytest.fixture(params=[True, False], ids=["processor", "card"])
def own(request: pytest.FixtureRequest) -> Iterator[WatchedRuntime]:
    """For one test alone, which closes what it opens."""
    made = WatchedRuntime(on_host=request.param)
    yield made
    assert made.open_sessions == 0


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
    assert largest(draw(model, POSES[0]), expected) <= 1


def test_the_face_is_computed_when_a_face_value_changed(model: StudentModel, runtime: WatchedRuntime) -> None:
    draw(model, POSES[0])
    runtime.taken_runs()
    draw(model, TURNED)  # the same face
    body = runtime.taken_runs()
    assert set(body) == {"body", "pixels"}
    other = TURNED.copy()
    for value in (0, 38):
        other[value] += 0.5
        draw(model, other)
        runs = runtime.taken_runs()
        assert runs.pop("face") >= 1
        assert runs.pop("picture", 0) == (0 if runtime.on_host else 1)
        assert runs == body
    draw(model, other)
    assert runtime.taken_runs() == body
    for value in (39, 44):
        other[value] = 0.25
        draw(model, other)
        assert runtime.taken_runs() == body


def test_the_order_in_which_poses_come_does_not_matter(model: StudentModel) -> None:
    first = draw(model, POSES[0])
    for pose in (POSES[1], TURNED, POSES[0]):
        again = draw(model, pose)
    assert np.array_equal(first, again)
    assert distance(first, draw(model, TURNED)) > 0.5


def _halved(picture: Picture) -> Array:
    rows = picture.reshape(len(picture) // 2, 2, len(picture) // 2, 2, 4)
    return np.asarray(rows.astype(float).mean(axis=(1, 3)))


@pytest.fixture(scope="module")
def at_512() -> list[Picture]:
    """Pictures of two poses."""
    model = opened(WatchedRuntime())
    made = [draw(model, pose) for pose in (POSES[0], TURNED)]
    model.close()
    return made


@pytest.mark.parametrize("size", [256, 384, 768, 1024])
def test_every_size_shows_the_same(size: int, at_512: list[Picture]) -> None:
    model = opened(WatchedRuntime(), size)
    for pose, expected in zip((POSES[0], TURNED), at_512, strict=True):
        found = draw(model, pose)
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
    picture = draw(model, wild)
    inside = np.clip(np.nan_to_num(wild, nan=0.0), MINIMUM, MAXIMUM)
    expected = reference(inside)
    expected[~figure()] = 0
    assert largest(picture, expected) <= 1
    assert np.array_equal(model.motion([wild], POSES[1]), model.motion([inside], POSES[1]))
    assert np.array_equal(model.motion([POSES[1]], wild), model.motion([POSES[1]], inside))
    assert np.array_equal(wild, given, equal_nan=True)


def test_a_pose_of_another_type_or_a_part_of_an_array_will_do(model: StudentModel) -> None:
    expected = draw(model, POSES[0])
    wide: Array = np.zeros((45, 2))
    wide[:, 0] = POSES[0]
    assert np.array_equal(draw(model, wide[:, 0]), expected)
    assert np.array_equal(model.motion([wide[:, 0]], POSES[1]), model.motion([POSES[0]], POSES[1]))


def test_two_models_on_one_runtime_do_not_meet() -> None:
    runtime = processor()
    weights, picture = small_character()
    first, second = (StudentModel(weights, picture, exactly(figure()), runtime, SIZE) for _ in range(2))
    expected = draw(first, POSES[0])
    moved = first.motion([POSES[0]], POSES[1])
    draw(second, POSES[1])
    assert np.array_equal(draw(first, POSES[0]), expected)
    second.close()
    assert np.array_equal(draw(first, POSES[0]), expected)
    assert np.array_equal(first.motion([POSES[0]], POSES[2]), first.motion([POSES[0]], POSES[2]))
    assert np.array_equal(first.motion([POSES[0]], POSES[1]), moved)
    first.close()


def test_a_character_nobody_can_see_is_an_empty_picture_that_does_not_move(own: WatchedRuntime) -> None:
    model = opened(own, where=exactly(np.zeros((SIZE, SIZE), np.bool_)))
    assert not draw(model, POSES[0]).any()
    assert not model.motion([POSES[0]], POSES[1]).any()
    model.close()


# -- faces that were shown before ------------------------------------------------------------------------------------


def test_a_face_that_was_shown_before_is_not_computed_again(own: WatchedRuntime) -> None:
    model = opened(own)
    poses = [face_of(pose) for pose in POSES]
    first = [draw(model, pose) for pose in poses]
    own.taken_runs()
    for pose, picture in zip(poses, first, strict=True):
        assert np.array_equal(draw(model, pose), picture)
    draw(model, face_of(POSES[0], body=POSES[1]))
    runs = own.taken_runs()
    assert set(runs) == {"body", "pixels"} | (set() if own.on_host else {"picture"})
    assert distance(first[0], first[1]) > 0.05
    model.close()


@pytest.mark.parametrize("threads", [1, 3])
def test_remembered_faces_are_those_of_a_model_that_remembers_none(threads: int) -> None:
    model = opened(WatchedRuntime(threads=threads))
    for pose in (*POSES, *POSES[::-1]):
        fresh = opened(WatchedRuntime())
        assert largest(draw(model, pose), draw(fresh, pose)) <= 1
        fresh.close()
    model.close()


def _computed_faces(model: StudentModel, runtime: WatchedRuntime, faces: list[int]) -> list[int]:
    """Those of the faces, shown in turn, for which the network had to run."""
    made = []
    for face in faces:
        pose = POSES[0].copy()
        pose[0] = 0.01 * face
        runtime.taken_runs()
        draw(model, pose)
        if runtime.taken_runs().get("face"):
            made.append(face)
    return made


def test_as_many_faces_are_remembered_as_there_is_memory_for(own: WatchedRuntime) -> None:
    model = opened(own)
    assert _computed_faces(model, own, [1, 2, 3, 4, 1, 2, 3, 4]) == [1, 2, 3, 4]
    model.remember_up_to(2 * FACE_BYTES)
    assert _computed_faces(model, own, [4, 3]) == []
    assert _computed_faces(model, own, [1, 3, 4]) == [1, 4]
    model.remember_up_to(3 * FACE_BYTES + FACE_BYTES // 2)
    assert _computed_faces(model, own, [3, 4, 5, 3, 4, 5, 6, 3]) == [5, 6, 3]
    model.close()


@pytest.mark.parametrize("bytes_", [0, -1, FACE_BYTES - 1])
def test_with_no_memory_for_faces_pictures_are_right(own: WatchedRuntime, bytes_: int) -> None:
    model = opened(own)
    first = [draw(model, face_of(pose)) for pose in POSES[:3]]
    model.remember_up_to(bytes_)
    for number in (0, 1, 2, 2, 0):
        assert np.array_equal(draw(model, face_of(POSES[number])), first[number])
    model.close()


def test_faces_take_no_more_memory_than_was_given_them() -> None:
    card = WatchedRuntime(on_host=False)
    model = opened(card)
    model.remember_up_to(3 * FACE_BYTES)
    _computed_faces(model, card, [1, 2, 3])
    taken = card.tensors
    _computed_faces(model, card, list(range(40)))
    assert card.tensors == taken
    assert card.reads == 0
    model.close()


@pytest.mark.parametrize(
    ("on_host", "network", "left"),
    [
        (True, "face", 0),
        (True, "face", 3),
        (True, "body", 0),
        (True, "pixels", 0),
        (False, "face", 0),
        (False, "picture", 0),
        (False, "body", 0),
        (False, "pixels", 0),
    ],
)
def test_after_a_failure_no_wrong_face_is_shown(on_host: bool, network: str, left: int) -> None:
    """``left``: runs of the network that go well before: some of the face's bands are in the picture then."""
    own = WatchedRuntime(on_host)
    model, fresh = opened(own), opened(own)
    poses = [face_of(pose) for pose in POSES[:3]]
    expected = [draw(fresh, pose) for pose in poses]
    fresh.close()
    assert np.array_equal(draw(model, poses[0]), expected[0])
    own.runs_left[network] = left
    for pose in (poses[1], poses[1], poses[2]):
        with pytest.raises(MemoryError, match=network):
            draw(model, pose)
    own.runs_left.clear()
    for number in (1, 0, 2, 1, 0):
        assert np.array_equal(draw(model, poses[number]), expected[number])
    model.close()
    assert own.open_sessions == 0


# -- motion ----------------------------------------------------------------------------------------------------------


def small_warp(pose: Array) -> Array:
    """The small character's coarse warp, by the definition."""
    fields = dense(small_weights().body, pose, CELLS)
    step = SIZE // CELLS
    visible = np.asarray(figure().reshape(CELLS, step, CELLS, step).any(axis=(1, 3)), np.uint8)
    seen = np.asarray(cv2.dilate(visible, np.ones((3, 3), np.uint8)))
    weights = np.clip(1.0 - fields[..., 2], 0.0, 1.0) * seen
    offsets = fields[..., :2] * 0.5 * seen[..., None]
    return smoothed(np.ascontiguousarray(offsets, np.float32), weights.astype(np.float32))


def test_motion_is_that_of_the_body_network_on_a_coarse_grid(model: StudentModel) -> None:
    found = model.motion([POSES[0]], TURNED)
    assert found.shape == (CELLS, CELLS, 2)
    assert found.dtype == np.float32
    expected = displacement(small_warp(POSES[0]), small_warp(TURNED))
    assert np.abs(expected).max() * SIZE > 5.0
    assert np.abs(found - expected).max() * SIZE < 0.02


def test_the_last_picture_is_bent_whatever_came_before(model: StudentModel) -> None:
    expected = model.motion([POSES[1]], POSES[2])
    assert np.array_equal(model.motion([POSES[3], POSES[1]], POSES[2]), expected)
    assert np.array_equal(model.motion([POSES[2], POSES[3], POSES[1]], POSES[2]), expected)
    assert not np.array_equal(model.motion([POSES[3]], POSES[2]), expected)
    assert not model.motion([POSES[2]], POSES[2].copy()).any()


def test_a_picture_need_not_have_been_drawn_to_be_bent(own: WatchedRuntime) -> None:
    model = opened(own)
    first = model.motion([POSES[0]], POSES[1])
    draw(model, POSES[0])
    assert np.array_equal(model.motion([POSES[0]], POSES[1]), first)
    model.close()


def test_motion_leaves_the_next_picture_right(model: StudentModel) -> None:
    expected = draw(model, POSES[0])
    model.motion([POSES[1]], POSES[2])
    assert np.array_equal(draw(model, POSES[0]), expected)


def test_the_pose_on_screen_is_looked_at_once(own: WatchedRuntime) -> None:
    model = opened(own)
    draw(model, POSES[0])
    assert "motion" not in own.taken_runs()
    wanted = some_poses(20, seed=2)
    first = [model.motion([POSES[0]], pose) for pose in wanted]
    assert own.taken_runs() == {"motion": 21}
    again = [model.motion([POSES[0]], pose) for pose in wanted[-4:]]
    assert own.taken_runs() == {}
    for one, other in zip(first[-4:], again, strict=True):
        assert np.array_equal(one, other)
    # but not every pose there ever was is kept
    assert np.array_equal(model.motion([POSES[0]], wanted[0]), first[0])
    assert own.taken_runs() == {"motion": 1}
    given = POSES[0].copy()
    model.motion([given], given)
    given[Pose.HEAD_X] += 0.5  # the caller's pose is not the model's
    model.motion([POSES[0]], wanted[0])
    assert own.taken_runs() == {}
    model.close()


@pytest.mark.parametrize("named", [True, False])
def test_motion_is_computed_on_the_processor(named: bool) -> None:
    card, elsewhere = WatchedRuntime(on_host=False), WatchedRuntime()
    model = opened(card, motion_on=elsewhere if named else None)
    draw(model, POSES[0])
    card.taken_runs()
    elsewhere.taken_runs()
    card.crossed.clear()
    found = model.motion([POSES[0]], POSES[1])
    asked, idle = (elsewhere, card) if named else (card, elsewhere)
    assert asked.taken_runs() == {"motion": 2}
    assert idle.taken_runs() == {}
    assert not idle.crossed
    alone = opened(WatchedRuntime())
    assert np.array_equal(alone.motion([POSES[0]], POSES[1]), found)
    alone.close()
    (network,) = (network for network in asked.networks if network.name == "student motion")
    # it must leave cores to the picture that is drawn meanwhile
    assert not network.alone
    if named:
        assert "student motion" not in {network.name for network in (*card.networks, *card.prepared)}
        assert {network.name for network in elsewhere.networks} == {"student motion", "student face survey"}
    for _ in range(2):
        model.close()
        assert (card.open_sessions, elsewhere.open_sessions) == (0, 0)


class Examined:
    """What is known of a character that was examined before."""

    def regions(self, quality: str) -> Regions:
        return exactly(figure())


@pytest.mark.parametrize("for_check", [True, False])
def test_a_family_has_motion_computed_on_its_processor(
    for_check: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No engine need be built for it."""
    monkeypatch.setattr(student_family, "prepare", lambda *given: Examined())
    card, elsewhere = WatchedRuntime(on_host=False), WatchedRuntime()
    files = write_small_student(tmp_path / "student")
    family = student_family.StudentFamily(files, read_picture(files.picture), FULL_TIER, elsewhere)
    model = family.open_for_check(card, FULL) if for_check else family.open(card, FULL, SIZE, lambda *given: None)
    assert "student motion" in {network.name for network in elsewhere.networks}
    assert "student motion" not in {network.name for network in card.networks}
    model.close()
    assert (card.open_sessions, elsewhere.open_sessions) == (0, 0)


def test_a_processor_that_refuses_leaves_nothing_open() -> None:
    card, elsewhere = WatchedRuntime(on_host=False), WatchedRuntime()
    elsewhere.fails_at = 1
    with pytest.raises(MemoryError):
        opened(card, motion_on=elsewhere)
    assert (card.open_sessions, elsewhere.open_sessions) == (0, 0)


def test_after_a_failure_motion_is_right(own: WatchedRuntime) -> None:
    model = opened(own)
    own.runs_left["motion"] = 1
    with pytest.raises(MemoryError):
        model.motion([POSES[0]], POSES[1])
    own.runs_left.clear()
    expected = displacement(small_warp(POSES[0]), small_warp(POSES[1]))
    assert np.abs(model.motion([POSES[0]], POSES[1]) - expected).max() * SIZE < 0.02
    model.close()


def test_pictures_may_be_bent_while_others_are_drawn(own: WatchedRuntime) -> None:
    model = opened(own, motion_on=WatchedRuntime())
    expected = [draw(model, pose) for pose in POSES[:3]]
    wanted = some_poses(30, seed=4)
    moved = [model.motion([POSES[0]], pose) for pose in wanted]
    found: list[Array] = []
    bending = threading.Thread(target=lambda: found.extend(model.motion([POSES[0]], pose) for pose in wanted))
    bending.start()
    drawn = [draw(model, POSES[number % 3]) for number in range(9)]
    bending.join(LIMIT_S)
    assert not bending.is_alive()
    assert all(np.array_equal(picture, expected[number % 3]) for number, picture in enumerate(drawn))
    assert len(found) == len(moved)
    assert all(np.array_equal(one, other) for one, other in zip(found, moved, strict=True))
    model.close()


# -- a real one ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Iterator[StudentModel]:
    face = whole_face()
    model = open_real_student(Split.mixed(~face, face))
    yield model
    model.close()


@pytest.mark.parametrize(
    ("start", "movement", "share"),
    [
        ({}, {"HEAD_Y": 0.5}, 0.6),
        ({"HEAD_Y": 0.5}, {"HEAD_Y": 0.0}, 0.7),
        ({}, {"HEAD_X": -0.3}, 0.6),
        ({}, {"NECK_Z": 0.5}, 0.2),
        ({"NECK_Z": -0.5}, {"NECK_Z": 0.2}, 0.2),
        ({}, {"BODY_Y": -0.5}, 0.4),
        ({}, {"BODY_Z": 0.5}, 0.1),
        ({}, {"BREATHING": 1.0}, 0.35),
        ({"BODY_Z": -0.4, "HEAD_Y": 0.4}, {"BODY_Z": 0.0, "HEAD_Y": 0.2, "NECK_Z": 0.2}, 0.15),
    ],
    ids=str,
)
def test_a_bent_picture_is_much_nearer_to_what_would_be_drawn(
    real: StudentModel, start: dict[str, float], movement: dict[str, float], share: float
) -> None:
    first, second = poses_of(start, movement)
    given, wanted = draw(real, first), draw(real, second)
    assert error(bent(given, real.motion([first], second)), wanted) < share * error(given, wanted)
