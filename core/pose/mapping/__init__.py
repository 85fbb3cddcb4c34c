"""From each vocabulary a tracker may speak to the 45 pose values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import PoseVector
from core.pose.sample import HeadAngles

from . import arkit, arkit_names, direct, openseeface, vrm

Mapper: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float32], HeadAngles], PoseVector]
"""``(values, neutral values, head angles relative to neutral in degrees) -> pose``, not clamped, not mirrored."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """How one vocabulary is read."""

    to_pose: Mapper
    shapes: NDArray[np.bool_] | None = None
    """True for each value that is 0 at rest and 1 at its full: a calibration stretches these before they are mapped.
    None: there are none."""


MAPPINGS: dict[str, Mapping] = {
    direct.VOCABULARY: Mapping(direct.to_pose),
    arkit_names.VOCABULARY: Mapping(arkit.to_pose, arkit.SHAPES),
    vrm.VOCABULARY: Mapping(vrm.to_pose, vrm.SHAPES),
    openseeface.VOCABULARY: Mapping(openseeface.to_pose),
}
"""Vocabulary name (``TrackerSample.vocabulary``) and what reads it."""
