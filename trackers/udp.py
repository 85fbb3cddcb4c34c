"""Receiving datagrams: a thread that owns the socket, takes packets from one peer only and never gives up."""

from __future__ import annotations

import errno
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Protocol

from core.wire.clock import now_ns
from core.wire.errors import AddressUnusable, InputError, PortInUse

from .addresses import plain
from .base import Datagram, Decoder, Drop, Hint, TrackerStatus
from .threaded import ThreadedTracker

_log = logging.getLogger(__name__)

RECEIVE_BYTES = 65535
RECEIVE_BUFFER_BYTES = 256 * 1024
MAXIMUM_PACKETS_PER_SECOND = 240
"""More than any tracker sends (60 to 120); the rest of a flood is dropped before it is parsed."""
MAXIMUM_BYTES_PER_SECOND = 4 << 20
PEER_RELEASED_AFTER_NS = 5_000_000_000
"""A silent peer loses its lock after this long, so that a phone with a new address is let in."""
_RETRY_S = 2.0
_WAIT_S = 0.25
_ADDRESS_AGAIN_NS = 5_000_000_000
_MOST_SENT_PER_SECOND = 8
_STILL_THE_TRACKER = frozenset((Drop.NO_FACE, Drop.POOR_FIT, Drop.OTHER_FACE, Drop.OUTLIER, Drop.OUT_OF_ORDER))
"""Packets that are of no use, but could only come from the tracker that is followed: it is not gone."""


class Conversation(Protocol):
    """What must be said to the other side so that it sends. Used by the receiving thread only, but for ``hints``."""

    peer: tuple[str, int]
    """Address and port of the other side; nothing is ever sent anywhere else."""

    def due(self, now_ns: int, heard_ns: int) -> Sequence[bytes]:
        """What to send now; asked a few times a second. ``heard_ns``: when the last packet came, 0 before the first."""
        ...

    def farewell(self) -> Sequence[bytes]:
        """What to send when the input is closed."""
        ...

    def hints(self, now_ns: int, heard_ns: int) -> tuple[Hint, ...]:
        """What the user should know while nothing comes. Any thread."""
        ...


class UdpTracker(ThreadedTracker):
    """Listens on one address and port and feeds a decoder. Binding is tried again every two seconds until it works.

    ``address`` may be a function: it is asked again while nothing comes, because a computer's own address changes when
    it joins another network. Of several ports the next one is tried while nothing comes. With ``peer`` only packets
    from that address are let in; without, the first sender of a good packet is followed for as long as it sends.
    """

    def __init__(
        self,
        name: str,
        address: str | Callable[[], str],
        port: int | tuple[int, ...],
        decoder: Decoder,
        clock: Callable[[], int] = now_ns,
        *,
        peer: str | None = None,
        conversation: Conversation | None = None,
        hints: Callable[[int, int], tuple[Hint, ...]] | None = None,
        recording_prefix: str = "",
    ) -> None:
        super().__init__(name, decoder, clock, recording_prefix or None)
        self._ports = port if isinstance(port, tuple) else (port,)
        self._turn = 0
        self._address: Callable[[], str] = address if callable(address) else lambda: str(address)
        self._error: InputError | None = None
        self._gate = PeerGate(peer)
        self._conversation = conversation
        self._hints = hints
        self._sent_from_ns = self._sent = 0
        self._begin()

    def status(self, now: int) -> TrackerStatus:
        """Rate over the last packets, drops by reason, and the reason for not listening if there is one."""
        heard = self._intake.heard_ns
        hints: tuple[Hint, ...] = ()
        if self._conversation is not None:
            hints += self._conversation.hints(now, heard)
        if self._hints is not None:
            hints += self._hints(now, heard)
        return self._intake.status(now, self._error, hints)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                address = self._address()
                with bind(self._name, address, self._ports[self._turn % len(self._ports)]) as receiver:
                    self._error = None
                    self._receive(receiver, address)
            except InputError as problem:
                if self._error is None:
                    _log.warning("%s", problem)
                self._error = problem
                self._stop.wait(_RETRY_S)

    def _receive(self, receiver: socket.socket, address: str) -> None:
        looked_ns = self._clock()
        while not self._stop.is_set():
            self._converse(receiver)
            try:
                datagram, peer = receiver.recvfrom(RECEIVE_BYTES)
            except TimeoutError:
                now = self._clock()
                if now - max(looked_ns, self._intake.heard_ns) > _ADDRESS_AGAIN_NS:
                    looked_ns = now
                    if len(self._ports) > 1:
                        self._turn += 1
                        return
                    if self._address() != address:
                        return
                continue
            except ConnectionResetError:
                # Windows reports an earlier send to a closed port here; it says nothing about receiving
                continue
            except OSError as problem:
                raise AddressUnusable(str(problem), address=address, tracker=self._name) from problem
            self._take(datagram, peer[0], self._clock())
        if self._conversation is not None:
            self._send(receiver, self._conversation.farewell())

    def _converse(self, receiver: socket.socket) -> None:
        if self._conversation is not None:
            self._send(receiver, self._conversation.due(self._clock(), self._intake.heard_ns))

    def _send(self, receiver: socket.socket, packets: Sequence[bytes]) -> None:
        assert self._conversation is not None
        for packet in packets:
            now = self._clock()
            if now - self._sent_from_ns >= 1_000_000_000:
                self._sent_from_ns, self._sent = now, 0
            self._sent += 1
            if self._sent > _MOST_SENT_PER_SECOND:
                return  # whatever the other side says, it is never answered faster
            try:
                receiver.sendto(packet, self._conversation.peer)
            except OSError as problem:
                # no way there at the moment: asked again a little later
                _log.debug("%s: nothing can be sent to %s: %s", self._name, self._conversation.peer, problem)

    def _take(self, datagram: Datagram, peer: str, arrival: int) -> None:
        refused = self._gate.refuses(peer, arrival, len(datagram))
        if refused is not None:
            self._intake.drop(refused)
            return
        result = self._intake.take(datagram, arrival)
        if not isinstance(result, Drop):
            self._gate.accepted(peer, arrival)
        elif result in _STILL_THE_TRACKER:
            self._gate.heard(peer, arrival)


