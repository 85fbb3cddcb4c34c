"""iOS's side of an FMV3 session, and time going by between it and one of ours."""

from __future__ import annotations

from collections.abc import Sequence

from tests.unit.fmv3_packets import (
    GET_SCHEMA,
    HELLO,
    NAMES,
    PING,
    PONG,
    SCHEMA_ACK,
    SESSION,
    STOP,
    Told,
    error,
    frame,
    message,
    schema_pieces,
    told,
)
from trackers import fmv3
from trackers.base import TrackerSample
from trackers.fmv3 import Fmv3Session

SECOND = 1_000_000_000
START = 50 * SECOND
STEP = SECOND // 20
PHONE = ("10.0.0.7", 49983)
HOME = "127.0.0.1"
PORTS = (fmv3.UDP_PORT, fmv3.TCP_PORT)
LONG_NAMES = tuple(f"{name}_{number:02}" for number in range(13) for name in NAMES)


def sample_of(result: object) -> TrackerSample:
    assert isinstance(result, TrackerSample), result
    return result


class Phone:
    """iOS's side of a session: what it is sent goes into ``hear``, which answers."""

    def __init__(self, names: Sequence[str] = LONG_NAMES, session: int = SESSION) -> None:
        self.names, self.session, self.schema_id = tuple(names), session, 1
        self.nonce = 0
        self.sequence = 0
        self.streams = False
        self.refuses = ""
        self.heard: list[Told] = []

    def pieces(self) -> list[bytes]:
        return schema_pieces(self.nonce, self.session, self.schema_id, names=self.names)

    def hear(self, packet: bytes) -> list[bytes]:
        said = told(packet)
        self.heard.append(said)
        if said.kind == HELLO:
            if self.refuses:
                return [error(self.refuses, said.session)]
            self.nonce = said.session
            return self.pieces()
        if said.session != self.session:
            return []
        if said.kind == SCHEMA_ACK and said.schema == self.schema_id:
            self.streams = True
        if said.kind == STOP:
            self.streams = False
        if said.kind == PING:
            return [message(PONG, self.session, sequence=said.sequence)]
        return self.pieces() if said.kind == GET_SCHEMA else []

    def frame(self) -> bytes:
        self.sequence += 1
        percent = [self.sequence % 100] * len(self.names)
        return frame(self.sequence, percent, session=self.session, schema_id=self.schema_id)

    def kinds(self) -> list[int]:
        return [said.kind for said in self.heard]


class Link:
    """Time, and packets between a session of ours and a phone; ``loses`` says which of the phone's get lost."""

    def __init__(self, phone: Phone, now: int = START) -> None:
        self.phone, self.session, self.now = phone, Fmv3Session(PHONE), now
        self.heard_ns = 0
        self.said: list[tuple[int, Told]] = []
        self.results: list[object] = []

    def deliver(self, *packets: bytes) -> object:
        """The last one's result."""
        for packet in packets:
            self.heard_ns = self.now
            self.results.append(self.session.feed(packet, self.now))
        return self.results[-1] if self.results else None

    def speak(self) -> list[bytes]:
        packets = list(self.session.due(self.now, self.heard_ns))
        self.said += [(self.now, told(packet)) for packet in packets]
        return packets

    def run(self, seconds: float, *, answers: bool = True, streams: bool = True, hears: bool = True) -> None:
        """Let time go by; the phone hears (or not), answers (or not) and streams (or not)."""
        for _ in range(int(seconds * SECOND) // STEP):
            for packet in self.speak():
                answer = self.phone.hear(packet) if hears else []
                if answers:
                    self.deliver(*answer)
            if streams and self.phone.streams:
                self.deliver(self.phone.frame())
            self.now += STEP

    def of(self, kind: int, since: int = 0) -> list[tuple[int, Told]]:
        return [(at, said) for at, said in self.said if said.kind == kind and at >= since]

    def samples(self) -> list[TrackerSample]:
        return [result for result in self.results if isinstance(result, TrackerSample)]

    def hints(self) -> list[tuple[str, dict[str, object]]]:
        return [(hint.key, dict(hint.parameters)) for hint in self.session.hints(self.now, self.heard_ns)]


def begun(names: Sequence[str] = NAMES) -> Link:
    """A session that just began, with the schema of four names."""
    link = Link(Phone(names))
    link.run(0.1, streams=False)
    assert link.phone.streams
    link.results.clear()
    link.said.clear()
    return link
