"""The last warp of a frame: a finished picture bent to a newer pose and put where the avatar stands, in one sampling.

Nothing to bend and nothing to move costs nothing. Premultiplied pixels are blended, so edges keep their colour. What a
newer face changes is added where the same warp puts it.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture
from models.motion import CELLS, Displacement, FaceChange

from .fine_canvas import FineCanvas, canvas_step
from .movement import IN_PLACE, Placement
from .visible import BAND, Bands, Box

_REACH = 3
"""Pixels that sampling looks beyond the place it asks for."""
_NO_MAP = np.empty((0, 0), np.float32)


class Composer:
    """Keeps the buffers. Used from one thread at a time; what comes back is overwritten by the next call."""

    def __init__(self) -> None:
        self._canvas = FineCanvas()
        self._sized: dict[int, _Buffers] = {}
        """By the size of the picture: super-resolution comes and goes."""
        self._out: Picture = np.zeros((0, 0, 4), np.uint8)
        self._map = self._moved = np.zeros((0, 0, 2), np.float32)

    def compose(
        self,
        picture: Picture,
        bands: Bands,
        placement: Placement = IN_PLACE,
        displacement: Displacement | None = None,
        serial: int | None = None,
        change: FaceChange | None = None,
    ) -> Picture:
        """``picture`` (premultiplied BGRA, square, visible inside ``bands``) bent and placed; itself when there is
        nothing to do. ``serial`` names the picture, if it is bent more than once. ``change``: of its
        face, where it is bent."""
        size = len(picture)
        in_place = placement.stays(size)
        if displacement is None and in_place:
            return picture
        self._fit(size)
        if displacement is None:
            cv2.warpAffine(
                picture, placement.matrix(size), (size, size), dst=self._out, flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0),
            )  # fmt: skip
            return self._out
        across, along = (int(np.abs(displacement[..., axis]).max() * size) + _REACH for axis in (0, 1))
        self._canvas.show(picture, bands, serial)
        step = self._canvas.step
        moved = displacement * np.float32(size * step)
        matrix = None if in_place else placement.matrix(size)
        if matrix is None:
            cv2.resize(moved, (size, size), dst=self._map, interpolation=cv2.INTER_LINEAR)
            cv2.add(self._map, _places(size, step), dst=self._map)
        else:
            self._map_through(matrix, moved, size, step)
        self._out.fill(0)
        for box in _reached(bands, across, along, size, matrix):
            self._sample(box)
        if change is not None:
            for box in _reached((_box_of(change, size),), across, along, size, matrix, together=True):
                self._paint(change, box)
        return self._out

    def prepare(self, size: int) -> None:
        """Have what pictures of a size need before anybody waits for it: having memory takes longer than bending. May
        be called from any thread."""
        buffers = _Buffers(size)
        buffers.out.fill(0)
        buffers.map.fill(0.0)
        _places(size, canvas_step(size))
        self._sized.setdefault(size, buffers)

    def _map_through(self, matrix: NDArray[np.float64], moved: Displacement, size: int, step: int) -> None:
        """For every pixel of the output where it is found, in ``step`` parts of a pixel: first back to where the avatar
        would stand, then by the displacement there."""
        back = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
        cv2.transform(_places(size, 1), back * step, dst=self._map)
        scale = CELLS / size
        to_cell = back * scale
        to_cell[:, 2] += 0.5 * scale - 0.5
        cv2.warpAffine(
            moved, to_cell, (size, size), dst=self._moved,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        cv2.add(self._map, self._moved, dst=self._map)

    def _sample(self, box: Box) -> None:
        left, top, right, bottom = box
        place = slice(top, bottom), slice(left, right)
        cv2.remap(
            self._canvas.pixels, self._map[place], _NO_MAP, cv2.INTER_LINEAR, dst=self._out[place],
            borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0),
        )  # fmt: skip

    def _paint(self, change: FaceChange, box: Box) -> None:
        """A face's change where the bent picture shows it; alpha stays, and no colour becomes more than it."""
        left, top, right, bottom = box
        shown = self._out[top:bottom, left:right]
        per_pixel = change.size / len(self._out)
        to_change = np.array([[per_pixel / self._canvas.step, 0.0, 0.0], [0.0, per_pixel / self._canvas.step, 0.0]])
        to_change[:, 2] = 0.5 * per_pixel - 0.5 - np.array((change.left, change.top))
        places = cv2.transform(self._map[top:bottom, left:right], to_change)
        paint = cv2.remap(change.paint, places, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        # all channels alike: what happens to alpha meanwhile is undone
        alpha = cv2.extractChannel(shown, 3)
        goes = cv2.merge([cv2.extractChannel(paint, 3)] * 4)
        gone = cv2.multiply(shown, goes, scale=1.0 / 255.0, dtype=cv2.CV_16S)
        cv2.subtract(paint, gone, dst=paint)
        cv2.add(shown, paint, dst=shown, dtype=cv2.CV_8U)
        cv2.min(shown, cv2.merge([alpha] * 4), dst=shown)
        cv2.insertChannel(alpha, shown, 3)

    def _fit(self, size: int) -> None:
        if len(self._out) != size:
            if size not in self._sized:
                self._sized[size] = _Buffers(size)
            buffers = self._sized[size]
            self._out, self._map, self._moved = buffers.out, buffers.map, buffers.moved


class _Buffers:
    """Memory for pictures of one size; untouched, it costs nothing."""

    def __init__(self, size: int) -> None:
        self.out: Picture = np.zeros((size, size, 4), np.uint8)
        self.map: NDArray[np.float32] = np.empty((size, size, 2), np.float32)
        self.moved = np.empty_like(self.map)


@functools.lru_cache(maxsize=4)
def _places(size: int, step: int) -> NDArray[np.float32]:
    """Every pixel's own place (x, y), in ``step`` parts of a pixel. Read only, for it is everybody's."""
    made = np.empty((size, size, 2), np.float32)
    steps = np.arange(size, dtype=np.float32) * np.float32(step)
    made[..., 0], made[..., 1] = steps, steps[:, None]
    made.flags.writeable = False
    return made


def _reached(
    bands: Bands, across: int, along: int, size: int, matrix: NDArray[np.float64] | None, together: bool = False
) -> Bands:
    """Where the bands may be after everything moved by at most so much, and was placed. ``together``: in one box."""
    grown = _grown(bands, across, along, size)
    if matrix is None and not together:
        return grown
    return _placed(grown, IN_PLACE.matrix(size) if matrix is None else matrix, size)


def _box_of(change: FaceChange, size: int) -> Box:
    """The pixels of a picture that a change is about."""
    height, width = change.paint.shape[:2]
    scale = size / change.size
    left, top = int(change.left * scale), int(change.top * scale)
    return left, top, math.ceil((change.left + width) * scale), math.ceil((change.top + height) * scale)


def _grown(bands: Bands, across: int, along: int, size: int) -> Bands:
    """Where the bands may be after everything moved by at most so much."""
    grown = []
    for first in range(0, size, BAND):
        last = min(first + BAND, size)
        near = [band for band in bands if band[1] - along < last and band[3] + along > first]
        if near:
            left = max(min(band[0] for band in near) - across, 0)
            right = min(max(band[2] for band in near) + across, size)
            grown.append((left, first, right, last))
    return tuple(grown)


def _placed(bands: Bands, matrix: NDArray[np.float64], size: int) -> Bands:
    """The one box that holds the bands after they were placed."""
    if not bands:
        return ()
    corners = np.array(
        [(x, y, 1.0) for left, top, right, bottom in bands for x in (left, right) for y in (top, bottom)]
    )
    places = corners @ matrix.T
    low, high = np.floor(places.min(axis=0)).astype(int), np.ceil(places.max(axis=0)).astype(int)
    left, top, right, bottom = (int(value) for value in np.clip([*(low - _REACH), *(high + _REACH)], 0, size))
    return ((left, top, right, bottom),) if left < right and top < bottom else ()
