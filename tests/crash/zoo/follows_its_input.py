"""Runs, does not know the word stop, and ends when its input does."""

from __future__ import annotations

from tests.crash.zoo.speech import configuration, heard, heartbeat, hello


def main() -> None:
    """Answer everything with a heartbeat."""
    hello()
    configuration()
    heartbeat()
    for _ in heard():
        heartbeat()
