"""Where a figure has to go so that its head is where the THA networks look for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ..base import Picture
from ..character import PICTURE_SIZE, fit
from ..face_parts import HeadBox
from .figure import Bounds
from .head import FoundHead
from .scaling import premultiplied, straight

FRAME: Final = HeadBox(192.0, 64.0, 320.0, 192.0)
"""Where the head belongs in a character's picture, 512 x 512."""
_CHIN_Y: Final = 191.0
_MIDDLE_X, _MIDDLE_Y = 256.0, 128.0
_HEAD_HEIGHT: Final = 128.0
_MOST_STRETCHED: Final = 1.3
_MOST_LOWERED: Final = 32.0
_SAME_SCALE, _SAME_PLACE = 0.06, 6.0
"""How far a head may be off before a picture that is framed already is framed anew."""


@dataclass(frozen=True, slots=True)
class Framing:
    """``place in the character's picture = scale * place + (right, down)``."""

    scale: float
    right: float
    down: float
    stretched: float = 1.0
    """How much larger than its head asks for the figure was made to stand on the bottom edge."""
    lowered: float = 0.0
    """How many pixels lower."""
    gap: float = 0.0
    """Pixels that are left between the figure and the bottom edge all the same."""

    def place(self, box: HeadBox) -> HeadBox:
        """A box of the picture, in the character's picture."""
        return HeadBox(
            self.scale * box.left + self.right,
            self.scale * box.top + self.down,
            self.scale * box.right + self.right,
            self.scale * box.bottom + self.down,
        )


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a head is from where it belongs."""

    scale: float
    """The factor by which it has to grow."""
    right: float
    down: float
    """Pixels of the character's picture by which its middle and its chin have to move, at that scale."""

    @property
    def fits(self) -> bool:
        """Close enough to be left alone."""
        return abs(self.scale - 1.0) <= _SAME_SCALE and max(abs(self.right), abs(self.down)) <= _SAME_PLACE


def offset_in_frame(head: FoundHead, height: int, width: int) -> Offset:
    """How far off the head is when the picture is scaled to 512 x 512 as it is (standing on the bottom, centred)."""
    plain = as_it_is(height, width)
    box = plain.place(head.box)
    return Offset(_HEAD_HEIGHT / (box.bottom - box.top), _MIDDLE_X - 0.5 * (box.left + box.right), _CHIN_Y - box.bottom)


def as_it_is(height: int, width: int) -> Framing:
    """What reading a character does to any picture."""
    scale = PICTURE_SIZE / max(height, width)
    return Framing(scale, 0.5 * (PICTURE_SIZE - scale * width), PICTURE_SIZE - scale * height)


def find_framing(head: FoundHead, figure: Bounds) -> Framing:
    """Head to its place; a figure that ends above the bottom edge is made a little larger and lower."""
    scale = _HEAD_HEIGHT / head.height
    middle_y = _CHIN_Y - 0.5 * _HEAD_HEIGHT
    head_middle_y = head.box.bottom - 0.5 * head.height
    below = scale * (figure.bottom - head_middle_y)
    # the last row is a mixture with nothing: a pixel more, and it lies outside
    needed = PICTURE_SIZE + 1.0 - middle_y
    stretched, lowered, gap = 1.0, 0.0, 0.0
    if below < needed:
        stretched = float(np.clip((needed - 0.5 * _MOST_LOWERED) / below, 1.0, _MOST_STRETCHED))
        lowered = float(np.clip(needed - stretched * below, 0.0, _MOST_LOWERED))
        gap = max(0.0, needed - 1.0 - stretched * below - lowered)
        if gap > 0.5:
            # a bust without a body stays one: then at least the head is where it belongs
            stretched, lowered, gap = 1.0, 0.0, needed - 1.0 - below
    scale *= stretched
    right = _MIDDLE_X - scale * head.centre_x
    down = middle_y + lowered - scale * head_middle_y
    return Framing(scale, right, down, stretched, lowered, gap)


def apply_framing(picture: Picture, framing: Framing) -> Picture:
    """The character's picture, 512 x 512 straight BGRA."""
    scale = framing.scale
    height, width = picture.shape[:2]
    left, top = _first(-framing.right / scale), _first(-framing.down / scale)
    right = min(width, int((PICTURE_SIZE - framing.right) / scale) + 4)
    bottom = min(height, int((PICTURE_SIZE - framing.down) / scale) + 4)
    if right <= left or bottom <= top:
        return np.zeros((PICTURE_SIZE, PICTURE_SIZE, 4), np.uint8)
    pixels = premultiplied(picture[top:bottom, left:right])
    shift_x, shift_y = framing.right + scale * left, framing.down + scale * top
    if scale < 1.0:
        size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
        smaller = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
        return straight(_placed(smaller, round(shift_x), round(shift_y)))
    # the middle of a pixel is at a half
    matrix = np.array([[scale, 0, shift_x + 0.5 * scale - 0.5], [0, scale, shift_y + 0.5 * scale - 0.5]], np.float64)
    larger = np.clip(
        cv2.warpAffine(
            pixels, matrix, (PICTURE_SIZE, PICTURE_SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
        0.0,
        255.0,
    )
    # a figure that the picture's edge cuts ends there, instead of fading out
    larger[: max(0, round(shift_y))] = 0.0
    larger[:, : max(0, round(shift_x))] = 0.0
    larger[max(0, round(shift_y + scale * pixels.shape[0])) :] = 0.0
    larger[:, max(0, round(shift_x + scale * pixels.shape[1])) :] = 0.0
    # ringing must not make a colour brighter than its alpha allows
    larger[..., :3] = np.minimum(larger[..., :3], larger[..., 3:])
    return straight(np.asarray(larger, np.float32))


def fit_whole(picture: Picture, figure: Bounds) -> Picture:
    """The figure as large as it goes, standing on the bottom edge, for figures whose head nobody found."""
    return fit(np.ascontiguousarray(picture[figure.top : figure.bottom, figure.left : figure.right]))


def _first(place: float) -> int:
    return max(0, int(np.floor(place)) - 3)


def _placed(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.float32]], x: int, y: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    canvas = np.zeros((PICTURE_SIZE, PICTURE_SIZE, 4), np.float32)
    height, width = pixels.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(PICTURE_SIZE, x + width), min(PICTURE_SIZE, y + height)
    if right > left and bottom > top:
        canvas[top:bottom, left:right] = pixels[top - y : bottom - y, left - x : right - x]
    return canvas
