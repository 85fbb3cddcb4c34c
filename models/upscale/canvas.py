"""The large picture: a box of it from a network, the rest enlarged plainly, and no line where they meet."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture

from .base import FACTOR, SIDE, SIZE
from .box import Box, part, shared, visible_box
from .colour import Enlarging

SEAM = 8
"""Pixels of the 512 x 512 picture in which the network's picture fades into the plain one."""


class Canvas:
    """Puts what a network made of one box of the picture in its place."""

    def __init__(self, region: Box) -> None:
        """``region``: the box that the network sees."""
        self._region = region
        shape = (region[2] * FACTOR, region[3] * FACTOR, 4)
        self._share = _seam(region)
        self._rest = cv2.subtract(np.full(shape, 255, np.uint8), self._share)
        self._inner, self._outer = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        self._enlarging = Enlarging(SIDE, SIDE)

    def show(self, picture: Picture, draw: Callable[[Picture], Picture], out: Picture) -> None:
        """Enlarge ``picture`` (512 x 512) into ``out`` (1024 x 1024, all of it), both premultiplied BGRA.

        ``draw``: gives the region of the picture, premultiplied, twice as wide and high; asked when something of it
        is visible. Raises ValueError for other sizes, and what ``draw`` raises.
        """
        _check_size(picture, SIDE)
        _check_size(out, SIZE)
        visible = visible_box(picture)
        seen = shared(visible, self._region) if visible is not None else None
        drawn = draw(picture) if seen is not None else None
        out.fill(0)
        target = part(out, self._region, FACTOR)
        if drawn is not None and seen == visible:
            np.copyto(target, drawn)
            return
        if visible is not None:
            np.copyto(part(out, visible, FACTOR), self._enlarging(part(picture, visible)))
        if drawn is not None:
            cv2.multiply(drawn, self._share, self._inner, 1.0 / 255.0)
            cv2.multiply(target, self._rest, self._outer, 1.0 / 255.0)
            np.copyto(target, cv2.add(self._inner, self._outer, self._inner))


def _check_size(picture: Picture, side: int) -> None:
    if picture.shape != (side, side, 4) or picture.dtype != np.uint8:
        raise ValueError(f"expected a ({side}, {side}, 4) uint8 picture, got {picture.shape} {picture.dtype}")


def _seam(region: Box) -> NDArray[np.uint8]:
    """How much of the network's picture is shown, 0..255 by pixel and channel: less towards an edge of the region,
    unless the picture ends there too."""
    top, left, height, width = region
    rows, columns = _ramp(top, height), _ramp(left, width)
    share = np.rint(np.minimum(rows[:, None], columns[None, :]) * 255.0).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(share[:, :, None], 4, axis=2))


def _ramp(start: int, length: int) -> NDArray[np.float64]:
    places = np.arange(length * FACTOR) + 0.5
    before = places if start > 0 else np.full_like(places, np.inf)
    after = places[::-1] if start + length < SIDE else np.full_like(places, np.inf)
    return np.clip(np.minimum(before, after) / (SEAM * FACTOR), 0.0, 1.0)
