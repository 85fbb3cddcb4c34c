"""iFacialMocap over real sockets: a phone that is late, gone, back, elsewhere; every way it can send."""

from __future__ import annotations

import functools
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.pose.mapping import arkit_names
from core.wire.clock import now_ns
from core.wire.errors import AddressUnusable, InputError, PortInUse
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from tests.unit.fmv3_packets import HELLO, frame, greeting, schema, told
from tests.unit.free_port import free_port
from tests.unit.ifacialmocap_packets import REQUEST_TCP, REQUEST_V1, REQUEST_V2, STOP_TCP, TERMINATOR, text_v1, text_v2
from trackers import fmv3, ifacialmocap, registry, tcp, udp
from trackers.base import Decoder, Tracker, TrackerSample, TrackerState
from trackers.fmv3 import Fmv3Session, Fmv3StreamDecoder
from trackers.ifacialmocap_text import TextDecoder, TextStreamDecoder
from trackers.recording import RecordingWriter, read_recording
from trackers.tcp import TcpTracker
from trackers.udp import UdpTracker

HOME, STRANGE = "127.0.0.1", "127.0.0.2"
HURRY = 20
"""So many times as fast the trackers' time runs here: a second's pause is a twentieth of one."""
LIMIT_S = 5.0
PORTS = (ifacialmocap.UDP_PORT, ifacialmocap.TCP_PORT)


def hurried() -> int:
    return now_ns() * HURRY


def settings(**changed: Value) -> dict[str, Value]:
    return {**defaults(), **changed}


@pytest.fixture(autouse=True)
def udp_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Quick clocks, and a port that is free; both the phone's usual one and our own."""
    for module in (udp, tcp):
        monkeypatch.setattr(module, "_WAIT_S", 0.01)
        monkeypatch.setattr(module, "_RETRY_S", 0.01)
    port = free_port()
    monkeypatch.setattr(ifacialmocap, "UDP_PORT", port)
    monkeypatch.setattr(fmv3, "UDP_PORT", port)
    monkeypatch.setattr(ifacialmocap, "TCP_PORT", free_port(socket.SOCK_STREAM))
    monkeypatch.setattr("trackers.phone.UdpTracker", functools.partial(UdpTracker, clock=hurried))
    monkeypatch.setattr(ifacialmocap, "TcpTracker", functools.partial(TcpTracker, clock=hurried))
    return port


class Phone:
    """Hears requests at its port, and sends from a port of its own as the real one does."""

    def __init__(self, address: str = HOME, port: int = 0) -> None:
        self.ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.ear.bind((address, port))
            self.mouth.bind((address, 0))
        except OSError:
            self.close()
            pytest.skip(f"this system has no {address}")
        self.ear.settimeout(LIMIT_S)
        self.port = int(self.ear.getsockname()[1])
        self._sent = 0

    def hears(self) -> tuple[bytes, tuple[str, int]]:
        packet, sender = self.ear.recvfrom(2048)
        return packet, sender

    def forget(self) -> None:
        """What was heard up to now counts no more."""
        self.ear.settimeout(0.001)
        try:
            while True:
                self.ear.recvfrom(2048)
        except TimeoutError:
            self.ear.settimeout(LIMIT_S)

    def sends(self, port: int, jaw_percent: int) -> None:
        self._sent += 1
        head = (0.001 * self._sent, 0, 0, 0, 0, -0.4)
        self.mouth.sendto(text_v2({"jawOpen": jaw_percent}, head), (HOME, port))

    def close(self) -> None:
        self.ear.close()
        self.mouth.close()

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def phone() -> Iterator[Phone]:
    with Phone() as made:
        yield made


class Opened:
    """A tracker, closed at the end."""

    def __init__(self, **changed: Value) -> None:
        self.tracker: Tracker = ifacialmocap.open_tracker(settings(**changed))

    def __enter__(self) -> Tracker:
        return self.tracker

    def __exit__(self, *_: object) -> None:
        self.tracker.close()
        assert not [thread for thread in threading.enumerate() if thread.name == "tracker-ifacialmocap"]


def jaw(tracker: Tracker) -> float:
    sample = tracker.latest(hurried())
    return -1.0 if sample is None else round(float(sample.values[arkit_names.SHAPE["jawOpen"]]), 3)


def hints(tracker: Tracker) -> list[str]:
    return [hint.key for hint in tracker.status(hurried()).hints]


def arrives(tracker: Tracker, phone: Phone, port: int, jaw_percent: int) -> bool:
    def sent() -> bool:
        phone.sends(port, jaw_percent)
        return jaw(tracker) == jaw_percent / 100.0

    return wait_until(sent, LIMIT_S)


# -- text over UDP --------------------------------------------------------------------------------------------------


def test_the_ports_are_the_makers() -> None:
    assert PORTS == (49983, 49986)


