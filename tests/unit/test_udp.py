"""Receiving over a real loopback socket: who is let in, how much, and what happens when the port is taken."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from core.wire.clock import now_ns
from core.wire.errors import AddressUnusable, PortInUse
from tests.contract.fake_outputs import wait_until
from tests.unit.free_port import free_port
from tests.unit.openseeface_packets import Face, datagram
from trackers import udp
from trackers.base import Drop, TrackerState
from trackers.intake import LOST_AFTER_NS, rate_of
from trackers.openseeface import OpenSeeFaceDecoder
from trackers.udp import MAXIMUM_PACKETS_PER_SECOND, PEER_RELEASED_AFTER_NS, PeerGate, UdpTracker

SECOND = 1_000_000_000
HOME = "127.0.0.1"
Open = Callable[..., UdpTracker]


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tracker-test"]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def open_tracker(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setattr(udp, "_RETRY_S", 0.02)
    monkeypatch.setattr(udp, "_WAIT_S", 0.05)
    opened: list[UdpTracker] = []

    def make(address: str = HOME, clock: Callable[[], int] = now_ns) -> UdpTracker:
        opened.append(UdpTracker("test", address, port, OpenSeeFaceDecoder(), clock))
        return opened[-1]

    yield make
    for tracker in opened:
        tracker.close()
    assert not threads()


class Phone:
    """A sender with an address of its own."""

    def __init__(self, port: int, address: str = HOME) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = port
        try:
            self.socket.bind((address, 0))
        except OSError:
            self.socket.close()
            pytest.skip(f"this system has no {address}")

    def send(self, packet: bytes) -> None:
        self.socket.sendto(packet, (HOME, self.port))

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def state(tracker: UdpTracker) -> TrackerState:
    return tracker.status(now_ns()).state


def dropped(tracker: UdpTracker) -> dict[str, int]:
    return dict(tracker.status(now_ns()).dropped)


def arrives(tracker: UdpTracker, phone: Phone, packet: bytes | None = None) -> bool:
    """Send until a sample is there: the socket may not be bound yet when the first packets go out."""

    def sent() -> bool:
        phone.send(packet if packet is not None else datagram(Face()))
        return tracker.latest(now_ns()) is not None

    return wait_until(sent)


def test_nothing_yet_is_waiting(open_tracker: Open) -> None:
    tracker = open_tracker()
    assert state(tracker) is TrackerState.WAITING
    assert tracker.latest(now_ns()) is None


def test_packets_arrive_with_our_own_time(open_tracker: Open, port: int) -> None:
    tracker = open_tracker()
    before = now_ns()
    with Phone(port) as phone:
        assert arrives(tracker, phone)
    sample = tracker.latest(now_ns())
    assert sample is not None
    assert before <= sample.arrival_ns <= now_ns()
    assert tracker.status(sample.arrival_ns).state is TrackerState.TRACKING


def test_the_newest_packet_wins(open_tracker: Open, port: int) -> None:
    tracker = open_tracker()
    with Phone(port) as phone:
        assert arrives(tracker, phone)
        for openness in (0.25, 0.5, 0.75):
            phone.send(datagram(Face(left_open=openness)))

        def newest() -> float:
            sample = tracker.latest(now_ns())
            assert sample is not None
            return float(sample.values[0])

        assert wait_until(lambda: newest() == 0.75)


def test_a_silent_phone_is_lost_and_found(open_tracker: Open, port: int) -> None:
    tracker = open_tracker()
    with Phone(port) as phone:
        assert arrives(tracker, phone)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert tracker.status(sample.arrival_ns + LOST_AFTER_NS).state is TrackerState.LOST
        assert arrives(tracker, phone)
        assert state(tracker) is TrackerState.TRACKING


def test_garbage_is_counted_by_reason_and_never_shown(open_tracker: Open, port: int) -> None:
    tracker = open_tracker()
    garbage = {
        b"GET / HTTP/1.1\r\n\r\n": Drop.WRONG_SIZE,
        b"": Drop.WRONG_SIZE,
        datagram(Face(left_open=float("nan"))): Drop.NOT_FINITE,
        datagram(Face(fit_ok=0)): Drop.POOR_FIT,
    }
    with Phone(port) as phone:

        def counted() -> bool:
            for packet in garbage:
                phone.send(packet)
            return set(dropped(tracker)) >= {reason.value for reason in garbage.values()}

        assert wait_until(counted)
    assert tracker.latest(now_ns()) is None
    assert state(tracker) is TrackerState.WAITING


def test_another_peer_is_refused_while_the_first_one_sends(open_tracker: Open, port: int) -> None:
    tracker = open_tracker()
    with Phone(port) as phone, Phone(port, "127.0.0.2") as stranger:
        assert arrives(tracker, phone)

        def refused() -> bool:
            stranger.send(datagram(Face(left_open=0.0)))
            return dropped(tracker).get("other_peer", 0) > 0

        assert wait_until(refused)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert sample.values[0] == 1.0


def test_a_peer_may_come_back_from_another_port(open_tracker: Open, port: int) -> None:
    tracker = open_tracker()
    with Phone(port) as phone:
        assert arrives(tracker, phone)
    with Phone(port) as again:

        def let_in() -> bool:
            again.send(datagram(Face(left_open=0.5)))
            sample = tracker.latest(now_ns())
            return sample is not None and sample.values[0] == 0.5

        assert wait_until(let_in)
    assert "other_peer" not in dropped(tracker)


def test_a_flood_is_capped_before_it_is_parsed(open_tracker: Open, port: int) -> None:
    tracker = open_tracker(clock=lambda: SECOND)  # the same second for ever
    with Phone(port) as phone:

        def too_many() -> bool:
            for _ in range(20):
                phone.send(datagram(Face()))
            return dropped(tracker).get("too_many", 0) > 50

        assert wait_until(too_many)
    assert dropped(tracker) == {"too_many": dropped(tracker)["too_many"]}


def test_a_taken_port_is_told_and_used_as_soon_as_it_is_free(open_tracker: Open, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind((HOME, port))
        tracker = open_tracker()
        assert wait_until(lambda: state(tracker) is TrackerState.FAILED)
        error = tracker.status(now_ns()).error
        assert isinstance(error, PortInUse)
        assert error.parameters == {"port": port, "tracker": "test"}
    assert wait_until(lambda: tracker.status(now_ns()).error is None)
    with Phone(port) as phone:
        assert arrives(tracker, phone)


@pytest.mark.parametrize("address", ["nonsense", "", "300.1.1.1", "localhost", "203.0.113.7", "::ffff"])
def test_an_address_that_is_not_ours_is_told(open_tracker: Open, address: str) -> None:
    tracker = open_tracker(address)
    assert wait_until(lambda: state(tracker) is TrackerState.FAILED)
    error = tracker.status(now_ns()).error
    assert isinstance(error, AddressUnusable)
    assert error.parameters == {"address": address, "tracker": "test"}


def test_closing_ends_the_thread_and_frees_the_port(open_tracker: Open, port: int) -> None:
    tracker = open_tracker()
    with Phone(port) as phone:
        assert arrives(tracker, phone)
    tracker.close()
    assert not threads()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((HOME, port))
    tracker.close()


def test_closing_ends_one_that_waits_for_its_port(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind((HOME, port))
        tracker = UdpTracker("test", HOME, port, OpenSeeFaceDecoder())
        assert wait_until(lambda: state(tracker) is TrackerState.FAILED)
        tracker.close()
    assert not threads()


# -- the gate, without a socket -------------------------------------------------------------------------------------


def test_until_a_good_packet_came_anybody_may_try() -> None:
    gate = PeerGate()
    assert [gate.refuses(peer, SECOND) for peer in ("a", "b", "a")] == [None] * 3


def test_the_lock_is_the_peers_that_sent_the_last_good_packet() -> None:
    gate = PeerGate()
    gate.accepted("a", SECOND)
    assert gate.refuses("b", SECOND + PEER_RELEASED_AFTER_NS - 1) is Drop.OTHER_PEER
    assert gate.refuses("a", SECOND + PEER_RELEASED_AFTER_NS - 1) is None


def test_a_silent_peer_loses_its_lock() -> None:
    gate = PeerGate()
    gate.accepted("a", SECOND)
    assert gate.refuses("b", SECOND + PEER_RELEASED_AFTER_NS) is None
    gate.accepted("b", SECOND + PEER_RELEASED_AFTER_NS)
    assert gate.refuses("a", SECOND + PEER_RELEASED_AFTER_NS) is Drop.OTHER_PEER


def test_every_second_has_its_own_allowance() -> None:
    gate = PeerGate()
    for second in range(1, 4):
        refused = [gate.refuses("a", second * SECOND + n) for n in range(MAXIMUM_PACKETS_PER_SECOND + 10)]
        assert refused == [None] * MAXIMUM_PACKETS_PER_SECOND + [Drop.TOO_MANY] * 10


def test_strangers_do_not_use_up_the_peers_allowance() -> None:
    gate = PeerGate()
    gate.accepted("a", SECOND)
    for n in range(10 * MAXIMUM_PACKETS_PER_SECOND):
        gate.refuses("b", SECOND + n)
    assert gate.refuses("a", SECOND + SECOND // 2) is None


@pytest.mark.parametrize(
    ("arrivals", "rate"), [([], 0.0), ([5], 0.0), ([5, 5], 0.0), ([0, SECOND // 2, SECOND], 2.0), ([9, 3], 0.0)]
)
def test_rates_are_packets_per_second(arrivals: list[int], rate: float) -> None:
    assert rate_of(arrivals) == rate


def test_a_peer_that_sees_no_face_keeps_its_place() -> None:
    gate = PeerGate()
    gate.accepted("a", SECOND)
    for now in range(SECOND, 20 * SECOND, SECOND):
        gate.heard("a", now)
        gate.heard("b", now)
        assert gate.refuses("b", now) is Drop.OTHER_PEER
    assert gate.refuses("b", 19 * SECOND + PEER_RELEASED_AFTER_NS) is None
