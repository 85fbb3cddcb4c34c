"""How the avatar moved from one pose to another, coarsely: what carries a finished picture to a pose in between.

A network's own warp says for every pixel where in the character it came from. Two of them, of the pose a picture was
rendered at and of the pose wanted now, say where in that picture each pixel of the wanted one is: the place that came
from the same spot. Heads and bodies move smoothly, so a grid of 64 x 64 is enough, and smoothing it takes out what the
network does in places where it paints instead of moving.

Measured on a THA4 student and 26 triples of a recorded session, 50 ms ahead of the key frame: 38.9 dB against the true
picture on this grid with this smoothing (39.1 dB on 128 x 128, 38.0 dB on 32 x 32), where repeating the key frame gives
34.4 dB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import ROTATION, PoseVector

CELLS = 64
"""Cells across and down, each standing for its middle."""
_SIGMA = 1.5
"""Of the smoothing, in cells."""
_LEAST_WEIGHT = np.float32(1e-3)
"""Keeps the quotient defined where nothing is known."""
_STEPS = 2
"""Fixed-point steps of the search for the same spot; a third changes nothing that can be measured."""
_FARTHEST_AHEAD, _FARTHEST_BACK = 1.0, -1.0
_SMALLEST_TURN = 1e-3
_NO_MAP = np.empty((0, 0), np.float32)
_ACROSS = np.stack(np.meshgrid(*[np.arange(CELLS, dtype=np.float32)] * 2), axis=-1)

Warp: TypeAlias = NDArray[np.float32]
"""Shape (64, 64, 2): how far from its own place (x, y; shares of the picture's side) the content of a cell came."""
Displacement: TypeAlias = NDArray[np.float32]
"""Shape (64, 64, 2): how far from its own place (x, y; shares of the picture's side) in a picture that was rendered a
cell's content is found."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceChange:
    """What makes another pose's face of that in a picture, where the picture as it was rendered shows it:
    ``picture * (1 - share) + paint``."""

    paint: NDArray[np.int16]
    """Shape (height, width, 4): what is added to the gamma-encoded, premultiplied B, G, R (-255..255), and the share of
    the old ones that goes (0..255). Alpha stays as it is."""
    left: int
    top: int
    """Where it begins in the picture."""
    size: int
    """Side of the picture whose pixels these are; one of another size is as wide in shares."""


def smoothed(offsets: Warp, weights: NDArray[np.float32]) -> Warp:
    """A warp out of what a network says, each cell (``weights``: (64, 64), 0..1) as far as it can be believed."""
    trust = weights + _LEAST_WEIGHT
    known = cv2.GaussianBlur(trust, (0, 0), _SIGMA, borderType=cv2.BORDER_REPLICATE)
    sum_ = cv2.GaussianBlur(offsets * trust[..., None], (0, 0), _SIGMA, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(sum_ / known[..., None], np.float32)


def displacement(rendered: Warp, wanted: Warp) -> Displacement:
    """Where the picture of the first warp has what the second one shows."""
    moved = wanted - rendered
    for _ in range(_STEPS):
        found = cv2.remap(
            rendered, _ACROSS + moved * np.float32(CELLS), _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        np.subtract(wanted, found, out=moved)
    return moved


def continued(older: Warp, newer: Warp, share: float) -> Warp:
    """The warp that follows when the motion from one to the next goes on: 0 is ``newer``, 1 as far again."""
    return np.asarray(newer + (newer - older) * np.float32(share), np.float32)


def share_ahead(older: PoseVector, newer: PoseVector, pose: PoseVector) -> float:
    """How far ``pose`` is beyond ``newer`` on the way that led from ``older`` to it, in lengths of that way (-1..1).

    Only turning and leaning count: what the face does moves nothing else.
    """
    way = newer[ROTATION] - older[ROTATION]
    length = float(way @ way)
    if length < _SMALLEST_TURN**2:
        return 0.0
    return min(max(float((pose[ROTATION] - newer[ROTATION]) @ way) / length, _FARTHEST_BACK), _FARTHEST_AHEAD)
