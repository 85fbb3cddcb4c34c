"""Hostile packets: recorded ones, broken in every way a network, a bug or a person could break them.

Used by the long run (``bench fuzz``) and, with its own choice of examples, by the tests.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable

import numpy as np

from core.pose.mapping import MAPPINGS
from core.pose.parameters import MAXIMUM, MINIMUM
from core.pose.sample import TrackerSample
from core.pose.tracked import TrackedFace
from core.wire.settings import defaults

LARGEST = 65_507
ODD_FLOATS = (math.nan, math.inf, -math.inf, 3.4e38, -3.4e38, 1e-45, 0.0, 1e9)
ODD_WORDS = (
    b"nan", b"NaN", b"-inf", b"Infinity", b"1e999", b"-1e999", b"--3", b"0x10", b"1_000", b"", b"9" * 400, b"-0",
    "１２３".encode(), b"null", b"true", b"[]", b"{}", b'"x"', b"[" * 2000, b'{"a":' * 500, b"\xff\xfe", b"\0",
    b"\xef\xbb\xbf", b"|" * 500, b"#", b"=head#", b"&", b"-", b"___iFacialMocap", b"/VMC/Ext/Blend/Val\0",
    b"#bundle\0" + bytes(8), b"FMV3", b"=head#1,2,3", b"=head#" + b"1," * 50,
)  # fmt: skip
Mutation = Callable[[random.Random, bytes, bytes], bytes]


def _cut(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    return packet[: chance.randrange(len(packet) + 1)]


def _behead(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    return packet[chance.randrange(len(packet) + 1) :]


def _flip(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    broken = bytearray(packet)
    for _ in range(chance.randrange(1, 9)):
        if broken:
            broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken)


def _odd_number(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    """A number that is none, wherever a float, a length or a count may lie."""
    odd = struct.pack(chance.choice("<>") + "f", chance.choice(ODD_FLOATS))
    if chance.random() < 0.4:
        odd = struct.pack(chance.choice("<>") + "I", chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 65_536)))
    if chance.random() < 0.2:
        odd = struct.pack(chance.choice("<>") + "d", chance.choice((math.nan, math.inf, 1e300, -1e300)))
    place = chance.randrange(max(len(packet) - len(odd), 0) + 1)
    place -= place % 4 if chance.random() < 0.5 else 0
    return packet[:place] + odd + packet[place + len(odd) :]


def _odd_word(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    word, place = chance.choice(ODD_WORDS), chance.randrange(len(packet) + 1)
    return packet[:place] + word + packet[place + chance.randrange(0, 12) :]


def _repeat(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    """A piece many times: thousands of keys, of records, of brackets."""
    start = chance.randrange(len(packet) + 1)
    piece = packet[start : start + chance.randrange(1, 64)]
    return (packet[:start] + piece * chance.randrange(1, 800) + packet[start:])[:LARGEST]


def _splice(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    return packet[: chance.randrange(len(packet) + 1)] + other[chance.randrange(len(other) + 1) :]


def _double(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    return (packet * chance.randrange(2, 41))[:LARGEST]


def _noise(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 3, 40, 272, 1785, 1809, 3570, 9000)))


def _as_it_is(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    return packet


MUTATIONS: tuple[Mutation, ...] = (
    _cut, _behead, _flip, _flip, _flip, _odd_number, _odd_number, _odd_word, _odd_word, _repeat, _splice, _double,
    _noise, _as_it_is,
)  # fmt: skip


def break_packet(chance: random.Random, packet: bytes, other: bytes) -> bytes:
    """One packet, broken once or several times; ``other`` is any other packet."""
    for _ in range(1 if chance.random() < 0.7 else chance.randrange(2, 5)):
        packet = chance.choice(MUTATIONS)(chance, packet, other)[:LARGEST]
    return packet


def is_in_range(sample: TrackerSample) -> bool:
    """Is everything in it a number, of a size that a face can have?"""
    numbers = (*sample.head_degrees, *(sample.position or ()), *(sample.body_degrees or ()))
    if sample.vocabulary not in MAPPINGS or not all(map(math.isfinite, numbers)):
        return False
    if any(abs(angle) > 180.001 for angle in (*sample.head_degrees, *(sample.body_degrees or ()))):
        return False
    if any(abs(place) > 10.001 for place in sample.position or ()):
        return False
    if not 0 <= sample.hotkey <= 8:
        return False
    return bool(np.isfinite(sample.values).all() and np.abs(sample.values).max(initial=0.0) <= 2.0)


class PoseCheck:
    """The whole way of a sample to the pose: calibration, mapping, filter."""

    def __init__(self, source: str) -> None:
        self._face = TrackedFace()
        self._face.configure(defaults())
        self._face.use(source)

    def is_in_range(self, sample: TrackerSample) -> bool:
        """Is the pose that comes of it one that a model can be posed by?"""
        self._face.take(sample)
        pose = self._face.pose
        moved = all(map(math.isfinite, self._face.position))
        return bool(np.isfinite(pose).all() and (pose >= MINIMUM).all() and (pose <= MAXIMUM).all() and moved)
