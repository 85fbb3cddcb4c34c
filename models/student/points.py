"""Which points of a pyramid of coordinate networks must be computed for a wanted set of pixels.

A level of size S has S x S points; point (row, column) stands at ``((index + 0.5) * 2 / S - 1)``. A finer level takes
its features from the coarser one by upsampling (half-pixel centres, clamped at the border). Fine points come in quads:
the four of them that lie between the same coarse points, so that one gather of coarse rows serves four fine points and
the weights are one constant matrix.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Indices = NDArray[np.int32]

BILINEAR, BICUBIC = 1, 2
"""Ways to upsample, by how many coarse points to each side of a quad are read."""
_CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.int32)


def _weights(kind: int) -> NDArray[np.float32]:
    """Weights at a quarter and three quarters between two points: linear, or cubic convolution (Keys 1981, -0.5)."""
    distances = np.abs(np.array([0.25, 0.75])[:, None] - np.arange(1 - kind, kind + 1)[None])
    if kind == BILINEAR:
        weights = 1.0 - distances
    else:
        near = (1.5 * distances - 2.5) * distances**2 + 1.0
        far = ((-0.5 * distances + 2.5) * distances - 4.0) * distances + 2.0
        weights = np.where(distances <= 1.0, near, far)
    return np.kron(weights, weights).astype(np.float32)


WEIGHTS = {BILINEAR: _weights(BILINEAR), BICUBIC: _weights(BICUBIC)}
"""Shape (4, 4 or 16): fine points of a quad (upper left, upper right, lower left, lower right) from the coarse points
around it, row by row."""


@dataclass(frozen=True, slots=True)
class Level:
    """The points of one level that are computed."""

    size: int
    points: Indices
    """Shape (n, 2): row and column. Border quads hold points just outside (-1 or ``size``); nobody asks for those."""
    corners: Indices | None = None
    """Shape (4 or 16, n / 4): for each quad the rows of the coarser level's list that lie around it; points are then,
    within each chunk, in the order (corner of the quad, quad). None on the coarsest level."""
    chunk: int = 0
    """Quads that are computed together; 0 is all."""

    def chunks(self) -> list[tuple[Indices, Indices]]:
        """The points of each chunk and their quads' corners."""
        assert self.corners is not None
        count = self.corners.shape[1]
        step = self.chunk or count
        return [
            (self.points[4 * first : 4 * (first + step)], self.corners[:, first : first + step])
            for first in range(0, count, step)
        ]

    def coordinates(self) -> NDArray[np.float32]:
        """Shape (n, 2): x and y in -1..1."""
        return position(self.points, self.size)

    def rows_of(self, points: Indices) -> Indices:
        """For each of these points (n, 2) its row in the list."""
        table = np.full((self.size + 2, self.size + 2), -1, np.int32)
        table[self.points[:, 0] + 1, self.points[:, 1] + 1] = np.arange(len(self.points), dtype=np.int32)
        return np.asarray(table[points[:, 0] + 1, points[:, 1] + 1], np.int32)


def position(points: Indices, size: int) -> NDArray[np.float32]:
    """Shape (n, 2): x and y of (row, column) points on a level."""
    return ((points[:, ::-1] + 0.5) * (2.0 / size) - 1.0).astype(np.float32)


def points_of(mask: Mask) -> Indices:
    """Shape (n, 2): row and column of every point in a mask, in the picture's order."""
    return np.argwhere(mask).astype(np.int32)


def levels_for(wanted: Mask, count: int, chunk: int = 0) -> tuple[Level, ...]:
    """The ``count`` levels of a pyramid, coarsest first, that ``wanted`` (size x size, the finest level) needs."""
    masks = [wanted]
    for _ in range(count - 1):
        masks.append(coarser_mask(masks[-1], BILINEAR))
    levels = [Level(masks[-1].shape[0], points_of(masks[-1]))]
    for mask in reversed(masks[:-1]):
        levels.append(finer_level(levels[-1], mask, BILINEAR, chunk))
    return tuple(levels)


def finer_level(coarse: Level, wanted: Mask, kind: int, chunk: int = 0) -> Level:
    """The quads that cover ``wanted``, a mask of twice the size of ``coarse``, in chunks of so many quads."""
    quads = _quads(wanted)
    around = _around(quads, coarse.size, kind)
    corners = coarse.rows_of(around.reshape(-1, 2)).reshape(len(around), -1)
    step = chunk or max(1, len(quads))
    parts = [quads[first : first + step] for first in range(0, len(quads), step)] or [quads]
    points = np.concatenate([(2 * part[None] + _CORNERS[:, None] - 1).reshape(-1, 2) for part in parts])
    return Level(wanted.shape[0], points.astype(np.int32), corners, chunk)


def coarser_mask(wanted: Mask, kind: int) -> Mask:
    """The points of the next coarser level that upsampling to ``wanted`` reads."""
    size = wanted.shape[0] // 2
    mask = np.zeros((size, size), np.bool_)
    around = _around(_quads(wanted), size, kind)
    mask[around[..., 0], around[..., 1]] = True
    return mask


def bands(wanted: Mask, count: int) -> list[Mask]:
    """``wanted`` cut into about equal horizontal bands, cuts between quads; empty bands are left out."""
    rows = np.cumsum(wanted.sum(axis=1))
    if rows[-1] == 0:
        return []
    cuts = np.searchsorted(rows, np.arange(1, count) * rows[-1] / count)
    edges = [0, *(int(cut) // 2 * 2 + 1 for cut in cuts), wanted.shape[0]]
    result = []
    for first, last in itertools.pairwise(edges):
        band = np.zeros_like(wanted)
        band[first:last] = wanted[first:last]
        if band.any():
            result.append(band)
    return result


def _quads(mask: Mask) -> Indices:
    """Shape (q, 2): quad (a, b) holds fine rows 2a - 1 and 2a and lies between coarse rows a - 1 and a."""
    padded = np.pad(mask, 1)
    blocks = padded[0::2, 0::2] | padded[0::2, 1::2] | padded[1::2, 0::2] | padded[1::2, 1::2]
    return np.argwhere(blocks).astype(np.int32)


def _around(quads: Indices, size: int, kind: int) -> Indices:
    """Shape (4 * kind**2, q, 2): the coarse points around each quad, those outside moved to the border."""
    steps = np.arange(-kind, kind)
    offsets = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 1, 2)
    return np.asarray(np.clip(quads[None] + offsets, 0, size - 1), np.int32)
