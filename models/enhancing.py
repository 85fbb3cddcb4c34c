"""Opening super-resolution and RIFE where the character is drawn, in the precision that works there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from accel.base import FULL, HALF, Progress, Runtime
from core.wire.errors import AccelError, BuildStopped, ModelMissing, PictureWrong

from .base import Picture
from .rife.files import PICTURE_SIDE, find_rife, rife_precisions
from .rife.interpolator import Rife
from .self_check import difference
from .upscale.base import Upscaler
from .upscale.box import STEP, WHOLE, Box, visible_box
from .upscale.registry import open_upscaler
from .upscale.trial import trial_picture
from .wish import AUTOMATIC

_log = logging.getLogger(__name__)

__all__ = ["WHOLE", "Box", "open_rife", "open_upscaling", "reach"]

T = TypeVar("T")

_SWAY = 32
"""Pixels that a character may lean out of where its picture is; multiple of 16. Beyond, it is enlarged plainly."""


def reach(picture: Picture) -> Box:
    """The box that a character (512 x 512, any alpha kind) stays in while it moves."""
    box = visible_box(picture)
    if box is None:
        return WHOLE
    top, left, height, width = box
    first_row, first_column = max(top - _SWAY, 0), max(left - _SWAY, 0)
    last_row, last_column = (min(end + _SWAY, PICTURE_SIDE) // STEP * STEP for end in (top + height, left + width))
    return first_row, first_column, last_row - first_row, last_column - first_column


def open_upscaling(kind: str, runtime: Runtime, precision: str, box: Box, progress: Progress | None = None) -> Upscaler:
    """``precision``: ``automatic``, ``full`` or ``half``. Raises what :func:`models.upscale.registry.open_upscaler`
    raises for the last precision that was tried."""
    return _first_that_works(_order(runtime, precision), lambda each: open_upscaler(kind, runtime, each, box, progress))


def open_rife(runtime: Runtime, precision: str, factor: int, progress: Progress | None = None) -> Rife:
    """RIFE for ``factor`` (2..4) pictures where there was one; its pictures are looked at before anybody sees them.

    Raises ModelMissing, ModelFileBad, PictureWrong, and what :meth:`accel.base.Runtime.open` raises.
    """
    there = rife_precisions(factor)
    wanted = [each for each in _order(runtime, precision) if each in there] or [FULL]

    def opened(each: str) -> Rife:
        rife = Rife(find_rife(each, factor), runtime, each, factor, progress)
        try:
            _try_out(rife, runtime)
        except BaseException:
            rife.close()
            raise
        return rife

    return _first_that_works(wanted, opened)


def _order(runtime: Runtime, precision: str) -> list[str]:
    """On the processor half precision gains nothing."""
    first = precision if precision != AUTOMATIC else FULL if runtime.on_host else HALF
    return [first, FULL if first == HALF else HALF]


def _first_that_works(precisions: list[str], open_: Callable[[str], T]) -> T:
    for number, precision in enumerate(precisions, 1):
        try:
            return open_(precision)
        except BuildStopped:
            raise
        except (AccelError, ModelMissing) as problem:
            if number == len(precisions):
                raise
            _log.warning("%s precision: %s", precision, problem)
    raise AssertionError("there is no precision")


def _try_out(rife: Rife, runtime: Runtime) -> None:
    """Between a picture and the same picture there is that picture."""
    picture = trial_picture()
    made = [np.zeros_like(picture) for _ in range(rife.factor - 1)]
    rife.draw_all(picture, picture, made)
    for drawn in made:
        reason = difference(drawn, picture)
        if reason:
            raise PictureWrong("RIFE", runtime=runtime.name, reason=reason)
