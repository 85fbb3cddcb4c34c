"""From the ring into OBS's sources: whole pictures only, every reference given back, nobody kept waiting."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Iterator, List

import pytest

from core.obs.frame_pusher import MOST_SOURCES, FramePusher
from core.obs.libobs import VIDEO_FORMAT_BGRA
from core.wire.clock import now_ns
from core.wire.ring import SLOT_COUNT, FrameHeader, FrameRing
from tests.fake_libobs import FakeLib

WIDTH, HEIGHT = 16, 8
SIZE = WIDTH * HEIGHT * 4
LIMIT_S = 30.0


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[FrameRing]:
    with FrameRing.create(SIZE, folder=tmp_path) as made:
        yield made


@pytest.fixture
def pusher(lib: FakeLib, ring: FrameRing) -> Iterator[FramePusher]:
    made = FramePusher(lib)
    made.set_ring(ring)
    yield made
    made.set_ring(None)
    made.release_sources()


@pytest.fixture
def avatar(lib: FakeLib, pusher: FramePusher) -> int:
    """A source that shows the avatar."""
    source = lib.add_source("Avatar")
    pusher.set_sources(["Avatar"])
    return source


def write(ring: FrameRing, sequence: int, published_ns: int = 0) -> None:
    ring.begin(sequence, SIZE)[:] = bytes([sequence]) * SIZE
    ring.finish(FrameHeader(sequence, WIDTH, HEIGHT, published_ns=published_ns))


def shown(lib: FakeLib) -> List[int]:
    """The pictures that were pushed, by the value all their bytes have; -1 for a torn one."""
    return [push.pixels[0] if len(set(push.pixels)) == 1 else -1 for push in lib.pushed]


def test_an_announced_picture_reaches_every_source(lib: FakeLib, ring: FrameRing, pusher: FramePusher) -> None:
    sources = [lib.add_source(name) for name in ("One", "Zwei", "三")]
    pusher.set_sources(["One", "Zwei", "三"])
    write(ring, 1)
    pusher.push(1)
    assert [push.source for push in lib.pushed] == sources
    assert shown(lib) == [1, 1, 1]


def test_libobs_is_told_exactly_what_the_picture_is(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher, avatar: int
) -> None:
    write(ring, 3)
    pusher.push(3)
    push = lib.pushed[0]
    assert (push.width, push.height, push.line_bytes) == (WIDTH, HEIGHT, WIDTH * 4)
    assert (push.format, push.full_range, push.timestamp) == (VIDEO_FORMAT_BGRA, True, 42)


def test_sources_show_the_newest_picture_at_once(lib: FakeLib, avatar: int) -> None:
    assert lib.flags[avatar] == {"unbuffered", "decoupled"}


def test_a_late_announcement_shows_the_newest_picture(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher, avatar: int
) -> None:
    for sequence in (1, 2, 3):
        write(ring, sequence)
    pusher.push(1)
    assert shown(lib) == [3]


@pytest.mark.parametrize("sequence", [0, -5, 7, 2**64, 10**30])
def test_an_announcement_of_a_picture_that_is_not_there_shows_nothing(
    lib: FakeLib, pusher: FramePusher, avatar: int, sequence: int
) -> None:
    pusher.push(sequence)
    assert shown(lib) == []


def test_a_picture_that_is_being_written_is_not_shown(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher, avatar: int
) -> None:
    ring.begin(1, SIZE)
    pusher.push(1)
    assert shown(lib) == []


def test_a_picture_that_was_torn_while_libobs_copied_is_replaced_at_once(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher, avatar: int
) -> None:
    write(ring, 1)

    def writer_laps_the_reader() -> None:
        lib.while_pushing = lambda: None
        for sequence in range(2, 1 + SLOT_COUNT):
            write(ring, sequence)
        ring.begin(1 + SLOT_COUNT, SIZE)[: SIZE // 2] = b"\xff" * (SIZE // 2)

    lib.while_pushing = writer_laps_the_reader
    pusher.push(1)
    assert shown(lib) == [-1, SLOT_COUNT]


def test_without_a_ring_nothing_is_pushed(lib: FakeLib, pusher: FramePusher, avatar: int) -> None:
    pusher.set_ring(None)
    pusher.push(1)
    assert shown(lib) == []


def test_a_source_that_joins_later_shows_what_everybody_sees(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher
) -> None:
    write(ring, 1)
    late = lib.add_source("Late")
    pusher.set_sources(["Late"])
    assert [push.source for push in lib.pushed] == [late]


def test_sources_are_held_once_and_given_back_when_they_are_not_wanted(lib: FakeLib, pusher: FramePusher) -> None:
    one, two = lib.add_source("One"), lib.add_source("Two")
    assert pusher.set_sources(["One", "Two"]) is True
    assert pusher.set_sources(["Two", "One"]) is False
    assert lib.references == {one: 1, two: 1}
    assert pusher.set_sources(["Two"]) is True
    assert lib.references == {one: 0, two: 1}


def test_letting_go_gives_every_source_back_and_is_safe_twice(lib: FakeLib, pusher: FramePusher, avatar: int) -> None:
    pusher.release_sources()
    pusher.release_sources()
    assert (lib.leaks(), pusher.source_count) == ({}, 0)


def test_a_name_without_a_source_is_tried_again_later(lib: FakeLib, pusher: FramePusher) -> None:
    pusher.set_sources(["Soon"])
    assert pusher.source_count == 0
    lib.add_source("Soon")
    pusher.set_sources(["Soon"])
    assert pusher.source_count == 1


def test_a_source_the_user_removed_is_given_back_with_the_next_picture(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher, avatar: int
) -> None:
    lib.removed.add(avatar)
    write(ring, 1)
    pusher.push(1)
    assert (lib.leaks(), shown(lib)) == ({}, [])


def test_a_new_source_takes_the_place_of_a_removed_one_of_the_same_name(
    lib: FakeLib, pusher: FramePusher, avatar: int
) -> None:
    lib.removed.add(avatar)
    successor = lib.add_source("Avatar")
    assert pusher.set_sources(["Avatar"]) is True
    assert lib.leaks() == {successor: 1}


def test_a_crowd_of_sources_is_cut(lib: FakeLib, pusher: FramePusher) -> None:
    names = [f"Source {number}" for number in range(MOST_SOURCES + 5)]
    for name in names:
        lib.add_source(name)
    pusher.set_sources(names)
    assert pusher.source_count == MOST_SOURCES


def test_obs_does_not_wait_while_a_picture_is_being_pushed(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher, avatar: int
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        go_on.wait(LIMIT_S)

    lib.while_pushing = hold
    write(ring, 1)
    pushing = threading.Thread(target=pusher.push, args=(1,))
    pushing.start()
    try:
        assert inside.wait(LIMIT_S)
        assert pusher.set_sources([]) is False
    finally:
        go_on.set()
        pushing.join(LIMIT_S)
    assert pusher.source_count == 1


def test_dialogs_of_all_sources_are_shown_anew(lib: FakeLib, pusher: FramePusher, avatar: int) -> None:
    pusher.update_dialogs()
    assert lib.dialogs_updated == [avatar]


def test_the_delay_of_the_way_is_unknown_before_the_first_picture(pusher: FramePusher) -> None:
    assert pusher.push_delay_ns() == 0


def test_the_delay_of_the_way_is_that_of_nearly_all_pictures(
    ring: FrameRing, pusher: FramePusher, avatar: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.obs.frame_pusher.now_ns", lambda: 1_000_000)
    for sequence in range(1, 101):
        write(ring, sequence, published_ns=1_000_000 - sequence)
        pusher.push(sequence)
    assert pusher.push_delay_ns() == 96


def test_pictures_without_times_say_nothing_about_the_delay(ring: FrameRing, pusher: FramePusher, avatar: int) -> None:
    write(ring, 1)
    pusher.push(1)
    assert (pusher.pushed, pusher.push_delay_ns()) == (1, 0)


def test_a_ring_can_be_closed_after_it_was_taken_away(tmp_path: Path, pusher: FramePusher) -> None:
    other = FrameRing.create(SIZE, folder=tmp_path)
    pusher.set_ring(other)
    pusher.set_ring(None)
    other.close()
    with pytest.raises(ValueError, match="closed"):
        len(other.memory)


def test_pushing_and_choosing_sources_from_two_threads_stays_in_balance(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher
) -> None:
    lib.add_source("One")
    lib.add_source("Two")
    done = threading.Event()

    def push_on() -> None:
        sequence = 0
        while not done.is_set():
            sequence += 1
            ring.begin(sequence, SIZE)
            ring.finish(FrameHeader(sequence, WIDTH, HEIGHT, published_ns=now_ns()))
            pusher.push(sequence)

    pushing = threading.Thread(target=push_on)
    pushing.start()
    try:
        for turn in range(300):
            pusher.set_sources([["One"], ["Two"], ["One", "Two"], []][turn % 4])
    finally:
        done.set()
        pushing.join(LIMIT_S)
    assert not pushing.is_alive()


def test_sources_that_show_the_avatar_no_longer_are_emptied_once_and_let_go(
    lib: FakeLib, ring: FrameRing, pusher: FramePusher, avatar: int
) -> None:
    write(ring, 1)
    pusher.push(1)
    pusher.clear_sources(["Avatar"])
    pusher.clear_sources(["Avatar"])
    assert lib.emptied == [avatar]
    assert pusher.source_count == 0
    assert pusher.set_sources(["Avatar"])
    assert shown(lib) == [1, 1], "shown again, it has the newest picture at once"
    pusher.clear_sources(["Avatar"])
    assert lib.emptied == [avatar, avatar]
