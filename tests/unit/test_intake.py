"""What happens to every packet: recorded, decoded, counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.wire.errors import PortInUse, RecordingFailed
from trackers import recording
from trackers.base import Decoder, Drop, Hint, TrackerSample, TrackerState
from trackers.intake import LOST_AFTER_NS, Intake, rate_of
from trackers.recording import Record, RecordingWriter, read_recording

SECOND = 1_000_000_000


class Words(Decoder):
    """Good, bad or half packets by what they say."""

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        if datagram == b"half":
            return None
        if datagram == b"bad":
            return Drop.WRONG_FORMAT
        return TrackerSample(arrival_ns, "pose", np.zeros(45, np.float32))

    def hints(self, now_ns: int) -> tuple[Hint, ...]:
        return (Hint("replay_ended"),)


def test_only_the_newest_good_sample_is_kept() -> None:
    intake = Intake(Words())
    assert intake.latest() is None
    intake.take(b"good", SECOND)
    intake.take(b"bad", 2 * SECOND)
    intake.take(b"half", 3 * SECOND)
    newest = intake.latest()
    assert newest is not None
    assert newest.arrival_ns == SECOND
    assert intake.heard_ns == 3 * SECOND


def test_what_was_left_out_is_counted_by_reason() -> None:
    intake = Intake(Words())
    for packet in (b"bad", b"bad", b"good", b"half"):
        intake.take(packet, SECOND)
    intake.drop(Drop.OTHER_PEER)
    assert intake.status(SECOND).dropped == {"wrong_format": 2, "other_peer": 1}


def test_the_state_follows_the_samples_and_the_error() -> None:
    intake = Intake(Words())
    assert intake.status(SECOND).state is TrackerState.WAITING
    intake.take(b"good", SECOND)
    assert intake.status(SECOND + LOST_AFTER_NS - 1).state is TrackerState.TRACKING
    assert intake.status(SECOND + LOST_AFTER_NS).state is TrackerState.LOST
    failed = intake.status(SECOND, PortInUse(port=1, tracker="vmc"))
    assert failed.state is TrackerState.FAILED


def test_hints_of_the_transport_stand_before_the_decoders() -> None:
    assert [hint.key for hint in Intake(Words()).status(0, None, (Hint("camera_opening"),)).hints] == [
        "camera_opening",
        "replay_ended",
    ]


def test_another_decoder_reads_from_then_on() -> None:
    class Refusing(Decoder):
        def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
            return Drop.WRONG_SIZE

    intake = Intake(Words())
    intake.use(Refusing())
    assert intake.take(b"good", SECOND) is Drop.WRONG_SIZE


@pytest.mark.parametrize(("arrivals", "rate"), [([], 0.0), ([5], 0.0), ([5, 5], 0.0), ([0, SECOND // 2, SECOND], 2.0)])
def test_the_rate_is_that_of_the_arrivals(arrivals: list[int], rate: float) -> None:
    assert rate_of(arrivals) == rate


# -- recordings ----------------------------------------------------------------------------------------------------


def test_a_recording_holds_every_packet_as_it_came_and_when(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "new" / "test.rec")
    intake = Intake(Words())
    intake.take(b"before", SECOND)
    intake.record(writer)
    for number, packet in enumerate((b"good", b"bad", b"half", b"")):
        intake.take(packet, 5 * SECOND + number * SECOND // 4)
    intake.record(None)
    intake.take(b"after", 9 * SECOND)
    writer.close()
    assert read_recording(writer.path) == [
        Record(0.0, b"good"), Record(0.25, b"bad"), Record(0.5, b"half"), Record(0.75, b""),
    ]  # fmt: skip
    assert writer.packets == 4


def test_a_recording_never_writes_over_another(tmp_path: Path) -> None:
    path = tmp_path / "test.rec"
    path.write_bytes(b"precious")
    with pytest.raises(RecordingFailed):
        RecordingWriter(path)
    assert path.read_bytes() == b"precious"


def test_a_recording_stops_at_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAXIMUM_FILE_BYTES", 40)
    writer = RecordingWriter(tmp_path / "test.rec")
    writer.write(bytes(20), 0)
    writer.write(bytes(20), 1)
    writer.write(bytes(70_000), 2)
    writer.close()
    assert [record.datagram for record in read_recording(writer.path)] == [bytes(20)]


def test_a_recording_that_is_closed_takes_nothing_more(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "test.rec")
    writer.write(b"one", 0)
    writer.close()
    writer.write(b"two", 1)
    writer.close()
    assert writer.packets == 1


def test_a_disk_that_is_full_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    class Full:
        closed = False

        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            self.closed = True

    writer = RecordingWriter(tmp_path / "test.rec")
    writer._file.close()
    writer._file = Full()  # type: ignore[assignment]
    writer.write(b"one", 0)
    assert writer._file.closed
    assert writer.packets == 0
