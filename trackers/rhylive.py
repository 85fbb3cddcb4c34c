"""RhyLive: an iPhone app that sends face and body as OSC messages over UDP (its USB stream is not supported).

Layout: RhythMoAI's RhyLiveSDK_Unity. ``/Face``: ARKit's 52 shapes in alphabetical order, 0..1. ``/Body``: local
rotations (x, y, z, w) of Unity's 55 human bones, then the hips' position.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from core.pose import rotation
from core.pose.mapping.arkit_names import SHAPE_COUNT, VOCABULARY
from core.pose.sample import HeadAngles
from core.wire.settings import Value

from .arkit import HIGHEST, LOWEST
from .base import Decoder, Drop, TrackerSample
from .osc import Argument, read_osc
from .phone import open_listening
from .udp import UdpTracker
from .vmc import quaternion_of

BODY_VALUES = 223
BODY_KEPT_NS = 500_000_000
_HEAD_BONES, _BODY_BONES = (9, 10), (7, 8, 54)
"""Unity's ``HumanBodyBones``: neck and head; spine, chest and upper chest."""


class RhyLiveDecoder(Decoder):
    """A face message makes the sample; the body is the newest that came."""

    def __init__(self) -> None:
        self._head: HeadAngles = (0.0, 0.0, 0.0)
        self._body: HeadAngles | None = None
        self._body_ns = -BODY_KEPT_NS

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet; see :class:`trackers.base.Decoder`."""
        result: TrackerSample | Drop | None = Drop.WRONG_FORMAT
        for address, arguments in read_osc(datagram):
            if address == "/Body" and len(arguments) >= BODY_VALUES:
                if self._take_body(arguments, arrival_ns):
                    result = None if result is Drop.WRONG_FORMAT else result
            elif address == "/Face" and len(arguments) >= SHAPE_COUNT:
                result = self._face(arguments, arrival_ns)
        return result

    def _take_body(self, arguments: list[Argument], arrival_ns: int) -> bool:
        head, body = _turned(arguments, _HEAD_BONES), _turned(arguments, _BODY_BONES)
        if head is None or body is None:
            return False
        # a torso that is all zero is not tracked: it goes with the head
        told = any(any(arguments[4 * bone : 4 * bone + 4]) for bone in _BODY_BONES)
        self._head, self._body, self._body_ns = head, body if told else None, arrival_ns
        return True

    def _face(self, arguments: list[Argument], arrival_ns: int) -> TrackerSample | Drop:
        numbers = [argument for argument in arguments[:SHAPE_COUNT] if isinstance(argument, (int, float))]
        if len(numbers) < SHAPE_COUNT:
            return Drop.WRONG_FORMAT
        values = np.array([float(number) for number in numbers], np.float64)
        if not np.isfinite(values).all():
            return Drop.NOT_FINITE
        fresh = arrival_ns - self._body_ns < BODY_KEPT_NS
        return TrackerSample(
            arrival_ns,
            VOCABULARY,
            np.clip(values, LOWEST, HIGHEST).astype(np.float32),
            self._head if fresh else (0.0, 0.0, 0.0),
            body_degrees=self._body if fresh else None,
        )


def _turned(arguments: list[Argument], bones: tuple[int, ...]) -> HeadAngles | None:
    total = rotation.IDENTITY
    for bone in bones:
        numbers = arguments[4 * bone : 4 * bone + 4]
        if not any(numbers):
            continue  # a bone that is not tracked is sent as zeros
        turned = quaternion_of(numbers)
        if turned is None:
            return None
        total = rotation.multiply(total, turned)
    angles = rotation.to_degrees(total)
    return angles if all(map(math.isfinite, angles)) else None


def unavailable() -> str | None:
    """Always there: it needs a port, nothing else."""
    return None


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> RhyLiveDecoder:
    """A decoder for packets from wherever, for the replay."""
    return RhyLiveDecoder()


def open_tracker(settings: Mapping[str, Value]) -> UdpTracker:
    """Wait for the app on ``rhylive_port``."""
    return open_listening("rhylive", settings, int(settings["rhylive_port"]), new_decoder(settings))
