"""From poses to pictures: which frames are rendered, which are bent or drawn between, and which need not be shown."""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from core.pose.mixer import PoseMoment
from core.pose.parameters import Pose, PoseVector, neutral
from core.render import key_frames, pipeline
from core.render.key_frames import Drawn, Interpolator, KeyFrames, PictureCache
from core.render.movement import IN_PLACE, Movement, Placement
from core.render.pipeline import MOTION, RIFE, SMOOTH, Pace, Pipeline
from core.wire.errors import AccelError, RuntimeFailed
from models.base import Picture
from models.motion import CELLS, Displacement, FaceChange

LIMIT_S = 5.0
MILLISECOND = 1_000_000
INTERVAL_NS = Pace().interval_ns
PACKET_OFFSET_NS = 1_000_000
FAST_MS, SLOW_MS = 2.0, 40.0
"""Waited for, and drawn meanwhile: less and more than an output frame's time."""
SIZE, FIRST, WAY = 64, 16.0, 32.0
NEAR = 0.004
"""Values read from pictures are about as exact as that; a step of the face is larger."""


class Clock:
    """Passes only when somebody lets it. Who works on the test's own thread lets it pass; who works on another waits
    until it has passed."""

    def __init__(self) -> None:
        self.now, self.due, self.begun = 10**12, 0, 0
        self._owner = threading.get_ident()
        self._changed = threading.Condition()
        self._open = self._done = False

    def __call__(self) -> int:
        # who worked elsewhere was done when it was due, even if the test looks only later
        return self.due if self._done and threading.get_ident() != self._owner else self.now

    def passes(self, nanoseconds: float) -> None:
        with self._changed:
            self.now += round(nanoseconds)
            self._changed.notify_all()

    def work(self, milliseconds: float) -> None:
        if threading.get_ident() == self._owner:
            self.passes(milliseconds * MILLISECOND)
            return
        with self._changed:
            self.due, self.begun = self.now + round(milliseconds * MILLISECOND), self.begun + 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._open or self.now >= self.due, LIMIT_S)
            self._done = True

    @contextlib.contextmanager
    def somebody_begins(self, work: bool) -> Iterator[None]:
        """Begins something on another thread, and goes on when it is at work there."""
        before, self._done = self.begun, False
        yield
        with self._changed:
            assert not work or self._changed.wait_for(lambda: self.begun > before, LIMIT_S)

    def open(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._open = True
            self._changed.notify_all()


class PunctualKeys(KeyFrames):
    """A picture that is drawn meanwhile is done when the clock says so, neither earlier nor later."""

    def __init__(self, clock: Clock, model: SlidingModel, cache: PictureCache | None, name: bytes) -> None:
        super().__init__(model, cache, name)
        self.clock = clock
        self.punctual = True

    def begin(
        self,
        pose: PoseVector,
        after: Drawn | None = None,
        path: Sequence[PoseVector] = (),
        known: Drawn | None = None,
    ) -> None:
        assert not self.busy
        with self.clock.somebody_begins(work=known is None or known.plain is None):
            super().begin(pose, after, path, known)

    def take(self, limit_s: float = 0.0) -> Drawn | None:
        left_ns = self.clock.due - self.clock.now
        if self.busy and limit_s > 0.0 and left_ns > 0:
            self.clock.passes(min(left_ns, limit_s * 1e9))
        done = self.busy and self.clock.now >= self.clock.due
        return super().take(LIMIT_S if done and self.punctual else 0.0)


class SlidingModel:
    """Its picture is a soft spot that stands the farther to the right the larger the pose's first value is."""

    family = "small"

    def __init__(self, clock: Clock, takes_ms: float) -> None:
        self.size = SIZE
        self.clock, self.takes_ms = clock, takes_ms
        self.rendered: list[float] = []
        self.on_threads: list[str] = []
        self.bent: list[tuple[float, ...]] = []
        """The first values of the pictures' poses and of the pose wanted."""
        self.bends = True
        self.faces: list[tuple[float, float]] = []
        """The first values of the picture's pose and of the pose whose face was asked for."""
        self.paints = False
        self.fails: Exception | None = None
        self.at_motion: Callable[[], None] = lambda: None

    def render(self, pose: PoseVector, out: Picture) -> None:
        self.rendered.append(round(float(pose[0]), 4))
        self.on_threads.append(threading.current_thread().name)
        self.clock.work(self.takes_ms)
        if self.fails is not None:
            raise self.fails
        across = np.arange(SIZE) - (FIRST + WAY * float(pose[0]))
        alpha = 220.0 * np.exp(-((across / 4.0) ** 2))[None, :] * np.ones((SIZE, 1))
        np.copyto(out, np.rint(alpha)[..., None].astype(np.uint8))

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        self.bent.append((*(round(float(older[0]), 4) for older in rendered), round(float(pose[0]), 4)))
        self.at_motion()
        if not self.bends:
            return None
        moved: Displacement = np.zeros((CELLS, CELLS, 2), np.float32)
        moved[..., 0] = (float(rendered[-1][0]) - float(pose[0])) * WAY / SIZE
        return moved

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        self.faces.append((round(float(rendered[0]), 4), round(float(pose[0]), 4)))
        if not self.paints:
            return None
        paint = np.zeros((SIZE, SIZE, 4), np.int16)
        paint[..., 0] = -255
        return FaceChange(paint, 0, 0, SIZE)

    def remember_up_to(self, bytes_: int) -> None:
        pass

    def close(self) -> None:
        pass


class Face:
    """What the pipeline samples: ``value`` moves on by ``step`` with every output frame."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.value, self.step = 0.0, 0.01
        self.yaw = 0.0
        self.position = (0.0, 0.0, 0.0)
        self.tracked = True
        self.looks = 0

    @property
    def pose(self) -> PoseVector:
        made = neutral()
        made[0], made[Pose.HEAD_Y] = self.value, self.yaw
        return made

    def __call__(self) -> tuple[PoseMoment, int]:
        self.looks += 1
        sampled = self.clock.now
        packet = sampled - PACKET_OFFSET_NS if self.tracked else 0
        return PoseMoment(self.pose, packet, self.value, self.position), sampled


class Rife:
    """Fades from one picture to the other: the spot's middle moves evenly."""

    name = "rife"
    any_size = False

    def __init__(self) -> None:
        self.asked: list[list[float]] = []
        self.fails: Exception | None = None

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture], poses: Sequence[PoseVector]) -> None:
        self.asked.append([round(float(pose[0]), 4) for pose in poses])
        if self.fails is not None:
            raise self.fails
        for number, picture in enumerate(out, 1):
            share = number / (len(out) + 1)
            np.copyto(picture, np.rint(older * (1.0 - share) + newer * share).astype(np.uint8))


class Doubler:
    """Every pixel four times."""

    name, size = "doubler", 2 * SIZE

    def apply(self, picture: Picture, out: Picture) -> None:
        np.copyto(out, picture.repeat(2, axis=0).repeat(2, axis=1))


