"""Runs well, but neither a stop nor the end of its input moves it."""

from __future__ import annotations

import signal
import time

from tests.crash.zoo.speech import LIFETIME_S, configuration, heartbeat, hello


def main() -> None:
    """Run on and on."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hello()
    configuration()
    end = time.monotonic() + LIFETIME_S
    while time.monotonic() < end:
        heartbeat()
        time.sleep(0.05)
