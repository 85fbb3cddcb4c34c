"""Expressions over the tracked face: shown and hidden by hotkey, faded, the more important one on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.wire.expressions import Expression
from core.wire.pose_values import indices

from .parameters import POSE_SIZE, PoseVector

_LONGEST_STEP_S = 0.25


@dataclass(slots=True)
class _Shown:
    expression: Expression
    offset: PoseVector
    touched: PoseVector
    """1 for each value that the expression names."""
    target: float = 0.0
    weight: float = 0.0
    until_ns: int = 0
    """When it ends by itself; 0: not by itself."""


class ExpressionLayer:
    """Used by the render loop only."""

    def __init__(self) -> None:
        self._shown: list[_Shown] = []
        self._now_ns = 0

    def use(self, expressions: Sequence[Expression]) -> None:
        """Another character's expressions, or the same one's, changed. What is shown stays where its name stays."""
        ordered = sorted(expressions, key=lambda expression: expression.priority)
        before = {shown.expression.name: shown for shown in self._shown}
        self._shown = [_Shown(expression, *_vectors(expression)) for expression in ordered]
        for shown in self._shown:
            old = before.get(shown.expression.name)
            if old is not None:
                shown.target, shown.weight, shown.until_ns = old.target, old.weight, old.until_ns

    @property
    def names(self) -> list[str]:
        """Names of what is shown now or is about to be."""
        return [shown.expression.name for shown in self._shown if shown.target > 0.0]

    def toggle(self, which: int | str, now_ns: int) -> bool:
        """Show or hide the expression of a slot (1 to 8) or of a name. False when there is none."""
        found = self._find(which)
        return found is not None and self.show(which, 0.0 if found.target > 0.0 else 1.0, now_ns)

    def show(self, which: int | str, weight: float, now_ns: int) -> bool:
        """Show with ``weight`` 0 (hide) to 1. False when there is no such expression."""
        found = self._find(which)
        if found is None:
            return False
        found.target = min(max(weight, 0.0), 1.0)
        expression = found.expression
        found.until_ns = now_ns + int(expression.hold_s * 1e9) if expression.hold_s > 0.0 else 0
        if found.target > 0.0 and expression.alone:
            for other in self._shown:
                if other is not found and other.expression.priority == expression.priority:
                    other.target = 0.0
        return True

    def clear(self) -> None:
        """Hide everything."""
        for shown in self._shown:
            shown.target = 0.0

    def apply(self, pose: PoseVector, now_ns: int) -> PoseVector:
        """The pose with everything over it that is shown at this moment; not clamped. A new array, or ``pose``."""
        elapsed = min(max((now_ns - self._now_ns) / 1e9, 0.0), _LONGEST_STEP_S)
        self._now_ns = now_ns
        for shown in self._shown:
            if shown.until_ns and now_ns >= shown.until_ns:
                shown.target, shown.until_ns = 0.0, 0
            _fade(shown, elapsed)
            if shown.weight > 0.0:
                # smooth at both ends, so that neither beginning nor end of a fade is seen
                weight = np.float32(shown.weight * shown.weight * (3.0 - 2.0 * shown.weight))
                kept = pose * (1.0 - weight * shown.touched) if shown.expression.mode == "set" else pose
                pose = np.asarray(kept + weight * shown.offset, np.float32)
        return pose

    def _find(self, which: int | str) -> _Shown | None:
        for shown in self._shown:
            if which == shown.expression.slot if isinstance(which, int) else which == shown.expression.name:
                return shown
        return None


def _fade(shown: _Shown, elapsed: float) -> None:
    if shown.weight < shown.target:
        shown.weight = min(shown.weight + elapsed / max(shown.expression.fade_in_s, 1e-3), shown.target)
    elif shown.weight > shown.target:
        shown.weight = max(shown.weight - elapsed / max(shown.expression.fade_out_s, 1e-3), shown.target)


def _vectors(expression: Expression) -> tuple[PoseVector, PoseVector]:
    offset, touched = np.zeros(POSE_SIZE, np.float32), np.zeros(POSE_SIZE, np.float32)
    # a name with its side says more than the one for both
    for name, value in sorted(expression.values.items(), key=lambda entry: -len(indices(entry[0]))):
        offset[indices(name)] = value
        touched[indices(name)] = 1.0
    return offset, touched
