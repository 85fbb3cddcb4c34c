"""What every family of characters can do, and the kind of picture they deal in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import PoseVector

Picture: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 4), uint8, C-contiguous. Channels B, G, R, A in sRGB; each docstring says whether alpha is
premultiplied (``colour = straight * alpha / 255`` in the same gamma-encoded values) or straight."""


@dataclass(frozen=True, slots=True)
class MotionFields:
    """How a network made its picture out of the character: ``(1 - blend) * warped character + blend * colour``."""

    warp: NDArray[np.float32]
    """Shape (size, size, 2), ``size`` being the network's own: where each pixel's colour was taken from, as an offset
    (x, y) to its own place, in units of half the picture's side (the -1..1 coordinates of ONNX GridSample)."""
    blend: NDArray[np.float32]
    """Shape (size, size), or (size, size, 4) with one for each of R, G, B, A (THA3): how much of ``colour`` is in the
    pixel; about 0..1."""
    colour: NDArray[np.float32]
    """Shape (size, size, 4): R, G, B, A in linear light, -1..1 as the network has them."""


class KeyFrame(Protocol):
    """What a model remembers of a picture it rendered, so that pictures between two of them can be made."""

    @property
    def pose(self) -> PoseVector:
        """The pose it was rendered at."""
        ...

    @property
    def fields(self) -> MotionFields | None:
        """The network's own motion fields, made dense on demand; None where the family has none."""
        ...


class CharacterModel(Protocol):
    """A character that can be posed. Used from one thread at a time."""

    @property
    def family(self) -> str:
        """``rig``, ``tha3``, ``tha4`` or ``tha4_student``."""
        ...

    @property
    def size(self) -> int:
        """Width and height of the pictures it makes, in pixels."""
        ...

    def render(self, pose: PoseVector, out: Picture) -> KeyFrame:
        """Draw the character at ``pose`` into ``out`` (size x size, premultiplied)."""
        ...

    def between(self, older: KeyFrame, newer: KeyFrame, fraction: float, out: Picture) -> None:
        """Draw what lies ``fraction`` (0..1) of the way from one key frame to the next, without a full render."""
        ...

    def close(self) -> None:
        """Give the device's memory back; safe to call twice."""
        ...
