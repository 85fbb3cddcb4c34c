"""OpenSeeFace packets for benchmarks: a recording's, or made ones where there is no recording."""

from __future__ import annotations

import math
import os
import socket
import struct
import threading
import time
from pathlib import Path

from core.wire.folders import PROJECT
from trackers.recording import read_recording

RECORDING = "streams/openseeface_model0.rec"


def test_data(name: str) -> Path | None:
    """A file of the test data (``EASYVTUBER_TEST_DATA``, default ``../shared/data``); None when it is not there."""
    folder = Path(os.environ.get("EASYVTUBER_TEST_DATA") or PROJECT.parent / "shared" / "data")
    path = folder / name
    return path if path.exists() else None


def packets(recording: Path | None = None) -> list[bytes]:
    """Datagrams of a recording; without one, a made face that turns and nods."""
    path = recording or test_data(RECORDING)
    if path is not None:
        return [record.datagram for record in read_recording(path)]
    return [_made(step / 60.0) for step in range(600)]


def _made(seconds: float) -> bytes:
    record = bytearray(1785)
    euler = (163 + 6 * math.sin(seconds), 12 * math.sin(1.3 * seconds), 85 + 5 * math.sin(0.7 * seconds))
    struct.pack_into("<di2f2fBf4f3f3f", record, 0, seconds, 0, 640, 360, 1, 1, 1, 5.0, 0, 0, 0, 1, *euler, 0, 0, 5)
    struct.pack_into("<68f", record, 73, *[0.9] * 68)
    for point in (66, 67):
        struct.pack_into("<3f", record, 889 + 12 * point, 0.0, 0.0, 1.0)
    return bytes(record)


SWEEPING_RATE = 60.1
"""A tenth more than OBS's 60 frames: within ten seconds a packet falls into every phase of a frame equally often, as a
real tracker's do. At exactly 60 one phase, chosen by chance at the start, would decide the whole measurement."""


class Sender:
    """Sends the packets over and over at an even rate from a thread of its own."""

    def __init__(self, port: int, datagrams: list[bytes], rate: float = SWEEPING_RATE) -> None:
        self._port, self._datagrams, self._rate = port, datagrams, rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            due, sent = time.perf_counter(), 0
            while not self._stop.is_set():
                sender.sendto(self._datagrams[sent % len(self._datagrams)], ("127.0.0.1", self._port))
                sent += 1
                due = max(due + 1.0 / self._rate, time.perf_counter() - 0.1)
                time.sleep(max(0.0, due - time.perf_counter()))

    def close(self) -> None:
        """Stop sending."""
        self._stop.set()
        self._thread.join(1.0)
