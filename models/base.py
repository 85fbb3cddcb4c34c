"""What every family of characters can do, and the kind of picture they deal in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import PoseVector

from .motion import Displacement, FaceChange

Picture: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 4), uint8, C-contiguous. Channels B, G, R, A in sRGB; each docstring says whether alpha is
premultiplied (``colour = straight * alpha / 255`` in the same gamma-encoded values) or straight."""


class CharacterModel(Protocol):
    """A character that can be posed. Used from one thread at a time, where a method does not say otherwise."""

    @property
    def family(self) -> str:
        """``rig``, ``tha3``, ``tha4`` or ``tha4_student``."""
        ...

    @property
    def size(self) -> int:
        """Width and height of the pictures it makes, in pixels."""
        ...

    def render(self, pose: PoseVector, out: Picture) -> None:
        """Draw the character at ``pose`` into ``out`` (size x size, premultiplied)."""
        ...

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        """How the picture of ``rendered[-1]`` must be bent to look like ``pose``; None when that is not known.

        ``rendered``: the poses of the last pictures, newest last; at least one. Takes a few milliseconds at most and
        may be called from another thread while :meth:`render` runs.
        """
        ...

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        """What the picture of ``rendered`` lacks of the face of ``pose``; None when that is nothing or not known.

        Takes a few milliseconds at most and may be called from another thread while :meth:`render` runs, but not while
        :meth:`motion` does.
        """
        ...

    def remember_up_to(self, bytes_: int) -> None:
        """How much of the device's memory parts of pictures may take that were made before."""
        ...

    def close(self) -> None:
        """Give the device's memory back; safe to call twice. Nobody may be drawing."""
        ...
