"""One pose out of everything that wants a say: idle motion at the bottom, the tracker over it.

Coming and going is faded: a lost face is held for a moment, then eased into idle motion; the next good sample brings it
back. Nothing of the old face survives a loss in the filter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.wire.settings import Value

from . import one_euro, rotation
from .calibration import Calibration
from .calibration_store import CalibrationStore
from .idle import IdleMotion, breath
from .mapping import MAPPERS
from .parameters import Pose, PoseVector, clamp, mirror, neutral
from .sample import TrackerSample

HELD_NS = 300_000_000
"""A tracker may be silent this long before its face begins to fade."""
FADE_TIME_CONSTANT_S = 0.35
RETURN_S = 0.4
_LIDS_OPEN_TIME_CONSTANT_S = 0.1
_LONGEST_STEP_S = 0.25
_GONE = 0.005
_LIDS = slice(Pose.EYE_WINK_LEFT, Pose.EYE_HAPPY_WINK_RIGHT + 1)
_TURNS = slice(Pose.HEAD_X, Pose.BODY_Z + 1)


@dataclass(frozen=True, slots=True)
class PoseMoment:
    """The pose of one moment and where it came from."""

    pose: PoseVector
    packet_ns: int
    """Arrival of the tracker sample that is in it; 0 when no tracker is."""
    presence: float
    """How much of the tracker is in it, 0 (idle) to 1."""


class PoseMixer:
    """Turns the newest tracker sample and the time into a pose. Used by the render loop only."""

    def __init__(self, store: CalibrationStore | None = None, seed: int = 1) -> None:
        self._store = store or CalibrationStore(None)
        self._idle = IdleMotion(seed)
        self._calibrations: dict[str, Calibration] = {}
        self._character = ""
        self._filter: one_euro.OneEuroFilter | None = None
        self._smoothing = -1
        self._mirrored = False
        self._head_gain = 1.0
        self._idle_strength = 1.0
        self._presence = 0.0
        self._tracked = neutral()
        self._arrival_ns = 0
        self._now_ns = 0

    def configure(self, settings: Mapping[str, Value]) -> None:
        """Take over the settings that shape the pose; safe at any moment."""
        self._character = str(settings["character"])
        self._mirrored = bool(settings["mirror"])
        self._head_gain = float(settings["head_gain"])
        self._idle_strength = int(settings["idle_strength"]) / 100.0
        smoothing = int(settings["smoothing"])
        if smoothing != self._smoothing:
            self._smoothing, self._filter = smoothing, one_euro.for_smoothing(smoothing)

    def calibrate(self, sample: TrackerSample | None, now_ns: int) -> bool:
        """Make the face of the last half second the neutral. False when none was seen."""
        if sample is None:
            return False
        calibration = self._calibration(sample.vocabulary)
        done = calibration.calibrate(now_ns)
        if done:
            self._keep(sample.vocabulary, calibration)
        return done

    def forget_tracker(self) -> None:
        """Another input was chosen: its face must not be smoothed from the old one's."""
        self._arrival_ns = 0
        if self._filter is not None:
            self._filter.reset()

    def pose(self, sample: TrackerSample | None, now_ns: int) -> PoseMoment:
        """The pose of this moment, clamped."""
        elapsed = min(max((now_ns - self._now_ns) / 1e9, 0.0), _LONGEST_STEP_S) if self._now_ns else 0.0
        self._now_ns = now_ns
        age_ns = now_ns - sample.arrival_ns if sample is not None else HELD_NS
        if sample is not None and age_ns < HELD_NS:
            if sample.arrival_ns != self._arrival_ns:
                self._take(sample)
            self._presence = min(1.0, self._presence + elapsed / RETURN_S)
        elif self._presence > 0.0:
            self._presence *= math.exp(-elapsed / FADE_TIME_CONSTANT_S)
            self._tracked[_LIDS] *= math.exp(-elapsed / _LIDS_OPEN_TIME_CONSTANT_S)
            if self._filter is not None:
                self._filter.reset()
            if self._presence < _GONE:
                self._presence = 0.0
                self.forget_tracker()
        idle = self._idle.pose(now_ns, self._idle_strength)
        weight = self._presence * self._presence * (3.0 - 2.0 * self._presence)
        pose = idle + (self._tracked - idle) * np.float32(weight)
        pose[Pose.BREATHING] = breath(now_ns)
        return PoseMoment(clamp(pose), self._arrival_ns if self._presence > 0.0 else 0, self._presence)

    def _take(self, sample: TrackerSample) -> None:
        if not (np.isfinite(sample.values).all() and np.isfinite(sample.head_degrees).all()):
            return  # in a calibration it would spoil every later pose, and the file
        calibration = self._calibration(sample.vocabulary)
        if calibration.add(sample):
            self._keep(sample.vocabulary, calibration)
        resting = calibration.at(sample.arrival_ns)
        if resting is None or resting.values.shape != sample.values.shape:
            return
        turned = rotation.relative(rotation.from_degrees(sample.head_degrees), resting.rotation)
        mapped = MAPPERS[sample.vocabulary](sample.values, resting.values, rotation.to_degrees(turned)).copy()
        mapped[_TURNS] *= self._head_gain
        mapped = clamp(mapped)
        if self._mirrored:
            mapped = mirror(mapped)
        self._tracked = self._filter(mapped, sample.arrival_ns) if self._filter is not None else mapped
        self._arrival_ns = sample.arrival_ns

    def _calibration(self, vocabulary: str) -> Calibration:
        key = f"{vocabulary}/{self._character}"
        if key not in self._calibrations:
            self._calibrations[key] = Calibration(self._store.get(vocabulary, self._character))
        return self._calibrations[key]

    def _keep(self, vocabulary: str, calibration: Calibration) -> None:
        if calibration.neutral is not None and vocabulary != "pose":
            self._store.put(vocabulary, self._character, calibration.neutral)
