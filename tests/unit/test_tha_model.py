"""THA3 and THA4 characters: what runs when, and pictures that equal the plain run of all five files."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.parameters import MAXIMUM, MINIMUM, Pose, PoseVector, clamp, neutral
from models.base import Picture
from models.tha import stages
from models.tha.files import ThaFiles, find_variant_files
from models.tha.model import ThaModel

from .drawn_character import drawn_character
from .tha_graphs import Traits, write_small_files
from .tha_runtime import CountingRuntime, premultiplied, run_sequentially

Sets: TypeAlias = Callable[..., ThaFiles]

SETS = [
    ("tha3", "separable", "full"),
    ("tha3", "separable", "half"),
    ("tha3", "standard", "full"),
    ("tha4", "", "full"),
    ("tha4", "", "half"),
]
LAST = {"tha3": {"rotator": 1, "editor": 1, "motion": 1}, "tha4": {"body_morpher": 1, "upscaler": 1, "motion": 1}}
"""What runs for every picture."""
CROP_BYTES = 4 * 192 * 192 * 4


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    """Makes a set of files once for each kind that is asked for."""
    made: dict[object, ThaFiles] = {}

    def get(family: str = "tha3", name: str = "separable", precision: str = "full", **traits: object) -> ThaFiles:
        key = (family, name, precision, tuple(traits.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp("weights")
            write_small_files(folder, family, name, precision, Traits(**traits))  # type: ignore[arg-type]
            made[key] = find_variant_files(family, name, precision, folder)
        return made[key]

    return get


@pytest.fixture(scope="module")
def plain(sets: Sets) -> Shown:
    """A model to compare pictures with."""
    return Shown(sets())


class Shown:
    """A model on a runtime that counts."""

    def __init__(self, files: ThaFiles, size: int = 512, picture: Picture | None = None) -> None:
        self.files = files
        self.runtime = CountingRuntime()
        self.character = drawn_character() if picture is None else picture
        self.model = ThaModel(self.character, files, self.runtime, size)
        self.opening = self.runtime.taken_runs()

    def render(self, pose: PoseVector) -> Picture:
        out = np.full((self.model.size, self.model.size, 4), 77, np.uint8)
        self.model.render(pose, out)
        return out

    def runs_for(self, pose: PoseVector) -> dict[str, int]:
        self.render(pose)
        return self.runtime.taken_runs()

    def expected(self, pose: PoseVector) -> Picture:
        return premultiplied(run_sequentially(self.files, self.character, pose)["result"])


def _random_pose(seed: int) -> PoseVector:
    return np.random.default_rng(seed).uniform(MINIMUM, MAXIMUM).astype(np.float32)


def _changed(pose: PoseVector, value: Pose, to: float) -> PoseVector:
    changed = pose.copy()
    changed[value] = to
    return changed


def _away(first: Picture, second: Picture) -> int:
    return int(np.abs(first.astype(int) - second.astype(int)).max())


# The picture


def test_it_has_no_look_at_a_face_apart(plain: Shown) -> None:
    pose = np.zeros(45, np.float32)
    assert plain.model.face_change(pose, pose + np.float32(0.5)) is None


@pytest.mark.parametrize(("family", "name", "precision"), SETS)
def test_the_picture_is_that_of_all_five_networks(sets: Sets, family: str, name: str, precision: str) -> None:
    shown = Shown(sets(family, name, precision))
    pose = _random_pose(2)
    picture, expected = shown.render(pose), shown.expected(pose)
    # what the file samples in half precision is sampled in full
    assert _away(picture, expected) <= (1 if precision == "full" else 3)
    assert (picture != expected).mean() < (0.001 if precision == "full" else 0.1), "not rounded"
    assert shown.model.keeps_crops
    assert shown.model.has_fields
    assert shown.model.family == family


@pytest.mark.parametrize("family", ["tha3", "tha4"])
def test_every_group_of_values_reaches_the_picture(sets: Sets, family: str) -> None:
    shown = Shown(sets(family, "separable" if family == "tha3" else ""))
    rest = shown.render(neutral())
    for value in (Pose.EYEBROW_HAPPY_LEFT, Pose.EYE_WINK_LEFT, Pose.MOUTH_AAA, Pose.IRIS_ROTATION_Y, Pose.HEAD_X,
                  Pose.BREATHING):  # fmt: skip
        assert _away(shown.render(_changed(neutral(), value, 1.0)), rest) > 3, value.name


def test_the_character_reaches_the_picture(sets: Sets, plain: Shown) -> None:
    other = drawn_character()
    other[..., :3] = other[..., 2::-1]
    assert _away(Shown(sets(), picture=other).render(neutral()), plain.render(neutral())) > 20


def test_alpha_outside_its_range_is_clamped_where_the_file_does_not(sets: Sets) -> None:
    files = sets(overshoot=5.0, clamped=False)
    shown = Shown(files)
    pose = _random_pose(3)
    reference = run_sequentially(files, shown.character, pose)
    alpha = reference["result"][0, 3]
    assert alpha.min() < -0.05
    assert alpha.max() > 1.05
    wrapped = np.abs(reference["cv_result"][..., 3].astype(int) - np.clip(alpha * 255.0, 0.0, 255.0))
    assert wrapped.max() > 200, "the file itself does not wrap around: nothing is tested here"
    picture = shown.render(pose)
    assert _away(picture, premultiplied(reference["result"])) <= 1
    assert (picture[..., 3][alpha >= 1.0] == 255).all()
    assert (picture[alpha <= 0.0] == 0).all()


def test_colour_is_never_more_than_its_alpha(plain: Shown) -> None:
    picture = plain.render(_random_pose(4))
    assert (picture[..., :3].max(axis=2) <= picture[..., 3]).all()
    assert np.ptp(picture[..., 3]) > 50


def test_a_pose_outside_its_range_is_the_nearest_inside(plain: Shown) -> None:
    wild = _random_pose(5) * 3.0
    wild[Pose.HEAD_X] = np.nan
    given = wild.copy()
    assert np.array_equal(plain.render(wild), plain.render(clamp(wild)))
    assert np.array_equal(wild, given, equal_nan=True)


@pytest.mark.parametrize("size", [256, 300, 768, 1024])
def test_other_sizes_are_the_same_picture_scaled(sets: Sets, plain: Shown, size: int) -> None:
    pose = _random_pose(6)
    scaled = Shown(sets(), size).render(pose)
    assert scaled.shape == (size, size, 4)
    assert (scaled[..., :3].max(axis=2) <= scaled[..., 3]).all()
    seen = cv2.resize(scaled, (256, 256), interpolation=cv2.INTER_AREA).astype(int)
    wanted = cv2.resize(plain.render(pose), (256, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(seen - wanted).mean() < 1.0


def test_a_wrong_picture_or_size_is_refused(sets: Sets) -> None:
    character = drawn_character()
    for picture, size in ((character[:256], 512), (character.astype(np.float32), 512), (character, 255),
                          (character, 1025)):  # fmt: skip
        with pytest.raises(ValueError, match="expected a"):
            ThaModel(picture, sets(), CountingRuntime(), size)  # type: ignore[arg-type]


def test_a_decomposer_that_wants_a_batch_gets_one(sets: Sets, plain: Shown) -> None:
    pose = _random_pose(6)
    assert np.array_equal(Shown(sets(batched_bytes=True)).render(pose), plain.render(pose))


# What runs


@pytest.mark.parametrize("family", ["tha3", "tha4"])
def test_only_what_a_change_reaches_is_computed(sets: Sets, family: str) -> None:
    shown = Shown(sets(family, "separable" if family == "tha3" else ""))
    last = LAST[family]
    assert shown.opening == {"decomposer": 1}
    pose = _random_pose(8)
    assert shown.runs_for(pose) == {"combiner": 1, "morpher": 1, "paste": 1, **last}
    assert shown.runs_for(pose.copy()) == last
    turned = _changed(pose, Pose.HEAD_Y, 0.25)
    assert shown.runs_for(turned) == last
    talking = _changed(turned, Pose.MOUTH_AAA, 0.5)
    assert shown.runs_for(talking) == {"morpher": 1, "paste": 1, **last}
    frowning = _changed(talking, Pose.EYEBROW_ANGRY_LEFT, 0.5)
    assert shown.runs_for(frowning) == {"combiner": 1, "morpher": 1, "paste": 1, **last}
    assert shown.runs_for(_changed(talking, Pose.BREATHING, 0.125)) == {"paste": 1, **last}
    assert shown.runs_for(_changed(frowning, Pose.MOUTH_AAA, 0.75)) == {"morpher": 1, "paste": 1, **last}
    assert shown.runs_for(_changed(neutral(), Pose.HEAD_Y, -0.0)) == {"combiner": 1, "morpher": 1, "paste": 1, **last}
    assert shown.runs_for(neutral()) == last, "0 and -0 are the same"


def test_what_is_remembered_gives_the_same_picture(sets: Sets) -> None:
    shown = Shown(sets())
    first, second = (_random_pose(seed) for seed in (1, 2))
    crossed = np.concatenate([first[:39], second[39:]])
    poses = (first, second, crossed)
    first_time = [shown.render(pose) for pose in poses]
    for pose, picture in zip(poses, first_time, strict=True):
        assert np.array_equal(shown.render(pose), picture)
    assert np.array_equal(Shown(sets()).render(crossed), first_time[2])


def test_only_poses_go_to_the_device_and_only_pictures_come_back(sets: Sets) -> None:
    shown = Shown(sets("tha3", "separable", "half"))
    assert shown.runtime.downloads["decomposer"] > 0
    shown.runtime.uploads.clear()
    shown.runtime.downloads.clear()
    shown.render(_random_pose(9))
    assert dict(shown.runtime.uploads) == {"combiner": 12 * 4, "morpher": 27 * 4, "rotator": 6 * 4, "editor": 6 * 4}
    assert +shown.runtime.downloads == {"editor": 512 * 512 * 4, "motion": 3 * 64 * 64 * 4}
    assert shown.runtime.reads == 0


def test_half_precision_poses_are_of_the_networks_type_in_tha4(sets: Sets) -> None:
    shown = Shown(sets("tha4", "", "half"))
    shown.runtime.uploads.clear()
    shown.render(_random_pose(9))
    assert dict(shown.runtime.uploads) == {
        "combiner": 12 * 2, "morpher": 27 * 2, "body_morpher": 6 * 2, "upscaler": 6 * 2,
    }  # fmt: skip


def test_the_decomposer_may_run_elsewhere(sets: Sets, plain: Shown) -> None:
    elsewhere, here = CountingRuntime(), CountingRuntime()
    model = ThaModel(drawn_character(), sets(), here, 512, once=elsewhere)
    out = np.zeros((512, 512, 4), np.uint8)
    model.render(_random_pose(1), out)
    assert dict(elsewhere.runs) == {"decomposer": 1}
    assert elsewhere.open_sessions == set()
    assert "decomposer" not in here.runs
    assert np.array_equal(out, plain.render(_random_pose(1)))


# Memory


@pytest.mark.parametrize("crop_is_pasted", [True, False])
def test_memory_is_bounded(sets: Sets, crop_is_pasted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROW_SLOTS", "CROP_SLOTS", "WHOLE_FACE_SLOTS"):
        monkeypatch.setattr(stages, name, 2)
    shown = Shown(sets(crop_is_pasted=crop_is_pasted))
    poses = [_random_pose(seed) for seed in range(4)]
    pictures = [shown.render(pose) for pose in poses[:2]]
    taken = shown.runtime.tensors
    pictures += [shown.render(pose) for pose in poses[2:]]
    for pose, picture in zip(poses, pictures, strict=True):
        assert np.array_equal(shown.render(pose), picture)
    assert shown.runtime.tensors == taken


def _talking(steps: list[int]) -> list[PoseVector]:
    return [_changed(neutral(), Pose.MOUTH_AAA, 0.1 * step) for step in steps]


@pytest.mark.parametrize(("precision", "crop_bytes"), [("full", CROP_BYTES), ("half", CROP_BYTES // 2)])
def test_as_many_faces_are_remembered_as_there_is_memory_for(sets: Sets, precision: str, crop_bytes: int) -> None:
    shown = Shown(sets("tha3", "separable", precision))

    def computed(*steps: int) -> list[int]:
        poses = _talking(list(steps))
        return [step for step, pose in zip(steps, poses, strict=True) if shown.runs_for(pose).get("morpher")]

    assert computed(1, 2, 3, 1, 2, 3) == [1, 2, 3]
    shown.model.remember_up_to(2 * crop_bytes)
    assert computed(3, 2) == []
    assert computed(1, 2, 3) == [1, 3]
    shown.model.remember_up_to(4 * crop_bytes - 1)
    assert computed(2, 3, 4, 2, 3, 4, 5, 2) == [4, 5, 2]
    taken = shown.runtime.tensors
    computed(*range(10))
    assert shown.runtime.tensors == taken


@pytest.mark.parametrize("bytes_", [0, -1, CROP_BYTES - 1])
@pytest.mark.parametrize("crop_is_pasted", [True, False])
def test_with_no_memory_for_faces_pictures_are_right(sets: Sets, crop_is_pasted: bool, bytes_: int) -> None:
    shown = Shown(sets(crop_is_pasted=crop_is_pasted))
    poses = _talking([1, 2, 3])
    expected = [shown.render(pose) for pose in poses]
    shown.model.remember_up_to(bytes_)
    for number in (2, 2, 0, 1, 2):
        assert np.array_equal(shown.render(poses[number]), expected[number])


def test_memory_does_not_grow_with_pictures(plain: Shown) -> None:
    plain.render(_random_pose(1))
    taken = plain.runtime.tensors
    for step in range(12):
        plain.render(_changed(_random_pose(1), Pose.HEAD_Y, step / 12))
    assert plain.runtime.tensors == taken


def test_closing_gives_everything_back(sets: Sets) -> None:
    shown = Shown(sets())
    for pose in _talking([1, 2]):
        shown.render(pose)
    assert len(shown.runtime.held) == shown.runtime.tensors
    assert shown.runtime.open_sessions == {"combiner", "morpher", "paste", "rotator", "editor", "motion"}
    shown.model.close()
    assert shown.runtime.open_sessions == set()
    gc.collect()
    assert [tensor.shape for tensor in shown.runtime.held] == []
    shown.model.close()


# What goes wrong


@pytest.mark.parametrize("network", ["combiner", "morpher", "paste", "rotator", "editor", "motion"])
def test_after_a_failure_the_next_picture_is_right(sets: Sets, plain: Shown, network: str) -> None:
    shown = Shown(sets())
    before, after = _random_pose(1), _random_pose(2)
    shown.render(before)
    shown.runtime.failing = network
    for _ in range(2):
        with pytest.raises(RuntimeError, match=network):
            shown.render(after)
    shown.runtime.failing = ""
    for pose in (_changed(before, Pose.HEAD_Y, 0.5), after):
        assert np.array_equal(shown.render(pose), plain.render(pose))


@pytest.mark.parametrize("network", ["decomposer", "combiner", "paste", "editor", "motion"])
def test_what_was_opened_is_closed_when_a_network_is_refused(sets: Sets, network: str) -> None:
    runtime = CountingRuntime()
    runtime.refusing = network
    with pytest.raises(RuntimeError, match=network):
        ThaModel(drawn_character(), sets(), runtime, 512)
    assert runtime.open_sessions == set()


# A morpher that is not understood


@pytest.mark.parametrize("family", ["tha3", "tha4"])
def test_without_a_crop_whole_faces_are_remembered(sets: Sets, family: str) -> None:
    shown = Shown(sets(family, "separable" if family == "tha3" else "", crop_is_pasted=False))
    assert not shown.model.keeps_crops
    pose = _random_pose(1)
    assert _away(shown.render(pose), shown.expected(pose)) <= 1
    shown.runtime.taken_runs()
    assert shown.runs_for(_changed(pose, Pose.HEAD_Y, 0.5)) == LAST[family]
    talking = _changed(pose, Pose.MOUTH_AAA, 0.5)
    assert shown.runs_for(talking) == {"morpher": 1, **LAST[family]}
    assert shown.runs_for(_changed(pose, Pose.HEAD_Y, -0.5)) == LAST[family]
    assert _away(shown.render(talking), shown.expected(talking)) <= 1


def test_pictures_are_not_the_models_own_memory(plain: Shown) -> None:
    first = plain.render(_random_pose(1))
    kept: NDArray[np.uint8] = first.copy()
    first[:] = 0
    assert np.array_equal(plain.render(_random_pose(1)), kept)
