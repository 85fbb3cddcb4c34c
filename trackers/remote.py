"""Remote control by OSC: stream decks, chat bots and scripts on this computer show expressions and set values.

    /easyvtuber/expression s [f]    a name or slot; weight above 0 shows, 0 hides, without one it is toggled
    /easyvtuber/pose s f            a pose value's name and its value, held for a second after it came last
    /easyvtuber/clear               hides every expression

Only this computer itself is listened to. Not a tracker: what it sets lies over everything else.
"""

from __future__ import annotations

import math
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping

from core.wire.clock import now_ns
from core.wire.errors import AddressUnusable, InputError
from core.wire.pose_values import NAMES, SIGNED, indices

from .addresses import LOOPBACK
from .base import TrackerState, TrackerStatus
from .osc import OscMessage, read_osc
from .udp import RECEIVE_BYTES, PeerGate, bind

HELD_NS = 1_000_000_000
"""A value that is not sent again is let go after this long."""
_MOST_COMMANDS = 32
_LONGEST_NAME = 64
_RETRY_S, _STOP_LIMIT_S = 2.0, 1.0

Command = tuple[str, float | None]
"""An expression's name or slot and its weight; None toggles. The name "" means every expression."""


class RemoteControl:
    """A thread that listens on the loopback address. What cannot be opened is tried again every two seconds."""

    def __init__(self, port: int, clock: Callable[[], int] = now_ns) -> None:
        self._port = port
        self._clock = clock
        self._values: dict[int, tuple[float, int]] = {}
        self._commands: deque[Command] = deque(maxlen=_MOST_COMMANDS)
        self._error: InputError | None = None
        self._gate = PeerGate(LOOPBACK)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remote-control", daemon=True)
        self._thread.start()

    def pose(self, now: int) -> Mapping[int, float]:
        """Values that are held at this moment, by index, each inside its range. Any thread."""
        return {place: value for place, (value, set_ns) in tuple(self._values.items()) if now - set_ns < HELD_NS}

    def take_expressions(self) -> list[Command]:
        """What was asked for since the last call, at most 32. Any thread."""
        taken: list[Command] = []
        while self._commands:
            taken.append(self._commands.popleft())
        return taken

    def status(self, now: int) -> TrackerStatus:
        """Whether it listens."""
        state = TrackerState.FAILED if self._error is not None else TrackerState.WAITING
        return TrackerStatus(state, error=self._error)

    def close(self) -> None:
        """End the thread; it closes the socket. Safe to call twice."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_STOP_LIMIT_S)

    def take(self, packet: bytes, arrival_ns: int) -> None:
        """One packet. Never raises, whatever the bytes; what is not understood is left out."""
        for message in read_osc(packet):
            self._obey(message, arrival_ns)

    def _obey(self, message: OscMessage, arrival_ns: int) -> None:
        address, arguments = message
        if address == "/easyvtuber/clear":
            self._commands.append(("", None))
            return
        which = arguments[0] if arguments else None
        if isinstance(which, float) and which.is_integer():
            which = int(which)  # control surfaces often send every number as a float
        if isinstance(which, bool) or not isinstance(which, (str, int)) or len(str(which)) > _LONGEST_NAME:
            return
        name = str(which)
        value = _number(arguments[1]) if len(arguments) > 1 else None
        if address == "/easyvtuber/expression" and name and (value is not None or len(arguments) == 1):
            self._commands.append((name, None if value is None else min(max(value, 0.0), 1.0)))
        elif address == "/easyvtuber/pose" and value is not None:
            for place in indices(name):
                lowest = -1.0 if NAMES[place] in SIGNED else 0.0
                self._values[place] = min(max(value, lowest), 1.0), arrival_ns

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with bind("remote", LOOPBACK, self._port) as receiver:
                    self._error = None
                    self._receive(receiver)
            except InputError as problem:
                self._error = problem
                self._stop.wait(_RETRY_S)

    def _receive(self, receiver: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                packet, peer = receiver.recvfrom(RECEIVE_BYTES)
            except (TimeoutError, ConnectionResetError):
                # nothing came within the limit, or Windows reports an earlier send; either way there is nothing to read
                continue
            except OSError as problem:
                raise AddressUnusable(str(problem), address=LOOPBACK, tracker="remote") from problem
            arrival = self._clock()
            if self._gate.refuses(peer[0], arrival, len(packet)) is None:
                self.take(packet, arrival)


def _number(argument: object) -> float | None:
    if isinstance(argument, (int, float)) and math.isfinite(argument):
        return float(argument)
    return None
