"""Does what enlarges pictures do it rightly here? Asked once when it is opened.

Some drivers compute these networks wrongly (everything green, nothing there), and a library without a device may give
whatever lay in the memory.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.base import Picture
from models.self_check import difference

from .base import FACTOR, SIDE


def trial_picture() -> Picture:
    """An opaque picture, 512 x 512, of soft coloured clouds: whatever enlarges it should add nothing to it."""
    noise = np.random.default_rng(1).standard_normal((SIDE // 8, SIDE // 8, 3))
    clouds = cv2.GaussianBlur(noise, (0, 0), 1.0)
    levels = cv2.resize(clouds / np.abs(clouds).max() * 100.0 + 128.0, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    opaque = np.full((SIDE, SIDE, 4), 255, np.uint8)
    opaque[:, :, :3] = np.clip(np.rint(levels), 0, 255)
    return opaque


def wrong(enlarged: Picture, part_of_trial: Picture) -> str:
    """The key of what is wrong with a part of the trial picture after it was enlarged; empty when nothing is."""
    size = (part_of_trial.shape[1] * FACTOR, part_of_trial.shape[0] * FACTOR)
    wanted = cv2.resize(part_of_trial, size, interpolation=cv2.INTER_CUBIC)
    return difference(enlarged, np.asarray(wanted, np.uint8))
