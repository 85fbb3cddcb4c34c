"""FMV3's packets: the published examples byte for byte, and nothing hostile gets through, raises or is kept."""

from __future__ import annotations

import itertools
import json
import pickle
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fmv3_packets import (
    ERROR,
    FRAME,
    GET_SCHEMA,
    NAMES,
    NONCE,
    PING,
    PONG,
    SCHEMA,
    SESSION,
    error,
    in_pieces,
    message,
    schema,
    schema_body,
    schema_pieces,
    table,
)
from trackers.base import Drop
from trackers.fmv3_packets import (
    MAXIMUM_FRAME_BYTES,
    MAXIMUM_SCHEMA_BYTES,
    Joiner,
    Kind,
    Packet,
    Schema,
    error_text,
    hello,
    read_packet,
    read_schema,
    write_packet,
)

SECOND = 1_000_000_000
NOW = 50 * SECOND

PUBLISHED = {
    "hello": "464d56330100280011223344556677880000000000000000000000000800000000000100080000003c00b00405000000",
    "ack": "464d5633030028000807060504030201010000000000000000000000000000000000010000000000",
    "get_schema": "464d5633050028000807060504030201000000000000000000000000000000000000010000000000",
    "ping": "464d5633060028000807060504030201000000000700000000000000000000000000010000000000",
    "stop": "464d5633080028000807060504030201000000000000000000000000000000000000010000000000",
}
"""The maker's golden vectors of contract revision 5."""


def whole(packet: bytes) -> Packet:
    read = read_packet(packet)
    assert isinstance(read, Packet), read
    return read


def read(content: dict[str, object] | bytes, schema_id: int = 1, **start: int) -> Schema | Drop:
    body = schema_body(content, **start)
    return read_schema(whole(message(SCHEMA, SESSION, body, schema=schema_id)))


# -- one packet -----------------------------------------------------------------------------------------------------


def test_what_we_say_is_what_the_maker_published() -> None:
    said = {
        "hello": hello(NONCE),
        "ack": write_packet(Kind.SCHEMA_ACK, SESSION, schema=1),
        "get_schema": write_packet(Kind.GET_SCHEMA, SESSION),
        "ping": write_packet(Kind.PING, SESSION, sequence=7),
        "stop": write_packet(Kind.STOP, SESSION),
    }
    assert {name: packet.hex() for name, packet in said.items()} == PUBLISHED


def test_the_tests_own_phone_writes_as_the_maker_published() -> None:
    pong = "464d5633070028000807060504030201000000000700000000000000000000000000010000000000"
    busy = "464d563309002800112233445566778800000000000000000000000004000000000001000400000042555359"
    assert (message(PONG, sequence=7).hex(), error("BUSY", NONCE).hex()) == (pong, busy)
    start = "11223344556677883c00b0041027000005000000"
    assert schema()[40:60].hex() == start


def test_a_header_is_read_field_by_field() -> None:
    read = whole(message(FRAME, 5, b"abc", flags=3, schema=6, sequence=7, token=8, total=10, part=1, parts=4))
    assert read == Packet(4, 3, 5, 6, 7, 10, 1, 4, b"abc")


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"FMV3",
        message(PING)[:39],
        message(PING, magic=b"FMV4"),
        message(PING, magic=b"fmv3"),
        message(PING, header_bytes=41),
        message(PING, header_bytes=0),
        message(PING, 0),
        message(FRAME, body=b"abc", chunk=2),
        message(FRAME, body=b"abc", chunk=4),
        message(FRAME, body=b"abc", total=4),
        message(FRAME, body=b"abc", total=2, parts=2),
        message(FRAME, body=b"abc", chunk=0xFFFFFFFF),
        message(FRAME, body=b"abc", total=0xFFFFFFFF, parts=2),
        message(FRAME, body=b"abc", parts=0),
        message(FRAME, body=b"abc", total=9, part=2, parts=2),
        message(FRAME, body=b"abc", total=9, part=65535, parts=65535),
        message(FRAME, body=b"abc", total=9, parts=513),
        message(FRAME, body=b"abc", total=MAXIMUM_FRAME_BYTES + 1, parts=2),
        message(SCHEMA, body=b"abc", total=MAXIMUM_SCHEMA_BYTES + 1, parts=2),
    ],
)
def test_a_header_that_cannot_be_is_refused(bad: bytes) -> None:
    assert isinstance(read_packet(bad), Drop)


