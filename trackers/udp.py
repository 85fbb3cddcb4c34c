"""Receiving datagrams: a thread that owns the socket, takes packets from one peer only and never gives up."""

from __future__ import annotations

import errno
import logging
import socket
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from ipaddress import ip_address

from core.wire.clock import now_ns
from core.wire.errors import AddressUnusable, InputError, PortInUse

from .base import Datagram, Decoder, Drop, LatestSlot, TrackerSample, TrackerState, TrackerStatus

_log = logging.getLogger(__name__)

RECEIVE_BYTES = 65535
RECEIVE_BUFFER_BYTES = 256 * 1024
MAXIMUM_PACKETS_PER_SECOND = 240
"""More than any tracker sends (60 to 120); the rest of a flood is dropped before it is parsed."""
LOST_AFTER_NS = 500_000_000
PEER_RELEASED_AFTER_NS = 5_000_000_000
"""A silent peer loses its lock after this long, so that a phone with a new address is let in."""
_RETRY_S = 2.0
_WAIT_S = 0.25
_STOP_LIMIT_S = 1.0


class UdpTracker:
    """Listens on one address and port and feeds a decoder. Binding is tried again every two seconds until it works."""

    def __init__(self, name: str, address: str, port: int, decoder: Decoder, clock: Callable[[], int] = now_ns) -> None:
        self._name, self._address, self._port = name, address, port
        self._decoder = decoder
        self._clock = clock
        self._slot = LatestSlot()
        self._dropped: Counter[str] = Counter()
        self._arrivals: deque[int] = deque(maxlen=64)
        self._error: InputError | None = None
        self._gate = PeerGate()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tracker-{name}", daemon=True)
        self._thread.start()

    def latest(self, now: int) -> TrackerSample | None:
        """The newest sample, or None before the first."""
        return self._slot.get()

    def status(self, now: int) -> TrackerStatus:
        """Rate over the last packets, drops by reason, and the reason for not listening if there is one."""
        sample = self._slot.get()
        if self._error is not None:
            state = TrackerState.FAILED
        elif sample is None:
            state = TrackerState.WAITING
        else:
            state = TrackerState.TRACKING if now - sample.arrival_ns < LOST_AFTER_NS else TrackerState.LOST
        recent = [arrival for arrival in tuple(self._arrivals) if now - arrival < 1_000_000_000]
        return TrackerStatus(state, rate_of(recent), dict(self._dropped), self._error)

    def close(self) -> None:
        """End the thread; it closes the socket."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_STOP_LIMIT_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with bind(self._name, self._address, self._port) as receiver:
                    self._error = None
                    self._receive(receiver)
            except InputError as problem:
                if self._error is None:
                    _log.warning("%s", problem)
                self._error = problem
                self._stop.wait(_RETRY_S)

    def _receive(self, receiver: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                datagram, peer = receiver.recvfrom(RECEIVE_BYTES)
            except TimeoutError:
                continue
            except ConnectionResetError:
                # Windows reports an earlier send to a closed port here; it says nothing about receiving
                continue
            except OSError as problem:
                raise AddressUnusable(str(problem), address=self._address, tracker=self._name) from problem
            self._take(datagram, peer[0], self._clock())

    def _take(self, datagram: Datagram, peer: str, arrival: int) -> None:
        refused = self._gate.refuses(peer, arrival)
        if refused is not None:
            self._dropped[refused.value] += 1
            return
        result = self._decoder.feed(datagram, arrival)
        if isinstance(result, Drop):
            self._dropped[result.value] += 1
            return
        self._gate.accepted(peer, arrival)
        self._arrivals.append(arrival)
        self._slot.put(result)


class PeerGate:
    """Lets packets through from the first peer that sent a good one, and at most so many a second."""

    def __init__(self) -> None:
        self._peer: str | None = None
        self._peer_seen_ns = 0
        self._window_start_ns = 0
        self._in_window = 0

    def refuses(self, peer: str, arrival: int) -> Drop | None:
        """Why this packet may not even be parsed; None when it may."""
        if self._peer is not None and peer != self._peer and arrival - self._peer_seen_ns < PEER_RELEASED_AFTER_NS:
            return Drop.OTHER_PEER
        if arrival - self._window_start_ns >= 1_000_000_000:
            self._window_start_ns, self._in_window = arrival, 0
        self._in_window += 1
        return Drop.TOO_MANY if self._in_window > MAXIMUM_PACKETS_PER_SECOND else None

    def accepted(self, peer: str, arrival: int) -> None:
        """A good packet came from here: the lock is this peer's for a while."""
        self._peer, self._peer_seen_ns = peer, arrival


def rate_of(arrivals: list[int]) -> float:
    """Packets per second from their arrival times; 0 when fewer than two."""
    if len(arrivals) < 2 or arrivals[-1] <= arrivals[0]:
        return 0.0
    return (len(arrivals) - 1) * 1e9 / (arrivals[-1] - arrivals[0])


def bind(name: str, address: str, port: int) -> socket.socket:
    """A bound UDP socket that nobody else can share. Raises PortInUse or AddressUnusable."""
    try:
        family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    except ValueError as problem:
        raise AddressUnusable(str(problem), address=address, tracker=name) from problem
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if sys.platform == "win32":
            # without it another program could bind the same port and steal the packets
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        receiver.settimeout(_WAIT_S)
        receiver.bind((address, port))
    except OSError as problem:
        receiver.close()
        if problem.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUse(str(problem), port=port, tracker=name) from problem
        raise AddressUnusable(str(problem), address=address, tracker=name) from problem
    return receiver
