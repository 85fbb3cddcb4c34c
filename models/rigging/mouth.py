"""Draws the mouth: the picture's own while it is at rest, a painted one as soon as it takes another shape."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from .canvas import Canvas
from .fill import Plane, fill, soft_step
from .mouth_shapes import MouthShape, MouthValues
from .paint import disc, mix, opaque, paintable, waking
from .places import MouthPlace
from .skin import Lab, to_lab, unlikeness

_POINTS: Final = 33
"""Points along each lip."""
_FINER: Final = 4
"""Painted edges are drawn this many times larger and averaged: smooth at any sub-pixel place."""
_FRACTION_BITS: Final = 4
_OPEN_AT_REST: Final = 0.55
"""A mouth in the picture thicker than this part of its half width is open."""
_INSIDE_LAB: Final = (43.0, 36.0, 22.0)
_TONGUE_LAB: Final = (66.0, 38.0, 20.0)
_TEETH_LAB: Final = (95.0, 2.0, 3.0)


class Mouth:
    """The mouth of the canvas."""

    def __init__(self, canvas: Canvas, place: MouthPlace, skin: Lab) -> None:
        self._place, self._scale = place, canvas.scale
        half = place.half_width
        centre = place.centre
        self.box = canvas.box(
            centre.x - 1.7 * half, centre.y - 1.3 * half, centre.x + 1.7 * half, centre.y + 1.9 * half
        )
        x, y = canvas.places(self.box)
        self._across = ((x - centre.x) / half).astype(np.float32)
        self._down = ((y - centre.y) / half).astype(np.float32)
        self._origin = (canvas.index(centre.x) - self.box[1].start, canvas.index(centre.y) - self.box[0].start)
        self._length = half * canvas.scale
        """Canvas pixels per half width."""
        patch = canvas.pixels[self.box]
        self._allowed = paintable(patch, 1.0)
        own, self._skin = self._own_mouth(patch, skin)
        self._erase = cv2.GaussianBlur(
            cv2.dilate(own, disc(1.6 * canvas.scale)).astype(np.float32), (0, 0), 0.5 * canvas.scale
        ).astype(np.float32)
        self._rest, self._line, self._open = self._rest_shape(patch, own)
        self._ink, self._inside, self._tongue, self._teeth = self._colours(patch, own, skin)
        height, width = patch.shape[:2]
        self._columns = np.broadcast_to(np.arange(width, dtype=np.float32)[None, :], (height, width)).copy()
        self._rows = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], (height, width)).copy()
        window = (1.0 - soft_step(np.abs(self._across), 1.1, 1.6)) * (1.0 - soft_step(np.abs(self._down), 0.5, 1.1))
        self._window = (window * np.float32(self._length)).astype(np.float32)
        self._large = np.zeros((height * _FINER, width * _FINER), np.uint8)
        self._plain = {
            name: opaque(np.broadcast_to(colour, (height, width, 3)))
            for name, colour in (
                ("ink", self._ink),
                ("inside", self._inside),
                ("tongue", self._tongue),
                ("teeth", self._teeth),
            )
        }

    def draw(self, values: MouthValues, face: Picture) -> None:
        """Draw into ``face``, the mouth's own box of the canvas (premultiplied BGRA), in place."""
        bent = max(abs(values.left_up), abs(values.right_up))
        if values.amount == 0.0 and bent == 0.0:
            return
        drawn = face
        painted = waking(0.45 * values.amount)
        if bent > 0.0 and painted < 1.0:
            drawn = self._bent(values, face)
        if painted > 0.0:
            drawn = mix(
                self._painted(values, mix(self._skin, drawn, self._erase)), drawn, np.full_like(self._erase, painted)
            )
        face[...] = mix(drawn, face, self._allowed)

    def _corner_lift(self, values: MouthValues, across: NDArray[np.floating]) -> NDArray[np.float32]:
        """How far up each place across the mouth (-1..1) moves, in half widths."""
        reach = np.minimum(np.abs(across), 1.25)
        up = np.where(across < 0, values.left_up, values.right_up) * reach**2
        return np.asarray(up - 0.15 * (values.left_up + values.right_up), np.float32)

    def _bent(self, values: MouthValues, face: Picture) -> Picture:
        rows = self._rows + self._corner_lift(values, self._across) * self._window
        bent = cv2.remap(face, self._columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(bent, np.uint8)

    def _painted(self, values: MouthValues, face: Picture) -> Picture:
        """The open mouth over ``face``, from outside to inside: outline, dark, tongue, teeth."""
        amount = values.amount
        rest, asked = np.array(self._rest), np.array(values.shape)
        # The first opening widens quickly and then slows down, as lips do.
        eased = 1.0 - (1.0 - amount) ** 1.4
        shape = MouthShape(*(float(value) for value in rest + (asked - rest) * eased))
        s = np.sin(np.linspace(-0.5 * np.pi, 0.5 * np.pi, _POINTS))
        base = np.polynomial.polynomial.polyval(s, self._line) * (1.0 - 0.75 * eased)
        base = base - self._corner_lift(values, s)
        upper = base - shape.upper * np.maximum(0.0, 1.0 - s * s) ** shape.upper_roundness
        lower = base + shape.lower * np.maximum(0.0, 1.0 - s * s) ** shape.lower_roundness
        x = shape.half_width * s
        line = 0.55 / self._place.half_width
        """Half the outline's thickness, in half widths."""
        outline = self._filled(
            np.concatenate([x * (1.0 + line / shape.half_width), x[::-1] * (1.0 + line / shape.half_width)]),
            np.concatenate([upper - 1.25 * line, (lower + 0.75 * line)[::-1]]),
        )
        inner_x = x * (1.0 - line / shape.half_width)
        inner_upper, inner_lower = upper + 0.9 * line, lower - 0.5 * line
        inside = self._filled(
            np.concatenate([inner_x, inner_x[::-1]]),
            np.concatenate([inner_upper, np.maximum(inner_lower, inner_upper)[::-1]]),
        )
        drawn = mix(self._plain["ink"], face, outline)
        drawn = mix(self._plain["inside"], drawn, inside)
        height = shape.upper + shape.lower
        if shape.tongue > 0.01:
            top = lower - shape.tongue * height * (0.55 + 0.45 * (1.0 - s * s))
            tongue = self._filled(np.concatenate([x, x[::-1]]), np.concatenate([top, lower[::-1] + 1.0])) * inside
            drawn = mix(self._plain["tongue"], drawn, tongue)
        if shape.teeth > 0.01:
            bottom = upper + shape.teeth * (0.16 + 0.30 * height) * np.maximum(0.0, 1.0 - s**6)
            teeth = self._filled(np.concatenate([x, x[::-1]]), np.concatenate([upper - 1.0, bottom[::-1]])) * inside
            drawn = mix(self._plain["teeth"], drawn, teeth * np.float32(min(1.0, 4.0 * shape.teeth)))
        return drawn

    def _filled(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> Plane:
        """How much of every pixel a polygon covers (0..1); its corners are given in half widths from the centre."""
        large = self._large
        large.fill(0)
        places = np.stack([x * self._length + self._origin[0] + 0.5, y * self._length + self._origin[1] + 0.5], axis=-1)
        corners = np.rint((places * _FINER - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
        cv2.fillPoly(large, [corners], 255, cv2.LINE_AA, _FRACTION_BITS)
        height, width = self._erase.shape
        small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
        return (small * np.float32(1.0 / 255.0)).astype(np.float32)

    def _own_mouth(self, patch: Picture, skin: Lab) -> tuple[NDArray[np.uint8], Picture]:
        """1 where the picture's mouth is, and the skin that would be there without it."""
        colour = patch[..., :3].astype(np.float32)
        unlike = unlikeness(to_lab(patch), skin)
        near = (np.abs(self._across) < 1.35) & (np.abs(self._down) < 1.1)
        candidates = ((unlike > 0.14) & near & (patch[..., 3] == 255)).astype(np.uint8)
        _, labels = cv2.connectedComponents(candidates, connectivity=8)
        core = labels[(np.abs(self._across) < 0.8) & (np.abs(self._down) < 0.45) & (candidates > 0)]
        own = np.isin(labels, np.unique(core)).astype(np.uint8) if len(core) else np.zeros_like(candidates)
        known = (cv2.dilate(own, disc(1.5 * self._scale)) == 0) & (unlike < 0.3)
        return own, opaque(fill(colour, known.astype(np.float32)))

    def _rest_shape(self, patch: Picture, own: NDArray[np.uint8]) -> tuple[MouthShape, NDArray[np.float64], bool]:
        """The shape to open from, the closed mouth's line as a parabola (half widths, y down), and if it is open."""
        columns = np.flatnonzero(own.any(axis=0))
        closed = MouthShape(0.9, 0.0, 0.03, 0.5, 0.5, 0.0, 0.3)
        if len(columns) < 8:
            return closed, np.zeros(3), False
        across, down = self._across[0, columns], self._down[:, 0]
        half_width = float(np.clip(0.5 * (across[-1] - across[0]), 0.5, 1.3))
        middle = np.abs(across) < 0.5 * half_width
        height = float(np.median(own.sum(axis=0)[columns[middle]])) / self._length if middle.any() else 0.0
        if height > max(_OPEN_AT_REST, 3.5 / self._place.half_width):
            tops = down[np.argmax(own, axis=0)[columns]]
            bottoms = down[len(down) - 1 - np.argmax(own[::-1], axis=0)[columns]]
            upper, lower = float(np.percentile(tops, 10)), float(np.percentile(bottoms, 90))
            base = 0.6 * upper + 0.4 * lower
            shape = MouthShape(half_width, base - upper, lower - base, 0.45, 0.5, 0.3, 0.5)
            return shape, np.array([base, 0.0, 0.0]), True
        luma = cv2.cvtColor(np.ascontiguousarray(patch[..., :3]), cv2.COLOR_BGR2GRAY).astype(np.float32)
        dark = np.where(own > 0, 256.0 - luma, 0.0)[:, columns] ** 4
        line = np.polynomial.polynomial.polyfit(across, (dark * down[:, None]).sum(axis=0) / dark.sum(axis=0), 2)
        return MouthShape(half_width, *(0.0, 0.03, 0.5, 0.5, 0.0, 0.3)), np.asarray(line, np.float64), False

    def _colours(self, patch: Picture, own: NDArray[np.uint8], skin: Lab) -> tuple[Plane, Plane, Plane, Plane]:
        """BGR of outline, dark inside, tongue and teeth; shaded toward the picture's own line and skin."""
        lab = to_lab(patch)[own > 0]
        if len(lab) > 8:
            ink = np.median(lab[lab[:, 0] <= np.percentile(lab[:, 0], 20)], axis=0)
        else:
            ink = skin * np.array([0.45, 1.0, 1.0], np.float32) + np.array([0.0, 14.0, 4.0], np.float32)
        # Outlines of bright mouths are barely darker than skin; an open mouth needs a line that holds.
        ink[0] = min(float(ink[0]), 0.62 * float(skin[0]))
        light = np.array([np.clip(skin[0] / 93.0, 0.35, 1.05), 1.0, 1.0])
        inside, tongue, teeth = (np.array(colour) * light for colour in (_INSIDE_LAB, _TONGUE_LAB, _TEETH_LAB))
        red = lab[np.hypot(lab[:, 1], lab[:, 2]) > 26.0]
        if self._open and len(red) > 12:
            tongue = np.median(red, axis=0)
            inside = tongue * np.array([0.74, 1.1, 1.1])
        bgr = cv2.cvtColor(np.array([[ink, inside, tongue, teeth]], np.float32), cv2.COLOR_LAB2BGR)[0]
        first, second, third, fourth = (np.clip(colour * 255.0, 0, 255).astype(np.float32) for colour in bgr)
        return first, second, third, fourth
