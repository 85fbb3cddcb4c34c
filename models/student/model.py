"""A THA4 student as a character that can be posed."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from accel.base import FULL, Array, Progress, Runtime
from core.pose.parameters import PoseVector, clamp
from models.base import Picture
from models.motion import Displacement, FaceChange, displacement

from .coarse import CoarseWarps
from .coarse_face import FaceChanges
from .composition import SIZE
from .networks import FACE_INPUTS
from .regions import Regions
from .renderer import StudentRenderer
from .weights import StudentWeights


class StudentModel:
    """A student on a runtime. Used from one thread at a time."""

    family = "tha4_student"

    def __init__(
        self,
        weights: StudentWeights,
        picture: Array,
        regions: Regions,
        runtime: Runtime,
        size: int,
        precision: str = FULL,
        progress: Progress | None = None,
        processor: Runtime | None = None,
    ) -> None:
        """Weights and ``picture`` (1, 4, 512, 512, linear) have blue first. ``size``: of the pictures to make, 256 to
        1024. ``processor``: where motion is computed, ``runtime`` if none is named."""
        if not 256 <= size <= 1024:
            raise ValueError(f"expected a size from 256 to 1024, got {size}")
        self._renderer = StudentRenderer(weights, picture, regions, runtime, precision, progress)
        try:
            self._coarse = CoarseWarps(weights.body, regions.body.all, processor or runtime)
        except BaseException:
            self._renderer.close()
            raise
        try:
            self._faces = FaceChanges(weights, processor or runtime)
        except BaseException:
            self._renderer.close()
            self._coarse.close()
            raise
        self._size = size
        self._canvas: Picture = np.zeros((SIZE, SIZE, 4), np.uint8)
        self._face_shown = b""

    @property
    def size(self) -> int:
        """Width and height of the pictures it makes, in pixels."""
        return self._size

    def render(self, pose: PoseVector, out: Picture) -> None:
        """Draw the character at ``pose`` into ``out`` (size x size, premultiplied BGRA)."""
        values: NDArray[np.float32] = np.ascontiguousarray(clamp(pose)[None], np.float32)
        face = values[0, :FACE_INPUTS].tobytes()
        with_face = face != self._face_shown
        # what fails midway leaves a face nobody knows
        self._face_shown = b""
        fields = self._renderer.fields(values, with_face)
        self._face_shown = face
        if self._size == SIZE:
            self._renderer.draw(fields, out)
            return
        # premultiplied, so edges keep their colour
        self._renderer.draw(fields, self._canvas)
        method = cv2.INTER_AREA if self._size < SIZE else cv2.INTER_CUBIC
        cv2.resize(self._canvas, (self._size, self._size), dst=out, interpolation=method)
        if self._size > SIZE:
            # cubic curves overshoot: no colour may be more than its pixel's alpha
            np.minimum(out[:, :, :3], out[:, :, 3:], out=out[:, :, :3])

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement:
        """How the picture of ``rendered[-1]`` must be bent to look like ``pose``; the face stays."""
        return displacement(self._coarse.at(clamp(rendered[-1])), self._coarse.at(clamp(pose)))

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        """What the picture of ``rendered`` lacks of the face of ``pose``."""
        return self._faces.between(clamp(rendered), clamp(pose))

    def remember_up_to(self, bytes_: int) -> None:
        """How much of the device's memory faces may take that were made before."""
        self._renderer.remember_up_to(bytes_)

    def close(self) -> None:
        """Give the sessions back."""
        self._renderer.close()
        self._coarse.close()
        self._faces.close()
