"""Samples that are pose vectors already (debug motion, manual sliders)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import PoseVector
from core.pose.sample import HeadAngles

VOCABULARY = "pose"


def to_pose(values: NDArray[np.float32], neutral: NDArray[np.float32], head: HeadAngles) -> PoseVector:
    """The values as they are: somebody chose them, so neither neutral nor head angles change them."""
    return values
