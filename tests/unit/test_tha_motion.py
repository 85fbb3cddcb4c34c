"""Motion of THA3 and THA4: the last network's own fields, their coarse warp, and pictures that move on."""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from accel.base import Array
from core.pose.parameters import MAXIMUM, MINIMUM, Pose, PoseVector, neutral
from models.base import Picture
from models.motion import CELLS, Displacement, Warp, continued, displacement, smoothed
from models.tha import motion as tha_motion
from models.tha.files import ThaFiles, find_variant_files
from models.tha.model import ThaModel
from models.tha.motion import KnownWarps, warp_of
from tests.contract.fake_outputs import LIMIT_S

from ..data import data
from .bent import bent, error
from .drawn_character import drawn_character
from .tha_graphs import Traits, write_small_files
from .tha_runtime import CountingRuntime, Fields, bend, dense_fields, premultiplied, run_sequentially

SETS = [("tha3", "separable", "full"), ("tha3", "standard", "half"), ("tha4", "", "full"), ("tha4", "", "half")]
CHANNELS = {"tha3": 4, "tha4": 1}
SIZE = 512


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    for family, name, precision in SETS:
        write_small_files(folder, family, name, precision)
    return folder


@pytest.fixture(scope="module")
def files(folder: Path) -> ThaFiles:
    return find_variant_files("tha3", "separable", "full", folder)


@pytest.fixture(scope="module")
def kept(folder: Path) -> Callable[[str, str, str], Moving]:
    """One of each kind, for tests that leave it as they find it."""
    return functools.cache(lambda *kind: Moving(find_variant_files(kind[0], kind[1], kind[2], folder)))


@pytest.fixture(scope="module")
def moving(kept: Callable[[str, str, str], Moving]) -> Moving:
    return kept("tha3", "separable", "full")


class Moving:
    """A model on a runtime that counts, and what its files say by themselves."""

    def __init__(self, files: ThaFiles, size: int = SIZE) -> None:
        self.files = files
        self.runtime = CountingRuntime()
        self.model = ThaModel(drawn_character(), files, self.runtime, size)
        self.runtime.taken_runs()
        self._warps: dict[bytes, Warp] = {}

    def render(self, pose: PoseVector) -> Picture:
        out = np.zeros((self.model.size, self.model.size, 4), np.uint8)
        self.model.render(pose, out)
        return out

    def after(self, *poses: PoseVector, to: PoseVector) -> Displacement:
        """Motion to a pose after the others were drawn in this order."""
        for pose in poses:
            self.render(pose)
        moved = self.model.motion(poses, to)
        assert moved is not None
        return moved

    def face(self, pose: PoseVector) -> Array:
        """The picture that the fields of this pose bend, from the plain run of the files."""
        return np.asarray(run_sequentially(self.files, drawn_character(), pose)["face_morphed_full"], np.float32)

    def fields(self, pose: PoseVector) -> Fields:
        return dense_fields(self.files, drawn_character(), pose)

    def warp(self, pose: PoseVector) -> Warp:
        """The coarse warp, by the definition: the mean of what was moved rather than painted."""
        key = pose.tobytes()
        if key not in self._warps:
            self._warps[key] = self._mean(self.fields(pose))
        return self._warps[key]

    def _mean(self, fields: Fields) -> Warp:
        moved = np.clip(1.0 - fields.blend.mean(axis=-1, keepdims=True), 0.0, 1.0)
        weights = _pooled(moved)
        offsets = _pooled(fields.warp * moved) / np.maximum(weights, 1e-3)
        return smoothed((offsets / 2.0).astype(np.float32), weights[..., 0].astype(np.float32))


def _pooled(values: Array) -> Array:
    """Shape (64, 64, channels): the mean of each 8 x 8 pixels."""
    step = SIZE // CELLS
    return np.asarray(values.reshape(CELLS, step, CELLS, step, -1).mean(axis=(1, 3)))


def _random_pose(seed: int) -> PoseVector:
    return np.random.default_rng(seed).uniform(MINIMUM, MAXIMUM).astype(np.float32)


