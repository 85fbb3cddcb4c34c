"""Plays a recording through the decoder of the protocol it was recorded from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.wire.clock import now_ns
from core.wire.errors import InputUnavailable, StreamUnreadable
from core.wire.settings import Value

from . import registry
from .base import Decoder, Hint, TrackerStatus
from .recording import Record, read_recording
from .threaded import ThreadedTracker

LOOP_PAUSE_S = 0.05


class ReplayTracker(ThreadedTracker):
    """A thread that feeds recorded packets at their recorded distances, by absolute deadlines."""

    def __init__(
        self,
        records: list[Record],
        new_decoder: Callable[[], Decoder],
        *,
        loop: bool,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        # a copy of a recording helps nobody
        super().__init__("replay", new_decoder(), clock, recording_prefix="")
        self._records = records
        self._new_decoder = new_decoder
        self._loop = loop
        self._ended = False
        self._begin()

    def status(self, now: int) -> TrackerStatus:
        """``LOST`` after the end of a recording that does not loop, and in its holes."""
        return self._intake.status(now, hints=(Hint("replay_ended"),) if self._ended else ())

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
