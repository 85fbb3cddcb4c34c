"""The mouth's shapes as a few numbers each, and how the pose mixes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from core.pose.parameters import Pose, PoseVector


class MouthShape(NamedTuple):
    """An open mouth. Lengths are in units of the closed mouth's half width."""

    half_width: float
    upper: float
    """How far the upper lip's middle is above the corners."""
    lower: float
    """How far the lower lip's middle is below the corners."""
    upper_roundness: float
    """1: the upper lip rises straight to its middle; smaller: rounder, at last a box."""
    lower_roundness: float
    teeth: float
    """How much of the upper teeth shows, 0..1."""
    tongue: float
    """How high the tongue stands, 0..1."""


SHAPES: Final[dict[Pose, MouthShape]] = {
    Pose.MOUTH_AAA: MouthShape(0.98, 0.28, 1.25, 0.55, 0.46, 0.16, 0.50),
    Pose.MOUTH_III: MouthShape(1.12, 0.16, 0.52, 0.30, 0.48, 0.85, 0.25),
    Pose.MOUTH_UUU: MouthShape(0.46, 0.34, 0.46, 0.50, 0.50, 0.00, 0.20),
    Pose.MOUTH_EEE: MouthShape(1.02, 0.22, 0.82, 0.40, 0.42, 0.45, 0.50),
    Pose.MOUTH_OOO: MouthShape(0.62, 0.52, 0.90, 0.50, 0.50, 0.00, 0.35),
    Pose.MOUTH_DELTA: MouthShape(0.86, 0.62, 0.42, 1.05, 0.16, 0.00, 0.45),
}

_TABLE: Final = np.array(list(SHAPES.values()))


@dataclass(frozen=True)
class MouthValues:
    """What the pose asks of the mouth."""

    shape: MouthShape
    amount: float
    """How far from rest toward ``shape``, 0..1."""
    left_up: float
    """How far the corner on the picture's left is raised, in units of the mouth's half width; below 0 is lowered."""
    right_up: float

    @staticmethod
    def of(pose: PoseVector) -> MouthValues:
        """Shapes asked for together blend in proportion; together they open the mouth as far as their sum."""
        weights = np.array([max(0.0, float(pose[value])) for value in SHAPES])
        total = float(weights.sum())
        mixed = _TABLE[0] if total <= 0.0 else weights @ _TABLE / total
        smirk = float(pose[Pose.MOUTH_SMIRK])
        left = float(pose[Pose.MOUTH_RAISED_CORNER_RIGHT]) - float(pose[Pose.MOUTH_LOWERED_CORNER_RIGHT])
        right = float(pose[Pose.MOUTH_RAISED_CORNER_LEFT]) - float(pose[Pose.MOUTH_LOWERED_CORNER_LEFT])
        return MouthValues(
            shape=MouthShape(*(float(value) for value in mixed)),
            amount=min(1.0, total),
            left_up=0.30 * left - 0.10 * smirk,
            right_up=0.30 * right + 0.34 * smirk,
        )

    @property
    def jaw(self) -> float:
        """How far the jaw hangs, 0..1."""
        return self.amount * min(1.0, self.shape.lower / SHAPES[Pose.MOUTH_AAA].lower)
