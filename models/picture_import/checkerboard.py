"""The grey-and-white checkerboard that programs show for transparency, when it was saved as part of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture

Floats = NDArray[np.float32]
Grey3 = tuple[int, int, int]

_SMALLEST_FIELD: Final = 3.0
_MOST_CHROMA: Final = 18
_LEAST_STEP: Final = 10.0
"""Difference of the two greys, of 255."""
_LEAST_SHARE: Final = 0.5
_LEAST_AGREEMENT: Final = 0.82
"""Of the border's pixels that have one of the two greys, those that have the one that is due there."""


@dataclass(frozen=True, slots=True)
class Checkerboard:
    """Two greys in square fields. The field at ``(offset_x, offset_y)`` is a light one."""

    field: float
    """Side of a field, in pixels of the picture."""
    offset_x: float
    offset_y: float
    light: Grey3
    dark: Grey3
    share: float = 1.0
    """Part of the border that shows it."""
    noise: float = 0.0
    """How far its pixels stray, Lab distance."""

    def paint(self, height: int, width: int) -> Floats:
        """The board alone, (height, width, 3) B, G, R of 0..255."""
        light = self.light_fields(np.arange(height), np.arange(width))
        dark, step = np.array(self.dark, np.float32), np.subtract(self.light, self.dark).astype(np.float32)
        return np.asarray(dark + light.astype(np.float32)[..., None] * step, np.float32)

    def nearest(self, colour: Floats) -> Floats:
        """The board as close to the picture's colours as it may be: at the seams of the fields any mixture is board."""
        height, width = colour.shape[:2]
        share = self.light_fields(np.arange(height), np.arange(width)).astype(np.float32)
        dark, step = np.array(self.dark, np.float32), np.subtract(self.light, self.dark).astype(np.float32)
        kernel = np.ones((3, 3), np.uint8)
        wanted = (colour @ step - float(dark @ step)) / float(step @ step)
        share = np.clip(wanted, cv2.erode(share, kernel), cv2.dilate(share, kernel))
        return np.asarray(dark + share[..., None] * step, np.float32)

    def light_fields(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether the fields at these rows and columns are light, (len(rows), len(columns))."""
        across = np.floor((columns + 0.5 - self.offset_x) / self.field).astype(np.int64) & 1
        down = np.floor((rows + 0.5 - self.offset_y) / self.field).astype(np.int64) & 1
        return np.asarray(across[None, :] == down[:, None], np.bool_)


class _Strip(NamedTuple):
    """A part of the picture along its border."""

    colour: NDArray[np.uint8]
    grey: Floats
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


def find_checkerboard(picture: Picture) -> Checkerboard | None:
    """The board behind an opaque picture's figure, or None."""
    if min(picture.shape[:2]) < 16:
        return None
    strips = _strips(picture)
    two = _two_greys(np.concatenate([strip.colour.reshape(-1, 3) for strip in strips]))
    if two is None:
        return None
    light, dark = two
    middle = 0.5 * (sum(light) + sum(dark)) / 3.0
    sizes = [_field(strip.grey > middle, axis) for strip in strips for axis in (0, 1)]
    known = [size for size in sizes if size is not None]
    if len(known) < 2:
        return None
    return _checked(strips, _fitted(strips, max(picture.shape[:2]), float(np.median(known)), light, dark))


def _strips(picture: Picture) -> list[_Strip]:
    """Along the top and both sides; figures stand on the bottom."""
    height, width = picture.shape[:2]
    edge = max(4, min(height, width) // 12)
    places = (
        (0, edge, 0, width),
        (edge, round(0.85 * height), 0, edge),
        (edge, round(0.85 * height), width - edge, width),
    )
    strips = []
    for top, bottom, left, right in places:
        colour = picture[top:bottom, left:right, :3]
        grey = colour.mean(axis=2, dtype=np.float32)
        strips.append(_Strip(colour, grey, np.arange(top, bottom), np.arange(left, right)))
    return strips


def _two_greys(pixels: NDArray[np.uint8]) -> tuple[Grey3, Grey3] | None:
    """Two greys that most pixels have, the lighter first."""
    pixels = pixels[:: max(1, len(pixels) // 60_000)]
    grey = pixels.mean(axis=1)
    neutral = np.ptp(pixels.astype(np.int16), axis=1) <= _MOST_CHROMA
    if neutral.mean() < 0.5:
        return None
    counts = np.bincount(grey[neutral].astype(np.int64), minlength=256).astype(np.float64)
    smooth = np.convolve(counts, np.bartlett(25), "same")
    first = int(np.argmax(smooth))
    apart = np.abs(np.arange(256) - first) >= _LEAST_STEP
    second = int(np.argmax(np.where(apart, smooth, 0.0)))
    # a checkerboard shows both about equally; a plain background with a grey figure does not
    if smooth[second] < 0.3 * smooth[first] or smooth[first] + smooth[second] < 0.45 * len(pixels):
        return None
    found = [
        np.median(pixels[neutral & (np.abs(grey - value) <= 7)], axis=0) for value in sorted((first, second))[::-1]
    ]
    light, dark = ((int(value[0]), int(value[1]), int(value[2])) for value in found)
    return light, dark


def _field(light: NDArray[np.bool_], axis: int) -> float | None:
    """The commonest length of a run along an axis, where runs are alike."""
    lines = light if axis == 1 else light.T
    # the first and the last run of a line are cut off by the picture's edge
    lengths = [np.diff(np.flatnonzero(line[1:] != line[:-1])) for line in lines[:: max(1, len(lines) // 24)]]
    runs = np.concatenate(lengths)
    runs = runs[runs >= _SMALLEST_FIELD]
    if len(runs) < 8:
        return None
    middle = float(np.median(runs))
    alike = np.abs(runs - middle) <= max(1.0, 0.15 * middle)
    return float(runs[alike].mean()) if alike.mean() > 0.6 else None


def _fitted(strips: list[_Strip], longest: int, field: float, light: Grey3, dark: Grey3) -> Checkerboard:
    """Size and place of the fields that explain the border best."""
    middle, half = 0.5 * (sum(light) + sum(dark)) / 3.0, max(1.0, 0.5 * (sum(light) - sum(dark)) / 3.0)
    signs = []
    for strip in strips:
        sign = np.clip((strip.grey - middle) / half, -1.0, 1.0)
        signs.append(np.where(np.abs(strip.grey - middle) > 1.6 * half, 0.0, sign).astype(np.complex64))
    step, steps = 0.2 * field * field / longest, round(0.3 * longest / field) + 2
    best = (0.0, field, 0.0, 0.0)
    # so close at first that no field is missed at the far end of the picture, then closer around the best
    for _ in range(3):
        best = max(best, _best_phase(strips, signs, best[1] + step * np.arange(-steps, steps + 1)))
        step, steps = step / 4.0, 4
    whole = float(round(best[1]))
    if abs(whole - best[1]) < 0.05:
        strength, size, x, y = _best_phase(strips, signs, np.array([whole]))
        # programs draw whole pixels
        best = max(best, (1.003 * strength, size, x, y))
    x, y = _aligned(strips, signs, best[1], best[2], best[3])
    return Checkerboard(best[1], x, y, light, dark)


def _aligned(
    strips: list[_Strip], signs: list[NDArray[np.complex64]], field: float, x: float, y: float
) -> tuple[float, float]:
    """Where the fields begin, to a fraction of a pixel: a few fields of a wave are too few to tell that."""
    tried = np.arange(-0.12 * field, 0.12 * field + 0.25, 0.25)
    for _ in range(2):
        scores = np.zeros(len(tried))
        for strip, sign in zip(strips, signs, strict=True):
            along = _parity(strip.rows, field, y) @ sign.real
            scores += [float(along @ _parity(strip.columns, field, x + step)) for step in tried]
        x += float(tried[scores >= scores.max() - 1e-6].mean())
        scores = np.zeros(len(tried))
        for strip, sign in zip(strips, signs, strict=True):
            along = sign.real @ _parity(strip.columns, field, x)
            scores += [float(along @ _parity(strip.rows, field, y + step)) for step in tried]
        y += float(tried[scores >= scores.max() - 1e-6].mean())
    return x, y


def _parity(places: NDArray[np.intp], field: float, first: float) -> Floats:
    """1 in every other field, -1 between."""
    return np.asarray(1.0 - 2.0 * (np.floor((places + 0.5 - first) / field) % 2), np.float32)


def _best_phase(
    strips: list[_Strip], signs: list[NDArray[np.complex64]], fields: NDArray[np.floating]
) -> tuple[float, float, float, float]:
    """Strength, size, and where a light field begins, of the best of some sizes: the board's first harmonic."""
    plus, minus = np.zeros(len(fields), np.complex128), np.zeros(len(fields), np.complex128)
    for strip, sign in zip(strips, signs, strict=True):
        across = np.exp(-1j * np.pi * (strip.columns + 0.5) / fields[:, None]).astype(np.complex64)
        down = np.exp(-1j * np.pi * (strip.rows + 0.5) / fields[:, None]).astype(np.complex64)
        columns = down @ sign
        plus += (columns * across).sum(axis=1)
        minus += (columns * np.conj(across)).sum(axis=1)
    strength = np.abs(plus) + np.abs(minus)
    i = int(np.argmax(strength))
    # a board sin(u) sin(v), with u and v the places in fields times pi, has the phases of u + v and of u - v
    total, difference = float(np.angle(-plus[i])), float(np.angle(np.conj(minus[i])))
    u, v = -0.5 * (total + difference), -0.5 * (total - difference)
    field = float(fields[i])
    return float(strength[i]), field, u * field / np.pi % (2 * field), v * field / np.pi % (2 * field)


def _checked(strips: list[_Strip], board: Checkerboard) -> Checkerboard | None:
    """The board with how much of the border it explains; None when that is not enough."""
    light, dark = sum(board.light) / 3.0, sum(board.dark) / 3.0
    grey = np.concatenate([strip.grey.ravel() for strip in strips])
    painted = np.concatenate([board.light_fields(strip.rows, strip.columns).ravel() for strip in strips])
    away = np.abs(np.where(painted, light, dark) - grey)
    near = away < 0.3 * (light - dark)
    either = np.minimum(np.abs(grey - light), np.abs(grey - dark)) < 0.3 * (light - dark)
    share = float(near.mean())
    if share < _LEAST_SHARE or share < _LEAST_AGREEMENT * float(either.mean()):
        return None
    noise = 0.4 * float(np.percentile(away[near], 90))
    return Checkerboard(board.field, board.offset_x, board.offset_y, board.light, board.dark, share, noise)