@pytest.mark.parametrize(("way", "request_packet"), [("text", REQUEST_V2), ("text_v1", REQUEST_V1)])
def test_the_phone_is_asked_from_the_port_it_answers_to(
    phone: Phone, udp_port: int, way: str, request_packet: bytes
) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}", phone_protocol=way) as tracker:
        assert phone.hears() == (request_packet, (HOME, udp_port))
        assert arrives(tracker, phone, udp_port, 40)
        assert tracker.status(hurried()).state is TrackerState.TRACKING
        assert tracker.recording_prefix == "ifacialmocap"


def test_a_silent_phone_is_asked_again_and_again(phone: Phone) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}") as tracker:
        for _ in range(9):
            assert phone.hears()[0] == REQUEST_V2
        assert wait_until(lambda: hints(tracker) == ["request_sent"], LIMIT_S)


def test_a_phone_that_is_opened_late_is_heard(udp_port: int) -> None:
    late = free_port()
    with Opened(phone_address=f"{HOME}:{late}") as tracker:
        assert wait_until(lambda: hints(tracker) == ["request_sent"], LIMIT_S)
        with Phone(port=late) as phone:
            assert phone.hears()[0] == REQUEST_V2
            assert arrives(tracker, phone, udp_port, 30)
            assert hints(tracker) == []


def test_a_phone_that_is_gone_for_a_while_is_asked_again_and_heard_again(udp_port: int) -> None:
    with Phone() as phone:
        at = phone.port
        with Opened(phone_address=f"{HOME}:{at}") as tracker:
            assert arrives(tracker, phone, udp_port, 30)
            phone.close()
            assert wait_until(lambda: tracker.status(hurried()).state is TrackerState.LOST, LIMIT_S)
            assert wait_until(lambda: hints(tracker) == ["request_sent"], LIMIT_S)
            with Phone(port=at) as again:
                assert again.hears()[0] == REQUEST_V2
                assert arrives(tracker, again, udp_port, 70)
                assert tracker.status(hurried()).state is TrackerState.TRACKING


def test_while_packets_come_the_phone_is_only_reminded(phone: Phone, udp_port: int) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}") as tracker:
        assert arrives(tracker, phone, udp_port, 30)
        sample = tracker.latest(hurried())
        assert sample is not None
        phone.forget()
        phone.ear.settimeout(0.002)
        heard, began = 0, sample.arrival_ns
        while hurried() - began < 25_000_000_000:
            phone.sends(udp_port, 30)
            try:
                heard += phone.hears()[0] == REQUEST_V2
            except TimeoutError:
                continue
        # twice in 25 s, three packets each time; a machine that stumbles makes it more, but not 75 as in silence
        assert 3 <= heard <= 45


def test_an_address_alone_means_the_apps_usual_port(udp_port: int) -> None:
    with Phone(STRANGE, udp_port) as phone, Opened(phone_address=STRANGE, listen_address=HOME) as tracker:
        assert phone.hears() == (REQUEST_V2, (HOME, udp_port))
        assert arrives(tracker, phone, udp_port, 55)


def test_another_peer_is_dropped_unread(phone: Phone, udp_port: int) -> None:
    with Phone(STRANGE) as stranger, Opened(phone_address=f"{HOME}:{phone.port}") as tracker:

        def refused() -> bool:
            stranger.sends(udp_port, 99)
            return tracker.status(hurried()).dropped.get("other_peer", 0) > 3

        assert wait_until(refused, LIMIT_S)
        assert tracker.latest(hurried()) is None
        assert arrives(tracker, phone, udp_port, 20)
        assert wait_until(refused, LIMIT_S)
        assert jaw(tracker) == 0.2


def test_data_that_nobody_asked_for_is_taken_when_no_address_is_known(phone: Phone, udp_port: int) -> None:
    for way in ("text", "text_v1", "text_tcp"):
        with Opened(phone_protocol=way) as tracker:
            assert wait_until(lambda it=tracker: hints(it) == ["phone_address_missing"], LIMIT_S)  # type: ignore[misc]
            assert arrives(tracker, phone, udp_port, 20)
            assert hints(tracker) == []


def test_both_versions_are_read_whatever_was_asked_for(phone: Phone, udp_port: int) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}", phone_protocol="text") as tracker:

        def sent() -> bool:
            phone.mouth.sendto(text_v1({"jawOpen": 35}), (HOME, udp_port))
            return jaw(tracker) == 0.35

        assert wait_until(sent, LIMIT_S)


def test_a_lost_face_is_lost_and_found(phone: Phone, udp_port: int) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}") as tracker:
        assert arrives(tracker, phone, udp_port, 20)

        def lost() -> bool:
            phone.mouth.sendto(text_v2({"jawOpen": 90}, status=0), (HOME, udp_port))
            # silence loses a face too, so the word of the phone itself is waited for
            status = tracker.status(hurried())
            return status.state is TrackerState.LOST and status.dropped.get("no_face", 0) > 0

        assert wait_until(lost, LIMIT_S)
        assert jaw(tracker) == 0.2
        assert arrives(tracker, phone, udp_port, 45)


