"""What lies behind a figure in a picture without transparency: one colour, a soft gradient, a painted checkerboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from .checkerboard import Checkerboard, find_checkerboard

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

PLAIN, GRADIENT, CHECKERBOARD, BUSY = "plain", "gradient", "checkerboard", "busy"

_SURVEY_SIDE: Final = 512
_LEAST_SHARE: Final = 0.6
"""Part of the picture's border (bottom left out) that has to show the background."""
_PLAIN_REACH: Final = 7.0
_EVEN: Final = 2.5


@dataclass(frozen=True, slots=True)
class Background:
    """What a picture's border says about what is behind the figure."""

    kind: str
    """``PLAIN``, ``GRADIENT``, ``CHECKERBOARD`` or ``BUSY`` (nothing that could be told from a figure)."""
    share: float
    """Part of the border that shows it, 0..1."""
    colour: tuple[int, int, int]
    """Its commonest colour, B, G, R."""
    noise: float
    """How far its pixels stray from it, 95th percentile, Lab distance (JPEG noise: 1 to 4)."""
    coefficients: Floats | None = None
    """(10, 3): the gradient's polynomial in place, see ``paint``; None for other kinds."""
    board: Checkerboard | None = None

    @property
    def vivid(self) -> bool:
        """Of a colour that figures hardly have themselves, as a green screen's."""
        lab = to_lab(np.array([[self.colour]], np.float32))[0, 0]
        return bool(np.hypot(lab[1], lab[2]) > 45.0)

    def paint(self, height: int, width: int) -> Floats:
        """The background without the figure, (height, width, 3), B, G, R of 0..255."""
        if self.board is not None:
            return self.board.paint(height, width)
        if self.coefficients is None:
            return np.full((height, width, 3), self.colour, np.float32)
        small = polynomial(_SURVEY_SIDE // 4, _SURVEY_SIDE // 4) @ self.coefficients
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(large, 0.0, 255.0), np.float32)


def find_background(picture: Picture) -> Background:
    """Look at an opaque picture's border; alpha is not looked at."""
    longest = max(picture.shape[:2])
    if longest > _SURVEY_SIDE:
        factor = _SURVEY_SIDE / longest
        size = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
        # nearest: averages would hide noise and mix a checkerboard's fields
        survey = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    else:
        survey = picture
    colour = survey[..., :3].astype(np.float32)
    lab = to_lab(colour)
    rows, columns = _border(*survey.shape[:2])
    seen = lab[rows, columns]
    commonest = _commonest(seen)
    away = _distance(seen, commonest)
    near = away < _PLAIN_REACH
    share = float(near.mean())
    bgr = np.median(colour[rows, columns][near], axis=0)
    plain = (round(float(bgr[0])), round(float(bgr[1])), round(float(bgr[2])))
    noise = float(np.percentile(_distance(seen[near], to_lab(bgr.reshape(1, 1, 3).astype(np.float32))[0, 0]), 95))
    if share >= _LEAST_SHARE and noise <= _EVEN:
        return Background(PLAIN, share, plain, noise)
    board = find_checkerboard(picture)
    if board is not None:
        return Background(CHECKERBOARD, board.share, board.light, board.noise, board=board)
    if share >= _LEAST_SHARE and not _slopes(colour, rows[near], columns[near]):
        return Background(PLAIN, share, plain, noise)
    gradient = _gradient(colour, lab, rows, columns)
    if gradient is not None:
        return gradient
    if share >= _LEAST_SHARE:
        return Background(PLAIN, share, plain, _EVEN)
    return Background(BUSY, share, plain, 0.0)


def to_lab(colour: Floats) -> Floats:
    """CIE Lab of B, G, R in 0..255."""
    return np.asarray(cv2.cvtColor(colour * np.float32(1 / 255), cv2.COLOR_BGR2LAB), np.float32)


def polynomial(height: int, width: int) -> Floats:
    """(height, width, 10): every product of x and y up to the third degree, each -1..1 across the picture."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = (np.ones_like(x), x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3)
    return np.stack(terms, axis=-1).astype(np.float32)


def _border(height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pixels along the top and both sides: figures stand on the bottom."""
    edge = max(1, min(height, width) // 80)
    along = np.zeros((height, width), bool)
    along[:edge] = True
    along[: max(1, round(0.85 * height)), :edge] = True
    along[: max(1, round(0.85 * height)), width - edge :] = True
    rows, columns = np.nonzero(along)
    return rows, columns


def _commonest(lab: Floats) -> Floats:
    """The mean around the fullest cell of a coarse grid of colours."""
    cells = np.floor(lab / np.float32(6)).astype(np.int64)
    keys = (cells[:, 0] * 512 + cells[:, 1] + 256) * 512 + cells[:, 2] + 256
    values, counts = np.unique(keys, return_counts=True)
    middle = np.median(lab[keys == values[int(np.argmax(counts))]], axis=0)
    return np.asarray(np.median(lab[_distance(lab, middle) < 6.0], axis=0), np.float32)


def _distance(lab: Floats, other: Floats) -> Floats:
    return np.asarray(np.sqrt(((lab - other) ** 2).sum(axis=-1)), np.float32)


def _slopes(colour: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> bool:
    """Whether colours drift across the border by more than their noise."""
    height, width = colour.shape[:2]
    seen = colour[rows, columns]
    place = np.stack([np.ones(len(rows)), rows / height - 0.5, columns / width - 0.5], axis=1)
    slope = np.linalg.lstsq(place, seen, rcond=None)[0][1:]
    return bool(np.abs(slope).max() > 3.0)


def _gradient(colour: Floats, lab: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Background | None:
    """A polynomial in place through the border's colours; figures that reach the border are left out step by step."""
    terms = polynomial(*colour.shape[:2])
    # the second degree only: from the border alone, the third would run wild in the middle
    base, seen = terms[rows, columns][:, :6].astype(np.float64), colour[rows, columns].astype(np.float64)
    weight: NDArray[np.float64] = np.ones(len(rows))
    fitted: NDArray[np.float64] = np.zeros((6, 3))
    for _ in range(12):
        fitted = np.asarray(np.linalg.lstsq(base * weight[:, None], seen * weight[:, None], rcond=None)[0], np.float64)
        away = np.abs(base @ fitted - seen).max(axis=1)
        weight = 1.0 / np.sqrt(np.maximum(away, 1.0))
    coefficients = np.zeros((10, 3), np.float32)
    coefficients[:6] = fitted
    away = _distance(to_lab((base @ fitted).astype(np.float32)[None])[0], lab[rows, columns])
    near = away < _PLAIN_REACH
    share = float(near.mean())
    if share < _LEAST_SHARE:
        return None
    middle = np.median(seen[near], axis=0)
    noise = float(np.percentile(away[near], 95))
    return Background(GRADIENT, share, (int(middle[0]), int(middle[1]), int(middle[2])), noise, coefficients)
