"""What of a picture is visible: nothing else of it needs to be touched."""

from __future__ import annotations

import cv2

from models.base import Picture

BAND = 32
"""Rows that are looked at together."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first ones outside."""
Bands = tuple[Box, ...]
"""What is visible of a picture, in bands of 32 rows from top to bottom; those that are empty are left out."""


def visible_bands(picture: Picture) -> Bands:
    """What of a picture is not transparent."""
    alpha = cv2.extractChannel(picture, 3)
    found = []
    for first in range(0, len(alpha), BAND):
        left, top, width, height = cv2.boundingRect(alpha[first : first + BAND])
        if width:
            found.append((left, first + top, left + width, first + top + height))
    return tuple(found)
