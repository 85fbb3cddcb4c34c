"""A picture with twice as many pixels each way, so that sampling it is cheap and stays sharp.

Bending a picture samples it between its pixels. Bilinear sampling is cheap and soft, and what is soft every second
frame flickers; cubic sampling costs eight times as much. From a picture that was made finer once, bilinear sampling is
as sharp as cubic sampling of the picture itself.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.base import Picture

from .visible import Bands, Box

FINEST = 640
"""Larger pictures are sampled as they are: they are shown smaller, and would take four times the memory."""
_BETWEEN = np.array([[-3.0, 19.0, 19.0, -3.0]], np.float32) / 32.0
"""Cubic convolution (Keys 1981, -0.75) half way between two pixels."""


_AT_ONCE = 4
"""Bands that are made finer together."""
_MARGIN = 2
"""Rows and columns beyond a box that interpolation reads."""


def canvas_step(size: int) -> int:
    """Canvas pixels per pixel of a picture of this size."""
    return 1 if size > FINEST else 2


class FineCanvas:
    """Keeps its memory. Pixel (2 i, 2 j) of the canvas is exactly pixel (i, j) of the picture."""

    def __init__(self) -> None:
        self.pixels: Picture = np.zeros((0, 0, 4), np.uint8)
        self.step = 1
        """Canvas pixels per picture pixel."""
        self._fine = self.pixels
        """Kept while larger pictures are shown."""
        self._serial: int | None = None
        self._filled: list[Box] = []
        self._parts: list[Picture] = []
        self._opaque: Picture = np.zeros((0, 0, 4), np.uint8)

    def show(self, picture: Picture, bands: Bands, serial: int | None) -> None:
        """Make it show a picture (premultiplied BGRA, visible inside ``bands``). ``serial`` names it: the same one
        again costs nothing; None is always another."""
        if serial is not None and serial == self._serial:
            return
        self._serial = serial
        size = len(picture)
        self.step = canvas_step(size)
        if self.step == 1:
            self.pixels = picture
            return
        if len(self._opaque) != size:
            self._parts = [np.empty_like(picture) for _ in range(3)]
            self._opaque = np.empty_like(picture)
            self._fine, self._filled = np.zeros((2 * size, 2 * size, 4), np.uint8), []
        self.pixels = self._fine
        for left, top, right, bottom in self._filled:
            self.pixels[2 * top : 2 * bottom, 2 * left : 2 * right] = 0
        self._filled = [
            _grown(_together(bands[first : first + _AT_ONCE]), size) for first in range(0, len(bands), _AT_ONCE)
        ]
        for box in self._filled:
            self._fill(picture, box, size)

    def _fill(self, picture: Picture, box: Box, size: int) -> None:
        left, top, right, bottom = box
        # a margin above and below: there the neighbouring box's pixels are read
        first, last = max(top - _MARGIN, 0), min(bottom + _MARGIN, size)
        given = picture[first:last, left:right]
        across, down, both = (part[first:last, left:right] for part in self._parts)
        cv2.filter2D(given, -1, _BETWEEN, dst=across, anchor=(1, 0), borderType=cv2.BORDER_REPLICATE)
        cv2.filter2D(given, -1, _BETWEEN.T, dst=down, anchor=(0, 1), borderType=cv2.BORDER_REPLICATE)
        cv2.filter2D(across, -1, _BETWEEN.T, dst=both, anchor=(0, 1), borderType=cv2.BORDER_REPLICATE)
        words = self.pixels.view(np.uint32)[2 * top : 2 * bottom, 2 * left : 2 * right, 0]
        inner = slice(top, bottom), slice(left, right)
        words[0::2, 0::2] = picture.view(np.uint32)[..., 0][inner]
        for part, row, column in zip(self._parts, (0, 1, 1), (1, 0, 1), strict=True):
            made, opaque = part[inner], self._opaque[inner]
            # the curve overshoots: no colour may be more than its pixel's alpha
            cv2.mixChannels([made], [opaque], [3, 0, 3, 1, 3, 2, 3, 3])
            cv2.min(made, opaque, dst=made)
            words[row::2, column::2] = part.view(np.uint32)[..., 0][inner]


def _together(bands: Bands) -> Box:
    return (
        min(band[0] for band in bands),
        min(band[1] for band in bands),
        max(band[2] for band in bands),
        max(band[3] for band in bands),
    )


def _grown(box: Box, size: int) -> Box:
    """With a transparent margin, so that what is sampled at the edge fades out as it does in the whole picture."""
    left, top, right, bottom = box
    return max(left - _MARGIN, 0), max(top - _MARGIN, 0), min(right + _MARGIN, size), min(bottom + _MARGIN, size)
