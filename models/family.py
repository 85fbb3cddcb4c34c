"""What opening a character needs to know of each family of networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from accel.base import Runtime

from .base import CharacterModel

Report = Callable[[str, float], None]
"""Called with the key of what is being done (``task.<key>``) and how far it is (0..1)."""


class Family(Protocol):
    """One character in one family of networks, its files read and checked."""

    @property
    def name(self) -> str:
        """``tha4_student``, ``tha3`` or ``tha4``."""
        ...

    @property
    def variant(self) -> str:
        """What of the family: a quality, or separable or standard."""
        ...

    @property
    def key(self) -> str:
        """What verdicts about it are kept under: the same for the same networks."""
        ...

    @property
    def precisions(self) -> tuple[str, ...]:
        """What it can be computed in."""
        ...

    def open_for_check(self, runtime: Runtime, precision: str) -> CharacterModel:
        """A model whose pictures can be compared between runtimes, ready within seconds."""
        ...

    def is_quick(self) -> bool:
        """Will :meth:`open` be done within about a second on a runtime that was checked?"""
        ...

    def open(self, runtime: Runtime, precision: str, size: int, report: Report) -> CharacterModel:
        """The model that is shown. May take minutes the first time."""
        ...
