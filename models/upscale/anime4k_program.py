"""Anime4K's library in a program of its own.

In the worker it would stop every other thread for as long as it computes (60 to 120 ms for a picture on a processor),
because it keeps Python's lock meanwhile: the frames of that time would be lost.

It is started by its path and imports nothing of ours. Everything in and out is a ``MESSAGE`` and what follows it: text
in UTF-8, or pixels, RGB, 8 bits each. It first says ``GOOD``, or ``GONE`` or ``BROKEN`` with the reason. ``OPEN`` with
a processor's name is answered by ``GOOD`` and what the library calls it, or ``BAD`` and the reason; ``DRAW`` with
pixels by ``DRAW`` with twice as many each way, or ``BAD``. The program ends when its input does.
"""

from __future__ import annotations

import importlib
import os
import struct
import sys
from io import BufferedReader
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MESSAGE = struct.Struct("<4sII")
"""What it is, and rows and columns of a picture, or bytes of text and 0."""
GOOD, GONE, BROKEN, BAD, OPEN, DRAW = b"GOOD", b"GONE", b"BRKN", b"BAD ", b"OPEN", b"DRAW"
NETWORK = "acnet-gan"
"""The one that sharpens most; the others are made to remove noise, of which there is none."""
FACTOR = 2

_CORE = "pyanime4k.pyac.pyac.core"
_NICER = 5


def fill(stream: BufferedReader, memory: memoryview) -> bool:
    """Read until the memory is full; False when the input ended before."""
    return stream.readinto(memory) == len(memory)


def send(stream: IO[bytes], kind: bytes, content: NDArray[np.uint8] | str) -> None:
    """A message with a text or with pixels, contiguous. Raises OSError when nobody reads any more."""
    if isinstance(content, str):
        text = content.encode("utf-8", "replace")
        stream.write(MESSAGE.pack(kind, len(text), 0) + text)
    else:
        stream.write(MESSAGE.pack(kind, *content.shape[:2]))
        stream.write(content.data)
    stream.flush()


def serve(core: Any, requests: BufferedReader, answers: IO[bytes]) -> None:
    """Do what is asked until the input ends."""
    processor: Any = None
    head = bytearray(MESSAGE.size)
    while fill(requests, memoryview(head)):
        kind, rows, columns = MESSAGE.unpack(head)
        if kind == OPEN:
            name = bytearray(rows)
            if not fill(requests, memoryview(name)):
                return
            processor = core.Processor(name.decode(), 0, NETWORK)
            good = processor.ok() is True
            send(answers, GOOD if good else BAD, str(processor.name() if good else processor.error()))
        else:
            # contiguous, for the library reads a view's memory as if it were
            colours = np.empty((rows, columns, 3), np.uint8)
            if not fill(requests, memoryview(colours).cast("B")):
                return
            enlarged = np.ascontiguousarray(processor.process(colours, float(FACTOR)), np.uint8)
            if enlarged.shape == (rows * FACTOR, columns * FACTOR, 3):
                send(answers, DRAW, enlarged)
            else:
                send(answers, BAD, f"it gave {enlarged.shape}")


def main() -> None:
    """The program."""
    # drivers write what they like to the standard output: the answers have a way of their own
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if sys.platform == "linux":
        os.nice(_NICER)
    try:
        core = importlib.import_module(_CORE)
    except ModuleNotFoundError as problem:
        send(answers, GONE, str(problem))
    except ImportError as problem:  # on Windows without any driver that brings OpenCL
        send(answers, BROKEN, str(problem))
    else:
        send(answers, GOOD, "")
        serve(core, os.fdopen(0, "rb"), answers)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        # whoever wanted the answer is gone
        os._exit(0)
