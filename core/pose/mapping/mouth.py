"""Jaw, lips and cheeks to the four mouths that the networks know: A, I, U, O.

THA4's demos ask which mixture of mouths ``d`` (each 0..1) looks most like what the tracker saw: with ``p`` = (jaw open,
lower lips down, funnel, pucker) and one row of the matrix below for each mouth, the least ``|d M - p| + 0.01 |d|``. The
squared form ``|d M - p|^2 / 2 + 0.001 |d|`` has the same answer within 0.01 and a closed form: wherever the least is,
each mouth is either at 0, at 1, or free, and then the free ones solve a linear equation. All 81 cases are prepared
once; the best of those that stay inside 0..1 is the answer.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

MOUTHS: NDArray[np.float64] = np.array(
    [
        (1.0, 1.0, 0.0, 0.0),  # A
        (0.0, 1.0, 0.0, 0.0),  # I
        (0.5, 0.3, 0.25, 0.75),  # U
        (1.0, 0.5, 0.5, 0.4),  # O
    ]
)
"""What each mouth looks like to a tracker: jaw open, lower lips down, funnel, pucker."""
SPARENESS = 0.001
"""How much a mouth costs: of two mixtures that fit alike the one with less of everything is taken."""
_TOLERANCE = 1e-9


def _cases() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each case ``d = p @ slope + offset``: slopes (4, cases * 4) and offsets (cases, 4)."""
    slopes, offsets = [], []
    for state in product((0.0, 1.0, None), repeat=4):
        free = [place for place, fixed in enumerate(state) if fixed is None]
        slope, offset = np.zeros((4, 4)), np.array([fixed or 0.0 for fixed in state])
        if free:
            rows = MOUTHS[free]
            inverse = np.linalg.inv(rows @ rows.T)
            slope[:, free] = rows.T @ inverse
            offset[free] = -inverse @ (rows @ (offset @ MOUTHS) + SPARENESS)
        slopes.append(slope)
        offsets.append(offset)
    return np.concatenate(slopes, axis=1), np.array(offsets)


_SLOPES, _OFFSETS = _cases()


def mixture(point: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of A, I, U, O is in a mouth; shape (4,), each 0..1.

    ``point``: shape (4,), what the tracker saw, in the order of :data:`MOUTHS`' columns, each 0..1.
    """
    found = (point @ _SLOPES).reshape(-1, 4) + _OFFSETS
    inside = ((found >= -_TOLERANCE) & (found <= 1.0 + _TOLERANCE)).all(axis=1)
    found = found[inside]
    miss = found @ MOUTHS - point
    cost = 0.5 * (miss * miss).sum(axis=1) + SPARENESS * found.sum(axis=1)
    return np.asarray(np.clip(found[cost.argmin()], 0.0, 1.0))
