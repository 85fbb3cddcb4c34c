"""Moves one eyebrow: cut out of the picture, the place beneath filled, and drawn again where the pose wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import Pose, PoseVector

from ..base import Picture
from .canvas import Canvas
from .fill import Plane, fill, soft_step
from .paint import disc, mix, opaque, paintable, waking
from .places import BrowPlace

_DARKER: Final = 7.0
"""How much darker (of 255) than what is above and below it a pixel must be to count as brow."""


_REACH: Final = 3.0
"""How far above and below a brow's pixel what it covers is looked for, in picture pixels."""


@dataclass(frozen=True)
class BrowShift:
    """How a brow stands differently from rest, in pixels of a usual head (128 high), y down.

    At ``s`` from -1 (inner end) to 1 (outer end) it moves by ``down + tilt * s + bend * (1 - s * s)``.
    """

    down: float
    tilt: float
    bend: float
    inward: float
    awake: float

    @staticmethod
    def of(pose: PoseVector, right: bool) -> BrowShift:
        """The character's right or left brow at this pose."""
        troubled, angry, lowered, raised, happy, serious = (
            float(pose[first + int(right)])
            for first in (
                Pose.EYEBROW_TROUBLED_LEFT,
                Pose.EYEBROW_ANGRY_LEFT,
                Pose.EYEBROW_LOWERED_LEFT,
                Pose.EYEBROW_RAISED_LEFT,
                Pose.EYEBROW_HAPPY_LEFT,
                Pose.EYEBROW_SERIOUS_LEFT,
            )
        )
        return BrowShift(
            down=-0.9 * troubled + 0.9 * angry + 2.4 * lowered - 3.4 * raised - 1.6 * happy + 1.4 * serious,
            tilt=3.0 * troubled - 2.4 * angry + 0.3 * lowered - 0.9 * serious,
            bend=-0.5 * troubled + 0.3 * angry + 0.3 * lowered - 0.5 * raised - 1.5 * happy + 1.0 * serious,
            inward=0.6 * troubled + 1.2 * angry + 0.5 * serious,
            awake=waking(max(troubled, angry, lowered, raised, happy, serious)),
        )


