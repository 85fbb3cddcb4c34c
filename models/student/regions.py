"""How each pixel of a student is computed: the three quality tiers as masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .composition import FACE_SIZE, SIZE
from .points import Mask


@dataclass(frozen=True, slots=True)
class Split:
    """Points of one network's grid: at full size, with only the last level at full size, at half size. Disjoint."""

    exact: Mask
    sharp: Mask
    soft: Mask

    @property
    def all(self) -> Mask:
        """Every point that is computed."""
        return np.asarray(self.exact | self.sharp | self.soft, np.bool_)

    def within(self, mask: Mask) -> Split:
        """Those of the points that are in a mask."""
        return Split(self.exact & mask, self.sharp & mask, self.soft & mask)

    @staticmethod
    def exactly(mask: Mask) -> Split:
        """Everything at full size."""
        nothing = np.zeros_like(mask)
        return Split(mask, nothing, nothing)

    @staticmethod
    def mixed(sharp: Mask, soft: Mask) -> Split:
        """Nothing at full size throughout."""
        return Split(np.zeros_like(sharp), sharp, soft)


@dataclass(frozen=True, slots=True)
class Regions:
    """What is computed of the body (512 x 512) and of the face (128 x 128, all of it)."""

    body: Split
    face: Split


def whole_face() -> Mask:
    """Shape (128, 128)."""
    return np.ones((FACE_SIZE, FACE_SIZE), np.bool_)


def everywhere() -> Regions:
    """Every pixel at full size: what a character need not be examined for."""
    return Regions(Split.exactly(np.ones((SIZE, SIZE), np.bool_)), Split.exactly(whole_face()))
