"""The One-Euro filter over a whole pose at once.

Casiez, Roussel and Vogel, "1 Euro Filter" (CHI 2012): a low-pass whose cut-off rises with speed, so that a still face
is calm and a fast one is not late. Runs on arrival times, because packets come when they come.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_DERIVATIVE_CUTOFF_HZ = 1.0
_SHORTEST_S, _LONGEST_S = 0.001, 0.25


class OneEuroFilter:
    """Filters arrays of one shape. ``minimum_cutoff_hz`` smooths at rest, ``beta`` is how much speed opens it."""

    def __init__(self, minimum_cutoff_hz: float, beta: float) -> None:
        self.minimum_cutoff_hz = minimum_cutoff_hz
        self.beta = beta
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | None = None
        self._time_ns = 0

    def reset(self) -> None:
        """Forget everything: the next value passes as it is (after a loss, nothing old may pull on the new face)."""
        self._value = self._speed = None

    def __call__(self, value: NDArray[np.float32], time_ns: int) -> NDArray[np.float32]:
        """The smoothed value at ``time_ns``; a time that does not advance changes nothing."""
        if self._value is None or self._speed is None:
            self._value, self._speed, self._time_ns = value.astype(np.float64), np.zeros(value.shape), time_ns
            return value.astype(np.float32)
        elapsed = (time_ns - self._time_ns) / 1e9
        if elapsed > 0.0:
            elapsed = min(max(elapsed, _SHORTEST_S), _LONGEST_S)
            speed = (value - self._value) / elapsed
            self._speed += _weight(_DERIVATIVE_CUTOFF_HZ, elapsed) * (speed - self._speed)
            cutoff = self.minimum_cutoff_hz + self.beta * np.abs(self._speed)
            self._value += _weights(cutoff, elapsed) * (value - self._value)
            self._time_ns = time_ns
        return self._value.astype(np.float32)


def _weight(cutoff_hz: float, elapsed_s: float) -> float:
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * elapsed_s))


def _weights(cutoff_hz: NDArray[np.float64], elapsed_s: float) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * elapsed_s))
    return weights


def for_sliders(smoothing: int, responsiveness: int) -> OneEuroFilter | None:
    """The filter for the panel's two sliders, both 0..100.

    ``smoothing`` is how calm a still face is: 0 is no filter at all, 30 barely felt, 100 calm and late.
    ``responsiveness`` is how soon a fast movement comes through nevertheless; 50 is the middle.
    """
    if smoothing <= 0:
        return None
    calm = min(smoothing, 100) / 100.0
    beta = (4.0 * (1.0 - calm) + 0.6) * 4.0 ** ((min(max(responsiveness, 0), 100) - 50) / 50.0)
    return OneEuroFilter(minimum_cutoff_hz=12.0 * (1.0 - calm) ** 2 + 0.4, beta=beta)
