"""Where the head of a figure is: its face where one is seen, else what its outline suggests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from ..character import PICTURE_SIZE
from ..face_parts import HeadBox, find_face_parts
from .face_seek import VIEW_SIDE, SeenFace, seek_faces
from .scaling import at_most

Mask = NDArray[np.uint8]

SURE: Final = 0.6
"""From here on a head is taken for found; below it is a guess."""
_USUAL_EYES: Final = (256.0, 148.0)
_USUAL_OFFSET: Final = 23.5
"""Half the distance of the eyes in a head 128 pixels high."""
_EYE_TO_CHIN: Final = 0.34
_AGREED: Final = 0.16
"""Logarithm of the ratio up to which the outline's word on a head's height is taken."""
_GUESSED_SURENESS: Final = 0.25
_LEAST_ALPHA: Final = 128


@dataclass(frozen=True, slots=True)
class FoundHead:
    """A head with its hair, without long hair below the chin; all places in pixels of the picture."""

    box: HeadBox
    """Square; its bottom is the chin, its middle the face's axis."""
    sureness: float
    """0..1. Below ``SURE`` no face was seen and the outline was asked."""
    eyes_y: float

    @property
    def height(self) -> float:
        """Of the box."""
        return self.box.bottom - self.box.top

    @property
    def centre_x(self) -> float:
        """Of the box."""
        return 0.5 * (self.box.left + self.box.right)

    def scaled(self, factor: float) -> FoundHead:
        """The same head in a picture that many times as large."""
        box = self.box
        larger = HeadBox(box.left * factor, box.top * factor, box.right * factor, box.bottom * factor)
        return FoundHead(larger, self.sureness, self.eyes_y * factor)

    def moved(self, right: float, down: float) -> FoundHead:
        """The same head in a picture that was cut or shifted."""
        box = self.box
        elsewhere = HeadBox(box.left + right, box.top + down, box.right + right, box.bottom + down)
        return FoundHead(elsewhere, self.sureness, self.eyes_y + down)


def find_heads(picture: Picture) -> list[FoundHead]:
    """Every head that is seen for sure, else the one that is guessed; the surest first. Empty for an empty picture.

    ``picture`` is straight BGRA of any size; an opaque one is searched all over.
    """
    solid = (picture[..., 3] >= _LEAST_ALPHA).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(solid)
    if not width:
        return []
    # a small figure in a large picture is looked at as large as it is
    seen = _find_in(picture[top : top + height, left : left + width])
    return [head.moved(left, top) for head in seen]


def _find_in(picture: Picture) -> list[FoundHead]:
    view, factor = at_most(picture, VIEW_SIDE)
    inside = (view[..., 3] >= _LEAST_ALPHA).astype(np.float32)
    colour = np.where(inside[..., None] > 0, view[..., :3], np.uint8(128)).astype(np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2LAB), np.float32)
    faces = seek_faces(lab, inside)
    sure = [face for face in faces if face.score >= SURE]
    if sure:
        first = sure[0]
        # a second figure's face is about as clear and as large as the first and stands beside it
        others = [
            face
            for face in sure[1:]
            if face.score > first.score - 0.1
            and 0.6 < face.offset / first.offset < 1.7
            and abs(face.x - first.x) > 4.0 * first.offset
            and abs(face.y - first.y) < 6.0 * first.offset
        ]
        return [_from_face(picture, _scaled(face, 1.0 / factor)) for face in (first, *others)]
    return _from_outline((view[..., 3] >= _LEAST_ALPHA).astype(np.uint8), 1.0 / factor)


def _scaled(face: SeenFace, factor: float) -> SeenFace:
    return SeenFace(face.x * factor, face.y * factor, face.offset * factor, face.score)


def _from_face(picture: Picture, face: SeenFace) -> FoundHead:
    """The head around a face: eyes and chin as the built-in rig sees them, the top from the outline."""
    eyes_x, eyes_y, offset, chin_y = face.x, face.y, face.offset, face.y + 1.9 * face.offset
    for _ in range(2):
        scale = _USUAL_OFFSET / offset
        parts = find_face_parts(_around(picture, eyes_x, eyes_y, scale))
        left, right = parts.eye_left.centre, parts.eye_right.centre
        chin_y = eyes_y + (parts.chin.y - _USUAL_EYES[1]) / scale
        eyes_x += (0.5 * (left.x + right.x) - _USUAL_EYES[0]) / scale
        eyes_y += (0.5 * (left.y + right.y) - _USUAL_EYES[1]) / scale
        offset = 0.5 * abs(left.x - right.x) / scale
    by_face = float(np.sqrt((chin_y - eyes_y) / _EYE_TO_CHIN * offset * 128.0 / _USUAL_OFFSET))
    top = _top_of_hair(picture, eyes_x, eyes_y, by_face)
    height = by_face
    if top is not None:
        # hair, hats and ears make a head taller than its face tells: believed as long as the two roughly agree
        ratio = float(np.log(np.clip((chin_y - top) / by_face, 0.7, 1.5)))
        height = by_face * float(np.exp(np.clip(ratio, -_AGREED, _AGREED) + 0.4 * _beyond(ratio, _AGREED)))
    box = HeadBox(eyes_x - 0.5 * height, chin_y - height, eyes_x + 0.5 * height, chin_y)
    return FoundHead(box, float(np.clip(face.score, 0.0, 1.0)), eyes_y)


