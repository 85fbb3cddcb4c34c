"""Open Sound Control 1.0, as much of it as face trackers send: messages and bundles, read without recursion.

Never raises and never does more work than its limits, whatever the bytes. Time tags are ignored: everything is for now.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAXIMUM_DEPTH = 4
MAXIMUM_MESSAGES = 512
MAXIMUM_ARGUMENTS = 1024
MAXIMUM_BYTES = 32 * 1024
_BUNDLE = b"#bundle\0"
_SIZES = {"i": 4, "f": 4, "h": 8, "t": 8, "d": 8, "c": 4, "r": 4, "m": 4, "T": 0, "F": 0, "N": 0, "I": 0}
"""Bytes of each type of argument; strings (s, S) and blobs (b) have their own length."""
_CODES = {"i": "i", "f": "f", "h": "q", "d": "d", "t": "q", "c": "i", "r": "i", "m": "i"}
_FIXED: dict[str, struct.Struct] = {}
_MOST_LAYOUTS = 64

Argument = str | float | int | bool | None


class OscMessage(NamedTuple):
    """One message. Blobs come as None."""

    address: str
    arguments: list[Argument]


def read_osc(packet: bytes) -> list[OscMessage]:
    """Every whole message of a packet, in order; none when the packet is not OSC at all."""
    if len(packet) % 4 or len(packet) > MAXIMUM_BYTES:
        return []
    messages: list[OscMessage] = []
    pending: list[tuple[int, int, int]] = [(0, len(packet), 0)]
    while pending and len(messages) < MAXIMUM_MESSAGES:
        start, end, depth = pending.pop()
        if packet.startswith(_BUNDLE, start, end):
            if depth < MAXIMUM_DEPTH:
                pending.extend(reversed(_elements(packet, start + 16, end, depth + 1)))
        elif packet.startswith(b"/", start, end):
            message = _message(packet, start, end)
            if message is not None:
                messages.append(message)
    return messages


def _elements(packet: bytes, at: int, end: int, depth: int) -> list[tuple[int, int, int]]:
    """Start, end and depth of everything in a bundle, up to the first that is broken."""
    found: list[tuple[int, int, int]] = []
    while at + 4 <= end and len(found) < MAXIMUM_MESSAGES:
        size = int.from_bytes(packet[at : at + 4], "big")
        at += 4
        if size == 0 or size % 4 or at + size > end:
            break
        found.append((at, at + size, depth))
        at += size
    return found


def _message(packet: bytes, start: int, end: int) -> OscMessage | None:
    zero = packet.find(b"\0", start, end)
    if zero < 0:
        return None
    at = _padded(zero, start)
    if at >= end:
        # old senders leave the type tags out where there are no arguments
        return OscMessage(packet[start:zero].decode("utf-8", "replace"), [])
    tags_end = packet.find(b"\0", at, end)
    if tags_end < 0 or packet[at : at + 1] != b"," or tags_end - at > MAXIMUM_ARGUMENTS:
        return None
    tags = packet[at + 1 : tags_end]
    at = _padded(tags_end, start)
    fixed = _layout(tags)
    if fixed is not None:
        if at + fixed.size > end:
            return None
        return OscMessage(packet[start:zero].decode("utf-8", "replace"), list(fixed.unpack_from(packet, at)))
    arguments = _arguments(packet, at, start, end, tags.decode("ascii", "replace"))
    return OscMessage(packet[start:zero].decode("utf-8", "replace"), arguments) if arguments is not None else None


def _layout(tags: bytes) -> struct.Struct | None:
    """How to read arguments that are all floats in one go: what trackers send sixty times a second."""
    if not tags or tags.strip(b"f"):
        return None
    key = tags.decode("ascii")
    found = _FIXED.get(key)
    if found is None:
        found = struct.Struct(f">{len(key)}f")
        if len(_FIXED) < _MOST_LAYOUTS:
            _FIXED[key] = found
    return found


def _arguments(packet: bytes, at: int, origin: int, end: int, tags: str) -> list[Argument] | None:
    """The arguments; None when one is of an unknown type or lies past the end."""
    arguments: list[Argument] = []
    for tag in tags:
        if tag in "sS":
            zero = packet.find(b"\0", at, end)
            if zero < 0:
                return None
            arguments.append(packet[at:zero].decode("utf-8", "replace"))
            at = _padded(zero, origin)
        elif tag == "b":
            size = int.from_bytes(packet[at : at + 4], "big")
            if at + 4 > end or size > end - at - 4:
                return None
            arguments.append(None)
            at += 4 + (size + 3) // 4 * 4
        elif tag in _SIZES:
            size = _SIZES[tag]
            if at + size > end:
                return None
            arguments.append(_fixed_argument(packet, at, tag))
            at += size
        elif tag not in "[]":
            return None
    return arguments


def _fixed_argument(packet: bytes, at: int, tag: str) -> Argument:
    if tag in _CODES:
        value: float = struct.unpack_from(">" + _CODES[tag], packet, at)[0]
        return value
    return {"T": True, "F": False}.get(tag)


def _padded(zero: int, origin: int) -> int:
    """Where the next thing begins after a string that ends with the zero byte at ``zero``."""
    return origin + (zero - origin) // 4 * 4 + 4
