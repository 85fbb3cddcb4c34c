"""FMV3 sessions: begun by us or by hand on the phone, kept alive, mended, ended on purpose.

The session is decoder and conversation in one: what comes decides what must be said.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

import numpy as np

from core.pose.mapping.arkit_names import BY_SPELLING, VOCABULARY
from core.pose.sample import TrackerSample

from .arkit import ShapeMemory
from .base import Decoder, Drop, Hint, Tracker
from .fmv3_packets import (
    HEADER,
    POSE,
    REVISION,
    SCHEMA_HEAD,
    TRACKED,
    Joiner,
    Kind,
    Packet,
    Schema,
    error_text,
    hello,
    message_length,
    read_packet,
    read_schema,
    write_packet,
)
from .phone import SILENT_NS, Phone, listen_for
from .tcp import TcpTracker

UDP_PORT, TCP_PORT = 49983, 49984
SECOND = 1_000_000_000
_HELLOS, _PAUSE_NS = 5, 5 * SECOND
"""So many requests a second apart, then a pause and a new round: the app may be opened much later."""
_PING_NS, _REPAIR_AFTER_NS, _REPAIRS, _GIVEN_UP_NS = 3 * SECOND, 3 * SECOND, 3, 12 * SECOND
_STRAGGLERS = 60
_OLD_SCHEMA = Kind.SCHEMA_ACK
"""What revision 4, which does not understand ours, sends a schema as."""
_MOST_TO_SAY = 8
_TEXT_SHOWN_NS = 10 * SECOND


class Fmv3Session(Decoder):
    """One phone. Used by the receiving thread only, but for ``hints``."""

    def __init__(self, peer: tuple[str, int] = ("", 0), *, over_tcp: bool = False) -> None:
        self.peer = peer
        self._over_tcp = over_tcp
        self._joiner = Joiner()
        self._shapes = ShapeMemory()
        self._schema: Schema | None = None
        self._places: list[tuple[int, int]] = []
        self._session = 0
        self._opening = b""
        self._sequence: int | None = None
        self._late = 0
        self._frame_ns = self._started_ns = 0
        self._say: list[bytes] = []
        self._asked_schema_ns = -SECOND
        self._nonce, self._hellos, self._hello_ns = 0, 0, 0
        self._pinged_ns = self._repaired_ns = self._repairs = self._pings = 0
        self._text, self._text_ns = "", 0
        self._is_old = False
        self._first_hello_ns = 0

    # -- what comes ----------------------------------------------------------------------------------------------------

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet; see :class:`trackers.base.Decoder`."""
        packet = read_packet(datagram)
        if isinstance(packet, Drop):
            return packet
        if packet.kind == _OLD_SCHEMA and packet.total > SCHEMA_HEAD.size:
            self._is_old = True
            return Drop.WRONG_FORMAT
        message = self._joiner.add(packet, arrival_ns)
        if message is None or isinstance(message, Drop):
            return message
        if message.kind == Kind.FRAME:
            return self._frame(message, arrival_ns)
        if message.kind == Kind.SCHEMA:
            return self._take_schema(message, arrival_ns)
        if message.kind == Kind.ERROR and message.session == (self._session or self._nonce):
            self._text, self._text_ns = error_text(message), arrival_ns
            return None
        if message.kind == Kind.STOP and message.session == self._session:
            self._end()
            return None
        return None if message.kind == Kind.PONG and message.session == self._session else Drop.WRONG_FORMAT

    def _take_schema(self, message: Packet, arrival_ns: int) -> Drop | None:
        """A session that runs is never replaced by another's schema."""
        runs = self._session != 0 and arrival_ns - max(self._frame_ns, self._started_ns) < _GIVEN_UP_NS
        # over a connection nobody else can come in between, and each connection is a session
        if runs and not self._over_tcp and message.session != self._session:
            return Drop.OTHER_FACE
        schema = read_schema(message)
        if isinstance(schema, Drop):
            return schema
        # a decoder of recordings has asked nobody: whatever number is in them, it is the right one
        if self.peer[0] and schema.nonce not in (0, self._nonce):
            return Drop.OTHER_FACE
        if message.session != self._session or schema != self._schema:
            self._session, self._schema, self._sequence = message.session, schema, None
            self._opening = write_packet(Kind.SCHEMA, message.session, message.piece, schema=message.schema)
            self._started_ns, self._repairs, self._pinged_ns = arrival_ns, 0, arrival_ns
            self._text, self._is_old = "", False
            known = ((place, BY_SPELLING.get(name.lower())) for place, name in enumerate(schema.names))
            self._places = [(place, shape) for place, shape in known if shape is not None]
        if not self._over_tcp:
            self._tell(write_packet(Kind.SCHEMA_ACK, self._session, schema=schema.schema_id))
        return None

    def _frame(self, message: Packet, arrival_ns: int) -> TrackerSample | Drop:
        schema = self._schema
        if schema is None or message.session != self._session or message.schema != schema.schema_id:
            self._ask_for_schema(message.session, message.schema, arrival_ns)
            return Drop.OTHER_FACE if self._session and message.session != self._session else Drop.OUT_OF_ORDER
        if len(message.piece) != schema.frame_bytes:
            return Drop.WRONG_SIZE
        if self._is_late(message.sequence):
            return Drop.OUT_OF_ORDER
        pose = POSE.unpack_from(message.piece, schema.frame_bytes - POSE.size)
        if not np.isfinite(pose).all():
            return Drop.NOT_FINITE
        self._sequence, self._late, self._frame_ns, self._repairs = message.sequence, 0, arrival_ns, 0
        if not message.flags & TRACKED:
            return Drop.NO_FACE
        percent = np.frombuffer(message.piece, "<i4" if schema.wide else "<i2", len(schema.names))
        places = [place for place, _ in self._places]
        values = (percent[places].astype(np.float64) / 100.0).tolist()
        pitch, yaw, roll = (min(max(angle, -180.0), 180.0) for angle in pose[:3])
        x, y, z = (min(max(part, -10.0), 10.0) for part in pose[3:6])
        shapes = self._shapes.merge([shape for _, shape in self._places], values, arrival_ns)
        return TrackerSample(arrival_ns, VOCABULARY, shapes, (pitch, yaw, roll), (x, y, z))

    def _is_late(self, sequence: int) -> bool:
        """Was there a newer frame already? So many in a row are no stragglers: one wild number came in between."""
        if self._sequence is None or 1 <= (sequence - self._sequence) % (1 << 32) <= (1 << 31) - 1:
            return False
        self._late += 1
        return self._late < _STRAGGLERS

    def _ask_for_schema(self, session: int, schema: int, now_ns: int) -> None:
        if session == self._session and now_ns - self._asked_schema_ns >= SECOND:
            self._asked_schema_ns = now_ns
            self._tell(write_packet(Kind.GET_SCHEMA, session, schema=schema))

    def _tell(self, packet: bytes) -> None:
        self._say = [*self._say[1 - _MOST_TO_SAY :], packet]

    def opening(self) -> tuple[bytes, ...]:
        """The schema in force, whole."""
        return (self._opening,) if self._session else ()

    def _end(self) -> None:
        self._session, self._schema, self._sequence = 0, None, None
        self._nonce = self._hellos = 0

    # -- what is said --------------------------------------------------------------------------------------------------

    def due(self, now_ns: int, heard_ns: int) -> Sequence[bytes]:
        """See :class:`trackers.udp.Conversation`."""
        said, self._say = self._say, []
        if self._session == 0:
            said += self._greet(now_ns)
        elif now_ns - max(self._frame_ns, self._started_ns) >= _GIVEN_UP_NS:
            self._end()
        else:
            said += self._keep_alive(now_ns)
        return said

    def _greet(self, now_ns: int) -> list[bytes]:
        pause = SECOND if self._hellos % _HELLOS else _PAUSE_NS
        if self._hellos and now_ns - self._hello_ns < pause:
            return []
        if self._hellos % _HELLOS == 0:
            self._nonce = secrets.randbits(63) + 1
        self._first_hello_ns = self._first_hello_ns or now_ns
        self._hellos, self._hello_ns = self._hellos + 1, now_ns
        return [hello(self._nonce)]

    def _keep_alive(self, now_ns: int) -> list[bytes]:
        said = []
        if now_ns - self._pinged_ns >= _PING_NS:
            self._pinged_ns, self._pings = now_ns, (self._pings + 1) % (1 << 32)
            said.append(write_packet(Kind.PING, self._session, sequence=self._pings))
        silent = now_ns - max(self._frame_ns, self._started_ns) >= _REPAIR_AFTER_NS
        if silent and self._repairs < _REPAIRS and now_ns - self._repaired_ns >= SECOND and self._schema is not None:
            self._repaired_ns, self._repairs = now_ns, self._repairs + 1
            if not self._over_tcp:
                said.append(write_packet(Kind.SCHEMA_ACK, self._session, schema=self._schema.schema_id))
            said.append(write_packet(Kind.GET_SCHEMA, self._session))
        return said

    def farewell(self) -> Sequence[bytes]:
        """STOP, so that the phone is free for another at once. What comes next is a new session."""
        said = [write_packet(Kind.STOP, self._session)] if self._session else []
        self._end()
        return said

    def hints(self, now_ns: int, heard_ns: int = 0) -> tuple[Hint, ...]:
        """What the phone says, or that it says nothing. Any thread."""
        if self._is_old:
            return (Hint("old_app", {"revision": REVISION}, True),)
        if self._text and now_ns - self._text_ns < _TEXT_SHOWN_NS:
            return (Hint("phone_says", {"text": self._text}, True),)
        since = max(self._frame_ns, self._started_ns, self._first_hello_ns)
        if self.peer[0] and self._first_hello_ns and now_ns - since >= SILENT_NS:
            return (Hint("request_sent", {"seconds": (now_ns - since) // SECOND, "phone": self.peer[0]}, True),)
        return ()


class _Quiet(Decoder):
    """A session as decoder of a tracker that asks it for hints as conversation already."""

    def __init__(self, session: Fmv3Session) -> None:
        self._session = session

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """See :class:`Fmv3Session`."""
        return self._session.feed(datagram, arrival_ns)

    def opening(self) -> tuple[bytes, ...]:
        """See :class:`Fmv3Session`."""
        return self._session.opening()


class Fmv3StreamDecoder(Decoder):
    """Messages out of a TCP stream, however it was cut: each is a header and its one piece."""

    def __init__(self, session: Fmv3Session | None = None) -> None:
        self._session = session or Fmv3Session(over_tcp=True)
        self._pending = b""

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One piece of the stream; the newest of the faces that it completes. ``WRONG_SIZE``: it cannot be read on."""
        self._pending += datagram
        newest: TrackerSample | Drop | None = None
        while len(self._pending) >= HEADER.size:
            length = message_length(self._pending)
            if length is None:
                self._pending = b""
                return Drop.WRONG_SIZE
            if len(self._pending) < HEADER.size + length:
                break
            packet, self._pending = self._pending[: HEADER.size + length], self._pending[HEADER.size + length :]
            result = self._session.feed(packet, arrival_ns)
            if not isinstance(result, Drop) or not isinstance(newest, TrackerSample):
                newest = result if result is not None else newest
        return newest

    def opening(self) -> tuple[bytes, ...]:
        """The schema in force, and the beginning of the message that is on its way."""
        return tuple(piece for piece in (*self._session.opening(), self._pending) if piece)


def open_fmv3(name: str, phone: Phone, *, over_tcp: bool) -> Tracker:
    """A session with the phone; without its address we wait for one that is started by hand."""
    peer = (phone.address, phone.port if phone.port != UDP_PORT or not over_tcp else TCP_PORT)
    session = Fmv3Session(peer, over_tcp=over_tcp)
    if over_tcp and phone.address:
        decoder: Callable[[], Decoder] = lambda: Fmv3StreamDecoder(session)  # noqa: E731
        return TcpTracker(name, peer, decoder, session, recording_prefix="fmv3_tcp")
    conversation = session if phone.address else None
    return listen_for(name, phone, UDP_PORT, _Quiet(session), conversation, recording_prefix="fmv3")
