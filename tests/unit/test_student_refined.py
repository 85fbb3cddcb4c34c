"""Where half the size is not enough."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from core.pose.parameters import MAXIMUM, MINIMUM
from models.base import Picture
from models.student import refined as module
from models.student.points import Mask
from models.student.preparation import BALANCED_TIER, FAST_TIER, FULL_TIER, Preparation
from models.student.refined import HEAD, TARGET_DB, Refined, find_refined, refining_poses
from models.student.regions import whole_face
from models.student.renderer import StudentRenderer
from models.student.visible import random_poses
from tests.unit.student_networks import FACE_SIZE, SIZE, Array, figure, psnr_db, small_character, small_picture
from tests.unit.student_runtime import WatchedRuntime, processor

FINE = 3.5
"""Waves so short that half the size misses some."""
HELD_OUT = random_poses(np.random.default_rng(4321), 8, sparse=True)


@functools.cache
def visible() -> Mask:
    """Its left and its right edge cut quads in the middle of the figure."""
    mask = figure().copy()
    mask[:, :150] = mask[:, 362:] = False
    return mask


@pytest.fixture(scope="module")
def found() -> tuple[Refined, list[float]]:
    weights, picture = small_character(FINE)
    told: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_POSES", 12)
        return find_refined(weights, picture, visible(), processor(2), told.append), told


def pictures(refined: Refined, tier: str, poses: Array) -> list[Picture]:
    weights, picture = small_character(FINE)
    renderer = StudentRenderer(weights, picture, Preparation(visible(), refined).regions(tier), processor(2))
    made = []
    for pose in poses:
        made.append(np.zeros((SIZE, SIZE, 4), np.uint8))
        renderer.draw(renderer.fields(pose[None], with_face=True), made[-1])
    renderer.close()
    return made


def quads(mask: Mask) -> Array:
    """Shape (quads, quads, 4): the points of each quad; a quad's first row and column are odd."""
    padded = np.pad(mask, 1)
    count = len(padded) // 2
    return np.moveaxis(padded.reshape(count, 2, count, 2), 1, 2).reshape(count, count, 4)


def test_balanced_pictures_are_near_the_full_ones(found: tuple[Refined, list[float]]) -> None:
    full, balanced, fast = (pictures(found[0], tier, HELD_OUT) for tier in (FULL_TIER, BALANCED_TIER, FAST_TIER))
    assert min(psnr_db(*pair) for pair in zip(full, balanced, strict=True)) >= 41.0
    # and it was needed
    assert max(psnr_db(*pair) for pair in zip(full, fast, strict=True)) < 40.0


def test_no_pose_that_decided_is_left_below_the_target(
    found: tuple[Refined, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_POSES", 12)
    deciding = refining_poses()[1::2]
    full, balanced = (pictures(found[0], tier, deciding) for tier in (FULL_TIER, BALANCED_TIER))
    reached = [psnr_db(*pair) for pair in zip(full, balanced, strict=True)]
    # body and face are judged one by one; where both err they may do it in the same direction
    assert min(reached) > TARGET_DB - 1.2


def test_what_is_refined_is_some_of_it_in_whole_quads(found: tuple[Refined, list[float]]) -> None:
    refined, _ = found
    assert (refined.body.shape, refined.face.shape) == ((SIZE, SIZE), (FACE_SIZE, FACE_SIZE))
    assert refined.body.dtype == refined.face.dtype == np.bool_
    assert not (refined.body & ~visible()).any()
    assert 0.01 < refined.body.mean() < 0.5 * visible().mean()
    assert 0.1 < refined.face.mean() < 0.9
    for mask, where in ((refined.body, visible()), (refined.face, whole_face())):
        chosen, there = quads(mask), quads(where)
        assert np.array_equal(chosen, chosen.any(axis=-1, keepdims=True) & there)


def test_what_is_refined_is_where_the_picture_has_detail(found: tuple[Refined, list[float]]) -> None:
    refined, _ = found
    stripes = np.zeros((SIZE, SIZE), np.bool_)
    stripes[310:410, 215:300] = True
    plain = visible() & (small_picture()[:, :, 3] == 0)
    assert refined.body[stripes].mean() > 4 * refined.body[plain].mean()


def test_progress_goes_from_nothing_to_all(found: tuple[Refined, list[float]]) -> None:
    _, told = found
    assert told == sorted(told) and told[0] == pytest.approx(1 / 12) and told[-1] == pytest.approx(1.0)
    assert len(told) == 12


def test_a_smooth_character_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POSES", 4)
    weights, picture = small_character()
    refined = find_refined(weights, picture, visible(), processor(2), lambda share: None)
    assert refined.body.sum() <= 4 and refined.face.sum() <= 4


def test_a_harder_target_refines_more_and_the_same_first(
    monkeypatch: pytest.MonkeyPatch, found: tuple[Refined, list[float]]
) -> None:
    monkeypatch.setattr(module, "_POSES", 12)
    monkeypatch.setattr(module, "TARGET_DB", TARGET_DB - 3.0)
    weights, picture = small_character(FINE)
    easier = find_refined(weights, picture, visible(), processor(2), lambda share: None)
    for less, more in ((easier.body, found[0].body), (easier.face, found[0].face)):
        assert not (less & ~more).any()
        assert less.sum() < 0.8 * more.sum()


def test_a_card_finds_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POSES", 4)
    weights, picture = small_character(FINE)
    runtimes = [WatchedRuntime(threads=2), WatchedRuntime(on_host=False)]
    host, card = (find_refined(weights, picture, visible(), runtime, lambda share: None) for runtime in runtimes)
    assert (host.body != card.body).sum() < 0.02 * host.body.sum()
    assert (host.face != card.face).sum() < 0.02 * host.face.sum()
    assert [runtime.open_sessions for runtime in runtimes] == [0, 0]


def test_a_character_without_a_visible_face_is_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POSES", 4)
    weights, picture = small_character()
    legs = np.zeros((SIZE, SIZE), np.bool_)
    legs[400:] = visible()[400:]
    for on_host in (True, False):
        refined = find_refined(weights, picture, legs, WatchedRuntime(on_host), lambda share: None)
        assert not refined.body[:400].any()


def test_what_fails_midway_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POSES", 4)
    weights, picture = small_character()
    for number in (2, 4, 7, 12):
        runtime = WatchedRuntime(on_host=False)
        runtime.fails_at = number
        with pytest.raises(MemoryError):
            find_refined(weights, picture, visible(), runtime, lambda share: None)
        assert (len(runtime.networks), runtime.open_sessions) == (number, 0)


def test_nowhere_is_nowhere() -> None:
    nowhere = Refined.nowhere()
    assert (nowhere.body.shape, nowhere.face.shape) == ((SIZE, SIZE), (FACE_SIZE, FACE_SIZE))
    assert nowhere.body.dtype == nowhere.face.dtype == np.bool_
    assert not nowhere.body.any() and not nowhere.face.any()


def test_poses_to_judge_by_are_as_people_take_them() -> None:
    poses = refining_poses()
    assert poses.shape == (32, 45) and np.array_equal(poses, refining_poses())
    assert (poses >= MINIMUM).all() and (poses <= MAXIMUM).all()
    assert 0.6 < (poses[:, :37] == 0.0).mean() < 0.9
    ends = [bool((np.abs(pose[HEAD]) == 1.0).all()) for pose in poses]
    # both halves, the one that orders and the one that decides, have the head at the ends of its range and elsewhere
    for half in (ends[0::2], ends[1::2]):
        assert sum(half) == len(half) // 2
    assert len({tuple(pose) for pose in poses.tolist()}) == len(poses)
