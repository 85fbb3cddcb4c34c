"""The one place where finished frames change their kind: premultiplied to straight, on a background, alpha beside."""

from __future__ import annotations

import functools
import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from .base import Picture

_CHECK_PX = 16
_LIGHT, _DARK = 0xCCCCCC, 0x999999


def straight(premultiplied: Picture, out: Picture) -> Picture:
    """Straight alpha from premultiplied, same shape: colour = premultiplied * 255 / alpha, rounded; 0 where alpha is 0.

    Shown over a background with classical blending (gamma-encoded values) the result differs from the premultiplied
    original by at most 1 of 255.
    """
    # the channel order does not matter to this conversion: it treats the first three alike
    cv2.cvtColor(premultiplied, cv2.COLOR_mRGBA2RGBA, dst=out)
    return out


def over_background(premultiplied: Picture, colour: int, out: Picture | None = None) -> Picture:
    """The picture on a plain background, as (height, width, 3) BGR. ``colour`` is OBS's 0xAABBGGRR, alpha ignored.

    ``out`` is filled and returned when given; its rows may lie apart (a part of a wider picture).
    """
    packed = _uncovered(premultiplied, colour)
    return _add(premultiplied, packed, out)


def over_checkerboard(premultiplied: Picture, out: Picture | None = None) -> Picture:
    """The picture on the grey checks that mean "nothing here", as (height, width, 3) BGR."""
    height, width = premultiplied.shape[:2]
    light = _uncovered(premultiplied, _LIGHT).copy()
    packed = _uncovered(premultiplied, _DARK)
    cv2.copyTo(light, _light_checks(height, width), dst=packed)
    return _add(premultiplied, packed, out)


def alpha_beside(premultiplied: Picture, colour: int, out: Picture | None = None) -> Picture:
    """Twice as wide, BGR: the picture on ``colour`` at the left, its alpha as grey at the right."""
    height, width = premultiplied.shape[:2]
    if out is None:
        out = np.empty((height, 2 * width, 3), np.uint8)
    over_background(premultiplied, colour, out[:, :width])
    cv2.cvtColor(_scratch.alpha, cv2.COLOR_GRAY2BGR, dst=out[:, width:])
    return out


def red_first(blue_first: Picture, out: Picture) -> Picture:
    """RGB from BGR, or RGBA from BGRA, into ``out`` of the same shape."""
    code = cv2.COLOR_BGRA2RGBA if blue_first.shape[2] == 4 else cv2.COLOR_BGR2RGB
    cv2.cvtColor(blue_first, code, dst=out)
    return out


class _Scratch(threading.local):
    """One thread's buffers, kept between frames: fresh memory would cost more than the arithmetic."""

    def __init__(self) -> None:
        self.alpha: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self.packed: NDArray[np.int32] = np.empty((0, 0), np.int32)


_scratch = _Scratch()


def _uncovered(premultiplied: Picture, colour: int) -> NDArray[np.int32]:
    """What shows of the background: (height, width) pixels of four bytes B, G, R, 0. Valid until the next call."""
    size = premultiplied.shape[:2]
    if _scratch.alpha.shape != size:
        _scratch.alpha, _scratch.packed = np.empty(size, np.uint8), np.empty(size, np.int32)
    cv2.extractChannel(premultiplied, 3, dst=_scratch.alpha)
    cv2.LUT(_scratch.alpha, _background_by_alpha(colour & 0xFFFFFF), dst=_scratch.packed)
    return _scratch.packed


def _add(premultiplied: Picture, packed: NDArray[np.int32], out: Picture | None) -> Picture:
    height, width = packed.shape
    background = packed.view(np.uint8).reshape(height, width, 4)
    cv2.add(premultiplied, background, dst=background)
    if out is None:
        out = np.empty((height, width, 3), np.uint8)
    cv2.cvtColor(background, cv2.COLOR_BGRA2BGR, dst=out)
    return out


@functools.lru_cache(maxsize=2)
def _light_checks(height: int, width: int) -> NDArray[np.uint8]:
    """255 on the light checks, 0 on the dark ones."""
    rows, columns = np.arange(height) // _CHECK_PX, np.arange(width) // _CHECK_PX
    return np.where((rows[:, None] + columns) % 2, 0, 255).astype(np.uint8)


@functools.lru_cache(maxsize=8)
def _background_by_alpha(colour: int) -> NDArray[np.int32]:
    """For each alpha the background's share, rounded, as one packed pixel: a look-up instead of three products."""
    uncovered = 255 - np.arange(256)
    pixels = np.zeros((256, 4), np.uint8)
    for channel, value in enumerate(((colour >> 16) & 255, (colour >> 8) & 255, colour & 255)):
        pixels[:, channel] = (uncovered * value + 127) // 255
    return pixels.view(np.int32).reshape(1, 256)
