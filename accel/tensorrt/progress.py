"""How far a build is, from the phases and steps the library tells about, and how it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accel.base import Progress

from .api import TensorRTModule


@dataclass(slots=True)
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class BuildWatch:
    """Turns phases within phases into one fraction that never goes back, and remembers that somebody said stop.

    The library calls from threads of its own. ``tell`` is called with 0..1 and answers False to stop.
    """

    def __init__(self, tell: Callable[[float], bool]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._phases: dict[str, _Phase] = {}
        self._fraction = 0.0
        self.stopped = False
        self.problem: Exception | None = None
        """What ``tell`` raised. It cannot pass through the library, so it waits here; the build is stopped."""

    def phase_start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase begins, inside another or for itself."""
        with self._lock:
            self._phases[name] = _Phase(parent, max(1, steps))

    def step_complete(self, name: str, step: int) -> bool:
        """A step is done. False: stop."""
        with self._lock:
            phase = self._phases.get(name)
            if phase is not None:
                phase.done = min(phase.steps, step + 1)
                self._fraction = max(self._fraction, self._now(name))
            if not self.stopped:
                self._ask()
            return not self.stopped

    def phase_finish(self, name: str) -> None:
        """A phase ends, perhaps before all of its steps."""
        with self._lock:
            self._phases.pop(name, None)

    def _now(self, name: str) -> float:
        """The outermost phase's share that is done; a phase fills one step of the one it is in."""
        share, visited = 0.0, set[str]()
        current: str | None = name
        while current is not None and current not in visited and current in self._phases:
            visited.add(current)
            phase = self._phases[current]
            share = min(1.0, (phase.done + share) / phase.steps)
            current = phase.parent
        return share

    def _ask(self) -> None:
        try:
            self.stopped = not self._tell(self._fraction)
        except Exception as problem:  # noqa: BLE001 - the border to the library, which swallows what is raised in it
            self.problem, self.stopped = problem, True


def make_monitor(module: TensorRTModule, watch: BuildWatch) -> Any:
    """An ``IProgressMonitor`` of the module that tells the watch."""
    members = {
        "phase_start": lambda self, name, parent, steps: watch.phase_start(name, parent, steps),
        "step_complete": lambda self, name, step: watch.step_complete(name, step),
        "phase_finish": lambda self, name: watch.phase_finish(name),
    }
    # a class statement cannot have a base that is known only now, in the eyes of the type checker
    return type("BuildMonitor", (module.IProgressMonitor,), members)()


class Share:
    """A part of a longer work that reports under one name, from ``start`` to ``end`` of the whole (0..1).

    Without anybody to tell, it goes on for ever.
    """

    def __init__(self, progress: Progress | None, task: str, start: float = 0.0, end: float = 1.0) -> None:
        self._progress = progress
        self._task = task
        self._start, self._end = start, end

    def tell(self, fraction: float) -> bool:
        """How much of this part is done (0..1). False: stop."""
        if self._progress is None:
            return True
        return self._progress(self._task, self._start + (self._end - self._start) * min(1.0, max(0.0, fraction)))

    def part(self, start: float, end: float) -> Share:
        """A part of this part."""
        width = self._end - self._start
        return Share(self._progress, self._task, self._start + width * start, self._start + width * end)
