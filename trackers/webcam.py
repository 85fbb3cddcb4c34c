"""The webcam: MediaPipe finds the face in each picture.

What it finds is a packet (``webcam_landmarker.PACKET``, empty without a face), so that it is recorded and replayed like
any other input, and no picture is ever kept.
"""

from __future__ import annotations

import importlib.util
import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from core.pose.mapping.arkit_names import SHAPE_COUNT, VOCABULARY
from core.pose.sample import HeadAngles
from core.wire.clock import now_ns
from core.wire.errors import InputError, InputUnavailable
from core.wire.settings import Value

from .arkit import HIGHEST, LOWEST
from .base import Decoder, Drop, Hint, TrackerSample, TrackerStatus
from .threaded import ThreadedTracker
from .webcam_landmarker import PACKET, RgbPicture

_log = logging.getLogger(__name__)

FROZEN_S = 2.0
"""A camera that delivers nothing for so long is opened anew."""
_FIRST_PICTURE_S = 10.0
"""Some cameras take long to wake up."""
_SHORTEST_RETRY_S, _LONGEST_RETRY_S = 0.5, 5.0
_WAIT_S = 0.25
_MOST_STUCK = 3
"""With so many threads stuck in drivers, the camera is not opened again until one of them comes back."""


class WebcamDecoder(Decoder):
    """Reads the landmarker's packets."""

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One picture's face; see :class:`trackers.base.Decoder`."""
        if not datagram:
            return Drop.NO_FACE
        if len(datagram) != PACKET.size:
            return Drop.WRONG_SIZE
        numbers = np.frombuffer(datagram, "<f4")
        if not np.isfinite(numbers).all():
            return Drop.NOT_FINITE
        matrix = numbers[SHAPE_COUNT:].astype(np.float64).reshape(4, 4)
        head = _head_of(matrix)
        if head is None:
            return Drop.WRONG_FORMAT
        x, y, z = (float(part) for part in np.clip(matrix[:3, 3] / 100.0, -10.0, 10.0))
        values = np.clip(numbers[:SHAPE_COUNT], LOWEST, HIGHEST).astype(np.float32)
        return TrackerSample(arrival_ns, VOCABULARY, values, head, (x, y, z))


