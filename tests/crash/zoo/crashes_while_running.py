"""Comes up, runs, and ends with exit code 7."""

from __future__ import annotations

import os

from tests.crash.zoo.speech import configuration, heartbeat, hello


def main() -> None:
    """Fail later."""
    hello()
    configuration()
    heartbeat("warming")
    heartbeat("running")
    os._exit(7)
