"""Bending a finished picture as a displacement says, by the definition and nothing of the product's own warp."""

from __future__ import annotations

import cv2
import numpy as np

from models.base import Picture
from models.motion import Displacement


def bent(picture: Picture, displacement: Displacement) -> Picture:
    """The picture (size x size, premultiplied) with each pixel taken from where the displacement says it is found;
    nothing lies outside."""
    size = len(picture)
    dense = cv2.resize(displacement * np.float32(size), (size, size), interpolation=cv2.INTER_LINEAR)
    steps = np.arange(size, dtype=np.float32)
    places = np.stack(np.meshgrid(steps, steps), axis=-1) + dense
    nothing = np.empty((0, 0), np.float32)
    made = cv2.remap(picture, places, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(made, np.uint8)


def error(first: Picture, second: Picture) -> float:
    """Mean squared difference of two pictures, over pixels and channels."""
    return float(((first.astype(np.float64) - second) ** 2).mean())
