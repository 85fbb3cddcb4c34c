"""Pictures a model renders: at once, or on a thread of their own while others are bent towards newer poses."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from core.pose.parameters import PoseVector
from core.wire.clock import now_ns
from core.wire.errors import AccelError, RuntimeFailed
from core.wire.priority import step_back
from models.base import CharacterModel, Picture

from .visible import Bands, visible_bands

_log = logging.getLogger(__name__)

_BUFFERS = 3
"""The picture on screen, the one before it, and the one being made."""
_TIMES_KEPT = 24
_IDLE_WAIT_S = 1.0
END_LIMIT_S = 10.0

Times = list[tuple[str, int]]
"""What was done and how many nanoseconds it took: ``key``, ``upscale``, ``rife``, ``smooth``,
``between``, ``hit``."""


class Upscaler(Protocol):
    """Makes pictures larger."""

    @property
    def name(self) -> str:
        """Differs between any two that make different pictures."""
        ...

    @property
    def size(self) -> int:
        """Side of what it makes, in pixels."""
        ...

    def apply(self, picture: Picture, out: Picture) -> None:
        """A premultiplied picture at the model's size into one at its own."""
        ...


class Interpolator(Protocol):
    """Draws pictures between two others."""

    @property
    def name(self) -> str:
        """Under which its times are told: ``rife`` or ``smooth``."""
        ...

    @property
    def any_size(self) -> bool:
        """Can it take pictures that were upscaled? Else those it makes are upscaled one by one."""
        ...

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture], poses: Sequence[PoseVector]) -> None:
        """Premultiplied pictures at even distances between two, oldest first. ``poses``: of the older one, of each
        picture to draw, and of the newer one."""
        ...


class PictureCache(Protocol):
    """Remembers finished pictures."""

    def get(self, key: bytes, out: Picture) -> bool:
        """Was it remembered? Then it is in ``out``."""
        ...

    def put(self, key: bytes, picture: Picture, cost_ns: int) -> None:
        """Remember a picture that took so long to make."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A picture of one pose. Its pixels live until two more were made."""

    pose: PoseVector
    picture: Picture
    """As it is shown: premultiplied, upscaled if that is wanted."""
    bands: Bands
    plain: Picture | None
    """As the model made it; None where only the finished picture was remembered."""
    finish: str = ""
    """Name of the upscaler that made ``picture``; empty for none."""
    between: tuple[Picture, ...] = ()
    """Pictures that lead to it from the one before, oldest first."""
    times: Times = field(default_factory=list)
    serial: int = field(default_factory=itertools.count().__next__)


class _Ring:
    """Buffers that are used in turn."""

    def __init__(self, count: int = _BUFFERS) -> None:
        self.count = count
        self._pictures: deque[Picture] = deque(maxlen=count)

    def next(self, size: int) -> Picture:
        """The one unused for longest; a fresh one while there are too few or they have another size."""
        if len(self._pictures) < self.count or len(self._pictures[0]) != size:
            self._pictures.append(np.zeros((size, size, 4), np.uint8))
        else:
            self._pictures.rotate(-1)
        return self._pictures[-1]

    def give_back(self) -> None:
        """The last one was not needed."""
        self._pictures.rotate(1)


