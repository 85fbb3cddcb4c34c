"""Where the test data lie, and the recorded poses among them."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Poses = NDArray[np.float32]
"""Shape (frames, 45)."""

TRACE = Path("pose") / "pose_20fps.json.gz"


def folder() -> Path:
    """``EASYVTUBER_TEST_DATA``, else beside the project."""
    given = os.environ.get("EASYVTUBER_TEST_DATA")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"


def trace() -> Poses | None:
    """A recorded session at 20 poses a second; None where it is not here."""
    file = folder() / TRACE
    if not file.is_file():
        return None
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        return np.array(json.load(stream), np.float32)


def every_value_changing(poses: Poses) -> Poses:
    """The poses with a barely visible wobble on each value: a tracker leaves many values alone."""
    from core.pose.parameters import MAXIMUM, MINIMUM

    frames, values = np.arange(len(poses))[:, None], np.arange(poses.shape[1])[None]
    return np.asarray(np.clip(poses + 0.02 * np.sin(frames * 0.7 + values), MINIMUM, MAXIMUM), np.float32)
