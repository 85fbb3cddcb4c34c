"""What a picture is like, before anything is done to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from ..base import Picture
from .background import BUSY, CHECKERBOARD, GRADIENT, PLAIN, Background, find_background
from .cutout import cut_out
from .figure import Bounds, Specks, bounds, find_specks
from .framing import Offset, offset_in_frame
from .fringe import Fringe, find_fringe
from .head import SURE, FoundHead, find_heads
from .notes import Note, percent
from .scaling import at_most

OPAQUE, REAL, EMPTY = "opaque", "real", "empty"

LOOK_SIDE: Final = 1280
"""Longer side, in pixels, of what is looked at."""
_GLANCE_SIDE: Final = 480
_TRANSPARENT: Final = 16
_LEAST_TRANSPARENT: Final = 0.005
_SMALL_PICTURE: Final = 300
_SMALL_HEAD: Final = 110.0
_TRANSLUCENT: Final = 235
_BACKGROUND_KEYS: Final = {
    PLAIN: "background_plain",
    GRADIENT: "background_gradient",
    CHECKERBOARD: "background_checkerboard",
    BUSY: "background_busy",
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What was seen. Places and sizes are in pixels of the picture as it was given."""

    width: int
    height: int
    alpha: str
    """``OPAQUE``, ``REAL`` or ``EMPTY`` (nothing visible at all)."""
    background: Background | None
    """Of an opaque picture. Its places are those of a picture ``look_factor`` as large."""
    look_factor: float
    heads: tuple[FoundHead, ...]
    """The surest first; empty when not even a guess is possible."""
    offset: Offset | None
    """How far the first head is from its place, when the picture is used as it is."""
    fringe: Fringe | None
    """Its number of pixels is that of a picture ``look_factor`` as large."""
    specks: int
    faint_pixels: int
    figure: Bounds | None
    """The box around what is not background; None where nothing is."""
    hidden_colour: float
    """Part of the picture that has colour but no alpha, 0..1."""
    notes: tuple[Note, ...]

    @property
    def head(self) -> FoundHead | None:
        """The surest head."""
        return self.heads[0] if self.heads else None

    def as_json(self) -> dict[str, Any]:
        """For ``import.json``."""
        head = self.head
        box = None if head is None else [round(v, 1) for v in (*_corner(head), head.box.right, head.box.bottom)]
        return {
            "size": [self.width, self.height],
            "alpha": self.alpha,
            "background": None if self.background is None else self.background.kind,
            "head": None if head is None else {"box": box, "sureness": round(head.sureness, 3)},
            "figures": sum(found.sureness >= SURE for found in self.heads),
            "notes": [note.as_json() for note in self.notes],
        }


def _corner(head: FoundHead) -> tuple[float, float]:
    return head.box.left, head.box.top


def alpha_kind(picture: Picture) -> str:
    """``OPAQUE``, ``REAL`` or ``EMPTY``."""
    alpha = picture[..., 3]
    clear = float((alpha < _TRANSPARENT).mean())
    if clear == 1.0:
        return EMPTY
    return REAL if clear >= _LEAST_TRANSPARENT else OPAQUE


def examine(picture: Picture) -> Findings:
    """Look at a picture: straight BGRA of any size, 8 bit."""
    height, width = picture.shape[:2]
    kind = alpha_kind(picture)
    look, factor = at_most(picture, LOOK_SIDE)
    background = find_background(look) if kind == OPAQUE else None
    figure = look if background is None else _glance(look, background)
    heads = tuple(head.scaled(1.0 / factor) for head in find_heads(figure))
    offset = offset_in_frame(heads[0], height, width) if heads else None
    fringe = find_fringe(look) if kind == REAL else None
    specks = find_specks(look) if kind == REAL else None
    hidden = float(((picture[..., 3] == 0) & picture[..., :3].any(axis=2)).mean())
    notes = [
        *_size_notes(width, height, heads),
        *_alpha_notes(look, kind, hidden),
        *_background_notes(background),
        *_edge_notes(fringe, specks),
        *_head_notes(look, factor, kind, heads, offset),
    ]
    return Findings(
        width,
        height,
        kind,
        background,
        factor,
        heads,
        offset,
        fringe,
        specks.count if specks else 0,
        specks.faint if specks else 0,
        _scaled(bounds(figure), 1.0 / factor, width, height),
        hidden,
        tuple(notes),
    )