class KeyFrames:
    """One model's pictures. All methods are for one thread; the model works on it or on a thread of this class."""

    def __init__(self, model: CharacterModel, cache: PictureCache | None = None, name: bytes = b"") -> None:
        """``name``: of everything the pictures depend on but the pose; the cache is shared with other models."""
        self.model = model
        self._upscaler: Upscaler | None = None
        self.interpolator: Interpolator | None = None
        self._cache, self._name = cache, name
        self._plain, self._finished, self._fetched = _Ring(), _Ring(), _Ring()
        self._leading, self._leading_finished = _Ring(2), _Ring(2)
        self._taken: deque[int] = deque(maxlen=_TIMES_KEPT)
        self._wake = threading.Condition()
        self._wanted: tuple[PoseVector, Drawn | None, Sequence[PoseVector], Drawn | None] | None = None
        self._done: Drawn | AccelError | None = None
        self._busy = self._closing = self._hurried = False
        self._thread: threading.Thread | None = None

    @property
    def upscaler(self) -> Upscaler | None:
        """What finishes pictures; None for nothing. Another one takes another time."""
        return self._upscaler

    @upscaler.setter
    def upscaler(self, upscaler: Upscaler | None) -> None:
        if upscaler is not self._upscaler:
            self._upscaler = upscaler
            self.forget_times()

    def forget_times(self) -> None:
        """Pictures are made in another way from now on: what they took so far says nothing."""
        self._taken.clear()

    @property
    def expected_ns(self) -> int:
        """How long a picture takes, nine times in ten; 0 before the first."""
        ordered = sorted(self._taken)
        return ordered[int(len(ordered) * 0.9)] if ordered else 0

    @property
    def finish(self) -> str:
        """Name of the upscaler in use; empty for none."""
        return _name_of(self.upscaler)

    @property
    def busy(self) -> bool:
        """Is a picture being drawn that was begun?"""
        return self._busy

    def remembered(self, pose: PoseVector) -> Drawn | None:
        """The picture of this pose if the cache has it."""
        if self._cache is None:
            return None
        upscaler, started = self.upscaler, now_ns()
        found = self._fetched.next(upscaler.size if upscaler is not None else self.model.size)
        if not self._cache.get(self._key(pose, self.finish), found):
            self._fetched.give_back()
            return None
        plain = found if upscaler is None else None
        return Drawn(pose, found, visible_bands(found), plain, self.finish, times=[("hit", now_ns() - started)])

    def draw(
        self,
        pose: PoseVector,
        after: Drawn | None = None,
        path: Sequence[PoseVector] = (),
        known: Drawn | None = None,
    ) -> Drawn:
        """The picture of this pose (``known`` if it is there already), and those of the poses on the ``path`` that
        leads to it from ``after``. Raises AccelError."""
        upscaler, interpolator = self.upscaler, self.interpolator
        times: Times = list(known.times) if known is not None else []
        started = now_ns()
        if known is not None and known.plain is not None:
            plain = known.plain
        else:
            plain = self._plain.next(self.model.size)
            self.model.render(pose, plain)
            times.append(("key", now_ns() - started))
        before = after if path and not self._hurried else None
        poses = (before.pose, *path, pose) if before is not None else ()
        # who knows any size is asked once everything is upscaled
        large = upscaler is not None and interpolator is not None and interpolator.any_size
        leading: list[Picture] = []
        if before is not None and not large:
            leading = self._lead(interpolator, before.plain, plain, poses, times)
        if upscaler is None:
            finished = plain
        else:
            upscaling = now_ns()
            leading = [self._upscaled(upscaler, picture, self._leading_finished) for picture in leading]
            finished = self._upscaled(upscaler, plain, self._finished)
            times.append(("upscale", now_ns() - upscaling))
        if before is not None and large:
            leading = self._lead(interpolator, before.picture, finished, poses, times)
        self._taken.append(now_ns() - started)
        return Drawn(pose, finished, visible_bands(finished), plain, _name_of(upscaler), tuple(leading), times)

    def remember(self, drawn: Drawn) -> None:
        """Have the cache keep a picture that was drawn."""
        if self._cache is not None and any(what == "key" for what, _ in drawn.times):
            cost = sum(taken for what, taken in drawn.times if what in ("key", "upscale"))
            self._cache.put(self._key(drawn.pose, drawn.finish), drawn.picture, cost)

    def begin(
        self,
        pose: PoseVector,
        after: Drawn | None = None,
        path: Sequence[PoseVector] = (),
        known: Drawn | None = None,
    ) -> None:
        """Have :meth:`draw` done meanwhile; :meth:`take` gives what it made. Only when not busy."""
        with self._wake:
            if self._closing:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="key-frames", daemon=True)
                self._thread.start()
            self._wanted, self._busy, self._hurried = (pose, after, path, known), True, False
            self._wake.notify_all()

    def take(self, limit_s: float = 0.0) -> Drawn | None:
        """The picture that was begun if it is done within so long. Raises AccelError when it could not be drawn."""
        with self._wake:
            if self._busy and limit_s > 0.0:
                self._wake.wait_for(lambda: self._done is not None or self._closing, limit_s)
            done, self._done = self._done, None
            if done is None:
                return None
            self._busy = False
        if isinstance(done, AccelError):
            raise done
        return done

    def hurry(self) -> None:
        """Pictures that lead to the one at hand are not wanted any more."""
        self._hurried = self._busy

    def close(self, limit_s: float = END_LIMIT_S) -> None:
        """End the thread: afterwards nobody draws with the model any more. Waits for the picture at hand, at most so
        long."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(limit_s)

    def _work(self) -> None:
        step_back()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._wanted is not None or self._closing, _IDLE_WAIT_S)
                wanted, self._wanted = self._wanted, None
                if self._closing:
                    return
            if wanted is None:
                continue
            result: Drawn | AccelError
            try:
                result = self.draw(*wanted)
            except AccelError as problem:
                result = problem
            except Exception as problem:  # noqa: BLE001 - the border of this thread: drivers raise anything
                _log.exception("a picture could not be drawn")
                result = RuntimeFailed(repr(problem), runtime=self.model.family, network=type(problem).__name__)
            with self._wake:
                self._done = result
                self._wake.notify_all()

    def _key(self, pose: PoseVector, finish: str) -> bytes:
        return self._name + finish.encode() + pose.tobytes()

    def _lead(
        self,
        interpolator: Interpolator | None,
        older: Picture | None,
        newer: Picture,
        poses: Sequence[PoseVector],
        times: Times,
    ) -> list[Picture]:
        """The pictures between two; none where there is nobody to draw them or nothing to draw them from."""
        if interpolator is None or older is None or len(older) != len(newer):
            return []
        started, count = now_ns(), len(poses) - 2
        if self._leading.count < 2 * count:
            # one set is on screen while the other is made
            self._leading, self._leading_finished = _Ring(2 * count), _Ring(2 * count)
        made = [self._leading.next(len(newer)) for _ in range(count)]
        interpolator.draw_all(older, newer, made, poses)
        times.append((interpolator.name, now_ns() - started))
        return made

    def _upscaled(self, upscaler: Upscaler, picture: Picture, ring: _Ring) -> Picture:
        finished = ring.next(upscaler.size)
        upscaler.apply(picture, finished)
        return finished


def _name_of(upscaler: Upscaler | None) -> str:
    return upscaler.name if upscaler is not None else ""
