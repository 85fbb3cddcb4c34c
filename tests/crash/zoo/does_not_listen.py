"""Runs, but never reads a word."""

from __future__ import annotations

import time

from tests.crash.zoo.speech import LIFETIME_S, heartbeat, hello


def main() -> None:
    """Speak only."""
    hello()
    end = time.monotonic() + LIFETIME_S
    while time.monotonic() < end:
        heartbeat()
        time.sleep(0.05)
