"""How a finished picture is bent to another pose: displacements against their closed form, smoothing, going on."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.parameters import POSE_SIZE, ROTATION, Pose, PoseVector, neutral
from models.motion import CELLS, Warp, continued, displacement, share_ahead, smoothed

from .bent import bent

SIZE = 512
INSIDE = slice(12, -12)
"""Cells whose content stays in the picture."""
HALF_A_PIXEL = 0.5 / SIZE

Matrix = NDArray[np.float64]
"""Shape (3, 3): where the content at (x, y, 1) goes, in shares of the side."""


def middles() -> Matrix:
    """Shape (64, 64, 2): the middle of every cell."""
    steps = (np.arange(CELLS) + 0.5) / CELLS
    return np.stack(np.meshgrid(steps, steps), axis=-1)


def applied(matrix: Matrix, places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(places @ matrix[:2, :2].T + matrix[:2, 2])


def shifted(right: float, down: float) -> Matrix:
    return np.array([[1.0, 0.0, right], [0.0, 1.0, down], [0.0, 0.0, 1.0]])


def about_the_middle(linear: Matrix) -> Matrix:
    whole = np.eye(3)
    whole[:2, :2] = linear
    return shifted(0.5, 0.55) @ whole @ shifted(-0.5, -0.55)


def turned(degrees: float) -> Matrix:
    """Clockwise on screen."""
    across, along = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return about_the_middle(np.array([[across, -along], [along, across]]))


def scaled(across: float, down: float) -> Matrix:
    return about_the_middle(np.diag([across, down]))


def warp_of(movement: Matrix) -> Warp:
    """Where each cell's content came from, relative to its place."""
    back = np.asarray(np.linalg.inv(movement), np.float64)
    return (applied(back, middles()) - middles()).astype(np.float32)


def closed_form(rendered: Matrix, wanted: Matrix) -> NDArray[np.float64]:
    """Back to the character, and on to where it stands in the picture that was rendered."""
    back = np.asarray(np.linalg.inv(wanted), np.float64)
    return applied(rendered @ back, middles()) - middles()


REST = np.eye(3)
MOVEMENTS = {
    "right": (REST, shifted(0.05, 0.0)),
    "up": (REST, shifted(0.0, -0.04)),
    "on and on": (shifted(0.03, 0.02), shifted(0.08, -0.01)),
    "turned": (REST, turned(8.0)),
    "turned on": (turned(6.0), turned(-4.0)),
    "larger": (REST, scaled(1.1, 1.1)),
    "narrower": (scaled(1.05, 1.0), scaled(0.95, 1.02)),
    "all of it": (turned(5.0) @ shifted(0.02, 0.0), scaled(1.05, 1.05) @ turned(-2.0) @ shifted(-0.01, 0.03)),
}


# Displacements


@pytest.mark.parametrize("name", MOVEMENTS)
def test_a_displacement_is_that_of_the_closed_form(name: str) -> None:
    rendered, wanted = MOVEMENTS[name]
    given = warp_of(rendered), warp_of(wanted)
    before = [warp.copy() for warp in given]
    found = displacement(*given)
    assert found.shape == (CELLS, CELLS, 2)
    assert found.dtype == np.float32
    expected = closed_form(rendered, wanted)
    assert np.abs(expected[INSIDE, INSIDE]).max() > 0.02
    assert np.abs(found - expected)[INSIDE, INSIDE].max() < HALF_A_PIXEL
    assert all(np.array_equal(warp, kept) for warp, kept in zip(given, before, strict=True))


@pytest.mark.parametrize("name", MOVEMENTS)
def test_the_way_back_is_found_too(name: str) -> None:
    wanted, rendered = MOVEMENTS[name]
    found = displacement(warp_of(rendered), warp_of(wanted))
    assert np.abs(found - closed_form(rendered, wanted))[INSIDE, INSIDE].max() < HALF_A_PIXEL


def test_what_moves_to_the_right_is_found_on_the_left() -> None:
    found = displacement(warp_of(REST), warp_of(shifted(0.05, -0.02)))
    assert np.abs(found - np.array([-0.05, 0.02])).max() < 1e-6


