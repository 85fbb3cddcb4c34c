"""No input at all: the avatar breathes, blinks and looks around by itself."""

from __future__ import annotations

from collections.abc import Mapping

from core.wire.settings import Value

from .base import Packetless, TrackerSample, TrackerState, TrackerStatus


class IdleTracker(Packetless):
    """Never has a sample."""

    def latest(self, now: int) -> TrackerSample | None:
        """None, for ever."""
        return None

    def status(self, now: int) -> TrackerStatus:
        """Idle, for ever."""
        return TrackerStatus(TrackerState.IDLE)


def unavailable() -> str | None:
    """Always there."""
    return None


def open_tracker(settings: Mapping[str, Value]) -> IdleTracker:
    """No settings of its own."""
    return IdleTracker()
