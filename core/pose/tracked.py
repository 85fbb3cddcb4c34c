"""The tracked face: what a tracker's samples become before anything else is put over it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.wire.settings import Value

from . import one_euro, rotation
from .calibration import Calibration, Neutral, measured
from .calibration_store import CalibrationStore
from .mapping import MAPPINGS
from .mapping.head import FULL_ROLL_DEGREES, FULL_YAW_DEGREES
from .parameters import EYEBROWS, POSE_SIZE, Pose, PoseVector, clamp, mirror, neutral
from .sample import Position, TrackerSample
from .tuning import TunedValues

_HEAD = slice(Pose.HEAD_X, Pose.NECK_Z + 1)
_BODY = slice(Pose.BODY_Y, Pose.BODY_Z + 1)
_POSITION_SCALE = 5.0
"""Brings metres to about the size of pose values, so that one filter suits both."""


class TrackedFace:
    """Calibration, mapping, filter, gains and mirror, in this order. Used by the render loop only."""

    def __init__(self, store: CalibrationStore | None = None) -> None:
        self._store = store or CalibrationStore(None)
        self._calibrations: dict[str, Calibration] = {}
        self._source = ""
        self._character = ""
        self._filter: one_euro.OneEuroFilter | None = None
        self._sliders = (-1, -1)
        self._mirrored = False
        self._head_gain = self._body_gain = 1.0
        self._eyebrows = True
        self._tuning_text = ""
        self._tuned = TunedValues("")
        self.pose: PoseVector = neutral()
        """Clamped; the last one for ever."""
        self.position: Position = (0.0, 0.0, 0.0)
        """Relative to the neutral, metres, mirrored with the pose."""
        self._moved: Position = (0.0, 0.0, 0.0)
        self.arrival_ns = 0
        """Of the sample in ``pose``; 0 when there is none."""

    def configure(self, settings: Mapping[str, Value]) -> None:
        """Take over the settings that shape the tracked face; safe at any moment."""
        self._character = str(settings["character"])
        self._mirrored = bool(settings["mirror"])
        self._head_gain, self._body_gain = float(settings["head_gain"]), float(settings["body_gain"])
        self._eyebrows = bool(settings["eyebrows"])
        sliders = int(settings["smoothing"]), int(settings["responsiveness"])
        if sliders != self._sliders:
            self._sliders, self._filter = sliders, one_euro.for_sliders(*sliders)
        if str(settings["tuning"]) != self._tuning_text:
            self._tuning_text = str(settings["tuning"])
            self._tuned = TunedValues(self._tuning_text)

    def use(self, source: str) -> None:
        """Another input was chosen: its face must not be smoothed from the old one's, and has its own neutral."""
        if source != self._source:
            self._source = source
            self.forget()

    def forget(self) -> None:
        """The face was lost: nothing of it may pull on the next one."""
        self.arrival_ns = 0
        self._moved = (0.0, 0.0, 0.0)
        self.reset_filter()

    def reset_filter(self) -> None:
        """The next sample passes as it is."""
        if self._filter is not None:
            self._filter.reset()

    def calibrate(self, sample: TrackerSample, now_ns: int) -> bool:
        """Make the face of the last half second the neutral. False when none was seen."""
        calibration = self._calibration(sample.vocabulary)
        done = calibration.calibrate(now_ns)
        if done:
            self._keep(sample.vocabulary, calibration)
        return done

    def begin_reach(self, sample: TrackerSample, now_ns: int) -> bool:
        """Watch from now on how far the face goes. False when there is no face, or nothing to be learned of it."""
        if MAPPINGS[sample.vocabulary].shapes is None:
            return False
        return self._calibration(sample.vocabulary).begin_reach(now_ns)

    def reach_left_s(self, now_ns: int) -> float:
        """Seconds for which faces are still watched."""
        return max((calibration.reach_left_s(now_ns) for calibration in self._calibrations.values()), default=0.0)

    def take(self, sample: TrackerSample) -> None:
        """A new sample becomes :attr:`pose`. One that is no number, or of an unknown kind, changes nothing."""
        if not _is_finite(sample) or sample.vocabulary not in MAPPINGS:
            return  # in a calibration it would spoil every later pose, and the file
        calibration = self._calibration(sample.vocabulary)
        if calibration.add(sample):
            self._keep(sample.vocabulary, calibration)
        resting = calibration.at(sample.arrival_ns)
        if resting is None or resting.values.shape != sample.values.shape:
            return
        mapped = np.empty(POSE_SIZE + 3, np.float32)
        mapped[:POSE_SIZE] = self._mapped(sample, resting)
        self._moved = _moved(sample, resting, self._moved)
        mapped[POSE_SIZE:] = self._moved
        mapped[POSE_SIZE:] *= _POSITION_SCALE
        if self._filter is not None:
            mapped = self._filter(mapped, sample.arrival_ns)
        pose = self._tuned(mapped[:POSE_SIZE].copy())
        x, y, z = (float(part) / _POSITION_SCALE for part in mapped[POSE_SIZE:])
        if not self._eyebrows:
            pose[EYEBROWS] = 0.0
        pose = clamp(pose)
        self.pose = mirror(pose) if self._mirrored else pose
        self.position = (-x if self._mirrored else x, y, z)
        self.arrival_ns = sample.arrival_ns

    def _mapped(self, sample: TrackerSample, resting: Neutral) -> PoseVector:
        mapping = MAPPINGS[sample.vocabulary]
        values = sample.values if mapping.shapes is None else measured(sample.values, resting, mapping.shapes)
        turned = rotation.relative(rotation.from_degrees(sample.head_degrees), resting.rotation)
        pose = mapping.to_pose(values, resting.values, rotation.to_degrees(turned)).copy()
        pose[_HEAD] *= self._head_gain
        if sample.body_degrees is not None and resting.body is not None:
            yaw, roll = (sample.body_degrees[axis] - resting.body[axis] for axis in (1, 2))
            pose[_BODY] = -yaw / FULL_YAW_DEGREES, roll / FULL_ROLL_DEGREES
        else:
            pose[_BODY] *= self._head_gain
        pose[_BODY] *= self._body_gain
        return pose

    def _calibration(self, vocabulary: str) -> Calibration:
        key = f"{self._key(vocabulary)}/{self._character}"
        if key not in self._calibrations:
            self._calibrations[key] = Calibration(self._store.get(self._key(vocabulary), self._character))
        return self._calibrations[key]

    def _key(self, vocabulary: str) -> str:
        """What this input's neutrals are kept under: one input may speak two vocabularies."""
        return vocabulary if self._source in ("", vocabulary) else f"{self._source}.{vocabulary}"

    def _keep(self, vocabulary: str, calibration: Calibration) -> None:
        if calibration.neutral is not None and vocabulary != "pose":
            self._store.put(self._key(vocabulary), self._character, calibration.neutral)


def _is_finite(sample: TrackerSample) -> bool:
    numbers = (*sample.head_degrees, *(sample.position or ()), *(sample.body_degrees or ()))
    return bool(np.isfinite(sample.values).all() and np.isfinite(numbers).all())


def _moved(sample: TrackerSample, resting: Neutral, before: Position) -> Position:
    """How far the head is from its neutral; where one sample does not tell, it is where it was."""
    if resting.position is None:
        return 0.0, 0.0, 0.0
    if sample.position is None:
        return before
    x, y, z = (now - rest for now, rest in zip(sample.position, resting.position, strict=True))
    return x, y, z
