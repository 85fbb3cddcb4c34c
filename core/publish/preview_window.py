"""The preview's window: a small program of its own that shows the pictures coming through its standard input.

A program of its own, because the window library of OpenCV's Linux packages (Qt) ends the whole process when it cannot
reach the display, and waits for ever when a second thread opens a window after the first one ended.

It is started by its path and imports nothing of ours. Each picture comes as a ``HEADER``, the figures' text in UTF-8
and the pixels, 8-bit BGR. It says ``READY`` on its output when the window is open, and ends with status 0 when the
user closes the window or the input ends.
"""

from __future__ import annotations

import struct
import sys
import threading
from io import FileIO
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<4sIII")
"""``MAGIC``, width and height in pixels, bytes of text."""
MAGIC = b"EVPW"
READY = b"ready"
TITLE = "EasyVtuber (F: figures)"

_POLL_MS = 15
_LINE_PX = 18


class _Received(NamedTuple):
    picture: NDArray[np.uint8]
    text: str


class _Newest:
    """The newest picture, handed from the reading thread to the window's thread."""

    def __init__(self, stream: FileIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._received: _Received | None = None
        self.ended = False
        # nobody can take a thread out of a blocking read: it ends with the process
        threading.Thread(target=self._read_until_end, name="preview-input", daemon=True).start()

    def take(self) -> _Received | None:
        """The newest picture, once."""
        with self._lock:
            received, self._received = self._received, None
            return received

    def _read_until_end(self) -> None:
        try:
            while (received := _read_one(self._stream)) is not None:
                with self._lock:
                    self._received = received
        finally:
            self.ended = True


def _read_one(stream: FileIO) -> _Received | None:
    head = bytearray(HEADER.size)
    if not _fill(stream, memoryview(head)):
        return None
    magic, width, height, text_bytes = HEADER.unpack(head)
    if magic != MAGIC:
        raise ValueError(f"not a picture: {bytes(head)!r}")
    text, picture = bytearray(text_bytes), np.empty((height, width, 3), np.uint8)
    if not _fill(stream, memoryview(text)) or not _fill(stream, memoryview(picture).cast("B")):
        return None
    return _Received(picture, text.decode("utf-8", "replace"))


def _fill(stream: FileIO, memory: memoryview) -> bool:
    """Read until the memory is full; False when the input ended before."""
    while len(memory):
        count = stream.readinto(memory)
        if not count:
            return False
        memory = memory[count:]
    return True


def _with_text(received: _Received) -> NDArray[np.uint8]:
    picture = received.picture.copy()
    for number, line in enumerate(received.text.splitlines(), start=1):
        at = (6, number * _LINE_PX)
        # dark below, light above: readable on any picture
        for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness, cv2.LINE_AA)
    return picture


def _window_is_open() -> bool:
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:
        # some window systems know no such window any more
        return False


def main() -> int:
    """Show pictures until the user or the input ends it."""
    # not sys.stdin: Python aborts at its end when a thread still waits in a buffered stream
    newest = _Newest(FileIO(0, closefd=False))
    cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    cv2.pollKey()
    sys.stdout.buffer.write(READY + b"\n")
    sys.stdout.buffer.flush()
    _show_until_closed(newest)
    return 0


def _show_until_closed(newest: _Newest) -> None:
    size_px: tuple[int, int] | None = None
    last: _Received | None = None
    figures_shown = True
    while not newest.ended:
        received = newest.take()
        key = cv2.waitKey(_POLL_MS if received is None else 1)
        if not _window_is_open():
            return
        if key in (ord("f"), ord("F")):
            figures_shown = not figures_shown
            received = received or last
        if received is None:
            continue
        if size_px != received.picture.shape[1::-1]:
            size_px = (received.picture.shape[1], received.picture.shape[0])
            cv2.resizeWindow(TITLE, *size_px)
        cv2.imshow(TITLE, _with_text(received) if figures_shown and received.text else received.picture)
        last = received


if __name__ == "__main__":
    sys.exit(main())
