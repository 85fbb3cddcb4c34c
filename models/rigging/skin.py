"""What colour a face's skin is, and how unlike it every pixel is."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from .places import PICTURE_SIZE, HeadBox

Lab = NDArray[np.float32]
"""CIE L*a*b*, last axis 3, float32: L* 0..100."""

_FALLBACK: Final = (92.0, 6.0, 10.0)
_DIFFERENT: Final = 40.0
"""Lab distance from the skin at which a pixel is certainly something else."""


def to_lab(picture: Picture) -> Lab:
    """Lab colours of a BGRA picture, straight or opaque; mid-grey outside the figure."""
    inside = picture[..., 3] >= 128
    colours = np.where(inside[..., None], picture[..., :3], np.uint8(128))
    return np.asarray(cv2.cvtColor(colours.astype(np.float32) / np.float32(255), cv2.COLOR_BGR2LAB), np.float32)


def unlikeness(lab: Lab, skin: Lab) -> NDArray[np.float32]:
    """0 where a colour is the skin's, 1 where it is certainly not. ``skin`` is one colour or one for every pixel."""
    distance = np.sqrt(np.sum((lab - skin) ** 2, axis=-1))
    return np.asarray(np.clip(distance / _DIFFERENT, 0.0, 1.0), np.float32)


def skin_colour(picture: Picture, head: HeadBox) -> Lab:
    """The commonest colour between cheeks and chin, shape (3,). ``picture`` is 512 x 512, straight alpha."""
    width, height = head.right - head.left, head.bottom - head.top
    rows = np.clip([head.top + 0.62 * height, head.top + 0.96 * height], 0, PICTURE_SIZE).astype(int)
    columns = np.clip([head.left + 0.28 * width, head.right - 0.28 * width], 0, PICTURE_SIZE).astype(int)
    part = picture[rows[0] : rows[1], columns[0] : columns[1]]
    colours = to_lab(part)[part[..., 3] >= 128] if part.size else np.empty((0, 3), np.float32)
    if len(colours) < 50:
        return np.array(_FALLBACK, np.float32)
    steps = np.round(colours / np.array([6.0, 5.0, 5.0], np.float32)).astype(np.int64)
    key = (steps[:, 0] * 256 + steps[:, 1] + 128) * 256 + steps[:, 2] + 128
    values, counts = np.unique(key, return_counts=True)
    return np.asarray(np.median(colours[key == values[int(np.argmax(counts))]], axis=0), np.float32)