def _pose(**values: float) -> PoseVector:
    pose = neutral()
    for name, value in values.items():
        pose[Pose[name]] = value
    return pose


def _away(first: Picture, second: Picture) -> int:
    return int(np.abs(first.astype(int) - second.astype(int)).max())


OLDER, NEWER, NEXT = (_pose(NECK_Z=0.4 - step, BODY_Z=step - 0.1, MOUTH_AAA=step) for step in (0.0, 0.3, 0.6))
"""Equal steps."""
HALF_WAY = _pose(NECK_Z=-0.05, BODY_Z=0.35)


# Fields


@pytest.mark.parametrize(("family", "name", "precision"), SETS)
def test_the_fields_that_were_found_make_the_picture_again(
    kept: Callable[[str, str, str], Moving], family: str, name: str, precision: str
) -> None:
    moving = kept(family, name, precision)
    for pose in (_random_pose(1), _random_pose(2)):
        fields = moving.fields(pose)
        assert fields.warp.shape == (SIZE, SIZE, 2)
        assert fields.blend.shape == (SIZE, SIZE, CHANNELS[family])
        assert 0.001 < np.abs(fields.warp).max() < 0.5
        assert fields.blend.min() >= 0.0
        assert np.ptp(fields.blend) > 0.1
        # half precision: the network's own arithmetic between the fields and the picture is coarser than this one
        assert _away(bend(fields, moving.face(pose)), moving.render(pose)) <= (1 if precision == "full" else 3)


@pytest.mark.parametrize(("family", "name", "precision"), SETS)
def test_the_coarse_warp_is_the_mean_of_what_was_moved(
    kept: Callable[[str, str, str], Moving], family: str, name: str, precision: str
) -> None:
    moving = kept(family, name, precision)
    older, newer = moving.warp(OLDER), moving.warp(NEWER)
    assert np.abs(older - newer).max() * SIZE > 2.0
    expected = displacement(newer, continued(older, newer, 1.0))
    found = moving.after(OLDER, NEWER, to=NEXT)
    assert found.shape == (CELLS, CELLS, 2)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() * SIZE < 0.001


def test_painted_pixels_do_not_count() -> None:
    cells = np.zeros((1, 3, CELLS, CELLS), np.float32)
    cells[0, 0], cells[0, 1], cells[0, 2] = 0.1 * 0.25, -0.2 * 0.25, 0.25
    # nothing in these was moved
    cells[0, :, 20:22, 30:32] = 0.0
    found = warp_of(cells)
    assert found.shape == (CELLS, CELLS, 2)
    assert found.dtype == np.float32
    # shares of the side, not of half of it
    assert np.abs(found - np.array([0.05, -0.1])).max() < 0.003
    assert np.isfinite(warp_of(np.zeros_like(cells))).all()
    assert not warp_of(np.zeros_like(cells)).any()


# Motion that goes on


@pytest.mark.parametrize(("family", "name", "precision"), SETS)
def test_motion_goes_on_as_it_would_be_drawn(
    kept: Callable[[str, str, str], Moving], family: str, name: str, precision: str
) -> None:
    moving = kept(family, name, precision)
    for older, newer, pose, share in (
        (OLDER, NEWER, NEXT, 1.0),
        (OLDER, NEWER, HALF_WAY, 0.5),
        (NEXT, NEWER, OLDER, 1.0),
        (NEXT, NEWER, HALF_WAY, -0.5),
    ):
        found = moving.after(older, newer, to=pose)
        warps = moving.warp(older), moving.warp(newer)
        expected = displacement(warps[1], continued(*warps, share))
        assert np.abs(found - expected).max() * SIZE < 0.001
        true = displacement(warps[1], moving.warp(pose))
        assert np.abs(found - true).max() < 0.35 * np.abs(true).max()


