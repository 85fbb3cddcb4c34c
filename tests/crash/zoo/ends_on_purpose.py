"""Comes up, and ends with exit code 0 by itself."""

from __future__ import annotations

from tests.crash.zoo.speech import configuration, heartbeat, hello


def main() -> None:
    """Run for a moment and leave."""
    hello()
    configuration()
    heartbeat("running")
