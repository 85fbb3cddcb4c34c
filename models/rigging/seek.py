"""Finds the parts of a face in a character's picture by looking for what is not skin.

The one colour a drawn face shows most, between cheeks and chin, is its skin, whatever that colour is. Eyes, mouth and
brows are what differs from it, in places where anime faces have them. Whatever cannot be seen takes the place it has
in most pictures, so that no picture fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from ..base import Picture
from .places import (
    PICTURE_SIZE,
    BrowPlace,
    EyePlace,
    FaceParts,
    FacePartsGiven,
    HeadBox,
    MouthPlace,
    PartGiven,
    Point,
)
from .seek_eyes import find_eyes
from .seek_view import FaceView, box_mean

USUAL_HEAD: Final = HeadBox(192.0, 64.0, 320.0, 192.0)


def find_face_parts(picture: Picture, given: FacePartsGiven | Mapping[str, object] | None = None) -> FaceParts:
    """Every place in ``picture`` (512 x 512, BGRA, straight alpha): as given, else as seen, else as in most pictures.

    ``given`` may still be the ``parts`` object of a ``character.json``; then it is read first, which may raise
    `CharacterDescriptionBad`. The picture itself never makes it fail.
    """
    known = given if isinstance(given, FacePartsGiven) else FaceParts.from_json(given)
    head = known.head or _head(picture)
    face = FaceView(picture, head)
    left, right = find_eyes(face, known)
    axis_x = 0.5 * (left.centre.x + right.centre.x)
    eye_y = 0.5 * (left.centre.y + right.centre.y)
    mouth = _mouth(face, known, Point(axis_x, eye_y))
    chin = known.chin or Point(axis_x, _chin_y(face, Point(axis_x, mouth.centre.y)))
    brows = _brows(face, (left, right), (known.brow_left, known.brow_right))
    neck = known.neck or Point(axis_x, min(chin.y + 0.11 * face.height, PICTURE_SIZE - 1.0))
    return FaceParts(
        head=head,
        chin=chin,
        neck=neck,
        eye_left=left,
        eye_right=right,
        mouth=mouth,
        brow_left=brows[0],
        brow_right=brows[1],
    )


def _head(picture: Picture) -> HeadBox:
    """The usual head, unless the figure is clearly somewhere else."""
    inside = picture[..., 3] >= 128
    usual = inside[int(USUAL_HEAD.top) : int(USUAL_HEAD.bottom), int(USUAL_HEAD.left) : int(USUAL_HEAD.right)]
    if not inside.any() or usual.mean() > 0.45:
        return USUAL_HEAD
    rows = np.flatnonzero(inside.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    size = float(np.clip(0.3 * (bottom - top), 48.0, 200.0))
    columns = np.flatnonzero(inside[top : top + int(size)].any(axis=0))
    middle = float(np.clip(0.5 * (columns[0] + columns[-1] + 1), size / 2, PICTURE_SIZE - size / 2))
    top_y = float(min(top, PICTURE_SIZE - size))
    return HeadBox(middle - size / 2, top_y, middle + size / 2, top_y + size)


def _mouth(face: FaceView, known: FacePartsGiven, between_eyes: Point) -> MouthPlace:
    """The widest thing unlike skin between the eyes and the chin."""
    unit = face.height / 128.0
    given = known.mouth
    chin_y = known.chin.y if known.chin else max(face.head.bottom - 2 * unit, between_eyes.y + 30 * unit)
    centre = given.centre
    if centre is None:
        top, bottom = between_eyes.y + 0.38 * (chin_y - between_eyes.y), chin_y - 4 * unit
        area = face.window(between_eyes.x, 0.5 * (top + bottom), 5 * unit, 0.5 * (bottom - top))
        seen = box_mean(face.difference, 5 * unit, 1)[area]
        row, column = np.unravel_index(int(np.argmax(seen)), seen.shape)
        usual = Point(between_eyes.x, between_eyes.y + 0.68 * (chin_y - between_eyes.y))
        found = float(seen[row, column]) > 0.08
        centre = Point(float(area[1].start + column + 0.5), float(area[0].start + row + 0.5)) if found else usual
    area = face.window(centre.x, centre.y, 20 * unit, 9 * unit)
    unlike = (face.difference[area] > 0.16).astype(np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(unlike, connectivity=8)
    row, column = int(centre.y) - area[0].start, int(centre.x) - area[1].start
    near = labels[max(0, row - 2) : row + 3, max(0, column - 3) : column + 4]
    touched = near[near > 0]
    if not len(touched):
        return MouthPlace(centre, given.half_width or 8.0 * unit)
    left, top, width, height = (int(value) for value in boxes[int(np.bincount(touched).argmax())][:4])
    if given.centre is None and width < 34 * unit:
        centre = Point(area[1].start + left + 0.5 * width, area[0].start + top + 0.5 * height)
    return MouthPlace(centre, given.half_width or float(np.clip(0.5 * width, 4 * unit, 16 * unit)))


def _chin_y(face: FaceView, mouth: Point) -> float:
    """The strongest dark line across the face's middle below the mouth."""
    unit = face.height / 128.0
    usual = max(mouth.y + 10 * unit, min(face.head.bottom - 2 * unit, mouth.y + 22 * unit))
    area = face.window(mouth.x, mouth.y + 17 * unit, 7 * unit, 9 * unit)
    profile = np.median(face.darkness[area], axis=1) + 0.5 * np.median(face.difference[area], axis=1)
    rise = np.diff(profile, prepend=profile[:1])
    place = int(np.argmax(rise))
    return area[0].start + place + 0.5 if rise[place] > 0.04 else usual


