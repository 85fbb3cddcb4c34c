"""Packets of Open Sound Control 1.0, made from its specification and from nothing of ours."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import TypeAlias

Given: TypeAlias = str | bytes | float | int | bool | None
"""A string (s), blob (b), float (f), integer (i), true or false (T, F), nil (N)."""
BODY_VALUES = 223
"""Of RhyLive: 55 bones of four numbers, then the hips' position."""


def text(content: str | bytes) -> bytes:
    """A string: one to four zero bytes bring it to a multiple of four."""
    raw = content.encode() if isinstance(content, str) else content
    return raw + b"\0" * (4 - len(raw) % 4)


def blob(content: bytes) -> bytes:
    """Its size, its bytes, and zero bytes up to a multiple of four."""
    return struct.pack(">i", len(content)) + content + b"\0" * (-len(content) % 4)


def message(address: str | bytes, *arguments: Given) -> bytes:
    """One message with the types that the arguments have."""
    tags, packed = ",", b""
    for argument in arguments:
        if argument is None:
            tags += "N"
        elif isinstance(argument, bool):
            tags += "T" if argument else "F"
        elif isinstance(argument, int):
            tags, packed = tags + "i", packed + struct.pack(">i", argument)
        elif isinstance(argument, float):
            tags, packed = tags + "f", packed + struct.pack(">f", argument)
        elif isinstance(argument, str):
            tags, packed = tags + "s", packed + text(argument)
        else:
            tags, packed = tags + "b", packed + blob(argument)
    return text(address) + text(tags) + packed


def raw_message(address: str | bytes, tags: str | bytes, arguments: bytes = b"") -> bytes:
    """One message whose types and arguments need not belong together."""
    return text(address) + text(tags) + arguments


def bundle(*elements: bytes, time_tag: int = 1) -> bytes:
    """Messages and bundles in one; the time tag 1 means now."""
    return b"#bundle\0" + struct.pack(">Q", time_tag) + b"".join(struct.pack(">i", len(e)) + e for e in elements)


# -- VMC ------------------------------------------------------------------------------------------------------------

Rotation: TypeAlias = tuple[float, float, float, float]
"""x, y, z, w, as Unity has it."""
UPRIGHT: Rotation = (0.0, 0.0, 0.0, 1.0)
APPLY = message("/VMC/Ext/Blend/Apply")


def turned(axis: int, degrees: float) -> Rotation:
    """About x (0), y (1) or z (2), in Unity's sense: + looks down, turns to the own right, tips to the own left."""
    parts = [0.0, 0.0, 0.0, math.cos(math.radians(degrees) / 2)]
    parts[axis] = math.sin(math.radians(degrees) / 2)
    return (parts[0], parts[1], parts[2], parts[3])


def blend(name: str, value: Given) -> bytes:
    """``/VMC/Ext/Blend/Val``."""
    return message("/VMC/Ext/Blend/Val", name, value)


def bone(name: str, rotation: Sequence[float] = UPRIGHT) -> bytes:
    """``/VMC/Ext/Bone/Pos`` at the origin."""
    return message("/VMC/Ext/Bone/Pos", name, 0.0, 0.0, 0.0, *rotation)


def state(tracking: int) -> bytes:
    """``/VMC/Ext/OK`` of a calibrated sender."""
    return message("/VMC/Ext/OK", 1, 3, 0, tracking)


# -- RhyLive --------------------------------------------------------------------------------------------------------


def face(*shapes: Given) -> bytes:
    """``/Face``."""
    return message("/Face", *shapes)


def body(bones: dict[int, Rotation], count: int = BODY_VALUES) -> bytes:
    """``/Body``: every bone upright but those that are given by number."""
    values = [part for number in range(55) for part in bones.get(number, UPRIGHT)] + [0.0] * 3
    return message("/Body", *(values + [0.0] * count)[:count])