def _glance(look: Picture, background: Background) -> Picture:
    """An opaque picture with the alpha of a first, coarse cut: its outline makes a head's place surer."""
    if background.kind == BUSY:
        return look
    small, factor = at_most(look, _GLANCE_SIDE)
    cut = cut_out(small, background if factor == 1.0 else find_background(small), None, open_holes=False)
    if cut.refused is not None:
        return look
    seen = look.copy()
    seen[..., 3] = cv2.resize(cut.picture[..., 3], look.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return seen


def _scaled(box: Bounds | None, factor: float, width: int, height: int) -> Bounds | None:
    if box is None:
        return None
    return Bounds(
        max(0, int(box.left * factor)),
        max(0, int(box.top * factor)),
        min(width, int(np.ceil(box.right * factor))),
        min(height, int(np.ceil(box.bottom * factor))),
    )


def _size_notes(width: int, height: int, heads: tuple[FoundHead, ...]) -> list[Note]:
    notes = []
    if max(width, height) < _SMALL_PICTURE:
        notes.append(Note("picture_small", {"width": width, "height": height}))
    if heads and heads[0].height < _SMALL_HEAD:
        notes.append(Note("head_small", {"pixels": round(heads[0].height)}))
    return notes


def _alpha_notes(look: Picture, kind: str, hidden: float) -> list[Note]:
    if kind == EMPTY:
        return [Note("nothing_visible")]
    if kind == OPAQUE:
        return [Note("no_transparency")]
    alpha = look[..., 3]
    notes = [Note("transparency_real", {"percent": percent(float((alpha < _TRANSPARENT).mean()))})]
    inner = cv2.erode((alpha >= _TRANSPARENT).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if inner.any() and float(np.median(alpha[inner])) < _TRANSLUCENT:
        notes.append(Note("figure_translucent", {"percent": percent(float(np.median(alpha[inner])) / 255.0)}))
    if hidden > 0.0:
        notes.append(Note("hidden_colour", {"percent": percent(hidden)}))
    return notes


def _background_notes(background: Background | None) -> list[Note]:
    if background is None:
        return []
    numbers: dict[str, int] = {}
    if background.kind == PLAIN:
        blue, green, red = background.colour
        numbers = {"red": red, "green": green, "blue": blue}
    elif background.board is not None:
        numbers = {"pixels": max(1, round(background.board.field))}
    return [Note(_BACKGROUND_KEYS[background.kind], numbers)]


def _edge_notes(fringe: Fringe | None, specks: Specks | None) -> list[Note]:
    notes = []
    if fringe is not None:
        notes.append(Note(f"fringe_{fringe.kind}", {"percent": percent(fringe.strength), "pixels": fringe.pixels}))
    if specks is not None and specks.count:
        notes.append(Note("specks", {"count": specks.count}))
    if specks is not None and specks.faint:
        notes.append(Note("faint_pixels", {"pixels": specks.faint}))
    return notes


def _head_notes(
    look: Picture, factor: float, kind: str, heads: tuple[FoundHead, ...], offset: Offset | None
) -> list[Note]:
    if kind == EMPTY:
        return []
    if not heads or offset is None:
        return [Note("head_missing")]
    first = heads[0]
    sure = first.sureness >= SURE
    notes = [Note("head_found" if sure else "head_guessed", {"percent": percent(first.sureness)})]
    if offset.fits:
        notes.append(Note("frame_fits"))
    else:
        numbers = {
            "percent": round(100.0 * offset.scale),
            "right": round(offset.right),
            "down": round(offset.down),
        }
        notes.append(Note("frame_off", numbers))
    if len(heads) > 1:
        notes.append(Note("several_figures", {"count": len(heads)}))
    top = first.box.top * factor
    if kind == REAL and sure and top < 1.5 and bool((look[0, :, 3] >= 128).any()):
        notes.append(Note("head_cut"))
    return notes
