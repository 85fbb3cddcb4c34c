"""What every input with a thread of its own has in common: its intake, its end, what others may ask of it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from core.wire.clock import now_ns

from .base import Decoder, TrackerSample, TrackerStatus
from .intake import Intake
from .recording import RecordingWriter

_STOP_LIMIT_S = 1.0


class ThreadedTracker(ABC):
    """See :class:`trackers.base.Tracker`. A subclass fills its fields, calls ``_begin`` last, and works in ``_run``."""

    def __init__(
        self, name: str, decoder: Decoder, clock: Callable[[], int] = now_ns, recording_prefix: str | None = None
    ) -> None:
        self._name, self._clock = name, clock
        self._recording_prefix = name if recording_prefix is None else recording_prefix
        self._intake = Intake(decoder, clock)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tracker-{name}", daemon=True)

    def _begin(self) -> None:
        self._thread.start()

    @abstractmethod
    def _run(self) -> None:
        """The thread's work, until ``_stop`` is set."""

    @property
    def recording_prefix(self) -> str:
        """How the name of a recording of its packets begins; empty when it has none."""
        return self._recording_prefix

    def latest(self, now: int) -> TrackerSample | None:
        """The newest sample, or None before the first."""
        return self._intake.latest()

    @abstractmethod
    def status(self, now: int) -> TrackerStatus:
        """How the input is doing."""

    def record(self, recording: RecordingWriter | None) -> None:
        """Write every later packet there; None ends it."""
        self._intake.record(recording)

    def close(self) -> None:
        """End the thread; what hangs in a driver is left behind. Safe to call twice."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_STOP_LIMIT_S)
