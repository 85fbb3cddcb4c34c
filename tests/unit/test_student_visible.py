"""The pixels of a character that can ever be seen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.pose.parameters import MAXIMUM, MINIMUM
from models.student import visible as module
from models.student.composition import FACE_LEFT, FACE_SIZE, FACE_TOP
from models.student.points import Mask
from models.student.regions import Regions, Split, whole_face
from models.student.renderer import StudentRenderer
from models.student.visible import Opacity, OpacityScan, envelope_poses, find_visible, random_poses
from models.student.weights import Layer, SineNetwork, StudentWeights
from tests.unit.student_networks import (
    SIZE,
    Array,
    blended,
    dense,
    figure,
    linear,
    small_character,
    small_fields,
    small_picture,
    some_poses,
)
from tests.unit.student_runtime import WatchedRuntime, processor

HELD_OUT = random_poses(np.random.default_rng(1234), 100, sparse=True)


def most_opaque() -> Opacity:
    """The small picture's own opacity: its face is opaque whatever the pose."""
    _, picture = small_character()
    return np.asarray(picture[0, 3] * 0.5 + 0.5, np.float32)


def with_wisps() -> StudentWeights:
    """The small character, with veils that its body's network dreams up outside of the figure, by the pose."""
    weights, _ = small_character()
    body = weights.body
    weight, bias = body.output.weight.copy(), body.output.bias.copy()
    weight[6] *= 30.0
    bias[6] = -1.3
    return StudentWeights(weights.face, SineNetwork(body.levels, Layer(weight, bias)))


def seen_outside(weights: StudentWeights, mask: Mask, poses: Array) -> int:
    """The highest opacity (0..255) that any pixel outside of a mask has in any of the poses."""
    _, picture = small_character()
    outside = Regions(Split.exactly(~mask), Split.exactly(whole_face()))
    renderer = StudentRenderer(weights, picture, outside, processor(2))
    out = np.zeros((SIZE, SIZE, 4), np.uint8)
    highest = 0
    for pose in poses:
        renderer.draw(renderer.fields(pose[None], with_face=True), out)
        highest = max(highest, int(out[:, :, 3].max()))
    renderer.close()
    return highest


@pytest.fixture(scope="module")
def found() -> tuple[Mask, list[float]]:
    weights, _ = small_character()
    told: list[float] = []
    return find_visible(weights, most_opaque(), processor(2), told.append), told


