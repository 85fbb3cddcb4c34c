"""Life without a tracker: blinks, a little sway and a wandering gaze.

Everything is a function of time and of a seeded random sequence, so it looks the same at every frame rate and a test
can repeat it. Blink intervals follow what is known of people at rest: mostly two to six seconds, seldom longer,
sometimes two in a row (Bentivoglio et al. 1997: about 17 a minute).
"""

from __future__ import annotations

import math
import random

from .parameters import Pose, PoseVector, neutral

_BLINK_CLOSING_S, _BLINK_HELD_S, _BLINK_OPENING_S = 0.07, 0.04, 0.16
_DOUBLE_BLINK_CHANCE = 0.12
_MEDIAN_BLINK_GAP_S, _SHORTEST_BLINK_GAP_S, _LONGEST_BLINK_GAP_S = 3.3, 0.9, 9.0
_MEAN_BLINK_GAP_S = 4.0
"""What the gaps above come to on average, two in a row left out."""
_SACCADE_S, _HEAD_FOLLOWS_S = 0.06, 0.7
"""The eyes jump to where they look, the head comes after them."""
_SHORTEST_LOOK_S, _LONGEST_LOOK_S = 0.8, 3.2
_FARTHEST_LOOK = 0.6


class IdleMotion:
    """Makes the idle pose of any moment; moments must not go backwards by much."""

    def __init__(self, seed: int = 1) -> None:
        self.blink_interval_s = 4.0
        """Mean time from one blink to the next."""
        self._random = random.Random(seed)
        self._next_blink_s: float | None = None
        self._blink_start_s = -10.0
        self._gaze = (0.0, 0.0)
        self._gaze_before = (0.0, 0.0)
        self._gaze_moved_s = -10.0
        self._next_gaze_s: float | None = None

    def pose(self, now_ns: int, strength: float = 1.0) -> PoseVector:
        """Blink, gaze and sway at this moment. ``strength`` scales sway and gaze, not the blink."""
        seconds = now_ns / 1e9
        pose = neutral()
        lids = self.lids(seconds)
        pose[Pose.EYE_WINK_LEFT] = pose[Pose.EYE_WINK_RIGHT] = lids
        self._look_elsewhere(seconds)
        gaze_y, gaze_x = self._gaze_within(seconds, _SACCADE_S)
        head_y, head_x = self._gaze_within(seconds, _HEAD_FOLLOWS_S)
        pose[Pose.IRIS_ROTATION_Y], pose[Pose.IRIS_ROTATION_X] = gaze_y * strength, gaze_x * strength
        # sums of slow sines whose periods share no multiple never visibly repeat
        sway = 0.6 * math.sin(seconds * 0.41) + 0.4 * math.sin(seconds * 0.73 + 1.0)
        nod = 0.6 * math.sin(seconds * 0.53 + 2.0) + 0.4 * math.sin(seconds * 0.31)
        tilt = 0.6 * math.sin(seconds * 0.37 + 4.0) + 0.4 * math.sin(seconds * 0.61 + 0.5)
        pose[Pose.HEAD_Y] = (0.16 * sway + 0.12 * head_y) * strength
        pose[Pose.HEAD_X] = (0.10 * nod + 0.10 * head_x) * strength
        pose[Pose.NECK_Z] = 0.12 * tilt * strength
        pose[Pose.BODY_Y] = 0.12 * sway * strength
        pose[Pose.BODY_Z] = 0.08 * tilt * strength
        return pose

    def lids(self, seconds: float) -> float:
        """How far the lids are closed by a spontaneous blink, 0..1."""
        if self._next_blink_s is None or abs(self._next_blink_s - seconds) > 2 * self._longest_gap():
            self._next_blink_s = seconds + self._gap()
        if seconds >= self._next_blink_s:
            self._blink_start_s = self._next_blink_s
            double = self._random.random() < _DOUBLE_BLINK_CHANCE
            self._next_blink_s = seconds + (0.38 if double else self._gap())
        since = seconds - self._blink_start_s
        if since < _BLINK_CLOSING_S:
            return _smooth(since / _BLINK_CLOSING_S)
        since -= _BLINK_CLOSING_S + _BLINK_HELD_S
        if since < 0.0:
            return 1.0
        return 1.0 - _smooth(since / _BLINK_OPENING_S)

    def _gap(self) -> float:
        gap = self._random.lognormvariate(math.log(_MEDIAN_BLINK_GAP_S), 0.5)
        limited = min(max(gap, _SHORTEST_BLINK_GAP_S), _LONGEST_BLINK_GAP_S)
        return max(limited * self.blink_interval_s / _MEAN_BLINK_GAP_S, _SHORTEST_BLINK_GAP_S)

    def _longest_gap(self) -> float:
        return max(_LONGEST_BLINK_GAP_S * self.blink_interval_s / _MEAN_BLINK_GAP_S, _LONGEST_BLINK_GAP_S)

    def _look_elsewhere(self, seconds: float) -> None:
        """Choose another place to look at when it is time to."""
        if self._next_gaze_s is None or abs(self._next_gaze_s - seconds) > 20.0:
            self._next_gaze_s = seconds + 1.0
        if seconds >= self._next_gaze_s:
            self._gaze_before, self._gaze_moved_s = self._gaze, seconds
            self._next_gaze_s = seconds + self._random.uniform(_SHORTEST_LOOK_S, _LONGEST_LOOK_S)
            looks_ahead = self._random.random() < 0.45
            self._gaze = (0.0, 0.0) if looks_ahead else (self._place(0.25), self._place(0.12))

    def _place(self, spread: float) -> float:
        return min(max(self._random.gauss(0.0, spread), -_FARTHEST_LOOK), _FARTHEST_LOOK)

    def _gaze_within(self, seconds: float, duration_s: float) -> tuple[float, float]:
        """Where something looks that takes this long to turn to a new place: (to the side, up)."""
        done = _smooth((seconds - self._gaze_moved_s) / duration_s)
        return (
            self._gaze_before[0] + (self._gaze[0] - self._gaze_before[0]) * done,
            self._gaze_before[1] + (self._gaze[1] - self._gaze_before[1]) * done,
        )


def _smooth(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return part * part * (3.0 - 2.0 * part)
