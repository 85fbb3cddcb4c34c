"""Live Link Face's datagrams, version 6, packed from their documented layout and from nothing of ours."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

DEVICE = "A2C0FFEE-0000-4000-8000-00000000000A"
OTHER_DEVICE = "B2C0FFEE-0000-4000-8000-00000000000B"
VALUE_COUNT = 61
EPIC_ORDER = (
    "eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft "
    "eyeBlinkRight eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight "
    "jawForward jawLeft jawRight jawOpen mouthClose mouthFunnel mouthPucker mouthLeft mouthRight "
    "mouthSmileLeft mouthSmileRight mouthFrownLeft mouthFrownRight mouthDimpleLeft mouthDimpleRight "
    "mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper "
    "mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight "
    "browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft "
    "cheekSquintRight noseSneerLeft noseSneerRight tongueOut "
    "headYaw headPitch headRoll leftEyeYaw leftEyePitch leftEyeRoll rightEyeYaw rightEyePitch rightEyeRoll"
).split()
"""The names of the 61 values; the last nine are radians."""


def text(content: str | bytes) -> bytes:
    """Its length and its bytes."""
    raw = content.encode() if isinstance(content, str) else content
    return struct.pack(">i", len(raw)) + raw


def header(
    device: str | bytes = DEVICE,
    *,
    frame: int = 1_000_000,
    part: float = 0.25,
    rate: tuple[int, int] = (60, 1),
    name: str | bytes = "phone",
    version: int = 6,
) -> bytes:
    """Everything before the values. A packet that ends here tells that there is no face."""
    return bytes([version]) + text(device) + text(name) + struct.pack(">ifii", frame, part, *rate)


def values(named: Mapping[str, float]) -> bytes:
    """The count and the 61 values, zero but for those that are named."""
    assert set(named) <= set(EPIC_ORDER)
    return numbers([named.get(name, 0.0) for name in EPIC_ORDER])


def numbers(given: Sequence[float], count: int | None = None) -> bytes:
    """A count, which need not be true, and floats."""
    return struct.pack(f">B{len(given)}f", len(given) if count is None else count, *given)


def face(
    named: Mapping[str, float] | None = None,
    device: str | bytes = DEVICE,
    *,
    frame: int = 1_000_000,
    part: float = 0.25,
    rate: tuple[int, int] = (60, 1),
    name: str | bytes = "phone",
) -> bytes:
    """One whole packet."""
    return header(device, frame=frame, part=part, rate=rate, name=name) + values(named or {})
