"""The notes as English sentences, for the command line; the panel has its own tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .notes import Note

FOUND: Final[Mapping[str, str]] = {
    "nothing_visible": "Nothing is visible in the picture.",
    "picture_small": "The picture is small ({width} x {height} pixels); it will look blurred.",
    "head_small": "The head is only {pixels} pixels high; 128 and more give a sharp face.",
    "no_transparency": "The picture has no transparency.",
    "transparency_real": "{percent} % of the picture is transparent.",
    "figure_translucent": "The figure itself is see-through (alpha {percent} %).",
    "hidden_colour": "{percent} % of the picture has colour that nobody sees, under alpha 0.",
    "background_plain": "The background has one colour (red {red}, green {green}, blue {blue}).",
    "background_gradient": "The background is a soft gradient.",
    "background_checkerboard": (
        "The background is a painted checkerboard (fields of {pixels} pixels), not transparency."
    ),
    "background_busy": "The background is too rich to be told from the figure.",
    "fringe_white": "The edges have a white rim of {pixels} pixels, left of a former background ({percent} %).",
    "fringe_black": "The edges have a black rim of {pixels} pixels, left of a former background ({percent} %).",
    "fringe_coloured": "The edges have a coloured rim of {pixels} pixels, left of a former background ({percent} %).",
    "specks": "Small specks beside the figure: {count}.",
    "faint_pixels": "{pixels} pixels are so faint that nobody sees them.",
    "head_found": "The head was found (sure to {percent} %).",
    "head_guessed": "No face was seen; the head's place is a guess from the outline (sure to {percent} %).",
    "head_missing": "No head was found.",
    "head_cut": "The head is cut off at the top.",
    "frame_fits": "The head is where the networks look for it.",
    "frame_off": (
        "The head is off its place: it needs {percent} % of its size, {right} pixels to the right and {down} down "
        "(minus: left, up)."
    ),
    "several_figures": "Figures in the picture: {count}.",
}
"""What ``Findings.notes`` may say."""

DONE: Final[Mapping[str, str]] = {
    "nothing_visible": "Nothing is left to be shown.",
    "background_removed": (
        "The background was removed: {percent} % of the picture. Places opened inside the figure: {holes}."
    ),
    "holes_kept": "Places inside the figure that look like the background and were kept as part of it: {count}.",
    "cutout_busy": (
        "The background was kept: it cannot be told from the figure. A picture over one plain colour, or one with "
        "transparency, works."
    ),
    "cutout_empty": "The background was kept: nothing would have been left.",
    "cutout_face": "The background was kept: {percent} % of the face would have gone with it.",
    "cutout_unclear": "The background was kept: along {percent} % of the outline the figure looks like it.",
    "fringe_cleaned": "The rim of the former background was taken off {pixels} pixels.",
    "specks_removed": "Specks removed: {count} ({pixels} pixels).",
    "others_removed": "Other figures left out: {count}.",
    "curve_applied": "The alpha curve changed {pixels} pixels.",
    "fit_kept": "Size and place were right already.",
    "fitted": (
        "The figure was scaled to {percent} % and moved {right} pixels to the right and {down} down (minus: left, up)."
    ),
    "fitted_by_guess": (
        "The figure was scaled to {percent} % and moved {right} pixels to the right and {down} down (minus: left, up), "
        "by a guess where its head is."
    ),
    "fitted_whole": "The whole figure was fitted, since no head was found. The networks may not find its face.",
    "enlarged": "The picture had to be enlarged to {percent} %; a larger original would be sharper.",
    "stretched_to_bottom": (
        "To stand on the bottom edge the figure was made {percent} % larger and moved {pixels} pixels down."
    ),
    "gap_left": "The figure ends {pixels} pixels above the bottom edge; place it in OBS so that the edge is outside.",
    "hidden_cleared": "Colour under alpha 0 was cleared ({percent} % of the picture).",
}
"""What ``Prepared.notes`` may say."""


def found(note: Note) -> str:
    """A finding as a sentence."""
    return FOUND[note.key].format(**note.numbers)


def done(note: Note) -> str:
    """A step as a sentence."""
    return DONE[note.key].format(**note.numbers)
