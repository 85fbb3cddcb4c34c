"""Phones on the network: asked again and again, listened to where they are, and what the user is told meanwhile."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from core.wire.clock import now_ns
from core.wire.errors import AddressUnusable, PhoneUnreachable
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from tests.unit.free_port import free_port
from trackers import udp
from trackers.base import Decoder, Drop, TrackerSample
from trackers.phone import SILENT_NS, Requests, open_listening, phone_of, waiting_hints
from trackers.udp import UdpTracker

SECOND = 1_000_000_000
HOME = "127.0.0.1"


class Any(Decoder):
    """Takes whatever begins with "face"."""

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        if not datagram.startswith(b"face"):
            return Drop.WRONG_FORMAT
        return TrackerSample(arrival_ns, "pose", np.zeros(45, np.float32))


class Phone:
    """Answers nothing by itself; notes what it is asked."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOME, 0))
        self.socket.settimeout(5.0)
        self.port = int(self.socket.getsockname()[1])

    def hears(self) -> bytes:
        return self.socket.recvfrom(2048)[0]


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    yield made
    made.socket.close()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "_WAIT_S", 0.02)
    monkeypatch.setattr(udp, "_RETRY_S", 0.02)


def settings(**changed: Value) -> dict[str, Value]:
    return {**defaults(), **changed}


# -- where the phone is --------------------------------------------------------------------------------------------


def test_without_an_address_only_this_computer_is_listened_to() -> None:
    found = phone_of(settings(), 49983)
    assert (found.peer, found.listen_on()) == (None, HOME)


def test_with_an_address_we_listen_where_that_phone_can_reach_us() -> None:
    found = phone_of(settings(phone_address="127.0.0.9:5000"), 49983)
    assert (found.peer, found.port) == ("127.0.0.9", 5000)
    assert found.listen_on().startswith("127.")


def test_the_users_own_address_to_listen_on_is_taken() -> None:
    assert phone_of(settings(phone_address="10.1.2.3", listen_address="0.0.0.0"), 1).listen_on() == "0.0.0.0"


@pytest.mark.parametrize("changed", [{"phone_address": "my phone"}, {"listen_address": "here"}])
def test_what_is_no_address_is_refused_and_named(changed: dict[str, Value]) -> None:
    with pytest.raises((AddressUnusable, PhoneUnreachable)) as refusal:
        phone_of(settings(**changed), 1)
    assert refusal.value.parameters["address"] in changed.values()


# -- asking --------------------------------------------------------------------------------------------------------


