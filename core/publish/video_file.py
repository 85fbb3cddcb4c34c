"""A video file of the avatar on a plain background."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from core.wire.errors import DiskFull, OutputFailed

from .base import Picture
from .pixels import over_background
from .recording import PacedRecording

FOURCC_BY_SUFFIX = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""Video containers, and for each a codec that every OpenCV package can write (H.264 is in none of them)."""

_GROWTH_LIMIT_S = 20
_MAXIMUM_COPIES = 1000


class Video(PacedRecording):
    """A video over a plain background, in the size of its first frame (later sizes are scaled to it).

    An existing file is kept: the video is then named "name (2).mp4".
    """

    def __init__(self, wanted: Path, background: int, frames_per_second: float) -> None:
        super().__init__(frames_per_second)
        self.path = _reserve(wanted)
        self._background = background
        self._frames_per_second = frames_per_second
        self._writer: cv2.VideoWriter | None = None
        self._picture = np.empty((0, 0, 3), np.uint8)
        self._grown_bytes = 0

    def _prepare(self, picture: Picture) -> None:
        height, width = picture.shape[:2]
        if self._writer is None:
            # MPEG's pictures have even sides
            height, width = max(2, height & ~1), max(2, width & ~1)
            self._picture = np.empty((height, width, 3), np.uint8)
            self._writer = self._open_writer(width, height)
        if picture.shape[:2] != self._picture.shape[:2]:
            size = (self._picture.shape[1], self._picture.shape[0])
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        over_background(picture, self._background, self._picture)

    def _open_writer(self, width: int, height: int) -> cv2.VideoWriter:
        code = cv2.VideoWriter.fourcc(*FOURCC_BY_SUFFIX[self.path.suffix.lower()])
        writer = cv2.VideoWriter(str(self.path), cv2.CAP_FFMPEG, code, self._frames_per_second, (width, height))
        if not writer.isOpened():
            raise OutputFailed(f"no video writer for {self.path}", output="file")
        return writer

    def _write(self) -> None:
        assert self._writer is not None
        self._writer.write(self._picture)
        if self._pace.written % int(_GROWTH_LIMIT_S * self._frames_per_second + 1) == 0 and self._pace.written:
            self._check_growth()

    def _check_growth(self) -> None:
        """The writer keeps failures to itself; a file that stands still for so many frames is its only sign."""
        size_bytes = self.path.stat().st_size
        if size_bytes <= self._grown_bytes:
            raise DiskFull(f"{self.path} stopped growing at {size_bytes} bytes", path=str(self.path))
        self._grown_bytes = size_bytes

    def _finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            if self.path.exists() and self.path.stat().st_size == 0:
                self.path.unlink()
            return
        writer.release()
        # nobody tells when a video's end could not be written: only reading shows it
        reader = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        readable = reader.isOpened()
        reader.release()
        if not readable:
            raise OutputFailed(f"{self.path} cannot be read after it was closed", output="file")


def _reserve(wanted: Path) -> Path:
    """Make an empty file named as wanted, or with the first free number. Raises OSError where none can be made."""
    for number in range(1, _MAXIMUM_COPIES):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{_MAXIMUM_COPIES} recordings named {wanted}")
