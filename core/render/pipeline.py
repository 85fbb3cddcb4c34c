"""From a pose to a picture for every output frame: key frames, pictures between them, and nothing twice."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.pose.mixer import PoseMoment
from core.pose.parameters import ROTATION, PoseVector
from core.pose.quantiser import OFF, Quantiser
from core.wire.clock import now_ns
from models.base import CharacterModel, Picture
from models.upscale.base import FACTOR

from .bending import BentPictures
from .compose import Composer
from .key_frames import END_LIMIT_S, Drawn, Interpolator, KeyFrames, PictureCache, Times, Upscaler
from .moments import Moment, at, between, path
from .movement import Movement, Placement

MOTION, SMOOTH, RIFE = "motion", "smooth", "rife"
_FITS, _FITS_NO_MORE = 0.55, 0.8
"""Shares of an output frame's time: a picture that takes less is waited for, one that takes more is made meanwhile."""
_SLOW_MOTION = 3
_MOST_STEPS = 8
_A_LITTLE = np.float32(0.05)
_HISTORY = 240
"""Moments remembered for pictures that are shown late: a few seconds."""

Sample = Callable[[], tuple[PoseMoment, int]]
"""The pose of now and the time it was taken."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a picture is rendered and what happens between."""

    between: str = ""
    """``motion``: the newest picture is bent to the pose of now. ``smooth`` and ``rife``: drawn between two pictures,
    which are therefore shown late. Empty: nothing."""
    factor: int = 1
    """With in-between frames: one key frame for every ``factor`` output frames, if it is done in time."""
    render_rate: float = 0.0
    """At most this many key frames a second; 0 is no limit."""
    frame_rate: float = 60.0
    least_stride: int = 1
    """What the governor asks for."""

    @property
    def late(self) -> bool:
        """Are pictures shown that lie between two others?"""
        return self.between in (SMOOTH, RIFE)

    @property
    def stride(self) -> int:
        """Output frames from one key frame to the next."""
        wanted = self.factor if self.between else 1
        if self.late:
            wanted = max(wanted, 2)
        if self.render_rate > 0.0:
            wanted = max(wanted, math.ceil(self.frame_rate / self.render_rate - 0.01))
        return max(wanted, self.least_stride)

    @property
    def interval_ns(self) -> int:
        """From one output frame to the next."""
        return round(1e9 / self.frame_rate) if self.frame_rate > 0.0 else 16_666_667


@dataclass(frozen=True, slots=True)
class Rendered:
    """One new picture. ``picture`` is premultiplied BGRA and may be overwritten by the next call."""

    picture: Picture
    in_between: bool
    packet_ns: int
    sampled_ns: int
    presence: float


