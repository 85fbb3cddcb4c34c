"""Comes up, closes its end of the pipe, and lives on."""

from __future__ import annotations

import os

from tests.crash.zoo.speech import configuration, heartbeat, hello, sleep


def main() -> None:
    """Fall silent for good."""
    hello()
    configuration()
    heartbeat("running")
    os.close(1)
    sleep()
