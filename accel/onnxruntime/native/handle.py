"""Objects that the C library made, given back exactly once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Handle:
    """One object; ``pointer`` is its address, 0 when it was given back. ``keeps`` must outlive it."""

    __slots__ = ("_keeps", "_release", "pointer")

    def __init__(self, pointer: int, release: Callable[[int], Any], *keeps: object) -> None:
        self.pointer = pointer
        self._release = release
        self._keeps: tuple[object, ...] = keeps

    def close(self) -> None:
        """Give it back; safe to call twice."""
        pointer, self.pointer = self.pointer, 0
        if pointer:
            self._release(pointer)
        self._keeps = ()

    def __del__(self) -> None:
        self.close()
