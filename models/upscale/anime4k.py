"""Anime4K: a small network in a library of its own (pyanime4k, MIT), on OpenCL or on the processor."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from typing import Any

import cv2
import numpy as np

from core.wire.errors import RuntimeFailed, RuntimeUnavailable
from models.base import Picture

from .base import ANIME4K, FACTOR, SIZE
from .box import Box, checked, part
from .canvas import Canvas
from .colour import Bleeding, Cutting
from .trial import trial_picture, wrong

_log = logging.getLogger(__name__)

_PACKAGE = "pyanime4k"
_CORE = "pyanime4k.pyac.pyac.core"
_NETWORK = "acnet-gan"
"""The one that sharpens most; the others are made to remove noise, of which there is none."""
_OPENCL, _CPU = "opencl", "cpu"


def unavailable() -> str | None:
    """None when it can be tried, else the key of the reason (``reason.<key>``). Loads nothing."""
    return None if importlib.util.find_spec(_PACKAGE) is not None else "package_missing"


class Anime4K:
    """Anime4K on the first OpenCL device whose picture is right, else on the processor."""

    def __init__(self, box: Box) -> None:
        """``box``: where the avatar may be, in multiples of 16 of the 512 x 512 picture.

        Raises RuntimeUnavailable when the package is missing or does not load, RuntimeFailed when nothing here
        computes it, ValueError for what is no box.
        """
        self._region = checked(box)
        _, _, height, width = box
        self._canvas = Canvas(box)
        self._bleeding, self._cutting = Bleeding(height, width), Cutting(height, width)
        self._given = np.empty((height, width, 3), np.uint8)
        self._straight = np.empty((height * FACTOR, width * FACTOR, 4), np.uint8)
        self.processor, self._made = _open()

    @property
    def size(self) -> int:
        """1024."""
        return SIZE

    def apply(self, picture: Picture, out: Picture) -> None:
        """See :class:`models.upscale.base.Upscaler`."""
        self._canvas.show(picture, self._draw, out)

    def close(self) -> None:
        """Let go of the device; safe to call twice."""
        self._made = None

    def _draw(self, picture: Picture) -> Picture:
        if self._made is None:
            raise RuntimeFailed("it is closed", runtime=ANIME4K, network=_NETWORK)
        cv2.cvtColor(self._bleeding(part(picture, self._region)), cv2.COLOR_BGRA2RGB, self._given)
        cv2.cvtColor(_process(self._made, self._given), cv2.COLOR_RGB2BGRA, self._straight)
        return self._cutting(self._straight, self._bleeding.alpha)


def _open() -> tuple[str, Any]:
    """The name of a processor that works, and the processor."""
    try:
        core = importlib.import_module(_CORE)
    except ModuleNotFoundError as problem:
        raise RuntimeUnavailable(str(problem), runtime=ANIME4K, reason="package_missing") from problem
    except ImportError as problem:  # on Windows without any driver that brings OpenCL
        raise RuntimeUnavailable(str(problem), runtime=ANIME4K, reason="package_broken") from problem
    problems = []
    for name in (_OPENCL, _CPU):
        made = core.Processor(name, 0, _NETWORK)
        reason = _problem(made)
        if not reason:
            _log.info("Anime4K computes on %s", made.name())
            return name, made
        problems.append(f"{name}: {reason}")
    raise RuntimeFailed("; ".join(problems), runtime=ANIME4K, network=_NETWORK)


def _problem(made: Any) -> str:
    """Why a processor is not to be used; empty when it works. One without a device gives rubbish and no error."""
    if made.ok() is not True:
        return str(made.error())
    picture = np.ascontiguousarray(trial_picture()[:128, :128])
    enlarged = _process(made, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGB), np.uint8))
    return wrong(np.asarray(cv2.cvtColor(enlarged, cv2.COLOR_RGB2BGRA), np.uint8), picture)


def _process(made: Any, colours: Picture) -> Picture:
    """``colours``: RGB, contiguous, for the library reads a view's memory as if it were."""
    enlarged = np.asarray(made.process(colours, float(FACTOR)), np.uint8)
    if enlarged.shape != (colours.shape[0] * FACTOR, colours.shape[1] * FACTOR, 3):
        raise RuntimeFailed(f"it gave {enlarged.shape}", runtime=ANIME4K, network=_NETWORK)
    return enlarged
