"""One moment of a face, as a tracker reports it, before anything is mapped, calibrated or smoothed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HeadAngles = tuple[float, float, float]
"""Pitch, yaw, roll in degrees in ARKit's sense: pitch + looks down, yaw + turns to the subject's left, roll + tips the
top of the head toward the subject's right shoulder. Raw: not relative to any neutral."""

Position = tuple[float, float, float]
"""Where the head is, in metres (or what the tracker takes for metres): + toward the subject's left, + up, + toward the
camera. Raw: only its changes mean anything."""


@dataclass(frozen=True, slots=True)
class TrackerSample:
    """What one packet or one camera picture told.

    ``values`` is float32 with shape (n,); what each of the n means is told by ``vocabulary``, the name of a mapping in
    ``core.pose.mapping``. ``arrival_ns`` is our own clock at arrival, never the sender's.
    """

    arrival_ns: int
    vocabulary: str
    values: NDArray[np.float32]
    head_degrees: HeadAngles = (0.0, 0.0, 0.0)
    position: Position | None = None
    """None where the tracker does not know it."""
    body_degrees: HeadAngles | None = None
    """The torso's own rotation where the tracker knows it; elsewhere the body follows the head."""
    hotkey: int = 0
    """1 to 8 while the tracker's app says that this hotkey of its own was pressed."""
    tracks_eyes: bool = True
    """False where the tracker cannot see the eyes: the avatar blinks by itself then."""