@pytest.mark.parametrize("given", ["my phone", "192.168.1", "192.168.1.5:0", "192.168.1.5:70000", "phone.local:49983"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InputError) as refusal:
        ifacialmocap.open_tracker(settings(phone_address=given))
    assert refusal.value.parameters["address"] == given


def test_an_own_address_that_is_none_is_refused() -> None:
    with pytest.raises(AddressUnusable):
        ifacialmocap.open_tracker(settings(listen_address="here"))


def test_a_taken_port_is_told(udp_port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind((HOME, udp_port))
        with Opened() as tracker:
            assert wait_until(lambda: tracker.status(hurried()).state is TrackerState.FAILED, LIMIT_S)
            assert isinstance(tracker.status(hurried()).error, PortInUse)


# -- text over TCP --------------------------------------------------------------------------------------------------


def connected(phone: Phone) -> socket.socket:
    assert phone.hears()[0] == REQUEST_TCP
    return socket.create_connection((HOME, ifacialmocap.TCP_PORT), LIMIT_S)


def test_over_tcp_the_phone_connects_after_it_was_asked(phone: Phone, tmp_path: Path) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}", phone_protocol="text_tcp") as tracker:
        assert tracker.recording_prefix == "ifacialmocap_tcp"
        writer = RecordingWriter(tmp_path / f"{tracker.recording_prefix}_1.rec")
        tracker.record(writer)
        with connected(phone) as connection:
            packet = text_v2({"jawOpen": 40}) + TERMINATOR
            connection.sendall(packet[:300])
            connection.sendall(packet[300:] + packet[:10])
            assert wait_until(lambda: jaw(tracker) == 0.4, LIMIT_S)
        tracker.close()
        writer.close()
        assert b"".join(record.datagram for record in read_recording(writer.path)).startswith(packet)
    while (said := phone.hears()[0]) == REQUEST_TCP:
        pass
    assert said == STOP_TCP


def test_over_tcp_a_phone_that_hung_up_is_asked_again(phone: Phone) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}", phone_protocol="text_tcp") as tracker:
        for percent in (10, 20):
            with connected(phone) as connection:
                connection.sendall(text_v2({"jawOpen": percent}) + TERMINATOR)
                assert wait_until(lambda expected=percent / 100: jaw(tracker) == expected, LIMIT_S)  # type: ignore[misc]
            phone.forget()


def test_over_tcp_endless_nonsense_ends_the_connection(phone: Phone) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}", phone_protocol="text_tcp") as tracker:
        with connected(phone) as connection:

            def refused() -> bool:
                try:
                    connection.sendall(b"x" * 30_000)
                except OSError:
                    return True
                return False

            assert wait_until(refused, LIMIT_S)
        assert tracker.status(hurried()).dropped == {"wrong_size": 1}


# -- FMV3, recordings -----------------------------------------------------------------------------------------------


def test_fmv3_is_one_of_the_ways(phone: Phone, udp_port: int) -> None:
    with Opened(phone_address=f"{HOME}:{phone.port}", phone_protocol="fmv3") as tracker:
        packet, sender = phone.hears()
        assert (told(packet).kind, sender) == (HELLO, (HOME, udp_port))
        # FMV3 answers where it was asked from, so a phone has one socket only
        phone.ear.sendto(schema(greeting(packet)[0]), sender)
        phone.ear.sendto(frame(1, (0, 50, 0, 0)), sender)
        assert wait_until(lambda: jaw(tracker) == 0.5, LIMIT_S)
        assert tracker.recording_prefix == "fmv3"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ifacialmocap_20261126_120000.rec", TextDecoder),
        ("ifacialmocap_v1_synth.rec", TextDecoder),
        ("ifacialmocap_tcp_20261126_120000.rec", TextStreamDecoder),
        ("ifacialmocap_v2_tcp_chunks_synth.rec", TextStreamDecoder),
        ("fmv3_20261126_120000.rec", Fmv3Session),
        ("fmv3_rev5_manual_synth.rec", Fmv3Session),
        ("FMV3_TCP_20261126_120000.REC", Fmv3StreamDecoder),
        ("ifacialmocap_ftcpx.rec", TextDecoder),
        ("", TextDecoder),
    ],
)
def test_a_recordings_name_tells_how_it_is_read(name: str, kind: type[Decoder]) -> None:
    decoder = ifacialmocap.new_decoder(settings(), name)
    assert type(decoder) is kind
    assert decoder is not ifacialmocap.new_decoder(settings(), name)
    if name:
        assert registry.protocol_of_recording(name) == "ifacialmocap"


def test_it_needs_nothing() -> None:
    assert ifacialmocap.unavailable() is None
    result = ifacialmocap.new_decoder(settings()).feed(text_v1({"jawOpen": 50}), 1)
    assert isinstance(result, TrackerSample)
