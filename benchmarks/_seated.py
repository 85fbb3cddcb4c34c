"""A streamer who sits at a screen, made out of a recording of somebody who moves on purpose.

The only recorded session there is shows its person trying the avatar out: the head is turned all the way in two of five
frames, the mouth is open in one of eleven. Caches that are judged by it alone are judged by what nobody streams.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import EYEBROWS, POSE_SIZE, Pose, clamp

from ._test_data import Poses

_STILL, _TALKING, _MOVING = range(3)
_CHANCES = (0.45, 0.37, 0.18)
_LENGTHS_S = ((6.0, 30.0), (4.0, 15.0), (1.5, 4.0))
_CHANGE_S = 0.4
_HEAD_SHARES = (0.02, 0.12, 0.0)
_SHAPE_SHARES = (0.15, 0.35, 0.0)
"""Of the recording when still and talking; a moving stretch is the recording itself, added at the end."""
_POSTURE = (0.05, 0.06, 0.04)
_POSTURE_S, _SHAPES_S, _DRIFT_S = 1.0, 1.0, 10.0
_GAZE_SHARE = 0.35
_FIXATION_S = (0.25, 1.5)
_SYLLABLE_S = (0.14, 0.34)
_PAUSE_CHANCE = 0.12
_MOUTH_IS_OPEN = 0.05
_LIDS_FROM, _LONGEST_BLINK_S = 0.4, 0.45
_HEAD_NOISE, _GAZE_NOISE, _SHAPE_NOISE, _AT_REST = 0.003, 0.01, 0.01, 0.1

_LIDS = slice(Pose.EYE_WINK_LEFT, Pose.EYE_HAPPY_WINK_LEFT)
_VOWELS = slice(Pose.MOUTH_AAA, Pose.MOUTH_LOWERED_CORNER_LEFT)
_GAZE = slice(Pose.IRIS_ROTATION_X, Pose.HEAD_X)
_HEAD = slice(Pose.HEAD_X, Pose.BODY_Y)
_SHAPES = [
    *range(EYEBROWS.start, EYEBROWS.stop), *range(_LIDS.stop, _VOWELS.start), *range(_VOWELS.stop, _GAZE.start),
]  # fmt: skip


def seated_trace(poses: Poses, rate: float = 20.0, seed: int = 0) -> Poses:
    """As many poses, at the same ``rate`` a second, of somebody who sits; the same for the same seed.

    Time is cut into stretches: still (chance 0.45, 6 to 30 s), talking (0.37, 4 to 15 s) and moving (0.18, 1.5 to 4 s),
    which pass into one another within 0.4 s. In a moving stretch everything is as it was recorded. In the others:

    - Head: a posture that is drawn for each stretch (standard deviation 0.05 up, 0.06 to the side, 0.04 of roll, taken
      up within 1 s) and, of what the recording deviates from its mean over 10 s, 2 % when still and 12 % when talking.
      The body copies the head, as trackers make it do.
    - Gaze: 35 % of the recorded one, looked at every 0.25 to 1.5 s and held until the next look.
    - Lids: recorded blinks, each eye's own. What closes by less than 0.4 is open, the rest is stretched to 0..1, and
      what stays closed for longer than 0.45 s is no blink and left out.
    - Vowels: when talking, the recording's open mouths one after another (closed passages cut out, from the beginning
      again at their end) in syllables of 0.14 to 0.34 s, every eighth of which is a pause. Closed when still.
    - All other shapes: the recorded ones, averaged over 1 s, to 15 % when still and 35 % when talking.
    - Breathing: as recorded.

    Over everything but breathing, moving stretches included, lies the noise of a tracker, new in every pose: standard
    deviation 0.003 for the head (0.045 degrees; in the recording's calmest moments the second differences come to
    0.0022), 0.01 for the gaze and for shapes; a shape below 0.1 has less in proportion, so that one at rest rests.
    """
    random = np.random.default_rng(seed)
    recorded = clamp(poses).astype(np.float64)
    kinds, stretch = _stretches(random, len(recorded), rate)
    weights = np.stack([_averaged((kinds == kind).astype(np.float64), _CHANGE_S * rate) for kind in range(3)])
    moving = weights[_MOVING][:, None]
    seated = np.zeros_like(recorded)
    postures = random.normal(0.0, _POSTURE, (stretch[-1] + 1, 3))[stretch]
    deviation = recorded[:, _HEAD] - _averaged(recorded[:, _HEAD], _DRIFT_S * rate)
    calm = np.array(_HEAD_SHARES) @ weights
    seated[:, _HEAD] = _averaged(postures, _POSTURE_S * rate) * (1.0 - moving) + deviation * calm[:, None]
    seated[:, _GAZE] = _GAZE_SHARE * recorded[_looks(random, len(recorded), rate)][:, _GAZE] * (1.0 - moving)
    seated[:, _LIDS] = _blinks(recorded[:, _LIDS], rate) * (1.0 - moving)
    seated[:, _VOWELS] = _speech(random, recorded[:, _VOWELS], rate) * weights[_TALKING][:, None]
    lively = np.array(_SHAPE_SHARES) @ weights
    seated[:, _SHAPES] = _averaged(recorded[:, _SHAPES], _SHAPES_S * rate) * lively[:, None]
    seated += recorded * moving
    seated += _noise(random, seated)
    seated[:, Pose.BODY_Y], seated[:, Pose.BODY_Z] = seated[:, Pose.HEAD_Y], seated[:, Pose.NECK_Z]
    seated[:, Pose.BREATHING] = recorded[:, Pose.BREATHING]
    return clamp(seated.astype(np.float32))


def at_rate(poses: Poses, from_rate: float, to_rate: float) -> Poses:
    """The same time at another rate, straight lines between poses; ends with the last moment that still lies inside."""
    count = math.floor((len(poses) - 1) * to_rate / from_rate + 1e-9) + 1
    place = np.minimum(np.arange(count) * (from_rate / to_rate), len(poses) - 1)
    before = np.minimum(place.astype(np.intp), max(len(poses) - 2, 0))
    share = (place - before)[:, None].astype(np.float32)
    after = np.minimum(before + 1, len(poses) - 1)
    # the same numbers for equal values: head and body stay equal
    return np.asarray(poses[before] + (poses[after] - poses[before]) * share, np.float32)


def _stretches(random: np.random.Generator, frames: int, rate: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The kind of every frame, and the number of its stretch."""
    kinds: list[int] = []
    lengths: list[int] = []
    while sum(lengths) < frames:
        kind = int(random.choice(3, p=_CHANCES)) if kinds else _STILL
        kinds.append(kind)
        lengths.append(max(1, round(random.uniform(*_LENGTHS_S[kind]) * rate)))
    stretch = np.repeat(np.arange(len(kinds)), lengths)[:frames]
    return np.array(kinds, np.intp)[stretch], stretch


