"""Looks for a drawn face of any size anywhere in a picture, without knowing the colour of its skin.

A face is taken for what most drawn faces share: two alike things side by side that are full of contrast, with one
smooth colour between, below and beside them. Means over boxes of several sizes find where that may be; a closer look
at each place then tells faces from buttons and bows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .face_look import likeness

Plane = NDArray[np.float32]

VIEW_SIDE: Final = 384
"""Longer side, in pixels, of the view in which the smallest faces are looked for."""
_SMALLEST_OFFSET: Final = 3.6
"""Half the distance of the eyes, in pixels of a view; below this an eye is too few pixels to be one."""
_STEPS: Final = (1.0, 1.19, 1.41, 1.68)
"""Half distances looked for in one view, as multiples of the smallest; the next view is half as large."""
_PER_SIZE: Final = 10
_SETTLED: Final = 3
_HEAD_OFFSETS: Final = 5.8
"""Height of a head with its hair, as a multiple of half the distance of its eyes."""


@dataclass(frozen=True, slots=True)
class SeenFace:
    """Where a face may be, in pixels of the picture: the point between its eyes and half their distance.

    ``score`` is below 0.4 for things that only look a little like one, above 0.7 for a clear face.
    """

    x: float
    y: float
    offset: float
    score: float


class _View(NamedTuple):
    """The picture with its edge continued by ``margin`` pixels, so that looking aside needs no copy."""

    lab: Plane
    lightness_squared: Plane
    inside: Plane
    margin: int


def seek_faces(lab: Plane, inside: Plane) -> list[SeenFace]:
    """The likeliest faces, best first, at most six, none within a better one.

    ``lab`` (height, width, 3) is CIE Lab, ``inside`` (height, width) is 1 where the figure is or may be, else 0. The
    longer side should be about ``VIEW_SIDE``.
    """
    rows = np.flatnonzero(inside.max(axis=1) > 0.5)
    if not len(rows):
        return []
    full_lab, full_inside = lab, inside
    figure_height = float(rows[-1] + 1 - rows[0])
    first_row = np.where(inside.max(axis=0) > 0.5, np.argmax(inside > 0.5, axis=0), lab.shape[0])
    outlined = float(inside.mean()) < 0.97
    places: list[tuple[float, float, float]] = []
    scale = 1.0
    while min(lab.shape[:2]) >= 12:
        view = _view(lab, inside)
        for step in _STEPS:
            offset = _SMALLEST_OFFSET * step
            # no head is a hundredth of its figure, and none is larger than the picture
            if 52.0 * offset * scale >= figure_height and _HEAD_OFFSETS * offset <= 1.6 * min(lab.shape[:2]):
                places += [(x * scale, y * scale, offset * scale) for x, y in _peaks(view, offset)]
        lab, inside = _half(lab), _half(inside)
        scale *= 2.0
    found = []
    for x, y, offset in places:
        score = likeness(full_lab, full_inside, x, y, offset)
        near = first_row[max(0, int(x - offset)) : int(x + offset) + 1]
        if outlined and len(near):
            lowness = float(np.clip(((y - float(near.min())) / offset - 6.0) / 8.0, 0.0, 0.45))
        else:
            # where everything is figure, its outline says nothing; faces are still above rather than below
            lowness = 0.25 * y / full_lab.shape[0]
        tininess = float(np.clip((figure_height / (_HEAD_OFFSETS * offset) - 6.0) / 12.0, 0.0, 0.2))
        found.append(SeenFace(x, y, offset, score - lowness - tininess))
    kept = _apart(found)
    settled = [_settled(face, full_lab, full_inside) for face in kept[:_SETTLED]]
    return _apart(settled + kept[_SETTLED:])


def _settled(face: SeenFace, lab: Plane, inside: Plane) -> SeenFace:
    """The best place and size close to where a face was seen."""
    best, best_likeness = face, likeness(lab, inside, face.x, face.y, face.offset)
    penalty = best_likeness - face.score
    for reach in (0.3, 0.15):
        centre = best
        for size in (1.0 - 0.6 * reach, 1.0, 1.0 + 0.6 * reach):
            for right in (-reach, 0.0, reach):
                for down in (-reach, 0.0, reach):
                    x, y = centre.x + right * centre.offset, centre.y + down * centre.offset
                    seen = likeness(lab, inside, x, y, centre.offset * size)
                    if seen > best_likeness + 0.005:
                        best, best_likeness = SeenFace(x, y, centre.offset * size, seen - penalty), seen
    return best


def _half(plane: Plane) -> Plane:
    height, width = plane.shape[:2]
    size = max(1, width // 2), max(1, height // 2)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _view(lab: Plane, inside: Plane) -> _View:
    margin = 12
    padded = np.asarray(cv2.copyMakeBorder(lab, margin, margin, margin, margin, cv2.BORDER_REPLICATE), np.float32)
    around = np.asarray(cv2.copyMakeBorder(inside, margin, margin, margin, margin, cv2.BORDER_REPLICATE), np.float32)
    return _View(padded, padded[..., 0] ** 2, around, margin)


def _peaks(view: _View, offset: float) -> list[tuple[float, float]]:
    rating = _rating(view, offset)
    reach = 2 * round(0.6 * offset) + 1
    peaks = (rating >= cv2.dilate(rating, np.ones((reach, reach), np.uint8))) & (rating > 0.1)
    rows, columns = np.nonzero(peaks)
    best = np.argsort(-rating[rows, columns])[:_PER_SIZE]
    return [(float(columns[i]) + 0.5, float(rows[i]) + 0.5) for i in best]


def _rating(view: _View, offset: float) -> Plane:
    """How much every pixel looks like the point between two eyes that are ``offset`` away from it."""
    eye_mean, eye_spread = _mean_and_spread(view, 0.5 * offset, 0.42 * offset)
    skin_mean, skin_spread = _mean_and_spread(view, 0.3 * offset, 0.22 * offset)

    def aside(plane: Plane, right: float, down: float) -> Plane:
        top, left = view.margin + round(down * offset), view.margin + round(right * offset)
        height, width = plane.shape[0] - 2 * view.margin, plane.shape[1] - 2 * view.margin
        return plane[top : top + height, left : left + width]

    left, right = aside(eye_mean, -1.0, 0.0), aside(eye_mean, 1.0, 0.0)
    nose = aside(skin_mean, 0.0, 0.75)
    unlike = np.minimum(_distance(left, nose), _distance(right, nose))
    busy = np.minimum(aside(eye_spread, -1.0, 0.0), aside(eye_spread, 1.0, 0.0))
    uneven = _distance(aside(skin_mean, 0.0, 0.1), nose)
    uneven += _distance(aside(skin_mean, -0.85, 0.95), nose)
    uneven += _distance(aside(skin_mean, 0.85, 0.95), nose)
    rough = aside(skin_spread, 0.0, 0.75) + 0.5 * (aside(skin_spread, -0.85, 0.95) + aside(skin_spread, 0.85, 0.95))
    rating = np.minimum(unlike, 40.0) / 40.0 + np.minimum(busy, 25.0) / 25.0
    rating -= uneven / 54.0 + rough / 22.0 + _distance(left, right) / 40.0
    covered = aside(_box(view.inside, 1.6 * offset, 0.8 * offset), 0.0, 0.4)
    return np.asarray(rating - 2.0 * (1.0 - covered), np.float32)


def _mean_and_spread(view: _View, half_width: float, half_height: float) -> tuple[Plane, Plane]:
    """Mean colour and standard deviation of the lightness over a box around every pixel."""
    mean = _box(view.lab, half_width, half_height)
    lightness = mean[..., 0]
    square = _box(view.lightness_squared, half_width, half_height)
    return mean, np.sqrt(np.maximum(square - lightness * lightness, 0.0))


def _box(plane: Plane, half_width: float, half_height: float) -> Plane:
    size = 2 * max(1, round(half_width)) + 1, 2 * max(1, round(half_height)) + 1
    return np.asarray(cv2.blur(plane, size, borderType=cv2.BORDER_REPLICATE), np.float32)


def _distance(one: Plane, other: Plane) -> Plane:
    difference = one - other
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", difference, difference)), np.float32)


def _apart(found: list[SeenFace]) -> list[SeenFace]:
    """Best first; what lies within a better one's face is left out."""
    kept: list[SeenFace] = []
    for face in sorted(found, key=lambda face: -face.score):
        if all(np.hypot(face.x - o.x, face.y - o.y) > 3.0 * max(face.offset, o.offset) for o in kept):
            kept.append(face)
            if len(kept) == 6:
                break
    return kept
