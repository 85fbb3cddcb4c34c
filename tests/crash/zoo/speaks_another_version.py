"""Says hello in a language that OBS's side does not know."""

from __future__ import annotations

from core.wire.version import PROTOCOL
from tests.crash.zoo.speech import hello, sleep


def main() -> None:
    """Say the wrong hello and wait."""
    hello(PROTOCOL + 1)
    sleep()