def test_what_goes_on_to_the_right_is_found_on_the_left() -> None:
    """Content of the last picture came from the left of its place, that of the one before did not."""
    known = KnownWarps()
    known.put(_pose(), np.zeros((CELLS, CELLS, 2), np.float32))
    known.put(_pose(HEAD_Y=-0.2), np.full((CELLS, CELLS, 2), (-0.03, 0.01), np.float32))
    found = known.motion([_pose(), _pose(HEAD_Y=-0.2)], _pose(HEAD_Y=-0.3))
    assert found is not None
    assert np.abs(found - np.array([-0.015, 0.005])).max() < 1e-6


def test_motion_goes_no_farther_than_it_came(moving: Moving) -> None:
    farthest = moving.after(OLDER, NEWER, to=NEXT)
    beyond = _pose(NECK_Z=-1.0, BODY_Z=1.0)
    assert np.array_equal(moving.after(OLDER, NEWER, to=beyond), farthest)
    back = moving.after(OLDER, NEWER, to=_pose(NECK_Z=1.0, BODY_Z=-1.0))
    assert np.abs(back - displacement(moving.warp(NEWER), moving.warp(OLDER))).max() * SIZE < 0.001


def test_what_the_face_does_changes_nothing(moving: Moving) -> None:
    found = moving.after(OLDER, NEWER, to=NEXT)
    winking = NEXT.copy()
    winking[Pose.EYE_WINK_LEFT] = winking[Pose.EYEBROW_ANGRY_RIGHT] = 1.0
    assert np.array_equal(moving.after(OLDER, NEWER, to=winking), found)


def test_earlier_pictures_and_the_order_of_drawing_do_not_matter(moving: Moving) -> None:
    found = moving.after(OLDER, NEWER, to=NEXT)
    assert np.array_equal(moving.after(NEXT, OLDER, NEWER, to=NEXT), found)
    moving.render(OLDER)
    again = moving.model.motion([_random_pose(5), OLDER, NEWER], NEXT)
    assert again is not None
    assert np.array_equal(again, found)


def test_poses_are_clamped_and_left_alone(moving: Moving) -> None:
    inside = _pose(HEAD_Y=1.0, NECK_Z=-0.5)
    outside = _pose(HEAD_Y=7.0, NECK_Z=-0.5)
    found = moving.after(OLDER, inside, to=NEXT)
    given = outside.copy()
    assert np.array_equal(moving.after(OLDER, outside, to=NEXT), found)
    assert np.array_equal(outside, given)
    to = _pose(HEAD_Y=3.0, NECK_Z=-1.0)
    assert np.array_equal(moving.after(OLDER, inside, to=to), moving.after(OLDER, inside, to=np.clip(to, -1.0, 1.0)))
    # 0 and -0 are the same pose
    moving.render(neutral())
    assert moving.model.motion([OLDER, _pose(HEAD_X=-0.0, BODY_Y=-0.0)], NEXT) is not None


@pytest.mark.parametrize("size", [256, 1024])
def test_motion_is_the_same_at_every_size(files: ThaFiles, moving: Moving, size: int) -> None:
    assert np.array_equal(Moving(files, size).after(OLDER, NEWER, to=NEXT), moving.after(OLDER, NEWER, to=NEXT))


def test_motion_runs_nothing_and_leaves_the_next_picture_right(moving: Moving) -> None:
    picture = moving.render(NEWER)
    moving.after(OLDER, NEWER, to=NEXT)
    moving.runtime.taken_runs()
    moving.model.motion([OLDER, NEWER], NEXT)
    assert moving.runtime.taken_runs() == {}
    assert np.array_equal(moving.render(NEWER), picture)
    assert moving.runtime.reads == 0


# Motion that is not known


def test_one_picture_alone_does_not_move(moving: Moving) -> None:
    moving.render(NEWER)
    assert moving.model.motion([NEWER], NEXT) is None


def test_pictures_that_were_not_drawn_do_not_move(files: ThaFiles) -> None:
    moving = Moving(files)
    moving.render(OLDER)
    assert moving.model.motion([OLDER, NEWER], NEXT) is None
    assert moving.model.motion([NEWER, OLDER], NEXT) is None
    moving.render(NEWER)
    assert moving.model.motion([OLDER, NEWER], NEXT) is not None


