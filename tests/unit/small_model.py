"""A character that costs nothing to draw: its picture tells which pose it shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.pose.parameters import PoseVector
from models.base import Picture
from models.motion import CELLS, Displacement, FaceChange


class SmallModel:
    """Notes every call; paints all pixels with the pose's first value (of 255), and bends nothing anywhere."""

    family = "small"

    def __init__(self, size: int = 4) -> None:
        self.size = size
        self.rendered: list[float] = []
        self.bent: list[tuple[float, float]] = []
        """The first values of the picture's pose and of the pose it was bent to."""
        self.memory_bytes = -1

    def render(self, pose: PoseVector, out: Picture) -> None:
        self.rendered.append(round(float(pose[0]), 4))
        out[:] = round(float(pose[0]) * 255)

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        self.bent.append((round(float(rendered[-1][0]), 4), round(float(pose[0]), 4)))
        return np.zeros((CELLS, CELLS, 2), np.float32)

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        return None

    def remember_up_to(self, bytes_: int) -> None:
        self.memory_bytes = bytes_

    def close(self) -> None:
        pass
