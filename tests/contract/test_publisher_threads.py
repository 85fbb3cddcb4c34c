"""Publishers with a thread of their own: the render loop never waits for a sink, and every end is clean."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from core.publish import latest
from core.publish.base import Picture
from core.publish.file import FilePublisher
from core.publish.latest import LatestFramePublisher
from core.publish.recording import Recording
from core.publish.spout import SpoutPublisher
from core.publish.virtual_camera import CameraOptions, VirtualCameraPublisher
from core.wire.errors import DiskFull, OutputError, OutputFailed

from .fake_outputs import LIMIT_S, Gate, SpoutPc, fake_pyvirtualcam, frame, plain_picture, publisher_threads, wait_until

HALF_RED = (10, 20, 100, 128)


class HeldSink(NamedTuple):
    """A publisher whose sink waits inside ``show`` until the gate is opened, and how to break that sink."""

    publisher: LatestFramePublisher
    gate: Gate
    shown: Callable[[], int]
    break_it: Callable[[], None]


class MemoryRecording(Recording):
    """A recording in memory that can wait and fail."""

    path = Path("memory.png")

    def __init__(self, gate: Gate) -> None:
        self.gate, self.shown, self.full, self.closed = gate, 0, False, 0

    def show(self, picture: Picture, now_ns: int) -> None:
        self.gate.pass_through()
        if self.full:
            raise OSError(28, "No space left on device")
        self.shown += 1

    def idle(self, now_ns: int) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(params=["spout", "virtual_camera", "file"])
def held(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldSink]:
    # no idle work between the frames, however slow the machine: the tests count what is shown
    monkeypatch.setattr(latest, "_WAIT_LIMIT_S", LIMIT_S)
    gate = Gate()
    if request.param == "spout":
        pc = SpoutPc(gate)
        publisher: LatestFramePublisher = SpoutPublisher("EasyVtuber", 256, pc.make_sender)
        # one picture is sent when the sender is opened
        sink = HeldSink(publisher, gate, lambda: len(pc.sent) - 1, lambda: setattr(pc, "broken", True))
    elif request.param == "virtual_camera":
        camera = fake_pyvirtualcam(gate)
        monkeypatch.setitem(sys.modules, "pyvirtualcam", camera)
        publisher = VirtualCameraPublisher(CameraOptions("automatic", False, 0, 60.0), 256)
        sink = HeldSink(publisher, gate, lambda: len(camera.sent), lambda: setattr(camera, "broken", True))
    else:
        recording = MemoryRecording(gate)
        publisher = FilePublisher(tmp_path / "a.png", lambda: recording)
        sink = HeldSink(publisher, gate, lambda: recording.shown, lambda: setattr(recording, "full", True))
    sink.publisher.start()
    yield sink
    gate.open.set()
    sink.publisher.close()
    assert wait_until(lambda: publisher_threads() == [])


def test_publish_returns_while_the_sink_is_still_busy(held: HeldSink) -> None:
    held.gate.open.clear()
    held.publisher.publish(frame(plain_picture(256, 256, HALF_RED)))
    assert held.gate.inside.wait(LIMIT_S)
    for sequence in range(2, 12):
        held.publisher.publish(frame(plain_picture(256, 256, HALF_RED), sequence))
    assert held.gate.inside.is_set()
    held.gate.open.set()
    held.publisher.close()
    # the one it was busy with and the newest; those between were replaced
    assert held.shown() == 2


def test_close_returns_while_the_sink_hangs(held: HeldSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "CLOSE_LIMIT_S", 0.2)
    held.gate.open.clear()
    held.publisher.publish(frame(plain_picture(256, 256, HALF_RED)))
    assert held.gate.inside.wait(LIMIT_S)
    held.publisher.close()
    assert held.gate.inside.is_set()
    held.gate.open.set()
    assert wait_until(lambda: publisher_threads() == [])


def test_a_broken_sink_is_told_and_ends_the_publisher(held: HeldSink) -> None:
    held.break_it()
    held.publisher.publish(frame(plain_picture(256, 256, HALF_RED)))
    assert wait_until(lambda: held.publisher.failure is not None)
    assert isinstance(held.publisher.failure, OutputError)
    assert wait_until(lambda: publisher_threads() == [])
    held.publisher.publish(frame(plain_picture(256, 256, HALF_RED)))
    held.publisher.close()


class OddSink(LatestFramePublisher):
    """A sink that goes wrong where it is told to."""

    def __init__(self, wrong_in: str, problem: Exception) -> None:
        super().__init__("odd")
        self._wrong_in, self._problem = wrong_in, problem
        self.steps: list[tuple[str, int]] = []

    def _step(self, name: str) -> None:
        self.steps.append((name, threading.get_ident()))
        if name == self._wrong_in:
            raise self._problem

    def open_sink(self) -> None:
        self._step("open")

    def show(self, frame: object) -> None:
        self._step("show")

    def close_sink(self) -> None:
        self._step("close")


@pytest.mark.parametrize("wrong_in", ["open", "show", "close"])
@pytest.mark.parametrize("problem", [DiskFull("no room", path="x"), ZeroDivisionError("surprise")])
def test_whatever_a_sink_raises_becomes_an_output_error(wrong_in: str, problem: Exception) -> None:
    sink = OddSink(wrong_in, problem)
    expected = DiskFull if isinstance(problem, DiskFull) else OutputFailed
    if wrong_in == "open":
        with pytest.raises(expected):
            sink.start()
    else:
        sink.start()
        sink.publish(frame(plain_picture(8, 8, HALF_RED)))
    sink.close()
    assert isinstance(sink.failure, expected)
    assert [name for name, _ in sink.steps] == (["open", "close"] if wrong_in == "open" else ["open", "show", "close"])
    assert {thread for _, thread in sink.steps}.isdisjoint({threading.get_ident()})
    assert publisher_threads() == []
