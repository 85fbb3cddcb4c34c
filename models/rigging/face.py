"""Paints the face crop: brows, eyes and mouth as the pose wants them, over the picture's own face."""

from __future__ import annotations

from typing import Final

from core.pose.parameters import EYEBROWS, FACE, PoseVector

from ..base import Picture
from .brow import Brow, BrowShift
from .canvas import Canvas
from .eye import Eye, EyeValues
from .mouth import Mouth
from .mouth_shapes import MouthValues
from .places import FaceParts
from .skin import skin_colour

FACE_VALUES: Final = slice(EYEBROWS.start, FACE.stop)
"""The pose values that change the face crop; all others only move it."""


class Face:
    """The parts of one face, cut out once and drawn for every pose into the canvas they came from."""

    def __init__(self, picture: Picture, canvas: Canvas, parts: FaceParts) -> None:
        """``picture``: the 512 x 512 BGRA picture with straight alpha that ``canvas`` was made from."""
        skin = skin_colour(picture, parts.head)
        unit = (parts.head.bottom - parts.head.top) / 128.0
        self._pixels = canvas.pixels
        self._eye_left = Eye(canvas, parts.eye_left, skin, right_side=True)
        self._eye_right = Eye(canvas, parts.eye_right, skin, right_side=False)
        self._brow_left = Brow(canvas, parts.brow_left, True, unit)
        self._brow_right = Brow(canvas, parts.brow_right, False, unit)
        self._mouth = Mouth(canvas, parts.mouth, skin)
        boxes = [part.box for part in (self._eye_left, self._eye_right, self._brow_left, self._brow_right, self._mouth)]
        rows, columns = (
            slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in (0, 1)
        )
        self._box = rows, columns
        self._rest = canvas.pixels[self._box].copy()
        self._shown = b""

    def show(self, pose: PoseVector) -> None:
        """Make the canvas show the face of ``pose``; nothing to do when it does already."""
        wanted = pose[FACE_VALUES].tobytes()
        if wanted == self._shown:
            return
        # An exception half-way must not leave a half-drawn face that passes for a finished one.
        self._shown = b""
        pixels = self._pixels
        pixels[self._box] = self._rest
        self._eye_left.draw(EyeValues.of(pose, right=False), pixels[self._eye_left.box])
        self._eye_right.draw(EyeValues.of(pose, right=True), pixels[self._eye_right.box])
        self._mouth.draw(MouthValues.of(pose), pixels[self._mouth.box])
        self._brow_left.draw(BrowShift.of(pose, right=False), pixels[self._brow_left.box])
        self._brow_right.draw(BrowShift.of(pose, right=True), pixels[self._brow_right.box])
        self._shown = wanted
