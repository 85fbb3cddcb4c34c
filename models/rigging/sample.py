"""Turns a coarse grid of sources into the output picture, touching only the pixels the figure can reach."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from ..base import Picture
from .canvas import Canvas
from .places import PICTURE_SIZE
from .warp import NO_MAP, Grid, Motion

_BAND_CELLS: Final = 6
"""Grid rows per band. Each band is sampled only as wide as the figure is there."""


class Sampler:
    """Samples a canvas through motion grids."""

    def __init__(self, canvas: Canvas, motion: Motion) -> None:
        self._pixels = canvas.pixels
        self._scale = np.float32(canvas.scale)
        self._offset = np.float32(-0.5 * canvas.step)
        self._size, self._cell, self._nodes = canvas.size, motion.cell, motion.nodes
        side = motion.nodes * motion.cell
        self._map = np.empty((side, side, 2), np.float32)
        self._coarse = np.empty((motion.nodes, motion.nodes, 2), np.float32)
        # A cell counts as filled when anything within a cell and a half of its middle is: a node stands for that much.
        alpha = cv2.resize(canvas.pixels[..., 3], (PICTURE_SIZE, PICTURE_SIZE), interpolation=cv2.INTER_AREA)
        near = 2 * round(1.6 * PICTURE_SIZE * motion.cell / canvas.size) + 1
        self._filled = cv2.dilate(alpha, np.ones((near, near), np.uint8)) > 0

    def draw(self, sources: Grid, out: Picture) -> None:
        """Fill ``out`` (size x size BGRA uint8, premultiplied) with what ``sources`` (in picture pixels) point at."""
        np.multiply(sources, self._scale, out=self._coarse)
        self._coarse += self._offset
        cell, size = self._cell, self._size
        cv2.resize(self._coarse, None, dst=self._map, fx=cell, fy=cell, interpolation=cv2.INTER_LINEAR)
        maps = self._map[cell : cell + size, cell : cell + size]
        places = np.clip(sources, 0, PICTURE_SIZE - 1).astype(np.intp)
        filled = self._filled[places[..., 1], places[..., 0]]
        out.fill(0)
        for first in range(1, self._nodes - 1, _BAND_CELLS):
            last = min(first + _BAND_CELLS, self._nodes - 1)
            columns = np.flatnonzero(filled[first - 1 : last + 1].any(axis=0))
            if not len(columns):
                continue
            rows = slice((first - 1) * cell, min((last - 1) * cell, size))
            span = slice(max(0, (int(columns[0]) - 1) * cell), min(size, int(columns[-1]) * cell))
            if span.stop > span.start and rows.stop > rows.start:
                # Outside the canvas its own edge goes on: transparent in most pictures, never a gap in a cropped one.
                cv2.remap(
                    self._pixels,
                    maps[rows, span],
                    NO_MAP,
                    cv2.INTER_LINEAR,
                    dst=out[rows, span],
                    borderMode=cv2.BORDER_REPLICATE,
                )
