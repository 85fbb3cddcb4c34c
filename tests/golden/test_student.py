"""A real THA4 student against the pictures and numbers that its author's PyTorch code gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from benchmarks._golden import golden_pictures
from models.base import Picture
from models.character import read_picture
from models.self_check import psnr_db
from models.student.composition import blue_first, linear_picture
from models.student.folder import load_student_weights, student_files
from models.student.points import Mask
from models.student.regions import Regions, Split, everywhere, whole_face
from models.student.renderer import StudentRenderer
from models.student.weights import StudentWeights
from tests.data import data
from tests.unit.student_networks import FACE_LEFT, FACE_SIZE, FACE_TOP, SIZE, Array, blended
from tests.unit.student_runtime import processor

LAMBDA = "models/tha4_student/lambda_00"
POSES = ["neutral", "blink", "mouth_open", "head_yaw", "head_roll", "mixed"]
RED_FIRST = [2, 1, 0, 3]
LEAST_FULL_DB, LEAST_SOFT_DB = 60.0, 36.0


@dataclass(frozen=True)
class Drawn:
    """What ours gave for one pose, red first."""

    picture: Picture
    """Premultiplied BGRA, as it is shown."""
    fields: Array
    linear: Array
    """Shape (512, 512, 4): the picture with the face in it, -1..1."""


def renderer_for(folder: Path, regions: Regions) -> StudentRenderer:
    files = student_files(folder)
    assert files is not None
    weights = load_student_weights(files)
    turned = StudentWeights(blue_first(weights.face), blue_first(weights.body))
    return StudentRenderer(turned, linear_picture(read_picture(files.picture)), regions, processor(2))


def draw(renderer: StudentRenderer, pose: Array) -> Drawn:
    fields = renderer.fields(pose[None], with_face=True)
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    renderer.draw(fields, picture)
    dense = np.zeros((SIZE, SIZE, 7))
    for points, part in zip(renderer.points, fields, strict=True):
        assert isinstance(part, np.ndarray)
        dense[points[:, 0], points[:, 1]] = part
    linear = np.moveaxis(renderer.picture()[0], 0, -1)[..., RED_FIRST]
    return Drawn(picture, dense[..., [0, 1, 2, 5, 4, 3, 6]], linear.astype(np.float64))


@pytest.fixture(scope="module")
def golden() -> dict[str, tuple[Array, Picture]]:
    """By name: the pose and the author's picture, encoded as ours."""
    found = golden_pictures(data(f"{LAMBDA}/reference"))
    assert sorted(found) == sorted(POSES)
    return dict(found)


@pytest.fixture(scope="module")
def drawn(golden: dict[str, tuple[Array, Picture]]) -> dict[str, Drawn]:
    """Every pixel at full size."""
    renderer = renderer_for(data(LAMBDA), everywhere())
    made = {name: draw(renderer, pose) for name, (pose, _) in golden.items()}
    renderer.close()
    return made


@pytest.fixture(scope="module")
def raw() -> Iterator[dict[str, Array]]:
    """What the networks gave: the result and the face, (4, size, size), R, G, B, A, linear, -1..1."""
    with np.load(data(f"{LAMBDA}/reference/raw_f16.npz")) as content:
        yield {name: np.moveaxis(content[name].astype(np.float64), 0, -1) for name in content.files}


@pytest.mark.parametrize("name", POSES)
def test_the_picture_is_the_authors(
    name: str, drawn: dict[str, Drawn], golden: dict[str, tuple[Array, Picture]]
) -> None:
    found, (_, expected) = drawn[name].picture, golden[name]
    assert psnr_db(found, expected) >= LEAST_FULL_DB
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 2
    assert difference[..., 3].max() <= 2
    assert (found[..., :3] <= found[..., 3:]).all()


@pytest.mark.parametrize("name", POSES)
def test_the_face_is_the_networks(name: str, drawn: dict[str, Drawn], raw: dict[str, Array]) -> None:
    face = drawn[name].linear[FACE_TOP : FACE_TOP + FACE_SIZE, FACE_LEFT : FACE_LEFT + FACE_SIZE]
    assert np.abs(face - raw[f"face_{name}"]).max() < 2e-4


@pytest.mark.parametrize("name", POSES)
def test_the_fields_make_the_networks_result(name: str, drawn: dict[str, Drawn], raw: dict[str, Array]) -> None:
    result = blended(drawn[name].linear, drawn[name].fields)
    assert np.abs(result - raw[name]).max() < 2e-3  # float16 has steps of 1e-3 at 1
    assert np.abs(result - raw[name]).mean() < 1e-4


def test_the_poses_are_different_pictures(drawn: dict[str, Drawn]) -> None:
    # else one picture for all of them would be good enough
    for name in POSES[1:]:
        assert psnr_db(drawn[name].picture, drawn["neutral"].picture) < LEAST_FULL_DB - 6.0


def seen(drawn: dict[str, Drawn]) -> Mask:
    """What any of the six poses shows."""
    return np.asarray(np.max([each.picture[..., 3] for each in drawn.values()], axis=0) > 1, np.bool_)


def test_half_the_size_is_near(drawn: dict[str, Drawn], golden: dict[str, tuple[Array, Picture]]) -> None:
    visible, face = seen(drawn), whole_face()
    assert 0.1 < visible.mean() < 0.7
    regions = Regions(Split.mixed(~visible & visible, visible), Split.mixed(~face, face))
    renderer = renderer_for(data(LAMBDA), regions)
    for pose, expected in golden.values():
        assert LEAST_SOFT_DB <= psnr_db(draw(renderer, pose).picture, expected) < LEAST_FULL_DB
    renderer.close()
