"""The neutral face: how this person, in front of this camera, looks when looking straight ahead."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import rotation
from .rotation import Quaternion
from .sample import TrackerSample

WINDOW_NS = 500_000_000
"""A calibration is the middle of what was seen during this last half second."""
AUTOMATIC_AFTER_NS = 1_000_000_000
"""Without a stored neutral one is taken by itself, this long after the face was first seen."""
EASED_IN_NS = 600_000_000
_FEWEST_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Neutral:
    """The resting head rotation and the resting values of one vocabulary."""

    rotation: Quaternion
    values: NDArray[np.float32]


class Calibration:
    """Keeps the last samples, takes neutrals from them, and eases from one neutral to the next without a jump."""

    def __init__(self, stored: Neutral | None = None) -> None:
        self._stored = stored
        self._before: Neutral | None = None
        self._changed_ns = 0
        self._recent: deque[tuple[int, Quaternion, NDArray[np.float32]]] = deque(maxlen=128)
        self._first_ns: int | None = None

    @property
    def neutral(self) -> Neutral | None:
        """The neutral in force (the one being eased in), to be stored; None while only a provisional one is used."""
        return self._stored

    def add(self, sample: TrackerSample) -> bool:
        """Take note of a tracked sample. True when this made the automatic first calibration happen."""
        now = sample.arrival_ns
        if self._stored is not None and self._stored.values.shape != sample.values.shape:
            # kept by a version whose samples were of another kind: a face measured against it would never move
            self._stored = self._before = None
        if self._recent and now - self._recent[-1][0] > WINDOW_NS:
            self._recent.clear()
            self._first_ns = None
        self._recent.append((now, rotation.from_degrees(sample.head_degrees), sample.values))
        if self._first_ns is None:
            self._first_ns = now
        if self._stored is None and now - self._first_ns >= AUTOMATIC_AFTER_NS:
            return self.calibrate(now)
        return False

    def calibrate(self, now_ns: int) -> bool:
        """Make what was seen during the last half second the neutral. False when too little was seen."""
        seen = [entry for entry in self._recent if now_ns - entry[0] <= WINDOW_NS]
        if len(seen) < _FEWEST_SAMPLES:
            return False
        self._before = self.at(now_ns)
        self._stored = Neutral(
            rotation.mean([entry[1] for entry in seen]),
            np.median(np.stack([entry[2] for entry in seen]), axis=0).astype(np.float32),
        )
        self._changed_ns = now_ns
        return True

    def at(self, now_ns: int) -> Neutral | None:
        """The neutral to use at this moment. Before any calibration it is the first face that was seen."""
        if self._stored is None:
            return Neutral(self._recent[0][1], self._recent[0][2]) if self._recent else None
        done = (now_ns - self._changed_ns) / EASED_IN_NS
        if self._before is None or done >= 1.0 or self._before.values.shape != self._stored.values.shape:
            return self._stored
        part = max(done, 0.0)
        sign = (
            1.0 if sum(a * b for a, b in zip(self._before.rotation, self._stored.rotation, strict=True)) >= 0 else -1.0
        )
        blended = tuple(
            a * (1.0 - part) * sign + b * part
            for a, b in zip(self._before.rotation, self._stored.rotation, strict=True)
        )
        return Neutral(
            rotation.mean([(blended[0], blended[1], blended[2], blended[3])]),
            (self._before.values * (1.0 - part) + self._stored.values * part).astype(np.float32),
        )