class Cache:
    """Remembers everything."""

    def __init__(self) -> None:
        self.pictures: dict[bytes, Picture] = {}

    def get(self, key: bytes, out: Picture) -> bool:
        found = self.pictures.get(key)
        if found is None or found.shape != out.shape:
            return False
        np.copyto(out, found)
        return True

    def put(self, key: bytes, picture: Picture, cost_ns: int) -> None:
        self.pictures[key] = picture.copy()


@dataclass(frozen=True)
class Shown:
    """What was on screen after an output frame."""

    value: float
    in_between: bool
    packet_ns: int
    sampled_ns: int
    presence: float
    picture: Picture
    frame: int
    wanted: float
    """What the face was when the frame was made."""


class Stage:
    """A face before a pipeline, output frame by output frame."""

    def __init__(self, pace: Pace, takes_ms: float, cache: PictureCache | None, movement: Movement | None) -> None:
        self.clock = Clock()
        self.model = SlidingModel(self.clock, takes_ms)
        self.face = Face(self.clock)
        self.rife = Rife()
        self.pipeline = Pipeline(self.model, pace, movement, cache, b"somebody")
        self.pipeline.keys = self.keys = PunctualKeys(self.clock, self.model, cache, b"somebody")
        self.pipeline.rife = self.rife
        self.all: list[Shown] = []
        """Everything that was shown."""
        self.number = 0
        self.longest_ns = 0
        """How long the slowest frame took."""
        self._due_ns = self.clock.now

    def frame(self) -> Shown | None:
        self.number += 1
        self._due_ns = max(self._due_ns + INTERVAL_NS, self.clock.now)
        self.clock.passes(self._due_ns - self.clock.now)
        self.face.value = min(self.face.value + self.face.step, 1.0)
        started = self.clock.now
        rendered = self.pipeline.next(self.face)
        self.longest_ns = max(self.longest_ns, self.clock.now - started)
        if rendered is None:
            return None
        assert rendered.picture.flags["C_CONTIGUOUS"]
        shown = Shown(
            value_of(rendered.picture),
            rendered.in_between,
            rendered.packet_ns,
            rendered.sampled_ns,
            rendered.presence,
            rendered.picture.copy(),
            self.number,
            self.face.value,
        )
        self.all.append(shown)
        return shown

    def frames(self, count: int) -> list[Shown | None]:
        return [self.frame() for _ in range(count)]

    def shown(self, count: int) -> list[Shown]:
        """Only those of so many frames that showed something."""
        return [frame for frame in self.frames(count) if frame is not None]

    def values(self, count: int) -> list[float | None]:
        """The picture's value of each output frame; None where nothing new is shown."""
        return [None if frame is None else round(frame.value, 2) for frame in self.frames(count)]

    def stand_still(self, frames: int = 40) -> None:
        """The face stops, and everything that is still to come comes."""
        self.face.step = 0.0
        self.frames(frames)


def value_of(picture: Picture) -> float:
    """Where the spot is."""
    alpha = picture[..., 3].astype(np.float64).sum(axis=0)
    middle = float(alpha @ (np.arange(len(alpha)) + 0.5) / alpha.sum()) / len(alpha) * SIZE - 0.5
    return (middle - FIRST) / WAY


def never_back(shown: Sequence[Shown]) -> bool:
    """No picture shows less of the motion than the one before, and no key frame is shown twice."""
    return all(
        newer.value > older.value - NEAR / 2
        and newer.sampled_ns >= older.sampled_ns
        and (newer.in_between or older.in_between or not np.array_equal(newer.picture, older.picture))
        for older, newer in itertools.pairwise(shown)
    )


MakeStage = Callable[..., Stage]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeStage]:
    """Puts pipelines on stages of their own, and closes them."""
    made: list[Stage] = []

    def make(
        pace: Pace | None = None,
        takes_ms: float = FAST_MS,
        cache: PictureCache | None = None,
        movement: Movement | None = None,
        warm: bool = True,
    ) -> Stage:
        new = Stage(pace or Pace(), takes_ms, cache, movement)
        monkeypatch.setattr(pipeline, "now_ns", new.clock)
        monkeypatch.setattr(key_frames, "now_ns", new.clock)
        made.append(new)
        if warm:
            new.pipeline.warm(new.face.pose)
            new.model.rendered.clear()
            new.model.on_threads.clear()
            new.model.bent.clear()
            new.model.faces.clear()
        return new

    yield make
    for old in made:
        old.clock.open()
        old.pipeline.close()


OFF, LIMITED = Pace(), Pace(render_rate=20.0)
MOTION_1, MOTION_2, MOTION_4, MOTION_LIMITED = Pace(MOTION, 1), Pace(MOTION, 2), Pace(MOTION, 4), Pace(MOTION, 2, 20.0)
RIFE_2, RIFE_4, SMOOTH_3 = Pace(RIFE, 2), Pace(RIFE, 4), Pace(SMOOTH, 3)
AT_ONCE = [OFF, LIMITED, MOTION_1, MOTION_2, MOTION_4, MOTION_LIMITED]
LATE = [RIFE_2, RIFE_4, SMOOTH_3]
PACES = AT_ONCE + LATE
CHANGES = list(itertools.permutations(PACES, 2))
BOTH = pytest.mark.parametrize("takes_ms", [FAST_MS, SLOW_MS])
BENDING = pytest.mark.parametrize("pace", [MOTION_1, MOTION_2, MOTION_4, MOTION_LIMITED])


def name_of(pace: object) -> str | None:
    if not isinstance(pace, Pace):
        return None
    return f"{pace.between or 'off'}-{pace.factor}{'-limited' if pace.render_rate else ''}"


ALL_PACES = pytest.mark.parametrize("pace", PACES, ids=name_of)
ALL_CHANGES = pytest.mark.parametrize(("before", "after"), CHANGES, ids=name_of)


# -- strides ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pace", "stride"),
    [
        (Pace(), 1),
        (Pace(factor=4), 1),
        (Pace(MOTION), 1),
        (Pace(MOTION, 4), 4),
        (Pace(RIFE), 2),
        (Pace(RIFE, 3), 3),
        (Pace(SMOOTH), 2),
        (Pace(render_rate=20.0), 3),
        (Pace(render_rate=30.0), 2),
        (Pace(render_rate=60.0), 1),
        (Pace(render_rate=144.0), 1),
        (Pace(render_rate=25.0), 3),
        (Pace(render_rate=30.0, frame_rate=59.94), 2),
        (Pace(render_rate=59.94, frame_rate=60.0), 1),
        (Pace(MOTION, 2, 20.0), 3),
        (Pace(MOTION, 4, 20.0), 4),
        (Pace(render_rate=20.0, frame_rate=10.0), 1),
        (Pace(least_stride=3), 3),
        (Pace(MOTION, 2, least_stride=3), 3),
        (Pace(MOTION, 4, least_stride=3), 4),
        (Pace(RIFE, least_stride=5), 5),
        (Pace(render_rate=20.0, least_stride=2), 3),
    ],
)
def test_the_stride_follows_from_factor_limit_and_governor(pace: Pace, stride: int) -> None:
    assert pace.stride == stride