def test_from_where_nothing_turned_nothing_moves(moving: Moving) -> None:
    talking = OLDER.copy()
    talking[Pose.MOUTH_AAA] = 1.0
    for pose in (OLDER, talking, NEWER):
        moving.render(pose)
    assert moving.model.motion([OLDER, talking], NEXT) is None
    assert moving.model.motion([OLDER, OLDER], NEXT) is None
    assert moving.model.motion([OLDER, NEWER], NEXT) is not None


@pytest.mark.parametrize("family", ["tha3", "tha4"])
def test_without_fields_nothing_moves(tmp_path: Path, family: str) -> None:
    name = "separable" if family == "tha3" else ""
    moving = Moving(write_small_files(tmp_path, family, name, "full", Traits(ends_in_blend=False)))
    assert not moving.model.has_fields
    wanted = premultiplied(run_sequentially(moving.files, drawn_character(), NEWER)["result"])
    moving.render(OLDER)
    assert _away(moving.render(NEWER), wanted) <= 1
    assert moving.model.motion([OLDER, NEWER], NEXT) is None
    assert "motion" not in moving.runtime.runs


def test_pictures_of_long_ago_do_not_move(files: ThaFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tha_motion, "_REMEMBERED", 3)
    moving = Moving(files)
    found = moving.after(OLDER, NEWER, to=NEXT)
    moving.render(_random_pose(3))
    assert moving.model.motion([OLDER, NEWER], NEXT) is not None
    moving.render(_random_pose(4))
    assert moving.model.motion([OLDER, NEWER], NEXT) is None
    assert np.array_equal(moving.after(OLDER, NEWER, to=NEXT), found)


def test_a_picture_whose_warp_failed_does_not_move(files: ThaFiles) -> None:
    moving = Moving(files)
    found = moving.after(OLDER, NEWER, to=NEXT)
    fresh = Moving(files)
    fresh.render(OLDER)
    fresh.runtime.failing = "motion"
    with pytest.raises(RuntimeError, match="motion"):
        fresh.render(NEWER)
    fresh.runtime.failing = ""
    assert fresh.model.motion([OLDER, NEWER], NEXT) is None
    assert np.array_equal(fresh.after(OLDER, NEWER, to=NEXT), found)


# Warps that are known


def _numbered(number: int) -> PoseVector:
    return _pose(HEAD_Y=number / 1000.0)


def _warp(number: int) -> Warp:
    return np.full((CELLS, CELLS, 2), number / 10000.0, np.float32)


def _pairs_known(known: KnownWarps, numbers: range) -> list[int]:
    """Those of the pictures whose motion to the next one is known."""
    return [
        number
        for number in numbers
        if known.motion([_numbered(number), _numbered(number + 2)], _numbered(number + 3)) is not None
    ]


def test_the_last_256_pictures_are_remembered_and_no_more() -> None:
    known = KnownWarps()
    for number in range(400):
        known.put(_numbered(number), _warp(number))
    assert _pairs_known(known, range(398)) == list(range(400 - 256, 398))


def test_a_picture_that_is_drawn_again_is_among_the_last() -> None:
    known = KnownWarps()
    for number in range(256):
        known.put(_numbered(number), _warp(number))
    known.put(_numbered(0), _warp(0))
    known.put(_numbered(256), _warp(256))
    assert known.motion([_numbered(0), _numbered(256)], _numbered(300)) is not None


