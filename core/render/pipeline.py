"""From a pose to a picture for every output frame: key frames, pictures between them, and nothing twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.pose.mixer import PoseMoment
from models.base import CharacterModel, KeyFrame, Picture

from .movement import IN_PLACE, Movement, Placement, blend


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a picture is rendered and what happens between."""

    interpolation: bool = False
    factor: int = 2
    """With interpolation: one key frame for every ``factor`` output frames."""
    render_rate: float = 0.0
    """At most this many key frames a second; 0 is no limit."""
    frame_rate: float = 60.0

    @property
    def stride(self) -> int:
        """Output frames from one key frame to the next."""
        wanted = self.factor if self.interpolation else 1
        if self.render_rate > 0.0:
            wanted = max(wanted, math.ceil(self.frame_rate / self.render_rate - 0.01))
        return wanted


@dataclass(frozen=True, slots=True)
class Rendered:
    """One new picture. ``picture`` is premultiplied BGRA and may be overwritten by the next call."""

    picture: Picture
    in_between: bool
    packet_ns: int
    sampled_ns: int
    presence: float


@dataclass(frozen=True, slots=True)
class _Key:
    frame: KeyFrame
    packet_ns: int
    sampled_ns: int
    presence: float
    placement: Placement = IN_PLACE


class Pipeline:
    """One character on its way to the screen. Used by the render loop only.

    With interpolation the newest key frame is approached in ``stride`` steps, so the avatar is shown (stride - 1)
    output frames late; without, every key frame is shown at once.
    """

    def __init__(self, model: CharacterModel, pace: Pace | None = None, movement: Movement | None = None) -> None:
        """``movement`` is where the avatar stands in its picture; None leaves it in its place."""
        self._pace = pace or Pace()
        self._movement = movement or Movement()
        self._model = model
        self._key_picture: Picture = np.zeros((model.size, model.size, 4), np.uint8)
        self._between_picture: Picture = np.zeros_like(self._key_picture)
        self._older: _Key | None = None
        self._newer: _Key | None = None
        self._step = 0
        self._newest_is_shown = False
        self._still = False

    @property
    def model(self) -> CharacterModel:
        """The character being shown."""
        return self._model

    @property
    def pace(self) -> Pace:
        """The pace in force."""
        return self._pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        # the next frame is a key frame, so that a change shows within one frame
        if pace != self._pace:
            self._pace, self._step = pace, 0

    def show_again(self) -> None:
        """The next call gives a picture even if nothing moved: whoever looks now has not seen the last one."""
        self._step, self._newest_is_shown, self._still = 0, False, False

    def next(self, sample_pose: Callable[[], tuple[PoseMoment, int]]) -> Rendered | None:
        """The picture for the next output frame, or None when it would be the same as the last one.

        ``sample_pose`` returns the pose of now and the time it was taken; it is called only when a key frame is due.
        """
        step, stride = self._step, self._pace.stride
        self._step = (step + 1) % stride
        if step == 0:
            self._advance(sample_pose)
        older, newer = self._older, self._newer
        if newer is None or self._still:
            return None
        fraction = (step + 1) / stride
        unmoved = older is None or (older.frame is newer.frame and older.placement == newer.placement)
        if not self._pace.interpolation or older is None or unmoved or fraction >= 1.0:
            if self._newest_is_shown:
                return None
            self._newest_is_shown = True
            picture = self._movement.apply(self._key_picture, newer.placement)
            return Rendered(picture, False, newer.packet_ns, newer.sampled_ns, newer.presence)
        self._model.between(older.frame, newer.frame, fraction, self._between_picture)
        return Rendered(
            self._movement.apply(self._between_picture, blend(older.placement, newer.placement, fraction)),
            True,
            _between(older.packet_ns, newer.packet_ns, fraction),
            _between(older.sampled_ns, newer.sampled_ns, fraction),
            newer.presence,
        )

    def _advance(self, sample_pose: Callable[[], tuple[PoseMoment, int]]) -> None:
        """Take the next key frame; rendering it is left out when the pose is the newest one's already."""
        moment, sampled_ns = sample_pose()
        placement = self._movement.place(moment.position, moment.presence, sampled_ns)
        if self._newer is not None and np.array_equal(self._newer.frame.pose, moment.pose):
            frame = self._newer.frame
            if self._is_moved(placement):
                self._still = self._newest_is_shown = False
            else:
                placement = self._newer.placement
                self._still = self._newest_is_shown
        else:
            frame = self._model.render(moment.pose, self._key_picture)
            self._still = self._newest_is_shown = False
        self._older, self._newer = self._newer, _Key(frame, moment.packet_ns, sampled_ns, moment.presence, placement)

    def _is_moved(self, placement: Placement) -> bool:
        """Would the same picture be seen elsewhere?"""
        if self._newer is None or placement == self._newer.placement:
            return False
        size = self._model.size
        return not np.array_equal(placement.matrix(size), self._newer.placement.matrix(size))


def _between(older_ns: int, newer_ns: int, fraction: float) -> int:
    if older_ns == 0 or newer_ns == 0:
        return newer_ns
    return older_ns + int((newer_ns - older_ns) * fraction)
