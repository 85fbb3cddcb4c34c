"""Takes a figure off a plain background: from the picture's border inwards, and through holes that match well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ..base import Picture
from .background import BUSY, GRADIENT, Background, Floats, Mask
from .flood import find_reach, flood, follow_gradient, smoothed_match, unlikeness
from .head import FoundHead
from .holes import Holes, Seen, alike, find_holes, soft_share
from .matting import CLEAN, COMPRESSED, soften
from .spill import take_off_spill

_LEAST_FIGURE: Final = 0.004
"""Of the picture."""
_LEAST_FACE: Final = 0.93
_MOST_UNCLEAR: Final = 0.5


@dataclass(frozen=True, slots=True)
class Cutout:
    """A figure without its background, or why it was left as it was."""

    picture: Picture
    """Straight BGRA; untouched when refused."""
    refused: str | None
    """None or a key: ``cutout_busy``, ``cutout_empty``, ``cutout_face``, ``cutout_unclear``."""
    removed: float
    """Part of the picture that became transparent (or would have), 0..1."""
    holes: int = 0
    """Enclosed places that were opened."""
    kept_holes: int = 0
    """Enclosed places of the background's colour that were taken for the figure's own."""
    face_lost: float = 0.0
    """Part of the face that would have become transparent, 0..1."""
    unclear: float = 0.0
    """Part of the outline at which the figure looks like the background, 0..1."""


def cut_out(picture: Picture, background: Background, head: FoundHead | None, open_holes: bool = True) -> Cutout:
    """Make a background transparent. ``picture`` is opaque; ``head`` is where a face was seen in it, if one was."""
    if background.kind == BUSY:
        return Cutout(picture, "cutout_busy", 0.0)
    height, width = picture.shape[:2]
    colour = picture[..., :3].astype(np.float32)
    painted = background.paint(height, width)
    if background.kind == GRADIENT:
        painted = follow_gradient(colour, painted)
    unlike = unlikeness(colour, painted, background)
    reach = find_reach(unlike, background)
    outer, candidates = flood(unlike <= reach.distance)
    if reach.compressed and not alike(candidates, outer):
        outer, candidates = flood(smoothed_match(unlike, reach))
    face = _face(head, height, width)
    holes = Holes(np.zeros_like(outer), 0, 0)
    if open_holes:
        holes = find_holes(candidates, Seen(colour, unlike, outer, reach, background, head, face))
    sure = np.asarray(outer | holes.mask, np.uint8)
    unclear = soft_share(sure, unlike)
    alpha, own = soften(colour, painted, sure, COMPRESSED if reach.compressed else CLEAN)
    if background.vivid:
        alpha, own = take_off_spill(own, alpha, sure, background)
    removed = 1.0 - float(alpha.mean())
    face_lost = 0.0 if face is None else 1.0 - float(alpha[face > 0].mean())
    refused = None
    if 1.0 - removed < _LEAST_FIGURE:
        refused = "cutout_empty"
    elif 1.0 - face_lost < _LEAST_FACE:
        refused = "cutout_face"
    elif unclear > _MOST_UNCLEAR:
        refused = "cutout_unclear"
    if refused is not None:
        return Cutout(picture, refused, removed, face_lost=face_lost, unclear=unclear)
    return Cutout(_joined(own, alpha), None, removed, holes.opened, holes.kept, face_lost, unclear)


def _joined(colour: Floats, alpha: Floats) -> Picture:
    picture = np.empty((*alpha.shape, 4), np.uint8)
    picture[..., :3] = np.rint(np.clip(colour, 0.0, 255.0))
    picture[..., 3] = np.rint(alpha * np.float32(255))
    picture[picture[..., 3] == 0] = 0
    return picture


def _face(head: FoundHead | None, height: int, width: int) -> Mask | None:
    """1 in the middle of the face, where there is no background for sure."""
    if head is None:
        return None
    mask = np.zeros((height, width), np.uint8)
    centre = round(head.centre_x), round(head.eyes_y + 0.08 * head.height)
    cv2.ellipse(mask, centre, (round(0.33 * head.height), round(0.24 * head.height)), 0, 0, 360, 1, -1)
    return mask if mask.any() else None
