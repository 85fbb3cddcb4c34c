"""The mouse as a face: the avatar looks where the pointer is. It blinks and breathes by itself.

Each look at the pointer is a packet of two little-endian floats, -1..1 over the chosen area (x to the right, y up), so
that it is recorded and replayed like any other input.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from core.pose.mapping.direct import VOCABULARY
from core.pose.parameters import POSE_SIZE, Pose
from core.wire.clock import now_ns
from core.wire.errors import InputError, InputUnavailable
from core.wire.settings import Value

from . import pointer
from .base import Decoder, Drop, Hint, TrackerSample, TrackerStatus
from .pointer import Area, Pointer, PointerUnavailable
from .threaded import ThreadedTracker

PACKET = struct.Struct("<2f")
_PERIOD_NS = 1_000_000_000 // 60
_AREA_AGAIN_NS = 2_000_000_000
"""Monitors come and go."""
_RETRY_S = 2.0
_HEAD_TIME_CONSTANT_S = 0.075
_LONGEST_STEP_S = 0.25
_EYES = (0.8, 0.5)
_HEAD_TAKES = 0.6
"""The eyes are where the head points already, for so much of its turn."""
_BODY_SHARE, _TILT_SHARE = 0.4, 0.15


class MouseDecoder(Decoder):
    """The head follows the pointer a little later, the eyes at once."""

    def __init__(self, reach: float = 1.0) -> None:
        """``reach``: how far the head turns at the edge, 1 = all the way."""
        self._reach = reach
        self._head = (0.0, 0.0)
        self._arrival_ns = 0

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet; see :class:`trackers.base.Decoder`."""
        if len(datagram) != PACKET.size:
            return Drop.WRONG_SIZE
        right, up = PACKET.unpack(datagram)
        if not (math.isfinite(right) and math.isfinite(up)):
            return Drop.NOT_FINITE
        return TrackerSample(arrival_ns, VOCABULARY, self._pose(_unit(right), _unit(up), arrival_ns), tracks_eyes=False)

    def _pose(self, right: float, up: float, arrival_ns: int) -> NDArray[np.float32]:
        elapsed = min(max((arrival_ns - self._arrival_ns) / 1e9, 0.0), _LONGEST_STEP_S) if self._arrival_ns else 1.0
        self._arrival_ns = arrival_ns
        step = 1.0 - math.exp(-elapsed / _HEAD_TIME_CONSTANT_S)
        # the avatar looks out of the screen: what is on its right is on the viewer's left
        wanted = (_unit(-right * self._reach), _unit(up * self._reach))
        side, rise = (now + (goal - now) * step for now, goal in zip(self._head, wanted, strict=True))
        self._head = side, rise
        pose = np.zeros(POSE_SIZE, np.float32)
        pose[Pose.HEAD_Y], pose[Pose.HEAD_X] = side, rise
        pose[Pose.IRIS_ROTATION_Y] = _EYES[0] * _left_for_the_eyes(-right, side)
        pose[Pose.IRIS_ROTATION_X] = _EYES[1] * _left_for_the_eyes(up, rise)
        pose[Pose.NECK_Z] = side * _TILT_SHARE
        pose[Pose.BODY_Y], pose[Pose.BODY_Z] = side * _BODY_SHARE, side * _TILT_SHARE * _BODY_SHARE
        return pose


class MouseTracker(ThreadedTracker):
    """A thread that asks for the pointer 60 times a second, by absolute deadlines."""

    def __init__(
        self,
        decoder: MouseDecoder,
        *,
        primary: bool,
        centre: tuple[float, float] = (0.5, 0.5),
        open_pointer: Callable[[], Pointer] = pointer.open_pointer,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """``centre``: where straight ahead is, in shares of the area from its left and top."""
        super().__init__("mouse", decoder, clock)
        self._primary, self._centre = primary, centre
        self._open = open_pointer
        self._error: InputError | None = None
        self._begin()

    def status(self, now: int) -> TrackerStatus:
        """``FAILED`` while the pointer cannot be asked for."""
        hints = (Hint("pointer_wayland"),) if pointer.is_partial() else ()
        return self._intake.status(now, self._error, hints)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                opened = self._open()
                self._error = None
                try:
                    self._follow(opened)
                finally:
                    opened.close()
            except PointerUnavailable as problem:
                self._error = InputUnavailable(tracker="mouse", reason=problem.reason)
            except OSError as problem:
                self._error = InputUnavailable(str(problem), tracker="mouse", reason="no_display")
            self._stop.wait(_RETRY_S)

    def _follow(self, opened: Pointer) -> None:
        area, looked_ns, due = None, 0, self._clock()
        while not self._stop.is_set():
            now = self._clock()
            if area is None or now - looked_ns > _AREA_AGAIN_NS:
                area, looked_ns = opened.area(self._primary), now
            place = opened.place()
            if place is not None and area is not None:
                self._intake.take(PACKET.pack(*within(place, area, self._centre)), now)
            due = max(due + _PERIOD_NS, now)
            self._stop.wait(max(due - self._clock(), 1_000_000) / 1e9)


def within(place: tuple[int, int], area: Area, centre: tuple[float, float]) -> tuple[float, float]:
    """Where a pixel is in an area, -1..1 to the right and up; 0 is the centre, and both edges are full."""
    left, top, width, height = area
    across, down = ((place[0] - left) / max(width - 1, 1), (place[1] - top) / max(height - 1, 1))
    return _from(across, centre[0]), 0.0 - _from(down, centre[1])


def _from(part: float, centre: float) -> float:
    room = 1.0 - centre if part > centre else centre
    return _unit((part - centre) / max(room, 0.05))


def _left_for_the_eyes(target: float, head: float) -> float:
    """What the head has not turned yet; a head that turns farther than the pointer is does not turn the eyes back."""
    reached = min(max(head, -abs(target)), abs(target))
    return target - reached * _HEAD_TAKES


def _unit(value: float) -> float:
    return min(max(value, -1.0), 1.0)


def unavailable() -> str | None:
    """Why the pointer cannot be asked for here."""
    return pointer.reason_against()


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> MouseDecoder:
    """A decoder for packets from wherever, for the replay."""
    return MouseDecoder(int(settings["mouse_range"]) / 100.0)


def open_tracker(settings: Mapping[str, Value]) -> MouseTracker:
    """Follow the pointer."""
    centre = int(settings["mouse_centre_x"]) / 100.0, int(settings["mouse_centre_y"]) / 100.0
    return MouseTracker(new_decoder(settings), primary=settings["mouse_area"] == "primary", centre=centre)
