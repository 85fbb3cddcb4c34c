"""Draws one eye at any opening and gaze, from the pieces of the picture's own eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from core.pose.parameters import Pose, PoseVector

from ..base import Picture
from .canvas import Canvas
from .eye_shape import Curve, lid_cosine, shape_of
from .fill import Plane, fill, soft, soft_step
from .paint import mix, opaque, paintable, waking
from .places import EyePlace
from .skin import Lab

_EDGE: Final = np.float32(1.3)
"""Steepness of drawn edges: from nothing to everything within 1 / 1.3 picture pixels."""
_SHADE: Final = np.array([0.84, 0.86, 0.95], np.float32)
"""What skin is multiplied with (B, G, R) in the shadow of a lowered lid."""
_CLOSED_LASH: Final = 0.75
"""Thickness of the closed lids' line, relative to the open eye's upper lashes."""


@dataclass(frozen=True)
class EyeValues:
    """The pose values of one eye, 0..1, and the gaze, -1..1 (up, and toward the picture's left)."""

    wink: float
    happy_wink: float
    surprised: float
    relaxed: float
    unimpressed: float
    raised_lower_lid: float
    iris_small: float
    gaze_up: float
    gaze_left: float

    @staticmethod
    def of(pose: PoseVector, right: bool) -> EyeValues:
        """The values of the character's right or left eye."""
        side = int(right)
        return EyeValues(
            wink=float(pose[Pose.EYE_WINK_LEFT + side]),
            happy_wink=float(pose[Pose.EYE_HAPPY_WINK_LEFT + side]),
            surprised=float(pose[Pose.EYE_SURPRISED_LEFT + side]),
            relaxed=float(pose[Pose.EYE_RELAXED_LEFT + side]),
            unimpressed=float(pose[Pose.EYE_UNIMPRESSED_LEFT + side]),
            raised_lower_lid=float(pose[Pose.EYE_RAISED_LOWER_EYELID_LEFT + side]),
            iris_small=float(pose[Pose.IRIS_SMALL_LEFT + side]),
            gaze_up=float(pose[Pose.IRIS_ROTATION_X]),
            gaze_left=float(pose[Pose.IRIS_ROTATION_Y]),
        )

    @property
    def awake(self) -> float:
        """0 at rest, 1 as soon as anything has clearly moved."""
        return waking(
            max(
                self.wink,
                self.happy_wink,
                self.surprised,
                self.relaxed,
                self.unimpressed,
                self.raised_lower_lid,
                self.iris_small,
                abs(self.gaze_up),
                abs(self.gaze_left),
            )
        )


class Eye:
    """One eye of the canvas, ready to be drawn over it."""

    def __init__(self, canvas: Canvas, place: EyePlace, skin: Lab, right_side: bool) -> None:
        """``right_side``: the eye stands in the picture's right half (it is the character's left one)."""
        shape = shape_of(canvas, place, skin)
        self._shape, self._place, self._scale = shape, place, canvas.scale
        self.box = shape.box
        patch = canvas.pixels[shape.box]
        self._gap = np.maximum(shape.lower - shape.upper, 0.15 * place.half_height).astype(np.float32)
        self._middle = int(np.argmin(np.abs(shape.across[0])))
        self._upper_cosine = lid_cosine(shape.upper, shape.x)
        self._allowed = paintable(patch, 2.0 * canvas.scale)
        self._skin = opaque(shape.skin)
        self._shade = opaque(shape.skin * _SHADE)
        self._white, self._iris, self._iris_alpha = self._interior(patch)
        self._lash, self._lash_alpha = self._upper_lashes(patch)
        dark = self._lash_alpha > 0.8
        ink = np.median(self._lash[dark], axis=0) if np.count_nonzero(dark) > 12 else np.array([40, 30, 50, 255])
        self._ink = np.broadcast_to(ink.astype(np.uint8), patch.shape).copy()
        self._stroke = np.float32(np.clip(_CLOSED_LASH * shape.lash_thickness, 1.3, 3.4))
        self._outward = np.float32(1.0 if right_side else -1.0)
        self._line, self._line_alpha = self._lower_line(patch)
        height, width = patch.shape[:2]
        self._columns = np.ascontiguousarray(np.broadcast_to(np.arange(width, dtype=np.float32), (height, width)))
        self._row_of = (
            np.float32(canvas.step * canvas.size / 512.0),
            np.float32(canvas.index(0.0) - shape.box[0].start),
        )

    def draw(self, values: EyeValues, face: Picture) -> None:
        """Draw into ``face``, this eye's own box of the canvas (premultiplied BGRA), in place."""
        awake = values.awake
        if awake == 0.0:
            return
        shape = self._shape
        upper, lower, closed = self._lids(values)
        level = lid_cosine(upper, shape.x)
        stretch = (level / self._upper_cosine).astype(np.float32)
        skin = mix(self._skin, face, shape.eye)
        if closed > 0.0:
            skin = mix(self._shade, skin, self._lid_shadow(upper, closed))
        opening = self._opening(upper, lower, stretch)
        seen = mix(self._eyeball(values), skin, opening)
        line, line_alpha = self._moved(self._line, self._line_alpha, shape.lower, lower, None)
        line_alpha *= np.float32(1.0 - soft(closed, 0.55, 0.95))
        seen = mix(line, seen, line_alpha)
        lash, lash_alpha = self._moved(self._lash, self._lash_alpha, shape.upper, upper, stretch)
        if closed > 0.2 or values.unimpressed > 0.0:
            lash_alpha = self._thinned(lash_alpha, upper, level, closed, values.unimpressed)
            ink = soft(closed, 0.3, 0.7)
            lash = np.asarray(cv2.addWeighted(self._ink, ink, lash, 1.0 - ink, 0.0), np.uint8)
        # What hangs down at the corners ends where the lower lid is, or it would stick out of a closing eye.
        lash_alpha *= np.clip((lower + np.float32(1.0 + self._stroke) - shape.y) * _EDGE, 0, 1)
        seen = mix(lash, seen, lash_alpha)
        face[...] = mix(seen, face, self._allowed * np.float32(awake))

    def _lids(self, values: EyeValues) -> tuple[Curve, Curve, float]:
        """Upper and lower lid edges, and how closed the eye is (0..1)."""
        shape, gap, t = self._shape, self._gap, np.clip(self._shape.across, -1.0, 1.0)
        top, height = float(shape.upper[0, self._middle]), float(self._gap[0, self._middle])
        droop = 0.10 * max(0.0, -values.gaze_up) - 0.05 * max(0.0, values.gaze_up)
        upper = shape.upper + gap * np.float32(droop - 0.13 * values.surprised)
        upper = upper + np.float32(0.34 * height * values.relaxed) * (1.0 - 0.45 * t * t)
        flat = np.maximum(upper, np.float32(top + 0.40 * height))
        upper = upper + (flat - upper) * np.float32(values.unimpressed)
        lower = shape.lower + np.float32(0.05 * height * values.surprised)
        lower = lower - np.float32(0.24 * height * values.raised_lower_lid) * (1.0 - 0.5 * t * t)
        down = top + height * (0.86 - 0.21 * t * t)
        arch = top + height * (0.42 + 0.34 * t * t)
        total = values.wink + values.happy_wink
        share = 1.0 / max(1.0, total)
        wink, happy = np.float32(values.wink * share), np.float32(values.happy_wink * share)
        closed = min(1.0, total)
        # The lids meet on the line; half the lashes' height keeps the skin under them from showing.
        upper = upper * np.float32(1.0 - closed) + down * wink + arch * happy
        lower = lower * np.float32(1.0 - closed) + (down * wink + arch * happy)
        return upper.astype(np.float32), lower.astype(np.float32), closed

    def _thinned(self, alpha: Plane, upper: Curve, level: Curve, closed: float, flat: float) -> Plane:
        """The open eye's lashes turning into the closed eye's stroke: one clean line, drawn out to its corners."""
        shape, half_height = self._shape, self._place.half_height
        away = (shape.y - upper) * level
        # Lashes are trimmed to the stroke from both sides instead of fading: half-closed lids keep a solid edge.
        above = 0.9 * half_height * (1.0 - soft(closed, 0.3, 0.9)) * (1.0 - 0.85 * flat) + 0.2
        below = 0.8 * half_height * (1.0 - soft(closed, 0.2, 0.75)) + float(self._stroke)
        kept = np.clip((away + np.float32(above)) * _EDGE + np.float32(0.5), 0, 1)
        kept *= np.clip((np.float32(below) - away) * _EDGE + np.float32(0.5), 0, 1)
        kept *= np.float32(1.0 - soft(closed, 0.6, 0.9))
        t = shape.across
        thickness = self._stroke * np.sqrt(np.clip(1.0 - (t / 1.07) ** 2, 0.0, 1.0)) * (1.0 + 0.25 * self._outward * t)
        stroke = np.clip((0.5 * thickness - np.abs(away - np.float32(0.5 * self._stroke))) * _EDGE + 0.5, 0, 1)
        stroke *= np.clip(thickness, 0, 1) * np.float32(soft(closed, 0.2, 0.6))
        return np.asarray(np.maximum(alpha * kept, stroke), np.float32)

    def _lid_shadow(self, upper: Curve, closed: float) -> Plane:
        """Lowered lids bulge over the eyeball: a shade that deepens toward the lashes."""
        shape = self._shape
        above = np.clip(np.float32(1) - (upper - shape.y) * np.float32(3.2 / self._place.half_height), 0, 1)
        return np.asarray(above * (shape.y < upper + 1.0) * self._corners * np.float32(0.55 * closed), np.float32)

    def _opening(self, upper: Curve, lower: Curve, stretch: Curve) -> Plane:
        """Where the eyeball shows: from behind the upper lashes down to the lower line, with soft edges."""
        shape = self._shape
        begin = np.asarray(upper + np.float32(0.55) * (shape.inner - shape.upper) / stretch, np.float32)
        # Across a steep edge, a step in height is a smaller step away from the edge.
        from_top = np.clip((shape.y - begin) * (_EDGE * lid_cosine(begin, shape.x)) + np.float32(0.5), 0, 1)
        end = lower - np.float32(0.3)
        to_bottom = np.clip((end - shape.y) * (_EDGE * lid_cosine(end, shape.x)) + np.float32(0.5), 0, 1)
        return np.asarray(from_top * to_bottom * self._corners, np.float32)

    def _eyeball(self, values: EyeValues) -> Picture:
        place, scale = self._place, self._scale
        size = (1.0 - 0.36 * values.iris_small) * (1.0 - 0.06 * values.surprised)
        move_x = -0.26 * place.half_width * values.gaze_left
        move_y = -0.20 * place.half_height * values.gaze_up
        centre = self._iris_centre
        back = 1.0 / size
        matrix = np.array(
            [
                [back, 0.0, centre[0] - back * (centre[0] + move_x * scale)],
                [0.0, back, centre[1] - back * (centre[1] + move_y * scale)],
            ]
        )
        height, width = self._white.shape[:2]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        iris = cv2.warpAffine(self._iris, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(self._iris_alpha, matrix, (width, height), flags=flags)
        return mix(np.asarray(iris, np.uint8), self._white, np.asarray(alpha, np.float32))

    def _moved(
        self, colours: Picture, alpha: Plane, rest: Curve, now: Curve, stretch: Curve | None
    ) -> tuple[Picture, Plane]:
        """A piece moved with its lid, column by column, keeping its height across the lid's line."""
        shape = self._shape
        away = shape.y - now
        source = rest + (away if stretch is None else away * stretch)
        rows = (source * self._row_of[0] + self._row_of[1]).astype(np.float32)
        moved = cv2.remap(colours, self._columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        moved_alpha = cv2.remap(alpha, self._columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(moved, np.uint8), np.asarray(moved_alpha, np.float32)

    def _interior(self, patch: Picture) -> tuple[Picture, Picture, Plane]:
        """The white without the iris, the whole iris without lids over it, and where the iris is (0..1)."""
        shape, place, scale = self._shape, self._place, self._scale
        colour = patch[..., :3].astype(np.float32)
        luma, distance = shape.luma, shape.iris_distance
        inside = (shape.y > shape.inner + 0.6) & (shape.y < shape.lower - 1.6) & (np.abs(shape.across) < 0.97)
        radius = 0.5 * (place.iris_radius_x + place.iris_radius_y)
        self._iris_centre = (
            (place.iris.x - float(shape.x[0, 0])) * scale,
            (place.iris.y - float(shape.y[0, 0])) * scale,
        )
        self._corners = (1.0 - soft_step(np.abs(shape.across), 0.99, 1.06)).astype(np.float32)
        beside = inside & (distance > 1.0 + 1.2 / radius)
        bright = luma > (np.percentile(luma[beside], 85) - 45 if beside.any() else 255)
        white = np.where((beside & bright)[..., None], colour, np.float32(0))
        known = (beside & bright).astype(np.float32)
        if known.sum() < 12:
            white = np.full_like(colour, 246.0)
            known = np.ones_like(known)
        # Under the lashes the iris goes on as dark as they are: artists shade its top that way.
        uncovered = (shape.y > shape.upper + 0.8) & (shape.y < shape.lower - 1.2)
        iris_known = (uncovered & (distance < 1.0 - 0.5 / radius)).astype(np.float32)
        iris = fill(colour, iris_known)
        alpha = np.clip((np.float32(1.0) - distance) * np.float32(radius * 1.3) + np.float32(0.5), 0, 1)
        return opaque(fill(white, known)), opaque(iris), alpha.astype(np.float32)

    def _upper_lashes(self, patch: Picture) -> tuple[Picture, Plane]:
        shape, place = self._shape, self._place
        above = np.float32(1) - soft_step(shape.y - shape.inner, 0.0, 0.9)
        # Beyond the corner there is no white for lashes to end at: they may droop as far as they like.
        beyond = soft_step(np.abs(shape.across), 0.9, 1.0) * (
            np.float32(1) - soft_step((shape.y - place.centre.y) / place.half_height, 0.3, 0.5)
        )
        return self._dark(patch, np.maximum(above, beyond).astype(np.float32) * shape.eye)

    def _lower_line(self, patch: Picture) -> tuple[Picture, Plane]:
        shape = self._shape
        away = shape.y - shape.lower
        near = soft_step(away, -2.2, -1.2) * (1.0 - soft_step(away, 1.2, 2.4))
        beside_lash = soft_step(shape.y - shape.inner, 0.0, 1.0)
        return self._dark(
            patch, (near * beside_lash * soft_step(shape.iris_distance, 0.92, 1.05)).astype(np.float32) * shape.eye
        )

    def _dark(self, patch: Picture, near: Plane) -> tuple[Picture, Plane]:
        """What is darker than the skin around it, cut out: its own colour everywhere, and its alpha (0..1)."""
        colour = patch[..., :3].astype(np.float32)
        luma = self._shape.luma
        skin_luma = cv2.cvtColor(self._skin[..., :3].copy(), cv2.COLOR_BGR2GRAY).astype(np.float32)
        weight = near > 0.5
        darkest = float(np.percentile(luma[weight], 12)) if np.count_nonzero(weight) > 20 else 40.0
        alpha = np.clip((skin_luma - luma) / np.maximum(skin_luma - darkest, 24.0), 0, 1).astype(np.float32)
        alpha = soft_step(alpha, 0.04, 0.92) * near
        own = fill(colour, soft_step(alpha, 0.6, 0.9))
        return opaque(own), alpha.astype(np.float32)
