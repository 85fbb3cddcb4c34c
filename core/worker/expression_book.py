"""The shown character's expressions: read and written beside the render loop, which only ever looks what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.pose.parameters import Pose, PoseVector
from core.wire.errors import EasyVtuberError
from core.wire.expressions import Expression, keep_expression, read_expressions
from core.wire.folders import CHARACTERS
from core.wire.pose_values import NAMES

Job = Callable[[], None]

_FACE = range(Pose.EYEBROW_TROUBLED_LEFT, Pose.IRIS_ROTATION_Y + 1)
_AT_REST = 0.04
"""A value smaller than this does not belong to a face that somebody makes."""


class ExpressionBook:
    """``submit`` runs a job on another thread; ``report`` hears of what cannot be read or written, from there."""

    def __init__(
        self,
        submit: Callable[[Job], None],
        report: Callable[[str, EasyVtuberError | None], None],
        folder: Path = CHARACTERS,
    ) -> None:
        self._submit, self._report, self._folder = submit, report, folder
        self._character = ""
        self._read: list[Expression] | None = None

    def use(self, character: str) -> None:
        """Another character is shown: have its expressions read."""
        self._character = character
        self._submit(lambda: self._load(character))

    def take(self) -> list[Expression] | None:
        """What was read since the last call; None when nothing was."""
        read, self._read = self._read, None
        return read

    def keep(self, slot: int, name: str, pose: PoseVector) -> None:
        """Make the face of this pose the character's expression of that slot (1 to 8)."""
        values = {NAMES[place]: float(pose[place]) for place in _FACE if abs(pose[place]) >= _AT_REST}
        character = self._character
        self._submit(lambda: self._keep(character, slot, name, values))

    def _keep(self, character: str, slot: int, name: str, values: dict[str, float]) -> None:
        try:
            keep_expression(character, slot, name, values, self._folder)
        except EasyVtuberError as problem:
            self._report("expressions", problem)
            return
        self._load(character)

    def _load(self, character: str) -> None:
        try:
            expressions = read_expressions(character, self._folder)
        except EasyVtuberError as problem:
            self._report("expressions", problem)
            expressions = []
        else:
            self._report("expressions", None)
        if character == self._character:
            self._read = expressions
