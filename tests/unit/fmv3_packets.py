"""FMV3 revision 5 as the phone writes it and reads it, from its published layout and from nothing of ours."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

HELLO, SCHEMA, SCHEMA_ACK, FRAME, GET_SCHEMA, PING, PONG, STOP, ERROR = range(1, 10)
REVISION_4_SCHEMA = 3
"""The type by which revision 4's phones send what is type 2 now."""
HEADER = struct.Struct("<4s B B H Q I I I I H H I")
PIECE_BYTES = 536
SESSION, NONCE = 0x0102030405060708, 0x8877665544332211
NAMES = ("eyeBlinkLeft", "jawOpen", "myCustomSmile", "mouthSmileRight")
POSE = (5.0, -6.0, 7.0, 0.125, -0.25, -0.5, 1.0, 2.0, 0.0, 3.0, 4.0, 0.0)
"""Head in degrees and metres, right eye, left eye."""


class Told(NamedTuple):
    """What the other side said."""

    kind: int
    session: int
    schema: int
    sequence: int
    body: bytes


def message(
    kind: int,
    session: int = SESSION,
    body: bytes = b"",
    *,
    magic: bytes = b"FMV3",
    flags: int = 0,
    header_bytes: int = 40,
    schema: int = 0,
    sequence: int = 0,
    token: int = 0,
    total: int | None = None,
    part: int = 0,
    parts: int = 1,
    chunk: int | None = None,
) -> bytes:
    """A header and what follows it; everything may be told wrong."""
    total = len(body) if total is None else total
    chunk = len(body) if chunk is None else chunk
    return (
        HEADER.pack(magic, kind, flags, header_bytes, session, schema, sequence, token, total, part, parts, chunk)
        + body
    )


def in_pieces(kind: int, session: int, body: bytes, *, capacity: int = PIECE_BYTES, schema: int = 0) -> list[bytes]:
    """A body that does not fit into one datagram."""
    chunks = [body[at : at + capacity] for at in range(0, len(body), capacity)]
    return [
        message(kind, session, chunk, schema=schema, total=len(body), part=part, parts=len(chunks))
        for part, chunk in enumerate(chunks)
    ]


def table(names: Sequence[Any] = NAMES, encoding: str = "i16", **changed: object) -> dict[str, object]:
    """A schema's JSON; ``changed`` keys are put in or changed, and left out where they are None."""
    content: dict[str, object] = {
        "schema_version": 1,
        "app": "iFacialMocap",
        "profile": "ifacialmocap-stream",
        "blend_names": list(names),
        "blend_encoding": encoding,
        "blend_unit": "percent",
        "pose_layout": "head_rxyz_pxyz_rightEye_rxyz_leftEye_rxyz",
        "rotation_unit": "degree",
        "position_unit": "meter",
    }
    return {key: value for key, value in {**content, **changed}.items() if value is not None}


def schema_body(
    content: Mapping[str, object] | bytes,
    nonce: int = NONCE,
    *,
    fps: int = 60,
    largest: int = 1200,
    lease_ms: int = 10_000,
    revision: int = 5,
) -> bytes:
    """Start information and JSON."""
    text = (
        content
        if isinstance(content, bytes)
        else json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    )
    return struct.pack("<QHHII", nonce, fps, largest, lease_ms, revision) + text


def schema(nonce: int = NONCE, session: int = SESSION, schema_id: int = 1, **content: Any) -> bytes:
    """A SCHEMA in one message, as over TCP."""
    return message(SCHEMA, session, schema_body(table(**content), nonce), schema=schema_id)


def schema_pieces(nonce: int = NONCE, session: int = SESSION, schema_id: int = 1, **content: Any) -> list[bytes]:
    """A SCHEMA in datagrams of at most 576 bytes."""
    return in_pieces(SCHEMA, session, schema_body(table(**content), nonce), schema=schema_id)


def frame(
    sequence: int,
    percent: Sequence[int] = (0, 0, 0, 0),
    pose: Sequence[float] = POSE,
    *,
    session: int = SESSION,
    schema_id: int = 1,
    wide: bool = False,
    tracked: bool = True,
    playback: bool = False,
) -> bytes:
    """A FRAME."""
    body = struct.pack(f"<{len(percent)}{'i' if wide else 'h'}", *percent) + struct.pack(f"<{len(pose)}f", *pose)
    return message(FRAME, session, body, flags=tracked + 2 * playback, schema=schema_id, sequence=sequence)


def error(text: str | bytes, session: int = SESSION) -> bytes:
    """An ERROR; a refused HELLO carries that HELLO's nonce as its session."""
    return message(ERROR, session, text.encode() if isinstance(text, str) else text)


def told(packet: bytes) -> Told:
    """Read what a receiver sent; it must be whole and right in every field."""
    magic, kind, flags, size, session, schema_id, sequence, token, total, part, parts, chunk = HEADER.unpack_from(
        packet
    )
    assert (magic, flags, size, token, part, parts) == (b"FMV3", 0, 40, 0, 0, 1)
    assert total == chunk == len(packet) - 40
    assert session != 0
    return Told(kind, session, schema_id, sequence, packet[40:])


def greeting(packet: bytes) -> tuple[int, int, int, int]:
    """Nonce, frames a second, largest datagram and revision of a HELLO."""
    said = told(packet)
    assert (said.kind, said.schema, said.sequence, len(said.body)) == (HELLO, 0, 0, 8)
    fps, largest, revision = struct.unpack("<HHI", said.body)
    return said.session, fps, largest, revision
