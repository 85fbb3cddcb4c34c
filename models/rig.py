"""The built-in rig: any character picture, alive at once on a plain CPU, without any network.

The face crop is repainted when face values change (`rigging.face`); one coarse motion field moves the whole figure
(`rigging.warp`); one bilinear sampling pass makes the output. A pose alone decides the picture: nothing is carried over
from the frame before, so nothing drifts.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.pose.parameters import PoseVector, clamp

from .base import KeyFrame, Picture
from .face_parts import FaceParts, find_face_parts
from .rigging.canvas import Canvas
from .rigging.face import Face
from .rigging.hair import hanging_hair
from .rigging.mouth_shapes import MouthValues
from .rigging.sample import Sampler
from .rigging.warp import Grid, Motion


@dataclass(frozen=True, slots=True)
class RigKeyFrame:
    """A picture the rig made: its pose, where every grid node's picture came from, and its face crop."""

    pose: PoseVector
    sources: Grid
    face: Picture
    fields: None = None
    """The rig bends one coarse grid; it has no network's fields."""


class Rig:
    """A character made of one picture. Used from one thread at a time."""

    family = "rig"

    def __init__(self, picture: Picture, size: int, parts: FaceParts | None = None) -> None:
        """Cut the picture up and prepare everything that does not depend on the pose; takes about a fifth of a second.

        ``picture``: 512 x 512 BGRA uint8, sRGB, straight alpha, in the framing of the THA networks. ``size``: width
        and height of the output in pixels, 256 to 1024. ``parts``: where the face is, if the picture need not tell.
        """
        if picture.shape != (512, 512, 4) or picture.dtype != np.uint8:
            raise ValueError(f"expected a (512, 512, 4) uint8 picture, got {picture.shape} {picture.dtype}")
        if not 256 <= size <= 1024:
            raise ValueError(f"expected a size from 256 to 1024, got {size}")
        found = parts or find_face_parts(picture)
        canvas = Canvas(picture, size)
        self._size = size
        self._motion = Motion(found, hanging_hair(picture, found), size)
        self._sampler = Sampler(canvas, self._motion)
        self._face = Face(picture, canvas, found)

    @property
    def size(self) -> int:
        """Width and height of the pictures it makes, in pixels."""
        return self._size

    def render(self, pose: PoseVector, out: Picture) -> RigKeyFrame:
        """Draw the character at ``pose`` into ``out`` (size x size BGRA uint8, premultiplied)."""
        clamped = clamp(pose)
        self._face.show(clamped)
        sources = self._motion.sources(clamped, MouthValues.of(clamped).jaw)
        self._sampler.draw(sources, out)
        return RigKeyFrame(clamped, sources, self._face.copy())

    def between(self, older: KeyFrame, newer: KeyFrame, fraction: float, out: Picture) -> None:
        """Draw ``fraction`` (0..1) of the way between two key frames: head and body in between, the newer face."""
        if not (isinstance(older, RigKeyFrame) and isinstance(newer, RigKeyFrame)):
            raise TypeError("expected key frames that this rig rendered")
        share = min(max(fraction, 0.0), 1.0)
        self._face.show_again(newer.pose, newer.face)
        sources = cv2.addWeighted(older.sources, 1.0 - share, newer.sources, share, 0.0)
        self._sampler.draw(np.asarray(sources, np.float32), out)

    def close(self) -> None:
        """The rig holds nothing but memory."""
