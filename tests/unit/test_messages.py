"""The control pipe's lines: what passes, what is refused, and how."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.errors import MessageMalformed, MessageUnknown, ProtocolError
from core.wire.messages import FROM_OBS, FROM_WORKER, MAXIMUM_LINE_BYTES, STAGES, decode, encode

HEARTBEAT = {"type": "heartbeat", "stage": "running", "frames": 3}
EXAMPLES = {int: 7, str: "text", dict: {"a": 1}, bool: True}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def complete(type_: str) -> Dict[str, Any]:
    needed = {**FROM_WORKER, **FROM_OBS}[type_]
    return {name: EXAMPLES.get(kind, 0.5) for name, kind in needed.items()}  # type: ignore[arg-type]


@pytest.mark.parametrize("type_", sorted(FROM_WORKER))
def test_every_message_of_the_worker_comes_through_as_it_was_sent(type_: str) -> None:
    assert decode(encode(type_, **complete(type_)).rstrip(b"\n"), FROM_WORKER) == (type_, complete(type_))


@pytest.mark.parametrize("type_", sorted(FROM_OBS))
def test_every_message_of_obs_comes_through_as_it_was_sent(type_: str) -> None:
    assert decode(encode(type_, **complete(type_)).rstrip(b"\n"), FROM_OBS) == (type_, complete(type_))


def test_a_line_ends_with_its_only_newline() -> None:
    encoded = encode("action", name="two\nlines")
    assert encoded.index(b"\n") == len(encoded) - 1


def test_text_of_any_language_passes_unchanged() -> None:
    assert decode(encode("action", id=1, name="キャラ 角色 ёж 🦊"), FROM_OBS).fields["name"] == "キャラ 角色 ёж 🦊"


def test_unknown_fields_of_a_newer_peer_are_kept_out_of_nobodys_way() -> None:
    assert decode(line(**HEARTBEAT, mood="fine"), FROM_WORKER).fields["mood"] == "fine"


def test_an_unknown_type_is_told_apart_from_a_damaged_line() -> None:
    with pytest.raises(MessageUnknown) as caught:
        decode(line(type="teleport"), FROM_WORKER)
    assert caught.value.parameters == {"type": "teleport"}


def test_a_message_of_the_other_direction_is_unknown() -> None:
    with pytest.raises(MessageUnknown):
        decode(encode("stop", id=1), FROM_WORKER)


@pytest.mark.parametrize("type_", sorted(FROM_WORKER))
def test_a_needed_field_that_is_missing_is_named(type_: str) -> None:
    fields = complete(type_)
    name = next(iter(fields))
    del fields[name]
    with pytest.raises(MessageMalformed) as caught:
        decode(encode(type_, **fields), FROM_WORKER)
    assert caught.value.parameters == {"reason": f"field {name}"}


def test_a_needed_field_of_another_type_is_refused() -> None:
    with pytest.raises(MessageMalformed):
        decode(line(**{**HEARTBEAT, "frames": "3"}), FROM_WORKER)


def test_true_is_not_a_number() -> None:
    with pytest.raises(MessageMalformed):
        decode(line(**{**HEARTBEAT, "frames": True}), FROM_WORKER)


def test_one_is_not_true() -> None:
    with pytest.raises(MessageMalformed):
        decode(line(type="reply", id=1, ok=1), FROM_WORKER)


@pytest.mark.parametrize("text", ["", "null", "[]", '"heartbeat"', "17", "{}", '{"type": 4}', '{"type": null}'])
def test_json_that_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(MessageMalformed):
        decode(text.encode(), FROM_WORKER)


@pytest.mark.parametrize("text", ["{", "heartbeat", "{'type': 'stop'}", '{"type": "stop"} x', "[" * 60_000])
def test_a_line_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(MessageMalformed):
        decode(text.encode(), FROM_WORKER)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(MessageMalformed):
        decode(b'{"type":"progress","task":"x","fraction":%s}' % number.encode(), FROM_WORKER)


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(MessageMalformed):
        decode(b'{"type":"stop","id":1,"x":"\xff"}', FROM_OBS)


def test_a_line_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(MessageMalformed) as caught:
        decode(b" " * (MAXIMUM_LINE_BYTES + 1), FROM_WORKER)
    assert caught.value.parameters == {"reason": "too long"}


def test_a_line_over_the_limit_is_not_sent() -> None:
    with pytest.raises(MessageMalformed) as caught:
        encode("action", name="x" * MAXIMUM_LINE_BYTES)
    assert caught.value.parameters == {"reason": "too long"}


def test_the_longest_line_that_is_sent_is_received() -> None:
    spare = MAXIMUM_LINE_BYTES - len(encode("action", id=1, name=""))
    encoded = encode("action", id=1, name="x" * spare)
    assert len(encoded) == MAXIMUM_LINE_BYTES
    assert decode(encoded, FROM_OBS).fields["name"] == "x" * spare


def circle() -> object:
    inside: list[object] = []
    inside.append(inside)
    return inside


def deep() -> object:
    inside: list[object] = []
    for _ in range(100_000):
        inside = [inside]
    return inside


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}, object(), circle(), deep()])
def test_what_json_cannot_say_is_not_sent(value: object) -> None:
    with pytest.raises(MessageMalformed):
        encode("action", name=value)


def test_half_a_character_does_not_break_the_line() -> None:
    assert decode(encode("action", id=1, name="a\ud800b"), FROM_OBS).fields["name"] == "a?b"


def test_the_stages_begin_with_starting_and_know_running() -> None:
    assert STAGES[0] == "starting"
    assert "running" in STAGES


@given(st.binary(max_size=300))
def test_no_bytes_whatever_raise_anything_but_a_protocol_error(garbage: bytes) -> None:
    try:
        decode(garbage, FROM_WORKER)
    except ProtocolError:
        pass


@given(st.sampled_from(sorted(FROM_WORKER)), st.dictionaries(st.text(max_size=8), JSON, max_size=5), st.data())
def test_no_json_object_whatever_raises_anything_but_a_protocol_error(
    type_: str, fields: Dict[str, Any], data: st.DataObject
) -> None:
    mixed = {**fields, **{name: data.draw(JSON) for name in FROM_WORKER[type_]}, "type": type_}
    try:
        message = decode(json.dumps(mixed).encode(), FROM_WORKER)
    except ProtocolError:
        return
    assert message.type == type_
