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
from numpy.typing import NDArray

from .base import Picture
from .rig_places import (
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
from .rig_skin import skin_colour, to_lab, unlikeness

Plane = NDArray[np.float32]

USUAL_HEAD: Final = HeadBox(192.0, 64.0, 320.0, 192.0)


def find_face_parts(picture: Picture, given: FacePartsGiven | Mapping[str, object] | None = None) -> FaceParts:
    """Every place in ``picture`` (512 x 512, BGRA, straight alpha): as given, else as seen, else as in most pictures.

    ``given`` may still be the ``parts`` object of a ``character.json``; then it is read first, which may raise
    `CharacterDescriptionBad`. The picture itself never makes it fail.
    """
    known = given if isinstance(given, FacePartsGiven) else FaceParts.from_json(given)
    head = known.head or _head(picture)
    face = _Face(picture, head)
    left, right = _eyes(face, known)
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


class _Face:
    """The picture seen as distance from its skin colour.

    ``difference`` (512, 512) float32 is 0 where skin is and 1 where it certainly is not (outside the figure too);
    ``darkness`` (512, 512) float32 is how much darker than skin, in units of L*/100; ``white`` (512, 512) float32 is 1
    where the white of an eye may be; ``lab`` is CIE Lab.
    """

    def __init__(self, picture: Picture, head: HeadBox) -> None:
        self.head = head
        self.width = head.right - head.left
        self.height = head.bottom - head.top
        self.centre_x = 0.5 * (head.left + head.right)
        inside = picture[..., 3] >= 128
        self.lab = to_lab(picture)
        skin = skin_colour(picture, head)
        self.difference: Plane = np.where(inside, unlikeness(self.lab, skin), np.float32(1))
        darkness = np.clip((skin[0] - self.lab[..., 0]) / np.float32(100), 0.0, 1.0)
        chroma = np.hypot(self.lab[..., 1], self.lab[..., 2])
        pale = chroma < 0.62 * max(6.0, float(np.hypot(skin[1], skin[2])))
        self.white: Plane = (inside & pale & (self.lab[..., 0] > 0.85 * skin[0])).astype(np.float32)
        self.darkness: Plane = np.where(inside, darkness, np.float32(0))

    @staticmethod
    def window(x: float, y: float, half_width: float, half_height: float) -> tuple[slice, slice]:
        """Rows and columns of a box cut at the picture's edges; never empty."""
        left = int(np.clip(round(x - half_width), 0, PICTURE_SIZE - 2))
        top = int(np.clip(round(y - half_height), 0, PICTURE_SIZE - 2))
        right = int(np.clip(round(x + half_width), left + 1, PICTURE_SIZE))
        bottom = int(np.clip(round(y + half_height), top + 1, PICTURE_SIZE))
        return slice(top, bottom), slice(left, right)


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


def _eyes(face: _Face, known: FacePartsGiven) -> tuple[EyePlace, EyePlace]:
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


def _mean(plane: Plane, half_width: float, half_height: float) -> Plane:
    size = (2 * max(1, round(half_width)) + 1, 2 * max(1, round(half_height)) + 1)
    return np.asarray(cv2.blur(plane, size, borderType=cv2.BORDER_REPLICATE), np.float32)


def _eye_pair(face: _Face, half_width: float, half_height: float) -> tuple[Point, Point]:
    """The two mirrored places that are most unlike skin, with skin below and between them."""
    unit = face.height / 128.0
    inside = _mean(face.difference, 0.8 * half_width, 0.8 * half_height)
    below = np.roll(_mean(face.difference, 0.7 * half_width, 3 * unit), -round(half_height + 7 * unit), axis=0)
    likeness = inside - 0.8 * below
    bridge = _mean(face.difference, 4 * unit, 5 * unit)
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


def _opening(face: _Face, place: Point, unit: float) -> tuple[Point, float, float]:
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
    face: _Face, centres: tuple[Point, Point], half_width: float, half_height: float
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


def _mouth(face: _Face, known: FacePartsGiven, between_eyes: Point) -> MouthPlace:
    """The widest thing unlike skin between the eyes and the chin."""
    unit = face.height / 128.0
    given = known.mouth
    chin_y = known.chin.y if known.chin else max(face.head.bottom - 2 * unit, between_eyes.y + 30 * unit)
    centre = given.centre
    if centre is None:
        top, bottom = between_eyes.y + 0.38 * (chin_y - between_eyes.y), chin_y - 4 * unit
        area = face.window(between_eyes.x, 0.5 * (top + bottom), 5 * unit, 0.5 * (bottom - top))
        seen = _mean(face.difference, 5 * unit, 1)[area]
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


def _chin_y(face: _Face, mouth: Point) -> float:
    """The strongest dark line across the face's middle below the mouth."""
    unit = face.height / 128.0
    usual = max(mouth.y + 10 * unit, min(face.head.bottom - 2 * unit, mouth.y + 22 * unit))
    area = face.window(mouth.x, mouth.y + 17 * unit, 7 * unit, 9 * unit)
    profile = np.median(face.darkness[area], axis=1) + 0.5 * np.median(face.difference[area], axis=1)
    rise = np.diff(profile, prepend=profile[:1])
    place = int(np.argmax(rise))
    return area[0].start + place + 0.5 if rise[place] > 0.04 else usual


def _brows(
    face: _Face, eyes: tuple[EyePlace, EyePlace], given: tuple[PartGiven, PartGiven]
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


def _brow(face: _Face, eye: EyePlace) -> BrowPlace:
    """A thin line, darker than what is above and below it, over the eye."""
    unit = face.height / 128.0
    half_width, half_height = eye.half_width, 4.0 * unit
    rows = np.ones((2 * round(3 * unit) + 3, 1), np.uint8)
    thin = cv2.morphologyEx(np.ascontiguousarray(face.lab[..., 0]), cv2.MORPH_BLACKHAT, rows)
    eye_top = eye.centre.y - eye.half_height
    area = face.window(eye.centre.x, eye_top - 12.0 * unit, 0.4 * half_width, 8.0 * unit)
    seen = _mean(np.asarray(thin, np.float32), 0.6 * half_width, 1)[area]
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
