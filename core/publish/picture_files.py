"""PNG files of the avatar: numbered pictures, or one that is always the newest."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

import cv2
import numpy as np

from core.wire.errors import OutputFailed

from .base import Picture
from .pixels import straight
from .recording import PacedRecording, Recording

_log = logging.getLogger(__name__)

NUMBER_PATTERN = re.compile(r"%0?(\d*)d")
"""Where a sequence's pictures have their number, as in ``avatar_%05d.png``."""

_NEWEST_EVERY_NS = 1_000_000_000
_MAXIMUM_LOCKED = 10


class PictureSequence(PacedRecording):
    """Straight-alpha RGBA PNG files, one per slot of the frame rate, numbered on from the highest number there is."""

    def __init__(self, pattern: Path, frames_per_second: float) -> None:
        super().__init__(frames_per_second)
        self.path = pattern
        match = NUMBER_PATTERN.search(pattern.name)
        if match is None:
            raise ValueError(f"no %d in {pattern.name}")
        self._before, self._after = pattern.name[: match.start()], pattern.name[match.end() :]
        self._digits = int(match[1] or 1)
        self._number = self._highest_number() + 1
        self._encoded = b""
        _probe(pattern.with_name(self._before + "probe" + self._after))

    def _prepare(self, picture: Picture) -> None:
        self._encoded = _as_png(picture)

    def _write(self) -> None:
        name = f"{self._before}{self._number:0{self._digits}d}{self._after}"
        _write_whole(self.path.with_name(name), self._encoded)
        self._number += 1

    def _finish(self) -> None:
        """Every picture is already whole."""

    def _highest_number(self) -> int:
        middles = (
            file.name[len(self._before) : len(file.name) - len(self._after)]
            for file in self.path.parent.iterdir()
            if file.name.startswith(self._before) and file.name.endswith(self._after)
        )
        return max((int(middle) for middle in middles if middle.isascii() and middle.isdigit()), default=0)


class NewestPicture(Recording):
    """One straight-alpha RGBA PNG file, replaced as a whole about once a second and at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._newest: Picture | None = None
        self._changed = False
        self._written_ns = -_NEWEST_EVERY_NS
        self._locked = 0
        _probe(path)

    def show(self, picture: Picture, now_ns: int) -> None:
        if self._newest is None or self._newest.shape != picture.shape:
            self._newest = picture.copy()
        else:
            self._newest[:] = picture
        self._changed = True
        self.idle(now_ns)

    def idle(self, now_ns: int) -> None:
        if self._newest is not None and self._changed and now_ns - self._written_ns >= _NEWEST_EVERY_NS:
            self._written_ns = now_ns
            self._write(self._newest)

    def close(self) -> None:
        if self._newest is not None and self._changed:
            self._write(self._newest)

    def _write(self, picture: Picture) -> None:
        try:
            _write_whole(self.path, _as_png(picture))
        except PermissionError:
            # Windows lets nobody replace a file while another program reads it; the next second will do
            self._locked += 1
            if sys.platform != "win32" or self._locked > _MAXIMUM_LOCKED:
                raise
            _log.debug("%s is in use", self.path)
            return
        self._changed, self._locked = False, 0


def _as_png(premultiplied: Picture) -> bytes:
    done, encoded = cv2.imencode(".png", straight(premultiplied, np.empty_like(premultiplied)))
    if not done:
        raise OutputFailed(f"no PNG of {premultiplied.shape}", output="file")
    return encoded.tobytes()


def _write_whole(path: Path, content: bytes) -> None:
    """Put a complete file in place, or leave what was there. Raises OSError."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _probe(path: Path) -> None:
    """Raises OSError now when ``_write_whole`` could not make this file later."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(b"")
    unfinished.unlink()
