"""Receiving streams over real loopback connections: who may connect, for how long, and what is kept of it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from core.wire.clock import now_ns
from core.wire.errors import AddressUnusable, InputError, PortInUse
from tests.contract.fake_outputs import wait_until
from tests.unit.free_port import free_port
from trackers import tcp, udp
from trackers.base import Decoder, Drop, Hint, TrackerSample, TrackerState
from trackers.recording import RecordingWriter, read_recording
from trackers.tcp import IDLE_CLOSED_NS, TcpTracker
from trackers.udp import MAXIMUM_PACKETS_PER_SECOND

SECOND = 1_000_000_000
HOME, STRANGE = "127.0.0.1", "127.0.0.2"
HURRY = 20
"""So many times as fast the time of these tests runs where something takes seconds."""
LIMIT_S = 5.0


def hurried() -> int:
    return now_ns() * HURRY


class Lines(Decoder):
    """A face for each line; its angle is how many lines this connection has brought. ``!`` cannot be read on."""

    def __init__(self) -> None:
        self._lines = 0

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        if b"!" in datagram:
            return Drop.WRONG_SIZE
        self._lines += datagram.count(b"\n")
        if b"\n" not in datagram:
            return None
        return TrackerSample(arrival_ns, "pose", np.zeros(45, np.float32), (float(self._lines), 0.0, 0.0))


class Talk:
    """Says "send" now and then, and "stop" at the end."""

    def __init__(self, peer: tuple[str, int], every_ns: int = SECOND // 20) -> None:
        self.peer = peer
        self._every_ns = every_ns
        self._said_ns = 0

    def due(self, now_ns: int, heard_ns: int) -> Sequence[bytes]:
        if now_ns - self._said_ns < self._every_ns:
            return []
        self._said_ns = now_ns
        return [b"send\n"]

    def farewell(self) -> Sequence[bytes]:
        return [b"stop\n"]

    def hints(self, now_ns: int, heard_ns: int) -> tuple[Hint, ...]:
        return (Hint("request_sent", {"seconds": 1, "phone": self.peer[0]}),) if not heard_ns else ()


Listen = Callable[..., TcpTracker]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "_WAIT_S", 0.02)
    monkeypatch.setattr(tcp, "_RETRY_S", 0.02)
    monkeypatch.setattr(udp, "_WAIT_S", 0.02)


@pytest.fixture
def port() -> int:
    return free_port(socket.SOCK_STREAM)


@pytest.fixture
def asked() -> Iterator[socket.socket]:
    """The phone's ear: requests to it come over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((HOME, 0))
        ear.settimeout(LIMIT_S)
        yield ear


@pytest.fixture
def listen(port: int, asked: socket.socket) -> Iterator[Listen]:
    made: list[TcpTracker] = []

    def start(clock: Callable[[], int] = now_ns, address: Callable[[], str] = lambda: HOME) -> TcpTracker:
        peer = (HOME, int(asked.getsockname()[1]))
        made.append(TcpTracker("test", peer, Lines, Talk(peer), listen_on=(address, port), clock=clock))
        return made[-1]

    yield start
    for tracker in made:
        tracker.close()
    assert not threads()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tracker-test"]


def dialled(port: int, source: str = HOME) -> socket.socket:
    """A phone's connection to us, as soon as somebody listens."""
    made: list[socket.socket] = []

    def connects() -> bool:
        try:
            made.append(socket.create_connection((HOME, port), LIMIT_S, (source, 0)))
        except ConnectionRefusedError:
            return False
        return True

    assert wait_until(connects, LIMIT_S)
    return made[0]


def angle(tracker: TcpTracker) -> float:
    sample = tracker.latest(now_ns())
    return -1.0 if sample is None else sample.head_degrees[0]


def dropped(tracker: TcpTracker) -> dict[str, int]:
    return dict(tracker.status(now_ns()).dropped)


def ended(connection: socket.socket) -> bool:
    """Has the other side closed this connection?"""
    connection.settimeout(0.02)
    try:
        return connection.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


# -- the phone connects to us ---------------------------------------------------------------------------------------


def test_the_phone_is_asked_again_and_again_until_it_connects_and_told_at_the_end(
    listen: Listen, asked: socket.socket, port: int
) -> None:
    tracker = listen()
    assert [asked.recv(100) for _ in range(3)] == [b"send\n"] * 3
    assert [hint.key for hint in tracker.status(now_ns()).hints] == ["request_sent"]
    with dialled(port) as phone:
        phone.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert tracker.status(sample.arrival_ns).state is TrackerState.TRACKING
        assert tracker.status(sample.arrival_ns).hints == ()
    tracker.close()
    while (said := asked.recv(100)) == b"send\n":
        pass
    assert said == b"stop\n"


