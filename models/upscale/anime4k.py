"""Anime4K: a small network in a library of its own (pyanime4k, MIT), on OpenCL or on the processor."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

import cv2
import numpy as np

from core.wire.errors import RuntimeFailed
from models.base import Picture

from .anime4k_process import PROGRAM, LibraryProcess
from .anime4k_program import NETWORK
from .base import ANIME4K, FACTOR, SIZE
from .box import Box, checked, part
from .canvas import Canvas
from .colour import Bleeding, Cutting
from .trial import trial_picture, wrong

_log = logging.getLogger(__name__)

_PACKAGE = "pyanime4k"
_OPENCL, _CPU = "opencl", "cpu"


def unavailable() -> str | None:
    """None when it can be tried, else the key of the reason (``reason.<key>``). Loads nothing."""
    return None if importlib.util.find_spec(_PACKAGE) is not None else "package_missing"


class Anime4K:
    """Anime4K on the first OpenCL device whose picture is right, else on the processor."""

    def __init__(self, box: Box, program: Path = PROGRAM) -> None:
        """``box``: where the avatar may be, in multiples of 16 of the 512 x 512 picture. ``program``: see
        :class:`.anime4k_process.LibraryProcess`.

        Raises RuntimeUnavailable when the package is missing or does not load, RuntimeFailed when nothing here
        computes it, ValueError for what is no box.
        """
        self._region = checked(box)
        _, _, height, width = box
        self._canvas = Canvas(box)
        self._bleeding, self._cutting = Bleeding(height, width), Cutting(height, width)
        self._given = np.empty((height, width, 3), np.uint8)
        self._straight = np.empty((height * FACTOR, width * FACTOR, 4), np.uint8)
        self._library: LibraryProcess | None = LibraryProcess(program)
        try:
            self.processor = _open(self._library)
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """1024."""
        return SIZE

    def apply(self, picture: Picture, out: Picture) -> None:
        """See :class:`models.upscale.base.Upscaler`."""
        self._canvas.show(picture, self._draw, out)

    def close(self) -> None:
        """Let go of the device; safe to call twice."""
        library, self._library = self._library, None
        if library is not None:
            library.close()

    def _draw(self, picture: Picture) -> Picture:
        if self._library is None:
            raise RuntimeFailed("it is closed", runtime=ANIME4K, network=NETWORK)
        cv2.cvtColor(self._bleeding(part(picture, self._region)), cv2.COLOR_BGRA2RGB, self._given)
        cv2.cvtColor(self._library.enlarge(self._given), cv2.COLOR_RGB2BGRA, self._straight)
        return self._cutting(self._straight, self._bleeding.alpha)


def _open(library: LibraryProcess) -> str:
    """The name of a processor that works, which is open then."""
    problems = []
    for name in (_OPENCL, _CPU):
        try:
            device, reason = library.open(name), _problem(library)
        except RuntimeFailed as problem:
            device, reason = "", problem.detail
        if not reason:
            _log.info("Anime4K computes on %s", device)
            return name
        problems.append(f"{name}: {reason}")
    raise RuntimeFailed("; ".join(problems), runtime=ANIME4K, network=NETWORK)


def _problem(library: LibraryProcess) -> str:
    """What is wrong with its pictures; empty when nothing is. A processor without a device gives rubbish and no
    error."""
    picture = np.ascontiguousarray(trial_picture()[:128, :128])
    enlarged = library.enlarge(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGB), np.uint8))
    return wrong(np.asarray(cv2.cvtColor(enlarged, cv2.COLOR_RGB2BGRA), np.uint8), picture)