def test_the_interval_is_that_of_the_frame_rate() -> None:
    assert Pace(frame_rate=50.0).interval_ns == 20 * MILLISECOND
    assert Pace(frame_rate=0.0).interval_ns == Pace(frame_rate=60.0).interval_ns == 16_666_667


# -- nothing between --------------------------------------------------------------------------------------------------


@BOTH
def test_without_in_betweens_every_frame_is_a_key_frame_shown_at_once(stage: MakeStage, takes_ms: float) -> None:
    on = stage(OFF, takes_ms)
    assert on.values(4) == [0.01, 0.02, 0.03, 0.04]
    assert [shown.presence for shown in on.all] == pytest.approx([0.01, 0.02, 0.03, 0.04])
    assert not any(shown.in_between for shown in on.all)
    assert on.model.bent == []
    assert "key-frames" not in on.model.on_threads


@pytest.mark.parametrize("rate", [30.0, 20.0, 15.0])
def test_a_render_limit_leaves_frames_out_and_shows_keys_at_once(stage: MakeStage, rate: float) -> None:
    on, stride = stage(Pace(render_rate=rate)), round(60 / rate)
    values = on.values(3 * stride)
    expected = [round(0.01 * (frame + 1), 2) if frame % stride == 0 else None for frame in range(3 * stride)]
    assert values == expected
    assert on.face.looks == 3, "the pose is sampled for key frames only"


# -- bent to the pose of now ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_between_key_frames_that_fit_pictures_are_bent_to_the_pose_of_now(stage: MakeStage, factor: int) -> None:
    on = stage(Pace(MOTION, factor))
    shown = on.shown(20)
    assert [frame.in_between for frame in shown] == [number % factor != 0 for number in range(20)]
    for number, frame in enumerate(shown, 1):
        assert frame.value == pytest.approx(0.01 * number, abs=NEAR), "no delay"
        assert frame.presence == pytest.approx(0.01 * number)
    assert on.model.rendered == [round(0.01 * number, 4) for number in range(1, 21, factor)]
    assert set(on.model.on_threads) == {threading.current_thread().name}


@BENDING
@BOTH
def test_times_are_those_of_the_frame_itself(stage: MakeStage, pace: Pace, takes_ms: float) -> None:
    on = stage(pace, takes_ms)
    on.frame()
    for _ in range(19):
        on.face.tracked = on.number % 5 != 0
        due = on.clock.now
        frame = on.frame()
        assert frame is not None
        assert due < frame.sampled_ns <= on.clock.now
        assert frame.packet_ns == (frame.sampled_ns - PACKET_OFFSET_NS if on.face.tracked else 0)
    assert len({frame.sampled_ns for frame in on.all}) == 20


def test_the_model_is_told_the_last_two_pictures_and_the_pose_of_now(stage: MakeStage) -> None:
    on = stage(MOTION_2)
    on.frames(6)
    assert on.model.bent == [(0.0, 0.01, 0.02), (0.01, 0.03, 0.04), (0.03, 0.05, 0.06)]


def test_a_bent_picture_has_the_face_of_now(stage: MakeStage) -> None:
    on = stage(Pace("motion", 3))
    on.model.paints = True
    shown = on.shown(30)
    assert {frame.in_between for frame in shown} == {False, True}
    for frame in shown:
        assert frame.picture[..., 1].any()
        assert frame.picture[..., 0].any() != frame.in_between
    assert on.model.faces == [(bent[-2], bent[-1]) for bent in on.model.bent]


def test_of_the_first_picture_nothing_came_before(stage: MakeStage) -> None:
    on = stage(MOTION_2, warm=False)
    on.frames(2)
    assert on.model.bent == [(0.01, 0.02)]


def test_a_picture_that_takes_long_is_drawn_meanwhile_and_frames_go_on(stage: MakeStage) -> None:
    """40 ms are not over two frames later, but three."""
    on = stage(MOTION_1, SLOW_MS)
    shown = on.shown(13)
    assert len(shown) == 13
    assert all(frame.in_between for frame in shown)
    assert [frame.value for frame in shown] == pytest.approx([0.01 * number for number in range(1, 14)], abs=NEAR)
    assert on.longest_ns == 0, "nobody waited"
    assert set(on.model.on_threads) == {"key-frames"}
    assert on.model.rendered == [0.01, 0.04, 0.07, 0.1, 0.13], "the next one begins at once"
    assert [bent[-2] for bent in on.model.bent] == [0.0] * 3 + [0.01] * 3 + [0.04] * 3 + [0.07] * 3 + [0.1]


def test_a_slow_model_is_not_asked_for_more_than_the_limit(stage: MakeStage) -> None:
    on = stage(Pace(MOTION, 1, render_rate=10.0), SLOW_MS)
    assert len(on.shown(13)) == 13
    assert on.model.rendered == [0.01, 0.07, 0.13]
    assert [bent[-2] for bent in on.model.bent] == [0.0] * 3 + [0.01] * 6 + [0.07] * 4


def test_a_face_that_stops_is_shown_exactly_once(stage: MakeStage) -> None:
    on = stage(MOTION_1, SLOW_MS)
    on.frames(10)
    on.face.step = 0.0
    shown = on.shown(12)
    assert [frame.in_between for frame in shown] == [False]
    assert shown[0].value == pytest.approx(on.face.value, abs=NEAR)
    assert on.model.rendered[-1] == round(on.face.value, 4)


def test_a_face_that_goes_back_to_what_is_on_screen_is_not_shown_otherwise_again(stage: MakeStage) -> None:
    """What was begun for the way there is not better than the exact picture."""
    on = stage(MOTION_1, SLOW_MS)
    on.stand_still()
    on.face.value += 0.1
    on.frame()
    on.face.value -= 0.1
    shown = on.shown(20)
    assert [frame.in_between for frame in shown] == [False]
    assert shown[0].value == pytest.approx(on.face.value, abs=NEAR)


def test_what_is_waited_for_does_not_change_with_every_measurement(stage: MakeStage) -> None:
    """Between the two limits it stays as it was."""
    between_ms = 0.7 * INTERVAL_NS / MILLISECOND
    on = stage(MOTION_1, FAST_MS)
    on.frames(3)
    on.model.takes_ms = between_ms
    on.frames(30)
    assert "key-frames" not in on.model.on_threads
    on.face.value, on.model.takes_ms = 0.0, SLOW_MS
    on.frames(10)
    on.model.takes_ms = between_ms
    on.frames(30)
    assert on.model.on_threads[-1] == "key-frames"
    on.face.value, on.model.takes_ms = 0.0, FAST_MS
    on.frames(60)
    assert on.model.on_threads[-1] != "key-frames"
    assert on.all[-1].value == pytest.approx(on.face.value, abs=NEAR)