def test_a_stream_in_pieces_is_one_stream(listen: Listen, port: int) -> None:
    tracker = listen()
    with dialled(port) as phone:
        for piece in (b"fa", b"ce\nfa", b"ce\nface", b"\n"):
            phone.sendall(piece)
        assert wait_until(lambda: angle(tracker) == 3.0)


def test_another_address_is_sent_away_and_the_phone_is_not(listen: Listen, port: int) -> None:
    tracker = listen()
    try:
        stranger = dialled(port, STRANGE)
    except OSError:
        pytest.skip(f"this system has no {STRANGE}")
    with stranger:
        with contextlib.suppress(OSError):
            stranger.sendall(b"face\n" * 5)
        assert wait_until(lambda: ended(stranger), LIMIT_S)
    assert dropped(tracker) == {"other_peer": 1}
    with dialled(port) as phone:
        phone.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)


def test_a_phone_that_hangs_up_may_come_again_and_begins_anew(listen: Listen, port: int) -> None:
    tracker = listen()
    for lines in (1, 2, 3):
        with dialled(port) as phone:
            phone.sendall(b"half a li")
            phone.sendall(b"face\n" * lines)
            assert wait_until(lambda count=lines: angle(tracker) == count)  # type: ignore[misc]


def test_a_second_connection_waits_while_the_first_one_sends(listen: Listen, port: int) -> None:
    tracker = listen()
    with dialled(port) as first, dialled(port) as second:
        first.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)
        second.sendall(b"face\n" * 7)
        first.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 2.0)
        first.close()
        assert wait_until(lambda: angle(tracker) == 7.0)


def test_a_silent_connection_is_closed_so_that_the_next_one_is_heard(listen: Listen, port: int) -> None:
    tracker = listen(clock=hurried)
    with dialled(port) as first, dialled(port) as second:
        first.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)
        last = tracker.latest(hurried())
        assert last is not None
        second.sendall(b"face\n" * 7)
        assert wait_until(lambda: angle(tracker) == 7.0, LIMIT_S)
        assert hurried() - last.arrival_ns > IDLE_CLOSED_NS
        assert wait_until(lambda: ended(first), LIMIT_S)


def test_a_stream_that_cannot_be_read_on_is_closed(listen: Listen, port: int) -> None:
    tracker = listen()
    with dialled(port) as phone:
        phone.sendall(b"!")
        assert wait_until(lambda: ended(phone), LIMIT_S)
    assert dropped(tracker) == {"wrong_size": 1}
    with dialled(port) as again:
        again.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)


def test_a_flood_ends_the_connection(listen: Listen, port: int) -> None:
    tracker = listen(clock=lambda: SECOND)  # the same second for ever
    with dialled(port) as phone:
        phone.settimeout(LIMIT_S)
        with contextlib.suppress(OSError):
            for _ in range(MAXIMUM_PACKETS_PER_SECOND * 40):
                phone.sendall(b"face\n" * 3300)
        assert wait_until(lambda: ended(phone), LIMIT_S)
    assert dropped(tracker) == {"too_many": 1}


def test_the_pieces_are_recorded_as_they_came(listen: Listen, port: int, tmp_path: Path) -> None:
    tracker = listen()
    writer = RecordingWriter(tmp_path / "test_tcp.rec")
    tracker.record(writer)
    with dialled(port) as phone:
        for number, piece in enumerate((b"fa", b"ce\n", b"!")):
            phone.sendall(piece)
            assert wait_until(lambda count=number + 1: writer.packets == count)  # type: ignore[misc]
    tracker.record(None)
    writer.close()
    assert [record.datagram for record in read_recording(writer.path)] == [b"fa", b"ce\n", b"!"]
    assert tracker.recording_prefix == "test"


# -- ports and threads ----------------------------------------------------------------------------------------------


def test_a_taken_port_is_told_and_used_as_soon_as_it_is_free(listen: Listen, port: int) -> None:
    with socket.create_server((HOME, port)):
        tracker = listen()
        assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.FAILED)
        error = tracker.status(now_ns()).error
        assert isinstance(error, PortInUse)
        assert error.parameters == {"port": port, "tracker": "test"}
    assert wait_until(lambda: tracker.status(now_ns()).error is None)
    with dialled(port) as phone:
        phone.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)


def test_an_address_that_is_not_ours_is_told(listen: Listen) -> None:
    tracker = listen(address=lambda: "203.0.113.7")
    assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.FAILED)
    assert isinstance(tracker.status(now_ns()).error, AddressUnusable)


def test_another_own_address_is_listened_on_when_the_computer_changes_networks(listen: Listen, port: int) -> None:
    own = [HOME]
    tracker = listen(address=lambda: own[0])
    dialled(port).close()
    own[0] = STRANGE

    def moved() -> bool:
        try:
            with socket.create_connection((STRANGE, port), LIMIT_S, (HOME, 0)) as phone:
                phone.sendall(b"face\n")
                return wait_until(lambda: angle(tracker) == 1.0, 1.0)
        except OSError:
            return False

    assert wait_until(moved)


