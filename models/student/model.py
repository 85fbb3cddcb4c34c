"""A THA4 student as a character that can be posed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from accel.base import FULL, Array, Progress, Runtime
from core.pose.parameters import PoseVector, clamp
from models.base import KeyFrame, MotionFields, Picture

from .composition import FIELD_CHANNELS, SIZE
from .networks import FACE_INPUTS
from .points import Indices
from .regions import Regions
from .renderer import Fields, StudentRenderer
from .weights import StudentWeights


@dataclass(frozen=True, slots=True)
class StudentKeyFrame:
    """A picture the student made: its pose and the fields it was made of."""

    pose: PoseVector
    parts: Fields
    points: Sequence[Indices]

    @property
    def fields(self) -> MotionFields:
        """The network's fields, 512 x 512, zero where nothing is visible. On a graphics card they can be had until two
        more pictures were rendered."""
        dense = np.zeros((SIZE, SIZE, FIELD_CHANNELS), np.float32)
        for points, part in zip(self.points, self.parts, strict=True):
            dense[points[:, 0], points[:, 1]] = part if isinstance(part, np.ndarray) else part.read()
        return MotionFields(
            np.ascontiguousarray(dense[:, :, :2]),
            np.ascontiguousarray(dense[:, :, 2]),
            np.ascontiguousarray(dense[:, :, [5, 4, 3, 6]]),
        )


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
    ) -> None:
        """Weights and ``picture`` (1, 4, 512, 512, linear) have blue first. ``size``: of the pictures to make, 256 to
        1024."""
        if not 256 <= size <= 1024:
            raise ValueError(f"expected a size from 256 to 1024, got {size}")
        self._renderer = StudentRenderer(weights, picture, regions, runtime, precision, progress)
        self._size = size
        self._canvas: Picture = np.zeros((SIZE, SIZE, 4), np.uint8)
        self._face_shown = b""

    @property
    def size(self) -> int:
        """Width and height of the pictures it makes, in pixels."""
        return self._size

    def render(self, pose: PoseVector, out: Picture) -> StudentKeyFrame:
        """Draw the character at ``pose`` into ``out`` (size x size, premultiplied BGRA)."""
        clamped = clamp(pose)
        values: NDArray[np.float32] = np.ascontiguousarray(clamped[None], np.float32)
        face = values[0, :FACE_INPUTS].tobytes()
        with_face = face != self._face_shown
        # what fails midway leaves a face nobody knows
        self._face_shown = b""
        fields = self._renderer.fields(values, with_face)
        self._face_shown = face
        self._finish(lambda canvas: self._renderer.draw(fields, canvas), out)
        return StudentKeyFrame(clamped, fields, self._renderer.points)

    def between(self, older: KeyFrame, newer: KeyFrame, fraction: float, out: Picture) -> None:
        """Draw ``fraction`` (0..1) of the way between two key frames: their fields in between, the newest face."""
        if not (isinstance(older, StudentKeyFrame) and isinstance(newer, StudentKeyFrame)):
            raise TypeError("expected key frames that this model rendered")
        share = min(max(fraction, 0.0), 1.0)
        first, second = older.parts, newer.parts
        self._finish(lambda canvas: self._renderer.draw_between(first, second, share, canvas), out)

    def close(self) -> None:
        """Give the sessions back."""
        self._renderer.close()

    def _finish(self, draw: Callable[[Array], None], out: Picture) -> None:
        """Draw at the network's size, then scale to the output's: premultiplied, so edges keep their colour."""
        if self._size == SIZE:
            draw(out)
            return
        draw(self._canvas)
        method = cv2.INTER_AREA if self._size < SIZE else cv2.INTER_CUBIC
        cv2.resize(self._canvas, (self._size, self._size), dst=out, interpolation=method)
        if self._size > SIZE:
            # cubic curves overshoot: no colour may be more than its pixel's alpha
            np.minimum(out[:, :, :3], out[:, :, 3:], out=out[:, :, :3])
