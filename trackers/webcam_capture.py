"""Pictures from a camera or, for trying things out, from a video file: the newest one only, as it comes.

OpenCV's ``read`` may block for ever when a driver hangs. It therefore has a thread of its own, which is left behind
then: it ends as soon as the driver lets it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.wire.clock import now_ns

from .webcam_landmarker import RgbPicture
from .webcam_names import BACKEND, index_of

_log = logging.getLogger(__name__)

SMALLEST = 64
_FAILED_READS = 3
_VIDEO_RATE = 30.0
_UNCOMPRESSED_UP_TO = 640
"""Wider pictures come at their full rate only when the camera compresses them: USB 2 is too slow."""
Open = Callable[[], Any]
"""Makes an opened ``cv2.VideoCapture``, or raises CameraGone."""


class CameraGone(Exception):
    """There is no such camera, or it does not deliver; ``reason`` is a key of the locale tables."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CameraPicture:
    """One picture and when it was there."""

    rgb: RgbPicture
    arrival_ns: int


class CaptureThread:
    """Reads until it is stopped or the camera does not deliver any more; then ``gone`` tells why."""

    def __init__(self, open_capture: Open, clock: Callable[[], int] = now_ns, *, paced: bool = False) -> None:
        """``paced``: play a file at its own speed, again and again."""
        self._open, self._clock, self._paced = open_capture, clock, paced
        self._newest: CameraPicture | None = None
        self._fresh = threading.Event()
        self._stop = threading.Event()
        self.gone: CameraGone | None = None
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def wait(self, limit_s: float) -> CameraPicture | None:
        """The newest picture that was not given out yet; None when none came within the limit."""
        self._fresh.wait(limit_s)
        self._fresh.clear()
        newest, self._newest = self._newest, None
        return newest

    @property
    def is_alive(self) -> bool:
        """Is its thread still there: reading, or stuck in a driver?"""
        return self._thread.is_alive()

    def close(self, limit_s: float) -> None:
        """Stop reading; a driver that hangs is not waited for."""
        self._stop.set()
        self._thread.join(limit_s)

    def _run(self) -> None:
        try:
            capture = self._open()
        except CameraGone as problem:
            self._end(problem)
            return
        except Exception as problem:  # noqa: BLE001 - drivers raise anything
            _log.warning("the camera cannot be opened: %r", problem)
            self._end(CameraGone("camera_busy"))
            return
        try:
            self._read(capture)
        except Exception as problem:  # noqa: BLE001 - drivers raise anything
            _log.warning("the camera failed: %r", problem)
            self._end(CameraGone("camera_lost"))
        finally:
            capture.release()

    def _read(self, capture: Any) -> None:
        failed = 0
        rate = float(capture.get(cv2.CAP_PROP_FPS)) if self._paced else 0.0
        period_ns = int(1e9 / (rate if 1.0 <= rate <= 240.0 else _VIDEO_RATE))
        due = self._clock()
        while not self._stop.is_set():
            good, picture = capture.read()
            if not good or picture is None:
                failed += 1
                if failed >= _FAILED_READS:
                    self._end(CameraGone("camera_lost"))
                    return
                if self._paced:
                    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
                else:
                    self._stop.wait(0.05)
                continue
            failed = 0
            arrival = self._clock()
            rgb = as_rgb(picture)
            if rgb is not None:
                self._newest = CameraPicture(rgb, arrival)
                self._fresh.set()
            if self._paced:
                due = max(due + period_ns, self._clock() - period_ns)
                self._stop.wait(max(due - self._clock(), 0) / 1e9)

    def _end(self, reason: CameraGone) -> None:
        self.gone = reason
        self._fresh.set()


def as_rgb(picture: Any) -> RgbPicture | None:
    """Whatever a driver delivers as contiguous 8-bit RGB; None when nobody could see a face in it."""
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim not in (2, 3):
        return None
    if min(picture.shape[:2]) < SMALLEST:
        return None
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    codes = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    if channels not in codes:
        return None
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), codes[channels]), np.uint8)


def camera_opener(name: str, width: int, height: int, rate: int) -> Open:
    """Opens the camera of that name."""

    def open_camera() -> Any:
        index = index_of(name)
        if index is None:
            raise CameraGone("camera_not_found")
        capture = cv2.VideoCapture(index, BACKEND)
        if not capture.isOpened():
            capture.release()
            raise CameraGone("camera_busy")
        # DirectShow takes over format and size together with the height, and would forget the format for a later rate
        compressed = ((cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),) if width > _UNCOMPRESSED_UP_TO else ()
        for wanted, value in (
            (cv2.CAP_PROP_FPS, rate),
            *compressed,
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            # what waits in the driver is old
            (cv2.CAP_PROP_BUFFERSIZE, 1),
        ):
            capture.set(wanted, value)
        return capture

    return open_camera


def video_opener(file: Path) -> Open:
    """Opens a video file in a camera's place."""

    def open_video() -> Any:
        if not file.is_file():
            raise CameraGone("no_video_file")
        capture = cv2.VideoCapture(str(file))
        if not capture.isOpened():
            capture.release()
            raise CameraGone("no_video_file")
        return capture

    return open_video
