"""Facemotion3d: its own requests, ports and end, the same frames."""

from __future__ import annotations

import functools
import socket
from collections.abc import Iterator

import pytest

from core.pose.mapping import arkit_names
from core.wire.clock import now_ns
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from tests.unit.fmv3_packets import HELLO, frame, greeting, schema, told
from tests.unit.free_port import free_port
from tests.unit.ifacialmocap_packets import (
    FACEMOTION3D_REQUEST,
    FACEMOTION3D_REQUEST_TCP,
    FACEMOTION3D_STOP,
    TERMINATOR,
    poses,
    text_v2,
)
from trackers import facemotion3d, fmv3, ifacialmocap, registry, tcp, udp
from trackers.base import Tracker, TrackerSample, TrackerState
from trackers.fmv3 import Fmv3Session
from trackers.ifacialmocap_text import TextDecoder, TextStreamDecoder
from trackers.tcp import TcpTracker
from trackers.udp import UdpTracker

HOME, OTHER = "127.0.0.1", "127.0.0.2"
LIMIT_S = 5.0
PORTS = (facemotion3d.PHONE_PORT, facemotion3d.OWN_PORTS)


def hurried() -> int:
    """A clock that runs twenty times as fast: a second's pause is a twentieth of one."""
    return now_ns() * 20


def settings(**changed: Value) -> dict[str, Value]:
    return {**defaults(), **changed}


@pytest.fixture(autouse=True)
def own_port(monkeypatch: pytest.MonkeyPatch) -> int:
    for module in (udp, tcp):
        monkeypatch.setattr(module, "_WAIT_S", 0.01)
        monkeypatch.setattr(module, "_RETRY_S", 0.01)
    port = free_port()
    monkeypatch.setattr(facemotion3d, "OWN_PORTS", (port,))
    monkeypatch.setattr(facemotion3d, "PHONE_PORT", free_port())
    monkeypatch.setattr(fmv3, "UDP_PORT", port)
    monkeypatch.setattr(ifacialmocap, "TCP_PORT", free_port(socket.SOCK_STREAM))
    monkeypatch.setattr("trackers.phone.UdpTracker", functools.partial(UdpTracker, clock=hurried))
    monkeypatch.setattr(ifacialmocap, "TcpTracker", functools.partial(TcpTracker, clock=hurried))
    return port


@pytest.fixture
def phone() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((HOME, 0))
        made.settimeout(LIMIT_S)
        yield made


def address_of(phone: socket.socket) -> str:
    host, port = phone.getsockname()
    return f"{host}:{port}"


def hears_after(phone: socket.socket, repeated: bytes) -> bytes:
    """The first other thing that the phone hears."""
    while (said := phone.recv(2048)) == repeated:
        pass
    return said


def jaw(tracker: Tracker) -> float:
    sample = tracker.latest(hurried())
    return -1.0 if sample is None else round(float(sample.values[arkit_names.SHAPE["jawOpen"]]), 3)


def test_the_ports_are_the_makers() -> None:
    assert PORTS == (49993, (49983, 49993))


def test_it_is_asked_again_and_again_answered_and_stopped_at_the_end(phone: socket.socket, own_port: int) -> None:
    tracker = facemotion3d.open_tracker(settings(phone_address=address_of(phone)))
    try:
        assert tracker.recording_prefix == "facemotion3d"
        packet, sender = phone.recvfrom(2048)
        assert (packet, sender) == (FACEMOTION3D_REQUEST, (HOME, own_port))
        assert [phone.recv(2048) for _ in range(3)] == [FACEMOTION3D_REQUEST] * 3

        def arrives() -> bool:
            phone.sendto(text_v2({"jawOpen": 40}, status=None), (HOME, own_port))
            return jaw(tracker) == 0.4

        assert wait_until(arrives, LIMIT_S)
    finally:
        tracker.close()
    assert hears_after(phone, FACEMOTION3D_REQUEST) == FACEMOTION3D_STOP


