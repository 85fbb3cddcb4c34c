"""A moving face without any tracker: slow sines on head, gaze, lids and mouth, for looking and for demonstrations."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from core.pose.mapping.direct import VOCABULARY
from core.pose.parameters import Pose, neutral
from core.wire.settings import Value

from .base import Packetless, TrackerSample, TrackerState, TrackerStatus

_RATE = 60


class DebugTracker(Packetless):
    """Computes its sample when asked; needs no thread."""

    def latest(self, now: int) -> TrackerSample | None:
        """The face of this moment, quantised to 60 samples a second as a real tracker's would be."""
        arrival = now - now % (1_000_000_000 // _RATE)
        return TrackerSample(arrival, VOCABULARY, motion(arrival / 1e9))

    def status(self, now: int) -> TrackerStatus:
        """Always tracking."""
        return TrackerStatus(TrackerState.TRACKING, float(_RATE))


def motion(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A pose that visits every part of the face within about twenty seconds."""
    pose = neutral()
    pose[Pose.HEAD_X] = 0.6 * math.sin(1.1 * seconds)
    pose[Pose.HEAD_Y] = 0.9 * math.sin(0.8 * seconds)
    pose[Pose.NECK_Z] = 0.5 * math.sin(0.6 * seconds)
    pose[Pose.BODY_Y] = 0.6 * math.sin(0.8 * seconds - 0.3)
    pose[Pose.BODY_Z] = 0.4 * math.sin(0.6 * seconds - 0.3)
    pose[Pose.IRIS_ROTATION_X] = 0.4 * math.sin(2.2 * seconds)
    pose[Pose.IRIS_ROTATION_Y] = 0.8 * math.sin(1.7 * seconds)
    lids = max(0.0, math.sin(1.3 * seconds)) ** 12
    pose[Pose.EYE_WINK_LEFT] = pose[Pose.EYE_WINK_RIGHT] = lids
    vowels = (Pose.MOUTH_AAA, Pose.MOUTH_III, Pose.MOUTH_UUU, Pose.MOUTH_EEE, Pose.MOUTH_OOO)
    pose[vowels[int(seconds / 2.0) % len(vowels)]] = 0.5 - 0.5 * math.cos(math.pi * seconds)
    pose[Pose.MOUTH_RAISED_CORNER_LEFT] = pose[Pose.MOUTH_RAISED_CORNER_RIGHT] = 0.5 + 0.5 * math.sin(0.5 * seconds)
    pose[Pose.EYEBROW_RAISED_LEFT] = pose[Pose.EYEBROW_RAISED_RIGHT] = max(0.0, math.sin(0.9 * seconds))
    pose[Pose.BREATHING] = 0.5 - 0.5 * math.cos(2.0 * math.pi * seconds / 4.0)
    return pose


def unavailable() -> str | None:
    """Always there."""
    return None


def open_tracker(settings: Mapping[str, Value]) -> DebugTracker:
    """No settings of its own."""
    return DebugTracker()
