"""The neutral face: how this person, in front of this camera, looks when looking straight ahead, and how far the face
goes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import rotation
from .rotation import Quaternion
from .sample import HeadAngles, Position, TrackerSample

WINDOW_NS = 500_000_000
"""A calibration is the middle of what was seen during this last half second."""
AUTOMATIC_AFTER_NS = 1_000_000_000
"""Without a stored neutral one is taken by itself, this long after the face was first seen."""
EASED_IN_NS = 600_000_000
REACH_NS = 8_000_000_000
"""How long faces are watched to learn how far they go."""
LARGEST_REST = 0.4
"""A shape that rests higher than this was not at rest: somebody smiled while the calibration was taken."""
SHORTEST_REACH = 0.25
"""A shape that moved less than this while faces were made was not made at all."""
_FEWEST_SAMPLES = 3
_FEWEST_FACES, _MOST_FACES = 30, 2048
_REACHED = 97.0
"""Percentile that counts as reached: a few wild values must not make everything else small."""


@dataclass(frozen=True, slots=True)
class Neutral:
    """The resting face of one person in front of one camera."""

    rotation: Quaternion
    values: NDArray[np.float32]
    """One for each value of the vocabulary."""
    position: Position | None = None
    body: HeadAngles | None = None
    reach: NDArray[np.float32] | None = None
    """The largest of each value when faces were made on purpose; None before that was done."""


def measured(values: NDArray[np.float32], neutral: Neutral, shapes: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The values with each shape stretched so that the resting face is 0 and the farthest one 1. A new array.

    ``(value - rest) / (reach - rest)``; what is not a shape stays as it is.
    """
    rest = np.clip(neutral.values, 0.0, LARGEST_REST)
    full = np.ones_like(rest) if neutral.reach is None else np.maximum(neutral.reach, rest + SHORTEST_REACH)
    stretched = np.clip((values - rest) / (full - rest), np.minimum(values, 0.0), 1.5)
    return np.where(shapes, stretched, values).astype(np.float32)


class Calibration:
    """Keeps the last samples, takes neutrals from them, and eases from one neutral to the next without a jump."""

    def __init__(self, stored: Neutral | None = None) -> None:
        self._stored = stored
        self._before: Neutral | None = None
        self._changed_ns = 0
        self._recent: deque[tuple[Quaternion, TrackerSample]] = deque(maxlen=128)
        self._first_ns: int | None = None
        self._reach_until_ns = 0
        self._faces: list[NDArray[np.float32]] = []

    @property
    def neutral(self) -> Neutral | None:
        """The neutral in force (the one being eased in), to be stored; None while only a provisional one is used."""
        return self._stored

    def add(self, sample: TrackerSample) -> bool:
        """Take note of a tracked sample. True when there is something new to be kept: the automatic first calibration
        happened, or the farthest face is known."""
        now = sample.arrival_ns
        if self._stored is not None and self._stored.values.shape != sample.values.shape:
            # kept by a version whose samples were of another kind: a face measured against it would never move
            self._stored = self._before = None
        if self._stored is not None and self._stored.position is None and sample.position is not None:
            # kept by a version that did not know where the head is
            self._stored = replace(self._stored, position=sample.position, body=sample.body_degrees)
        if self._recent and now - self._recent[-1][1].arrival_ns > WINDOW_NS:
            self._recent.clear()
            self._first_ns = None
        self._recent.append((rotation.from_degrees(sample.head_degrees), sample))
        if self._first_ns is None:
            self._first_ns = now
        if self._stored is None and now - self._first_ns >= AUTOMATIC_AFTER_NS:
            return self.calibrate(now)
        return self._watch(sample)

    def calibrate(self, now_ns: int) -> bool:
        """Make what was seen during the last half second the neutral. False when too little was seen."""
        seen = [entry for entry in self._recent if now_ns - entry[1].arrival_ns <= WINDOW_NS]
        if len(seen) < _FEWEST_SAMPLES:
            return False
        samples = [sample for _, sample in seen]
        self._before = self.at(now_ns)
        self._stored = Neutral(
            rotation.mean([turned for turned, _ in seen]),
            np.median(np.stack([sample.values for sample in samples]), axis=0).astype(np.float32),
            _middle([sample.position for sample in samples]),
            _middle([sample.body_degrees for sample in samples]),
            self._stored.reach if self._stored is not None else None,
        )
        self._changed_ns = now_ns
        return True

    def begin_reach(self, now_ns: int) -> bool:
        """From now on watch how far the face goes. False when no face is seen that could be watched."""
        if not self._recent or now_ns - self._recent[-1][1].arrival_ns > WINDOW_NS:
            return False
        self._reach_until_ns, self._faces = now_ns + REACH_NS, []
        return True

    def reach_left_s(self, now_ns: int) -> float:
        """Seconds for which faces are still watched; 0 when they are not."""
        return max(self._reach_until_ns - now_ns, 0) / 1e9

    def forget_reach(self) -> None:
        """Shapes are full at 1 again, as the tracker means them."""
        if self._stored is not None:
            self._stored = replace(self._stored, reach=None)

    def _watch(self, sample: TrackerSample) -> bool:
        if not self._reach_until_ns:
            return False
        if sample.arrival_ns < self._reach_until_ns:
            if len(self._faces) < _MOST_FACES and (not self._faces or self._faces[0].shape == sample.values.shape):
                self._faces.append(sample.values)
            return False
        self._reach_until_ns = 0
        faces, self._faces = self._faces, []
        if len(faces) < _FEWEST_FACES or self._stored is None or faces[0].shape != self._stored.values.shape:
            return False
        reached = np.percentile(np.stack(faces), _REACHED, axis=0)
        made = reached - self._stored.values >= SHORTEST_REACH
        self._stored = replace(self._stored, reach=np.where(made, np.minimum(reached, 1.0), 1.0).astype(np.float32))
        return True

    def at(self, now_ns: int) -> Neutral | None:
        """The neutral to use at this moment. Before any calibration it is the first face that was seen."""
        if self._stored is None:
            if not self._recent:
                return None
            turned, first = self._recent[0]
            return Neutral(turned, first.values, first.position, first.body_degrees)
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
            _between(self._before.position, self._stored.position, part),
            _between(self._before.body, self._stored.body, part),
            self._stored.reach,
        )


def _middle(triples: list[Position | None]) -> Position | None:
    known = [triple for triple in triples if triple is not None]
    if not known:
        return None
    x, y, z = np.median(np.array(known), axis=0)
    return float(x), float(y), float(z)


def _between(before: Position | None, after: Position | None, part: float) -> Position | None:
    if before is None or after is None:
        return after
    x, y, z = (a + (b - a) * part for a, b in zip(before, after, strict=True))
    return x, y, z
