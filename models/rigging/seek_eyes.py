"""Finds both eyes in a picture: a mirrored pair of things unlike skin, with skin below and between them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .places import PICTURE_SIZE, EyePlace, FacePartsGiven, Point
from .seek_view import FaceView, box_mean


def find_eyes(face: FaceView, known: FacePartsGiven) -> tuple[EyePlace, EyePlace]:
    """Both eyes; what one shows less clearly than the other is taken from their being each other's mirror image."""
    unit = face.height / 128.0
    given = (known.eye_left, known.eye_right)
    seen = _eye_pair(face, 13.0 * unit, 11.0 * unit)
    openings = [_opening(face, part.centre or place, unit) for part, place in zip(given, seen, strict=True)]
    half_width = 0.5 * (openings[0][1] + openings[1][1])
    half_height = 0.5 * (openings[0][2] + openings[1][2])
    shift_y = 0.5 * (openings[0][0].y - openings[1][0].y) if abs(openings[0][0].y - openings[1][0].y) < 3 else 0.0
    centres = (
        given[0].centre or Point(openings[0][0].x, openings[0][0].y - shift_y),
        given[1].centre or Point(openings[1][0].x, openings[1][0].y + shift_y),
    )
    iris = _irises(face, centres, half_width, half_height)
    left, right = (
        EyePlace(
            centre=centre,
            half_width=part.half_width or half_width,
            half_height=part.half_height or half_height,
            iris=part.iris or Point(centre.x + sign * iris[0], centre.y + iris[1]),
            iris_radius_x=part.iris_radius_x or iris[2],
            iris_radius_y=part.iris_radius_y or iris[3],
        )
        for part, centre, sign in zip(given, centres, (1.0, -1.0), strict=True)
    )
    return left, right


def _eye_pair(face: FaceView, half_width: float, half_height: float) -> tuple[Point, Point]:
    """The two mirrored places that are most unlike skin, with skin below and between them."""
    unit = face.height / 128.0
    inside = box_mean(face.difference, 0.8 * half_width, 0.8 * half_height)
    below = np.roll(box_mean(face.difference, 0.7 * half_width, 3 * unit), -round(half_height + 7 * unit), axis=0)
    likeness = inside - 0.8 * below
    bridge = box_mean(face.difference, 4 * unit, 5 * unit)
    usual_y, usual_offset = face.head.top + 0.645 * face.height, 22.0 * unit
    best = (-np.inf, Point(face.centre_x + usual_offset, usual_y), Point(face.centre_x - usual_offset, usual_y))
    rows = np.arange(round(face.head.top + 0.45 * face.height), round(face.head.top + 0.82 * face.height))
    rows = rows[(rows >= 0) & (rows < PICTURE_SIZE)]
    for axis_x in np.arange(face.centre_x - 8 * unit, face.centre_x + 8.5 * unit, max(unit, 0.5)):
        for offset in np.arange(14 * unit, 34 * unit, max(unit, 0.5)):
            columns = (round(axis_x - offset), round(axis_x + offset))
            if columns[0] < 0 or columns[1] >= PICTURE_SIZE or not len(rows):
                continue
            pair = likeness[rows, columns[0]], likeness[rows, columns[1]]
            score = pair[0] + pair[1] - 0.6 * np.abs(pair[0] - pair[1]) - 0.6 * bridge[rows, round(axis_x)]
            # Far from where eyes usually are, something must look much more like a pair of eyes to be taken for one.
            score = score - 0.006 / unit * (np.abs(rows - usual_y) + abs(offset - usual_offset))
            place = int(np.argmax(score))
            if score[place] > best[0]:
                best = (
                    float(score[place]),
                    Point(columns[1] + 0.5, rows[place] + 0.5),
                    Point(columns[0] + 0.5, rows[place] + 0.5),
                )
    return best[1], best[2]


def _run(profile: NDArray[np.floating], start: int, least: float) -> tuple[int, int]:
    """First and one-past-last index of the stretch around ``start`` where the profile stays above ``least``."""
    above = np.asarray(profile) > least
    low, high = start, start + 1
    while low > 0 and above[low - 1]:
        low -= 1
    while high < len(above) and above[high]:
        high += 1
    return low, high


