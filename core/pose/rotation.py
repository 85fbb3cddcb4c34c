"""Head rotations as unit quaternions (w, x, y, z), so that "relative to the neutral" is right at every angle."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .sample import HeadAngles

Quaternion = tuple[float, float, float, float]

IDENTITY: Quaternion = (1.0, 0.0, 0.0, 0.0)


def from_degrees(head: HeadAngles) -> Quaternion:
    """Pitch about x, then yaw about y, then roll about z, all about the fixed axes of ARKit's space."""
    x, y, z = (math.radians(angle) / 2.0 for angle in head)
    pitch = (math.cos(x), math.sin(x), 0.0, 0.0)
    yaw = (math.cos(y), 0.0, math.sin(y), 0.0)
    roll = (math.cos(z), 0.0, 0.0, math.sin(z))
    return multiply(roll, multiply(yaw, pitch))


def to_degrees(rotation: Quaternion) -> HeadAngles:
    """Pitch, yaw, roll in degrees; yaw within +-90."""
    w, x, y, z = rotation
    pitch = math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    yaw = math.asin(min(max(2.0 * (w * y - z * x), -1.0), 1.0))
    roll = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return math.degrees(pitch), math.degrees(yaw), math.degrees(roll)


def multiply(first: Quaternion, second: Quaternion) -> Quaternion:
    """``first * second``: turning by ``second``, then by ``first``."""
    a, b, c, d = first
    e, f, g, h = second
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


def relative(rotation: Quaternion, neutral: Quaternion) -> Quaternion:
    """What turns the neutral into ``rotation``, seen in the neutral's own frame."""
    w, x, y, z = neutral
    return multiply((w, -x, -y, -z), rotation)


def mean(rotations: Sequence[Quaternion]) -> Quaternion:
    """The normalised mean of rotations that lie near each other; the identity when there are none."""
    total = [0.0, 0.0, 0.0, 0.0]
    for rotation in rotations:
        # q and -q are the same rotation: bring all to the first one's side before adding
        sign = 1.0 if sum(a * b for a, b in zip(rotation, rotations[0], strict=True)) >= 0.0 else -1.0
        for axis in range(4):
            total[axis] += sign * rotation[axis]
    length = math.sqrt(sum(part * part for part in total))
    if length < 1e-9:
        return IDENTITY
    return (total[0] / length, total[1] / length, total[2] / length, total[3] / length)
