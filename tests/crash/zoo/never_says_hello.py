"""Lives, and says nothing."""

from __future__ import annotations

from tests.crash.zoo.speech import sleep


def main() -> None:
    """Sleep."""
    sleep()
