"""Faces as JSON: whatever bytes come, what is read is bounded, typed and finite, and late packets are told."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.mapping.arkit_names import SHAPE, SHAPE_COUNT
from tests.unit.vts_packets import FIRST_TIME_MS, SHAPES, android, entries, pascal
from trackers.base import Drop
from trackers.in_order import RESTARTED_AFTER_MS, InOrder
from trackers.json_face import (
    MAXIMUM_BYTES,
    MAXIMUM_SHAPES,
    arkit_shapes,
    number,
    read_object,
    read_shapes,
    vector,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=4), inside, max_size=4),
    max_leaves=12,
)
NO_NUMBERS: list[Any] = [None, True, False, "1.0", "", [], {}, math.nan, math.inf, -math.inf]

# -- the object -----------------------------------------------------------------------------------------------------


def test_an_object_is_read() -> None:
    assert read_object(b'{"FaceFound": true, "Timestamp": 5}') == {"FaceFound": True, "Timestamp": 5}


@pytest.mark.parametrize(
    "packet",
    [
        b"{}}",
        b'{"BlendShapes":[{"k":"jawOpen","v":0.',
        b"[]",
        b"17",
        b"null",
        b'"FaceFound"',
        b"[" * 16_000,
        b'{"a":' * 3_000,
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":[{"b":-Infinity}]}',
        b'{"a":1' + b"0" * 5_000 + b"}",
        b'{"a":"\xff\xfe"}',
        b"\x00\x01\x02\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"{'a': 1}",
        b'{"a": 1} {"b": 2}',
    ],
    ids=lambda packet: repr(packet[:24]),
)
def test_anything_else_is_no_object(packet: bytes) -> None:
    assert read_object(packet) is Drop.WRONG_FORMAT


def test_what_is_too_long_is_not_even_looked_at() -> None:
    longest = b'{"a":"' + b"x" * (MAXIMUM_BYTES - 8) + b'"}'
    assert len(longest) == MAXIMUM_BYTES == 16_384
    assert isinstance(read_object(longest), dict)
    assert read_object(longest[:-2] + b'x"}') is Drop.WRONG_SIZE
    assert read_object(b"") is Drop.WRONG_SIZE


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_bytes_are_an_object_or_dropped(packet: bytes) -> None:
    assert isinstance(read_object(packet), (dict, Drop))


# -- numbers and vectors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "expected"), [(0.5, 0.5), (-3, -3.0), (5.0e-11, 5.0e-11), (0, 0.0)])
def test_numbers_are_read_as_floats(value: float, expected: float) -> None:
    read = number(value)
    assert isinstance(read, float)
    assert read == expected


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_is_none(value: Any) -> None:
    assert number(value) is None


@pytest.mark.parametrize("value", [1e300, -1e300, 10**4_000, -(10**4_000), 2**70])
def test_numbers_beyond_all_reason_are_held_within_it(value: float) -> None:
    read = number(value)
    assert read is not None
    assert abs(read) == 1e6
    assert (read > 0) == (value > 0)


def test_a_vector_has_three_numbers() -> None:
    assert vector({"x": 1, "y": -2.5, "z": 0.0, "w": "ignored"}) == (1.0, -2.5, 0.0)


@pytest.mark.parametrize("value", [None, [1, 2, 3], "xyz", {}, {"x": 1.0, "y": 2.0}, {"X": 1.0, "Y": 1.0, "Z": 1.0}])
def test_what_has_not_three_is_no_vector(value: Any) -> None:
    assert vector(value) is None


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("bad", NO_NUMBERS)
def test_a_vector_with_one_that_is_no_number_is_none(axis: str, bad: Any) -> None:
    assert vector({"x": 1.0, "y": 1.0, "z": 1.0, axis: bad}) is None


# -- shapes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelled", [str, pascal, android, str.lower, str.upper])
def test_every_spelling_of_every_shape_is_known(spelled: Any) -> None:
    told = {name: place / 64 for place, name in enumerate(SHAPES)}
    shapes = read_shapes(entries({spelled(name): value for name, value in told.items()}))
    assert shapes is not None
    places, values = arkit_shapes(shapes)
    assert len(places) == len(set(places)) == SHAPE_COUNT
    assert dict(zip(places, values, strict=True)) == {SHAPE[name]: value for name, value in told.items()}


def test_shapes_that_nobody_knows_have_no_place() -> None:
    shapes = read_shapes(entries({"headLeft": 0.5, "jawOpen": 0.25, "mouth_L": 0.5, "jaw_R": 0.5, "": 1.0}))
    assert shapes is not None
    assert shapes["headleft"] == 0.5
    assert arkit_shapes(shapes) == ([SHAPE["jawOpen"]], [0.25])


def test_the_last_of_a_name_wins() -> None:
    assert read_shapes(entries([("jawOpen", 0.1), ("JawOpen", 0.2)])) == {"jawopen": 0.2}


@pytest.mark.parametrize("value", [None, {}, "jawOpen", 7, {"k": "jawOpen", "v": 1.0}])
def test_what_is_no_list_holds_no_shapes(value: Any) -> None:
    assert read_shapes(value) is None


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "jawOpen",
        ["jawOpen", 0.5],
        {},
        {"k": "jawOpen"},
        {"v": 0.5},
        {"k": "jawOpen", "v": None},
        {"k": "jawOpen", "v": "0.5"},
        {"k": "jawOpen", "v": True},
        {"k": "jawOpen", "v": math.inf},
        {"k": 5, "v": 0.5},
        {"k": ["jawOpen"], "v": 0.5},
        {"k": "j" * 65, "v": 0.5},
    ],
)
def test_a_broken_entry_is_left_out_and_the_others_are_not(bad: Any) -> None:
    assert read_shapes([bad, *entries({"eyeBlinkLeft": 0.75}), bad]) == {"eyeblinkleft": 0.75}


def test_no_more_shapes_are_read_than_any_face_has() -> None:
    shapes = read_shapes(entries({f"s{place}": 0.5 for place in range(MAXIMUM_SHAPES + 50)}))
    assert shapes is not None
    assert len(shapes) == MAXIMUM_SHAPES


@given(JSON)
def test_whatever_json_holds_is_read_without_a_fault(value: Any) -> None:
    for read in (number(value), *(vector(value) or ())):
        assert read is None or (isinstance(read, float) and math.isfinite(read))
    for amount in (read_shapes(value) or {}).values():
        assert math.isfinite(amount)


# -- order ----------------------------------------------------------------------------------------------------------


def late(*times: float | None) -> list[bool]:
    order = InOrder()
    return [order.is_late(time) for time in times]


def test_a_packet_that_was_overtaken_is_late() -> None:
    start = float(FIRST_TIME_MS)
    assert late(start, start + 33, start + 16, start + 32, start + 33, start + 50) == [
        False, False, True, True, False, False,
    ]  # fmt: skip


def test_packets_without_a_time_are_never_late() -> None:
    assert late(None, 5_000.0, None, 4_000.0, None) == [False, False, False, True, False]


def test_a_clock_that_was_set_back_far_is_followed() -> None:
    start = 10_000_000.0
    assert late(start, start - RESTARTED_AFTER_MS) == [False, True]
    assert late(start, start - RESTARTED_AFTER_MS - 1, start - RESTARTED_AFTER_MS + 15) == [False, False, False]


def test_a_sender_that_stays_behind_is_a_new_one() -> None:
    start = 10_000_000.0
    dropped = late(start, *(start - 50_000 + step * 16 for step in range(100)))
    assert dropped[1:60] == [True] * 59
    assert dropped[61:] == [False] * 40


def test_single_stragglers_never_add_up_to_a_new_sender() -> None:
    order, start = InOrder(), 10_000_000.0
    for step in range(200):
        assert not order.is_late(start + step * 16)
        assert order.is_late(start + step * 16 - 40_000)


def test_a_time_from_the_far_future_does_not_block_what_follows() -> None:
    assert late(5_000.0, 1e6 + 5_000.0, 5_016.0, 5_033.0) == [False] * 4