def test_the_difference_of_two_warps_alone_would_not_do() -> None:
    """Half a pixel is enough to tell a search for the same spot from none."""
    rendered, wanted = MOVEMENTS["turned on"]
    difference = warp_of(wanted) - warp_of(rendered)
    assert np.abs(difference - closed_form(rendered, wanted))[INSIDE, INSIDE].max() > 4 * HALF_A_PIXEL


def test_without_movement_there_is_no_displacement() -> None:
    warp = warp_of(turned(7.0))
    assert not displacement(warp, warp.copy()).any()


def _spots() -> NDArray[np.uint8]:
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    for x, y in ((200, 220), (320, 230), (250, 330), (300, 290)):
        cv2.circle(picture, (x, y), 11, (200, 120, 40, 255), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 2.0).astype(np.uint8)


def _moved(picture: NDArray[np.uint8], movement: Matrix) -> NDArray[np.uint8]:
    """Pixels' middles stand half a pixel from their corners."""
    to_pixels = np.array([[SIZE, 0.0, -0.5], [0.0, SIZE, -0.5], [0.0, 0.0, 1.0]])
    matrix = to_pixels @ movement @ np.linalg.inv(to_pixels)
    return np.asarray(cv2.warpAffine(picture, matrix[:2], (SIZE, SIZE), flags=cv2.INTER_LINEAR), np.uint8)


@pytest.mark.parametrize("name", MOVEMENTS)
def test_a_picture_bent_by_it_is_the_other_one(name: str) -> None:
    rendered, wanted = (_moved(_spots(), movement) for movement in MOVEMENTS[name])
    found = bent(rendered, displacement(*(warp_of(movement) for movement in MOVEMENTS[name])))
    away = np.abs(found.astype(int) - wanted)
    assert np.abs(rendered.astype(int) - wanted).max() > 150
    assert away.max() < 25


# Smoothing


def _offsets(right: float, down: float) -> Warp:
    return np.full((CELLS, CELLS, 2), (right, down), np.float32)


def test_what_is_the_same_everywhere_stays() -> None:
    for weight in (1.0, 0.25):
        found = smoothed(_offsets(0.03, -0.02), np.full((CELLS, CELLS), weight, np.float32))
        assert found.shape == (CELLS, CELLS, 2)
        assert found.dtype == np.float32
        assert np.abs(found - _offsets(0.03, -0.02)).max() < 1e-6


def test_what_cannot_be_believed_is_taken_from_around_it() -> None:
    offsets, weights = _offsets(0.03, -0.02), np.ones((CELLS, CELLS), np.float32)
    offsets[30:34, 20:23], weights[30:34, 20:23] = 0.4, 0.0
    offsets[:2], weights[:2] = -0.4, 0.0
    given = offsets.copy(), weights.copy()
    found = smoothed(offsets, weights)
    assert np.abs(found - _offsets(0.03, -0.02)).max() < 0.005
    # it is the weights that say so
    assert np.abs(smoothed(offsets, np.ones_like(weights)) - _offsets(0.03, -0.02)).max() > 0.1
    assert np.array_equal(offsets, given[0])
    assert np.array_equal(weights, given[1])


def test_cells_count_as_much_as_they_weigh() -> None:
    odd = np.indices((CELLS, CELLS)).sum(axis=0) % 2 == 1
    offsets = np.where(odd[..., None], np.float32(0.1), np.float32(0.0)) * np.ones(2, np.float32)
    weights = np.where(odd, np.float32(0.75), np.float32(0.25))
    found = smoothed(offsets, weights)[8:-8, 8:-8]
    assert np.abs(found - 0.075).max() < 0.001


def test_smoothing_takes_out_what_is_single_and_leaves_what_is_wide() -> None:
    ones = np.ones((CELLS, CELLS), np.float32)
    lone = np.zeros((CELLS, CELLS, 2), np.float32)
    lone[32, 32] = 1.0
    assert smoothed(lone, ones).max() < 0.1
    ramp = (middles() * 0.2).astype(np.float32)
    assert np.abs(smoothed(ramp, ones) - ramp)[8:-8, 8:-8].max() < 1e-4


