"""From any picture to a character's picture, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..base import Picture
from ..character import PICTURE_SIZE
from ..face_parts import HeadBox
from .background import BUSY, find_background
from .choices import Choices
from .cutout import cut_out
from .examine import EMPTY, LOOK_SIDE, OPAQUE, Findings, examine
from .figure import Bounds, bounds, find_specks, without_others
from .framing import Framing, apply_framing, as_it_is, find_framing, fit_whole, offset_in_frame
from .fringe import clean_fringe, find_fringe
from .head import SURE, FoundHead, find_heads
from .notes import Note, percent
from .scaling import at_most

_MARGIN: Final = 0.08
"""Background left around a figure that is cut out of a large picture, as a part of its longer side."""
_CURVE_FROM, _CURVE_TO = 60.0, 200.0
_MUCH_ENLARGED: Final = 1.25
_HARDLY: Final = 4.0
"""Pixels that nobody needs to be told of."""
_ALL: Final = Choices()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture that is ready, and what was done for it."""

    picture: Picture
    """512 x 512 BGRA, straight alpha."""
    head: HeadBox | None
    """Where the head is in it; None when none was found, nor guessed."""
    notes: tuple[Note, ...]
    """One for every step that changed something or refused to."""

    def as_json(self) -> dict[str, Any]:
        """For ``import.json``."""
        box = self.head
        return {
            "head": None if box is None else [round(v, 1) for v in (box.left, box.top, box.right, box.bottom)],
            "notes": [note.as_json() for note in self.notes],
        }


@dataclass(frozen=True, slots=True)
class _Work:
    """The part of a picture that is worked on: cut out at (left, top), then made ``factor`` as large."""

    picture: Picture
    left: int
    top: int
    factor: float
    source_height: int
    source_width: int

    def as_it_is(self) -> Framing:
        """Where this part goes when the whole picture is used as it is."""
        whole = as_it_is(self.source_height, self.source_width)
        right, down = whole.right + whole.scale * self.left, whole.down + whole.scale * self.top
        return Framing(whole.scale / self.factor, right, down)


def prepare(picture: Picture, choices: Choices = _ALL, findings: Findings | None = None) -> Prepared:
    """Do what is chosen to a picture: straight BGRA of any size, 8 bit. Nothing about it makes this fail."""
    seen = findings or examine(picture)
    if seen.alpha == EMPTY:
        return _nothing([])
    notes: list[Note] = []
    work = _worked_on(picture, seen)
    pixels = work.picture
    if seen.alpha == OPAQUE:
        pixels = _without_background(work, choices, seen, notes)
    elif choices.clean_fringe:
        pixels = _without_fringe(pixels, notes)
    if choices.remove_specks:
        pixels = _without_specks(pixels, notes)
    heads = find_heads(pixels)
    if choices.one_figure:
        pixels, others = without_others(pixels, heads)
        if others:
            notes.append(Note("others_removed", {"count": others}))
    if choices.alpha_curve:
        pixels = _curved(pixels, notes)
    figure = bounds(pixels)
    if figure is None:
        return _nothing(notes)
    ready, head = _framed(pixels, work, heads[0] if heads else None, figure, choices, notes)
    if choices.clear_hidden_colour:
        ready[ready[..., 3] == 0] = 0
        if seen.hidden_colour > 0.0:
            notes.append(Note("hidden_cleared", {"percent": percent(seen.hidden_colour)}))
    return Prepared(ready, head, tuple(notes))


def _nothing(notes: list[Note]) -> Prepared:
    empty = np.zeros((PICTURE_SIZE, PICTURE_SIZE, 4), np.uint8)
    return Prepared(empty, None, (*notes, Note("nothing_visible")))


def _worked_on(picture: Picture, seen: Findings) -> _Work:
    """All of a picture, or of a large one the part with the figure, at most ``LOOK_SIDE`` pixels long."""
    height, width = picture.shape[:2]
    box = Bounds(0, 0, width, height)
    found = seen.figure
    if max(height, width) > LOOK_SIDE and found is not None:
        margin = max(8, round(_MARGIN * max(found.right - found.left, found.bottom - found.top)))
        box = Bounds(
            max(0, found.left - margin),
            max(0, found.top - margin),
            min(width, found.right + margin),
            min(height, found.bottom + margin),
        )
    part, factor = at_most(picture[box.top : box.bottom, box.left : box.right], LOOK_SIDE)
    return _Work(part, box.left, box.top, factor, height, width)


