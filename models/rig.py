"""The built-in rig: any character picture, alive at once on a plain CPU, without any network.

The face crop is repainted when face values change (`rigging.face`); one coarse motion field moves the whole figure
(`rigging.warp`); one bilinear sampling pass makes the output. A pose alone decides the picture: nothing is carried over
from the frame before, so nothing drifts.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from core.pose.parameters import PoseVector, clamp

from .base import Picture
from .face_parts import FaceParts, find_face_parts
from .motion import CELLS, Displacement, FaceChange, Warp, displacement
from .rigging.canvas import Canvas
from .rigging.face import Face
from .rigging.hair import hanging_hair
from .rigging.mouth_shapes import MouthValues
from .rigging.places import PICTURE_SIZE
from .rigging.sample import Sampler
from .rigging.warp import Motion


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
        hair = hanging_hair(picture, found)
        self._motion = Motion(found, hair, size)
        self._sampler = Sampler(canvas, self._motion)
        self._face = Face(picture, canvas, found)
        # grids of its own: pictures are bent while another thread draws
        self._bent = Motion(found, hair, size)

    @property
    def size(self) -> int:
        """Width and height of the pictures it makes, in pixels."""
        return self._size

    def render(self, pose: PoseVector, out: Picture) -> None:
        """Draw the character at ``pose`` into ``out`` (size x size BGRA uint8, premultiplied)."""
        clamped = clamp(pose)
        self._face.show(clamped)
        self._sampler.draw(self._motion.sources(clamped, MouthValues.of(clamped).jaw), out)

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement:
        """How the picture of ``rendered[-1]`` must be bent to look like ``pose``. Head and body move exactly as they
        would be drawn, the face stays."""
        return displacement(self._warp(rendered[-1]), self._warp(pose))

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        """A whole picture is drawn as soon as a face could be looked at."""
        return None

    def remember_up_to(self, bytes_: int) -> None:
        """It repaints a face in less time than a picture of one could be fetched."""

    def close(self) -> None:
        """The rig holds nothing but memory."""

    def _warp(self, pose: PoseVector) -> Warp:
        clamped = clamp(pose)
        moved = self._bent.sources(clamped, MouthValues.of(clamped).jaw) - self._bent.rest
        inner = np.asarray(moved[1:-1, 1:-1] / np.float32(PICTURE_SIZE), np.float32)
        # sizes that are no multiple of 64 have a few cells more or less
        return inner if len(inner) == CELLS else np.asarray(cv2.resize(inner, (CELLS, CELLS)), np.float32)