def _head_of(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> HeadAngles | None:
    """Pitch, yaw, roll about the camera's fixed axes, in degrees; None when the matrix does not turn anything.

    MediaPipe's axes are ARKit's (x to the subject's left, y up, z out of the face), so the signs are too.
    """
    columns = matrix[:3, :3]
    lengths = np.sqrt((columns * columns).sum(axis=0))
    if not ((lengths > 1e-3) & (lengths < 1e3)).all():
        return None
    turn = columns / lengths
    yaw = math.asin(min(max(-float(turn[2, 0]), -1.0), 1.0))
    pitch = math.atan2(float(turn[2, 1]), float(turn[2, 2]))
    roll = math.atan2(float(turn[1, 0]), float(turn[0, 0]))
    return math.degrees(pitch), math.degrees(yaw), math.degrees(roll)


class Picture(Protocol):
    """What a camera gives."""

    @property
    def rgb(self) -> RgbPicture:
        """See ``webcam_landmarker``."""
        ...

    @property
    def arrival_ns(self) -> int:
        """When it was there."""
        ...


class Gone(Protocol):
    """Why a camera delivers nothing any more."""

    @property
    def reason(self) -> str:
        """A key of the locale tables."""
        ...


class Capture(Protocol):
    """See ``webcam_capture.CaptureThread``."""

    @property
    def gone(self) -> Gone | None:
        """Why there are no more pictures; None while there are."""
        ...

    def wait(self, limit_s: float) -> Picture | None:
        """The newest picture, or None when none came within the limit."""
        ...

    def close(self, limit_s: float) -> None:
        """Stop reading."""
        ...

    @property
    def is_alive(self) -> bool:
        """Is it still reading, or stuck in a driver?"""
        ...


class Landmarker(Protocol):
    """See ``webcam_landmarker.FaceLandmarker``."""

    def look(self, picture: RgbPicture, time_ns: int) -> bytes:
        """The picture's face as a packet."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class WebcamTracker(ThreadedTracker):
    """A thread that looks at the newest picture, again and again, and opens the camera anew when it must."""

    def __init__(
        self,
        camera: str,
        open_capture: Callable[[], Capture],
        open_landmarker: Callable[[], Landmarker],
        clock: Callable[[], int] = now_ns,
    ) -> None:
        super().__init__("webcam", WebcamDecoder(), clock)
        self._camera = camera
        self._open_capture, self._open_landmarker = open_capture, open_landmarker
        self._error: InputError | None = None
        self._opening = True
        self._stuck: list[Capture] = []
        self._begin()

    def status(self, now: int) -> TrackerStatus:
        """``FAILED`` while the camera is not there, with the reason."""
        hints = (Hint("camera_opening"),) if self._opening and self._error is None else ()
        return self._intake.status(now, self._error, hints)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                landmarker = self._open_landmarker()
                try:
                    self._look(landmarker)
                finally:
                    landmarker.close()
            except InputError as problem:
                self._error = problem
            except Exception as problem:  # noqa: BLE001 - native code raises anything; it is begun anew
                _log.warning("looking for the face failed: %r", problem)
                self._error = InputUnavailable(repr(problem)[:200], tracker="webcam", reason="landmarker_failed")
            self._stop.wait(_LONGEST_RETRY_S)

    def _look(self, landmarker: Landmarker) -> None:
        pause = _SHORTEST_RETRY_S
        while not self._stop.is_set():
            self._opening = True
            capture = self._open_capture()
            try:
                reason = self._follow(capture, landmarker)
            finally:
                capture.close(_WAIT_S)
                self._stuck = [one for one in (*self._stuck, capture) if one.is_alive]
            if self._stop.is_set():
                return
            if not self._opening:
                pause = _SHORTEST_RETRY_S
            if self._error is None:
                _log.warning("camera %s: %s", self._camera, reason)
            self._error = InputUnavailable(self._camera, tracker="webcam", reason=reason)
            self._stop.wait(pause)
            pause = min(pause * 2.0, _LONGEST_RETRY_S)
            while len(self._stuck) >= _MOST_STUCK and not self._stop.wait(_WAIT_S):
                self._stuck = [one for one in self._stuck if one.is_alive]

    def _follow(self, capture: Capture, landmarker: Landmarker) -> str:
        """Look at pictures until there are no more; the reason why."""
        heard = self._clock()
        limit_s = _FIRST_PICTURE_S
        while not self._stop.is_set():
            picture = capture.wait(_WAIT_S)
            if picture is None:
                if capture.gone is not None:
                    return capture.gone.reason
                if (self._clock() - heard) / 1e9 > limit_s:
                    return "camera_frozen"
                continue
            heard, limit_s = self._clock(), FROZEN_S
            self._opening, self._error = False, None
            self._intake.take(landmarker.look(picture.rgb, picture.arrival_ns), picture.arrival_ns)
        return ""


def unavailable() -> str | None:
    """Whether the package is there; the model's file is looked for when the camera is opened."""
    return None if importlib.util.find_spec("mediapipe") is not None else "mediapipe_missing"


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> WebcamDecoder:
    """A decoder for packets from a recording, for the replay."""
    return WebcamDecoder()


def open_tracker(settings: Mapping[str, Value]) -> WebcamTracker:
    """Look through ``camera``, or at ``camera_video``. Raises InputUnavailable when the model's file is missing."""
    from .webcam_capture import CaptureThread, camera_opener, video_opener
    from .webcam_landmarker import FaceLandmarker, task_file

    if not task_file().is_file():
        raise InputUnavailable(str(task_file()), tracker="webcam", reason="landmarker_missing")
    video = str(settings["camera_video"])
    width, height = (int(side) for side in str(settings["camera_size"]).split("x"))
    name = video or str(settings["camera"])
    opener = video_opener(Path(video)) if video else camera_opener(name, width, height, int(settings["camera_rate"]))
    return WebcamTracker(name, lambda: CaptureThread(opener, paced=bool(video)), FaceLandmarker)
