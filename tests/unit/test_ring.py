"""The ring of pictures between two processes: order, torn frames, killed writers, full disks."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Iterator, Tuple

import pytest

from core.wire.errors import FrameRingUnusable
from core.wire.folders import PROJECT
from core.wire.ring import (
    FLAG_IN_BETWEEN,
    FLAG_TRANSPARENT,
    HEADER_BYTES,
    MAGIC,
    SLOT_COUNT,
    FrameHeader,
    FrameRing,
    remove_left_over_file,
)

SIZE = 16 * 16 * 4
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the ring in named memory, not in a file")


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[FrameRing]:
    with FrameRing.create(SIZE, folder=tmp_path) as made:
        yield made


@pytest.fixture
def writer(ring: FrameRing) -> Iterator[FrameRing]:
    """The other end, with a mapping of its own."""
    with FrameRing.attach(ring.locator) as attached:
        yield attached


def file_of(ring: FrameRing) -> Path:
    return Path(ring.locator.partition(":")[2])


def write(ring: FrameRing, sequence: int, colour: int = 0, header: Tuple[int, ...] = (16, 16)) -> None:
    ring.begin(sequence, SIZE)[:] = bytes([colour or sequence % 256]) * SIZE
    ring.finish(FrameHeader(sequence, *header))


def test_a_new_ring_holds_no_frame(ring: FrameRing) -> None:
    assert (ring.newest, ring.header(0), ring.read(0), ring.read(1)) == (0, None, None, None)


def test_what_one_end_writes_the_other_end_reads(ring: FrameRing, writer: FrameRing) -> None:
    write(writer, 1, colour=7)
    assert (ring.newest, ring.read(1)) == (1, b"\x07" * SIZE)


def test_both_ends_see_the_same_layout(ring: FrameRing, writer: FrameRing) -> None:
    assert (writer.slots, writer.slot_bytes, writer.locator) == (SLOT_COUNT, SIZE, ring.locator)


def test_everything_known_about_a_frame_comes_over(ring: FrameRing, writer: FrameRing) -> None:
    header = FrameHeader(5, 8, 4, FLAG_IN_BETWEEN | FLAG_TRANSPARENT, 1, 2**40, 3, 2**63)
    writer.begin(5, header.size)
    writer.finish(header)
    assert ring.header(5) == header


def test_a_smaller_picture_is_read_without_the_rest_of_its_slot(ring: FrameRing, writer: FrameRing) -> None:
    writer.begin(1, 32)[:] = b"x" * 32
    writer.finish(FrameHeader(1, 4, 2))
    assert ring.read(1) == b"x" * 32


def test_the_last_frames_stay_readable_until_their_slot_is_needed(ring: FrameRing, writer: FrameRing) -> None:
    for sequence in range(1, 8):
        write(writer, sequence)
    assert [ring.read(sequence) is not None for sequence in range(1, 8)] == [False] * 3 + [True] * SLOT_COUNT


def test_a_frame_that_is_begun_but_not_finished_is_not_shown(ring: FrameRing, writer: FrameRing) -> None:
    write(writer, 1)
    writer.begin(2, SIZE)[: SIZE // 2] = b"\xff" * (SIZE // 2)
    assert (ring.newest, ring.header(2), ring.read(2)) == (1, None, None)


def test_a_slot_that_is_being_written_anew_no_longer_holds_its_old_frame(ring: FrameRing, writer: FrameRing) -> None:
    write(writer, 1)
    assert ring.intact(1)
    writer.begin(1 + SLOT_COUNT, SIZE)
    assert not ring.intact(1)
    assert ring.read(1) is None


def test_a_frame_that_is_overwritten_while_it_is_copied_is_noticed(
    ring: FrameRing, writer: FrameRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(writer, 1)
    header = ring.header(1)

    def header_then_overwritten(sequence: int) -> object:
        write(writer, 1 + SLOT_COUNT)
        return header

    monkeypatch.setattr(ring, "header", header_then_overwritten)
    assert ring.read(1) is None


def test_a_header_that_is_overwritten_while_it_is_read_is_noticed(
    ring: FrameRing, writer: FrameRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(writer, 1)
    answers = iter([True, False])
    monkeypatch.setattr(ring, "intact", lambda sequence: next(answers))
    assert ring.header(1) is None


def test_a_picture_that_does_not_fit_is_refused_before_anything_is_written(ring: FrameRing, writer: FrameRing) -> None:
    write(writer, 1)
    with pytest.raises(FrameRingUnusable):
        writer.begin(1 + SLOT_COUNT, SIZE + 1)
    assert ring.read(1) is not None


@pytest.mark.parametrize("header", [(0, 16), (16, 0), (1000, 1000)])
def test_a_header_with_an_impossible_size_is_no_frame(
    ring: FrameRing, writer: FrameRing, header: Tuple[int, int]
) -> None:
    write(writer, 1, header=header)
    assert (ring.header(1), ring.read(1)) == (None, None)


@pytest.mark.parametrize("sequence", [0, -1, 2**64, -(2**70)])
def test_asking_for_an_impossible_frame_gives_none(ring: FrameRing, sequence: int) -> None:
    assert (ring.header(sequence), ring.read(sequence)) == (None, None)


def test_a_writer_killed_in_the_middle_of_a_frame_leaves_the_frame_before_whole(ring: FrameRing) -> None:
    write(ring, 1, colour=9)
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from core.wire.ring import FrameRing;"
        f"ring = FrameRing.attach(sys.argv[2]); ring.begin(2, {SIZE})[:500] = bytes(500); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-I", "-c", program, str(PROJECT), ring.locator], timeout=60)
    assert ended.returncode == 9
    assert (ring.newest, ring.read(1), ring.read(2)) == (1, b"\x09" * SIZE, None)


def test_the_next_writer_goes_on_after_a_killed_one(ring: FrameRing, writer: FrameRing) -> None:
    write(writer, 1)
    writer.begin(2, SIZE)
    with FrameRing.attach(ring.locator) as successor:
        write(successor, successor.newest + 1, colour=5)
    assert ring.read(2) == b"\x05" * SIZE


@POSIX_ONLY
def test_only_the_user_may_look_at_the_pictures(ring: FrameRing) -> None:
    assert file_of(ring).stat().st_mode & 0o777 == 0o600


@POSIX_ONLY
def test_the_memory_is_reserved_at_once(ring: FrameRing) -> None:
    if sys.platform == "win32":
        return
    assert file_of(ring).stat().st_blocks * 512 >= HEADER_BYTES + SLOT_COUNT * SIZE


@POSIX_ONLY
def test_the_creator_takes_the_file_away(tmp_path: Path) -> None:
    FrameRing.create(SIZE, folder=tmp_path).close()
    assert list(tmp_path.iterdir()) == []


@POSIX_ONLY
def test_the_one_who_attached_leaves_the_file_alone(ring: FrameRing) -> None:
    FrameRing.attach(ring.locator).close()
    assert file_of(ring).exists()


def test_closing_twice_is_closing_once(ring: FrameRing) -> None:
    ring.close()
    ring.close()


def test_closing_while_a_picture_is_still_held_is_no_error(ring: FrameRing) -> None:
    held = ring.begin(1, SIZE)
    ring.close()
    held[0] = 1


@POSIX_ONLY
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        MAGIC,
        b"x" * 10_000,
        struct.pack("<8sII", b"EVTRING9", 4, SIZE).ljust(50_000),
        struct.pack("<8sII", MAGIC, 1, SIZE).ljust(50_000),
        struct.pack("<8sII", MAGIC, 17, 1).ljust(50_000),
        struct.pack("<8sII", MAGIC, 4, 2**31).ljust(50_000),
    ],
    ids=["empty", "short", "magic only", "other", "other version", "one slot", "many slots", "cut off"],
)
def test_a_file_that_is_no_ring_is_refused(tmp_path: Path, content: bytes) -> None:
    foreign = tmp_path / "easyvtuber-foreign"
    foreign.write_bytes(content)
    with pytest.raises(FrameRingUnusable):
        FrameRing.attach(f"file:{foreign}")
    assert foreign.read_bytes() == content


@pytest.mark.parametrize("locator", ["", "file:", "file:/nowhere/at/all", "http://x", "tag", "file:\0", "file:/"])
def test_a_locator_that_leads_nowhere_is_refused(locator: str) -> None:
    with pytest.raises(FrameRingUnusable):
        FrameRing.attach(locator)


@POSIX_ONLY
def test_a_folder_that_cannot_be_written_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(FrameRingUnusable) as caught:
        FrameRing.create(SIZE, folder=tmp_path / "missing")
    assert str(tmp_path / "missing") in str(caught.value.parameters["path"])


@pytest.mark.parametrize("slots", [0, 1, 17])
def test_an_impossible_number_of_slots_leaves_nothing_behind(tmp_path: Path, slots: int) -> None:
    with pytest.raises(FrameRingUnusable):
        FrameRing.create(SIZE, slots, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@POSIX_ONLY
def test_a_full_disk_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    program = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path;"
        "from core.wire.errors import FrameRingUnusable; from core.wire.ring import FrameRing;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "try: FrameRing.create(1 << 20, folder=Path(sys.argv[2]))\n"
        "except FrameRingUnusable as error: sys.exit(0 if error.parameters['path'] else 2)\n"
        "sys.exit(1)"
    )
    ended = subprocess.run([sys.executable, "-I", "-c", program, str(PROJECT), str(tmp_path)], timeout=60)
    assert ended.returncode == 0
    assert list(tmp_path.iterdir()) == []


@POSIX_ONLY
def test_what_a_dead_creator_left_behind_is_removed(ring: FrameRing) -> None:
    remove_left_over_file(ring.locator)
    assert not file_of(ring).exists()


@POSIX_ONLY
def test_only_our_own_files_are_removed(tmp_path: Path) -> None:
    diary = tmp_path / "diary.txt"
    diary.write_text("dear", encoding="utf-8")
    for locator in (f"file:{diary}", str(diary), "tag:Local\\easyvtuber-1", f"file:{tmp_path / 'easyvtuber-gone'}"):
        remove_left_over_file(locator)
    assert diary.exists()


@POSIX_ONLY
def test_two_rings_of_one_process_do_not_share_a_file(tmp_path: Path) -> None:
    with FrameRing.create(SIZE, folder=tmp_path) as one, FrameRing.create(SIZE, folder=tmp_path) as other:
        write(one, 1)
        assert other.newest == 0
        assert str(os.getpid()) in one.locator
