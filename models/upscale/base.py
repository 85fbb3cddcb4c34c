"""What makes the avatar's picture twice as wide and high, whatever computes it."""

from __future__ import annotations

from typing import Protocol

from models.base import Picture

OFF, WAIFU2X, REAL_ESRGAN, REAL_ESRGAN_HEAD, ANIME4K = "off", "waifu2x", "real_esrgan", "real_esrgan_head", "anime4k"
KINDS = (OFF, WAIFU2X, REAL_ESRGAN, REAL_ESRGAN_HEAD, ANIME4K)
"""Values of the setting. ``real_esrgan`` halves the picture first, because the network makes four times the size;
``real_esrgan_head`` gives it the head as it is and enlarges the rest plainly."""

SIDE = 512
"""Width and height of what goes in: the size of every network's pictures."""
FACTOR = 2
SIZE = SIDE * FACTOR
"""Width and height of what comes out."""


class Upscaler(Protocol):
    """Makes pictures larger, one at a time. Used from one thread at a time."""

    @property
    def size(self) -> int:
        """Width and height of what it makes, in pixels."""
        ...

    def apply(self, picture: Picture, out: Picture) -> None:
        """Enlarge ``picture`` (512 x 512 BGRA uint8, premultiplied) into ``out`` (size x size, the same kind).

        No colour of ``out`` is larger than its alpha. Raises RuntimeFailed, and ValueError for other sizes.
        """
        ...

    def close(self) -> None:
        """Give the device's memory back; safe to call twice."""
        ...
