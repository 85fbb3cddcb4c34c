"""Motion fields of THA3 and THA4: they make the same picture again, and pictures between two others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.pose.parameters import MAXIMUM, MINIMUM, Pose, PoseVector, neutral
from models.base import MotionFields, Picture
from models.tha import model as tha_model
from models.tha.files import ThaFiles, find_variant_files
from models.tha.model import ThaKeyFrame, ThaModel

from ..data import data
from .drawn_character import drawn_character
from .small_model import SmallKey
from .tha_graphs import Traits, write_small_files
from .tha_runtime import CountingRuntime, bend, premultiplied, run_sequentially

SETS = [("tha3", "separable", "full"), ("tha3", "standard", "half"), ("tha4", "", "full"), ("tha4", "", "half")]
CHANNELS = {"tha3": (512, 512, 4), "tha4": (512, 512)}


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
def moving(files: ThaFiles) -> Moving:
    """For tests that leave it as they find it."""
    return Moving(files)


class Moving:
    """A model, two of its key frames and their pictures."""

    def __init__(self, files: ThaFiles, size: int = 512, poses: tuple[PoseVector, PoseVector] | None = None) -> None:
        self.files = files
        self.runtime = CountingRuntime()
        self.model = ThaModel(drawn_character(), files, self.runtime, size)
        self.older, self.older_picture = self.render(poses[0] if poses else _random_pose(1))
        self.newer, self.newer_picture = self.render(poses[1] if poses else _random_pose(2))
        self.runtime.taken_runs()

    def render(self, pose: PoseVector) -> tuple[ThaKeyFrame, Picture]:
        out = np.zeros((self.model.size, self.model.size, 4), np.uint8)
        return self.model.render(pose, out), out

    def between(self, fraction: float) -> Picture:
        out = np.full((self.model.size, self.model.size, 4), 77, np.uint8)
        self.model.between(self.older, self.newer, fraction, out)
        return out

    def face(self, pose: PoseVector) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """The picture that the fields of this pose bend, from the plain run of the files."""
        return np.asarray(run_sequentially(self.files, drawn_character(), pose)["face_morphed_full"], np.float32)


def _random_pose(seed: int) -> PoseVector:
    return np.random.default_rng(seed).uniform(MINIMUM, MAXIMUM).astype(np.float32)


def _pose(**values: float) -> PoseVector:
    pose = neutral()
    for name, value in values.items():
        pose[Pose[name]] = value
    return pose


def _fields(frame: ThaKeyFrame) -> MotionFields:
    fields = frame.fields
    assert fields is not None
    return fields


def _away(first: Picture, second: Picture) -> int:
    return int(np.abs(first.astype(int) - second.astype(int)).max())


def _mixed(first: MotionFields, second: MotionFields, share: float) -> MotionFields:
    def mix(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        mixed = (1.0 - share) * getattr(first, name) + share * getattr(second, name)
        return np.asarray(mixed, np.float32)

    return MotionFields(mix("warp"), mix("blend"), mix("colour"))


# Fields


@pytest.mark.parametrize(("family", "name", "precision"), SETS)
def test_fields_make_the_picture_again(folder: Path, family: str, name: str, precision: str) -> None:
    moving = Moving(find_variant_files(family, name, precision, folder))
    for frame, picture in ((moving.older, moving.older_picture), (moving.newer, moving.newer_picture)):
        fields = _fields(frame)
        assert fields.warp.shape == (512, 512, 2)
        assert fields.blend.shape == CHANNELS[family]
        assert fields.colour.shape == (512, 512, 4)
        assert {array.dtype for array in (fields.warp, fields.blend, fields.colour)} == {np.dtype(np.float32)}
        assert 0.001 < np.abs(fields.warp).max() < 0.5
        assert fields.blend.min() >= 0.0
        assert np.ptp(fields.blend) > 0.1
        # half precision: the network's own arithmetic between the fields and the picture is coarser than this one
        assert _away(bend(fields, moving.face(frame.pose)), picture) <= (1 if precision == "full" else 3)


def test_fields_are_read_from_the_device_only_when_asked_for(moving: Moving) -> None:
    moving.runtime.taken_runs()
    moving.runtime.reads = 0
    moving.between(0.5)
    assert moving.runtime.reads == 0
    _fields(moving.newer)
    assert moving.runtime.reads == 3
    assert moving.runtime.taken_runs() == {"in-between": 1}


def test_fields_of_long_ago_are_computed_again(files: ThaFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tha_model, "FRAME_SLOTS", 2)
    moving = Moving(files)
    before = _fields(moving.older)
    moving.render(_random_pose(3))
    moving.render(_random_pose(4))
    moving.runtime.taken_runs()
    after = _fields(moving.older)
    assert moving.runtime.taken_runs() == {"paste": 1, "rotator": 1, "editor": 1}
    assert all(np.array_equal(getattr(before, name), getattr(after, name)) for name in ("warp", "blend", "colour"))


# Between


@pytest.mark.parametrize(("family", "name", "precision"), SETS)
def test_between_bends_the_newer_face_by_fields_in_between(
    folder: Path, family: str, name: str, precision: str
) -> None:
    moving = Moving(find_variant_files(family, name, precision, folder))
    face = moving.face(moving.newer.pose)
    first, second = _fields(moving.older), _fields(moving.newer)
    for share in (0.0, 0.25, 0.5):
        wanted = bend(_mixed(first, second, share), face)
        assert _away(moving.between(share), wanted) <= (1 if precision == "full" else 4)
    assert moving.runtime.taken_runs() == {"in-between": 3}
    assert _away(moving.between(1.0), moving.newer_picture) <= 1


def test_fractions_outside_are_the_ends(moving: Moving) -> None:
    assert np.array_equal(moving.between(-2.0), moving.between(0.0))
    assert np.array_equal(moving.between(7.0), moving.between(1.0))
    assert _away(moving.between(0.0), moving.between(1.0)) > 5


def test_when_only_the_head_moves_between_starts_at_the_older_picture(files: ThaFiles) -> None:
    moving = Moving(files, poses=(_pose(MOUTH_AAA=0.5, HEAD_Y=-1.0), _pose(MOUTH_AAA=0.5, HEAD_Y=1.0)))
    assert _away(moving.between(0.0), moving.older_picture) <= 1


def test_between_goes_back_to_faces_and_fields_of_long_ago(files: ThaFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tha_model, "FRAME_SLOTS", 2)
    moving = Moving(files)
    wanted = moving.between(0.5)
    for seed in (3, 4, 5):
        moving.render(_random_pose(seed))
    assert np.array_equal(moving.between(0.5), wanted)


@pytest.mark.parametrize("size", [256, 1024])
def test_between_has_the_models_size(files: ThaFiles, moving: Moving, size: int) -> None:
    picture = Moving(files, size).between(0.5)
    own = moving.between(0.5)
    seen = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA).astype(int)
    assert picture.shape == (size, size, 4)
    assert np.abs(seen - cv2.resize(own, (256, 256), interpolation=cv2.INTER_AREA)).mean() < 1.0


def test_foreign_key_frames_are_refused(files: ThaFiles, moving: Moving) -> None:
    other = Moving(files)
    out = np.zeros((512, 512, 4), np.uint8)
    for older, newer in ((other.older, moving.newer), (moving.older, other.newer), (SmallKey(neutral()), moving.newer)):
        with pytest.raises(TypeError, match="this model"):
            moving.model.between(older, newer, 0.5, out)


def test_a_failure_between_leaves_no_trace(moving: Moving) -> None:
    wanted = moving.between(0.5)
    moving.runtime.failing = "in-between"
    with pytest.raises(RuntimeError):
        moving.between(0.75)
    moving.runtime.failing = ""
    assert np.array_equal(moving.between(0.5), wanted)


@pytest.mark.parametrize("family", ["tha3", "tha4"])
def test_without_fields_pictures_are_faded(tmp_path: Path, family: str) -> None:
    name = "separable" if family == "tha3" else ""
    moving = Moving(write_small_files(tmp_path, family, name, "full", Traits(ends_in_blend=False)))
    assert not moving.model.has_fields
    assert moving.older.fields is None
    wanted = premultiplied(run_sequentially(moving.files, drawn_character(), moving.newer.pose)["result"])
    assert _away(moving.newer_picture, wanted) <= 1
    assert np.array_equal(moving.between(0.0), moving.older_picture)
    assert np.array_equal(moving.between(1.0), moving.newer_picture)
    halfway = moving.older_picture.astype(int) + moving.newer_picture.astype(int)
    assert np.abs(2 * moving.between(0.5).astype(int) - halfway).max() <= 1
    assert moving.runtime.taken_runs() == {}


# The one real network there is


@pytest.fixture(scope="module")
def real(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Moving]:
    """A set in which the editor is the real one, posed twice with nothing but the head moved."""
    editor = data("models/tha3/seperable/fp32/editor.onnx")
    place = tmp_path_factory.mktemp("real")
    shutil.copytree(folder / "tha3/seperable/fp32", place / "tha3/seperable/fp32")
    shutil.copyfile(editor, place / "tha3/seperable/fp32/editor.onnx")
    files = find_variant_files("tha3", "separable", "full", place)
    made: list[Moving] = []

    def get() -> Moving:
        if not made:
            made.append(Moving(files, poses=(neutral(), _pose(HEAD_Y=0.5, NECK_Z=0.3))))
        return made[0]

    return get


def test_the_real_editors_picture_is_ours(real: Callable[[], Moving]) -> None:
    moving = real()
    assert moving.model.has_fields
    reference = run_sequentially(moving.files, drawn_character(), moving.newer.pose)["result"]
    assert np.isfinite(reference).all()
    assert _away(moving.newer_picture, premultiplied(reference)) <= 1
    # below the face crop, where the small networks change little, the real editor shows the character as it is
    character, shown = drawn_character()[300:500], moving.older_picture[300:500]
    inside = cv2.erode((character[..., 3] == 255).astype(np.uint8), np.ones((41, 41), np.uint8)) == 1
    outside = cv2.dilate((character[..., 3] > 0).astype(np.uint8), np.ones((41, 41), np.uint8)) == 0
    assert inside.sum() > 1000
    assert (shown[..., 3][inside] > 240).all()
    assert (shown[..., 3][outside] < 8).mean() > 0.98
    assert np.abs(shown[inside].astype(int) - character[inside]).mean() < 16


def test_the_real_editors_fields_make_its_picture_again(real: Callable[[], Moving]) -> None:
    moving = real()
    fields = _fields(moving.newer)
    assert fields.blend.shape == (512, 512, 4)
    assert np.abs(fields.warp).max() < 0.5
    assert _away(bend(fields, moving.face(moving.newer.pose)), moving.newer_picture) <= 1


def test_the_real_editors_pictures_between_lie_between(real: Callable[[], Moving]) -> None:
    moving = real()
    face = moving.face(moving.newer.pose)
    middle = moving.between(0.5)
    assert _away(middle, bend(_mixed(_fields(moving.older), _fields(moving.newer), 0.5), face)) <= 1
    assert _away(moving.between(1.0), moving.newer_picture) <= 1
    rows = slice(240, None)

    def height(picture: Picture) -> float:
        return float(np.abs(picture[rows].astype(float) - moving.older_picture[rows]).mean())

    assert 0.0 < height(middle) < 1.5 * height(moving.newer_picture)
