"""What the tests of models on Windows share."""

from __future__ import annotations

import numpy as np

from core.pose.parameters import PoseVector
from models.base import CharacterModel, Picture


def draw(model: CharacterModel, pose: PoseVector) -> Picture:
    """One picture."""
    out = np.zeros((model.size, model.size, 4), np.uint8)
    model.render(pose, out)
    return out
