"""What all recordings share: they play as fast as it happened, whatever rate the frames came at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from .base import Picture

_SECOND_NS = 1_000_000_000
_LONGEST_GAP_S = 2.0


class Pace:
    """Which slot of a recording's constant frame rate the clock is in: early frames are dropped, gaps filled.

    A frame may come three quarters of a slot early or late before that happens, so ordinary jitter does neither.
    """

    def __init__(self, frames_per_second: float) -> None:
        self._slot_ns = _SECOND_NS / frames_per_second
        self._start_ns: float | None = None
        self.written = 0

    def _behind(self, now_ns: int) -> float:
        if self._start_ns is None:
            self._start_ns = now_ns
        behind = (now_ns - self._start_ns) / self._slot_ns - self.written
        if behind * self._slot_ns > _LONGEST_GAP_S * _SECOND_NS:
            # the computer slept or the worker was stopped: a cut, not minutes of a standing picture
            self._start_ns = now_ns - self.written * self._slot_ns
            return 0.0
        return behind

    def missing(self, now_ns: int) -> int:
        """How many slots must be filled with the picture before, so that the next one is at its time."""
        behind = self._behind(now_ns)
        return int(behind) if self.written and behind >= 1.75 else 0

    def takes(self, now_ns: int) -> bool:
        """Is there a slot for a frame that comes now?"""
        return self._behind(now_ns) > -0.75


class Recording(ABC):
    """One thing on disk. Everything may raise OSError; ``close`` leaves a whole file or none."""

    path: Path

    @abstractmethod
    def show(self, picture: Picture, now_ns: int) -> None:
        """The avatar looks like this (premultiplied BGRA) from now on."""

    @abstractmethod
    def idle(self, now_ns: int) -> None:
        """It still looks like that."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file."""


class PacedRecording(Recording):
    """A recording that plays as fast as it happened."""

    def __init__(self, frames_per_second: float) -> None:
        self._pace = Pace(frames_per_second)
        self._unwritten = False

    def show(self, picture: Picture, now_ns: int) -> None:
        self.idle(now_ns)
        self._prepare(picture)
        self._unwritten = True
        if self._pace.takes(now_ns):
            self._write_one()

    def idle(self, now_ns: int) -> None:
        for _ in range(self._pace.missing(now_ns)):
            self._write_one()

    def close(self) -> None:
        try:
            if self._unwritten:
                # the last picture came too early for a slot of its own
                self._write_one()
        finally:
            self._finish()

    def _write_one(self) -> None:
        self._unwritten = False
        self._write()
        self._pace.written += 1

    @abstractmethod
    def _prepare(self, picture: Picture) -> None:
        """Make the picture ready to be written once or more often."""

    @abstractmethod
    def _write(self) -> None:
        """Write what was prepared last."""

    @abstractmethod
    def _finish(self) -> None:
        """Everything is written."""
