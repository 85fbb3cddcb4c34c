"""Plays a recording through the decoder of the protocol it was recorded from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from core.wire.clock import now_ns
from core.wire.errors import InputUnavailable, StreamUnreadable
from core.wire.settings import Value

from . import registry
from .base import Decoder, Hint, TrackerSample, TrackerStatus
from .intake import Intake
from .recording import Record, RecordingWriter, read_recording

LOOP_PAUSE_S = 0.05
_STOP_LIMIT_S = 1.0


class ReplayTracker:
    """A thread that feeds recorded packets at their recorded distances, by absolute deadlines."""

    def __init__(
        self,
        records: list[Record],
        new_decoder: Callable[[], Decoder],
        *,
        loop: bool,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._records = records
        self._new_decoder = new_decoder
        self._loop = loop
        self._clock = clock
        self._intake = Intake(new_decoder(), clock)
        self._ended = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracker-replay", daemon=True)
        self._thread.start()

    @property
    def recording_prefix(self) -> str:
        """Empty: a copy of a recording helps nobody."""
        return ""

    def latest(self, now: int) -> TrackerSample | None:
        """The newest sample, or None before the first."""
        return self._intake.latest()

    def status(self, now: int) -> TrackerStatus:
        """``LOST`` after the end of a recording that does not loop, and in its holes."""
        return self._intake.status(now, hints=(Hint("replay_ended"),) if self._ended else ())

    def record(self, recording: RecordingWriter | None) -> None:
        """Nothing to record."""

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_STOP_LIMIT_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._play()
            if not self._loop:
                self._ended = True
                return
            self._stop.wait(LOOP_PAUSE_S)

    def _play(self) -> None:
        # what a decoder remembers ends with the recording: its times begin again
        self._intake.use(self._new_decoder())
        start = self._clock()
        for record in self._records:
            due = start + int((record.seconds - self._records[0].seconds) * 1e9)
            wait_ns = due - self._clock()
            if (wait_ns > 0 and self._stop.wait(wait_ns / 1e9)) or self._stop.is_set():
                return
            self._intake.take(record.datagram)


def unavailable() -> str | None:
    """Always there: it needs a file, nothing else."""
    return None


def open_tracker(settings: Mapping[str, Value]) -> ReplayTracker:
    """Play ``replay_path``. Raises StreamUnreadable or InputUnavailable."""
    path = Path(str(settings["replay_path"]))
    if not str(settings["replay_path"]):
        raise StreamUnreadable("no file chosen", path="")
    protocol = str(settings["replay_protocol"])
    if protocol == "automatic":
        protocol = registry.protocol_of_recording(path.name) or ""
    new_decoder = registry.decoder_factory(protocol, settings, path.name)
    if new_decoder is None:
        raise InputUnavailable(path.name, tracker="replay", reason="unknown_protocol")
    return ReplayTracker(read_recording(path), new_decoder, loop=bool(settings["replay_loop"]))
