"""Playing recordings: every packet once, in order, never early, and an end that comes at once."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from core.wire.clock import now_ns
from core.wire.errors import InputUnavailable, StreamUnreadable
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from tests.unit.openseeface_packets import Face, datagram
from trackers import replay
from trackers.base import Decoder, Drop, TrackerSample, TrackerState
from trackers.recording import Record
from trackers.replay import ReplayTracker

SECOND = 1_000_000_000


class Notebook(Decoder):
    """A decoder that notes what it is fed. ``bad`` packets are refused."""

    def __init__(self) -> None:
        self.fed: list[tuple[int, bytes]] = []
        self.made = 0

    def new(self) -> Notebook:
        self.made += 1
        return self

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop:
        self.fed.append((arrival_ns, datagram))
        if datagram.startswith(b"bad"):
            return Drop.WRONG_FORMAT
        return TrackerSample(arrival_ns, "pose", np.array([len(self.fed)], np.float32))


class LateClock:
    """Every look at it is ten seconds after the one before."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 10 * SECOND
        return self.now


@contextmanager
def playing(
    records: list[Record], notebook: Notebook, *, loop: bool = False, clock: Callable[[], int] = now_ns
) -> Iterator[ReplayTracker]:
    tracker = ReplayTracker(records, notebook.new, loop=loop, clock=clock)
    try:
        yield tracker
    finally:
        tracker.close()


def packets(*seconds: float) -> list[Record]:
    return [Record(at, b"packet %d" % n) for n, at in enumerate(seconds)]


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tracker-replay"]


def test_every_packet_is_played_once_and_in_order() -> None:
    notebook = Notebook()
    with playing(packets(0.0, 0.01, 0.02, 0.02), notebook):
        assert wait_until(lambda: len(notebook.fed) >= 4)
        assert wait_until(lambda: not threads())
    assert [content for _, content in notebook.fed] == [b"packet 0", b"packet 1", b"packet 2", b"packet 3"]


def test_no_packet_comes_before_its_recorded_distance() -> None:
    notebook = Notebook()
    start = now_ns()
    with playing(packets(100.0, 100.02, 100.05), notebook):
        assert wait_until(lambda: len(notebook.fed) == 3)
    passed = [arrival - start for arrival, _ in notebook.fed]
    assert all(arrived >= due * SECOND // 100 for arrived, due in zip(passed, (0, 2, 5), strict=True))


def test_a_player_that_is_late_catches_up_instead_of_shifting_everything() -> None:
    """By absolute deadlines: an hour of packets whose time has passed is played without any wait."""
    notebook, clock = Notebook(), LateClock()
    with playing(packets(*range(0, 3600, 9)), notebook, clock=clock):
        assert wait_until(lambda: len(notebook.fed) == 400)


def test_samples_carry_the_time_they_were_played_at() -> None:
    notebook = Notebook()
    before = now_ns()
    with playing(packets(0.0), notebook) as tracker:
        assert wait_until(lambda: tracker.latest(now_ns()) is not None)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert before <= sample.arrival_ns <= now_ns()


def test_a_loop_plays_again_with_a_fresh_decoder() -> None:
    notebook = Notebook()
    with playing(packets(0.0), notebook, loop=True):
        assert wait_until(lambda: len(notebook.fed) >= 3)
    assert notebook.made >= 3
    assert {content for _, content in notebook.fed} == {b"packet 0"}


def test_without_loop_the_thread_ends_and_the_last_sample_stays() -> None:
    with playing(packets(0.0, 0.01), Notebook()) as tracker:
        assert wait_until(lambda: not threads())
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert tracker.status(sample.arrival_ns).state is TrackerState.TRACKING
        assert tracker.status(sample.arrival_ns + SECOND).state is TrackerState.LOST


def test_before_the_first_good_packet_it_waits() -> None:
    with playing([Record(0.0, b"bad")], Notebook()) as tracker:
        assert wait_until(lambda: not threads())
        assert tracker.latest(now_ns()) is None
        assert tracker.status(now_ns()).state is TrackerState.WAITING


def test_refused_packets_are_counted_by_reason() -> None:
    with playing([Record(0.0, b"bad"), Record(0.0, b"good"), Record(0.0, b"bad too")], Notebook()) as tracker:
        assert wait_until(lambda: not threads())
        assert dict(tracker.status(now_ns()).dropped) == {"wrong_format": 2}


def test_the_rate_is_the_recordings() -> None:
    notebook = Notebook()
    times = iter([SECOND * 5, *(at for n in range(20) for at in (5 * SECOND + n * SECOND // 50,) * 2)])
    with playing(packets(*(n / 50 for n in range(20))), notebook, clock=lambda: next(times)) as tracker:
        assert wait_until(lambda: not threads())
        assert tracker.status(5 * SECOND + 19 * SECOND // 50).samples_per_second == pytest.approx(50.0)


def test_closing_ends_it_in_the_middle_of_a_wait() -> None:
    notebook = Notebook()
    with playing(packets(0.0, 3000.0), notebook) as tracker:
        assert wait_until(lambda: len(notebook.fed) == 1)
        tracker.close()
        assert wait_until(lambda: not threads())
        tracker.close()
    assert len(notebook.fed) == 1


# -- opening one as the settings say --------------------------------------------------------------------------------


def settings(path: Path | str, **changed: Value) -> dict[str, Value]:
    return {**defaults(), "tracker": "replay", "replay_path": str(path), "replay_loop": False, **changed}


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    file = tmp_path / "OpenSeeFace at home.rec"
    file.write_bytes(struct.pack("<dI", 0.0, 1785) + datagram(Face()))
    return file


def test_the_protocol_is_told_by_the_files_name(recorded: Path) -> None:
    tracker = replay.open_tracker(settings(recorded))
    try:
        assert wait_until(lambda: tracker.latest(now_ns()) is not None)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert sample.vocabulary == "openseeface"
    finally:
        tracker.close()


def test_a_name_that_tells_nothing_is_an_unknown_protocol(recorded: Path) -> None:
    unnamed = recorded.rename(recorded.with_name("monday.rec"))
    with pytest.raises(InputUnavailable) as refusal:
        replay.open_tracker(settings(unnamed))
    assert refusal.value.parameters == {"tracker": "replay", "reason": "unknown_protocol"}


def test_the_protocol_may_be_told_by_the_user(recorded: Path) -> None:
    unnamed = recorded.rename(recorded.with_name("monday.rec"))
    tracker = replay.open_tracker(settings(unnamed, replay_protocol="openseeface"))
    try:
        assert wait_until(lambda: tracker.latest(now_ns()) is not None)
    finally:
        tracker.close()


@pytest.mark.parametrize("path", ["", "nowhere/openseeface.rec"])
def test_no_file_is_a_stream_that_cannot_be_read(path: str) -> None:
    with pytest.raises(StreamUnreadable):
        replay.open_tracker(settings(path))


def test_a_file_without_packets_is_refused_and_never_looped_over(recorded: Path) -> None:
    recorded.write_bytes(b"")
    with pytest.raises(StreamUnreadable):
        replay.open_tracker(settings(recorded, replay_loop=True))
    assert not threads()
