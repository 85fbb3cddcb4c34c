"""Frames in a window of their own: to look at the avatar and its figures without OBS."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from core.wire.clock import now_ns
from core.wire.settings import Value

from .base import Frame, Picture, PublishContext
from .latest import CLOSE_LIMIT_S, LatestFramePublisher
from .pixels import over_background, over_checkerboard
from .preview_process import OPEN_LIMIT_S, WindowProcess, probe_display
from .preview_window import HEADER, MAGIC

CLOSED = "closed"
"""The description after the user closed the window; it comes back when the output is opened again."""
WINDOW_PROGRAM = Path(__file__).with_name("preview_window.py")

_FIGURES_EVERY_NS = 250_000_000
_MAXIMUM_LINES = 12


class PreviewPublisher(LatestFramePublisher):
    """Gives pictures on the background colour (on checks where its alpha is 0) to the window program.

    When the user closes the window nothing more is shown, ``failure`` stays None and ``description`` is ``CLOSED``.
    """

    def __init__(self, background: int, figures: Callable[[], Mapping[str, float | str]], program: Path) -> None:
        super().__init__("preview")
        self._background = background
        self._figures = figures
        self._program = program
        self._window: WindowProcess | None = None
        self._picture = np.empty((0, 0, 3), np.uint8)
        self._text = b""
        self._text_ns: int | None = None

    def open_sink(self) -> None:
        """Open the window. Raises DisplayMissing, or OutputFailed when it does not open for another reason."""
        if sys.platform == "linux":
            probe_display(os.environ.get("DISPLAY", ""))
        self._window = WindowProcess(self._program)
        self._window.wait_until_open()

    def show(self, frame: Frame) -> None:
        """Send the frame to the window. Raises OutputFailed when the window program died."""
        if self._window is None:
            return
        self._draw(frame.picture)
        height, width = self._picture.shape[:2]
        text = self._figures_text()
        try:
            self._window.send(HEADER.pack(MAGIC, width, height, len(text)) + text, self._picture)
        except OSError:
            self._window.wait_until_gone()
            self.idle()

    def idle(self) -> None:
        """Notice that the user closed the window, or that its program died."""
        if self._window is None or self._window.exit_status is None:
            return
        if self._window.exit_status != 0:
            raise self._window.failure()
        self.description = CLOSED
        self.finish()

    def close_sink(self) -> None:
        """Close the window and its program."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def interrupt(self) -> None:
        """Free the thread from a window program that takes no more pictures."""
        window = self._window
        if window is not None:
            window.kill()

    def _draw(self, picture: Picture) -> None:
        height, width = picture.shape[:2]
        if self._picture.shape[:2] != (height, width):
            self._picture = np.empty((height, width, 3), np.uint8)
        if self._background >> 24:
            over_background(picture, self._background, self._picture)
        else:
            over_checkerboard(picture, self._picture)

    def _figures_text(self) -> bytes:
        now = now_ns()
        if self._text_ns is None or now - self._text_ns >= _FIGURES_EVERY_NS:
            self._text_ns = now
            lines = [
                f"{key.replace('_', ' ')}: {value if isinstance(value, str) else format(value, '.1f')}"
                for key, value in self._figures().items()
            ]
            self._text = "\n".join(lines[:_MAXIMUM_LINES]).encode("utf-8", "replace")
        return self._text


def unavailable() -> str | None:
    """None where a window may open, else ``no_display``, or ``package_missing`` for an OpenCV without windows."""
    if not cv2.currentUIFramework():
        return "package_missing"
    return "no_display" if sys.platform == "linux" and not os.environ.get("DISPLAY") else None


def open_publisher(settings: Mapping[str, Value], context: PublishContext) -> PreviewPublisher:
    """Open the window. Raises DisplayMissing without a screen, OutputFailed when the window does not open."""
    publisher = PreviewPublisher(int(settings["background_colour"]), context.figures, WINDOW_PROGRAM)
    publisher.start(OPEN_LIMIT_S + CLOSE_LIMIT_S)
    return publisher
