"""The worker's end of the control pipe, over real pipes: order, announcements, bad lines, ends, and a deaf reader."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import pytest

from core.wire.messages import MAXIMUM_LINE_BYTES, Message
from core.worker.control import ControlPipe
from tests.contract.fake_outputs import LIMIT_S, wait_until
from tests.unit.other_side import OtherSide


class Obs(OtherSide):
    """The other side, the pipe under test, and what that was told of its end."""

    def __init__(self) -> None:
        worker_reads, obs_writes = os.pipe()
        obs_reads, worker_writes = os.pipe()
        super().__init__(os.fdopen(obs_writes, "wb"), os.fdopen(obs_reads, "rb"))
        self._worker_files = os.fdopen(worker_reads, "rb"), os.fdopen(worker_writes, "wb")
        self.endings = 0
        self.pipe = ControlPipe(*self._worker_files, self._count_ending)

    def _count_ending(self) -> None:
        self.endings += 1

    def next_message(self) -> Message:
        message = self.pipe.wait(LIMIT_S)
        assert message is not None
        return message

    def say_bytes(self, piece: bytes) -> None:
        self._to_worker.write(piece)
        self._to_worker.flush()

    def give_up_reading(self) -> None:
        self._from_worker.close()

    def close(self) -> None:
        self.hang_up()
        if not self._listening:
            self._from_worker.close()  # the writing thread may be stuck in it
        self.pipe.close(LIMIT_S)
        assert wait_until(lambda: not threads())
        for file in self._worker_files:
            # a pipe that nobody reads: EPIPE, on Windows EINVAL
            with contextlib.suppress(OSError):
                file.close()
        super().close()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("control-")]


@pytest.fixture
def obs() -> Iterator[Obs]:
    obs = Obs()
    obs.pipe.start()
    yield obs
    obs.close()


# -- what comes in --------------------------------------------------------------------------------------------------


def test_messages_come_in_the_order_they_were_sent(obs: Obs) -> None:
    for number in range(50):
        obs.tell("action", id=number, name="calibrate")
    assert [obs.next_message().fields["id"] for _ in range(50)] == list(range(50))


def test_everything_that_came_is_handed_over_at_once(obs: Obs) -> None:
    obs.tell("action", id=1, name="show")
    obs.tell("stop", id=2)
    got: list[Message] = []

    def both() -> bool:
        got.extend(obs.pipe.received())
        return len(got) == 2

    assert wait_until(both)
    assert [message.type for message in got] == ["action", "stop"]
    assert obs.pipe.received() == []


def test_a_message_may_come_in_pieces(obs: Obs) -> None:
    line = json.dumps({"type": "action", "id": 5, "name": "夜"}, ensure_ascii=False).encode() + b"\n"
    for byte in line:
        obs.say_bytes(bytes([byte]))
    assert obs.next_message() == Message("action", {"id": 5, "name": "夜"})


def test_waiting_for_a_message_has_an_end(obs: Obs) -> None:
    assert obs.pipe.wait(0.001) is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"garbage", "message_malformed"),
        (b"\xff\xfe\xfd", "message_malformed"),
        (b"[1, 2]", "message_malformed"),
        (b'{"type": 5}', "message_malformed"),
        (b'{"type": "set", "id": 1}', "message_malformed"),
        (b'{"type": "set", "id": "1", "settings": {}}', "message_malformed"),
        (b'{"type": "set", "id": NaN, "settings": {}}', "message_malformed"),
        (b'{"type": "hello", "id": 1}', "message_unknown"),
        (b'{"type": "self_destruct"}', "message_unknown"),
        (b"[" * 60_000, "message_malformed"),
        (b'{"type": "stop", "id": 1' + b"0" * 6000 + b"}", "message_malformed"),
        (b"x" * (MAXIMUM_LINE_BYTES + 1), "message_malformed"),
        (b"x" * (5 * MAXIMUM_LINE_BYTES), "message_malformed"),
    ],
)
def test_a_bad_line_is_answered_with_an_error_and_the_next_one_read(obs: Obs, line: bytes, code: str) -> None:
    obs.say(line, b'{"type": "stop", "id": 9}')
    answer = obs.hear()
    assert (answer["type"], answer["where"], answer["code"]) == ("error", "control", code)
    assert obs.next_message() == Message("stop", {"id": 9})


def test_unknown_fields_are_not_in_the_way(obs: Obs) -> None:
    obs.tell("stop", id=3, colour="red", nested={"deep": [1, 2]})
    assert obs.next_message().fields["id"] == 3


def test_empty_lines_mean_nothing(obs: Obs) -> None:
    obs.say(b"", b"  ", b"\r", b'{"type": "stop", "id": 4}\r')
    assert obs.next_message().fields["id"] == 4


def test_the_end_of_the_pipe_is_told_once(obs: Obs) -> None:
    obs.tell("stop", id=1)
    obs.hang_up()
    assert wait_until(lambda: obs.endings == 1)
    assert obs.next_message().type == "stop", "what came before the end is still there"


def test_half_a_line_before_the_end_is_no_message(obs: Obs) -> None:
    obs.say_bytes(b'{"type": "stop", "id": 1}')
    obs.hang_up()
    assert wait_until(lambda: obs.endings == 1)
    assert obs.pipe.received() == []


# -- what goes out --------------------------------------------------------------------------------------------------


def test_messages_go_out_in_order(obs: Obs) -> None:
    for number in range(100):
        obs.pipe.send("progress", task="夜", fraction=number)
    assert [obs.hear()["fraction"] for _ in range(100)] == list(range(100))


def test_what_cannot_be_said_is_left_out(obs: Obs) -> None:
    obs.pipe.send("stats", figures={"fps": float("nan")})
    obs.pipe.send("stats", figures={"object": object()})
    obs.pipe.send("stats", figures={"long": "x" * MAXIMUM_LINE_BYTES})
    obs.pipe.send("stats", figures={"fps": 60.0})
    assert obs.hear() == {"type": "stats", "figures": {"fps": 60.0}}


def test_closing_writes_what_is_queued(obs: Obs) -> None:
    for number in range(20):
        obs.pipe.send("reply", id=number, ok=True)
    obs.pipe.close(LIMIT_S)
    assert [obs.hear()["id"] for _ in range(20)] == list(range(20))


class HeldSink:
    """A sink that does not take anything until it may."""

    def __init__(self) -> None:
        self.gate, self.inside = threading.Event(), threading.Event()
        self.batches: list[list[dict[str, Any]]] = []

    def write(self, content: bytes) -> int:
        self.inside.set()
        assert self.gate.wait(LIMIT_S)
        self.batches.append([json.loads(line) for line in content.splitlines()])
        return len(content)

    def flush(self) -> None:
        pass


@pytest.fixture
def held() -> Iterator[tuple[ControlPipe, HeldSink]]:
    """A pipe whose writing thread is held inside the sink with one message."""
    sink = HeldSink()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source:
        pipe = ControlPipe(source, cast(BinaryIO, sink), lambda: None)
        pipe.start()
        pipe.send("heartbeat", stage="running", frames=0)
        assert sink.inside.wait(LIMIT_S)
        yield pipe, sink
        sink.gate.set()
        os.close(writing)
        pipe.close(LIMIT_S)
        assert wait_until(lambda: not threads())


def test_announcements_that_were_not_made_yet_are_superseded(held: tuple[ControlPipe, HeldSink]) -> None:
    pipe, sink = held
    for sequence in range(1, 51):
        pipe.frame_ready(sequence)
    sink.gate.set()
    assert wait_until(lambda: len(sink.batches) == 2)
    assert sink.batches[1] == [{"type": "frame", "sequence": 50}]


def test_a_frame_goes_before_everything_that_waits(held: tuple[ControlPipe, HeldSink]) -> None:
    pipe, sink = held
    pipe.send("reply", id=1, ok=True)
    pipe.send("reply", id=2, ok=True)
    pipe.frame_ready(7)
    sink.gate.set()
    assert wait_until(lambda: len(sink.batches) == 2)
    assert [message.get("sequence", message.get("id")) for message in sink.batches[1]] == [7, 1, 2]


def test_a_sink_that_does_not_read_never_blocks_and_never_fills_the_memory(held: tuple[ControlPipe, HeldSink]) -> None:
    pipe, sink = held
    for number in range(20_000):
        pipe.send("progress", task="x" * 100, fraction=number)
        pipe.frame_ready(number + 1)
    sink.gate.set()
    assert wait_until(lambda: len(sink.batches) == 2)
    frame, *kept = sink.batches[1]
    assert frame["sequence"] == 20_000
    assert len(kept) < 1000
    assert [message["fraction"] for message in kept] == list(range(len(kept)))


def test_a_real_pipe_that_nobody_reads_never_blocks(obs: Obs) -> None:
    for _ in range(2_000):
        obs.pipe.send("progress", task="x" * 1000, fraction=0.5)
    obs.pipe.close(0.01)


def test_a_reader_that_is_gone_is_no_error(obs: Obs) -> None:
    obs.give_up_reading()
    for _ in range(100):
        obs.pipe.send("heartbeat", stage="running", frames=1)
        obs.pipe.frame_ready(1)
    assert wait_until(lambda: "control-write" not in threads())
    obs.pipe.send("heartbeat", stage="running", frames=1)
    obs.tell("stop", id=1)
    assert obs.next_message().type == "stop", "what OBS says is still heard"
