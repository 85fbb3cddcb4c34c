"""Frames that nobody sees: for measuring and for running the worker alone."""

from __future__ import annotations

from collections.abc import Mapping

from core.wire.errors import EasyVtuberError
from core.wire.settings import Value

from .base import Frame, PublishContext


class NullPublisher:
    """Counts frames and shows nothing."""

    description = ""
    failure: EasyVtuberError | None = None

    def __init__(self) -> None:
        self.frames = 0

    def publish(self, frame: Frame) -> None:
        """Count it."""
        self.frames += 1

    def close(self) -> None:
        """Nothing to give back."""


def unavailable() -> str | None:
    """Never."""
    return None


def open_publisher(settings: Mapping[str, Value], context: PublishContext) -> NullPublisher:
    """Always possible."""
    return NullPublisher()
