"""Packets that come after a newer one: left out, by the sender's own clock."""

from __future__ import annotations

RESTARTED_AFTER_MS = 120_000
"""A clock that went back further than this was set, or the app was started anew."""
_REPLAYED = 60
"""So many packets in a row with old times are no stragglers."""


class InOrder:
    """Leaves out packets that were overtaken, by the sender's own clock."""

    def __init__(self) -> None:
        self._newest: float | None = None
        self._late = 0

    def is_late(self, time_ms: float | None) -> bool:
        """Is there a newer packet already? A sender whose clock was set, or that was started anew, is followed."""
        if time_ms is None:
            return False
        newest = self._newest
        if newest is not None and time_ms < newest and newest - time_ms <= RESTARTED_AFTER_MS:
            self._late += 1
            if self._late < _REPLAYED:
                return True
        self._newest, self._late = time_ms, 0
        return False