class Pipeline:
    """One character on its way to the screen. Used by the render loop only, but for :meth:`warm` and :meth:`close`."""

    def __init__(
        self,
        model: CharacterModel,
        pace: Pace | None = None,
        movement: Movement | None = None,
        cache: PictureCache | None = None,
        name: bytes = b"",
    ) -> None:
        """``movement`` is where the avatar stands in its picture; None leaves it in its place. ``cache`` and ``name``:
        see :class:`KeyFrames`."""
        self.keys = KeyFrames(model, cache, name)
        self.movement = movement or Movement()
        self.quantiser = Quantiser()
        self._turning = Quantiser("low")
        self._pace = Pace()
        self.rife: Interpolator | None = None
        self._bent = BentPictures(model)
        self._composer = Composer()
        self._newest: Drawn | None = None
        self._earlier: PoseVector | None = None
        self._begun: Moment | None = None
        """What the picture shows that is drawn meanwhile."""
        self._queue: deque[tuple[Picture, Drawn, Moment, bool]] = deque()
        self._newest_moment: Moment | None = None
        self._history: deque[Moment] = deque(maxlen=_HISTORY)
        self._queue_due_ns = 0
        self._since_key = 1 << 30
        self._meanwhile = False
        self._shown: tuple[object, ...] = ()
        self._shown_ns = 0
        self._times: Times = []
        if pace is not None:
            self.pace = pace

    @property
    def model(self) -> CharacterModel:
        """The character being shown."""
        return self.keys.model

    @property
    def size(self) -> int:
        """Side of the pictures that are shown, in pixels."""
        upscaler = self.keys.upscaler
        return upscaler.size if upscaler is not None else self.model.size

    @property
    def pace(self) -> Pace:
        """The pace in force."""
        return self._pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        if pace != self._pace:
            # the next frame is a key frame if one can be had, so that a change shows within one frame
            if pace.late != self._pace.late:
                self.keys.forget_times()
            self._pace, self._since_key = pace, 1 << 30
            if not pace.late:
                self._queue.clear()
                self.keys.hurry()

    @property
    def draws_next(self) -> bool:
        """Will the next frame wait for a picture to be rendered?"""
        if self._pace.late:
            return False
        due = self._since_key + 1 >= self._pace.stride
        return due and not self.keys.busy and not (self._pace.between and self._draws_meanwhile())

    def take_times(self) -> Times:
        """What was done since the last call and how long it took; see :data:`core.render.key_frames.Times`."""
        taken, self._times = self._times, []
        return taken

    def warm(self, pose: PoseVector) -> None:
        """Draw a first picture before anybody waits for it; on the thread that made this. Raises AccelError."""
        newest = self._newest = self.keys.draw(self.quantiser(pose))
        # bent once as well: the first time takes three times as long, for the memory
        turned = newest.pose.copy()
        turned[ROTATION] += _A_LITTLE
        displacement = self.model.motion([newest.pose], turned)
        if displacement is not None:
            change = self.model.face_change(newest.pose, turned)
            self._composer.compose(newest.picture, newest.bands, displacement=displacement, change=change)

    def takes(self, upscaler: Upscaler) -> bool:
        """Is it made for pictures of this model's size?"""
        return self.model.size * FACTOR == upscaler.size

    def prepare(self, upscaler: Upscaler) -> None:
        """It will finish pictures soon, if it takes them. May be called from any thread."""
        if self.takes(upscaler):
            self._composer.prepare(upscaler.size)

    def follow(self, earlier: Pipeline) -> None:
        """Go on where another one's pictures end: those that are shown late begin with what was not shown yet."""
        self._history.extend(earlier._history)
        self._newest_moment, self._shown_ns = earlier._newest_moment, earlier._shown_ns

    def show_again(self) -> None:
        """The next call gives a picture even if nothing moved: whoever looks now has not seen the last one."""
        self._shown, self._since_key = (), 1 << 30

    def close(self, limit_s: float = END_LIMIT_S) -> None:
        """Afterwards nobody draws with the model any more; the picture at hand is waited for, at most so long."""
        self.keys.close(limit_s)

    def next(self, sample: Sample) -> Rendered | None:
        """The picture for the next output frame, or None when it would be the same as the last one.

        Raises AccelError when the model's runtime failed.
        """
        self._since_key += 1
        if self._pace.late:
            return self._next_of_batch(sample)
        drawn = self.keys.take()
        if drawn is not None:
            self._take_begun(drawn)
        if not self._pace.between and not self._is_due():
            return None
        moment = self._moment(sample)
        if self._is_newest(moment.pose):
            self._newest_moment = moment
        else:
            self._advance(moment)
        newest = self._newest
        if newest is None:
            return None
        if self._pace.between:
            wanted = moment.bent if self.quantiser.level not in (OFF, self._turning.level) else moment.pose
            if not np.array_equal(newest.pose, wanted):
                return self._bend(newest, wanted, moment)
            return self._show(newest, newest.picture, moment)
        if np.array_equal(newest.pose, moment.pose):
            return self._show(newest, newest.picture, moment)
        # bending was switched off while a picture was drawn: until it is there, nothing may stand still
        return self._bend(newest, moment.pose, moment)

    # -- pictures bent to the pose of now --------------------------------------------------------------------------

    def _is_newest(self, pose: PoseVector) -> bool:
        """Is the newest picture of this pose, and finished as pictures are now?"""
        newest = self._newest
        return newest is not None and newest.finish == self.keys.finish and np.array_equal(newest.pose, pose)

    def _advance(self, moment: Moment) -> None:
        """Have a picture of this pose, now or later."""
        known = self.keys.remembered(moment.pose)
        if known is not None:
            self._take(known, moment)
        elif self._is_due() and not self.keys.busy:
            self._since_key = 0
            if self._pace.between and self._newest is not None and self._draws_meanwhile():
                self._begun = moment
                self.keys.begin(moment.pose)
            else:
                self._take(self.keys.draw(moment.pose), moment)

    def _bend(self, newest: Drawn, pose: PoseVector, moment: Moment) -> Rendered | None:
        look = self._look(newest, newest.picture, pose, moment.placement)
        if look == self._shown:
            return None
        started = now_ns()
        rendered = [newest.pose] if self._earlier is None else [self._earlier, newest.pose]
        with self._bent.lock:
            displacement = self.model.motion(rendered, pose)
            change = self.model.face_change(newest.pose, pose) if displacement is not None else None
        if displacement is None:
            return self._show(
                newest, newest.picture, replace(self._newest_moment or moment, placement=moment.placement)
            )
        self._shown, self._shown_ns = look, moment.sampled_ns
        picture = self._composer.compose(
            newest.picture, newest.bands, moment.placement, displacement, newest.serial, change
        )
        self._times.append(("between", now_ns() - started))
        return Rendered(picture, True, moment.packet_ns, moment.sampled_ns, moment.presence)

    def _draws_meanwhile(self) -> bool:
        """Does a picture take so long that frames would be late if the loop waited for it?"""
        share = self.keys.expected_ns / self._pace.interval_ns
        if not share:
            return True  # not known yet: super-resolution may have come, and waiting for that could take long
        if share > _FITS_NO_MORE:
            self._meanwhile = True
        elif share < _FITS:
            self._meanwhile = False
        return self._meanwhile

    def _is_due(self) -> bool:
        return self._since_key >= self._pace.stride

    # -- pictures drawn between two --------------------------------------------------------------------------------

    def _next_of_batch(self, sample: Sample) -> Rendered | None:
        """Shows, evenly spaced, the pictures that lead from one key frame to the next, while the next are drawn."""
        now = now_ns()
        if not self._queue:
            drawn = self.keys.take()
            if drawn is not None:
                self._queue_up(drawn)
        moment = self._moment(sample)
        self._begin_batch(moment)
        if now + self._pace.interval_ns // 2 < self._queue_due_ns:
            return None
        if not self._queue:
            return self._fill()
        self._queue_due_ns = max(self._queue_due_ns, now) + self._spacing_ns
        picture, drawn, moment, in_between = self._queue.popleft()
        return self._show(drawn, picture, moment, in_between)

    def _fill(self) -> Rendered | None:
        """The pictures that should be shown are not there yet, because one was switched to them a moment ago or because
        they take longer than the last: the newest picture goes on meanwhile, in slow motion, so that the first ones are
        newer than what was shown."""
        newest = self._newest
        if newest is None or not self._shown_ns:
            return None
        shown = at(self._history, self._shown_ns + self._pace.interval_ns // _SLOW_MOTION)
        if shown.sampled_ns <= self._shown_ns:
            return None
        if np.array_equal(newest.pose, shown.bent):
            return self._show(newest, newest.picture, shown)
        return self._bend(newest, shown.bent, shown)

    @property
    def _spacing_ns(self) -> int:
        """From one picture to the next: an output frame, or longer where drawing them takes longer."""
        return max(self._pace.interval_ns, self.keys.expected_ns // self._steps)

    @property
    def _steps(self) -> int:
        """Pictures from one key frame to the next, with that: where key frames take long, bent ones fill the time."""
        steps = self._pace.stride
        if self._pace.between == SMOOTH:
            steps = max(steps, min(math.ceil(self.keys.expected_ns / self._pace.interval_ns), _MOST_STEPS))
        return steps

    def _queue_up(self, drawn: Drawn) -> None:
        """What is not newer than what was shown is left out: time never goes back on screen."""
        older, newer = self._newest_moment, self._begun
        assert newer is not None
        self._take(drawn, newer)
        for number, picture in enumerate(drawn.between, 1):
            moment = between(older, newer, number / (len(drawn.between) + 1)) if older is not None else newer
            if older is None or moment.sampled_ns > self._shown_ns:
                self._queue.append((picture, drawn, moment, True))
        if newer.sampled_ns > self._shown_ns:
            self._queue.append((drawn.picture, drawn, newer, False))

    def _begin_batch(self, moment: Moment) -> None:
        """Begin the next one so that it is done when the last one was shown, not earlier: its pose is newer then."""
        left_ns = len(self._queue) * self._spacing_ns
        if self.keys.busy or not self._is_due() or left_ns > self.keys.expected_ns + self._pace.interval_ns:
            return
        newest = self._newest
        if newest is not None and self._is_newest(moment.pose):
            if not self._queue:
                # nothing moves: what stands there is shown where it stands now
                self._queue.append((newest.picture, newest, moment, False))
                self._newest_moment = moment
            return
        older, self._begun, self._since_key = self._newest_moment, moment, 0
        self.keys.interpolator = self._bent if self._pace.between == SMOOTH else self.rife
        known = self.keys.remembered(moment.pose)
        if newest is None or newest.plain is None or np.array_equal(newest.pose, moment.pose):
            self.keys.begin(moment.pose, known=known)
        else:
            way = path(self._history, older, moment, newest.pose, self._steps)
            self.keys.begin(moment.pose, newest, way, known)

    # -- both ------------------------------------------------------------------------------------------------------

    def _moment(self, sample: Sample) -> Moment:
        moment, sampled_ns = sample()
        placement = self.movement.place(moment.position, moment.presence, sampled_ns)
        pose = self.quantiser(moment.pose)
        bent = pose.copy()
        bent[ROTATION] = self._turning(moment.pose)[ROTATION]
        taken = Moment(pose, bent, moment.packet_ns, sampled_ns, moment.presence, placement)
        self._history.append(taken)
        return taken

    def _take_begun(self, drawn: Drawn) -> None:
        """What was begun is the newest picture now, unless a better one was had meanwhile."""
        begun, at = self._begun, self._newest_moment
        overtaken = begun is not None and at is not None and at.sampled_ns > begun.sampled_ns
        if overtaken and self._newest is not None and self._newest.finish == drawn.finish:
            self.keys.remember(drawn)
            self._times += drawn.times
        else:
            self._take(drawn, begun)

    def _take(self, drawn: Drawn, moment: Moment | None) -> None:
        self._earlier = self._newest.pose if self._newest is not None else None
        self._newest, self._newest_moment = drawn, moment
        self.keys.remember(drawn)
        self._times += drawn.times

    def _show(self, drawn: Drawn, picture: Picture, moment: Moment, in_between: bool = False) -> Rendered | None:
        """A picture as it was made, where the avatar stands."""
        look = self._look(drawn, picture, drawn.pose, moment.placement)
        if look == self._shown:
            return None
        self._shown, self._shown_ns = look, moment.sampled_ns
        composed = self._composer.compose(picture, drawn.bands, moment.placement)
        return Rendered(composed, in_between, moment.packet_ns, moment.sampled_ns, moment.presence)

    def _look(self, drawn: Drawn, picture: Picture, pose: PoseVector, placement: Placement) -> tuple[object, ...]:
        """Differs whenever something else would be seen, or the same elsewhere."""
        # -0 and 0 are the same place but not the same bytes
        where = b"" if placement.stays(self.size) else (placement.matrix(self.size) + 0.0).tobytes()
        return drawn.serial, id(picture), pose.tobytes(), where
