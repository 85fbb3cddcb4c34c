"""Places enclosed by a figure that show the background: gaps between strands are opened, white shirts are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from .background import Background, Floats, Mask
from .checkerboard import Checkerboard
from .flood import Reach
from .head import FoundHead

_SOFT: Final = 7.5
"""Lab distance from the background, two pixels outside a hole, below which its edge is shading rather than an edge."""
_MOST_SOFT: Final = 0.2
_MOST_SOFT_TOUCHING: Final = 0.45
_MOST_ALIKE: Final = 0.03
"""Part of a figure that may look like the background before compressed pictures' holes are no longer trusted."""
_LARGEST: Final = 0.25
"""Of the figure."""
_SMALLEST: Final = 5e-4
"""Of the figure: smaller enclosed places of a white background are highlights more often than gaps."""
_PALEST: Final = 0.55
"""Strength of the line around a hole, as a part of that of the figure's outline."""
_TOUCHING: Final = 1.5
_THICKEST_BY_HEAD, _THICKEST_BY_PICTURE = 0.3, 0.07
"""How far inside a figure a hole may lie when its colour is one that clothes have too: of the head's height, or where
no head is known, of the picture's."""


@dataclass(frozen=True, slots=True)
class Holes:
    """Which enclosed places are background."""

    mask: Mask
    """1 where they are, (height, width)."""
    opened: int
    kept: int
    """Places that match but were taken for the figure's own."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known about a picture before its holes are looked at."""

    colour: Floats
    unlike: Floats
    outer: Mask
    reach: Reach
    background: Background
    head: FoundHead | None
    face: Mask | None


def alike(candidates: Mask, outer: Mask) -> bool:
    """Whether much of the figure looks like the background; narrow places beside the outline do not count."""
    share = float(cv2.erode(candidates, np.ones((5, 5), np.uint8)).sum()) / max(1.0, float(outer.size - outer.sum()))
    return share > _MOST_ALIKE


def soft_share(mask: Mask, unlike: Floats) -> float:
    """Part of a place's outline at which the colour goes over into another gradually: 0 for edges, 1 for shading."""
    kernel = np.ones((3, 3), np.uint8)
    twice = cv2.dilate(mask, kernel, iterations=2)
    ring = (cv2.dilate(twice, kernel) - twice) > 0
    # beyond a strand there may be background again: what counts is the strongest on the way
    strongest = cv2.dilate(unlike, kernel)
    return float((strongest[ring] < _SOFT).mean()) if ring.any() else 0.0


def find_holes(candidates: Mask, seen: Seen) -> Holes:
    """Look at each place that matches the background but is not reached from the border."""
    opened = np.zeros_like(candidates)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(candidates, connectivity=4)
    open_to = seen.outer.copy()
    # a gap between legs is open at the picture's bottom
    open_to[-1] = 1
    thickness = cv2.distanceTransform(1 - open_to, cv2.DIST_L2, 3)
    swapped = None if seen.background.board is None else _swapped(seen.colour, seen.background.board)
    limits = _limits(candidates, seen)
    holes = kept = 0
    areas = boxes[:, cv2.CC_STAT_AREA]
    for index in np.flatnonzero(areas >= max(4, candidates.size // 150_000)):
        if index == 0:
            continue
        left, top, across, down, area = (int(value) for value in boxes[index])
        rows, columns = slice(max(0, top - 4), top + down + 4), slice(max(0, left - 4), left + across + 4)
        hole = (labels[rows, columns] == index).astype(np.uint8)
        wall = float(thickness[rows, columns][hole > 0].min())
        own = (
            area > limits.largest
            or (seen.face is not None and bool((hole & seen.face[rows, columns]).any()))
            or (swapped is not None and _goes_on(hole, swapped[rows, columns]))
        )
        notch = wall < _TOUCHING and area < candidates.size // 5000
        if not own and (notch or _matches_well(hole, seen.unlike[rows, columns], wall, limits, seen)):
            opened[rows, columns] |= hole
            holes += 1
        else:
            kept += 1
    return Holes(opened, holes, kept)


class _Limits(NamedTuple):
    """What holes are held against in one picture."""

    largest: float
    smallest: float
    """Pixels; of a hole that is enclosed all around."""
    thickest: float
    """Pixels between a hole and the outside."""
    palest: float
    """How unlike the background the strongest line around a hole must be."""
    wary: bool
    """Whether enclosed places are not trusted at all."""


def _limits(candidates: Mask, seen: Seen) -> _Limits:
    figure = float(candidates.size) - float(seen.outer.sum())
    if seen.background.vivid:
        return _Limits(_LARGEST * figure, 0.0, np.inf, 0.0, False)
    thickest = _THICKEST_BY_PICTURE * candidates.shape[0]
    if seen.head is not None:
        thickest = _THICKEST_BY_HEAD * seen.head.height
    wary = seen.reach.compressed and alike(candidates, seen.outer)
    outline = _strongest_around(seen.outer, seen.unlike)
    return _Limits(_LARGEST * figure, _SMALLEST * figure, thickest, _PALEST * outline, wary)


def _matches_well(hole: Mask, unlike: Floats, wall: float, limits: _Limits, seen: Seen) -> bool:
    touches = wall < _TOUCHING
    if not touches and (limits.wary or float(hole.sum()) < limits.smallest):
        return False
    if wall >= limits.thickest or _strongest_around(hole, unlike) < limits.palest:
        return False
    if soft_share(hole, unlike) >= (_MOST_SOFT_TOUCHING if touches else _MOST_SOFT):
        return False
    inwards = cv2.distanceTransform(cv2.copyMakeBorder(hole, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    inwards = inwards[1:-1, 1:-1]
    deepest = float(inwards.max())
    if not seen.reach.compressed:
        # all of it, but for the pixels that mix with the edge
        inner = unlike[(inwards >= min(1.5, deepest)) & (hole > 0)]
        allowed = 6.0 if seen.background.vivid else 0.3 + 0.7 * seen.background.noise
        return float(np.percentile(inner, 90)) < allowed
    inner = unlike[(inwards >= 0.6 * deepest) & (hole > 0)]
    allowed = 6.0 if seen.background.vivid else 3.8 if deepest < 8.0 else 2.0
    return float(np.percentile(inner, 75)) < allowed


def _strongest_around(mask: Mask, unlike: Floats) -> float:
    """Median, along a place's edge, of the strongest difference from the background close by: outlines count."""
    kernel = np.ones((3, 3), np.uint8)
    edge = (cv2.dilate(mask, kernel) - mask) > 0
    if not edge.any():
        return 0.0
    strongest = cv2.dilate(unlike, np.ones((7, 7), np.uint8))
    return float(np.median(strongest[edge]))


def _swapped(colour: Floats, board: Checkerboard) -> Mask:
    """1 where the picture shows the board's one grey although the other is due: white or grey of the figure's own."""
    height, width = colour.shape[:2]
    due = board.light_fields(np.arange(height), np.arange(width))
    light, dark = float(np.mean(board.light)), float(np.mean(board.dark))
    away = np.abs(colour - np.where(due, np.float32(dark), np.float32(light))[..., None]).max(axis=2)
    return np.asarray(away < 0.3 * (light - dark), np.uint8)


def _goes_on(hole: Mask, swapped: Mask) -> bool:
    """Whether what looks like a hole ends where the board's field ends, but its colour does not."""
    ring = cv2.dilate(hole, np.ones((3, 3), np.uint8), iterations=3) - hole
    return bool(ring.any()) and float(swapped[ring > 0].mean()) > 0.2
