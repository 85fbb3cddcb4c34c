"""Which points are computed for which, and with what weights."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.student.points import (
    BICUBIC,
    BILINEAR,
    WEIGHTS,
    Level,
    Mask,
    bands,
    coarser_mask,
    finer_level,
    levels_for,
    points_of,
    position,
)
from tests.unit.student_networks import Array, doubled

KINDS = [BILINEAR, BICUBIC]
CHUNKS = st.sampled_from([0, 1, 5, 64])


@st.composite
def masks(draw: st.DrawFn, multiple: int = 8) -> Mask:
    """8 to 64 points a side: scattered points, a rectangle that may touch the border, or lone points in corners."""
    size = draw(st.integers(8 // multiple or 1, 64 // multiple)) * multiple
    kind = draw(st.sampled_from(["scattered", "rectangle", "corners"]))
    mask = np.zeros((size, size), np.bool_)
    edge = st.integers(0, size - 1)
    if kind == "scattered":
        mask[:] = draw(arrays.arrays(np.bool_, (size, size), fill=st.just(False)))
    elif kind == "rectangle":
        top, bottom, left, right = (*sorted((draw(edge), draw(edge))), *sorted((draw(edge), draw(edge))))
        mask[top : bottom + 1, left : right + 1] = True
    else:
        for row, column in draw(st.lists(st.sampled_from([(0, 0), (0, -1), (-1, 0), (-1, -1)]), max_size=4)):
            mask[row, column] = True
    mask[draw(edge), draw(edge)] = True
    return mask


def _of(points: Array) -> set[tuple[int, int]]:
    return {(int(row), int(column)) for row, column in points}


def _coarse(mask: Mask, kind: int) -> Level:
    """Only what upsampling reads."""
    wanted = coarser_mask(mask, kind)
    return Level(len(wanted), points_of(wanted))


def _upsampled(level: Level, kind: int, values: Array) -> Array:
    """As the graphs do it; ``values``: a row for each of the coarser level's points."""
    weights = WEIGHTS[kind].astype(np.float64)
    spread = [np.tensordot(weights, values[corners], axes=1) for _, corners in level.chunks()]
    return np.concatenate([part.reshape(-1, values.shape[1]) for part in spread])


def _wanted(level: Level, values: Array, mask: Mask) -> Array:
    return values[level.rows_of(points_of(mask))]


@given(masks(), st.sampled_from(KINDS), CHUNKS)
def test_quads_cover_what_is_wanted_once_and_nothing_far_from_it(mask: Mask, kind: int, chunk: int) -> None:
    level = finer_level(_coarse(mask, kind), mask, kind, chunk)
    found = _of(level.points)
    assert len(found) == len(level.points)
    assert _of(points_of(mask)) <= found
    near = cv2.dilate(np.pad(mask, 1).astype(np.uint8), np.ones((3, 3), np.uint8))
    assert all(near[row + 1, column + 1] for row, column in found)
    assert np.array_equal(level.points[level.rows_of(points_of(mask))], points_of(mask))


@given(masks(), st.sampled_from(KINDS), CHUNKS)
def test_each_quad_lies_between_the_coarse_points_it_reads(mask: Mask, kind: int, chunk: int) -> None:
    coarse = _coarse(mask, kind)
    level = finer_level(coarse, mask, kind, chunk)
    for points, corners in level.chunks():
        assert corners.min() >= 0
        quads = points.reshape(4, -1, 2)
        assert corners.shape == ((2 * kind) ** 2, quads.shape[1])
        for place, step in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
            assert np.array_equal(quads[place], quads[0] + step)
        below = np.floor((quads[0] + 0.5) / 2.0 - 0.5).astype(int)
        steps = range(1 - kind, kind + 1)
        for place, step in enumerate((down, right) for down in steps for right in steps):
            expected = np.clip(below + step, 0, coarse.size - 1)
            assert np.array_equal(coarse.points[corners[place]], expected)


@given(masks(), st.sampled_from(KINDS), CHUNKS)
def test_chunks_are_the_level_in_its_order(mask: Mask, kind: int, chunk: int) -> None:
    level = finer_level(_coarse(mask, kind), mask, kind, chunk)
    made = level.chunks()
    assert np.array_equal(np.concatenate([points for points, _ in made]), level.points)
    assert level.corners is not None
    assert np.array_equal(np.concatenate([corners for _, corners in made], axis=1), level.corners)
    sizes = [corners.shape[1] for _, corners in made]
    if chunk:
        assert max(sizes) <= chunk and all(size == chunk for size in sizes[:-1])
    else:
        assert len(sizes) == 1