class PeerGate:
    """Lets packets through from one peer, and at most so many a second.

    That peer is the one that was configured, else the first that sent a good packet.
    """

    def __init__(self, configured: str | None = None) -> None:
        self._configured = plain(configured) if configured is not None else None
        self._peer: str | None = None
        self._peer_seen_ns = 0
        self._window_start_ns = 0
        self._in_window = self._bytes_in_window = 0

    def refuses(self, peer: str, arrival: int, size: int = 0) -> Drop | None:
        """Why this packet may not even be parsed; None when it may."""
        if self._configured is not None:
            if peer != self._configured and plain(peer) != self._configured:
                return Drop.OTHER_PEER
        elif self._peer is not None and peer != self._peer and arrival - self._peer_seen_ns < PEER_RELEASED_AFTER_NS:
            return Drop.OTHER_PEER
        if arrival - self._window_start_ns >= 1_000_000_000:
            self._window_start_ns, self._in_window, self._bytes_in_window = arrival, 0, 0
        self._in_window += 1
        self._bytes_in_window += size
        too_many = self._in_window > MAXIMUM_PACKETS_PER_SECOND or self._bytes_in_window > MAXIMUM_BYTES_PER_SECOND
        return Drop.TOO_MANY if too_many else None

    def heard(self, peer: str, arrival: int) -> None:
        """The peer that is followed is still there, though it sees no face."""
        if peer == self._peer:
            self._peer_seen_ns = arrival

    def accepted(self, peer: str, arrival: int) -> None:
        """A good packet came from here: the lock is this peer's for a while."""
        self._peer, self._peer_seen_ns = peer, arrival


def bind(name: str, address: str, port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> socket.socket:
    """A bound socket that nobody else can share. Raises PortInUse or AddressUnusable."""
    try:
        family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    except ValueError as problem:
        raise AddressUnusable(str(problem), address=address, tracker=name) from problem
    receiver = socket.socket(family, kind)
    try:
        if sys.platform == "win32":
            # without it another program could bind the same port and steal the packets
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif kind == socket.SOCK_STREAM:
            # else a connection that we closed keeps the port taken for a minute
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        receiver.settimeout(_WAIT_S)
        receiver.bind((address, port))
    except OSError as problem:
        receiver.close()
        if problem.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUse(str(problem), port=port, tracker=name) from problem
        raise AddressUnusable(str(problem), address=address, tracker=name) from problem
    return receiver
