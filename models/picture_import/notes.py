"""What there is to tell about a picture and about what was done to it: stable keys with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Number = float | int


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to tell. The key's sentence has the numbers' names as placeholders."""

    key: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    """Whole numbers where a sentence shows them; percentages are whole too."""

    def as_json(self) -> dict[str, Any]:
        """``{"key": ..., "numbers": {...}}``."""
        return {"key": self.key, "numbers": dict(self.numbers)}


def percent(share: float) -> int:
    """A share as whole percents: 0 only for nothing, 100 only for everything."""
    if share <= 0.0 or share >= 1.0:
        return round(100.0 * share)
    return min(99, max(1, round(100.0 * share)))
