"""Finds the hair that hangs below the chin, so that it follows the head while shoulders and clothes stay."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from .places import PICTURE_SIZE, FaceParts

_GRID = 128
"""The search runs on a picture this wide and high: lines between strands vanish, gradients stay."""
_STEP = 14
"""Largest difference per channel between neighbours for hair to go on."""


def hanging_hair(picture: Picture, parts: FaceParts) -> NDArray[np.float32]:
    """How likely each place is hair, as (128, 128) float32 from 0 to 1, soft at its borders.

    ``picture`` is 512 x 512 BGRA, straight alpha. The hair is what can be reached from the sides of the head through
    gently changing colours without crossing skin or the outline of the figure.
    """
    scale = _GRID / PICTURE_SIZE
    alpha = picture[..., 3]
    colours = np.where(alpha[..., None] >= 128, picture[..., :3], np.uint8(0)).astype(np.uint8)
    small = cv2.resize(cv2.medianBlur(colours, 5), (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    inside = cv2.resize(alpha, (_GRID, _GRID), interpolation=cv2.INTER_AREA) >= 200
    # floodFill treats pixels that are already marked as walls.
    reached = np.ones((_GRID + 2, _GRID + 2), np.uint8)
    reached[1:-1, 1:-1] = np.where(inside & ~_face(parts, scale), 0, 1)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (2 << 8)
    step = (_STEP, _STEP, _STEP)
    for column, row in _starts(parts, scale):
        if reached[row + 1, column + 1] == 0:
            cv2.floodFill(small, reached, (column, row), (0, 0, 0), step, step, flags)
    hair = (reached[1:-1, 1:-1] == 2).astype(np.uint8)
    hair = cv2.morphologyEx(hair, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(hair.astype(np.float32), (0, 0), 2.0), np.float32)


def _face(parts: FaceParts, scale: float) -> NDArray[np.bool_]:
    """The face between the eyes and the chin, and the neck below it: nothing to start from, nothing to cross."""
    mask = np.zeros((_GRID, _GRID), np.uint8)
    reach = abs(parts.eye_left.centre.x - parts.eye_right.centre.x) * 0.5 + parts.eye_left.half_width
    eye_y = 0.5 * (parts.eye_left.centre.y + parts.eye_right.centre.y)
    centre = (round(parts.chin.x * scale), round(eye_y * scale))
    cv2.ellipse(mask, centre, (round(0.9 * reach * scale), round((parts.chin.y - eye_y) * scale)), 0, 0, 360, 1, -1)
    neck = 0.3 * reach
    top, bottom = round((parts.chin.y - 4) * scale), round((parts.neck.y + 0.25 * reach) * scale)
    mask[
        max(0, top) : max(0, bottom),
        max(0, round((parts.chin.x - neck) * scale)) : round((parts.chin.x + neck) * scale),
    ] = 1
    return np.asarray(mask, np.bool_)


def _starts(parts: FaceParts, scale: float) -> list[tuple[int, int]]:
    """Places on the crown and along both sides of the head."""
    head = parts.head
    width, height = head.right - head.left, head.bottom - head.top
    middle = parts.chin.x
    starts = [(middle + across * width, head.top + 0.2 * height) for across in np.linspace(-0.25, 0.25, 7)]
    for side in (-1.0, 1.0):
        for along in np.linspace(0.3, 0.95, 8):
            starts += [(middle + side * across * width, head.top + along * height) for across in (0.38, 0.43, 0.48)]
    last = _GRID - 1
    return [(int(np.clip(x * scale, 0, last)), int(np.clip(y * scale, 0, last))) for x, y in starts]
