"""A character that costs nothing to draw: its picture tells which pose it shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.pose.parameters import PoseVector
from models.base import KeyFrame, Picture


@dataclass(frozen=True)
class SmallKey:
    pose: PoseVector
    fields: None = None


class SmallModel:
    """Notes every call; paints all pixels with the pose's first value (of 255), or with what lies between two."""

    family = "small"

    def __init__(self, size: int = 4) -> None:
        self.size = size
        self.rendered: list[float] = []
        self.between_calls: list[tuple[float, float, float]] = []

    def render(self, pose: PoseVector, out: Picture) -> SmallKey:
        self.rendered.append(round(float(pose[0]), 4))
        out[:] = round(float(pose[0]) * 255)
        return SmallKey(pose)

    def between(self, older: KeyFrame, newer: KeyFrame, fraction: float, out: Picture) -> None:
        first, second = round(float(older.pose[0]), 4), round(float(newer.pose[0]), 4)
        self.between_calls.append((first, second, round(fraction, 4)))
        out[:] = round(float(np.interp(fraction, [0, 1], [first, second])) * 255)

    def close(self) -> None:
        pass
