"""Live Link Face (Epic Games): an iPhone app that sends ARKit's shapes in "Live Link (ARKit)" mode over UDP.

Layout, version 6, big-endian: Unreal Engine's ``AppleARKitLiveLinkSource.cpp``, and packets of real phones. One byte of
version; device id and subject name, each with a four-byte length; frame number, sub-frame, rate (numerator and
denominator); then, only while a face is seen, a count of 61 and that many floats.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import numpy as np

from core.pose.mapping.arkit_names import NAMES, SHAPE, SHAPE_COUNT, VOCABULARY
from core.wire.settings import Value

from .arkit import HIGHEST, LOWEST
from .base import Decoder, Drop, TrackerSample
from .in_order import InOrder
from .phone import open_listening
from .udp import UdpTracker

VERSION = 6
VALUE_COUNT = 61
MAXIMUM_TEXT_BYTES = 256
DEVICE_RELEASED_AFTER_NS = 5_000_000_000
"""A device that is silent for so long makes room for another one behind the same address."""

_LENGTH = struct.Struct(">i")
_FRAME = struct.Struct(">ifii")
_VALUES = np.dtype(">f4")
_EYE = ("eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide")
ORDER: tuple[str, ...] = (
    *(f"{name}Left" for name in _EYE), *(f"{name}Right" for name in _EYE),
    "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft",
    "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft",
    "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp",
    "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The first 52 values; then head yaw, pitch, roll and both eyes' yaw, pitch, roll in radians."""
_HEAD_AT = SHAPE_COUNT
_PLACES = np.array([ORDER.index(name) for name in NAMES])
assert sorted(ORDER) == sorted(SHAPE)


class LiveLinkDecoder(Decoder):
    """Follows one device: the first, until it falls silent."""

    def __init__(self) -> None:
        self._device: bytes | None = None
        self._seen_ns = 0
        self._order = InOrder()

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet; see :class:`trackers.base.Decoder`."""
        header = _header(datagram)
        if isinstance(header, Drop):
            return header
        device, time_s, values_at = header
        if self._device not in (None, device) and arrival_ns - self._seen_ns < DEVICE_RELEASED_AFTER_NS:
            return Drop.OTHER_FACE
        if values_at >= len(datagram):
            if device == self._device:
                self._seen_ns = arrival_ns  # it is there, only its face is not
            return Drop.NO_FACE
        if datagram[values_at] != VALUE_COUNT or len(datagram) < values_at + 1 + 4 * VALUE_COUNT:
            return Drop.WRONG_SIZE
        values = np.frombuffer(datagram, _VALUES, VALUE_COUNT, values_at + 1).astype(np.float32)
        if not np.isfinite(values).all():
            return Drop.NOT_FINITE
        if self._device != device:
            self._order = InOrder()
        # the frame number is a time code: opaque, but it does not go back unless the app was started anew
        if self._order.is_late(time_s * 1000.0 if time_s is not None else None):
            return Drop.OUT_OF_ORDER
        self._device, self._seen_ns = device, arrival_ns
        yaw, up, roll = (
            min(max(math.degrees(float(angle)), -180.0), 180.0) for angle in values[_HEAD_AT : _HEAD_AT + 3]
        )
        shapes = np.clip(values[_PLACES], LOWEST, HIGHEST)
        return TrackerSample(arrival_ns, VOCABULARY, shapes, (-up, yaw, roll))


def _header(datagram: bytes) -> tuple[bytes, float | None, int] | Drop:
    """Device id, time in seconds (None when the rate makes no sense), and where the count of values is."""
    if len(datagram) < 2 or datagram[0] != VERSION:
        return Drop.WRONG_FORMAT
    at, texts = 1, []
    for _ in range(2):
        if at + 4 > len(datagram):
            return Drop.WRONG_SIZE
        (length,) = _LENGTH.unpack_from(datagram, at)
        at += 4
        if not 0 <= length <= MAXIMUM_TEXT_BYTES or at + length > len(datagram):
            return Drop.WRONG_SIZE
        texts.append(datagram[at : at + length])
        at += length
    if at + _FRAME.size > len(datagram):
        return Drop.WRONG_SIZE
    frame, part, rate, base = _FRAME.unpack_from(datagram, at)
    time_s = (frame + part) * base / rate if rate > 0 and base > 0 and math.isfinite(part) else None
    return texts[0], time_s, at + _FRAME.size


def unavailable() -> str | None:
    """Always there: it needs a phone, nothing else."""
    return None


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> LiveLinkDecoder:
    """A decoder for packets from wherever, for the replay."""
    return LiveLinkDecoder()


def open_tracker(settings: Mapping[str, Value]) -> UdpTracker:
    """Wait for the app on ``livelink_port``."""
    return open_listening("livelinkface", settings, int(settings["livelink_port"]), new_decoder(settings))
