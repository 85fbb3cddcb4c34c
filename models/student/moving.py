"""Which points of a student's face move, found when it is opened.

Eyes and mouth each follow pose values of their own. The face is asked coarsely at both ends of every one of them; a
quick look at the face goes to the points that change most, at most so many that no character can make it expensive.
Eyebrows move slowly and take as many points as half an eye: they wait for the next picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from accel.base import Runtime
from core.pose.parameters import FACE, MAXIMUM, MINIMUM, Pose, neutral

from .composition import encoded
from .graphs import face_network
from .networks import FACE_INPUTS
from .points import Mask
from .regions import Split
from .weights import SineNetwork

LOOK_SIZE = 80
"""Points across and down of the grid that is looked at. The face has 128: there a look costs twice as much and gains a
twentieth of a decibel more where it gains half a decibel (a THA4 student, a recorded session)."""
_SURVEY_SIZE = 48
_SIGMA = 0.7
"""In points of the survey."""
_LEAST_CHANGE = 900.0
"""Squared, B, G and R together: seventeen levels in each. Outlines tremble by a few levels whatever the value."""
_RIM = 2
"""Points at the edge of the square that are never looked at."""
_SMALLEST_PIECE = 4
"""That part of all points."""


@dataclass(frozen=True, slots=True)
class Moving:
    """A part of the face."""

    values: NDArray[np.bool_]
    """Shape (39,): the pose values it follows."""
    points: Mask
    """Shape (80, 80): where it changes."""


_MOUTH_VALUES = slice(Pose.MOUTH_AAA, Pose.MOUTH_SMIRK + 1)
_EYE_VALUES = slice(FACE.start, _MOUTH_VALUES.start), slice(_MOUTH_VALUES.stop, FACE.stop)
_KINDS = (((_MOUTH_VALUES,), 100), (_EYE_VALUES, 430))
"""Pose values, and how many points at most: a THA4 student's mouth has 75 that move, its eyes 430."""


@dataclass(frozen=True, slots=True)
class FoundMoving:
    """What was found out about a face."""

    parts: tuple[Moving, ...]
    """Those that change at all."""
    rest: NDArray[np.float32]
    """Shape (80, 80, 3): the neutral face, linear B, G, R in -1..1, from fewer points."""


def find_moving(network: SineNetwork, processor: Runtime) -> FoundMoving:
    """Takes a tenth of a second."""
    kinds = []
    for slices, count in _KINDS:
        values = np.zeros(FACE_INPUTS, np.bool_)
        for part in slices:
            values[part] = True
        kinds.append((values, count))
    rest, changes = _survey(network, processor, np.logical_or.reduce([values for values, _ in kinds]))
    found = [Moving(values, _most(changes[values], count)) for values, count in kinds]
    return FoundMoving(tuple(part for part in found if part.points.any()), _enlarged(rest))


def _survey(
    network: SineNetwork, processor: Runtime, wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shape (48, 48, 3), the neutral face; and (39, 48, 48), the squared change that each wanted value makes to it in
    gamma-encoded 255ths, the greater one of its two ends."""
    made, _ = face_network(network, Split.exactly(np.ones((_SURVEY_SIZE, _SURVEY_SIZE), np.bool_)), alone=False)
    session = processor.open(replace(made, name="student face survey"))
    changes = np.zeros((FACE_INPUTS, _SURVEY_SIZE, _SURVEY_SIZE), np.float32)
    try:
        pose = neutral()[None, :FACE_INPUTS]
        rest = session.run({"pose": pose})["points"][:, :3]
        shown = _shown(rest)
        for value in np.flatnonzero(wanted):
            for end in {float(MINIMUM[value]), float(MAXIMUM[value])} - {0.0}:
                pose[0, value] = end
                squares = ((_shown(session.run({"pose": pose})["points"][:, :3]) - shown) ** 2).sum(axis=1)
                np.maximum(changes[value], squares.reshape(_SURVEY_SIZE, _SURVEY_SIZE), out=changes[value])
            pose[0, value] = 0.0
    finally:
        session.close()
    return rest.reshape(_SURVEY_SIZE, _SURVEY_SIZE, 3), changes


def _shown(points: NDArray[np.float32]) -> NDArray[np.float32]:
    return encoded(np.clip(points * 0.5 + 0.5, 0.0, 1.0)) * np.float32(255.0)


def _most(changes: NDArray[np.float32], count: int) -> Mask:
    """The points that change most, whichever of the values does it."""
    most = _enlarged(cv2.GaussianBlur(changes.max(axis=0), (0, 0), _SIGMA))
    # what is narrower is outlines that tremble
    narrow = np.ones((3, 3), np.uint8)
    broad = cv2.morphologyEx((most > _LEAST_CHANGE).astype(np.uint8), cv2.MORPH_OPEN, narrow)
    # beyond the square the picture never changes: nothing may be painted over its edge
    wanted = np.zeros(most.shape, np.uint8)
    wanted[_RIM:-_RIM, _RIM:-_RIM] = broad[_RIM:-_RIM, _RIM:-_RIM]
    chosen = np.zeros(most.shape, np.uint8)
    chosen.reshape(-1)[np.argsort(most * wanted, axis=None)[::-1][: min(count, int(wanted.sum()))]] = 1
    # a scrap apart from an eye or a mouth makes the box that is painted much larger
    _, pieces, figures, _ = cv2.connectedComponentsWithStats(chosen)
    large = figures[:, cv2.CC_STAT_AREA] * _SMALLEST_PIECE >= chosen.sum()
    return np.asarray((chosen > 0) & large[pieces], np.bool_)


def _enlarged(survey: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(survey, (LOOK_SIZE, LOOK_SIZE), interpolation=cv2.INTER_LINEAR), np.float32)
