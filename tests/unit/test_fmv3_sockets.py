"""FMV3 over real sockets: UDP and TCP, recordings of what came, and what the panel is told."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.wire.clock import now_ns
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from tests.unit.fmv3_packets import (
    ERROR,
    HELLO,
    SCHEMA_ACK,
    SESSION,
    STOP,
    Told,
    error,
    frame,
    greeting,
    message,
    schema,
    told,
)
from tests.unit.fmv3_phone import HOME, PHONE, PORTS, SECOND, START, Phone
from tests.unit.free_port import free_port
from trackers import fmv3, ifacialmocap, tcp, udp
from trackers.base import Tracker, TrackerSample, TrackerState
from trackers.fmv3 import Fmv3Session, Fmv3StreamDecoder
from trackers.recording import RecordingWriter, read_recording


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (udp, tcp):
        monkeypatch.setattr(module, "_WAIT_S", 0.02)
        monkeypatch.setattr(module, "_RETRY_S", 0.02)


@pytest.fixture
def own_port(monkeypatch: pytest.MonkeyPatch) -> int:
    port = free_port()
    monkeypatch.setattr(fmv3, "UDP_PORT", port)
    return port


def settings(**changed: Value) -> dict[str, Value]:
    return {**defaults(), **changed}


class UdpPhone(Phone):
    """A phone on a thread of its own, which streams as soon as its schema was acknowledged."""

    def __init__(self, address: str = HOME) -> None:
        super().__init__()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(0.01)
        self.port = int(self.socket.getsockname()[1])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        peer: tuple[str, int] | None = None
        while not self._over.is_set():
            try:
                packet, peer = self.socket.recvfrom(2048)
            except (TimeoutError, ConnectionResetError):
                packet = b""
            answers = self.hear(packet) if packet else []
            for answer in [*answers, self.frame()] if self.streams else answers:
                if peer is not None:
                    self.socket.sendto(answer, peer)

    def close(self) -> None:
        self._over.set()
        self._thread.join(5.0)
        self.socket.close()


@pytest.fixture
def phone() -> Iterator[UdpPhone]:
    made = UdpPhone()
    yield made
    made.close()


class TcpPhone:
    """Accepts connections; each is to begin with HELLO, which is answered with a schema and frames."""

    def __init__(self) -> None:
        self.listener = socket.create_server((HOME, 0))
        self.listener.settimeout(0.02)
        self.port = int(self.listener.getsockname()[1])
        self.hellos: queue.Queue[int] = queue.Queue()
        self.said: list[Told] = []
        self.hang_up = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        session = SESSION
        while not self._over.is_set():
            try:
                connection, _ = self.listener.accept()
            except TimeoutError:
                continue
            session += 1
            with connection, contextlib.suppress(OSError):
                connection.settimeout(0.02)
                self._talk(connection, session)

    def _talk(self, connection: socket.socket, session: int) -> None:
        pending, sequence = b"", 0
        self.hang_up.clear()
        while not self._over.is_set() and not self.hang_up.is_set():
            try:
                piece = connection.recv(4096)
                if not piece:
                    return
                pending += piece
            except TimeoutError:
                pass
            while len(pending) >= 40:
                size = 40 + int.from_bytes(pending[36:40], "little")
                said, pending = told(pending[:size]), pending[size:]
                self.said.append(said)
                if said.kind == HELLO:
                    self.hellos.put(said.session)
                    packet = schema(said.session, session)
                    connection.sendall(packet[:100])
                    connection.sendall(packet[100:])
                    sequence = 1
            if sequence:
                connection.sendall(frame(sequence, session=session))
                sequence += 1

    def close(self) -> None:
        self._over.set()
        self._thread.join(5.0)
        self.listener.close()


@pytest.fixture
def tcp_phone() -> Iterator[TcpPhone]:
    made = TcpPhone()
    yield made
    made.close()


def tracks(tracker: Tracker) -> bool:
    return tracker.status(now_ns()).state is TrackerState.TRACKING


def test_a_session_over_a_real_socket(phone: UdpPhone, own_port: int) -> None:
    tracker = ifacialmocap.open_tracker(settings(phone_address=f"{HOME}:{phone.port}", phone_protocol="fmv3"))
    try:
        assert tracker.recording_prefix == "fmv3"
        assert wait_until(lambda: tracks(tracker))
        assert tracker.status(now_ns()).hints == ()
        assert phone.kinds()[:2] == [HELLO, SCHEMA_ACK]
    finally:
        tracker.close()
    assert wait_until(lambda: STOP in phone.kinds())
    assert not phone.streams
    assert not [thread for thread in threading.enumerate() if thread.name == "tracker-ifacialmocap"]


@pytest.mark.parametrize("way", ["fmv3", "fmv3_tcp"])
def test_what_is_recorded_in_the_middle_of_a_session_can_be_replayed(
    phone: UdpPhone, tcp_phone: TcpPhone, own_port: int, tmp_path: Path, way: str
) -> None:
    port = phone.port if way == "fmv3" else tcp_phone.port
    tracker = ifacialmocap.open_tracker(settings(phone_address=f"{HOME}:{port}", phone_protocol=way))
    try:
        assert wait_until(lambda: tracks(tracker))
        writer = RecordingWriter(tmp_path / f"{tracker.recording_prefix}_20261126_120000.rec")
        tracker.record(writer)
        assert wait_until(lambda: writer.packets > 20)
        tracker.record(None)
        writer.close()
    finally:
        tracker.close()
    decoder = ifacialmocap.new_decoder(defaults(), writer.path.name)
    results = [
        decoder.feed(record.datagram, START + number) for number, record in enumerate(read_recording(writer.path))
    ]
    assert any(isinstance(result, TrackerSample) for result in results)


def test_a_refusal_reaches_the_panel_once(phone: UdpPhone, own_port: int) -> None:
    phone.refuses = "NOT_ALLOWED"
    tracker = ifacialmocap.open_tracker(settings(phone_address=f"{HOME}:{phone.port}", phone_protocol="fmv3"))
    try:
        assert wait_until(lambda: bool(tracker.status(now_ns()).hints))
        assert [(hint.key, hint.parameters["text"]) for hint in tracker.status(now_ns()).hints] == [
            ("phone_says", "NOT_ALLOWED")
        ]
    finally:
        tracker.close()


def test_a_stranger_can_neither_begin_nor_end_a_session(phone: UdpPhone, own_port: int) -> None:
    tracker = ifacialmocap.open_tracker(settings(phone_address=f"{HOME}:{phone.port}", phone_protocol="fmv3"))
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        try:
            stranger.bind(("127.0.0.3", 0))
        except OSError:
            pytest.skip("this system has no 127.0.0.3")
        assert wait_until(lambda: tracks(tracker))

        def refused() -> bool:
            for packet in (schema(0, session=5), message(STOP, SESSION), error("GO AWAY")):
                stranger.sendto(packet, (HOME, own_port))
            return tracker.status(now_ns()).dropped.get("other_peer", 0) > 5

        assert wait_until(refused)
        assert tracks(tracker)
        assert tracker.status(now_ns()).hints == ()
    finally:
        stranger.close()
        tracker.close()


def test_without_an_address_the_user_is_asked_for_it(own_port: int) -> None:
    for way in ("fmv3", "fmv3_tcp"):
        tracker = ifacialmocap.open_tracker(settings(phone_protocol=way))
        try:
            assert [hint.key for hint in tracker.status(now_ns()).hints] == ["phone_address_missing"]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as app:

                def arrives(app: socket.socket = app, tracker: Tracker = tracker) -> bool:
                    app.sendto(schema(0), (HOME, own_port))
                    app.sendto(frame(1), (HOME, own_port))
                    return tracker.latest(now_ns()) is not None

                assert wait_until(arrives)
        finally:
            tracker.close()


def test_a_session_over_a_connection(tcp_phone: TcpPhone) -> None:
    tracker = ifacialmocap.open_tracker(settings(phone_address=f"{HOME}:{tcp_phone.port}", phone_protocol="fmv3_tcp"))
    try:
        assert tracker.recording_prefix == "fmv3_tcp"
        assert wait_until(lambda: tracks(tracker))
        assert tcp_phone.hellos.qsize() == 1
    finally:
        tracker.close()
    assert wait_until(lambda: any(said.kind == STOP for said in tcp_phone.said))
    assert SCHEMA_ACK not in [said.kind for said in tcp_phone.said]


def test_the_ports_are_the_makers() -> None:
    assert PORTS == (49983, 49984)


def test_the_usual_port_of_the_connection_is_another_one(monkeypatch: pytest.MonkeyPatch, tcp_phone: TcpPhone) -> None:
    monkeypatch.setattr(fmv3, "TCP_PORT", tcp_phone.port)
    tracker = ifacialmocap.open_tracker(settings(phone_address=HOME, phone_protocol="fmv3_tcp"))
    try:
        assert wait_until(lambda: tracks(tracker))
    finally:
        tracker.close()


def test_a_new_connection_begins_with_a_hello_at_once(tcp_phone: TcpPhone) -> None:
    tracker = ifacialmocap.open_tracker(settings(phone_address=f"{HOME}:{tcp_phone.port}", phone_protocol="fmv3_tcp"))
    try:
        assert wait_until(lambda: tracks(tracker))
        for connections in range(2, 5):
            tcp_phone.hang_up.set()
            assert wait_until(lambda count=connections: tcp_phone.hellos.qsize() == count, 5.0)  # type: ignore[misc]
            assert wait_until(lambda: tracks(tracker))
    finally:
        tracker.close()


def test_a_new_connection_begins_with_a_hello_however_often_the_old_one_was_greeted() -> None:
    session = Fmv3Session(PHONE, over_tcp=True)
    for attempt in range(5):
        session.due(START + 2 * attempt * SECOND, 0)
    session.farewell()
    assert [told(packet).kind for packet in session.due(START + 10 * SECOND, 0)] == [HELLO]


def test_errors_are_texts_of_the_phone_over_tcp_too() -> None:
    session = Fmv3Session(PHONE, over_tcp=True)
    nonce = greeting(session.due(START, 0)[0])[0]
    assert Fmv3StreamDecoder(session).feed(message(ERROR, nonce, b"BUSY"), START) is None
    assert [hint.parameters["text"] for hint in session.hints(START)] == ["BUSY"]