def _beyond(value: float, limit: float) -> float:
    return value - float(np.clip(value, -limit, limit))


def _around(picture: Picture, eyes_x: float, eyes_y: float, scale: float) -> Picture:
    """The face as it would stand in a character's picture, 512 x 512, straight alpha."""
    if scale < 1.0:
        reach = PICTURE_SIZE / scale
        left, top = max(0, int(eyes_x - reach)), max(0, int(eyes_y - reach))
        cut = picture[top : int(eyes_y + reach) + 1, left : int(eyes_x + reach) + 1]
        smaller, factor = at_most(cut, max(1, round(max(cut.shape[:2]) * scale)))
        picture, eyes_x, eyes_y, scale = smaller, (eyes_x - left) * factor, (eyes_y - top) * factor, scale / factor
    shift = [_USUAL_EYES[0] - scale * eyes_x, _USUAL_EYES[1] - scale * eyes_y]
    half = 0.5 * scale - 0.5  # the middle of a pixel is at a half
    matrix = np.array([[scale, 0.0, shift[0] + half], [0.0, scale, shift[1] + half]], np.float64)
    size = PICTURE_SIZE, PICTURE_SIZE
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR), np.uint8)


def _top_of_hair(picture: Picture, eyes_x: float, eyes_y: float, height: float) -> float | None:
    """The highest row of the head's bulk: single strands, antennae and thin ears do not count."""
    left, right = max(0, int(eyes_x - 0.75 * height)), int(eyes_x + 0.75 * height) + 1
    above = picture[max(0, int(eyes_y - 1.6 * height)) : int(eyes_y) + 1, left:right, 3]
    if above.size == 0 or (above >= _LEAST_ALPHA).mean() > 0.97:
        return None
    step = max(1.0, height / 96.0)
    size = max(1, round(above.shape[1] / step)), max(1, round(above.shape[0] / step))
    small = cv2.resize(above, size, interpolation=cv2.INTER_AREA)
    disc = 2 * round(0.18 * height / step) + 1
    solid = (small >= _LEAST_ALPHA).astype(np.uint8)
    # below the eyes the head goes on, whatever the window shows of it
    below = np.asarray(cv2.copyMakeBorder(solid, disc, disc, 0, 0, cv2.BORDER_REPLICATE), np.uint8)
    below[:disc] = 0
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (disc, disc))
    bulk = cv2.morphologyEx(below, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    rows = np.flatnonzero(bulk.any(axis=1))
    if not len(rows):
        return None
    return max(0, int(eyes_y - 1.6 * height)) + max(0, int(rows[0]) - disc) * step


def _from_outline(solid: Mask, factor: float) -> list[FoundHead]:
    """A guess from the outline alone: the bulk's top, and the first narrow place below the first wide one."""
    if solid.mean() > 0.97:
        return []
    side = min(solid.shape)
    disc = 2 * max(1, side // 40) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (disc, disc))
    bulk = cv2.morphologyEx(solid, cv2.MORPH_OPEN, kernel)
    rows = np.flatnonzero(bulk.any(axis=1))
    if not len(rows):
        return []
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    widths = cv2.blur(bulk[top:bottom].sum(axis=1).astype(np.float32).reshape(-1, 1), (1, 5)).ravel()
    height = _height_to_neck(widths)
    columns = np.flatnonzero(bulk[top : top + max(1, int(height))].any(axis=0))
    middle = 0.5 * (int(columns[0]) + int(columns[-1]) + 1)
    box = HeadBox(
        (middle - 0.5 * height) * factor, top * factor, (middle + 0.5 * height) * factor, (top + height) * factor
    )
    return [FoundHead(box, _GUESSED_SURENESS, (top + 0.645 * height) * factor)]


def _height_to_neck(widths: NDArray[np.floating]) -> float:
    """Rows from the top to the neck; without a neck a fifth of the figure, but at most its width."""
    usual = float(np.clip(0.22 * len(widths), 1.0, max(1.0, float(np.median(widths)))))
    for row in range(round(0.08 * len(widths)), round(0.6 * len(widths))):
        above, below = widths[:row], widths[row : row + max(3, row)]
        if len(above) and len(below) and widths[row] < 0.75 * above.max() and widths[row] < 0.8 * below.max():
            narrow = row + int(np.argmin(widths[row : row + max(1, row // 2)]))
            return float(narrow)
    return usual