def _looks(random: np.random.Generator, frames: int, rate: float) -> NDArray[np.intp]:
    """For every frame the one at which the eyes last looked elsewhere."""
    longest = math.ceil(frames / (_FIXATION_S[0] * rate)) + 1
    starts = np.cumsum(random.uniform(*_FIXATION_S, longest) * rate).astype(np.intp)
    look = np.zeros(frames, np.intp)
    starts = starts[starts < frames]
    look[starts] = starts
    return np.asarray(np.maximum.accumulate(look), np.intp)


def _blinks(lids: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    closed = np.clip((lids - _LIDS_FROM) / (1.0 - _LIDS_FROM), 0.0, 1.0)
    shut = np.concatenate(([False], closed.max(axis=1) > 0.0, [False]))
    edges = np.flatnonzero(np.diff(shut.astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        if end - start > _LONGEST_BLINK_S * rate:
            closed[start:end] = 0.0
    return closed


def _speech(random: np.random.Generator, vowels: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    opened = vowels[vowels.sum(axis=1) > _MOUTH_IS_OPEN]
    if not len(opened):
        return np.zeros_like(vowels)
    frames = len(vowels)
    lengths = random.uniform(*_SYLLABLE_S, math.ceil(frames / (_SYLLABLE_S[0] * rate)) + 1) * rate
    starts = np.concatenate(([0.0], np.cumsum(lengths)))
    now = np.arange(frames, dtype=np.float64)
    syllable = np.searchsorted(starts, now, side="right") - 1
    loud = random.random(len(lengths)) >= _PAUSE_CHANCE
    swell = np.sin(np.pi * (now - starts[syllable]) / lengths[syllable]) ** 2 * loud[syllable]
    return np.asarray(opened[np.arange(frames) % len(opened)] * swell[:, None], np.float64)


def _noise(random: np.random.Generator, seated: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.minimum(np.abs(seated) / _AT_REST, 1.0) * _SHAPE_NOISE
    size[:, _HEAD], size[:, _GAZE] = _HEAD_NOISE, _GAZE_NOISE
    return random.normal(0.0, 1.0, (len(seated), POSE_SIZE)) * size


def _averaged(values: NDArray[np.float64], frames: float) -> NDArray[np.float64]:
    """Running mean over about so many frames; the ends go on as they are."""
    half = max(int(frames) // 2, 0)
    columns = values.reshape(len(values), -1)
    padded = np.pad(columns, ((half + 1, half), (0, 0)), mode="edge")
    sums = padded.cumsum(axis=0)
    means = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    return np.asarray(means.reshape(values.shape), np.float64)