@given(masks(), st.sampled_from(KINDS), CHUNKS, st.integers(0, 99))
def test_upsampling_is_the_dense_one_also_at_the_border(mask: Mask, kind: int, chunk: int, seed: int) -> None:
    dense = np.random.default_rng(seed).normal(size=(len(mask) // 2, len(mask) // 2, 3))
    coarse = _coarse(mask, kind)
    level = finer_level(coarse, mask, kind, chunk)
    values = dense[coarse.points[:, 0], coarse.points[:, 1]]
    found = _wanted(level, _upsampled(level, kind, values), mask)
    assert np.allclose(found, doubled(dense, cubic=kind == BICUBIC)[mask], atol=1e-6)
    if kind == BILINEAR:
        size = (len(mask), len(mask))
        assert np.allclose(found, cv2.resize(dense, size, interpolation=cv2.INTER_LINEAR)[mask], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_sum_to_one_and_keep_straight_lines(kind: int) -> None:
    weights = WEIGHTS[kind]
    assert weights.dtype == np.float32 and weights.shape == (4, (2 * kind) ** 2)
    assert np.allclose(weights.sum(axis=1), 1.0)
    steps = np.arange(1 - kind, kind + 1)
    rows, columns = np.meshgrid(steps, steps, indexing="ij")
    assert np.allclose(weights @ rows.reshape(-1), [0.25, 0.25, 0.75, 0.75], atol=1e-6)
    assert np.allclose(weights @ columns.reshape(-1), [0.25, 0.75, 0.25, 0.75], atol=1e-6)


def test_the_cubic_weights_keep_parabolas() -> None:
    squares = np.kron(np.arange(-1, 3) ** 2, np.ones(4))
    assert np.allclose(WEIGHTS[BICUBIC] @ squares, [0.0625, 0.0625, 0.5625, 0.5625], atol=1e-6)


@given(masks(multiple=4), st.integers(1, 3), CHUNKS)
def test_a_pyramid_reads_only_what_it_has(mask: Mask, count: int, chunk: int) -> None:
    levels = levels_for(mask, count, chunk)
    assert [level.size for level in levels] == [len(mask) >> step for step in reversed(range(count))]
    assert levels[0].corners is None
    for coarse, level in itertools.pairwise(levels):
        assert level.corners is not None
        assert level.corners.min() >= 0 and level.corners.max() < len(coarse.points)
        read = _of(coarse.points[level.corners.reshape(-1)])
        assert all(0 <= row < coarse.size and 0 <= column < coarse.size for row, column in read)
    assert _of(points_of(mask)) <= _of(levels[-1].points)
    if count == 1:
        assert np.array_equal(levels[0].points, points_of(mask))


@given(masks(), st.sampled_from(KINDS))
def test_the_coarser_mask_is_what_is_read_and_no_more(mask: Mask, kind: int) -> None:
    everything = Level(len(mask) // 2, points_of(np.ones((len(mask) // 2, len(mask) // 2), np.bool_)))
    level = finer_level(everything, mask, kind)
    assert level.corners is not None
    read = _of(everything.points[level.corners.reshape(-1)])
    assert read == _of(points_of(coarser_mask(mask, kind)))


def test_positions_are_those_of_pixels_centres() -> None:
    points = np.array([[0, 0], [3, 1], [-1, 4]], np.int32)
    found = position(points, 4)
    assert found.dtype == np.float32
    assert np.allclose(found, [[-0.75, -0.75], [-0.25, 0.75], [1.25, -1.25]])
    assert np.array_equal(Level(4, points).coordinates(), found)


def test_points_come_in_the_pictures_order() -> None:
    mask = np.zeros((4, 4), np.bool_)
    mask[2, 1] = mask[0, 3] = mask[2, 0] = True
    assert points_of(mask).tolist() == [[0, 3], [2, 0], [2, 1]]


@given(masks(), st.integers(1, 9))
def test_bands_are_disjoint_complete_and_share_no_quad(mask: Mask, count: int) -> None:
    found = bands(mask, count)
    assert 1 <= len(found) <= count
    assert np.array_equal(np.sum(found, axis=0), mask.astype(int))
    rows = [{(int(row) + 1) // 2 for row in np.flatnonzero(band.any(axis=1))} for band in found]
    for upper, lower in itertools.pairwise(rows):
        assert upper and lower and max(upper) < min(lower)


def test_bands_are_about_equal() -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[10:50, 5:60] = True
    mask[50:, 30:40] = True
    sizes = [int(band.sum()) for band in bands(mask, 4)]
    assert len(sizes) == 4
    assert max(sizes) - min(sizes) <= 4 * 55


def test_nothing_has_no_bands() -> None:
    assert bands(np.zeros((8, 8), np.bool_), 3) == []