def ask(requests: Requests, start: int, seconds: float, heard_at: list[int]) -> list[int]:
    """Times of every request while time goes by in steps of 50 ms; ``heard_at`` are arrivals."""
    sent = []
    for now in range(start, start + int(seconds * SECOND), SECOND // 20):
        heard = max((at for at in heard_at if at <= now), default=0)
        if requests.due(now, heard):
            sent.append(now)
    return sent


def test_a_silent_phone_is_asked_every_second_and_at_once() -> None:
    sent = ask(Requests((HOME, 1), [b"?"]), 10 * SECOND, 5.0, [])
    assert sent == [10 * SECOND + n * SECOND for n in range(5)]


def test_a_phone_that_sends_is_reminded_seldom() -> None:
    arrivals = list(range(10 * SECOND, 40 * SECOND, SECOND // 20))
    sent = ask(Requests((HOME, 1), [b"?"]), 10 * SECOND, 30.0, arrivals)
    assert [at // SECOND for at in sent] == [10, 20, 30]


def test_a_phone_that_falls_silent_is_asked_again_soon() -> None:
    requests = Requests((HOME, 1), [b"?"])
    arrivals = list(range(10 * SECOND, 20 * SECOND, SECOND // 20))
    ask(requests, 10 * SECOND, 10.0, arrivals)
    sent = ask(requests, 20 * SECOND, 5.0, arrivals)
    assert sent[0] <= 22 * SECOND
    assert len(sent) >= 3


def test_silence_is_told_after_some_seconds_and_not_while_packets_come() -> None:
    requests = Requests(("10.0.0.7", 1), [b"?"])
    requests.due(10 * SECOND, 0)
    assert requests.hints(11 * SECOND, 0) == ()
    (hint,) = requests.hints(14 * SECOND, 0)
    assert (hint.key, dict(hint.parameters), hint.warning) == (
        "request_sent",
        {"seconds": 4, "phone": "10.0.0.7"},
        True,
    )
    assert requests.hints(14 * SECOND, 13 * SECOND) == ()


def test_an_app_that_sends_by_itself_is_explained_while_nothing_comes() -> None:
    missing = waiting_hints(phone_of(settings(), 11111), 11111)
    assert [hint.key for hint in missing(5 * SECOND, 0)] == ["phone_address_missing"]
    waiting = waiting_hints(phone_of(settings(phone_address="127.0.0.1"), 11111), 11111)
    (hint,) = waiting(5 * SECOND, 0)
    assert (hint.key, hint.parameters["port"]) == ("waiting_for_phone", 11111)
    assert waiting(5 * SECOND, 5 * SECOND - SILENT_NS // 2) == ()


# -- over real sockets ---------------------------------------------------------------------------------------------


def test_requests_go_to_the_phone_from_the_port_it_shall_answer_to(phone: Phone, port: int) -> None:
    asking = Requests((HOME, phone.port), [b"send me faces"], while_silent_s=0.05, goodbye=[b"stop"])
    tracker = UdpTracker("test", HOME, port, Any(), peer=HOME, conversation=asking)
    try:
        data, sender = phone.socket.recvfrom(2048)
        assert (data, sender) == (b"send me faces", (HOME, port))
        assert phone.hears() == b"send me faces"
        phone.socket.sendto(b"face", (HOME, port))
        assert wait_until(lambda: tracker.latest(now_ns()) is not None)
    finally:
        tracker.close()
    while (said := phone.hears()) == b"send me faces":
        pass
    assert said == b"stop"


def test_only_the_configured_phone_is_let_in(port: int) -> None:
    tracker = UdpTracker("test", "0.0.0.0", port, Any(), peer="127.0.0.9")
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        assert wait_until(lambda: _sent_and_dropped(stranger, tracker, port))
        assert tracker.latest(now_ns()) is None
        stranger.close()
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stranger.bind(("127.0.0.9", 0))

        def arrives() -> bool:
            stranger.sendto(b"face", (HOME, port))
            return tracker.latest(now_ns()) is not None

        assert wait_until(arrives)
    finally:
        stranger.close()
        tracker.close()


def _sent_and_dropped(sender: socket.socket, tracker: UdpTracker, port: int) -> bool:
    sender.sendto(b"face", (HOME, port))
    return tracker.status(now_ns()).dropped.get("other_peer", 0) > 0


def test_nothing_is_ever_answered_faster_than_a_few_times_a_second(phone: Phone, port: int) -> None:
    class Chatty:
        peer = (HOME, phone.port)

        def due(self, now: int, heard: int) -> list[bytes]:
            return [b"x"] * 50

        def farewell(self) -> list[bytes]:
            return []

        def hints(self, now: int, heard: int) -> tuple[()]:
            return ()

    tracker = UdpTracker("test", HOME, port, Any(), clock=lambda: 7 * SECOND, conversation=Chatty())
    try:
        phone.hears()
        heard = 1
        phone.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            while phone.hears():
                heard += 1
        assert heard <= 8
    finally:
        tracker.close()


def test_another_own_address_is_listened_on_when_the_computer_changes_networks(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "_ADDRESS_AGAIN_NS", 10_000_000)
    own = ["127.0.0.1"]
    tracker = UdpTracker("test", lambda: own[0], port, Any())
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own[0] = "127.0.0.2"

        def arrives() -> bool:
            sender.sendto(b"face", ("127.0.0.2", port))
            return tracker.latest(now_ns()) is not None

        assert wait_until(arrives)
    finally:
        sender.close()
        tracker.close()


def test_an_app_that_sends_by_itself_is_heard(port: int) -> None:
    tracker = open_listening("test", settings(phone_address=HOME), port, Any())
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:

        def arrives() -> bool:
            sender.sendto(b"face", (HOME, port))
            return tracker.latest(now_ns()) is not None

        assert wait_until(arrives)
        assert tracker.recording_prefix == "test"
    finally:
        sender.close()
        tracker.close()
        tracker.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "tracker-test"]


def test_of_several_ports_the_next_is_tried_while_nothing_comes(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "_ADDRESS_AGAIN_NS", 10_000_000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOME, 0))
        other = int(probe.getsockname()[1])
    tracker = UdpTracker("test", HOME, (port, other), Any())
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:

        def arrives() -> bool:
            sender.sendto(b"face", (HOME, other))
            return tracker.latest(now_ns()) is not None

        assert wait_until(arrives)
    finally:
        sender.close()
        tracker.close()
