"""FMV3, contract revision 5: the packets of iFacialMocap 1.5.3 and Facemotion3d 1.4.6, read and written.

Layout: emoto-yasushi's iFacialMocap_Facemotion3d_udp-tcp_v3, PROTOCOL_V3.md. Everything is little-endian; a header of
40 bytes, then a piece of a message. Pure functions that never raise on what they are given.
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple, NoReturn

from .base import Drop

MAGIC = b"FMV3"
REVISION = 5
HEADER = struct.Struct("<4sBBHQIIIIHHI")
"""Magic, type, flags, header size, session, schema, sequence, source token, message length, part, parts, and the length
of this piece."""
SCHEMA_HEAD = struct.Struct("<QHHII")
"""Client's nonce (0: started by hand), frames a second, largest datagram, lease in ms, revision."""
POSE = struct.Struct("<12f")
"""Head rx ry rz in degrees, px py pz in metres, right eye rx ry rz, left eye rx ry rz."""
_HELLO = struct.Struct("<HHI")
MAXIMUM_SCHEMA_BYTES, MAXIMUM_FRAME_BYTES, MAXIMUM_PARTS, MAXIMUM_NAMES = 262_144, 16_432, 512, 4096
_MOST_WAITING, _MOST_WAITING_BYTES = 8, 524_288
_FRAME_WAITS_NS, _SCHEMA_WAITS_NS = 250_000_000, 3_000_000_000
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_FIXED_KEYS = {
    "blend_unit": "percent",
    "pose_layout": "head_rxyz_pxyz_rightEye_rxyz_leftEye_rxyz",
    "rotation_unit": "degree",
    "position_unit": "meter",
}


class Kind(IntEnum):
    """What a packet is."""

    HELLO = 1
    SCHEMA = 2
    SCHEMA_ACK = 3
    FRAME = 4
    GET_SCHEMA = 5
    PING = 6
    PONG = 7
    STOP = 8
    ERROR = 9


TRACKED = 1
"""Bit of a FRAME's flags: the face is seen."""


class Packet(NamedTuple):
    """One packet or, after :class:`Joiner`, one whole message."""

    kind: int
    flags: int
    session: int
    schema: int
    sequence: int
    total: int
    part: int
    parts: int
    piece: bytes


@dataclass(frozen=True, slots=True)
class Schema:
    """What the numbers of a FRAME mean."""

    schema_id: int
    nonce: int
    lease_ms: int
    names: tuple[str, ...]
    wide: bool
    """Values are 32 bits, not 16."""

    @property
    def frame_bytes(self) -> int:
        """Length of a FRAME of this schema."""
        return len(self.names) * (4 if self.wide else 2) + POSE.size


def read_packet(datagram: bytes) -> Packet | Drop:
    """The header and what follows it."""
    if len(datagram) < HEADER.size:
        return Drop.WRONG_SIZE
    magic, kind, flags, size, session, schema, sequence, _, total, part, parts, length = HEADER.unpack_from(datagram)
    if magic != MAGIC or size != HEADER.size or session == 0:
        return Drop.WRONG_FORMAT
    limit = MAXIMUM_SCHEMA_BYTES if kind == Kind.SCHEMA else MAXIMUM_FRAME_BYTES
    if length != len(datagram) - HEADER.size or total > limit or not 0 < parts <= MAXIMUM_PARTS or part >= parts:
        return Drop.WRONG_SIZE
    if (parts == 1 and length != total) or length > total:
        return Drop.WRONG_SIZE
    return Packet(kind, flags, session, schema, sequence, total, part, parts, datagram[HEADER.size :])


def message_length(stream: bytes) -> int | None:
    """Bytes after the header of the message that a stream is at; None when the stream cannot be read on.

    Over a connection a message is never in parts, and whatever is wrong with a header ends the connection.
    """
    magic, kind, _, size, session, _, _, _, total, part, parts, length = HEADER.unpack_from(stream)
    whole = (size, part, parts, length) == (HEADER.size, 0, 1, total)
    known = magic == MAGIC and session != 0 and kind in iter(Kind)
    return int(length) if known and whole and length <= MAXIMUM_SCHEMA_BYTES else None


def write_packet(kind: Kind, session: int, body: bytes = b"", *, schema: int = 0, sequence: int = 0) -> bytes:
    """One packet of one part."""
    return HEADER.pack(MAGIC, kind, 0, HEADER.size, session, schema, sequence, 0, len(body), 0, 1, len(body)) + body


