"""The parts a picture with transparency falls into: the figure, other figures, stray specks, faint dust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from .head import FoundHead

_VISIBLE: Final = 24
"""Alpha from which on a pixel belongs to something."""
_FAINT: Final = 3
"""Alpha up to which nobody sees a pixel, but every program counts it as part of the figure."""
_SPECK: Final = 0.001
"""Largest speck, as a part of the largest thing's area."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The box around what is visible, in pixels; right and bottom are one past the last."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Specks:
    """What is not worth being shown."""

    mask: NDArray[np.bool_]
    """Where specks and faint pixels are, (height, width)."""
    count: int
    """Specks."""
    faint: int
    """Pixels that are nearly transparent and not part of a soft edge."""


def bounds(picture: Picture) -> Bounds | None:
    """The box around everything visible; None when nothing is."""
    left, top, width, height = cv2.boundingRect((picture[..., 3] >= _VISIBLE).astype(np.uint8))
    return Bounds(left, top, left + width, top + height) if width else None


def find_specks(picture: Picture) -> Specks:
    """Small things apart from the rest, and dust of nearly no alpha."""
    alpha = picture[..., 3]
    visible = (alpha >= _VISIBLE).astype(np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(visible, connectivity=8)
    areas = boxes[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    small = areas < max(4.0, _SPECK * float(areas.max()))
    small[0] = small[int(np.argmax(areas))] = False
    mask = np.asarray(small[np.asarray(labels, np.int32)], np.uint8)
    if small.any():
        # the soft rim of a speck goes with it
        mask = np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)) & (visible == 0) | mask, np.uint8)
        mask &= (cv2.dilate((visible & (1 - mask)).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0) | (mask & visible)
    beside = cv2.dilate(visible, np.ones((5, 5), np.uint8)) > 0
    faint = (alpha > 0) & (alpha <= _FAINT) & ~beside
    return Specks((mask > 0) | faint, int(np.count_nonzero(small)), int(faint.sum()))


def without_others(picture: Picture, heads: list[FoundHead]) -> tuple[Picture, int]:
    """The picture without things that have a head of their own and are apart from the first head's, and how many."""
    if len(heads) < 2:
        return picture, 0
    visible = (picture[..., 3] > 0).astype(np.uint8)
    labels = np.asarray(cv2.connectedComponents(visible, connectivity=8)[1], np.int32)
    own = _label_at(labels, heads[0])
    others = {_label_at(labels, head) for head in heads[1:]} - {own, 0}
    if not own or not others:
        return picture, 0
    left = picture.copy()
    left[np.isin(labels, list(others))] = 0
    return left, len(others)


def _label_at(labels: NDArray[np.int32], head: FoundHead) -> int:
    """What the middle of a head belongs to."""
    height, width = labels.shape
    reach = max(1, round(0.2 * head.height))
    row, column = int(np.clip(head.eyes_y, 0, height - 1)), int(np.clip(head.centre_x, 0, width - 1))
    around = labels[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    seen = around[around > 0]
    return int(np.bincount(seen).argmax()) if len(seen) else 0
