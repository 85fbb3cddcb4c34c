"""Receiving a stream: from a phone that connects to us after it was asked over UDP, or from one we connect to."""

from __future__ import annotations

import contextlib
import errno
import logging
import select
import socket
from collections.abc import Callable, Sequence

from core.wire.clock import now_ns
from core.wire.errors import AddressUnusable, InputError

from .addresses import plain
from .base import Decoder, Drop, Hint, TrackerStatus
from .phone import SILENT_NS
from .threaded import ThreadedTracker
from .udp import Conversation, PeerGate, bind

_log = logging.getLogger(__name__)

IDLE_CLOSED_NS = 5_000_000_000
_RECEIVE_BYTES = 16384
_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))
_WAIT_S, _CONNECT_S, _RETRY_S = 0.25, 2.0, 2.0


class TcpTracker(ThreadedTracker):
    """One connection at a time, with one peer. What fails is tried again every two seconds.

    With ``listen_on`` we wait there for the phone to connect, and ``conversation`` is sent to it over UDP. Without, we
    connect to the phone ourselves and ``conversation`` goes over the connection.
    """

    def __init__(
        self,
        name: str,
        peer: tuple[str, int],
        new_decoder: Callable[[], Decoder],
        conversation: Conversation,
        *,
        listen_on: tuple[Callable[[], str], int] | None = None,
        recording_prefix: str = "",
        clock: Callable[[], int] = now_ns,
    ) -> None:
        super().__init__(name, new_decoder(), clock, recording_prefix or None)
        self._peer = peer
        self._new_decoder = new_decoder
        self._conversation = conversation
        self._listen_on = listen_on
        self._gate = PeerGate(peer[0])
        self._error: InputError | None = None
        self._trying_since_ns = 0
        self._begin()

    def status(self, now: int) -> TrackerStatus:
        """Rate, drops by reason, and the reason for not listening if there is one."""
        hints: tuple[Hint, ...] = self._conversation.hints(now, self._intake.heard_ns)
        trying_ns = now - self._trying_since_ns if self._trying_since_ns else 0
        if trying_ns >= SILENT_NS:
            hints = (Hint("request_sent", {"seconds": trying_ns // 1_000_000_000, "phone": self._peer[0]}, True),)
        return self._intake.status(now, self._error, hints)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._listen_on is not None:
                    self._listen(*self._listen_on)
                else:
                    self._connect()
            except InputError as problem:
                if self._error is None:
                    _log.warning("%s", problem)
                self._error = problem
                self._stop.wait(_RETRY_S)

    # -- the phone connects to us --------------------------------------------------------------------------------------

    def _listen(self, own_address: Callable[[], str], port: int) -> None:
        address = own_address()
        with (
            bind(self._name, address, port, socket.SOCK_STREAM) as listener,
            bind(self._name, address, 0) as asker,
        ):
            listener.listen(2)
            self._error = None
            while not self._stop.is_set():
                self._ask(asker, self._conversation.due(self._clock(), self._intake.heard_ns))
                try:
                    connection, peer = listener.accept()
                except TimeoutError:
                    if own_address() != address:
                        return  # this computer joined another network
                    continue
                except OSError as problem:
                    raise AddressUnusable(str(problem), address=address, tracker=self._name) from problem
                with connection:
                    if plain(peer[0]) != plain(self._peer[0]):
                        self._intake.drop(Drop.OTHER_PEER)
                        continue
                    self._converse(connection, lambda packets: self._ask(asker, packets))
            self._ask(asker, self._conversation.farewell())

    def _ask(self, asker: socket.socket, packets: Sequence[bytes]) -> None:
        for packet in packets:
            try:
                asker.sendto(packet, self._peer)
            except OSError as problem:
                _log.debug("%s: nothing can be sent to %s: %s", self._name, self._peer, problem)

    # -- we connect to the phone ---------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._error = None
        connection = self._connected()
        if connection is None:
            self._trying_since_ns = self._trying_since_ns or self._clock()
            self._stop.wait(_RETRY_S)
            return
        self._trying_since_ns = 0
        with connection:

            def send(packets: Sequence[bytes]) -> None:
                for packet in packets:
                    connection.sendall(packet)

            try:
                self._converse(connection, send)
            except OSError as problem:
                _log.debug("%s: the connection ended: %s", self._name, problem)
            with contextlib.suppress(OSError):
                send(self._conversation.farewell())
        self._stop.wait(_WAIT_S)

    def _connected(self) -> socket.socket | None:
        """A connection to the phone; None when there is none within the limit, or we are closed meanwhile."""
        connection = socket.socket(socket.AF_INET6 if ":" in self._peer[0] else socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        until = self._clock() + int(_CONNECT_S * 1e9)
        try:
            begun = connection.connect_ex(self._peer) in _UNDER_WAY
            while begun and not self._stop.is_set() and self._clock() < until:
                # Windows tells of a refusal among the exceptional ones only
                _, ready, refused = select.select([], [connection], [connection], _WAIT_S)
                if ready or refused:
                    if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                        return connection
                    break
        except (OSError, ValueError) as problem:
            # a process with very many open files has sockets that ``select`` does not take
            _log.debug("%s: no connection to %s: %s", self._name, self._peer, problem)
        connection.close()
        return None

    # -- both ----------------------------------------------------------------------------------------------------------

    def _converse(self, connection: socket.socket, send: Callable[[Sequence[bytes]], None]) -> None:
        """Receive until the other side ends, is silent for long, or sends what cannot be."""
        connection.settimeout(_WAIT_S)
        self._intake.use(self._new_decoder())
        heard = self._clock()
        while not self._stop.is_set():
            send(self._conversation.due(self._clock(), self._intake.heard_ns))
            try:
                piece = connection.recv(_RECEIVE_BYTES)
            except TimeoutError:
                if self._clock() - heard > IDLE_CLOSED_NS:
                    return
                continue
            except OSError:
                return
            if not piece:
                return
            heard = self._clock()
            refused = self._gate.refuses(self._peer[0], heard, len(piece))
            if refused is not None:
                self._intake.drop(refused)
                return  # a stream with a hole in it cannot be read
            if self._intake.take(piece, heard) is Drop.WRONG_SIZE:
                return
