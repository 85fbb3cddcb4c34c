"""Boxes of the 512 x 512 picture: where something is visible, where the head is, and what two of them share."""

from __future__ import annotations

from typing import TypeAlias

import cv2

from models.base import Picture

from .base import SIDE

Box: TypeAlias = tuple[int, int, int, int]
"""Top, left, height, width in pixels of the 512 x 512 picture, each a multiple of :data:`STEP`."""

STEP = 16
"""Networks that halve a picture a few times want sizes that allow it."""
MARGIN = 16
"""Transparent pixels that belong to what is visible: an upscaler looks so far around."""
WHOLE: Box = (0, 0, SIDE, SIDE)
HEAD: Box = (0, 128, 256, 256)
"""A square around the head of every character that the networks can move; a quarter of the picture."""


def checked(box: Box) -> Box:
    """The box itself. Raises ValueError when it is none."""
    top, left, height, width = box
    inside = min(top, left) >= 0 and min(height, width) > 0 and max(top + height, left + width) <= SIDE
    if not inside or any(value % STEP for value in box):
        raise ValueError(f"{box} is no box of multiples of {STEP} inside {SIDE} x {SIDE} pixels")
    return box


def visible_box(picture: Picture) -> Box | None:
    """What of a 512 x 512 picture is not wholly transparent, with a margin of 16 pixels, rounded outwards to 16.

    None when nothing is visible.
    """
    left, top, width, height = cv2.boundingRect(cv2.extractChannel(picture, 3))
    if not width:
        return None
    first_row, rows = _widened(top, height)
    first_column, columns = _widened(left, width)
    return first_row, first_column, rows, columns


def _widened(start: int, length: int) -> tuple[int, int]:
    first = max(start - MARGIN, 0) // STEP * STEP
    last = min(-(-(start + length + MARGIN) // STEP) * STEP, SIDE)
    return first, last - first


def shared(first: Box, second: Box) -> Box | None:
    """What lies in both boxes; None when nothing does."""
    top, left = max(first[0], second[0]), max(first[1], second[1])
    bottom = min(first[0] + first[2], second[0] + second[2])
    right = min(first[1] + first[3], second[1] + second[3])
    return (top, left, bottom - top, right - left) if top < bottom and left < right else None


def part(picture: Picture, box: Box, factor: int = 1) -> Picture:
    """The pixels of a box, not copied; ``factor``: how many times larger than 512 the picture is."""
    top, left, height, width = (value * factor for value in box)
    return picture[top : top + height, left : left + width]
