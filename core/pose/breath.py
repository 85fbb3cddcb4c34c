"""Breath: even at rest, faster after lively movement. A function of time, the same at every frame rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .parameters import Pose, PoseVector

_LONGEST_STEP_S = 0.25
_LIVELY = [
    *range(Pose.MOUTH_AAA, Pose.MOUTH_DELTA + 1), *range(Pose.HEAD_X, Pose.BODY_Z + 1),
]  # fmt: skip
"""Values whose movement is an effort: mouth, head and body."""
_CALM_S = 0.3
"""The pose is looked at through a low-pass of this time constant: a tracker's trembling is no effort."""
_FULL_EFFORT = 6.0
"""A path of so many full movements (0 to 1) brings the breath from rest to its fastest."""
_RECOVERY_S = 5.0
FASTEST = 1.9
"""How much faster the breath gets at most (38 a minute for 20 at rest)."""


class Breath:
    """Call :meth:`at` for every frame."""

    def __init__(self) -> None:
        self.per_minute = 14.0
        """0 is no breath at all."""
        self.reactive = True
        self._phase = 0.0
        self._excitement = 0.0
        self._calm: NDArray[np.float64] | None = None

    def at(self, elapsed_s: float, pose: PoseVector) -> float:
        """0..1: ``(1 - cos) / 2``, ``elapsed_s`` after the call before; ``pose`` is what the avatar does."""
        if self.per_minute <= 0.0:
            return 0.0
        elapsed = min(max(elapsed_s, 0.0), _LONGEST_STEP_S)
        self._feel(elapsed, pose)
        faster = 1.0 + (FASTEST - 1.0) * self._excitement if self.reactive else 1.0
        self._phase = (self._phase + elapsed * self.per_minute / 60.0 * faster) % 1.0
        return 0.5 - 0.5 * math.cos(2.0 * math.pi * self._phase)

    def _feel(self, elapsed: float, pose: PoseVector) -> None:
        now = pose[_LIVELY].astype(np.float64)
        if self._calm is None:
            self._calm = now
        before = self._calm
        self._calm = before + (now - before) * (1.0 - math.exp(-elapsed / _CALM_S))
        path = float(np.sqrt(((self._calm - before) ** 2).sum()))
        self._excitement *= math.exp(-elapsed / _RECOVERY_S)
        self._excitement = min(self._excitement + path / _FULL_EFFORT, 1.0)
