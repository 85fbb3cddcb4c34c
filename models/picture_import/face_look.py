"""A closer look at one place in a picture: how much like a drawn face is it?"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_UNIT: Final = 10
"""Pixels of the closer look per half distance of the eyes."""
_LEFT, _UP, _DOWN = 2.6, 1.6, 2.2
_WEIGHTS: Final = {
    "eyes": 0.2,
    "dark": 0.15,
    "cheeks": 0.17,
    "bridge": 0.1,
    "mirror": 0.1,
    "sides": 0.1,
    "jaw": 0.1,
    "hue": 0.08,
    "outside": -0.5,
}
_WIDTH, _HEIGHT = round(2 * _LEFT * _UNIT) + 1, round((_UP + _DOWN) * _UNIT) + 1


def likeness(lab: Plane, inside: Plane, x: float, y: float, offset: float) -> float:
    """0 for nothing like it, 1 for a face as clear as can be; less than 0 outside the figure.

    ``x``, ``y`` lie between the eyes, ``offset`` is half their distance, all in pixels. ``lab`` (height, width, 3) is
    CIE Lab, ``inside`` (height, width) is 1 where the figure is or may be.
    """
    seen = _evidence(lab, inside, x, y, offset)
    total = sum(_WEIGHTS[name] * value for name, value in seen.items())
    # what no face is without: much of the rest does not make up for it
    least = min(seen["eyes"], seen["dark"], seen["cheeks"], seen["bridge"])
    return float(total * min(1.0, 0.5 + least))


def _evidence(lab: Plane, inside: Plane, x: float, y: float, offset: float) -> dict[str, float]:
    """What speaks for a face (and against one: ``outside``), each 0..1."""
    patch, shown = _patch(lab, x, y, offset, cv2.BORDER_REPLICATE), _patch(inside, x, y, offset, cv2.BORDER_CONSTANT)
    skin = np.median(_part(patch, -0.8, 0.8, 0.7, 1.4).reshape(-1, 3), axis=0)
    unlike = np.minimum(np.sqrt(((patch - skin) ** 2).sum(axis=-1)) / np.float32(40), np.float32(1))
    unlike = np.where(shown > 0.5, unlike, np.float32(1))
    is_skin = (unlike < 0.28).astype(np.float32)
    eyes, dark, sides, jaw = [], [], [], []
    for side in (-1.0, 1.0):
        eyes.append(float(_part(unlike, side - 0.55, side + 0.55, -0.45, 0.45).mean()))
        around = _part(patch[..., 0], side - 0.6, side + 0.6, -0.5, 0.5)
        dark.append(float(skin[0] - np.percentile(around, 8)))
        sides.append(float(_part(unlike, 2.3 * side - 0.3, 2.3 * side + 0.3, -0.6, 0.6).mean()))
        jaw.append(float(_part(unlike, 2.15 * side - 0.35, 2.15 * side + 0.35, 0.9, 1.7).mean()))
    return {
        "eyes": _ramp(min(eyes), 0.15, 0.55),
        "dark": _ramp(min(dark), 12.0, 45.0),
        "cheeks": _ramp(float(_part(is_skin, -0.9, 0.9, 0.75, 1.5).mean()), 0.55, 0.9),
        "bridge": _ramp(float(_part(is_skin, -0.22, 0.22, 0.0, 0.9).mean()), 0.4, 0.85),
        "mirror": _ramp(_mirrored(unlike), 0.2, 0.75),
        "sides": _ramp(min(sides), 0.15, 0.6),
        "jaw": _ramp(min(jaw), 0.15, 0.6),
        "hue": 1.0 - _strangeness(skin),
        "outside": float(1.0 - _part(shown, -1.6, 1.6, -0.5, 1.5).mean()),
    }


def _patch(plane: Plane, x: float, y: float, offset: float, border: int) -> Plane:
    scale = offset / _UNIT
    matrix = np.array([[scale, 0.0, x - 0.5 - _LEFT * offset], [0.0, scale, y - 0.5 - _UP * offset]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, (_WIDTH, _HEIGHT), flags=flags, borderMode=border), np.float32)


def _part(plane: Plane, left: float, right: float, top: float, bottom: float) -> Plane:
    """A box of the closer look, in half distances of the eyes from the point between them."""
    rows = slice(max(0, round((_UP + top) * _UNIT)), round((_UP + bottom) * _UNIT) + 1)
    return plane[rows, max(0, round((_LEFT + left) * _UNIT)) : round((_LEFT + right) * _UNIT) + 1]


def _ramp(value: float, nothing: float, everything: float) -> float:
    return float(np.clip((value - nothing) / (everything - nothing), 0.0, 1.0))


def _mirrored(unlike: Plane) -> float:
    """Correlation of the face's middle with its mirror image."""
    middle = cv2.blur(_part(unlike, -1.7, 1.7, -0.6, 1.6), (5, 5))
    one, other = middle - middle.mean(), middle[:, ::-1] - middle.mean()
    strength = float((one * one).sum())
    return float((one * other).sum()) / strength if strength > 1e-6 else 0.0


def _strangeness(skin: NDArray[np.floating]) -> float:
    """0 for the colours that skin mostly has in drawings, 1 for others."""
    lightness, red, yellow = (float(value) for value in skin)
    dark = np.clip((45.0 - lightness) / 30.0, 0.0, 1.0)
    other_hue = np.clip((1.0 - min(red, yellow)) / 10.0, 0.0, 1.0)
    gaudy = np.clip((float(np.hypot(red, yellow)) - 42.0) / 30.0, 0.0, 1.0)
    return float(min(1.0, dark + other_hue + gaudy))
