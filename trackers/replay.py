"""Plays a recording through the decoder of the protocol it was recorded from."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from core.wire.clock import now_ns
from core.wire.errors import InputUnavailable, StreamUnreadable
from core.wire.settings import Value

from . import registry
from .base import Decoder, Drop, LatestSlot, TrackerSample, TrackerState, TrackerStatus
from .recording import Record, read_recording
from .udp import LOST_AFTER_NS, rate_of

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
        self._slot = LatestSlot()
        self._dropped: Counter[str] = Counter()
        self._recent: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracker-replay", daemon=True)
        self._thread.start()

    def latest(self, now: int) -> TrackerSample | None:
        """The newest sample, or None before the first."""
        return self._slot.get()

    def status(self, now: int) -> TrackerStatus:
        """``LOST`` after the end of a recording that does not loop, and in its holes."""
        sample = self._slot.get()
        if sample is None:
            state = TrackerState.WAITING
        else:
            state = TrackerState.TRACKING if now - sample.arrival_ns < LOST_AFTER_NS else TrackerState.LOST
        recent = [arrival for arrival in tuple(self._recent) if now - arrival < 1_000_000_000]
        return TrackerStatus(state, rate_of(recent), dict(self._dropped))

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_STOP_LIMIT_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._play()
            if not self._loop:
                return
            self._stop.wait(LOOP_PAUSE_S)

    def _play(self) -> None:
        decoder = self._new_decoder()
        start = self._clock()
        for record in self._records:
            due = start + int((record.seconds - self._records[0].seconds) * 1e9)
            wait_ns = due - self._clock()
            if (wait_ns > 0 and self._stop.wait(wait_ns / 1e9)) or self._stop.is_set():
                return
            arrival = self._clock()
            result = decoder.feed(record.datagram, arrival)
            if isinstance(result, Drop):
                self._dropped[result.value] += 1
                continue
            self._recent = [*self._recent[-63:], arrival]
            self._slot.put(result)


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
    new_decoder = registry.decoder_factory(protocol, settings)
    if new_decoder is None:
        raise InputUnavailable(path.name, tracker="replay", reason="unknown_protocol")
    return ReplayTracker(read_recording(path), new_decoder, loop=bool(settings["replay_loop"]))