def _opening(face: FaceView, place: Point, unit: float) -> tuple[Point, float, float]:
    """Middle, half width and half height of an eye, from where skin starts again around ``place``."""
    area = face.window(place.x, place.y, 20 * unit, 17 * unit)
    different = face.difference[area]
    # Strands and the cheek's outline pass the outer corner as long upright lines; no eye is that high at its corners.
    upright = cv2.morphologyEx(different, cv2.MORPH_OPEN, np.ones((max(3, round(30 * unit)), 1), np.uint8))
    far = np.abs(np.arange(different.shape[1]) + area[1].start + 0.5 - place.x) > 10.5 * unit
    different = np.where(far, different - upright, different)
    column = int(np.clip(int(place.x) - area[1].start, 0, different.shape[1] - 1))
    row = int(np.clip(int(place.y) - area[0].start, 0, different.shape[0] - 1))
    core_rows = slice(max(0, row - round(6 * unit)), row + max(1, round(7 * unit)))
    left, right = _run(different[core_rows].mean(axis=0), column, 0.22)
    white = np.flatnonzero((face.white[area][core_rows] > 0.5).sum(axis=0) >= 2)
    # Hair often touches the outer corner; where white is seen, the eye ends a lash's width beyond it.
    margin = round(2.5 * unit)
    outside = white[(white > column + 4 * unit) & (white < right)]
    if place.x > face.centre_x and len(outside):
        right = min(right, int(outside[-1]) + 1 + margin)
    outside = white[(white < column - 4 * unit) & (white >= left)]
    if place.x <= face.centre_x and len(outside):
        left = max(left, int(outside[0]) - margin)
    core_columns = slice(max(0, column - round(6 * unit)), column + max(1, round(7 * unit)))
    top, bottom = _run(different[:, core_columns].mean(axis=1), row, 0.25)
    centre = Point(
        float(np.clip(area[1].start + 0.5 * (left + right), place.x - 4 * unit, place.x + 4 * unit)),
        float(np.clip(area[0].start + 0.5 * (top + bottom), place.y - 5 * unit, place.y + 5 * unit)),
    )
    half_width = float(np.clip(0.5 * (right - left), 9 * unit, 17 * unit))
    return centre, half_width, float(np.clip(0.5 * (bottom - top), 6 * unit, 14 * unit))


def _irises(
    face: FaceView, centres: tuple[Point, Point], half_width: float, half_height: float
) -> tuple[float, float, float, float]:
    """The mirrored ellipses with the sharpest step from coloured or dark to white or skin along their sides.

    Returns the offset from the eye's middle (outward, down) and the radii (across, down). Nothing is asked of the
    ellipse's top: lashes hide it in most pictures.
    """
    chroma = np.hypot(face.lab[..., 1], face.lab[..., 2])
    white = np.clip((face.lab[..., 0] - 74.0) / 14.0, 0, 1) * np.clip((26.0 - chroma) / 10.0, 0, 1)
    coloured = (np.maximum(face.difference, face.darkness) * (1.0 - white)).astype(np.float32)
    angles = np.radians(np.concatenate([np.arange(-25.0, 30.0, 6.0), np.arange(45.0, 140.0, 12.0)]))
    angles = np.concatenate([angles, np.pi - angles])
    steps = np.linspace(-0.3, 0.3, 9)
    outward, down, radius_x, ratio = np.meshgrid(
        half_width * steps,
        half_height * steps,
        half_width * np.linspace(0.42, 0.8, 10),
        np.linspace(0.95, 1.3, 6),
        indexing="ij",
    )
    radius_y = radius_x * ratio
    # An iris that sticks out of the opening below is the lower lashes mistaken for its edge.
    score = -0.1 * np.maximum(0.0, down + radius_y - 1.05 * half_height) - 0.02 * (np.abs(outward) + np.abs(down))
    for centre, mirror in zip(centres, (1.0, -1.0), strict=True):
        for place, sign in ((0.84, 1.0), (1.14, -1.0)):
            across = (outward[..., None] + place * radius_x[..., None] * np.cos(angles)) * mirror + centre.x - 0.5
            along = down[..., None] + place * radius_y[..., None] * np.sin(angles) + centre.y - 0.5
            columns = np.clip(np.rint(across), 0, PICTURE_SIZE - 1).astype(np.intp)
            rows = np.clip(np.rint(along), 0, PICTURE_SIZE - 1).astype(np.intp)
            score += sign * coloured[rows, columns].mean(axis=-1)
    best = np.unravel_index(int(np.argmax(score)), score.shape)
    return float(outward[best]), float(down[best]), float(radius_x[best]), float(radius_y[best])