def _brows(
    face: FaceView, eyes: tuple[EyePlace, EyePlace], given: tuple[PartGiven, PartGiven]
) -> tuple[BrowPlace, BrowPlace]:
    """Both brows; where only a part of one is seen, it is as wide as the other."""
    seen = [_brow(face, eye) for eye in eyes]
    axis_x = 0.5 * (eyes[0].centre.x + eyes[1].centre.x)
    if abs(seen[0].centre.y - seen[1].centre.y) < 4.0 * face.height / 128.0:
        wider, other = (0, 1) if seen[0].half_width >= seen[1].half_width else (1, 0)
        mirrored = Point(2.0 * axis_x - seen[wider].centre.x, seen[other].centre.y)
        seen[other] = BrowPlace(mirrored, seen[wider].half_width, max(seen[0].half_height, seen[1].half_height))
    left, right = (
        BrowPlace(
            part.centre or place.centre,
            part.half_width or place.half_width,
            part.half_height or place.half_height,
        )
        for part, place in zip(given, seen, strict=True)
    )
    return left, right


def _brow(face: FaceView, eye: EyePlace) -> BrowPlace:
    """A thin line, darker than what is above and below it, over the eye."""
    unit = face.height / 128.0
    half_width, half_height = eye.half_width, 4.0 * unit
    rows = np.ones((2 * round(3 * unit) + 3, 1), np.uint8)
    thin = cv2.morphologyEx(np.ascontiguousarray(face.lab[..., 0]), cv2.MORPH_BLACKHAT, rows)
    eye_top = eye.centre.y - eye.half_height
    area = face.window(eye.centre.x, eye_top - 12.0 * unit, 0.4 * half_width, 8.0 * unit)
    seen = box_mean(np.asarray(thin, np.float32), 0.6 * half_width, 1)[area]
    row, column = np.unravel_index(int(np.argmax(seen)), seen.shape)
    if seen[row, column] <= 2.5:
        return BrowPlace(Point(eye.centre.x, eye_top - 9.0 * unit), half_width, half_height)
    x, y = area[1].start + column + 0.5, area[0].start + row + 0.5
    box = face.window(x, y, 1.2 * half_width, 6 * unit)
    marked_rows, marked_columns = np.nonzero(thin[box] > 0.35 * max(8.0, float(thin[box].max())))
    if len(marked_rows):
        x = box[1].start + 0.5 * (int(marked_columns.min()) + int(marked_columns.max()) + 1)
        half_width = float(np.clip(0.5 * np.ptp(marked_columns) + 1, 7 * unit, 1.2 * half_width))
        half_height = float(np.clip(0.5 * np.ptp(marked_rows) + 1, 2.5 * unit, 5 * unit))
    return BrowPlace(Point(float(x), float(y)), half_width, half_height)
