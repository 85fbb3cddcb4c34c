"""One pose out of everything that wants a say, from the bottom up: idle motion, tracker, lip-sync, expressions, remote.

Coming and going is faded: a lost face is held for a moment, then eased into idle motion; the next good sample brings it
back. Nothing of the old face survives a loss in the filter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.wire.settings import Value

from .breath import Breath
from .calibration_store import CalibrationStore
from .expressions import ExpressionLayer
from .idle import IdleMotion
from .lip_sync import MouthSample, apply_lip_sync
from .override import OverrideLayer
from .parameters import Pose, PoseVector, clamp
from .sample import Position, TrackerSample
from .tracked import TrackedFace

HELD_NS = 300_000_000
"""A tracker may be silent this long before its face begins to fade."""
FADE_TIME_CONSTANT_S = 0.35
RETURN_S = 0.4
_LIDS_OPEN_TIME_CONSTANT_S = 0.1
_LONGEST_STEP_S = 0.25
_GONE = 0.005
_LIDS = slice(Pose.EYE_WINK_LEFT, Pose.EYE_HAPPY_WINK_RIGHT + 1)
_BLINK = slice(Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT + 1)
_BONGO = 0.05
"""A head that leans over a bongo cat's table looks up a little, and to its right."""
_HAPPY_BLINK = slice(Pose.EYE_HAPPY_WINK_LEFT, Pose.EYE_HAPPY_WINK_RIGHT + 1)


@dataclass(frozen=True, slots=True)
class PoseMoment:
    """The pose of one moment and where it came from."""

    pose: PoseVector
    packet_ns: int
    """Arrival of the tracker sample that is in it; 0 when no tracker is."""
    presence: float
    """How much of the tracker is in it, 0 (idle) to 1."""
    position: Position = (0.0, 0.0, 0.0)
    """Where the head is, relative to the neutral, metres; faded with the presence."""


class PoseMixer:
    """Turns the newest tracker sample and the time into a pose. Used by the render loop only."""

    def __init__(self, store: CalibrationStore | None = None, seed: int = 1) -> None:
        self._face = TrackedFace(store)
        self._idle = IdleMotion(seed)
        self._breath = Breath()
        self.expressions = ExpressionLayer()
        self._remote = OverrideLayer()
        self._idle_strength = 1.0
        self._blink = "automatic"
        self._lip_sync = "off"
        self._bongo = False
        self._presence = 0.0
        self._blinks_itself = 0.0
        """How much of the spontaneous blink is in a tracked face, 0 to 1."""
        self._hotkey = 0
        self._now_ns = 0

    def configure(self, settings: Mapping[str, Value]) -> None:
        """Take over the settings that shape the pose; safe at any moment."""
        self._face.configure(settings)
        self._idle_strength = int(settings["idle_strength"]) / 100.0
        self._blink = str(settings["blink"])
        self._idle.blink_interval_s = float(settings["blink_interval"])
        self._breath.per_minute = float(settings["breath_rate"])
        self._breath.reactive = bool(settings["breath_reactive"])
        self._lip_sync = str(settings["lip_sync"])
        self._bongo = bool(settings["bongo"])

    def calibrate(self, sample: TrackerSample | None, now_ns: int) -> bool:
        """Make the face of the last half second the neutral. False when none was seen."""
        return sample is not None and self._face.calibrate(sample, now_ns)

    def begin_reach(self, sample: TrackerSample | None, now_ns: int) -> bool:
        """Watch for some seconds how far the face goes. False when none is seen, or nothing to be learned of it."""
        return sample is not None and self._face.begin_reach(sample, now_ns)

    def reach_left_s(self, now_ns: int) -> float:
        """Seconds for which faces are still watched."""
        return self._face.reach_left_s(now_ns)

    @property
    def tracked_pose(self) -> PoseVector:
        """What the tracker makes of the face, before anything else is put over it. A copy."""
        return self._face.pose.copy()

    def use_tracker(self, source: str) -> None:
        """Another input was chosen; ``source`` is what its neutrals are kept under."""
        self._face.use(source)

    def pose(
        self,
        sample: TrackerSample | None,
        now_ns: int,
        mouth: MouthSample | None = None,
        remote: Mapping[int, float] | None = None,
    ) -> PoseMoment:
        """The pose of this moment, clamped. ``mouth`` is the microphone's, ``remote`` what is set from outside."""
        elapsed = min(max((now_ns - self._now_ns) / 1e9, 0.0), _LONGEST_STEP_S) if self._now_ns else 0.0
        self._now_ns = now_ns
        self._follow(sample, now_ns, elapsed)
        idle = self._idle.pose(now_ns, self._idle_strength)
        blink = idle[_BLINK].copy()
        if self._blink == "never":
            idle[_BLINK] = 0.0
        weight = self._presence * self._presence * (3.0 - 2.0 * self._presence)
        pose = np.asarray(idle + (self._face.pose - idle) * np.float32(weight), np.float32)
        self._blink_over(pose, blink, sample, elapsed)
        if self._bongo:
            pose[Pose.HEAD_X] += _BONGO
            pose[Pose.HEAD_Y] += _BONGO
        if self._lip_sync != "off":
            pose = apply_lip_sync(pose, mouth, self._lip_sync, self._presence)
        pose[Pose.BREATHING] = self._breath.at(elapsed, pose)
        pose = self.expressions.apply(pose, now_ns)
        pose = self._remote.apply(pose, remote or {}, now_ns)
        x, y, z = (part * weight for part in self._face.position)
        packet_ns = self._face.arrival_ns if self._presence > 0.0 else 0
        return PoseMoment(clamp(pose), packet_ns, self._presence, (x, y, z))

    def _follow(self, sample: TrackerSample | None, now_ns: int, elapsed: float) -> None:
        """Take a new sample over; fade in while samples come, out when they stop."""
        if sample is not None and now_ns - sample.arrival_ns < HELD_NS:
            if sample.arrival_ns != self._face.arrival_ns:
                self._face.take(sample)
                self._press(sample.hotkey, now_ns)
            self._presence = min(1.0, self._presence + elapsed / RETURN_S)
        elif self._presence > 0.0:
            self._presence *= math.exp(-elapsed / FADE_TIME_CONSTANT_S)
            self._face.pose[_LIDS] *= math.exp(-elapsed / _LIDS_OPEN_TIME_CONSTANT_S)
            self._face.reset_filter()
            if self._presence < _GONE:
                self._presence = 0.0
                self._face.forget()

    def _press(self, hotkey: int, now_ns: int) -> None:
        if hotkey and hotkey != self._hotkey:
            self.expressions.toggle(hotkey, now_ns)
        self._hotkey = hotkey

    def _blink_over(self, pose: PoseVector, blink: PoseVector, sample: TrackerSample | None, elapsed: float) -> None:
        """Let a face blink by itself whose tracker cannot see the eyes, or whenever the user wants it."""
        blind = sample is not None and not sample.tracks_eyes
        wanted = self._blink == "always" or (self._blink == "automatic" and blind)
        step = elapsed / RETURN_S
        self._blinks_itself = min(max(self._blinks_itself + (step if wanted else -step), 0.0), 1.0)
        if self._blinks_itself > 0.0:
            # eyes that smile are closed already: together the two lids are never more than shut
            room = np.maximum(1.0 - pose[_HAPPY_BLINK], 0.0)
            pose[_BLINK] = np.minimum(
                np.maximum(pose[_BLINK], blink * self._blinks_itself), np.maximum(room, pose[_BLINK])
            )
