"""From each vocabulary a tracker may speak to the 45 pose values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import PoseVector
from core.pose.sample import HeadAngles

from . import direct, openseeface

Mapper: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float32], HeadAngles], PoseVector]
"""``(values, neutral values, head angles relative to neutral in degrees) -> pose``, not clamped, not mirrored."""

MAPPERS: dict[str, Mapper] = {
    direct.VOCABULARY: direct.to_pose,
    openseeface.VOCABULARY: openseeface.to_pose,
}
"""Vocabulary name (``TrackerSample.vocabulary``) and what reads it."""