def test_a_coarse_grid_holds_for_what_is_rendered_and_not_for_turning(stage: MakeStage) -> None:
    """The head turns by finer steps than are worth a picture."""
    on = stage(MOTION_4)
    on.pipeline.quantiser.level = "highest"
    on.face.value, on.face.step = 0.4, 0.0
    on.frames(4)
    seen = []
    for _ in range(20):
        on.face.yaw += 0.012
        seen.append(on.frame())
    assert all(frame is not None for frame in seen)
    assert sum(frame is not None and frame.in_between for frame in seen) >= 14
    assert len(on.model.rendered) <= 6


# -- nothing moves ----------------------------------------------------------------------------------------------------


@ALL_PACES
@BOTH
def test_a_pose_that_does_not_change_costs_and_shows_nothing(stage: MakeStage, pace: Pace, takes_ms: float) -> None:
    on = stage(pace, takes_ms)
    on.frames(12)
    on.stand_still()
    last = on.all[-1]
    assert last.value == pytest.approx(on.face.value, abs=NEAR)
    assert not last.in_between, "what stays is exact"
    rendered, bent, asked = len(on.model.rendered), len(on.model.bent), len(on.rife.asked)
    assert on.frames(40) == [None] * 40
    assert (len(on.model.rendered), len(on.model.bent), len(on.rife.asked)) == (rendered, bent, asked)
    assert not on.keys.busy


@ALL_PACES
@pytest.mark.parametrize("level", ["low", "medium", "gaming"])
def test_a_face_at_rest_beside_the_grid_costs_and_shows_nothing(stage: MakeStage, pace: Pace, level: str) -> None:
    on = stage(pace)
    on.pipeline.quantiser.level = level
    on.face.yaw = 0.377
    on.stand_still()
    rendered, bent, asked = len(on.model.rendered), len(on.model.bent), len(on.rife.asked)
    assert on.frames(40) == [None] * 40
    assert (len(on.model.rendered), len(on.model.bent), len(on.rife.asked)) == (rendered, bent, asked)


@ALL_PACES
@BOTH
def test_after_standing_still_it_moves_on_from_what_is_shown(stage: MakeStage, pace: Pace, takes_ms: float) -> None:
    on = stage(pace, takes_ms)
    on.frames(12)
    on.stand_still()
    still = on.all[-1]
    on.face.step = 0.01
    moved = on.shown(20)
    assert never_back([still, *moved])
    if not pace.late:
        assert moved[0].frame == on.number - 20 + 1 or pace.render_rate > 0.0
    assert moved[-1].value > still.value + 0.08


@pytest.mark.parametrize("pace", LATE, ids=name_of)
def test_after_standing_still_the_way_is_that_of_the_last_frames(stage: MakeStage, pace: Pace) -> None:
    """The pictures between lie between the last moment of rest and the first of motion, not somewhere in the rest."""
    on = stage(pace)
    on.frames(12)
    on.stand_still(100)
    began_ns, rest = on.clock.now, on.face.value
    on.face.step = 0.01
    moved = on.shown(16)
    assert all(frame.sampled_ns >= began_ns - 2 * pace.stride * INTERVAL_NS for frame in moved)
    assert moved[0].value > rest + NEAR / 4, "the first picture that is shown shows something new"


@ALL_PACES
def test_whoever_looks_now_is_shown_the_same_again(stage: MakeStage, pace: Pace) -> None:
    on = stage(pace)
    on.frames(12)
    on.stand_still()
    last, rendered = on.all[-1], len(on.model.rendered)
    on.pipeline.show_again()
    again = on.shown(3 if pace.late else 1)
    assert len(again) == 1
    assert np.array_equal(again[0].picture, last.picture)
    assert on.frames(20) == [None] * 20
    assert len(on.model.rendered) == rendered


# -- changes of pace --------------------------------------------------------------------------------------------------


def changed(stage: MakeStage, before: Pace, after: Pace, takes_ms: float) -> Iterator[Stage]:
    """Stages on which the pace was just changed, at every place of the rhythm."""
    for frames_before in range(1, 2 * before.stride + 7):
        on = stage(before, takes_ms)
        on.frames(frames_before)
        on.pipeline.pace = after
        yield on


@BOTH
@ALL_CHANGES
def test_a_change_of_pace_is_seen_on_the_very_next_frame(
    stage: MakeStage, before: Pace, after: Pace, takes_ms: float
) -> None:
    """Where pictures are shown late the first one must be drawn before; that takes no longer than drawing it."""
    for on in changed(stage, before, after, takes_ms):
        frames = 2 * math.ceil(takes_ms * MILLISECOND / INTERVAL_NS) + 1 if after.late else 1
        assert len(on.shown(frames)) > 0


@BOTH
@ALL_CHANGES
def test_a_change_of_pace_goes_never_back_in_time_and_shows_nothing_twice(
    stage: MakeStage, before: Pace, after: Pace, takes_ms: float
) -> None:
    for on in changed(stage, before, after, takes_ms):
        on.frames(16)
        assert never_back(on.all)


@BOTH
@ALL_CHANGES
def test_after_a_change_of_pace_nobody_waits_longer_than_for_one_picture(
    stage: MakeStage, before: Pace, after: Pace, takes_ms: float
) -> None:
    for on in changed(stage, before, after, takes_ms):
        on.frames(8)
        assert on.longest_ns <= takes_ms * MILLISECOND


@BOTH
@ALL_CHANGES
def test_a_change_of_pace_over_a_still_face_ends_with_the_exact_picture(
    stage: MakeStage, before: Pace, after: Pace, takes_ms: float
) -> None:
    for on in changed(stage, before, after, takes_ms):
        on.stand_still(30)
        exact = [frame for frame in on.all if frame.value > on.face.value - NEAR and not frame.in_between]
        assert len(exact) == 1
        assert on.all[-1] is exact[0]
        assert on.frames(10) == [None] * 10


@ALL_CHANGES
def test_a_change_of_pace_over_a_face_at_rest_shows_nothing(stage: MakeStage, before: Pace, after: Pace) -> None:
    on = stage(before)
    on.frames(6)
    on.stand_still()
    on.pipeline.pace = after
    assert on.frames(20) == [None] * 20


@pytest.mark.parametrize("takes_ms", [SLOW_MS, 30_000.0])
def test_bending_switched_off_goes_on_until_the_picture_at_hand_is_there(stage: MakeStage, takes_ms: float) -> None:
    """Nothing waits for it, however long it takes."""
    on = stage(MOTION_1, takes_ms)
    on.frames(2)
    on.pipeline.pace = OFF
    frame = on.frame()
    assert frame is not None
    assert frame.in_between
    assert on.longest_ns <= MILLISECOND
    assert len(on.model.rendered) <= 2


def test_pictures_that_lead_to_one_are_not_drawn_when_nobody_wants_them_any_more(stage: MakeStage) -> None:
    on = stage(RIFE_4, SLOW_MS)
    on.frames(12)
    while not on.keys.busy:
        on.frame()
    asked = len(on.rife.asked)
    on.pipeline.pace = OFF
    on.frames(12)
    assert len(on.rife.asked) == asked


