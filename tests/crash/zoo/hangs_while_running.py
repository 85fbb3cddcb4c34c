"""Comes up, runs, and then does nothing any more."""

from __future__ import annotations

from tests.crash.zoo.speech import configuration, heartbeat, hello, sleep


def main() -> None:
    """Run for a moment."""
    hello()
    configuration()
    heartbeat("running")
    sleep()
