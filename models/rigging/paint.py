"""The few brush strokes every part of the face is drawn with."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from .fill import Plane, soft

_WAKING: Final = 0.08
"""How far a value moves from rest until what is drawn has fully replaced the picture's own pixels."""


def waking(value: float) -> float:
    """0 at rest, 1 as soon as a value (0..1) has clearly moved, smooth between."""
    return soft(value, 0.0, _WAKING)


def mix(over: Picture, under: Picture, alpha: Plane) -> Picture:
    """``over`` with ``alpha`` (height, width, 0..1) on top of ``under``; a new picture."""
    return np.asarray(cv2.blendLinear(over, under, alpha, np.float32(1) - alpha), np.uint8)


def opaque(colours: Plane) -> Picture:
    """A picture of these BGR colours (0..255) without any transparency."""
    picture = np.full((*colours.shape[:2], 4), 255, np.uint8)
    picture[..., :3] = np.clip(np.rint(colours), 0, 255)
    return picture


def disc(radius: float) -> NDArray[np.uint8]:
    """A round structuring element of this radius in pixels."""
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def paintable(patch: Picture, margin: float) -> Plane:
    """1 where a patch (premultiplied BGRA) may be painted over, 0 near transparency and on the patch's border.

    ``margin``: distance to transparency in pixels from which on everything may be painted.
    """
    solid = (patch[..., 3] == 255).astype(np.uint8)
    inside = np.zeros_like(solid)
    inside[2:-2, 2:-2] = 1
    kept = cv2.erode(solid, disc(margin), borderType=cv2.BORDER_REPLICATE) & inside
    return np.asarray(cv2.blur(kept.astype(np.float32), (3, 3)) * solid, np.float32)
