"""Marks drawn over a finished picture: which frames are in-between frames, and when the packet in them arrived."""

from __future__ import annotations

import numpy as np

from core.render import time_stamp
from core.render.pipeline import Rendered
from models.base import Picture

_MARK_SHARE = 1 / 32
_IN_BETWEEN_BGRA = (0, 0, 255, 255)
_KEY_BGRA = (255, 64, 0, 255)


class Overlay:
    """Draws on a copy, because the picture underneath may be used again."""

    def __init__(self) -> None:
        self._copy: Picture = np.zeros((0, 0, 4), np.uint8)

    def draw(self, rendered: Rendered, count: int, *, mark_in_betweens: bool, draw_times: bool) -> Picture:
        """The picture with the wanted marks: times top left, a red (in-between) or blue (key) square top right."""
        if not (mark_in_betweens or draw_times):
            return rendered.picture
        if self._copy.shape != rendered.picture.shape:
            self._copy = np.empty_like(rendered.picture)
        np.copyto(self._copy, rendered.picture)
        if draw_times:
            time_stamp.draw(self._copy, rendered.packet_ns or rendered.sampled_ns, count)
        if mark_in_betweens:
            side = max(4, int(self._copy.shape[0] * _MARK_SHARE))
            self._copy[:side, -side:] = _IN_BETWEEN_BGRA if rendered.in_between else _KEY_BGRA
        return self._copy
