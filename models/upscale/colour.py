"""Colours that go on beyond the silhouette, and alpha that is enlarged apart from them.

Where a picture is transparent its colour is black, and every upscaler smears that black into the character's edge. So
the network sees no edge: the character is shown over its own colours, continued outwards, and what comes back is cut
out again with an alpha that never went through the network.

Half transparent pixels are mixed with the colours around them. Dividing them by their alpha would be exact, but the
edges of characters are mostly a shade darker than what they border on, and a network makes a dashed line of that.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture

from .base import FACTOR

_HALVINGS = 4
"""Colours go on for at least 16 pixels, and then in their average."""
_LEAST_ALPHA = 64
"""Below, 8-bit premultiplied colours are too coarse to be divided: those of a larger surrounding stand in for them."""


@dataclass(slots=True)
class _Level:
    premultiplied: Picture
    alpha: NDArray[np.uint8]
    factors: Picture
    mask: NDArray[np.uint8]
    straight: Picture
    filled: Picture

    @staticmethod
    def of(height: int, width: int) -> _Level:
        planes = [np.empty((height, width), np.uint8) for _ in range(2)]
        pictures = [np.empty((height, width, 4), np.uint8) for _ in range(4)]
        return _Level(pictures[0], planes[0], pictures[1], planes[1], pictures[2], pictures[3])


class Bleeding:
    """Continues colours beyond the silhouette, by averages of ever larger surroundings."""

    def __init__(self, height: int, width: int) -> None:
        """For pictures of this size: multiples of 16."""
        self._alpha, self._clear = (np.empty((height, width), np.uint8) for _ in range(2))
        self._factors, self._made = (np.empty((height, width, 4), np.uint8) for _ in range(2))
        self._coarser = [_Level.of(height >> halvings, width >> halvings) for halvings in range(1, _HALVINGS + 1)]

    @property
    def alpha(self) -> NDArray[np.uint8]:
        """The alpha of the newest picture, shape (height, width)."""
        return self._alpha

    def __call__(self, picture: Picture) -> Picture:
        """A premultiplied BGRA picture over its own colours, which makes it straight and opaque. The next call
        overwrites it."""
        source = picture
        for level in self._coarser:
            source = _resized(source, level.premultiplied, cv2.INTER_AREA)
            cv2.extractChannel(source, 3, level.alpha)
            cv2.merge([level.alpha] * 4, level.factors)
            # where alpha is 0 OpenCV gives 0; elsewhere alpha itself becomes 255
            cv2.divide(source, level.factors, level.straight, 255.0)
            cv2.threshold(level.alpha, _LEAST_ALPHA - 1, 255, cv2.THRESH_BINARY, level.mask)
        filled: Picture = np.array(_mean_colour(source), np.uint8).reshape(1, 1, 4)
        for level in reversed(self._coarser):
            filled = _resized(filled, level.filled, cv2.INTER_LINEAR)
            cv2.copyTo(level.straight, level.mask, filled)
        _resized(filled, self._made, cv2.INTER_LINEAR)
        cv2.extractChannel(picture, 3, self._alpha)
        cv2.bitwise_not(self._alpha, self._clear)
        # the factor of alpha itself becomes 255: what is made is opaque
        cv2.cvtColor(self._clear, cv2.COLOR_GRAY2BGRA, self._factors)
        cv2.multiply(self._made, self._factors, self._made, 1.0 / 255.0)
        cv2.add(self._made, picture, self._made)
        return self._made


class Cutting:
    """Cuts an enlarged picture out with an alpha that is enlarged here, by cubic interpolation."""

    def __init__(self, height: int, width: int) -> None:
        """``height``, ``width``: of the alpha before it is enlarged."""
        self._alpha = np.empty((height * FACTOR, width * FACTOR), np.uint8)
        self._factors, self._cut = (np.empty((height * FACTOR, width * FACTOR, 4), np.uint8) for _ in range(2))

    def __call__(self, straight: Picture, alpha: NDArray[np.uint8]) -> Picture:
        """``straight``: BGRA, twice as wide and high as ``alpha``; its own alpha is not looked at. What comes back is
        premultiplied and overwritten by the next call."""
        height, width = self._alpha.shape
        cv2.resize(alpha, (width, height), self._alpha, interpolation=cv2.INTER_CUBIC)
        cv2.merge([self._alpha] * 4, self._factors)
        cv2.multiply(straight, self._factors, self._cut, 1.0 / 255.0)
        cv2.insertChannel(self._alpha, self._cut, 3)
        return self._cut


class Enlarging:
    """Twice the size by cubic interpolation alone, for what no network sees."""

    def __init__(self, height: int, width: int) -> None:
        """``height``, ``width``: of the largest picture there will be, before it is enlarged."""
        pixels = height * width * FACTOR * FACTOR
        self._picture, self._limit, self._alpha = (np.empty(pixels * count, np.uint8) for count in (4, 4, 1))

    def __call__(self, picture: Picture) -> Picture:
        """A premultiplied picture, twice as wide and high. The next call overwrites it."""
        height, width = picture.shape[0] * FACTOR, picture.shape[1] * FACTOR
        pixels = height * width
        enlarged, limit = (
            np.reshape(memory[: pixels * 4], (height, width, 4)) for memory in (self._picture, self._limit)
        )
        alpha = np.reshape(self._alpha[:pixels], (height, width))
        _resized(picture, enlarged, cv2.INTER_CUBIC)
        # cubic interpolation overshoots, and by less where alpha ends at 255
        cv2.extractChannel(enlarged, 3, alpha)
        cv2.merge([alpha] * 4, limit)
        cv2.min(enlarged, limit, enlarged)
        return enlarged


def _resized(source: Picture, target: Picture, interpolation: int) -> Picture:
    cv2.resize(source, (target.shape[1], target.shape[0]), target, interpolation=interpolation)
    return target


def _mean_colour(premultiplied: Picture) -> NDArray[np.uint8]:
    blue, green, red, alpha = cv2.mean(premultiplied)
    share = 255.0 / alpha if alpha else 0.0
    colour = np.array((blue * share, green * share, red * share, 255.0))
    return np.asarray(np.clip(np.rint(colour), 0.0, 255.0), np.uint8)