def _without_background(work: _Work, choices: Choices, seen: Findings, notes: list[Note]) -> Picture:
    if not choices.remove_background:
        return work.picture
    background = find_background(work.picture)
    if background.kind == BUSY and seen.background is not None and seen.background.kind != BUSY:
        # a figure that touches the cut's edges hides too much of it: what the whole picture says still holds
        background = seen.background if seen.background.coefficients is None else background
    head = next((h for h in seen.heads if h.sureness >= SURE), None)
    if head is not None:
        head = head.moved(-work.left, -work.top).scaled(work.factor)
    cut = cut_out(work.picture, background, head, choices.open_holes)
    if cut.refused is not None:
        share = cut.face_lost if cut.refused == "cutout_face" else cut.unclear
        notes.append(Note(cut.refused, {"percent": percent(share)}))
        return work.picture
    notes.append(Note("background_removed", {"percent": percent(cut.removed), "holes": cut.holes}))
    if cut.kept_holes:
        notes.append(Note("holes_kept", {"count": cut.kept_holes}))
    return cut.picture


def _without_fringe(picture: Picture, notes: list[Note]) -> Picture:
    fringe = find_fringe(picture)
    if fringe is None:
        return picture
    cleaned, pixels = clean_fringe(picture, fringe)
    notes.append(Note("fringe_cleaned", {"pixels": pixels}))
    return cleaned


def _without_specks(picture: Picture, notes: list[Note]) -> Picture:
    specks = find_specks(picture)
    if not specks.count and not specks.faint:
        return picture
    cleaned = picture.copy()
    cleaned[specks.mask] = 0
    notes.append(Note("specks_removed", {"count": specks.count, "pixels": int(np.count_nonzero(specks.mask))}))
    return cleaned


def _curved(picture: Picture, notes: list[Note]) -> Picture:
    alpha = np.arange(256, dtype=np.float64)
    curve = np.rint(np.clip((alpha - _CURVE_FROM) / (_CURVE_TO - _CURVE_FROM), 0.0, 1.0) * 255.0).astype(np.uint8)
    changed = picture.copy()
    changed[..., 3] = curve[picture[..., 3]]
    pixels = int(np.count_nonzero(changed[..., 3] != picture[..., 3]))
    notes.append(Note("curve_applied", {"pixels": pixels}))
    return changed


def _framed(
    pixels: Picture, work: _Work, head: FoundHead | None, figure: Bounds, choices: Choices, notes: list[Note]
) -> tuple[Picture, HeadBox | None]:
    """The picture at its place, and where the head is then."""
    stays = work.as_it_is()
    if not choices.fit:
        return _applied(pixels, stays), None if head is None else stays.place(head.box)
    if head is None:
        notes.append(Note("fitted_whole"))
        return fit_whole(pixels, figure), None
    there = head.scaled(1.0 / work.factor).moved(work.left, work.top)
    offset = offset_in_frame(there, work.source_height, work.source_width)
    bottom = stays.scale * figure.bottom + stays.down
    if offset.fits and bottom >= PICTURE_SIZE - 1:
        notes.append(Note("fit_kept"))
        return _applied(pixels, stays), stays.place(head.box)
    framing = find_framing(head, figure)
    notes += _framing_notes(framing, stays, head, framing.scale * work.factor)
    return apply_framing(pixels, framing), framing.place(head.box)


def _applied(pixels: Picture, framing: Framing) -> Picture:
    if pixels.shape[:2] == (PICTURE_SIZE, PICTURE_SIZE) and framing == Framing(1.0, 0.0, 0.0):
        return pixels.copy()
    return apply_framing(pixels, framing)


def _framing_notes(framing: Framing, before: Framing, head: FoundHead, enlarged: float) -> list[Note]:
    place, was = framing.place(head.box), before.place(head.box)
    moved = {
        "percent": round(100.0 * framing.scale / before.scale),
        "right": round(0.5 * (place.left + place.right - was.left - was.right)),
        "down": round(place.bottom - was.bottom),
    }
    notes = [Note("fitted" if head.sureness >= SURE else "fitted_by_guess", moved)]
    if enlarged > _MUCH_ENLARGED:
        notes.append(Note("enlarged", {"percent": round(100.0 * enlarged)}))
    if framing.stretched > 1.01 or framing.lowered > _HARDLY:
        numbers = {"percent": round(100.0 * (framing.stretched - 1.0)), "pixels": round(framing.lowered)}
        notes.append(Note("stretched_to_bottom", numbers))
    if framing.gap > 0.5:
        notes.append(Note("gap_left", {"pixels": round(framing.gap)}))
    return notes
