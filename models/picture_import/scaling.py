"""Making straight-alpha pictures smaller without the colour of transparent pixels getting into their edges."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture

Premultiplied = NDArray[np.float32]
"""(height, width, 4) float32, B, G, R, A of 0..255, colour times alpha/255 in gamma-encoded values."""

_STRIP_ROWS: Final = 256


def premultiplied(picture: Picture) -> Premultiplied:
    """A straight BGRA picture in floats, premultiplied."""
    pixels = picture.astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:] * np.float32(1 / 255)
    return pixels


def straight(pixels: Premultiplied) -> Picture:
    """A premultiplied picture as straight BGRA uint8, black where fully transparent."""
    alpha = np.clip(pixels[..., 3:], 0.0, 255.0)
    colour = pixels[..., :3] * (255.0 / np.maximum(alpha, 1e-3))
    whole = np.concatenate([colour, alpha], axis=-1)
    rounded: Picture = np.clip(np.rint(whole), 0, 255).astype(np.uint8)
    rounded[rounded[..., 3] == 0] = 0
    return rounded


def at_most(picture: Picture, longest_side: int) -> tuple[Picture, float]:
    """The picture made smaller so that no side is longer, and the factor (1 for an untouched picture).

    Huge pictures are averaged in strips of whole pixels: never more than a few megabytes of floats at a time.
    """
    longest = max(picture.shape[:2])
    if longest <= longest_side:
        return picture, 1.0
    whole = min(-(-longest // longest_side), *picture.shape[:2])
    if (picture[..., 3] == 255).all():
        size = _size(picture, longest_side / longest)
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), longest_side / longest
    if whole > 2:
        return at_most(_averaged(picture, whole - 1), longest_side)[0], longest_side / longest
    pixels = cv2.resize(premultiplied(picture), _size(picture, longest_side / longest), interpolation=cv2.INTER_AREA)
    return straight(np.asarray(pixels, np.float32)), longest_side / longest


def _size(picture: Picture, factor: float) -> tuple[int, int]:
    height, width = picture.shape[:2]
    return max(1, round(width * factor)), max(1, round(height * factor))


def _averaged(picture: Picture, block: int) -> Picture:
    """Means over ``block`` x ``block`` pixels; a rest that fills no block is left out."""
    height, width = picture.shape[0] // block, picture.shape[1] // block
    out = np.empty((height, width, 4), np.uint8)
    rows = max(1, _STRIP_ROWS // block)
    for first in range(0, height, rows):
        last = min(first + rows, height)
        strip = premultiplied(picture[first * block : last * block, : width * block])
        out[first:last] = straight(
            np.asarray(cv2.resize(strip, (width, last - first), interpolation=cv2.INTER_AREA), np.float32)
        )
    return out
