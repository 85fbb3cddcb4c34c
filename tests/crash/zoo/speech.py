"""What the animals have in common: speaking and listening on the control pipe, and waiting for a while."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Dict, Iterator

from core.wire import messages
from core.wire.version import PROTOCOL, VERSION

LIFETIME_S = 120.0
"""No animal outlives its test by more than this, whatever goes wrong."""


def write(data: bytes) -> None:
    """Bytes into the pipe."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def say(type_: str, **fields: Any) -> None:
    """One message."""
    write(messages.encode(type_, **fields))


def hello(protocol: int = PROTOCOL, **outputs: Any) -> None:
    """The first word."""
    say("hello", protocol=protocol, version=VERSION, pid=os.getpid(), capabilities={"outputs": outputs})


def heartbeat(stage: str = "running", frames: int = 0) -> None:
    """A sign of life."""
    say("heartbeat", stage=stage, frames=frames)


def heard() -> Iterator[Dict[str, Any]]:
    """Every message of OBS's side, until the pipe ends."""
    for line in sys.stdin.buffer:
        yield json.loads(line)


def configuration() -> Dict[str, Any]:
    """Wait for ``configure``."""
    return next(message for message in heard() if message["type"] == "configure")


def sleep() -> None:
    """Do nothing at all."""
    time.sleep(LIFETIME_S)