def test_the_same_pace_again_changes_nothing(stage: MakeStage) -> None:
    for pace in PACES:
        untold = stage(pace).values(18)
        told = stage(pace)
        values = told.values(6)
        told.pipeline.pace = Pace(pace.between, pace.factor, pace.render_rate, pace.frame_rate)
        assert values + told.values(12) == untold


def test_no_two_threads_ask_the_model_for_a_motion_at_once(stage: MakeStage) -> None:
    """Rendering may go on while pictures are bent, but a model is not asked how to bend by two at once."""
    on = stage(SMOOTH_3)
    at_work, go_on = threading.Event(), threading.Event()
    own = threading.current_thread().name
    inside: list[str] = []
    together: list[str] = []

    def at_motion() -> None:
        together.extend(inside)
        inside.append(threading.current_thread().name)
        if inside[-1] != own:
            at_work.set()
            go_on.wait(0.1)
        inside.pop()

    on.model.at_motion, on.keys.punctual = at_motion, False
    on.frame()
    assert on.keys.busy
    on.clock.passes(INTERVAL_NS)
    assert at_work.wait(LIMIT_S)
    on.pipeline.pace = MOTION_4
    on.frames(2)
    go_on.set()
    assert together == []


# -- where it stands --------------------------------------------------------------------------------------------------


@ALL_PACES
@BOTH
def test_an_avatar_that_moves_is_the_same_picture_elsewhere(stage: MakeStage, pace: Pace, takes_ms: float) -> None:
    movement = Movement()
    on = stage(pace, takes_ms, movement=movement)
    on.frames(6)
    on.stand_still()
    still, rendered, bent = on.all[-1], len(on.model.rendered), len(on.model.bent)
    for pixels in (4, 9, 0):
        movement.stand = Placement(right=pixels / SIZE) if pixels else IN_PLACE
        shown = on.shown(8)
        assert len(shown) == 1
        assert not shown[0].in_between
        assert np.array_equal(shown[0].picture[:, 10:], np.roll(still.picture, pixels, axis=1)[:, 10:])
    assert (len(on.model.rendered), len(on.model.bent)) == (rendered, bent)


def test_it_is_bent_and_placed_at_once(stage: MakeStage) -> None:
    movement = Movement()
    on = stage(MOTION_4, movement=movement)
    movement.stand = Placement(right=0.1)
    for frame in on.shown(8):
        assert frame.value == pytest.approx(0.01 * frame.frame + 0.1 * SIZE / WAY, abs=2 * NEAR)
    assert [frame.in_between for frame in on.all] == [False, True, True, True] * 2


def test_where_the_head_is_moves_the_avatar_in_every_frame(stage: MakeStage) -> None:
    movement = Movement()
    movement.multiplier, movement.auto_framing = 1.0, False
    on = stage(MOTION_1, movement=movement)
    on.face.step = 0.0
    on.frame()
    seen = []
    for number in range(1, 6):
        on.face.position = (number * 0.02, 0.0, 0.0)
        seen.extend(on.shown(1))
    assert [round(frame.value * WAY / SIZE, 2) for frame in seen] == pytest.approx(
        [number * 0.02 * 400 / 512 for number in range(1, 6)], abs=0.01
    )


@pytest.mark.parametrize("pace", LATE, ids=name_of)
def test_between_two_places_it_stands_between_them(stage: MakeStage, pace: Pace) -> None:
    movement = Movement()
    on = stage(pace, movement=movement)
    for _ in range(30):
        movement.stand = Placement(right=0.005 * on.number)
        on.frame()
    steps = np.diff([frame.value for frame in on.all[6:]])
    assert steps == pytest.approx([0.01 + 0.005 * SIZE / WAY] * len(steps), abs=2 * NEAR)


# -- a model that cannot be bent --------------------------------------------------------------------------------------


def test_a_model_that_cannot_be_bent_shows_its_key_frames(stage: MakeStage) -> None:
    on = stage(Pace(MOTION, 3))
    on.model.bends = False
    assert on.values(7) == [0.01, None, None, 0.04, None, None, 0.07]
    assert not any(frame.in_between for frame in on.all)


def test_a_slow_model_that_cannot_be_bent_shows_each_key_frame_when_it_is_done(stage: MakeStage) -> None:
    on = stage(MOTION_1, SLOW_MS)
    on.model.bends = False
    on.frame()
    on.all.clear()
    assert on.values(11) == [None, None, 0.01, None, None, 0.04, None, None, 0.07, None, None]
    assert not any(frame.in_between for frame in on.all)
    assert on.longest_ns == 0


def test_a_picture_that_is_not_bent_tells_the_time_of_its_own_pose(stage: MakeStage) -> None:
    on = stage(MOTION_1, SLOW_MS)
    on.model.bends = False
    began = []
    for _ in range(12):
        on.frame()
        began.append(on.clock.now)
    shown = [frame for frame in on.all if frame.value > NEAR]
    assert [frame.sampled_ns for frame in shown] == [began[0], began[3], began[6]]
    assert [frame.presence for frame in shown] == pytest.approx([0.01, 0.04, 0.07])


# -- drawn between two ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("between", [RIFE, SMOOTH])
def test_pictures_lead_evenly_from_key_frame_to_key_frame(stage: MakeStage, between: str, factor: int) -> None:
    on = stage(Pace(between, factor), 8.0)
    on.frames(30)
    settled = on.shown(12 * factor)
    assert len(settled) == 12 * factor, "one in every frame"
    assert never_back(on.all)
    assert np.diff([frame.value for frame in settled]) == pytest.approx([0.01] * (len(settled) - 1), abs=NEAR)
    assert np.diff([frame.sampled_ns for frame in settled]) == pytest.approx(
        [INTERVAL_NS] * (len(settled) - 1), rel=0.01
    )
    keys = [number for number, frame in enumerate(settled) if not frame.in_between]
    assert set(np.diff(keys)) == {factor}
    assert all(frame.packet_ns == frame.sampled_ns - PACKET_OFFSET_NS for frame in settled)
    assert max(on.clock.now - frame.sampled_ns for frame in settled[-1:]) < (2 * factor + 2) * INTERVAL_NS
    assert set(on.model.on_threads) == {"key-frames"}
    assert on.longest_ns == 0, "nobody waits"


def test_the_first_picture_is_shown_when_it_is_done(stage: MakeStage) -> None:
    on = stage(RIFE_4, SLOW_MS, warm=False)
    assert on.values(4) == [None, None, None, 0.01]
    assert not on.all[0].in_between
    assert on.rife.asked == []


