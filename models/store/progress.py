"""How long work tells how far it is, and is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, float], bool]
"""Called with the file at hand and how much is done (0..1); answers False when the work shall stop."""


class Stopped(Exception):
    """The progress callback answered False."""


class Teller:
    """Passes progress on and turns a False into Stopped. Can repeat itself where nothing new is known."""

    def __init__(self, progress: Progress, task: str) -> None:
        self._progress = progress
        self._last = task, 0.0

    def __call__(self, task: str, fraction: float) -> bool:
        """The form in which it can be handed on as a callback itself."""
        self._last = task, fraction
        return self._progress(task, fraction)

    def tell(self, task: str, fraction: float) -> None:
        """Tell how far it is. Raises Stopped."""
        if not self(task, min(1.0, max(0.0, fraction))):
            raise Stopped

    def again(self) -> None:
        """Still at it. Raises Stopped."""
        self.tell(*self._last)
