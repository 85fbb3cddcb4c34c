"""What the worker tells OBS unasked: heartbeat, figures, what is in force, and what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from core.wire.errors import EasyVtuberError

from .control import ControlPipe
from .environment import still_alive

HEARTBEAT_NS = 500_000_000
STATS_NS = 1_000_000_000
_ALIVE_NS = 5_000_000_000
_PROGRESS_NS = 200_000_000


class Reporter:
    """Sends each thing at its own pace and nothing twice. Used by the render loop only."""

    def __init__(self, pipe: ControlPipe) -> None:
        self._pipe = pipe
        self._errors: dict[str, str] = {}
        self._state: Mapping[str, object] = {}
        self._stage = ""
        self._figures: Mapping[str, float | str] = {}
        self._heartbeat_ns = self._stats_ns = self._alive_ns = self._progress_ns = 0

    def problem(self, where: str, error: EasyVtuberError | None) -> None:
        """Tell of a problem once, and of its end once. ``where`` is the part that has it."""
        text = str(error) if error is not None else ""
        if self._errors.get(where, "") == text:
            return
        self._errors[where] = text
        if error is not None:
            self._pipe.send_error(where, error)
        else:
            self._pipe.send("cleared", where=where)

    def progress(self, task: str, fraction: float) -> None:
        """Tell how far long work is, at most a few times a second. Safe from any thread."""
        now = time.monotonic_ns()
        if fraction >= 1.0 or now - self._progress_ns >= _PROGRESS_NS:
            # what begins after the end of something is told at once: it may have nothing to tell for long
            self._progress_ns = now if fraction < 1.0 else 0
            self._pipe.send("progress", task=task, fraction=round(fraction, 4))

    def last_figures(self) -> Mapping[str, float | str]:
        """The figures that were sent last; safe from any thread."""
        return self._figures

    def state(self, state: Mapping[str, object]) -> None:
        """Tell what is in force, if that changed."""
        if state != self._state:
            self._state = state
            self._pipe.send("state", **state)

    def tick(
        self,
        now: int,
        stage: str,
        frames: int,
        state: Callable[[], Mapping[str, object]],
        figures: Callable[[], Mapping[str, float | str]],
    ) -> None:
        """Called every turn of the loop; a loop that hangs therefore sends no heartbeat."""
        if now - self._heartbeat_ns >= HEARTBEAT_NS or stage != self._stage:
            # a new stage is told at once: a worker that came up and dies right after has come up
            self._heartbeat_ns, self._stage = now, stage
            self._pipe.send("heartbeat", stage=stage, frames=frames)
            self.state(state())
        if now - self._stats_ns >= STATS_NS:
            self._stats_ns = now
            self._figures = figures()
            self._pipe.send("stats", figures=self._figures)
        if now - self._alive_ns >= _ALIVE_NS:
            self._alive_ns = now
            still_alive()
