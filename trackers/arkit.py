"""What every protocol with ARKit's blend shapes does the same way: shapes that are missing in a packet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.pose.mapping.arkit_names import SHAPE_COUNT

MISSING_KEPT_NS = 500_000_000
"""A shape that a packet leaves out keeps its last value this long; then it is at rest."""
LOWEST, HIGHEST = -1.0, 1.5


class ShapeMemory:
    """The newest value of each shape."""

    def __init__(self) -> None:
        self._values = np.zeros(SHAPE_COUNT, np.float32)
        self._seen_ns = np.zeros(SHAPE_COUNT, np.int64)

    def merge(self, places: Sequence[int], values: Sequence[float], arrival_ns: int) -> NDArray[np.float32]:
        """All shapes, float32 (52,), after a packet told ``values`` (1.0 = full) for the shapes at ``places``.

        Values must be finite; they are clamped to -1..1.5. A place that comes twice keeps its last value.
        """
        given = list(places)
        self._values[given] = np.clip(np.asarray(values, np.float64), LOWEST, HIGHEST)
        self._seen_ns[given] = arrival_ns
        if len(given) < SHAPE_COUNT:
            self._values[self._seen_ns < arrival_ns - MISSING_KEPT_NS] = 0.0
        return self._values.copy()