def test_two_threads_may_put_and_move() -> None:
    """A pair that was put is known, and a warp is never half of one and half of another."""
    known = KnownWarps()
    failures: list[str] = []
    known.put(_numbered(0), _warp(0))
    ended = threading.Event()

    def put() -> None:
        for number in range(1, 6000):
            known.put(_numbered(number % 500), _warp(number % 500))
        ended.set()

    def move() -> None:
        number = 0
        while not ended.is_set():
            number = (number + 1) % 490
            found = known.motion([_numbered(number), _numbered(number + 4)], _numbered(number + 6))
            if found is not None and np.abs(found - 2.0 / 10000.0).max() > 1e-6:
                failures.append(f"{number}: {found.min()} to {found.max()}")

    threads = [threading.Thread(target=work) for work in (put, move)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
        assert not thread.is_alive()
    assert failures == []


def test_pictures_may_be_bent_while_others_are_drawn(files: ThaFiles) -> None:
    moving = Moving(files)
    poses = [OLDER, NEWER, NEXT]
    expected = [moving.render(pose) for pose in poses]
    found = moving.after(OLDER, NEWER, to=NEXT)
    moved: list[Displacement | None] = []
    ended = threading.Event()

    def move() -> None:
        while not ended.is_set():
            moved.append(moving.model.motion([OLDER, NEWER], NEXT))

    bending = threading.Thread(target=move)
    bending.start()
    try:
        drawn = [moving.render(poses[number % 3]) for number in range(9)]
    finally:
        ended.set()
        bending.join(LIMIT_S)
    assert not bending.is_alive()
    assert moved
    assert all(one is not None and np.array_equal(one, found) for one in moved)
    assert all(np.array_equal(picture, expected[number % 3]) for number, picture in enumerate(drawn))


# The one real network there is


@pytest.fixture(scope="module")
def real(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Moving]:
    """A set in which the editor is the real one."""
    editor = data("models/tha3/seperable/fp32/editor.onnx")
    place = tmp_path_factory.mktemp("real")
    shutil.copytree(folder / "tha3/seperable/fp32", place / "tha3/seperable/fp32")
    shutil.copyfile(editor, place / "tha3/seperable/fp32/editor.onnx")
    files = find_variant_files("tha3", "separable", "full", place)
    made: list[Moving] = []

    def get() -> Moving:
        if not made:
            made.append(Moving(files))
        return made[0]

    return get


def test_the_real_editors_picture_is_ours(real: Callable[[], Moving]) -> None:
    moving = real()
    assert moving.model.has_fields
    pose = _pose(HEAD_Y=0.5, NECK_Z=0.3)
    reference = run_sequentially(moving.files, drawn_character(), pose)["result"]
    assert np.isfinite(reference).all()
    assert _away(moving.render(pose), premultiplied(reference)) <= 1
    # below the face crop, where the small networks change little, the real editor shows the character as it is
    character, shown = drawn_character()[300:500], moving.render(neutral())[300:500]
    inside = cv2.erode((character[..., 3] == 255).astype(np.uint8), np.ones((41, 41), np.uint8)) == 1
    outside = cv2.dilate((character[..., 3] > 0).astype(np.uint8), np.ones((41, 41), np.uint8)) == 0
    assert inside.sum() > 1000
    assert (shown[..., 3][inside] > 240).all()
    assert (shown[..., 3][outside] < 8).mean() > 0.98
    assert np.abs(shown[inside].astype(int) - character[inside]).mean() < 16


def test_the_real_editors_fields_make_its_picture_again(real: Callable[[], Moving]) -> None:
    moving = real()
    fields = moving.fields(NEWER)
    assert fields.blend.shape == (SIZE, SIZE, 4)
    assert np.abs(fields.warp).max() < 0.5
    assert _away(bend(fields, moving.face(NEWER)), moving.render(NEWER)) <= 1


@pytest.mark.parametrize("poses", [(OLDER, NEWER, NEXT), tuple(_pose(HEAD_Y=turn) for turn in (-0.4, 0.2, 0.8))])
def test_the_real_editors_pictures_bent_are_nearer_to_the_next(
    real: Callable[[], Moving], poses: tuple[PoseVector, PoseVector, PoseVector]
) -> None:
    moving = real()
    older, newer, pose = poses
    found = moving.after(older, newer, to=pose)
    warps = moving.warp(older), moving.warp(newer)
    assert np.abs(found - displacement(warps[1], continued(*warps, 1.0))).max() * SIZE < 0.01
    given, wanted = moving.render(newer), moving.render(pose)
    assert error(bent(given, found), wanted) < 0.5 * error(given, wanted)