@pytest.fixture
def few_poses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examined in a moment."""
    poses = envelope_poses()[::40]
    monkeypatch.setattr(module, "envelope_poses", lambda: poses)


def test_nothing_of_the_figure_is_ever_outside(found: tuple[Mask, list[float]]) -> None:
    weights, _ = small_character()
    visible, _ = found
    assert visible.shape == (SIZE, SIZE) and visible.dtype == np.bool_
    assert seen_outside(weights, visible, HELD_OUT) < module.THRESHOLD * 255.0


def test_it_is_not_much_more_than_the_figure(found: tuple[Mask, list[float]]) -> None:
    visible, _ = found
    opaque = small_picture()[:, :, 3] > 0
    assert opaque.mean() < visible.mean() < 1.15 * opaque.mean()
    assert not (visible & ~figure()).any()


def test_one_pose_would_not_have_been_enough() -> None:
    # else the tests above would say nothing
    weights, _ = small_character()
    resting = blended(linear(small_picture()), small_fields(np.zeros(45, np.float32)))[..., 3] * 0.5 + 0.5
    assert seen_outside(weights, resting > module.THRESHOLD, HELD_OUT[:5]) > 50


def test_what_a_network_dreams_up_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RANDOM_POSES", 32)
    weights = with_wisps()
    visible = find_visible(weights, most_opaque(), processor(2), lambda share: None)
    assert (visible & ~figure()).any()
    assert visible.mean() < 0.95
    assert seen_outside(weights, visible, HELD_OUT[:30]) < module.THRESHOLD * 255.0


def test_progress_goes_from_nothing_to_all(found: tuple[Mask, list[float]]) -> None:
    _, told = found
    assert told == sorted(told) and 0.0 <= told[0] < 0.01 and told[-1] == pytest.approx(1.0)
    assert max(later - earlier for earlier, later in itertools.pairwise(told)) < 0.05


@pytest.mark.usefixtures("few_poses")
def test_a_margin_is_left_round_it(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, _ = small_character()
    masks = []
    for margin in (0, module.MARGIN):
        monkeypatch.setattr(module, "MARGIN", margin)
        masks.append(find_visible(weights, most_opaque(), processor(2), lambda share: None))
    near = np.pad(masks[0], 1)
    grown = near[1:-1, 1:-1] | near[2:, 1:-1] | near[:-2, 1:-1] | near[1:-1, 2:] | near[1:-1, :-2]
    assert not (grown & ~masks[1]).any() and masks[1].sum() > masks[0].sum()


@pytest.mark.usefixtures("few_poses")
def test_a_card_finds_the_same_with_whole_masks() -> None:
    weights, _ = small_character()
    host, card = WatchedRuntime(), WatchedRuntime(on_host=False)
    masks = [find_visible(weights, most_opaque(), runtime, lambda share: None) for runtime in (host, card)]
    assert (masks[0] != masks[1]).sum() < 20
    assert len(card.networks) == 2 and len(host.networks) == 8
    assert (host.open_sessions, card.open_sessions) == (0, 0)


@pytest.mark.usefixtures("few_poses")
@pytest.mark.parametrize("number", [1, 3, 5, 7])
def test_what_fails_midway_leaves_nothing_open(number: int) -> None:
    weights, _ = small_character()
    runtime = WatchedRuntime()
    runtime.fails_at = number
    with pytest.raises(MemoryError):
        find_visible(weights, most_opaque(), runtime, lambda share: None)
    assert (len(runtime.networks), runtime.open_sessions) == (number, 0)


@pytest.mark.usefixtures("few_poses")
def test_who_does_not_want_to_wait_can_stop_it() -> None:
    weights, _ = small_character()
    runtime = WatchedRuntime(threads=2)

    def stop(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        find_visible(weights, most_opaque(), runtime, stop)
    assert runtime.open_sessions == 0


def test_a_scan_tells_the_opacity_of_wanted_points_only() -> None:
    weights, _ = small_character()
    wanted = np.zeros((SIZE, SIZE), np.bool_)
    wanted[60:300, 140:400] = True
    pose = some_poses(1, seed=5)[0]
    runtime = WatchedRuntime(threads=2)
    with OpacityScan(weights, most_opaque(), runtime, wanted) as scan:
        opacity = scan.opacity(pose)
    assert runtime.open_sessions == 0
    expected = blended(linear(small_picture()), small_fields(pose))[..., 3] * 0.5 + 0.5
    assert opacity.shape == (SIZE, SIZE) and not opacity[~wanted].any()
    assert np.abs(opacity - expected)[wanted].max() < 1e-4


def test_a_scan_of_a_smaller_grid_computes_the_networks_there() -> None:
    weights, _ = small_character()
    pose = some_poses(1, seed=6)[0]
    with OpacityScan(weights, most_opaque(), processor(), np.ones((128, 128), np.bool_)) as scan:
        opacity = scan.opacity(pose)
    expected = blended(linear(small_picture()), dense(weights.body, pose, 128))[..., 3] * 0.5 + 0.5
    assert np.abs(opacity - expected).max() < 1e-4


def test_poses_that_decide_are_all_corners_every_face_value_and_chance() -> None:
    poses = envelope_poses()
    assert poses.shape[1] == 45 and poses.dtype == np.float32
    assert (poses >= MINIMUM).all() and (poses <= MAXIMUM).all()
    corners = {tuple(pose) for pose in poses[:, 39:].tolist()}
    for rotations in itertools.product((-1.0, 0.0, 1.0), repeat=5):
        for breathing in (0.0, 1.0):
            assert (*rotations, breathing) in corners
    alone = {tuple(pose) for pose in poses.tolist()}
    for value in range(39):
        assert tuple(np.eye(45)[value].tolist()) in alone
    assert np.array_equal(poses, envelope_poses())
    assert len(poses) > 486 + 39 + 500


def test_random_poses_are_in_range_and_some_faces_rest() -> None:
    full, sparse = (random_poses(np.random.default_rng(0), 400, sparse) for sparse in (False, True))
    for poses in (full, sparse):
        assert poses.shape == (400, 45) and poses.dtype == np.float32
        assert (poses >= MINIMUM).all() and (poses <= MAXIMUM).all()
        assert np.allclose(poses[:, 39:].min(axis=0), MINIMUM[39:], atol=0.05)
        assert np.allclose(poses[:, 39:].max(axis=0), MAXIMUM[39:], atol=0.05)
    assert (full[:, :39] == 0.0).mean() < 0.01
    assert 0.7 < (sparse[:, :39] == 0.0).mean() < 0.8


def test_the_small_face_is_opaque_whatever_the_pose() -> None:
    # what most_opaque() above relies on
    weights, _ = small_character()
    for pose in HELD_OUT[:5]:
        assert dense(weights.face, pose[:39], FACE_SIZE)[..., 3].min() > 0.99
    place = slice(FACE_TOP, FACE_TOP + FACE_SIZE), slice(FACE_LEFT, FACE_LEFT + FACE_SIZE)
    assert (small_picture()[place][:, :, 3] == 255).all()