def hello(nonce: int, frames_per_second: int = 60, largest_datagram: int = 1200) -> bytes:
    """What begins a session."""
    return write_packet(Kind.HELLO, nonce, _HELLO.pack(frames_per_second, largest_datagram, REVISION))


class Joiner:
    """Puts messages together that come in parts, in any order; holds few of them, and not for long."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int, int, int], tuple[int, Packet, dict[int, bytes]]] = {}

    def add(self, packet: Packet, arrival_ns: int) -> Packet | Drop | None:
        """The whole message when this packet completes it, None when parts are missing."""
        if packet.parts == 1:
            return packet
        self._forget_old(arrival_ns)
        key = packet.kind, packet.session, packet.schema, packet.sequence
        started, first, pieces = self._waiting.get(key, (arrival_ns, packet, {}))
        if (first.total, first.parts) != (packet.total, packet.parts):
            self._waiting.pop(key, None)
            return Drop.WRONG_SIZE
        if pieces.get(packet.part, packet.piece) != packet.piece:
            self._waiting.pop(key, None)
            return Drop.WRONG_FORMAT
        pieces[packet.part] = packet.piece
        if sum(map(len, pieces.values())) > packet.total:
            self._waiting.pop(key, None)
            return Drop.WRONG_SIZE
        if len(pieces) < packet.parts:
            self._waiting[key] = started, first, pieces
            return None if self._fits() else Drop.TOO_MANY
        self._waiting.pop(key, None)
        whole = b"".join(pieces[part] for part in range(packet.parts))
        return packet._replace(piece=whole, part=0, parts=1) if len(whole) == packet.total else Drop.WRONG_SIZE

    def _fits(self) -> bool:
        """Within the limits; else the oldest messages are given up."""
        fits = True
        while len(self._waiting) > _MOST_WAITING or self._held() > _MOST_WAITING_BYTES:
            self._waiting.pop(next(iter(self._waiting)))
            fits = False
        return fits

    def _held(self) -> int:
        return sum(len(piece) for _, _, pieces in self._waiting.values() for piece in pieces.values())

    def _forget_old(self, now_ns: int) -> None:
        for key, (started, first, _) in list(self._waiting.items()):
            limit = _SCHEMA_WAITS_NS if first.kind == Kind.SCHEMA else _FRAME_WAITS_NS
            if now_ns - started > limit:
                del self._waiting[key]


def read_schema(message: Packet) -> Schema | Drop:
    """A whole SCHEMA message, checked."""
    if len(message.piece) <= SCHEMA_HEAD.size or message.schema == 0:
        return Drop.WRONG_SIZE
    nonce, _, _, lease_ms, revision = SCHEMA_HEAD.unpack_from(message.piece)
    text = message.piece[SCHEMA_HEAD.size :]
    if revision != REVISION or not 5000 <= lease_ms <= 60_000 or _depth(text) > 4:
        return Drop.WRONG_FORMAT
    try:
        content = json.loads(text, parse_constant=_refuse, object_pairs_hook=_no_doubles)
    except (ValueError, RecursionError):
        return Drop.WRONG_FORMAT
    names = content.get("blend_names") if isinstance(content, dict) else None
    if not isinstance(names, list) or len(names) > MAXIMUM_NAMES or not all(map(_is_name, names)):
        return Drop.WRONG_FORMAT
    encoding = content.get("blend_encoding")
    fits = content.get("schema_version") == 1 and encoding in ("i16", "i32") and len(set(names)) == len(names)
    if not fits or any(content.get(key) != value for key, value in _FIXED_KEYS.items()):
        return Drop.WRONG_FORMAT
    return Schema(message.schema, nonce, lease_ms, tuple(names), encoding == "i32")


def error_text(message: Packet) -> str:
    """What an ERROR says, with nothing in it that could not be shown."""
    text = message.piece[:200].decode("utf-8", "replace")
    return "".join(sign for sign in text if sign.isprintable()).strip()


def _depth(text: bytes) -> int:
    deepest = depth = 0
    for sign in _TEXTS.sub(b"", text):
        if sign in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in b"]}":
            depth -= 1
    return deepest


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 1 <= len(name.encode("utf-8", "replace")) <= 255 and min(name) >= " "


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key comes twice")
    return content


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
