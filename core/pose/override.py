"""Values that somebody sets from outside, over everything else: faded in, held while they keep coming, faded out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .parameters import POSE_SIZE, PoseVector

_LONGEST_STEP_S = 0.25
_FADE_IN_S, _FADE_OUT_S = 0.12, 0.3


class OverrideLayer:
    """Used by the render loop only."""

    def __init__(self) -> None:
        self._values = np.zeros(POSE_SIZE, np.float32)
        self._weights = np.zeros(POSE_SIZE, np.float32)
        self._now_ns = 0

    def apply(self, pose: PoseVector, values: Mapping[int, float], now_ns: int) -> PoseVector:
        """``pose`` with ``values`` (index and value of what is held now) over it. A new array, or ``pose`` itself."""
        elapsed = min(max((now_ns - self._now_ns) / 1e9, 0.0), _LONGEST_STEP_S)
        self._now_ns = now_ns
        if not values and not self._weights.any():
            return pose
        held = np.zeros(POSE_SIZE, bool)
        for place, value in values.items():
            held[place], self._values[place] = True, value
        rise, fall = elapsed / _FADE_IN_S, elapsed / _FADE_OUT_S
        self._weights = np.where(held, np.minimum(self._weights + rise, 1.0), np.maximum(self._weights - fall, 0.0))
        return np.asarray(pose + (self._values - pose) * self._weights, np.float32)