@pytest.mark.parametrize("before", [None, OFF, MOTION_1, MOTION_4], ids=name_of)
@pytest.mark.parametrize("after", LATE, ids=name_of)
def test_the_first_pictures_lie_between_as_well(stage: MakeStage, before: Pace | None, after: Pace) -> None:
    """Nothing was remembered of the way to the first key frame: then it was straight."""
    on = stage(before or after)
    on.face.step = 0.04
    if before is not None:
        on.frames(5)
        on.pipeline.pace = after
    on.all.clear()
    in_slow_motion = before is not None
    on.frames(after.stride + (12 if in_slow_motion else 2))
    leading = list(itertools.takewhile(lambda frame: frame.in_between, on.all))
    if in_slow_motion:
        assert len(leading) >= after.stride - 1
    else:
        assert len(leading) == after.stride - 1
    values = [frame.value for frame in (*leading, on.all[len(leading)])]
    assert np.diff(values).min() > (0.0 if in_slow_motion else NEAR / 2), "each shows more than the one before"


@BOTH
@pytest.mark.parametrize("after", LATE, ids=name_of)
def test_until_the_first_pictures_between_are_there_it_goes_on_in_slow_motion(
    stage: MakeStage, after: Pace, takes_ms: float
) -> None:
    on = stage(MOTION_1, takes_ms)
    on.frames(9)
    on.pipeline.pace = after
    first = on.frames(2 * math.ceil(takes_ms * MILLISECOND / INTERVAL_NS) + 1)
    assert first[0] is not None
    on.frames(40)
    assert never_back(on.all)
    standing = [len(list(run)) for empty, run in itertools.groupby(first, lambda frame: frame is None) if empty]
    assert max(standing, default=0) <= 3


def test_the_interpolator_is_told_the_poses_there_were(stage: MakeStage) -> None:
    on = stage(RIFE_4, 8.0)
    on.frames(40)
    assert len(on.rife.asked) > 6
    for asked in on.rife.asked[2:]:
        assert len(asked) == 5
        assert np.diff(asked) == pytest.approx([0.01] * 4, abs=0.002)
    assert [asked[-1] for asked in on.rife.asked[:-1]] == [asked[0] for asked in on.rife.asked[1:]]


def test_a_way_that_was_not_straight_is_told_as_it_was(stage: MakeStage) -> None:
    on = stage(RIFE_4, 8.0)
    on.face.value, on.face.step = 0.5, 0.0
    on.frames(20)
    way = []
    for number in range(24):
        on.face.value = 0.5 + 0.3 * math.sin(number / 2.0)
        way.append(round(on.face.value, 4))
        on.frame()
    told = [value for asked in on.rife.asked[-3:] for value in asked[1:]]
    places = [int(np.abs(np.array(way) - value).argmin()) for value in told]
    assert told == pytest.approx([way[place] for place in places], abs=0.001)
    assert places == list(range(places[0], places[0] + len(places)))


@pytest.mark.parametrize("takes_ms", [60.0, 100.0])
@pytest.mark.parametrize("factor", [2, 4])
def test_pictures_of_a_slow_model_are_evenly_spaced(stage: MakeStage, takes_ms: float, factor: int) -> None:
    on = stage(Pace(RIFE, factor), takes_ms)
    on.face.step = 0.003
    on.frames(150)
    settled = on.shown(120)
    gaps = np.diff([frame.frame for frame in settled])
    assert gaps.max() - gaps.min() <= 1, "as even as output frames allow"
    assert gaps.mean() == pytest.approx(takes_ms * MILLISECOND / factor / INTERVAL_NS, rel=0.35)
    steps = np.diff([frame.sampled_ns for frame in settled])
    assert steps.min() > 0
    assert steps.max() < 1.6 * steps.mean()


@pytest.mark.parametrize("takes_ms", [60.0, 100.0])
@pytest.mark.parametrize("factor", [2, 4])
def test_between_slow_pictures_that_can_be_bent_every_frame_shows_one(
    stage: MakeStage, takes_ms: float, factor: int
) -> None:
    on = stage(Pace(SMOOTH, factor), takes_ms)
    on.face.step = 0.003
    on.frames(60)
    settled = on.frames(100)
    assert longest_gap(settled) <= 1 and settled.count(None) <= 5
    steps = np.diff([frame.sampled_ns for frame in settled if frame is not None])
    assert np.median(steps) == pytest.approx(INTERVAL_NS, rel=0.2)


def test_between_very_slow_pictures_there_are_not_any_number_of_them(stage: MakeStage) -> None:
    on = stage(Pace(SMOOTH, 2), 400.0)
    on.face.step = 0.001
    on.frames(300)
    between = [len(list(run)) for in_between, run in itertools.groupby(on.all, lambda frame: frame.in_between)]
    assert max(between[4:]) <= 12


def test_between_idle_and_tracked_there_is_no_packet_time_in_the_middle(stage: MakeStage) -> None:
    on = stage(RIFE_4, 8.0)
    on.face.tracked = False
    on.frames(20)
    assert {frame.packet_ns for frame in on.all} == {0}
    on.face.tracked = True
    since = on.clock.now
    on.frames(20)
    assert all(frame.packet_ns == 0 or frame.packet_ns > since for frame in on.all)
    assert on.all[-1].packet_ns > 0


@pytest.mark.parametrize("pace", LATE, ids=name_of)
@BOTH
def test_a_face_that_stops_is_led_to_and_shown_exactly_once(stage: MakeStage, pace: Pace, takes_ms: float) -> None:
    on = stage(pace, takes_ms)
    on.frames(20)
    on.face.step = 0.0
    on.frames(40)
    assert never_back(on.all)
    exact = [frame for frame in on.all if frame.value > on.face.value - NEAR and not frame.in_between]
    assert len(exact) == 1
    assert on.all[-1] is exact[0]


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations([2, 3, 4, 6], 2)))
def test_another_number_of_steps_goes_on_from_what_is_shown(stage: MakeStage, before: int, after: int) -> None:
    for frames_before in range(10, 10 + 2 * before):
        on = stage(Pace(RIFE, before), 8.0)
        on.frames(frames_before)
        on.pipeline.pace = Pace(RIFE, after)
        shown = on.shown(6 * after)
        assert never_back(on.all)
        assert len(shown) > 3 * after
        assert len(on.rife.asked[-1]) == after + 1


def longest_gap(frames: Sequence[Shown | None]) -> int:
    """Output frames in a row that showed nothing new."""
    return max(
        (len(list(run)) for empty, run in itertools.groupby(frames, lambda each: each is None) if empty), default=0
    )


def test_without_an_interpolator_key_frames_are_bent_towards_what_comes(stage: MakeStage) -> None:
    on = stage(RIFE_4, 8.0)
    on.pipeline.rife = None
    on.frames(8)
    assert longest_gap(on.frames(60)) <= 1
    assert never_back(on.all)


@pytest.mark.parametrize("pace", LATE, ids=name_of)
def test_pictures_that_take_longer_than_the_last_leave_at_most_one_frame_without(stage: MakeStage, pace: Pace) -> None:
    """The first batches behind a switch to super-resolution, say: what there was is bent meanwhile."""
    on = stage(pace, FAST_MS)
    on.frames(40)
    on.model.takes_ms = 15.0 * pace.stride
    assert longest_gap(on.frames(60)) <= 1
    assert never_back(on.all)


