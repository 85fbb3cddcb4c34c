"""How unlike its background every pixel is, up to where that is still background, and what the border reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from .background import Background, Floats, Mask, to_lab

_LEAST_REACH: Final = 1.6
"""Lab distance at which even a noiseless background's pixels count as background."""
_LEAST_VIVID_REACH: Final = 8.0
_FIRST_COMPRESSED_REACH: Final = 2.5
_MOST_REACH: Final = 9.0
_MOST_COMPRESSED_REACH: Final = 16.0
_MOST_VIVID_REACH: Final = 25.0
_TRACES: Final = 0.24
_VIVID_TRACES: Final = 0.45
"""How strong compression's traces may be, as a part of the hardest edge beside them."""
_GENEROUS_REACH: Final = 12.0
_FOLLOWED_SIDE: Final = 400
_FOLLOWED_REACH: Final = 6.0
_MOST_ROUNDS: Final = 8


@dataclass(frozen=True, slots=True)
class Reach:
    """Up to which Lab distance a pixel is background."""

    distance: Floats
    """One for every pixel, (height, width)."""
    compressed: bool
    """Whether the picture shows the traces that JPEG and the like leave around edges."""


def unlikeness(colour: Floats, painted: Floats, background: Background) -> Floats:
    """Lab distance of every pixel from what the background shows there, (height, width)."""
    if background.board is not None:
        painted = background.board.nearest(colour)
    difference = to_lab(colour)
    difference -= to_lab(painted)
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", difference, difference)), np.float32)


def find_reach(unlike: Floats, background: Background) -> Reach:
    """Look how noisy the background is, far from the figure and close to it."""
    least = _LEAST_VIVID_REACH if background.vivid else _LEAST_REACH
    first = float(np.clip(1.0 + 1.5 * background.noise, least, _MOST_REACH))
    rest = 1 - flood(unlike <= _GENEROUS_REACH)[0]
    near = (_grown(rest, 8) > 0) & (_grown(rest, 3) == 0)
    far = _grown(rest, 20) == 0
    close = float(np.percentile(unlike[near], 75)) if near.any() else 0.0
    usual = float(np.percentile(unlike[far], 75)) if far.any() else 0.6 * background.noise
    if close < 0.5 + 1.6 * usual:
        return Reach(np.full(unlike.shape, first, np.float32), False)
    most, traces = (_MOST_VIVID_REACH, _VIVID_TRACES) if background.vivid else (_MOST_COMPRESSED_REACH, _TRACES)
    least = max(first, _FIRST_COMPRESSED_REACH)
    # the harder the edge, the stronger what compression leaves beside it
    hardest = _grown(np.minimum(unlike, np.float32(70)), 5)
    distance = np.clip(np.float32(traces) * hardest, least, _between(unlike, least, most))
    return Reach(np.asarray(distance, np.float32), True)


def smoothed_match(unlike: Floats, reach: Reach) -> Mask:
    """Where means match: a single pixel of a compressed picture may stray far, some together do not."""
    capped = np.minimum(unlike, np.float32(40))
    match = (unlike <= reach.distance) | (cv2.blur(capped, (5, 5)) <= np.float32(0.8) * reach.distance)
    return np.asarray(match | (cv2.medianBlur(capped, 3) <= reach.distance), np.uint8)


def flood(match: object) -> tuple[Mask, Mask]:
    """What is surely background (reached from the border through wide places), and what else matches it; 0 or 1."""
    mask = np.asarray(match, np.uint8)
    narrow = max(1, round(min(mask.shape) / 250))
    kernel = np.ones((2 * narrow + 1, 2 * narrow + 1), np.uint8)
    # beyond the border the background goes on, but it does not come in from below the figure's feet
    around = cv2.copyMakeBorder(mask, narrow, narrow, narrow, narrow, cv2.BORDER_REPLICATE)
    wide = np.ascontiguousarray(cv2.erode(around, kernel)[narrow:-narrow, narrow:-narrow])
    count, numbered = cv2.connectedComponents(wide, connectivity=4)
    labels = np.asarray(numbered, np.int32)
    reached = np.zeros(count, np.uint8)
    reached[np.concatenate([labels[0], labels[:, 0], labels[:, -1]])] = 1
    reached[0] = 0
    outer = np.bitwise_and(np.asarray(cv2.dilate(reached[labels], kernel), np.uint8), mask)
    return outer, np.asarray(mask & (1 - outer), np.uint8)


def follow_gradient(colour: Floats, painted: Floats) -> Floats:
    """A gradient as it really is: what is surely background, averaged, and carried on behind the figure."""
    height, width = colour.shape[:2]
    factor = min(1.0, _FOLLOWED_SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    seen = np.asarray(cv2.resize(colour, size, interpolation=cv2.INTER_AREA), np.float32)
    first = np.asarray(cv2.resize(painted, size, interpolation=cv2.INTER_AREA), np.float32)
    lab, guess, covered = to_lab(seen), first, -1.0
    for _ in range(_MOST_ROUNDS):
        step = lab - to_lab(guess)
        outer = flood(np.sqrt(np.einsum("...i,...i->...", step, step)) <= _FOLLOWED_REACH)[0]
        if float(outer.sum()) <= 1.002 * covered:
            break
        covered = float(outer.sum())
        guess = guess + _carried_on((seen - guess) * outer[..., None], outer.astype(np.float32))
    change = cv2.resize(guess - first, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(painted + change, np.float32)


def _carried_on(difference: Floats, known: Floats) -> Floats:
    """Means of what is known: over small boxes where enough is, over larger ones where not."""
    spread = np.zeros_like(difference)
    for part in (2, 6, 16, 40):
        size = 2 * max(1, max(known.shape) // part // 2) + 1
        weight = cv2.blur(known, (size, size), borderType=cv2.BORDER_REPLICATE)
        mean = cv2.blur(difference, (size, size), borderType=cv2.BORDER_REPLICATE)
        here = np.clip(weight * 3.0, 0.0, 1.0)[..., None]
        spread = spread * (1.0 - here) + here * mean / np.maximum(weight, 1e-4)[..., None]
    return np.asarray(spread, np.float32)


def _between(unlike: Floats, least: float, most: float) -> float:
    """The distance that the fewest pixels have: more than the background's noise, less than any of the figure."""
    counts = np.bincount((2.0 * np.minimum(unlike, most + 3.0)).astype(np.int64).ravel()).astype(np.float64)
    smooth = np.convolve(counts, np.ones(5) / 5.0, "same")
    places = np.arange(len(counts)) * 0.5
    allowed = (places >= least) & (places <= most)
    if not allowed.any():
        return most
    few = allowed & (smooth <= 1.15 * smooth[allowed].min() + 1.0)
    return float(places[np.flatnonzero(few)[0]])


def _grown(plane: Mask | Floats, by: int) -> Floats:
    return np.asarray(cv2.dilate(plane, np.ones((2 * by + 1, 2 * by + 1), np.uint8)), np.float32)
