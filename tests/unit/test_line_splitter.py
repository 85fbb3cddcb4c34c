"""Lines out of a byte stream, however it was cut."""

from __future__ import annotations

from typing import List, Tuple

from hypothesis import given, settings
from hypothesis import strategies as st

from core.wire.messages import MAXIMUM_LINE_BYTES, LineSplitter


def split(*chunks: bytes) -> Tuple[List[bytes], int]:
    splitter = LineSplitter()
    return [line for chunk in chunks for line in splitter.feed(chunk)], splitter.overlong


def test_whole_lines_come_out_without_their_newlines() -> None:
    assert split(b"one\ntwo\n") == ([b"one", b"two"], 0)


def test_a_line_waits_for_its_newline() -> None:
    assert split(b"one", b" and a half") == ([], 0)


def test_a_line_in_pieces_comes_out_whole() -> None:
    assert split(b"o", b"n", b"e\nt", b"wo\n") == ([b"one", b"two"], 0)


def test_empty_lines_are_left_out() -> None:
    assert split(b"\n \n\r\none\n\t\n") == ([b"one"], 0)


def test_a_line_of_exactly_the_limit_passes() -> None:
    longest = b"x" * MAXIMUM_LINE_BYTES
    assert split(longest + b"\n") == ([longest], 0)


def test_a_line_one_byte_over_the_limit_is_counted_and_dropped() -> None:
    assert split(b"x" * (MAXIMUM_LINE_BYTES + 1) + b"\nnext\n") == ([b"next"], 1)


def test_the_line_after_an_endless_one_is_read_again() -> None:
    flood = [b"x" * 50_000] * 20
    assert split(*flood, b"\nnext\n") == ([b"next"], 1)


def test_a_line_without_end_is_not_kept_in_memory() -> None:
    splitter = LineSplitter()
    for _ in range(50):
        assert splitter.feed(b"x" * 65_536) == []
        assert len(splitter._pending) <= MAXIMUM_LINE_BYTES


def test_two_lines_over_the_limit_count_twice() -> None:
    too_long = b"x" * (MAXIMUM_LINE_BYTES + 1)
    assert split(too_long + b"\n" + too_long, b"\n") == ([], 2)


LINE = st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"."))
LONG = st.integers(MAXIMUM_LINE_BYTES - 1, MAXIMUM_LINE_BYTES + 2).map(lambda size: b"y" * size)


@settings(max_examples=150)
@given(st.lists(LINE | LONG, max_size=6), st.lists(st.integers(0, 4 * MAXIMUM_LINE_BYTES), max_size=12))
def test_the_way_a_stream_is_cut_does_not_matter(lines: List[bytes], cuts: List[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    pieces = [stream[place:end] for place, end in zip(places, places[1:])]  # noqa: B905, RUF007 - for Python 3.8
    assert split(*pieces) == split(stream)


@given(st.lists(LINE, max_size=6))
def test_byte_by_byte_gives_every_line_in_order(lines: List[bytes]) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    assert split(*(stream[place : place + 1] for place in range(len(stream)))) == (
        [line for line in lines if line.strip()],
        0,
    )
