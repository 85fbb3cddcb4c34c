"""Pictures between two that were rendered, made by bending both of them towards the pose in between and mixing them.

Better than bending one alone, because what one of them hides the other one may show; shown late, because the later of
the two must be there first.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import cv2

from core.pose.parameters import PoseVector
from models.base import CharacterModel, Picture

from .compose import Composer
from .visible import visible_bands


class BentPictures:
    """Used from the thread that draws key frames."""

    name = "smooth"
    any_size = True

    def __init__(self, model: CharacterModel) -> None:
        self._model = model
        self._first, self._second = Composer(), Composer()
        self.lock = threading.Lock()
        """Held by whoever asks the model how to bend: only one may."""

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture], poses: Sequence[PoseVector]) -> None:
        """Premultiplied pictures at even distances between two of this model's, oldest first. ``poses``: of the older
        one, of each picture to draw, and of the newer one."""
        before, after = poses[0], poses[-1]
        bands = visible_bands(older), visible_bands(newer)
        serials = hash((id(older), before.tobytes())), hash((id(newer), after.tobytes()))
        for number, (picture, pose) in enumerate(zip(out, poses[1:-1], strict=True), 1):
            share = number / (len(out) + 1)
            with self.lock:
                forth, back = self._model.motion([after, before], pose), self._model.motion([before, after], pose)
                first_face, second_face = (self._model.face_change(each, pose) for each in (before, after))
            first = self._first.compose(older, bands[0], displacement=forth, serial=serials[0], change=first_face)
            second = self._second.compose(newer, bands[1], displacement=back, serial=serials[1], change=second_face)
            cv2.addWeighted(first, 1.0 - share, second, share, 0.0, dst=picture)
        # the newer one is the next batch's older one: what was made of it is there then
        self._first, self._second = self._second, self._first
