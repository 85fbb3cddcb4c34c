"""The 45 pose values by name, and the texts in which the panel keeps numbers for some of them.

A text is ``name=number,number name=number``: what has the usual numbers is left out. Names are those of
``core.pose.parameters.Pose`` in lower case; a name without its side (``eye_wink``) stands for both.
"""

from __future__ import annotations

import math
from typing import Dict, List, Mapping, NamedTuple, Tuple

_SIDED = (
    "eyebrow_troubled", "eyebrow_angry", "eyebrow_lowered", "eyebrow_raised", "eyebrow_happy", "eyebrow_serious",
    "eye_wink", "eye_happy_wink", "eye_surprised", "eye_relaxed", "eye_unimpressed", "eye_raised_lower_eyelid",
    "iris_small",
)  # fmt: skip
_SIDES = ("left", "right")

NAMES: Tuple[str, ...] = (
    *(f"{name}_{side}" for name in _SIDED for side in _SIDES),
    "mouth_aaa", "mouth_iii", "mouth_uuu", "mouth_eee", "mouth_ooo", "mouth_delta",
    *(f"{name}_{side}" for name in ("mouth_lowered_corner", "mouth_raised_corner") for side in _SIDES),
    "mouth_smirk", "iris_rotation_x", "iris_rotation_y", "head_x", "head_y", "neck_z", "body_y", "body_z", "breathing",
)  # fmt: skip
"""Every value's name, by its index."""

SIGNED = ("iris_rotation_x", "iris_rotation_y", "head_x", "head_y", "neck_z", "body_y", "body_z")
"""Values from -1 to 1; the others run from 0 to 1."""

STEMS: Tuple[str, ...] = tuple(dict.fromkeys(name.rsplit("_left", 1)[0].rsplit("_right", 1)[0] for name in NAMES))
"""Every name once, without sides."""


def indices(name: str) -> List[int]:
    """Indices of the value or, for a name without its side, of both; empty for an unknown name."""
    return [place for place, known in enumerate(NAMES) if known in (name, f"{name}_left", f"{name}_right")]


class Tuning(NamedTuple):
    """How one value is bent before it is used: ``sign * |value * gain| ** (1 / curve)``, below ``dead`` 0."""

    gain: float = 1.0
    curve: float = 1.0
    """Above 1 small values count more, below 1 less."""
    dead: float = 0.0
    """What is smaller than this is nothing; the rest is stretched so that 1 stays 1."""


UNTUNED = Tuning()
_LIMITS = ((0.0, 4.0), (0.25, 4.0), (0.0, 0.8))


def read_numbers(text: str) -> Dict[str, List[float]]:
    """Names and their numbers. What does not fit (another version's) is left out."""
    found: Dict[str, List[float]] = {}
    for part in text.split():
        name, _, numbers = part.partition("=")
        try:
            values = [float(number) for number in numbers.split(",")]
        except ValueError:
            continue
        if indices(name) and all(map(math.isfinite, values)):
            found[name] = values
    return found


def write_numbers(numbers: Mapping[str, List[float]]) -> str:
    """The text; numbers are kept to three places."""
    return " ".join(
        f"{name}=" + ",".join(f"{value:g}" for value in _rounded(values)) for name, values in numbers.items()
    )


def _rounded(values: List[float]) -> List[float]:
    return [round(value, 3) for value in values]


def read_pose(text: str) -> Dict[str, float]:
    """Values chosen one by one, each inside its range."""
    return {
        name: min(max(numbers[0], -1.0 if name in SIGNED else 0.0), 1.0) for name, numbers in read_numbers(text).items()
    }


def write_pose(values: Mapping[str, float]) -> str:
    """The text for :func:`read_pose`; values at rest are left out."""
    return write_numbers({name: [value] for name, value in values.items() if value})


def read_tuning(text: str) -> Dict[str, Tuning]:
    """How each named value is bent, inside what makes sense."""
    tuned = {}
    for name, numbers in read_numbers(text).items():
        given = [*numbers[:3], *UNTUNED[len(numbers[:3]) :]]
        limited = [min(max(value, low), high) for value, (low, high) in zip(given, _LIMITS)]
        tuned[name] = Tuning(*limited)
    return tuned


def write_tuning(tuned: Mapping[str, Tuning]) -> str:
    """The text for :func:`read_tuning`; values that are not bent are left out."""
    return write_numbers({name: list(tuning) for name, tuning in tuned.items() if tuning != UNTUNED})
