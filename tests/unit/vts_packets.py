"""Packets of VTube Studio's phone app and of MeowFace, made from what both send and from nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Vector: TypeAlias = tuple[float, float, float]

MIDDLE = ("browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel",
          "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
          "mouthShrugUpper", "tongueOut")  # fmt: skip
PAIRS = ("browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp",
         "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile",
         "mouthStretch", "mouthUpperUp", "noseSneer")  # fmt: skip
"""Those of which there is a left and a right one."""
SHAPES = (*MIDDLE, *(f"{stem}{side}" for stem in PAIRS for side in ("Left", "Right")))
"""ARKit's 52 in Apple's spelling, in no order that matters."""
FIRST_TIME_MS = 1_760_000_000_000
"""A phone's clock: milliseconds since 1970."""
LEFT_OUT = object()
"""The value of a field that shall not be there."""


def pascal(name: str) -> str:
    """As iPhones spell it: ``EyeBlinkLeft``."""
    return name[0].upper() + name[1:]


def android(name: str) -> str:
    """As some Android phones spell those with sides: ``eyeBlink_L``."""
    for side in ("Left", "Right"):
        if name.removesuffix(side) in PAIRS:
            return f"{name.removesuffix(side)}_{side[0]}"
    return name


def axes(vector: Vector) -> dict[str, float]:
    """A vector's three fields."""
    return dict(zip("xyz", vector, strict=True))


def entries(shapes: Mapping[str, float] | Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    """Blend shapes as a list of a name and a value each."""
    pairs = shapes.items() if isinstance(shapes, Mapping) else shapes
    return [{"k": name, "v": value} for name, value in pairs]


def vts(
    shapes: Mapping[str, float] | None = None,
    *,
    turned: Vector = (0.0, 0.0, 0.0),
    place: Vector = (0.0, 0.0, 4.0),
    time_ms: float = FIRST_TIME_MS,
    **changed: Any,
) -> bytes:
    """One packet of VTube Studio: every shape at rest but ``shapes``; ``changed`` replaces whole fields."""
    told = dict.fromkeys(SHAPES, 0.0) | dict(shapes or {})
    fields = {
        "Timestamp": time_ms,
        "Hotkey": -1,
        "FaceFound": True,
        "Rotation": axes(turned),
        "Position": axes(place),
        "EyeLeft": axes((0.0, 0.0, 0.0)),
        "EyeRight": axes((0.0, 0.0, 0.0)),
        "BlendShapes": entries({pascal(name): value for name, value in told.items()}),
    }
    return written(fields | changed)


def meowface(
    shapes: Mapping[str, float] | None = None,
    *,
    turned: Vector = (0.0, 0.0, 0.0),
    place: Vector = (0.5, 0.5, 0.3),
    time_ms: float = FIRST_TIME_MS,
    **changed: Any,
) -> bytes:
    """One packet of MeowFace with ``shapes`` and no others; its ``Position`` is always zero."""
    fields = {
        "Timestamp": time_ms,
        "Hotkey": -1,
        "FaceFound": True,
        "Rotation": axes(turned),
        "Position": axes((0.0, 0.0, 0.0)),
        "EyeLeft": axes((0.0, 0.0, 0.0)),
        "EyeRight": axes((0.0, 0.0, 0.0)),
        "VNyanPos": axes(place),
        "BlendShapes": entries({"jawOpen": 0.0} if shapes is None else shapes),
    }
    return written(fields | changed)


def written(fields: Mapping[str, Any]) -> bytes:
    """The fields as they travel, without those that are left out."""
    there = {name: value for name, value in fields.items() if value is not LEFT_OUT}
    return json.dumps(there, separators=(",", ":")).encode()
