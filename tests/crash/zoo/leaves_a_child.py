"""Comes up and dies; a program that it had started holds the pipe open."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.crash.zoo.speech import LIFETIME_S, configuration, heartbeat, hello, say


def main() -> None:
    """Start a sleeper, tell its number, and go."""
    hello()
    configuration()
    sleeper = subprocess.Popen([sys.executable, "-I", "-c", f"import time; time.sleep({LIFETIME_S})"])
    say("state", stage="running", sleeper=sleeper.pid)
    heartbeat("running")
    os._exit(9)