def test_where_nothing_is_known_everything_stays() -> None:
    offsets, weights = np.zeros((CELLS, CELLS, 2), np.float32), np.zeros((CELLS, CELLS), np.float32)
    offsets[:, 50:], weights[:, 50:] = 0.03, 1.0
    found = smoothed(offsets, weights)
    assert np.isfinite(found).all()
    assert np.abs(found[:, 56:] - 0.03).max() < 1e-4
    assert not found[:, :40].any()


# Going on


def test_a_motion_that_goes_on_repeats_its_last_step() -> None:
    older, newer = warp_of(shifted(0.02, 0.0)), warp_of(shifted(0.05, -0.01))
    before = older.copy(), newer.copy()
    for share, movement in (
        (0.0, shifted(0.05, -0.01)),
        (1.0, shifted(0.08, -0.02)),
        (0.5, shifted(0.065, -0.015)),
        (-0.5, shifted(0.035, -0.005)),
        (-1.0, shifted(0.02, 0.0)),
    ):
        found = continued(older, newer, share)
        assert found.dtype == np.float32
        assert np.abs(found - warp_of(movement)).max() < 1e-6
    assert np.array_equal(older, before[0])
    assert np.array_equal(newer, before[1])


def _pose(**values: float) -> PoseVector:
    pose = neutral()
    for name, value in values.items():
        pose[Pose[name]] = value
    return pose


OLDER, NEWER = _pose(HEAD_Y=0.1, NECK_Z=-0.1), _pose(HEAD_Y=0.3, NECK_Z=0.1)


@pytest.mark.parametrize(
    ("head_y", "neck_z", "share"),
    [
        (0.3, 0.1, 0.0),
        (0.4, 0.2, 0.5),
        (0.5, 0.3, 1.0),
        (0.9, 0.7, 1.0),
        (0.25, 0.05, -0.25),
        (0.2, 0.0, -0.5),
        (0.1, -0.1, -1.0),
        (-1.0, -1.0, -1.0),
    ],
)
def test_how_far_ahead_a_pose_is(head_y: float, neck_z: float, share: float) -> None:
    assert share_ahead(OLDER, NEWER, _pose(HEAD_Y=head_y, NECK_Z=neck_z)) == pytest.approx(share, abs=1e-5)


def test_what_lies_beside_the_way_counts_as_far_as_it_goes_along() -> None:
    beside = _pose(HEAD_Y=0.3 + 0.15, NECK_Z=0.1 - 0.05)  # (0.1, 0.1) / 2 along, and (0.1, -0.1) away from it
    assert share_ahead(OLDER, NEWER, beside) == pytest.approx(0.25, abs=1e-5)
    assert share_ahead(OLDER, NEWER, _pose(HEAD_Y=0.5, NECK_Z=-0.1)) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("value", list(Pose)[ROTATION])
def test_every_value_that_turns_counts(value: Pose) -> None:
    older, newer, pose = neutral(), neutral(), neutral()
    newer[value], pose[value] = 0.4, 0.6
    assert share_ahead(older, newer, pose) == pytest.approx(0.5, abs=1e-5)


def test_what_the_face_does_does_not_count() -> None:
    older, newer, pose = OLDER.copy(), NEWER.copy(), _pose(HEAD_Y=0.4, NECK_Z=0.2)
    for number, given in enumerate((older, newer, pose)):
        given[: ROTATION.start] = np.random.default_rng(number).random(ROTATION.start)
    assert share_ahead(older, newer, pose) == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("step", [0.0, 1e-5, -5e-4])
def test_from_where_nothing_turned_nothing_goes_on(step: float) -> None:
    newer = OLDER.copy()
    newer[Pose.HEAD_Y] += step
    newer[: ROTATION.start] = 0.7
    assert share_ahead(OLDER, newer, _pose(HEAD_Y=1.0)) == 0.0
    assert OLDER.shape == (POSE_SIZE,)
