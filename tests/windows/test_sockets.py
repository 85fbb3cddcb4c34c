"""What Windows' sockets do and others do not: an earlier send's failure is told to the next receive (error 10054)."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from core.wire.clock import now_ns
from tests.contract.fake_outputs import wait_until
from tests.unit.free_port import free_port
from tests.unit.openseeface_packets import Face, datagram
from trackers import udp
from trackers.base import TrackerState
from trackers.openseeface import OpenSeeFaceDecoder
from trackers.udp import UdpTracker

HOME = "127.0.0.1"
WSAECONNRESET = 10054


class Interrupted(socket.socket):
    """A socket whose first receives end as Windows ends them after a send to a closed port."""

    left = 3

    def recvfrom(self, *arguments: Any) -> Any:
        """Three times the error, then what came."""
        if self.left:
            self.left -= 1
            raise ConnectionResetError(WSAECONNRESET, "An existing connection was forcibly closed by the remote host")
        return super().recvfrom(*arguments)


def arrives(tracker: UdpTracker, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        program.sendto(datagram(Face()), (HOME, port))
    return tracker.status(now_ns()).state is TrackerState.TRACKING


def test_error_10054_says_nothing_about_receiving(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Interrupted] = []
    bind = udp.bind

    def interrupted(name: str, address: str, port: int) -> socket.socket:
        real = bind(name, address, port)
        made.append(Interrupted(real.family, real.type, real.proto, real.detach()))
        made[-1].settimeout(0.05)
        return made[-1]

    monkeypatch.setattr(udp, "bind", interrupted)
    port = free_port()
    tracker = UdpTracker("test", HOME, port, OpenSeeFaceDecoder())
    try:
        assert wait_until(lambda: arrives(tracker, port))
        assert [one.left for one in made] == [0]
    finally:
        tracker.close()


def test_a_send_to_a_closed_port_does_not_deafen_the_socket() -> None:
    closed = free_port()
    with udp.bind("test", HOME, 0) as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        receiver.settimeout(0.05)
        receiver.sendto(b"nobody is there", (HOME, closed))

        def hears() -> bool:
            program.sendto(b"face", receiver.getsockname())
            try:
                return receiver.recvfrom(64)[0] == b"face"
            except (TimeoutError, ConnectionResetError):
                return False

        assert wait_until(hears)