class Brow:
    """One eyebrow of the canvas."""

    def __init__(self, canvas: Canvas, place: BrowPlace, right_side: bool, unit: float) -> None:
        """``right_side``: it stands in the picture's right half. ``unit``: picture pixels per usual head's pixel."""
        self._unit, self._scale = unit, canvas.scale
        reach = 7.0 * unit
        self.box = canvas.box(
            place.centre.x - place.half_width - reach,
            place.centre.y - place.half_height - reach,
            place.centre.x + place.half_width + reach,
            place.centre.y + place.half_height + reach,
        )
        x, y = canvas.places(self.box)
        patch = canvas.pixels[self.box]
        self._outward = 1.0 if right_side else -1.0
        along = ((x - place.centre.x) / place.half_width * self._outward).astype(np.float32)
        self._along = np.clip(along, -1.3, 1.3)
        across = ((y - place.centre.y) / place.half_height).astype(np.float32)
        brow = _brow(patch, along, across, place.half_height, canvas.scale)
        self._erase = _soft(brow, 1.5 * canvas.scale, 0.4 * canvas.scale)
        colour = patch[..., :3].astype(np.float32)
        # Taking the brighter of what is above and below, row by row, lets strands that cross the brow go on.
        upright = np.ones((2 * round(_REACH * canvas.scale) + 1, 1), np.uint8)
        closed = cv2.morphologyEx(patch[..., :3].copy(), cv2.MORPH_CLOSE, upright, borderType=cv2.BORDER_REPLICATE)
        beneath = cv2.GaussianBlur(closed.astype(np.float32), (0, 0), 0.35 * canvas.scale).astype(np.float32)
        self._beneath = opaque(beneath)
        contrast = np.abs(colour - beneath).sum(axis=2)
        inside = brow > 0
        strongest = float(np.percentile(contrast[inside], 70)) if inside.any() else 1.0
        self._alpha: Plane = (
            soft_step(contrast / np.float32(max(strongest, 1.0)), 0.1, 0.9)
            * _soft(brow, 1.0 * canvas.scale, 0.4 * canvas.scale)
        ).astype(np.float32)
        self._colour = opaque(fill(colour, soft_step(self._alpha, 0.5, 0.9)))
        height, width = patch.shape[:2]
        self._columns = np.broadcast_to(np.arange(width, dtype=np.float32)[None, :], (height, width)).copy()
        self._rows = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], (height, width)).copy()
        self._allowed = paintable(patch, 1.0)

    def draw(self, shift: BrowShift, face: Picture) -> None:
        """Draw into ``face``, this brow's own box of the canvas (premultiplied BGRA), in place."""
        if shift.awake == 0.0:
            return
        down = shift.down + shift.tilt * self._along + shift.bend * (1.0 - np.minimum(self._along**2, 1.0))
        pixels = self._unit * self._scale
        rows = (self._rows - down * np.float32(pixels)).astype(np.float32)
        columns = (self._columns + np.float32(self._outward * shift.inward * pixels)).astype(np.float32)
        colour = cv2.remap(self._colour, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.remap(self._alpha, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        awake = np.float32(shift.awake)
        moved = mix(np.asarray(colour, np.uint8), mix(self._beneath, face, self._erase), np.asarray(alpha, np.float32))
        face[...] = mix(moved, face, self._allowed * awake)


def _brow(patch: Picture, along: Plane, across: Plane, half_height: float, scale: float) -> NDArray[np.uint8]:
    """1 where one thin dark stroke runs along the brow's box; strands of hair that cross it are left where they are.

    ``half_height``: of the box, in picture pixels. The stroke follows a smooth curve; strands seldom do.
    """
    luma = cv2.cvtColor(np.ascontiguousarray(patch[..., :3]), cv2.COLOR_BGR2GRAY)
    reach = 2 * round(_REACH * scale) + 1
    level, upright = (
        cv2.morphologyEx(luma, cv2.MORPH_BLACKHAT, np.ones(kernel, np.uint8), borderType=cv2.BORDER_REPLICATE)
        for kernel in ((reach, 1), (1, reach))
    )
    # The edges of strands are thin and dark as well, but seldom level.
    stroke = np.maximum(0.0, level.astype(np.float64) - 0.8 * upright)
    stroke[patch[..., 3] < 255] = 0.0
    weight = stroke * ((np.abs(along) < 1.05) & (np.abs(across) < 1.25)) * (stroke > _DARKER)
    place_along, place_across = np.broadcast_arrays(along, across)
    used = weight > 0
    if np.count_nonzero(used) < 12:
        return np.zeros(luma.shape, np.uint8)
    t, heights, trust = (values[used].astype(np.float64) for values in (place_along, place_across, weight))
    basis = np.stack([np.ones_like(t), t, t**2, t**3], axis=1)
    thickness = max(1.3, min(2.2, 0.75 * half_height)) / half_height
    robust = np.sqrt(trust)
    coefficients: NDArray[np.float64] = np.zeros(4)
    for _ in range(5):
        fitted = np.linalg.lstsq(basis * robust[:, None], heights * robust, rcond=None)[0]
        coefficients = np.asarray(fitted, np.float64)
        robust = np.sqrt(trust) / (1.0 + ((heights - basis @ coefficients) / (0.6 * thickness)) ** 2)
    curve = np.polynomial.polynomial.polyval(along.astype(np.float64), coefficients)
    ribbon = (np.abs(across - curve) < thickness) & (np.abs(along) < 1.15)
    core = ribbon & (stroke > _DARKER) & (np.abs(along) < 0.6)
    if not core.any():
        return np.zeros(luma.shape, np.uint8)
    # Whatever is much darker than the brow's middle (a hair clip, an outline) only happens to lie in its way.
    like_core = (stroke > _DARKER) & (stroke < 2.2 * float(np.percentile(stroke[core], 75)))
    _, labels = cv2.connectedComponents((ribbon & like_core).astype(np.uint8), connectivity=8)
    joined = np.unique(labels[core & like_core])
    return np.isin(labels, joined[joined > 0]).astype(np.uint8)


def _soft(mask: NDArray[np.uint8], grow: float, blur: float) -> Plane:
    grown = cv2.dilate(mask, disc(grow)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), blur), np.float32)
