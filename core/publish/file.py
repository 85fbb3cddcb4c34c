"""Frames into a file: a video (.mp4, .mkv, .avi), numbered pictures (``name_%05d.png``) or the newest one (.png)."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from core.wire.clock import now_ns
from core.wire.errors import DiskFull, OutputFailed, OutputUnavailable
from core.wire.settings import Value

from .base import Frame, PublishContext
from .latest import LatestFramePublisher
from .picture_files import NUMBER_PATTERN, NewestPicture, PictureSequence
from .recording import Recording
from .video_file import FOURCC_BY_SUFFIX, Video

RESERVE_BYTES = 64 * 1024 * 1024
"""Recording stops while this much is still free: what is written can then be finished, and the system lives on."""

_CHECK_EVERY_NS = 1_000_000_000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FilePublisher(LatestFramePublisher):
    """Gives each frame to a recording and watches the disk. ``description`` is the path that is really written."""

    def __init__(self, path: Path, make_recording: Callable[[], Recording], clock: Callable[[], int] = now_ns) -> None:
        super().__init__("file")
        self._path = path
        self._make_recording = make_recording
        self._clock = clock
        self._recording: Recording | None = None
        self._checked_ns: int | None = None

    def open_sink(self) -> None:
        """Begin the file. Raises DiskFull, or OutputFailed where nothing can be written."""
        with self._disk_errors():
            self._check_space()
            self._recording = self._make_recording()
            self.description = str(self._recording.path)

    def show(self, frame: Frame) -> None:
        """Record the frame. Raises DiskFull or OutputFailed; what was recorded until then stays readable."""
        with self._disk_errors():
            self._check_space()
            if self._recording is not None:
                self._recording.show(frame.picture, self._clock())

    def idle(self) -> None:
        """Record that nothing changed."""
        with self._disk_errors():
            self._check_space()
            if self._recording is not None:
                self._recording.idle(self._clock())

    def close_sink(self) -> None:
        """Finish the file."""
        recording, self._recording = self._recording, None
        if recording is not None:
            with self._disk_errors():
                recording.close()

    def _check_space(self) -> None:
        """A video writer fails without a word on a full disk, so it never gets to meet one."""
        now = self._clock()
        if self._checked_ns is not None and now - self._checked_ns < _CHECK_EVERY_NS:
            return
        self._checked_ns = now
        disk = shutil.disk_usage(self._path.parent)
        # some network folders claim to have no size at all
        if disk.total > 0 and disk.free < RESERVE_BYTES:
            raise DiskFull(f"{disk.free} bytes free", path=str(self._path))

    @contextlib.contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            if problem.errno in _FULL:
                raise DiskFull(str(problem), path=str(self._path)) from problem
            raise OutputFailed(str(problem), output="file") from problem


def unavailable() -> str | None:
    """Files can be written everywhere; whether this one can, opening tells."""
    return None


def open_publisher(settings: Mapping[str, Value], context: PublishContext) -> FilePublisher:
    """Begin the file at ``file_path``.

    Raises OutputUnavailable without a path or for an unknown ending, DiskFull, or OutputFailed where nothing can be
    written.
    """
    text = str(settings["file_path"])
    if not text:
        raise OutputUnavailable(output="file", reason="no_file_path")
    path = Path(text).expanduser().absolute()
    publisher = FilePublisher(
        path, _recording_for(path, int(settings["background_colour"]), max(1.0, context.frames_per_second))
    )
    publisher.start()
    return publisher


def _recording_for(path: Path, background: int, frames_per_second: float) -> Callable[[], Recording]:
    suffix = path.suffix.lower()
    if suffix in FOURCC_BY_SUFFIX:
        return lambda: Video(path, background, frames_per_second)
    if suffix != ".png":
        raise OutputUnavailable(f"{path.name}", output="file", reason="unknown_file_type")
    if NUMBER_PATTERN.search(path.name):
        return lambda: PictureSequence(path, frames_per_second)
    return lambda: NewestPicture(path)
