"""Each pose value bent the way the user wants it: gain, curve, dead zone."""

from __future__ import annotations

import numpy as np

from core.wire.pose_values import indices, read_tuning

from .parameters import POSE_SIZE, PoseVector


class TunedValues:
    """Made from the text of the ``tuning`` setting."""

    def __init__(self, text: str) -> None:
        tuned = read_tuning(text)
        self._gain, self._curve = np.ones(POSE_SIZE, np.float32), np.ones(POSE_SIZE, np.float32)
        self._dead = np.zeros(POSE_SIZE, np.float32)
        for name, tuning in sorted(tuned.items(), key=lambda entry: -len(indices(entry[0]))):
            place = indices(name)
            self._gain[place], self._curve[place], self._dead[place] = tuning
        self._is_plain = not tuned

    def __call__(self, pose: PoseVector) -> PoseVector:
        """``sign * (dead zone taken off |value| * gain) ** (1 / curve)``; a new array, or ``pose`` when nothing is
        tuned."""
        if self._is_plain:
            return pose
        size = (np.abs(pose) * self._gain - self._dead) / (1.0 - self._dead)
        return np.asarray(np.sign(pose) * np.maximum(size, 0.0) ** (1.0 / self._curve), np.float32)