def test_its_own_shapes_beside_arkits_do_no_harm(phone: socket.socket, own_port: int) -> None:
    packet = "FM_SAD&20|FM_ANGRY&0|FM_VF&0|FM_TH&3|jawOpen&40|独自の笑顔&-9|FM_browUpLeft&1|" + poses(
        (1, 2, 3, 0, 0, -0.5)
    )
    tracker = facemotion3d.open_tracker(settings())
    try:
        assert [hint.key for hint in tracker.status(hurried()).hints] == ["phone_address_missing"]

        def arrives() -> bool:
            phone.sendto(packet.encode(), (HOME, own_port))
            return jaw(tracker) == 0.4

        assert wait_until(arrives, LIMIT_S)
        sample = tracker.latest(hurried())
        assert sample is not None
        assert sample.head_degrees == (1.0, 2.0, 3.0)
        assert float(sample.values.sum()) == pytest.approx(0.4)
    finally:
        tracker.close()


def test_an_address_alone_means_its_usual_port(own_port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        try:
            phone.bind((OTHER, facemotion3d.PHONE_PORT))
        except OSError:
            pytest.skip(f"this system has no {OTHER}")
        phone.settimeout(LIMIT_S)
        tracker = facemotion3d.open_tracker(settings(phone_address=OTHER, listen_address=HOME))
        try:
            assert phone.recv(2048) == FACEMOTION3D_REQUEST
        finally:
            tracker.close()


def test_over_tcp_it_connects_and_is_stopped_at_the_end(phone: socket.socket) -> None:
    tracker = facemotion3d.open_tracker(settings(phone_address=address_of(phone), phone_protocol="text_tcp"))
    try:
        assert tracker.recording_prefix == "facemotion3d_tcp"
        assert phone.recv(2048) == FACEMOTION3D_REQUEST_TCP
        with socket.create_connection((HOME, ifacialmocap.TCP_PORT), LIMIT_S) as connection:
            connection.sendall(text_v2({"jawOpen": 30}) + TERMINATOR)
            assert wait_until(lambda: jaw(tracker) == 0.3, LIMIT_S)
    finally:
        tracker.close()
    assert hears_after(phone, FACEMOTION3D_REQUEST_TCP) == FACEMOTION3D_STOP


def test_it_speaks_fmv3_too(phone: socket.socket, own_port: int) -> None:
    tracker = facemotion3d.open_tracker(settings(phone_address=address_of(phone), phone_protocol="fmv3"))
    try:
        packet, sender = phone.recvfrom(2048)
        assert (told(packet).kind, sender) == (HELLO, (HOME, own_port))
        phone.sendto(schema(greeting(packet)[0]), sender)
        phone.sendto(frame(1, (0, 60, 0, 0)), sender)
        assert wait_until(lambda: jaw(tracker) == 0.6, LIMIT_S)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert tracker.status(sample.arrival_ns).state is TrackerState.TRACKING
    finally:
        tracker.close()


def test_fmv3_has_one_port_for_both_apps(own_port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        try:
            phone.bind((OTHER, own_port))
        except OSError:
            pytest.skip(f"this system has no {OTHER}")
        phone.settimeout(LIMIT_S)
        given = settings(phone_address=OTHER, listen_address=HOME, phone_protocol="fmv3")
        tracker = facemotion3d.open_tracker(given)
        try:
            assert told(phone.recv(2048)).kind == HELLO
        finally:
            tracker.close()


def test_recordings_are_told_apart_by_name() -> None:
    assert type(facemotion3d.new_decoder(settings(), "facemotion3d_20261126_120000.rec")) is TextDecoder
    assert type(facemotion3d.new_decoder(settings(), "facemotion3d_tcp_20261126_120000.rec")) is TextStreamDecoder
    assert type(facemotion3d.new_decoder(settings(), "facemotion3d_fmv3.rec")) is Fmv3Session
    assert registry.protocol_of_recording("facemotion3d_tcp_20261126_120000.rec") == "facemotion3d"
    assert isinstance(facemotion3d.new_decoder(settings()).feed(text_v2({}), 1), TrackerSample)


def test_it_needs_nothing() -> None:
    assert facemotion3d.unavailable() is None
