"""The rim of a former background in a picture that has transparency: finding it and taking it off.

Two kinds occur. Soft edges whose colour still is the mixture with the old background ("halo"), and hard edges whose
outermost pixels are such mixtures although they are fully opaque.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from .background import Floats, Mask
from .matting import CLEAN, soften

WHITE, BLACK, COLOURED = "white", "black", "coloured"

_LEAST_PIXELS: Final = 60
_OPAQUE: Final = 250
_SOFT_FROM, _SOFT_TO = 26, 235
_LEAST_STRENGTH: Final = 0.35
_LEAST_SHARE: Final = 0.6
_HARD_RIM: Final = 0.22
_LEAST_CHROMA: Final = 70.0
"""Difference of a vivid colour's largest and smallest channel."""


@dataclass(frozen=True, slots=True)
class Fringe:
    """A rim that was found."""

    kind: str
    """``WHITE``, ``BLACK`` or ``COLOURED``."""
    colour: tuple[int, int, int]
    """Of the former background, B, G, R."""
    strength: float
    """How much of the former background is left in the rim's colours, 0..1."""
    pixels: int
    """How many pixels the rim has."""
    hard: bool
    """Whether the rim's pixels are opaque."""


def find_fringe(picture: Picture) -> Fringe | None:
    """Look at the edges of a picture (straight BGRA) with transparency."""
    alpha = picture[..., 3]
    edge = cv2.dilate((alpha < 20).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    soft = (alpha >= _SOFT_FROM) & (alpha <= _SOFT_TO)
    hard = edge & (alpha >= 240)
    if int(soft.sum()) >= max(_LEAST_PIXELS, int(hard.sum()) // 3):
        return _soft_fringe(picture, soft)
    if int(hard.sum()) >= _LEAST_PIXELS:
        return _hard_fringe(picture, hard)
    return None


def clean_fringe(picture: Picture, fringe: Fringe) -> tuple[Picture, int]:
    """The picture without the rim, and how many pixels changed."""
    old = np.array(fringe.colour, np.float32)
    colour = picture[..., :3].astype(np.float32)
    if fringe.hard:
        sure = (picture[..., 3] < 20).astype(np.uint8)
        covered, own = soften(colour, np.broadcast_to(old, colour.shape).astype(np.float32), sure, CLEAN)
        alpha = np.minimum(picture[..., 3].astype(np.float32), covered * np.float32(255))
    else:
        alpha = picture[..., 3].astype(np.float32)
        share = (1.0 - alpha / 255.0) * np.float32(fringe.strength)
        rest = np.maximum(1.0 - share, 0.08)[..., None]
        own = np.asarray((colour - share[..., None] * old) / rest, np.float32)
        # where hardly anything of the figure is left, what is close by knows its colour better
        near, known = _inner_colour(colour, picture[..., 3])
        faint = np.asarray(np.clip((60.0 - alpha) / 40.0, 0.0, 1.0) * known, np.float32)
        kept = np.float32(1) - faint[..., None]
        own = np.asarray(np.clip(own, 0.0, 255.0) * kept + near * faint[..., None], np.float32)
    result = np.dstack([np.clip(own, 0.0, 255.0), alpha])
    cleaned = np.rint(result).astype(np.uint8)
    cleaned[cleaned[..., 3] == 0] = 0
    visible = (picture[..., 3] > 0) & (picture[..., 3] < 255) if not fringe.hard else picture[..., 3] > 0
    cleaned[~visible] = picture[~visible]
    return cleaned, int((cleaned[visible] != picture[visible]).any(axis=1).sum())


def _inner_colour(colour: Floats, alpha: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """The mean of the opaque pixels around every pixel, and 1 where there are any."""
    solid = (alpha >= _OPAQUE).astype(np.float32)
    weight = cv2.boxFilter(solid, -1, (5, 5), normalize=False, borderType=cv2.BORDER_CONSTANT)
    total = cv2.boxFilter(colour * solid[..., None], -1, (5, 5), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(total / np.maximum(weight, 1.0)[..., None], np.float32), (weight >= 2.0).astype(np.float32)


def _next_inside(colour: Floats, alpha: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Colour and alpha of the most opaque of every pixel's neighbours: of an outline rather than of what it bounds."""
    weight = (alpha.astype(np.float32) / np.float32(255)) ** 6 + np.float32(1e-6)
    total = cv2.boxFilter(weight, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT) - weight
    colours = cv2.boxFilter(colour * weight[..., None], -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    inner = (colours - colour * weight[..., None]) / np.maximum(total, 1e-6)[..., None]
    return np.asarray(inner, np.float32), cv2.dilate(alpha, np.ones((3, 3), np.uint8)).astype(np.float32)


def _soft_fringe(picture: Picture, soft: NDArray[np.bool_]) -> Fringe | None:
    """A rim whose colours drift to one colour the more, the more transparent they are."""
    colour = picture[..., :3].astype(np.float32)
    inner, cover = _next_inside(colour, picture[..., 3])
    seen = soft & (cover > picture[..., 3] + 40.0)
    if int(seen.sum()) < _LEAST_PIXELS:
        return None
    own, drift = inner[seen].astype(np.float64), (colour - inner)[seen].astype(np.float64)
    clear = 1.0 - picture[..., 3][seen] / 255.0
    unmixed = own + drift / np.maximum(clear, 0.3)[:, None]
    other = np.clip(np.median(unmixed[clear > 0.3], axis=0), 0, 255) if (clear > 0.3).any() else np.zeros(3)
    vivid, pale = float(np.ptp(other)) > _LEAST_CHROMA, float(other.min()) > 190.0
    for old, measured, least, most_start in (
        (np.full(3, 255.0), np.full(3, 255.0), 0.2, 0.45),
        # an outline's darkness gets into the measured colour
        *([(np.full(3, 255.0), other, 0.4, 0.45)] if pale else []),
        *([(other, other, 0.4, 0.45)] if vivid else []),
        # a drawing's dark outlines look much like a black background's rim: that one has to be clearer
        (np.zeros(3), np.zeros(3), 0.6, 0.25),
    ):
        rated = _explained(own, drift, clear, measured, most_start)
        if rated is not None and rated[0] >= least:
            # mostly means wholly: what mixed colours was an edge over the old background
            strength = 1.0 if rated[1] > 0.7 else rated[1]
            return _named(old, strength, int(soft.sum()), False)
    return None


def _explained(
    own: NDArray[np.floating],
    drift: NDArray[np.floating],
    clear: NDArray[np.floating],
    old: NDArray[np.floating],
    most_start: float,
) -> tuple[float, float] | None:
    """How much of the drift a former background of this colour explains (0..1), and its strength; None if it cannot."""
    towards = old - own
    room = np.einsum("ij,ij->i", towards, towards)
    usable = room > 40.0**2
    if int(usable.sum()) < max(_LEAST_PIXELS, 0.3 * len(room)):
        return None
    part = np.einsum("ij,ij->i", drift, towards)[usable] / room[usable]
    place, weight = clear[usable], np.ones(int(usable.sum()))
    slope = start = 0.0
    for _ in range(6):
        base = np.stack([place, np.ones_like(place)], axis=1) * weight[:, None]
        slope, start = (float(value) for value in np.linalg.lstsq(base, part * weight, rcond=None)[0])
        weight = 1.0 / np.sqrt(np.maximum(np.abs(part - slope * place - start), 0.05))
    # an outline of the drawing has its own colour at every alpha: much from the start, and no slope
    if slope < _LEAST_STRENGTH or slope > 1.6 or abs(start) > most_start:
        return None
    left = drift[usable] - (slope * place)[:, None] * towards[usable]
    before = np.abs(drift[usable]).sum()
    return float(1.0 - np.abs(left).sum() / max(before, 1e-6)), slope


def _hard_fringe(picture: Picture, rim: NDArray[np.bool_]) -> Fringe | None:
    """Opaque outermost pixels that lie between the colours further inside and one bright or vivid colour."""
    colour = picture[..., :3].astype(np.float32)
    solid = (picture[..., 3] >= 240).astype(np.uint8)
    deep = cv2.erode(solid, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    inner, known = _mean_of(colour, np.asarray(deep, np.uint8))
    seen = rim & known
    if int(seen.sum()) < _LEAST_PIXELS:
        return None
    own, drift = inner[seen], (colour - inner)[seen]
    mean = np.median(drift, axis=0)
    # only bright and vivid colours: dark ones are outlines more often than rims
    measured = np.clip(np.median(own + 2.0 * drift, axis=0), 0, 255)
    vivid = float(np.ptp(mean)) > 50.0 and float(np.ptp(measured)) > _LEAST_CHROMA and float(measured.max()) > 150.0
    old = measured if vivid else np.full(3, 255.0)
    towards = old - own
    room = np.einsum("ij,ij->i", towards, towards)
    part = np.einsum("ij,ij->i", drift, towards) / np.maximum(room, 1.0)
    usable = room > 60.0**2
    if int(usable.sum()) < _LEAST_PIXELS or float((part[usable] > _HARD_RIM).mean()) < _LEAST_SHARE:
        return None
    return _named(np.asarray(old, np.float64), float(np.clip(np.median(part[usable]), 0, 1)), int(rim.sum()), True)


def _mean_of(colour: Floats, mask: Mask) -> tuple[Floats, NDArray[np.bool_]]:
    """The mean of the masked pixels within four pixels, and where there are any."""
    chosen = mask.astype(np.float32)
    weight = cv2.boxFilter(chosen, -1, (9, 9), normalize=False, borderType=cv2.BORDER_CONSTANT)
    total = cv2.boxFilter(colour * chosen[..., None], -1, (9, 9), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(total / np.maximum(weight, 1.0)[..., None], np.float32), weight >= 2.0


def _named(old: NDArray[np.floating], strength: float, pixels: int, hard: bool) -> Fringe:
    kind = WHITE if old.min() > 215 else BLACK if old.max() < 40 else COLOURED
    blue, green, red = (round(float(value)) for value in old)
    return Fringe(kind, (blue, green, red), strength, pixels, hard)
