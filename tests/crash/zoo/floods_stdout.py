"""A good worker whose libraries print garbage into the pipe, endless lines among it."""

from __future__ import annotations

import random
import threading
import time

from tests.crash.zoo.speech import configuration, heard, heartbeat, hello, say, write


def _flood() -> None:
    noise = random.Random(1)
    while True:
        write(b"Loading model... 100%\r\n\xff\xfe\n{}\nnull\n[1]\n" + b'{"type":"teleport"}\n{"type":"frame"}\n')
        write(bytes(noise.choices(range(256), k=2000)).replace(b"\n", b" ") + b"\n")
        write(b"x" * 200_000 + b"\n")
        heartbeat()
        time.sleep(0.05)


def main() -> None:
    """Talk sense and nonsense until told to stop."""
    hello()
    configuration()
    threading.Thread(target=_flood, daemon=True).start()
    for message in heard():
        if message["type"] == "stop":
            say("reply", id=message["id"], ok=True)
            return
