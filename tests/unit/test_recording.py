"""Reading ``.rec`` files: real ones whole, hostile ones up to where they are hostile."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.errors import StreamUnreadable
from tests.data import data
from trackers import recording
from trackers.recording import MAXIMUM_RECORD_BYTES, MAXIMUM_SECONDS, Record, read_recording

GOOD = (Record(0.0, b"first"), Record(0.5, b""), Record(0.5, b"third"))


def packed(*records: Record) -> bytes:
    return b"".join(struct.pack("<dI", at, len(content)) + content for at, content in map(fields, records))


def fields(record: Record) -> tuple[float, bytes]:
    return record.seconds, record.datagram


def read(tmp_path: Path, content: bytes) -> list[Record]:
    file = tmp_path / "openseeface.rec"
    file.write_bytes(content)
    return read_recording(file)


@pytest.mark.parametrize(
    ("name", "packets"), [("openseeface_model0.rec", 546), ("livelinkface_real_iphone_a.rec", 567)]
)
def test_real_recordings_are_read_whole(name: str, packets: int) -> None:
    records = read_recording(data(f"streams/{name}"))
    assert len(records) == packets
    assert [record.seconds for record in records] == sorted(record.seconds for record in records)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, packed(*GOOD)) == list(GOOD)


@pytest.mark.parametrize("cut", range(1, len(packed(GOOD[-1]))))
def test_a_recording_that_was_cut_off_ends_with_its_last_whole_packet(tmp_path: Path, cut: int) -> None:
    assert read(tmp_path, packed(*GOOD)[:-cut]) == list(GOOD[:2])


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, 0.4, MAXIMUM_SECONDS + 1, 1e300])
def test_a_time_that_cannot_be_ends_the_recording_before_it(tmp_path: Path, seconds: float) -> None:
    assert read(tmp_path, packed(*GOOD, Record(seconds, b"bad"), Record(0.6, b"after"))) == list(GOOD)


@pytest.mark.parametrize("length", [MAXIMUM_RECORD_BYTES + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_no_packet_has_ends_the_recording_before_it(tmp_path: Path, length: int) -> None:
    bad = struct.pack("<dI", 0.6, length) + bytes(MAXIMUM_RECORD_BYTES + 1)
    assert read(tmp_path, packed(*GOOD) + bad) == list(GOOD)


def test_the_largest_packet_there_is_is_read(tmp_path: Path) -> None:
    largest = Record(1.0, bytes(MAXIMUM_RECORD_BYTES))
    assert read(tmp_path, packed(largest)) == [largest]


@pytest.mark.parametrize("content", [b"", b"\0" * 11, b"{}", struct.pack("<dI", -1.0, 0), b"\xff" * 5000])
def test_a_file_without_a_whole_packet_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StreamUnreadable):
        read(tmp_path, content)


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(StreamUnreadable) as refusal:
        read_recording(tmp_path / "nothing.rec")
    assert refusal.value.parameters == {"path": str(tmp_path / "nothing.rec")}


@pytest.mark.parametrize("name", ["nothing.rec", "long" * 100 + ".rec", "nul\0inside.rec", "file/below.rec"])
def test_a_file_that_cannot_be_there_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(packed(*GOOD))
    with pytest.raises(StreamUnreadable):
        read_recording(tmp_path / name)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StreamUnreadable):
        read_recording(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no named pipes")
def test_a_pipe_that_would_never_end_is_refused(tmp_path: Path) -> None:
    if sys.platform == "win32":
        return
    os.mkfifo(tmp_path / "pipe.rec")
    with pytest.raises(StreamUnreadable):
        read_recording(tmp_path / "pipe.rec")


def test_a_gigantic_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.rec").open("wb") as file:
        file.truncate(recording.MAXIMUM_FILE_BYTES + 1)  # a hole: it takes no space
    with pytest.raises(StreamUnreadable):
        read_recording(tmp_path / "huge.rec")


def test_the_number_of_packets_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAXIMUM_RECORDS", 100)
    assert len(read(tmp_path, packed(Record(0.0, b"")) * 1000)) == 100


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@given(st.binary(max_size=400))
def test_any_bytes_are_read_up_to_where_they_stop_making_sense(scratch: Path, content: bytes) -> None:
    try:
        records = read(scratch, content)
    except StreamUnreadable:
        return
    assert all(0.0 <= record.seconds <= MAXIMUM_SECONDS for record in records)
    assert content.startswith(packed(*records))
