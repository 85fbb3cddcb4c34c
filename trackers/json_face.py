"""Faces as JSON objects, the way VTube Studio's phone app and MeowFace send them: read within limits.

Never raises, whatever the bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from core.pose.mapping.arkit_names import BY_SPELLING

from .base import Drop

MAXIMUM_BYTES = 16 * 1024
MAXIMUM_SHAPES = 256
Shapes = dict[str, float]


def read_object(packet: bytes) -> dict[str, Any] | Drop:
    """The packet's one JSON object."""
    if not 2 <= len(packet) <= MAXIMUM_BYTES:
        return Drop.WRONG_SIZE
    try:
        content = json.loads(packet, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Drop.WRONG_FORMAT
    return content if isinstance(content, dict) else Drop.WRONG_FORMAT


def number(value: Any, largest: float = 1e6) -> float | None:
    """The value as a number within +-``largest``; None when it is none."""
    if isinstance(value, float) and -largest <= value <= largest:
        return value  # nearly all are, and there are many in a packet
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(min(max(value, -largest), largest))


def milliseconds(value: Any) -> float | None:
    """A sender's clock: within +-1e15, which is far beyond any date and still counts single milliseconds."""
    return number(value, 1e15)


def vector(value: Any) -> tuple[float, float, float] | None:
    """``{"x": ..., "y": ..., "z": ...}``; None when one of them is missing or no number."""
    if not isinstance(value, Mapping):
        return None
    x, y, z = (number(value.get(axis)) for axis in ("x", "y", "z"))
    return (x, y, z) if x is not None and y is not None and z is not None else None


def read_shapes(value: Any) -> Shapes | None:
    """``[{"k": name, "v": number}, ...]`` by name in lower case; the last of a name wins. None when it is no list."""
    if not isinstance(value, list):
        return None
    found: Shapes = {}
    for entry in value[:MAXIMUM_SHAPES]:
        if isinstance(entry, dict):
            name, amount = entry.get("k"), number(entry.get("v"))
            if isinstance(name, str) and amount is not None and len(name) <= 64:
                found[name.lower()] = amount
    return found


def arkit_shapes(shapes: Shapes) -> tuple[list[int], list[float]]:
    """Places and values of those shapes that ARKit has."""
    places, values = [], []
    for name, amount in shapes.items():
        place = BY_SPELLING.get(name)
        if place is not None:
            places.append(place)
            values.append(amount)
    return places, values


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
