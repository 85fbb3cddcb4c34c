"""A worker that does everything right: frames through the ring, answers, and an account of what it was told."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, List

from core.wire.clock import now_ns
from core.wire.ring import FrameHeader, FrameRing
from tests.crash.zoo.speech import configuration, heard, heartbeat, hello, say

SIDE = 8


def _show_frames(ring: FrameRing) -> None:
    while True:
        sequence = ring.newest + 1
        ring.begin(sequence, SIDE * SIDE * 4)[:] = bytes([sequence % 256]) * (SIDE * SIDE * 4)
        ring.finish(FrameHeader(sequence, SIDE, SIDE, published_ns=now_ns()))
        say("frame", sequence=sequence)
        heartbeat(frames=sequence)
        time.sleep(0.02)


def main() -> None:
    """Work until told to stop. ``state`` carries every message that came, the clock's left out."""
    hello(spout=None)
    told: List[Dict[str, Any]] = [configuration()]
    say("progress", task="character", fraction=0.5)
    say("state", stage="running", told=told)
    say("stats", figures={"fps": 50.0})
    threading.Thread(target=_show_frames, args=(FrameRing.attach(told[0]["ring"]),), daemon=True).start()
    for message in heard():
        if message["type"] == "clock":
            continue
        told.append(message)
        if message["type"] == "action" and message["name"] == "complain":
            say("error", where="input", code="port_in_use", parameters={"port": 1}, detail="")
        if message["type"] == "action" and message["name"] == "be_content":
            say("cleared", where="input")
        say("state", stage="running", told=told)
        if message["type"] == "stop":
            say("reply", id=message["id"], ok=True)
            return