def test_an_own_address_that_cannot_be_found_is_told_and_tried_again(listen: Listen, port: int) -> None:
    def nowhere() -> str:
        if lost:
            raise AddressUnusable("no way there", address="10.0.0.7")
        return HOME

    lost = [True]
    tracker = listen(address=nowhere)
    assert wait_until(lambda: isinstance(tracker.status(now_ns()).error, InputError))
    lost.clear()
    with dialled(port) as phone:
        phone.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)


def test_closing_ends_everything_while_a_phone_is_connected(listen: Listen, port: int) -> None:
    tracker = listen()
    with dialled(port) as phone:
        phone.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)
        tracker.close()
        assert not threads()
        assert wait_until(lambda: ended(phone), LIMIT_S)
    tracker.close()


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows does not keep the port")
def test_the_port_can_be_listened_on_again_at_once(listen: Listen, port: int) -> None:
    tracker = listen()
    with dialled(port) as phone:
        phone.sendall(b"face\n")
        assert wait_until(lambda: angle(tracker) == 1.0)
        tracker.close()
    again = listen()

    def decided() -> bool:
        return again.status(now_ns()).error is not None or angle(again) == 1.0 or sent()

    def sent() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOME, port), LIMIT_S) as phone:
            phone.sendall(b"face\n")
            return wait_until(lambda: angle(again) == 1.0, 1.0)
        return False

    assert wait_until(decided)
    assert again.status(now_ns()).error is None


# -- we connect to the phone ----------------------------------------------------------------------------------------


@pytest.fixture
def connect(port: int) -> Iterator[Callable[..., TcpTracker]]:
    made: list[TcpTracker] = []

    def start(clock: Callable[[], int] = now_ns) -> TcpTracker:
        made.append(TcpTracker("test", (HOME, port), Lines, Talk((HOME, port)), clock=clock))
        return made[-1]

    yield start
    for tracker in made:
        tracker.close()
    assert not threads()


def test_a_phone_that_is_there_later_is_connected_to_and_spoken_with(
    connect: Callable[..., TcpTracker], port: int
) -> None:
    tracker = connect()
    assert wait_until(lambda: [hint.key for hint in tracker.status(now_ns()).hints] == ["request_sent"])
    assert tracker.status(now_ns()).state is TrackerState.WAITING
    with socket.create_server((HOME, port)) as phone:
        phone.settimeout(LIMIT_S)
        connection, _ = phone.accept()
        with connection:
            connection.settimeout(LIMIT_S)
            assert connection.recv(5) == b"send\n"
            connection.sendall(b"fa")
            connection.sendall(b"ce\n")
            assert wait_until(lambda: angle(tracker) == 1.0)
            tracker.close()
            said = b""
            while not said.endswith(b"stop\n"):
                piece = connection.recv(100)
                assert piece, "it hung up without a word"
                said += piece


def test_a_phone_that_hangs_up_is_connected_to_again(connect: Callable[..., TcpTracker], port: int) -> None:
    with socket.create_server((HOME, port)) as phone:
        phone.settimeout(LIMIT_S)
        tracker = connect()
        for lines in (1, 2, 3):
            connection, _ = phone.accept()
            with connection:
                connection.sendall(b"face\n" * lines)
                assert wait_until(lambda count=lines: angle(tracker) == count)  # type: ignore[misc]


@pytest.mark.skipif("sys.platform != 'linux'", reason="other systems answer otherwise")
def test_a_network_that_is_not_there_is_no_connection() -> None:
    nowhere = ("255.255.255.255", 9)
    tracker = TcpTracker("test", nowhere, Lines, Talk(nowhere), clock=hurried)
    try:
        assert wait_until(lambda: any(hint.warning for hint in tracker.status(hurried()).hints), 1.0)
    finally:
        tracker.close()


def test_a_phone_that_falls_silent_is_connected_to_anew(connect: Callable[..., TcpTracker], port: int) -> None:
    with socket.create_server((HOME, port)) as phone:
        phone.settimeout(LIMIT_S)
        tracker = connect(clock=hurried)
        first, _ = phone.accept()
        with first:
            first.sendall(b"face\n")
            assert wait_until(lambda: angle(tracker) == 1.0)
            second, _ = phone.accept()
            second.close()


@pytest.mark.skipif("sys.platform != 'linux'", reason="other systems refuse at once when nobody accepts")
def test_closing_ends_an_attempt_to_connect(connect: Callable[..., TcpTracker], port: int) -> None:
    with socket.socket() as phone, contextlib.ExitStack() as queue:
        phone.bind((HOME, port))
        phone.listen(0)
        for _ in range(2):  # nobody accepts: what comes after these is not answered at all
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((HOME, port))
        tracker = connect()
        assert wait_until(lambda: bool(threads()))
        tracker.close()
        left = threads()
        for thread in left:
            thread.join(LIMIT_S)
        assert not left
