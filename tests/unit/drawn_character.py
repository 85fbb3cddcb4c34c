"""A character drawn for tests: every part in a colour of its own, in the framing of the THA networks."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture
from models.face_parts import BrowPlace, EyePlace, FaceParts, HeadBox, MouthPlace, Point

SKIN: Final = (220, 232, 252)
HAIR: Final = (60, 90, 140)
IRIS: Final = (230, 130, 20)
INK: Final = (40, 25, 35)
MOUTH: Final = (90, 80, 150)
CLOTHES: Final = (150, 60, 60)
_FINER: Final = 4

PARTS: Final = FaceParts(
    head=HeadBox(192.0, 64.0, 320.0, 192.0),
    chin=Point(256.0, 190.0),
    neck=Point(256.0, 204.0),
    eye_left=EyePlace(Point(278.0, 146.0), 13.0, 11.0, Point(278.0, 147.0), 8.0, 9.0),
    eye_right=EyePlace(Point(234.0, 146.0), 13.0, 11.0, Point(234.0, 147.0), 8.0, 9.0),
    mouth=MouthPlace(Point(256.0, 174.0), 8.0),
    brow_left=BrowPlace(Point(278.0, 127.0), 11.0, 3.0),
    brow_right=BrowPlace(Point(234.0, 127.0), 11.0, 3.0),
)
"""Where the drawn parts are."""


def drawn_character() -> Picture:
    """The character, 512 x 512 BGRA uint8, straight alpha, black where fully transparent."""
    side = 512 * _FINER
    colour, alpha = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)

    def ellipse(centre: tuple[float, float], half: tuple[float, float], fill: tuple[int, int, int]) -> None:
        for canvas, value in ((colour, fill), (alpha, (255,))):
            cv2.ellipse(canvas, _place(*centre), _place(*half), 0, 0, 360, value, -1)

    def arc(
        centre: tuple[float, float],
        half: tuple[float, float],
        span: tuple[int, int],
        width: float,
        ink: tuple[int, ...],
    ) -> None:
        cv2.ellipse(colour, _place(*centre), _place(*half), 0, *span, ink, round(width * _FINER))

    def polygon(corners: list[tuple[float, float]], fill: tuple[int, int, int]) -> None:
        for canvas, value in ((colour, fill), (alpha, (255,))):
            cv2.fillPoly(canvas, [np.array([_place(*corner) for corner in corners], np.int32)], value)

    ellipse((256, 126), (62, 64), HAIR)
    polygon([(196, 130), (206, 260), (228, 260), (228, 150)], HAIR)
    polygon([(316, 130), (306, 260), (284, 260), (284, 150)], HAIR)
    polygon([(242, 180), (270, 180), (270, 214), (242, 214)], SKIN)
    polygon([(216, 214), (296, 214), (330, 300), (316, 512), (196, 512), (182, 300)], CLOTHES)
    ellipse((256, 148), (46, 43), SKIN)
    arc((256, 148), (46, 43), (20, 160), 1.2, (120, 130, 190))
    polygon([(214, 118), (298, 118), (290, 96), (222, 96)], HAIR)
    for x in (234.0, 278.0):
        ellipse((x, 146), (12, 10), (255, 255, 255))
        ellipse((x, 147), (8, 9), IRIS)
        ellipse((x, 147), (3, 4), INK)
        arc((x, 146), (13, 11), (190, 350), 2.4, INK)
        arc((x, 146), (12, 10), (30, 150), 1.0, INK)
        arc((x, 131), (11, 5), (205, 335), 2.0, INK)
    arc((256, 170), (8, 4), (20, 160), 1.4, MOUTH)
    # What is not drawn on is black, so the mean colour is premultiplied by how much of a pixel was drawn on.
    drawn = np.dstack([colour, alpha]).astype(np.float32)
    small = np.asarray(cv2.resize(drawn, (512, 512), interpolation=cv2.INTER_AREA), np.float32)
    small[..., :3] *= 255.0 / np.maximum(small[..., 3:], 1.0)
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)


def coloured(picture: Picture, colour: tuple[int, int, int], tolerance: int = 60) -> NDArray[np.bool_]:
    """Where a picture shows about this colour."""
    away = np.abs(picture[..., :3].astype(np.int16) - np.array(colour, np.int16)).max(axis=2)
    return np.asarray((away < tolerance) & (picture[..., 3] > 200))


def _place(x: float, y: float) -> tuple[int, int]:
    return round(x * _FINER), round(y * _FINER)