def test_the_largest_messages_are_let_in() -> None:
    assert whole(message(FRAME, body=b"abc", total=MAXIMUM_FRAME_BYTES, parts=512)).total == 16_432
    assert whole(message(SCHEMA, body=b"abc", total=MAXIMUM_SCHEMA_BYTES, parts=512)).total == 262_144


# -- joining --------------------------------------------------------------------------------------------------------

LONG = schema_body(table([f"custom_{number:04}" for number in range(80)]))


def pieces_of(body: bytes = LONG, session: int = SESSION, kind: int = SCHEMA, schema_id: int = 1) -> list[Packet]:
    return [whole(piece) for piece in in_pieces(kind, session, body, schema=schema_id)]


def test_pieces_are_joined_in_whatever_order() -> None:
    pieces = pieces_of()
    assert len(pieces) == 3
    for order in itertools.permutations(pieces):
        joiner = Joiner()
        results = [joiner.add(piece, NOW + number) for number, piece in enumerate(order)]
        assert results[:2] == [None, None]
        assert isinstance(results[2], Packet)
        assert (results[2].piece, results[2].schema, results[2].session) == (LONG, 1, SESSION)


def test_a_schema_of_the_52_names_is_three_datagrams_of_576_bytes() -> None:
    pieces = schema_pieces(names=[f"mouthLowerDown_{number:02}" for number in range(52)])
    assert [len(piece) for piece in pieces][:2] == [576, 576]
    assert len(pieces) == 3


def test_a_piece_that_comes_twice_does_no_harm() -> None:
    joiner, (first, second, third) = Joiner(), pieces_of()
    assert [joiner.add(piece, NOW) for piece in (first, first, third, third, first)] == [None] * 5
    assert isinstance(joiner.add(second, NOW), Packet)


def test_pieces_that_contradict_each_other_make_the_message_invalid() -> None:
    joiner, (first, second, third) = Joiner(), pieces_of()
    joiner.add(first, NOW)
    assert isinstance(joiner.add(first._replace(piece=bytes(len(first.piece))), NOW), Drop)
    assert not any(isinstance(joiner.add(piece, NOW), Packet) for piece in (second, third))


@pytest.mark.parametrize(("total", "parts"), [(len(LONG) - 1, 3), (len(LONG), 4)])
def test_pieces_that_tell_another_length_are_refused(total: int, parts: int) -> None:
    joiner, (first, second, third) = Joiner(), pieces_of()
    joiner.add(first, NOW)
    assert isinstance(joiner.add(second._replace(total=total, parts=parts), NOW), Drop)
    assert not isinstance(joiner.add(third, NOW), Packet)


def test_pieces_that_are_together_too_short_or_too_long_are_refused() -> None:
    for length in (len(LONG) - 1, len(LONG) + 1):
        joiner = Joiner()
        results = [joiner.add(piece._replace(total=length), NOW) for piece in pieces_of()]
        assert isinstance(results[-1], Drop)
        assert not any(isinstance(result, Packet) for result in results)


def test_sessions_schemas_and_kinds_are_not_mixed() -> None:
    joiner = Joiner()
    mixed = [
        pieces_of()[0], pieces_of(session=9)[1], pieces_of(schema_id=2)[2], pieces_of(kind=FRAME)[1], pieces_of()[2],
    ]  # fmt: skip
    assert [joiner.add(piece, NOW) for piece in mixed] == [None] * 5
    assert isinstance(joiner.add(pieces_of()[1], NOW), Packet)


