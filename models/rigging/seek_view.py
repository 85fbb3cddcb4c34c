"""A character's picture seen as how unlike skin every pixel is."""

from __future__ import annotations

import cv2
import numpy as np

from ..base import Picture
from .fill import Plane
from .places import PICTURE_SIZE, HeadBox
from .skin import skin_colour, to_lab, unlikeness


class FaceView:
    """The picture seen as distance from its skin colour.

    ``difference`` (512, 512) float32 is 0 where skin is and 1 where it certainly is not (outside the figure too);
    ``darkness`` (512, 512) float32 is how much darker than skin, in units of L*/100; ``white`` (512, 512) float32 is 1
    where the white of an eye may be; ``lab`` is CIE Lab.
    """

    def __init__(self, picture: Picture, head: HeadBox) -> None:
        self.head = head
        self.width = head.right - head.left
        self.height = head.bottom - head.top
        self.centre_x = 0.5 * (head.left + head.right)
        inside = picture[..., 3] >= 128
        self.lab = to_lab(picture)
        skin = skin_colour(picture, head)
        self.difference: Plane = np.where(inside, unlikeness(self.lab, skin), np.float32(1))
        darkness = np.clip((skin[0] - self.lab[..., 0]) / np.float32(100), 0.0, 1.0)
        chroma = np.hypot(self.lab[..., 1], self.lab[..., 2])
        pale = chroma < 0.62 * max(6.0, float(np.hypot(skin[1], skin[2])))
        self.white: Plane = (inside & pale & (self.lab[..., 0] > 0.85 * skin[0])).astype(np.float32)
        self.darkness: Plane = np.where(inside, darkness, np.float32(0))

    @staticmethod
    def window(x: float, y: float, half_width: float, half_height: float) -> tuple[slice, slice]:
        """Rows and columns of a box cut at the picture's edges; never empty."""
        left = int(np.clip(round(x - half_width), 0, PICTURE_SIZE - 2))
        top = int(np.clip(round(y - half_height), 0, PICTURE_SIZE - 2))
        right = int(np.clip(round(x + half_width), left + 1, PICTURE_SIZE))
        bottom = int(np.clip(round(y + half_height), top + 1, PICTURE_SIZE))
        return slice(top, bottom), slice(left, right)


def box_mean(plane: Plane, half_width: float, half_height: float) -> Plane:
    """The mean over a box around every pixel; the box is given by half its sides, in pixels."""
    size = (2 * max(1, round(half_width)) + 1, 2 * max(1, round(half_height)) + 1)
    return np.asarray(cv2.blur(plane, size, borderType=cv2.BORDER_REPLICATE), np.float32)
