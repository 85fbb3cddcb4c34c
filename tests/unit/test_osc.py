"""OSC: what other programs send is read, and no bytes whatever do harm."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data import data
from tests.unit.osc_packets import blob, bundle, message, raw_message, text
from trackers.osc import MAXIMUM_ARGUMENTS, MAXIMUM_DEPTH, MAXIMUM_MESSAGES, Argument, read_osc
from trackers.recording import read_recording


def only(packet: bytes) -> list[Argument]:
    """The arguments of the one message there is."""
    (found,) = read_osc(packet)
    return found.arguments


def addresses(packet: bytes) -> list[str]:
    return [found.address for found in read_osc(packet)]


def nested(depth: int, inside: bytes) -> bytes:
    for _ in range(depth):
        inside = bundle(inside)
    return inside


def test_a_message_is_its_address_and_its_arguments() -> None:
    assert read_osc(message("/VMC/Ext/OK", 1, -3, 0.5, "Blink_L")) == [("/VMC/Ext/OK", [1, -3, 0.5, "Blink_L"])]


@pytest.mark.parametrize(
    ("tags", "packed", "expected"),
    [
        (",i", struct.pack(">i", -7), [-7]),
        (",f", struct.pack(">f", 0.25), [0.25]),
        (",d", struct.pack(">d", 0.1), [0.1]),
        (",h", struct.pack(">q", -(2**40)), [-(2**40)]),
        (",TFNI", b"", [True, False, None, None]),
        (",s", text("Joy"), ["Joy"]),
        (",Sf", text("Joy") + struct.pack(">f", 1.0), ["Joy", 1.0]),
        (",bi", blob(b"12345") + struct.pack(">i", 6), [None, 6]),
        (",bi", blob(b"") + struct.pack(">i", 6), [None, 6]),
        (",[ff]i", struct.pack(">ffi", 1.0, 2.0, 3), [1.0, 2.0, 3]),
        (",tf", bytes(8) + struct.pack(">f", 0.5), [0, 0.5]),
        (",rmcf", bytes(12) + struct.pack(">f", 0.5), [0, 0, 0, 0.5]),
        (",", b"", []),
    ],
)
def test_every_type_of_argument_is_read(tags: str, packed: bytes, expected: list[Argument]) -> None:
    assert only(raw_message("/a", tags, packed)) == expected


@pytest.mark.parametrize("name", ["", "a", "ab", "abc", "abcd", "abcde", "あ", "まばたき"])
def test_strings_of_every_length_end_where_they_end(name: str) -> None:
    assert only(message("/" + name, name, 0.5, name)) == [name, 0.5, name]


def test_bytes_that_are_no_text_become_some_text() -> None:
    assert only(raw_message("/a", ",si", text(b"\xff\xfeA\x07") + struct.pack(">i", 4)))[1] == 4


def test_hundreds_of_floats_are_read_in_order() -> None:
    values = [place / 256 for place in range(223)]
    assert only(message("/Body", *values)) == values


def test_a_bundles_messages_come_in_order() -> None:
    packet = bundle(message("/a"), bundle(message("/b"), bundle(message("/c")), message("/d")), message("/e"))
    assert addresses(packet) == ["/a", "/b", "/c", "/d", "/e"]


@pytest.mark.parametrize("time_tag", [0, 1, 2**63, 2**64 - 1])
def test_a_bundle_for_another_time_is_for_now(time_tag: int) -> None:
    assert addresses(bundle(message("/a"), time_tag=time_tag)) == ["/a"]


@pytest.mark.parametrize(
    "broken",
    [
        raw_message("/bad", ",Z", bytes(8)),
        raw_message("/bad", ",iii", bytes(8)),
        raw_message("/bad", ",fff", bytes(8)),
        b"junk",
    ],
)
def test_a_broken_message_costs_itself_only(broken: bytes) -> None:
    assert addresses(bundle(message("/a"), broken, message("/b"))) == ["/a", "/b"]


@pytest.mark.parametrize("size", [0, 3, 5, 4000, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000])
def test_a_bundle_is_left_at_a_size_that_cannot_be(size: int) -> None:
    packet = bundle(message("/a")) + struct.pack(">I", size) + message("/b")
    assert addresses(packet) == ["/a"]


def test_a_bundle_is_left_at_an_element_that_is_empty_or_no_multiple_of_four() -> None:
    assert addresses(bundle(message("/a"), b"", message("/b"))) == ["/a"]
    assert addresses(bundle(message("/a"), message("/odd") + b"\0\0", message("/b"), b"\0\0")) == ["/a"]


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0",
        b"\0" * 64,
        b"/",
        b"/VMC",
        b"#bundle",
        b"#bundle\0",
        b"#bundle\0" + bytes(7),
        bundle(),
        b"GET / HTTP/1.1\r\n\r\n",
        b'{"FaceFound":true}\0\0',
        b"/" + b"a" * 65531,
        text("/a") + b"ffff" + bytes(16),
        raw_message("/a", "ff", bytes(8)),
        raw_message("/a", ",s", b"abcd"),
        raw_message("/a", ",b", struct.pack(">i", -1) + bytes(4)),
        raw_message("/a", ",b", struct.pack(">i", 9) + bytes(8)),
        raw_message("/a", ",b", b"\0\0"),
        raw_message("/a", ",d", bytes(4)),
        raw_message("/a", b",\xff", bytes(4)),
        text("/a") + b",fff",
    ],
)
def test_what_is_not_osc_is_nothing(packet: bytes) -> None:
    assert read_osc(packet) == []


def test_bundles_are_opened_so_deep_and_no_deeper() -> None:
    assert addresses(nested(MAXIMUM_DEPTH, message("/a"))) == ["/a"]
    assert addresses(bundle(nested(MAXIMUM_DEPTH, message("/deep")), message("/a"))) == ["/a"]


def test_a_thousand_bundles_in_each_other_are_no_recursion() -> None:
    assert read_osc(nested(1000, message("/a"))) == []


def test_so_many_messages_and_no_more() -> None:
    assert len(read_osc(bundle(*[message("/a", 1)] * (MAXIMUM_MESSAGES + 100)))) == MAXIMUM_MESSAGES
    four = bundle(*[bundle(*[message("/a")] * (MAXIMUM_MESSAGES // 2))] * 4)
    assert len(read_osc(four)) == MAXIMUM_MESSAGES


def test_so_many_arguments_and_no_more() -> None:
    assert len(only(message("/a", *[1.0] * (MAXIMUM_ARGUMENTS - 1)))) == MAXIMUM_ARGUMENTS - 1
    assert read_osc(message("/Face", *[1.0] * 5000)) == []


@given(st.binary(max_size=400))
def test_any_bytes_are_taken(noise: bytes) -> None:
    for packet in (noise, b"/a\0\0," + noise, b"#bundle\0" + bytes(8) + noise, bundle(noise, b"/" + noise)):
        read_osc(packet)


@given(st.sampled_from(["vmc_vrm0_synth", "rhylive_osc_synth"]), st.data())
def test_any_damage_to_a_real_packet_is_taken(name: str, draw: st.DataObject) -> None:
    packet = bytearray(read_recording(data(f"streams/{name}.rec"))[draw.draw(st.integers(0, 3))].datagram)
    for place in draw.draw(st.lists(st.integers(0, len(packet) - 1), max_size=8)):
        packet[place] = draw.draw(st.integers(0, 255))
    cut = bytes(packet[: draw.draw(st.integers(0, len(packet)))])
    for damaged in (bytes(packet), cut):
        assert len(read_osc(damaged)) <= MAXIMUM_MESSAGES
