"""A time drawn into the picture and read back from it: how latency is measured through the real OBS.

64 bits as an 8 x 8 chessboard of black and white squares in the top left corner: 48 bits of microseconds, 8 bits of
frame count, 8 bits of check sum. The squares are large enough to survive scaling and compression.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BOARD = 8
BOARD_SHARE = 1 / 8
"""Width and height of the chessboard as a share of the picture's."""
_MICROSECONDS = (1 << 48) - 1
_WEIGHTS = (np.uint64(1) << np.arange(64, dtype=np.uint64)).reshape(BOARD, BOARD)


def draw(picture: NDArray[np.uint8], time_ns: int, count: int) -> None:
    """Draw ``time_ns`` (to the microsecond) and the low 8 bits of ``count`` into a BGRA picture, opaque."""
    micros = (time_ns // 1000) & _MICROSECONDS
    word = micros | ((count & 255) << 48)
    word |= _check(word) << 56
    bits = (_WEIGHTS & np.uint64(word)) != 0
    # sizes that are no multiple of 64 get squares of two sizes, so that the board still ends where it should
    sides = np.diff(np.rint(np.arange(BOARD + 1) * (picture.shape[0] * BOARD_SHARE / BOARD)).astype(int))
    board = (bits * np.uint8(255)).repeat(sides, 0).repeat(sides, 1)
    height, width = board.shape
    picture[:height, :width, :3] = board[:, :, None]
    picture[:height, :width, 3] = 255


def read(picture: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Time in nanoseconds and frame count from a picture (any channel order) that shows the whole avatar.

    None when the check sum does not fit: nothing drawn, or something lies over it.
    """
    side = picture.shape[0] * BOARD_SHARE / BOARD
    centres = np.minimum(((np.arange(BOARD) + 0.5) * side).astype(int), picture.shape[0] - 1)
    bright = picture[np.ix_(centres, np.minimum(centres, picture.shape[1] - 1))][..., 1] > 127
    return decode(int((_WEIGHTS * bright.astype(np.uint64)).sum()))


def decode(word: int) -> tuple[int, int] | None:
    """Time in nanoseconds and frame count from the chessboard's 64 bits, the first row's first square lowest."""
    if _check(word & ((1 << 56) - 1)) != word >> 56:
        return None
    return (word & _MICROSECONDS) * 1000, (word >> 48) & 255


def _check(word: int) -> int:
    total = 0x5A
    for byte in word.to_bytes(7, "little"):
        total = (total * 31 + byte) & 255
    return total