@pytest.mark.parametrize("takes_ms", [FAST_MS, 20.0])
@pytest.mark.parametrize("pace", LATE, ids=name_of)
def test_another_character_goes_on_where_the_last_one_ended(
    stage: MakeStage, pace: Pace, takes_ms: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stage(pace, takes_ms)
    before.frames(40)
    after = stage(pace, takes_ms, warm=False)
    after.clock, after.face.clock = before.clock, before.clock
    after.model.clock = after.keys.clock = before.clock
    after.face.value, after._due_ns = before.face.value, before._due_ns
    for module in (pipeline, key_frames):
        monkeypatch.setattr(module, "now_ns", before.clock)
    after.pipeline.warm(before.face.pose)
    after.pipeline.follow(before.pipeline)
    after.all.append(before.all[-1])
    assert longest_gap(after.frames(40)) <= 1
    times = [frame.sampled_ns for frame in after.all]
    assert times == sorted(times), "time never goes back on screen"


def test_memory_for_larger_pictures_can_be_had_before_they_come(stage: MakeStage) -> None:
    on = stage(MOTION_1)
    on.pipeline.prepare(Doubler())
    prepared = on.pipeline._composer._sized[2 * SIZE]
    on.keys.upscaler = Doubler()
    on.pipeline.pace = MOTION_4
    shown = [frame for frame in on.shown(6) if frame.in_between]
    assert len(shown[-1].picture) == 2 * SIZE
    assert on.pipeline._composer._out is prepared.out


def test_a_picture_was_bent_before_anybody_waits_for_it(stage: MakeStage) -> None:
    on = stage(MOTION_1, warm=False)
    on.pipeline.warm(on.face.pose)
    assert len(on.model.bent) == 1 and len(on.model.rendered) == 1


def test_an_interpolator_may_come_and_go(stage: MakeStage) -> None:
    on = stage(RIFE_2, 8.0)
    for rife in (None, on.rife, None, on.rife):
        on.pipeline.rife = rife
        assert len(on.shown(20)) >= 8
    assert never_back(on.all)
    assert any(frame.in_between for frame in on.all)


@pytest.mark.parametrize("upscaled", [False, True])
def test_remembered_key_frames_are_led_to_as_well(stage: MakeStage, upscaled: bool) -> None:
    """Where only the finished picture is known there is nothing to lead from."""
    on = stage(RIFE_2, 8.0, Cache())
    on.keys.upscaler = Doubler() if upscaled else None
    on.frames(30)
    assert never_back(on.all)
    for _ in range(2):
        on.face.value = 0.0
        on.frame()
        on.all.clear()
        on.frames(30)
        assert never_back([frame for frame in on.all if frame.wanted > 0.05])
        assert any(frame.in_between for frame in on.all)
        assert {frame.picture.shape[0] for frame in on.all} == {on.pipeline.size}


def test_a_key_frame_remembered_without_its_plain_picture_is_not_led_from(stage: MakeStage) -> None:
    on = stage(OFF, FAST_MS, Cache())
    on.keys.upscaler = Doubler()
    on.frames(4)
    on.face.step, on.face.value = 0.0, 0.02
    on.frame()  # remembered
    on.pipeline.pace = RIFE_2
    on.pipeline._shown_ns = 0  # pictures in slow motion would lie before
    on.face.step = 0.01
    on.all.clear()
    on.frames(12)
    assert not on.all[0].in_between
    assert any(frame.in_between for frame in on.all)
    assert never_back(on.all)


# -- upscaled, and remembered -----------------------------------------------------------------------------------------


@ALL_PACES
@BOTH
def test_another_upscaler_shows_the_same_pose_in_another_size(stage: MakeStage, pace: Pace, takes_ms: float) -> None:
    on = stage(pace, takes_ms)
    on.frames(6)
    on.stand_still()
    for upscaler in (Doubler(), None):
        on.keys.upscaler = upscaler
        assert on.pipeline.size == (2 * SIZE if upscaler else SIZE)
        shown = on.shown(12)
        assert shown[-1].picture.shape == (on.pipeline.size, on.pipeline.size, 4)
        assert shown[-1].value == pytest.approx(on.face.value, abs=NEAR)
        assert not shown[-1].in_between
        assert len(shown) == 1
        on.stand_still()


@pytest.mark.parametrize("pace", AT_ONCE, ids=name_of)
def test_a_pose_that_was_drawn_before_is_not_drawn_again(stage: MakeStage, pace: Pace) -> None:
    on = stage(pace, FAST_MS, Cache())
    for _ in range(3):
        on.face.value = 0.0
        on.frames(12)
    assert len(on.model.rendered) == len(set(on.model.rendered))
    assert on.model.rendered
    assert any(what == "hit" for what, _ in on.pipeline.take_times())


def test_a_remembered_picture_is_shown_although_none_is_due(stage: MakeStage) -> None:
    on = stage(OFF, FAST_MS, Cache())
    on.frames(12)
    on.pipeline.pace = Pace(MOTION, 12)
    on.face.value = 0.0
    shown = on.shown(12)
    assert [frame.in_between for frame in shown] == [False] * 12
    assert on.model.rendered == [round(0.01 * number, 4) for number in range(1, 13)]


def test_a_remembered_picture_is_not_replaced_by_an_older_one_that_took_longer(stage: MakeStage) -> None:
    """One is begun, the face goes to where it was before and stays: what was begun is not needed any more."""
    on = stage(MOTION_1, SLOW_MS, Cache())
    on.frames(10)
    on.stand_still()
    home = on.face.value
    on.face.value = home + 0.3
    on.frames(12)
    on.face.value = home + 0.2
    on.frame()
    on.face.value = home
    shown = on.shown(20)
    assert [frame.in_between for frame in shown] == [False]
    assert shown[0].value == pytest.approx(home, abs=NEAR)
    assert on.frames(20) == [None] * 20


# -- the first picture, and times -------------------------------------------------------------------------------------


@ALL_PACES
def test_a_pipeline_that_is_warm_shows_its_picture_on_the_first_frame(stage: MakeStage, pace: Pace) -> None:
    on = stage(pace, SLOW_MS)
    on.face.step = 0.0
    frame = on.frame()
    assert frame is not None
    assert not frame.in_between
    assert frame.value == pytest.approx(0.0, abs=NEAR)
    assert on.model.rendered == []
    assert on.frames(10) == [None] * 10


@pytest.mark.parametrize("pace", AT_ONCE, ids=name_of)
def test_a_pipeline_that_is_not_warm_waits_for_its_first_picture(stage: MakeStage, pace: Pace) -> None:
    on = stage(pace, SLOW_MS, warm=False)
    frame = on.frame()
    assert frame is not None
    assert not frame.in_between
    assert frame.value == pytest.approx(0.01, abs=NEAR)


def test_a_model_that_fails_is_told_before_anybody_sees_it(stage: MakeStage) -> None:
    on = stage(MOTION_2, warm=False)
    on.model.fails = RuntimeFailed("lost")
    with pytest.raises(AccelError):
        on.pipeline.warm(on.face.pose)


def test_a_first_picture_is_of_a_rounded_pose(stage: MakeStage) -> None:
    on = stage(OFF, warm=False)
    on.pipeline.quantiser.level = "gaming"
    on.face.value, on.face.step = 0.24, 0.0
    on.pipeline.warm(on.face.pose)
    on.frames(2)
    assert on.model.rendered == [0.25]


def test_what_was_done_is_told_once_with_the_time_it_took(stage: MakeStage) -> None:
    on = stage(MOTION_2)
    on.model.at_motion = lambda: on.clock.passes(MILLISECOND)
    on.pipeline.take_times()
    on.frames(4)
    key, between = ("key", round(FAST_MS * MILLISECOND)), ("between", MILLISECOND)
    assert on.pipeline.take_times() == [key, between, key, between]
    assert on.pipeline.take_times() == []
    on.stand_still()
    on.pipeline.take_times()
    on.frames(10)
    assert on.pipeline.take_times() == []


def test_what_was_done_meanwhile_is_told_when_it_is_taken_over(stage: MakeStage) -> None:
    on = stage(MOTION_1, SLOW_MS)
    on.pipeline.take_times()
    on.frames(3)
    assert {what for what, _ in on.pipeline.take_times()} == {"between"}
    on.frame()
    assert ("key", round(SLOW_MS * MILLISECOND)) in on.pipeline.take_times()


@pytest.mark.parametrize("pace", LATE, ids=name_of)
def test_what_was_drawn_between_is_told_under_its_name(stage: MakeStage, pace: Pace) -> None:
    on = stage(pace)
    on.keys.upscaler = Doubler()
    on.frames(20)
    told = [what for what, _ in on.pipeline.take_times()]
    # until the first of them are there what there is may be bent
    assert set(told) - {"between"} == {"key", "upscale", pace.between}
    assert told.count("key") == len(on.model.rendered) - int(on.keys.busy)


@ALL_PACES
@BOTH
def test_it_is_known_whether_the_next_frame_waits(stage: MakeStage, pace: Pace, takes_ms: float) -> None:
    on = stage(pace, takes_ms)
    own = threading.current_thread().name
    for _ in range(24):
        told, before = on.pipeline.draws_next, on.model.on_threads.count(own)
        on.frame()
        assert told == (on.model.on_threads.count(own) > before)


def test_no_frame_waits_to_find_out_how_long_an_upscaler_takes(stage: MakeStage) -> None:
    """The model is fast, and was waited for; super-resolution on a processor takes a tenth of a second."""

    on = stage(MOTION_1)
    on.frames(10)
    on.keys.upscaler, on.model.takes_ms = Doubler(), 110.0
    assert longest_gap(on.frames(30)) == 0
    assert on.longest_ns < INTERVAL_NS
    assert len(on.all[-1].picture) == 2 * SIZE


def test_another_upscaler_for_a_slow_model_makes_no_frame_wait(stage: MakeStage) -> None:
    """What pictures took before it says nothing any more, but that they were drawn meanwhile does."""
    on = stage(MOTION_1, SLOW_MS)
    on.frames(12)
    on.keys.upscaler = Doubler()
    assert on.keys.expected_ns == 0
    longest = on.longest_ns
    assert None not in on.frames(12)
    assert on.longest_ns == longest


def test_nothing_is_waited_for_while_a_picture_is_drawn_elsewhere(stage: MakeStage) -> None:
    on = stage(MOTION_1, SLOW_MS)
    on.frames(2)
    assert not on.pipeline.draws_next
    on.pipeline.pace = OFF
    assert not on.pipeline.draws_next
    on.frames(6)
    assert on.pipeline.draws_next, "and then the loop draws again"


def test_a_swapped_character_is_shown_on_its_first_frame(stage: MakeStage) -> None:
    for pace in AT_ONCE:
        before = stage(pace)
        before.frames(5)
        fresh = stage(pace)
        frame = fresh.frame()
        assert frame is not None
        assert fresh.pipeline.model is fresh.model


# -- what fails, and the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pace", [MOTION_1, MOTION_4, *LATE], ids=name_of)
@pytest.mark.parametrize("problem", [RuntimeFailed("lost"), ValueError("shape")], ids=["runtime", "anything"])
def test_what_fails_meanwhile_is_told_once_and_then_it_goes_on(
    stage: MakeStage, pace: Pace, problem: Exception
) -> None:
    on = stage(pace, SLOW_MS)
    on.model.fails = problem
    told: list[AccelError] = []
    for _ in range(10):
        try:
            on.frame()
        except AccelError as error:
            told.append(error)
            on.model.fails = None
    assert len(told) == 1
    assert isinstance(told[0], RuntimeFailed)
    on.all.clear()
    on.frames(20)
    assert on.all
    on.clock.open()
    on.pipeline.close()


def test_an_interpolator_that_fails_is_a_runtime_that_failed(stage: MakeStage) -> None:
    on = stage(RIFE_2)
    on.rife.fails = ValueError("shape")
    with pytest.raises(RuntimeFailed):
        on.frames(20)
    on.pipeline.close()


@pytest.mark.parametrize("pace", [OFF, MOTION_2], ids=name_of)
def test_what_fails_at_once_is_told_at_once_and_then_it_goes_on(stage: MakeStage, pace: Pace) -> None:
    on = stage(pace)
    on.model.fails = problem = RuntimeFailed("lost")
    with pytest.raises(RuntimeFailed) as caught:
        on.frame()
    assert caught.value is problem
    on.model.fails = None
    assert on.shown(4)
    on.pipeline.close()


@pytest.mark.parametrize("pace", [MOTION_1, *LATE], ids=name_of)
def test_closing_waits_for_the_picture_at_hand_and_ends_the_thread(stage: MakeStage, pace: Pace) -> None:
    before = set(threading.enumerate())
    on = stage(pace, SLOW_MS)
    on.frames(1)
    closing = threading.Thread(target=on.pipeline.close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive(), "the model is still being used"
    on.clock.passes(SLOW_MS * MILLISECOND)
    closing.join(LIMIT_S)
    assert not closing.is_alive()
    assert set(threading.enumerate()) == before
    on.pipeline.close()


@ALL_PACES
def test_closing_is_safe_at_any_time_and_twice(stage: MakeStage, pace: Pace) -> None:
    before = set(threading.enumerate())
    for frames in (0, 5):
        on = stage(pace)
        on.frames(frames)
        on.clock.open()
        on.pipeline.close()
        on.pipeline.close()
    assert set(threading.enumerate()) == before


def test_interpolators_have_the_form_that_is_asked_for() -> None:
    rife: Interpolator = Rife()
    assert rife.name == "rife"