@pytest.mark.parametrize(("kind", "limit_ns"), [(SCHEMA, 3 * SECOND), (FRAME, SECOND // 4)])
def test_pieces_are_waited_for_only_so_long(kind: int, limit_ns: int) -> None:
    for late, complete in ((0, True), (1, False)):
        joiner, pieces = Joiner(), pieces_of(kind=kind)
        joiner.add(pieces[0], NOW)
        joiner.add(pieces[1], NOW)
        assert isinstance(joiner.add(pieces[2], NOW + limit_ns + late), Packet) == complete


def test_messages_that_are_never_complete_are_not_kept() -> None:
    joiner, body = Joiner(), bytes(60_000)
    for number in range(1000):
        joiner.add(Packet(SCHEMA, 0, 1 + number, 1, 0, MAXIMUM_SCHEMA_BYTES, 0, 512, body), NOW)
        assert len(pickle.dumps(joiner)) < 524_288 + 16_384
    pieces = pieces_of()
    assert isinstance([joiner.add(piece, NOW) for piece in pieces][-1], Packet)


def test_the_bytes_of_unfinished_messages_stay_below_the_limit() -> None:
    joiner, parts = Joiner(), Counter[int]()
    for session, size in [(1, 1), *((2, 65_000),) * 4, *((3, 65_000),) * 4, *((4, 60_000),) * 4]:
        joiner.add(Packet(SCHEMA, 0, session, 1, 0, MAXIMUM_SCHEMA_BYTES, parts[session], 512, bytes(size)), NOW)
        parts[session] += 1
        assert len(pickle.dumps(joiner)) < 524_288 + 16_384


@given(st.integers(0, 2**32))
def test_shuffled_and_repeated_pieces_make_the_message_or_nothing(seed: int) -> None:
    chance = random.Random(seed)
    body = chance.randbytes(chance.randrange(1, 3000))
    pieces = [whole(piece) for piece in in_pieces(SCHEMA, SESSION, body, capacity=chance.randrange(40, 600))]
    dealt = [*pieces, *chance.choices(pieces, k=5)]
    chance.shuffle(dealt)
    joiner = Joiner()
    made = [result for result in (joiner.add(piece, NOW) for piece in dealt) if result is not None]
    assert made
    assert all(isinstance(result, Packet) and result.piece == body for result in made)


# -- schemas --------------------------------------------------------------------------------------------------------


def test_a_schema_is_read() -> None:
    assert read(table(), nonce=9, lease_ms=12_000) == Schema(1, 9, 12_000, NAMES, False)
    wide = read(table(encoding="i32"))
    assert isinstance(wide, Schema)
    assert (wide.wide, wide.frame_bytes) == (True, 4 * 4 + 48)


@pytest.mark.parametrize(
    "content",
    [
        table(app="another", profile="new"),
        table(app=None, profile=None),
        table(future={"a": [1.5, None, True]}),
        table(huge=10**400),
        table([]),
        table(["x" * 255]),
        table(["笑顔" * 40, "独自の笑顔"]),
        table(["\u00e9", "e\u0301"]),
        table(["\x7f", "\x80"]),
        table([str(number) for number in range(4096)]),
        table(["a[1]", "b{2}"]),
    ],
)
def test_schemas_that_are_right_are_taken(content: dict[str, object]) -> None:
    result = read(content)
    assert isinstance(result, Schema)
    assert list(result.names) == content["blend_names"]


def test_brackets_in_names_are_letters() -> None:
    assert isinstance(read(table(["a[", "b[", "c[", "d["])), Schema)


@pytest.mark.parametrize(
    "content",
    [
        table(schema_version=2),
        table(schema_version="1"),
        table(schema_version=None),
        table(blend_unit="unit"),
        table(pose_layout="head"),
        table(rotation_unit="radian"),
        table(position_unit="centimeter"),
        table(position_unit=["meter"]),
        table(encoding="i8"),
        table(blend_encoding=None),
        table(blend_encoding=["i16"]),
        table(blend_names=None),
        table(blend_names="jawOpen"),
        table(blend_names={"jawOpen": 1}),
        table(["a", "b", "a"]),
        table([""]),
        table(["a", 5]),
        table(["a", None]),
        table(["a", ["b"]]),
        table(["x" * 256]),
        table(["笑" * 86]),
        table(["a\nb"]),
        table(["\0"]),
        table([str(number) for number in range(4097)]),
        table(deep=[[[[1]]]]),
    ],
)
def test_schemas_that_are_wrong_are_refused(content: dict[str, object]) -> None:
    assert isinstance(read(content), Drop)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"\xff\xfe\xfd",
        b"[" * 50_000,
        b'{"a":' * 10_000,
        json.dumps(table()).encode() + b"x",
        json.dumps(table()).encode()[:-1],
        json.dumps(table()).encode()[:-1] + b',"schema_version":1}',
        json.dumps(table()).encode()[:-1] + b',"x":NaN}',
        json.dumps(table()).encode()[:-1] + b',"x":-Infinity}',
        json.dumps(table()).encode()[:-1] + b',"x":' + b"9" * 5000 + b"}",
        json.dumps(table()).encode().replace(b"jawOpen", b"jaw\xff"),
    ],
)
def test_what_is_no_json_of_this_kind_is_refused(text: bytes) -> None:
    assert isinstance(read(text), Drop)


@pytest.mark.parametrize(
    "start", [{"revision": 4}, {"revision": 6}, {"revision": 0}, {"lease_ms": 4999}, {"lease_ms": 60_001}]
)
def test_start_information_that_cannot_be_is_refused(start: dict[str, int]) -> None:
    assert isinstance(read(table(), **start), Drop)


def test_a_schema_without_number_or_body_is_refused() -> None:
    assert isinstance(read(table(), schema_id=0), Drop)
    assert isinstance(read_schema(whole(message(SCHEMA, body=bytes(19), schema=1))), Drop)


@given(st.binary(max_size=300), st.booleans())
def test_no_schema_raises(noise: bytes, in_text: bool) -> None:
    body = schema_body(noise) if in_text else noise
    assert isinstance(read_schema(whole(message(SCHEMA, body=body, schema=1))), Drop)


@given(st.integers(0, 2**32))
def test_a_schema_in_which_bytes_were_changed_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    body = bytearray(schema_body(table()))
    for _ in range(chance.randrange(1, 4)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    result: Any = read_schema(whole(message(SCHEMA, body=bytes(body), schema=1)))
    assert isinstance(result, (Schema, Drop))
    if isinstance(result, Schema):
        assert len(set(result.names)) == len(result.names)


# -- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"BUSY", "BUSY"),
        (b" UNSUPPORTED_CONTRACT: requires 5\r\n", "UNSUPPORTED_CONTRACT: requires 5"),
        (b"\x1b[31mred\x07\0", "[31mred"),
        ("a\u202eb\u200bc\u2028d".encode(), "abcd"),
        ("使用中".encode(), "使用中"),
        (b"", ""),
        (b"x" * 512, "x" * 200),
    ],
)
def test_what_the_phone_says_has_nothing_in_it_that_cannot_be_shown(text: bytes, shown: str) -> None:
    assert error_text(whole(message(ERROR, body=text))) == shown


@given(st.binary(max_size=512))
def test_whatever_the_phone_says_can_be_shown(text: bytes) -> None:
    shown = error_text(whole(message(ERROR, body=text)))
    assert shown == "" or shown.isprintable()


def test_a_control_message_has_no_body() -> None:
    assert whole(message(GET_SCHEMA)).piece == b""
