"""What is left of a vivid background in the edge: gaps between strands so narrow that no pixel shows it alone.

A figure hardly has a green screen's colour itself, and where it does, it has more than a thin line of it. What is thin
and tinted beside the background therefore is a mixture, whatever it is mixed with.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from .background import Background, Floats, Mask, to_lab

_NEAR: Final = 5
"""Pixels from the background within which its colour is looked for."""
_THICK: Final = 7
"""Side of the smallest square that shows a colour of the figure's own."""
_LIKE: Final = 0.85
"""Cosine of the angle between two hues that are alike."""

_MOSTLY: Final = 0.65
_LIGHTNESS: Final = 14.0


def take_off_spill(colour: Floats, alpha: Floats, sure: Mask, background: Background) -> tuple[Floats, Floats]:
    """Alpha and colours without a vivid background's tint; arguments as ``matting.soften`` takes and gives them."""
    behind = to_lab(np.array([[background.colour]], np.float32))[0, 0]
    full = float(np.hypot(behind[1], behind[2]))
    tint = behind[1:] / full
    lab = to_lab(colour)
    along = lab[..., 1:] @ tint
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    tinted = ((along > _LIKE * chroma) & (along > 0.1 * full) & (alpha > 0)).astype(np.uint8)
    own = cv2.morphologyEx(tinted & (1 - sure), cv2.MORPH_OPEN, np.ones((_THICK, _THICK), np.uint8))
    near = cv2.dilate(sure, np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8))
    # a gap that is deeper inside shows more of the background than a tint
    certain = (along > _MOSTLY * full) & (np.abs(lab[..., 0] - behind[0]) < _LIGHTNESS)
    chosen = (tinted > 0) & (own == 0) & ((near > 0) | certain)
    share = np.clip(along[chosen] / full, 0.0, 1.0)
    cleaned, left = colour.copy(), alpha.copy()
    rest = np.maximum(1.0 - share, 0.08)[:, None]
    screen = np.array(background.colour, np.float32)
    cleaned[chosen] = np.clip((colour[chosen] - share[:, None] * screen) / rest, 0.0, 255.0)
    left[chosen] *= 1.0 - share
    return np.asarray(left, np.float32), cleaned
