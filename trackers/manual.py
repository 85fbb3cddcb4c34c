"""The face as the panel's sliders say: for trying a character out, for making expressions, for a still picture."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.pose.mapping.direct import VOCABULARY
from core.pose.parameters import POSE_SIZE
from core.wire.pose_values import indices, read_pose
from core.wire.settings import Value

from .base import Packetless, TrackerSample, TrackerState, TrackerStatus

_RATE = 60
_TIME_CONSTANT_S = 0.08
_LONGEST_STEP_S = 0.25


class ManualTracker(Packetless):
    """Computes its sample when asked; needs no thread. A slider that is moved is followed, not jumped to."""

    def __init__(self, wanted: NDArray[np.float32]) -> None:
        """``wanted``: float32 (45,), the pose to go to."""
        self._wanted = wanted
        self._pose: NDArray[np.float32] = np.zeros(POSE_SIZE, np.float32)
        self._arrival_ns = 0

    def adjust(self, settings: Mapping[str, Value]) -> None:
        """Go to another pose."""
        self._wanted = pose_of(settings)

    def latest(self, now: int) -> TrackerSample | None:
        """The pose of this moment, quantised to 60 samples a second as a real tracker's would be."""
        arrival = now - now % (1_000_000_000 // _RATE)
        if arrival != self._arrival_ns:
            elapsed = min(max((arrival - self._arrival_ns) / 1e9, 0.0), _LONGEST_STEP_S)
            step = np.float32(1.0 - math.exp(-elapsed / _TIME_CONSTANT_S))
            self._pose = np.asarray(self._pose + (self._wanted - self._pose) * step, np.float32)
            self._arrival_ns = arrival
        return TrackerSample(arrival, VOCABULARY, self._pose, tracks_eyes=False)

    def status(self, now: int) -> TrackerStatus:
        """Always tracking."""
        return TrackerStatus(TrackerState.TRACKING, float(_RATE))


def pose_of(settings: Mapping[str, Value]) -> NDArray[np.float32]:
    """The pose that ``manual_pose`` describes, float32 (45,)."""
    pose = np.zeros(POSE_SIZE, np.float32)
    for name, value in read_pose(str(settings["manual_pose"])).items():
        pose[indices(name)] = value
    return pose


def unavailable() -> str | None:
    """Always there."""
    return None


def open_tracker(settings: Mapping[str, Value]) -> ManualTracker:
    """Hold the pose of ``manual_pose``."""
    return ManualTracker(pose_of(settings))
