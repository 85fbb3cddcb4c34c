"""Pictures a model renders, at once or meanwhile: how long their pixels live, what is remembered, and who waits."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from core.pose.parameters import PoseVector, neutral
from core.render import key_frames
from core.render.key_frames import Drawn, KeyFrames
from core.render.visible import visible_bands
from core.wire.errors import AccelError, RuntimeFailed
from models.base import Picture
from tests.unit.small_model import SmallModel

LIMIT_S = 5.0
MILLISECOND = 1_000_000


class Clock:
    """Stands still unless somebody lets time pass."""

    def __init__(self) -> None:
        self.now = 10**12

    def __call__(self) -> int:
        return self.now

    def passes(self, milliseconds: float) -> None:
        self.now += round(milliseconds * MILLISECOND)


class HeldModel(SmallModel):
    """Waits in the middle of a picture while its gate is closed; takes time on the clock, and can fail."""

    def __init__(self, clock: Clock, size: int = 4) -> None:
        super().__init__(size)
        self.clock, self.takes_ms = clock, 8.0
        self.gate, self.inside = threading.Event(), threading.Event()
        self.gate.set()
        self.fails: Exception | None = None
        self.threads: list[str] = []

    def render(self, pose: PoseVector, out: Picture) -> None:
        self.threads.append(threading.current_thread().name)
        self.inside.set()
        assert self.gate.wait(LIMIT_S)
        self.clock.passes(self.takes_ms)
        if self.fails is not None:
            raise self.fails
        super().render(pose, out)


class Enlarger:
    """Every pixel many times over."""

    def __init__(self, clock: Clock, times: int = 2, name: str = "enlarger") -> None:
        self.clock, self.times, self.name, self.size = clock, times, name, 4 * times
        self.applied = 0

    def apply(self, picture: Picture, out: Picture) -> None:
        self.applied += 1
        self.clock.passes(2.0)
        np.copyto(out, picture.repeat(self.times, axis=0).repeat(self.times, axis=1))


class Mixer:
    """Pictures between two at even distances."""

    name = "rife"

    def __init__(self, clock: Clock) -> None:
        self.any_size = False
        self.clock = clock
        self.asked: list[list[float]] = []

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture], poses: Sequence[PoseVector]) -> None:
        assert len(poses) == len(out) + 2
        self.asked.append([round(float(pose[0]), 4) for pose in poses])
        self.clock.passes(3.0)
        for number, picture in enumerate(out, 1):
            share = number / (len(out) + 1)
            np.copyto(picture, np.rint(older * (1.0 - share) + newer * share).astype(np.uint8))


class Cache:
    """Remembers everything, and every question."""

    def __init__(self) -> None:
        self.pictures: dict[bytes, Picture] = {}
        self.asked: list[bytes] = []
        self.costs_ns: list[int] = []

    def get(self, key: bytes, out: Picture) -> bool:
        self.asked.append(key)
        out[...] = 77  # what is in there is of no use if nothing was found
        found = self.pictures.get(key)
        if found is None or found.shape != out.shape:
            return False
        np.copyto(out, found)
        return True

    def put(self, key: bytes, picture: Picture, cost_ns: int) -> None:
        self.pictures[key] = picture.copy()
        self.costs_ns.append(cost_ns)


class Studio:
    """A model on a clock, with a memory, and its key frames."""

    def __init__(self, cache: Cache | None = None, name: bytes = b"somebody") -> None:
        self.clock = Clock()
        self.model = HeldModel(self.clock)
        self.cache = cache
        self.keys = KeyFrames(self.model, cache, name)
        self.rife = Mixer(self.clock)

    def enlarge(self, times: int, name: str = "") -> Enlarger:
        enlarger = Enlarger(self.clock, times, name or f"enlarger-{times}")
        self.keys.upscaler = enlarger
        return enlarger

    def begin(self, value: float, after: Drawn | None = None, path: Sequence[float] = ()) -> None:
        """Have it begun, and wait until the model is at work."""
        self.model.inside.clear()
        self.keys.begin(pose(value), after, [pose(step) for step in path])
        assert self.model.inside.wait(LIMIT_S)

    def taken(self) -> Drawn:
        drawn = self.keys.take(LIMIT_S)
        assert drawn is not None
        return drawn

    def meanwhile(self, value: float) -> Drawn:
        self.begin(value)
        return self.taken()


def pose(value: float) -> PoseVector:
    made = neutral()
    made[0] = value
    return made


def level(value: float) -> int:
    """What the model paints."""
    return round(value * 255)


def all_of(drawn: Drawn) -> list[Picture]:
    return [drawn.picture, *drawn.between] + ([drawn.plain] if drawn.plain is not None else [])


@pytest.fixture
def studios(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Studio]]:
    """Makes studios on their own clocks, and closes them."""
    made: list[Studio] = []

    def make(cache: Cache | None = None, name: bytes = b"somebody") -> Studio:
        studio = Studio(cache, name)
        monkeypatch.setattr(key_frames, "now_ns", studio.clock)
        made.append(studio)
        return studio

    yield make
    for studio in made:
        studio.model.gate.set()
        studio.keys.close()


@pytest.fixture
def studio(studios: Callable[..., Studio]) -> Studio:
    return studios()


@pytest.fixture
def remembering(studios: Callable[..., Studio]) -> Studio:
    """With a cache."""
    return studios(Cache())


def cache_of(studio: Studio) -> Cache:
    assert studio.cache is not None
    return studio.cache


# -- drawn ------------------------------------------------------------------------------------------------------------


def test_a_picture_is_drawn_at_once(studio: Studio) -> None:
    drawn = studio.keys.draw(pose(0.4))
    assert studio.model.rendered == [0.4]
    assert studio.model.threads == [threading.current_thread().name]
    assert (drawn.picture == level(0.4)).all()
    assert drawn.plain is drawn.picture
    assert np.array_equal(drawn.pose, pose(0.4))
    assert (drawn.finish, drawn.between) == ("", ())
    assert drawn.bands == visible_bands(drawn.picture) == ((0, 0, 4, 4),)
    assert drawn.times == [("key", 8 * MILLISECOND)]


def test_no_two_pictures_have_the_same_serial(studio: Studio, remembering: Studio) -> None:
    drawn = [keys.draw(pose(0.4)).serial for keys in (studio.keys, remembering.keys) for _ in range(3)]
    remembering.keys.remember(remembering.keys.draw(pose(0.5)))
    for _ in range(2):
        known = remembering.keys.remembered(pose(0.5))
        assert known is not None
        drawn.append(known.serial)
    assert len(set(drawn)) == len(drawn)


def test_a_picture_is_upscaled_once_and_kept_plain_too(studio: Studio) -> None:
    enlarger = studio.enlarge(3)
    drawn = studio.keys.draw(pose(0.4))
    assert enlarger.applied == 1
    assert drawn.picture.shape == (12, 12, 4)
    assert (drawn.picture == level(0.4)).all()
    assert drawn.plain is not None
    assert drawn.plain.shape == (4, 4, 4)
    assert drawn.finish == studio.keys.finish == "enlarger-3"
    assert drawn.bands == ((0, 0, 12, 12),)
    assert drawn.times == [("key", 8 * MILLISECOND), ("upscale", 2 * MILLISECOND)]


def test_an_error_comes_out_as_it_is_when_it_is_drawn_at_once(studio: Studio) -> None:
    studio.model.fails = RuntimeFailed("lost")
    with pytest.raises(RuntimeFailed) as caught:
        studio.keys.draw(pose(0.4))
    assert caught.value is studio.model.fails
    studio.model.fails = None
    assert (studio.keys.draw(pose(0.5)).picture == level(0.5)).all()


# -- how long it takes ------------------------------------------------------------------------------------------------


def test_before_the_first_picture_nothing_is_expected(studio: Studio) -> None:
    assert studio.keys.expected_ns == 0


def test_nine_in_ten_pictures_take_as_long_as_expected_or_less(studio: Studio) -> None:
    for number in range(20):
        studio.model.takes_ms = 40.0 if number in (3, 7) else 5.0 + number / 10
        studio.keys.draw(pose(0.1))
    expected_ms = studio.keys.expected_ns / MILLISECOND
    assert 6.5 < expected_ms <= 40.0
    studio.model.takes_ms = 5.0
    for _ in range(4):
        studio.keys.draw(pose(0.1))
    assert 6.5 < studio.keys.expected_ns / MILLISECOND < 8.0, "two in twenty-four may be late"


def test_what_took_long_once_is_forgotten(studio: Studio) -> None:
    studio.model.takes_ms = 500.0
    studio.keys.draw(pose(0.1))
    assert studio.keys.expected_ns == 500 * MILLISECOND
    studio.model.takes_ms = 5.0
    for _ in range(24):
        studio.keys.draw(pose(0.1))
    assert studio.keys.expected_ns == 5 * MILLISECOND


def test_upscaling_and_leading_pictures_count(studio: Studio) -> None:
    before = studio.keys.draw(pose(0.1))
    studio.enlarge(2)
    studio.keys.interpolator = studio.rife
    drawn = studio.keys.draw(pose(0.2), before, [pose(0.15)])
    assert drawn.times == [("key", 8 * MILLISECOND), ("rife", 3 * MILLISECOND), ("upscale", 4 * MILLISECOND)]
    assert studio.keys.expected_ns == 15 * MILLISECOND


def test_who_knows_any_size_leads_between_upscaled_pictures(studio: Studio) -> None:
    """Upscaled once for each key frame, however many lead to it."""
    enlarger = studio.enlarge(2)
    before = studio.keys.draw(pose(0.1))
    studio.keys.interpolator, studio.rife.any_size = studio.rife, True
    applied = enlarger.applied
    drawn = studio.keys.draw(pose(0.2), before, [pose(0.12), pose(0.15)])
    assert enlarger.applied == applied + 1
    assert [picture.shape for picture in drawn.between] == [(8, 8, 4)] * 2


def test_between_pictures_of_different_sizes_nothing_leads(studio: Studio) -> None:
    before = studio.keys.draw(pose(0.1))
    studio.enlarge(2)
    studio.keys.interpolator, studio.rife.any_size = studio.rife, True
    assert studio.keys.draw(pose(0.2), before, [pose(0.15)]).between == ()


# -- meanwhile --------------------------------------------------------------------------------------------------------


def test_a_picture_is_drawn_meanwhile_on_a_thread_of_its_own(studio: Studio) -> None:
    studio.model.gate.clear()
    studio.begin(0.4)
    assert studio.keys.busy
    assert studio.keys.take() is None
    assert studio.keys.take(0.01) is None, "it is not done within so long"
    assert studio.keys.busy
    studio.model.gate.set()
    drawn = studio.taken()
    assert (drawn.picture == level(0.4)).all()
    assert not studio.keys.busy
    assert studio.keys.take() is None, "it is given once"
    assert studio.model.threads == ["key-frames"]


def test_nothing_that_was_not_begun_is_waited_for(studio: Studio) -> None:
    assert studio.keys.take(3600.0) is None
    studio.meanwhile(0.3)
    assert studio.keys.take(3600.0) is None


def test_one_picture_after_another_comes_from_the_same_thread(studio: Studio) -> None:
    before = set(threading.enumerate())
    values = [number / 100 for number in range(20)]
    assert [int(studio.meanwhile(value).picture[0, 0, 0]) for value in values] == [level(value) for value in values]
    assert len(set(threading.enumerate()) - before) == 1
    assert studio.model.rendered == values


def test_what_it_took_is_told_with_a_picture_drawn_meanwhile(studio: Studio) -> None:
    studio.enlarge(2)
    assert studio.meanwhile(0.3).times == [("key", 8 * MILLISECOND), ("upscale", 2 * MILLISECOND)]
    assert studio.keys.expected_ns == 10 * MILLISECOND


def test_a_runtime_that_fails_meanwhile_is_told_once(studio: Studio) -> None:
    studio.model.fails = problem = RuntimeFailed("lost", runtime="some", network="body")
    studio.begin(0.4)
    with pytest.raises(AccelError) as caught:
        studio.keys.take(LIMIT_S)
    assert caught.value is problem
    assert not studio.keys.busy
    assert studio.keys.take(LIMIT_S) is None
    studio.model.fails = None
    assert (studio.meanwhile(0.5).picture == level(0.5)).all(), "the thread goes on"


@pytest.mark.parametrize("problem", [ValueError("shape"), KeyError("x"), OSError(5, "driver"), MemoryError()])
def test_whatever_else_is_raised_meanwhile_is_a_runtime_that_failed(
    studio: Studio, problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    studio.model.fails = problem
    studio.begin(0.4)
    with pytest.raises(RuntimeFailed) as caught:
        studio.keys.take(LIMIT_S)
    assert repr(problem) in str(caught.value.args) or repr(problem) in str(caught.value)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [problem]
    studio.model.fails = None
    assert (studio.meanwhile(0.5).picture == level(0.5)).all()


# -- the end ----------------------------------------------------------------------------------------------------------


def test_what_never_began_is_closed_without_a_thread(studio: Studio) -> None:
    before = threading.active_count()
    studio.keys.close()
    studio.keys.close()
    assert threading.active_count() == before


def test_closing_waits_for_the_picture_at_hand_and_ends_the_thread(studio: Studio) -> None:
    before = set(threading.enumerate())
    studio.model.gate.clear()
    studio.begin(0.4)
    closing = threading.Thread(target=studio.keys.close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive(), "the model is still being used"
    studio.model.gate.set()
    closing.join(LIMIT_S)
    assert not closing.is_alive()
    assert set(threading.enumerate()) == before
    studio.keys.close()


def test_closing_waits_no_longer_than_it_may(studio: Studio) -> None:
    studio.model.gate.clear()
    studio.begin(0.4)
    studio.keys.close(0.01)
    assert not studio.model.gate.is_set(), "the picture is not done yet"
    studio.keys.begin(pose(0.5))
    studio.model.gate.set()
    studio.keys.close()
    assert studio.model.rendered == [0.4], "nothing was begun after it"


def test_closing_ends_an_idle_thread(studio: Studio) -> None:
    before = set(threading.enumerate())
    studio.meanwhile(0.4)
    assert set(threading.enumerate()) != before
    studio.keys.close()
    studio.keys.close()
    assert set(threading.enumerate()) == before


def test_after_the_end_nothing_is_begun_and_nobody_waits(studio: Studio) -> None:
    studio.meanwhile(0.4)
    studio.keys.close()
    studio.keys.begin(pose(0.5))
    assert not studio.keys.busy
    assert studio.keys.take(3600.0) is None
    assert studio.model.rendered == [0.4]


def test_who_waits_for_a_picture_is_let_go_at_the_end(studio: Studio) -> None:
    studio.model.gate.clear()
    studio.begin(0.4)
    got: list[Drawn | None] = []
    waiting = threading.Thread(target=lambda: got.append(studio.keys.take(60.0)))
    waiting.start()
    closing = threading.Thread(target=studio.keys.close)
    closing.start()
    waiting.join(LIMIT_S)
    assert not waiting.is_alive()
    studio.model.gate.set()
    closing.join(LIMIT_S)
    assert got == [None]


# -- buffers ----------------------------------------------------------------------------------------------------------


class Watch:
    """Looks at every picture until two more were made."""

    def __init__(self) -> None:
        self.kept: list[tuple[Drawn, list[Picture]]] = []

    def take(self, drawn: Drawn) -> None:
        self.look()
        now = all_of(drawn)
        for older, _ in self.kept:
            for first, second in itertools.product(all_of(older), now):
                # a picture that was remembered is its own plain picture, and may lead on to another
                assert not np.shares_memory(first, second)
        self.kept = [*self.kept[-1:], (drawn, [picture.copy() for picture in now])]

    def look(self) -> None:
        for drawn, copies in self.kept:
            for picture, copy in zip(all_of(drawn), copies, strict=True):
                assert np.array_equal(picture, copy)


@pytest.mark.parametrize("upscaled", [False, True])
@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_picture_lives_until_two_more_were_made(studio: Studio, upscaled: bool, meanwhile: bool) -> None:
    if upscaled:
        studio.enlarge(2)
    watch, places = Watch(), set[int]()
    for number in range(40):
        value = number / 40
        if meanwhile:
            studio.model.gate.clear()
            studio.begin(value)
            watch.look()
            studio.model.gate.set()
        watch.take(studio.taken() if meanwhile else studio.keys.draw(pose(value)))
        places.update(picture.ctypes.data for picture in all_of(watch.kept[-1][0]))
    assert len(places) == (6 if upscaled else 3), "buffers are used in turn"


@pytest.mark.parametrize("upscaled", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_leading_pictures_live_while_the_next_are_made(studio: Studio, upscaled: bool, count: int) -> None:
    if upscaled:
        studio.enlarge(2)
    studio.keys.interpolator = studio.rife
    shown: Drawn | None = None
    copies: list[Picture] = []
    places = set[int]()
    for number in range(30):
        studio.model.gate.clear()
        studio.begin(number / 30, shown, [0.0] * count)
        if shown is not None:
            assert all(map(np.array_equal, all_of(shown), copies))
        studio.model.gate.set()
        drawn = studio.taken()
        if shown is not None:
            assert all(map(np.array_equal, all_of(shown), copies)), "they are still on screen"
            assert len(drawn.between) == count
        shown, copies = drawn, [picture.copy() for picture in all_of(drawn)]
        places.update(picture.ctypes.data for picture in all_of(drawn))
    assert len(places) == 3 + 2 * count + (3 if upscaled else 0)


def test_a_hit_lives_as_long_as_any_other_and_a_miss_costs_nothing(remembering: Studio) -> None:
    keys, watch, places = remembering.keys, Watch(), set[int]()
    for value in range(8):
        keys.remember(keys.draw(pose(value / 10)))
    chance = random.Random(5)
    for _ in range(300):
        if chance.random() < 0.4:
            assert keys.remembered(pose(0.95)) is None
            watch.look()
            continue
        known = keys.remembered(pose(chance.randrange(8) / 10))
        assert known is not None
        watch.take(known)
        places.add(known.picture.ctypes.data)
    assert len(places) == 3


@pytest.mark.parametrize("seed", range(4))
def test_pictures_live_long_enough_whatever_is_done(remembering: Studio, seed: int) -> None:
    """Drawn at once or meanwhile, remembered or not, large or small, led to or not."""
    keys, watch, chance = remembering.keys, Watch(), random.Random(seed)
    keys.interpolator = remembering.rife
    for _ in range(400):
        watch.look()
        value = chance.randrange(40) / 40
        last = watch.kept[-1][0] if watch.kept else None
        choice = chance.randrange(7)
        if choice == 0:
            keys.upscaler = None
        elif choice == 1:
            remembering.enlarge(chance.choice([2, 3]))
        elif choice == 2:
            known = keys.remembered(pose(value))
            if known is not None:
                watch.take(known)
        elif choice == 3:
            path = [pose(0.5)] * chance.choice([1, 1, 1, 3])
            drawn = keys.draw(pose(value), last, path)
            watch.take(Drawn(drawn.pose, drawn.picture, drawn.bands, drawn.plain))
        else:
            drawn = remembering.meanwhile(value) if choice == 4 else keys.draw(pose(value))
            keys.remember(drawn)
            watch.take(drawn)


# -- remembered -------------------------------------------------------------------------------------------------------


def test_without_a_cache_nothing_is_remembered(studio: Studio) -> None:
    drawn = studio.keys.draw(pose(0.4))
    studio.keys.remember(drawn)
    assert studio.keys.remembered(pose(0.4)) is None


def test_a_remembered_picture_is_not_rendered_again(remembering: Studio) -> None:
    keys = remembering.keys
    keys.remember(keys.draw(pose(0.4)))
    keys.draw(pose(0.5))
    known = keys.remembered(pose(0.4))
    assert known is not None
    assert (known.picture == level(0.4)).all()
    assert known.plain is known.picture
    assert known.bands == ((0, 0, 4, 4),)
    assert np.array_equal(known.pose, pose(0.4))
    assert known.times == [("hit", 0)]
    assert remembering.model.rendered == [0.4, 0.5]
    assert keys.remembered(pose(0.5)) is None, "it was not put in"


def test_a_remembered_picture_was_upscaled_already(remembering: Studio) -> None:
    keys, enlarger = remembering.keys, remembering.enlarge(2)
    keys.remember(keys.draw(pose(0.4)))
    known = keys.remembered(pose(0.4))
    assert known is not None
    assert known.picture.shape == (8, 8, 4)
    assert known.plain is None
    assert known.finish == "enlarger-2"
    assert enlarger.applied == 1


def test_the_key_tells_character_upscaler_and_pose_apart(studios: Callable[..., Studio]) -> None:
    cache = Cache()
    for name in (b"somebody", b"nobody"):
        studio = studios(cache, name)
        for times, finish in ((1, ""), (2, "a"), (2, "b")):
            studio.keys.upscaler = Enlarger(studio.clock, times, finish) if finish else None
            for value in (0.4, 0.5):
                assert studio.keys.remembered(pose(value)) is None
                studio.keys.remember(studio.keys.draw(pose(value)))
                key = cache.asked[-1]
                assert key in cache.pictures, "it is put where it is looked for"
                assert name in key
                assert finish.encode() in key
                assert pose(value).tobytes() in key
    assert len(cache.pictures) == 12


def test_only_what_was_drawn_is_put_in(remembering: Studio) -> None:
    keys, cache = remembering.keys, cache_of(remembering)
    keys.remember(keys.draw(pose(0.4)))
    known = keys.remembered(pose(0.4))
    assert known is not None
    keys.remember(known)
    keys.remember(keys.draw(pose(0.4), known=known))
    assert len(cache.costs_ns) == 1


def test_a_picture_costs_what_must_be_done_again_without_it(remembering: Studio) -> None:
    keys, cache = remembering.keys, cache_of(remembering)
    keys.interpolator = remembering.rife
    first = keys.draw(pose(0.1))
    keys.remember(first)
    keys.remember(keys.draw(pose(0.2), first, [pose(0.15)]))
    remembering.enlarge(2)
    keys.remember(keys.draw(pose(0.3)))
    assert [cost / MILLISECOND for cost in cache.costs_ns] == [8.0, 8.0, 10.0]


def test_a_picture_that_was_looked_for_is_told_with_the_time_it_took(
    remembering: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, cache = remembering.keys, cache_of(remembering)
    keys.remember(keys.draw(pose(0.4)))
    found = cache.get

    def slowly(key: bytes, out: Picture) -> bool:
        remembering.clock.passes(1.0)
        return found(key, out)

    monkeypatch.setattr(cache, "get", slowly)
    known = keys.remembered(pose(0.4))
    assert known is not None
    assert known.times == [("hit", MILLISECOND)]


# -- another upscaler -------------------------------------------------------------------------------------------------


def test_another_upscaler_finishes_the_next_picture(studio: Studio) -> None:
    for times in (2, 3):
        studio.enlarge(times)
        assert studio.keys.draw(pose(0.4)).picture.shape == (4 * times, 4 * times, 4)
    studio.keys.upscaler = None
    assert studio.keys.draw(pose(0.4)).picture.shape == (4, 4, 4)


def test_a_picture_at_hand_is_finished_as_it_was_begun(studio: Studio) -> None:
    studio.enlarge(2)
    studio.model.gate.clear()
    studio.begin(0.4)
    studio.enlarge(3)
    studio.model.gate.set()
    drawn = studio.taken()
    assert drawn.picture.shape == (8, 8, 4)
    assert drawn.finish == "enlarger-2"
    assert studio.keys.finish == "enlarger-3"
    assert (drawn.picture == level(0.4)).all()


@pytest.mark.parametrize("large_before", [False, True])
def test_a_picture_at_hand_is_remembered_as_what_it_is(remembering: Studio, large_before: bool) -> None:
    """Under the name of the upscaler that made it, whichever is in use when it is taken over."""
    keys, cache = remembering.keys, cache_of(remembering)
    large = remembering.enlarge(2)
    before, after = (large, None) if large_before else (None, large)
    keys.upscaler = before
    remembering.model.gate.clear()
    remembering.begin(0.4)
    keys.upscaler = after
    remembering.model.gate.set()
    keys.remember(remembering.taken())
    assert keys.remembered(pose(0.4)) is None
    keys.upscaler = before
    known = keys.remembered(pose(0.4))
    assert known is not None
    assert known.picture.shape == next(iter(cache.pictures.values())).shape
    assert (known.picture == level(0.4)).all()


def test_two_upscalers_of_one_size_are_not_taken_for_each_other(remembering: Studio) -> None:
    keys = remembering.keys
    remembering.enlarge(2, "sharp")
    remembering.model.gate.clear()
    remembering.begin(0.4)
    remembering.enlarge(2, "soft")
    remembering.model.gate.set()
    keys.remember(remembering.taken())
    assert keys.remembered(pose(0.4)) is None


# -- pictures that lead to one ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("upscaled", [False, True])
def test_leading_pictures_are_drawn_from_plain_ones_and_upscaled_too(studio: Studio, upscaled: bool) -> None:
    enlarger = studio.enlarge(2) if upscaled else None
    studio.keys.interpolator = studio.rife
    older = studio.keys.draw(pose(0.2))
    drawn = studio.keys.draw(pose(0.6), older, [pose(0.31), pose(0.43), pose(0.52)])
    assert studio.rife.asked == [[0.2, 0.31, 0.43, 0.52, 0.6]]
    side = 8 if upscaled else 4
    assert [picture.shape for picture in drawn.between] == [(side, side, 4)] * 3
    assert [int(picture[-1, -1, 0]) for picture in drawn.between] == pytest.approx(
        [level(0.3), level(0.4), level(0.5)], abs=1
    )
    assert drawn.picture.shape == (side, side, 4)
    if enlarger is not None:
        assert enlarger.applied == 1 + 4


def test_leading_pictures_may_begin_at_one_of_another_finish(studio: Studio) -> None:
    """They lead from its plain picture."""
    studio.enlarge(3)
    studio.keys.interpolator = studio.rife
    older = studio.keys.draw(pose(0.2))
    studio.enlarge(2)
    drawn = studio.keys.draw(pose(0.4), older, [pose(0.3)])
    assert [picture.shape for picture in drawn.between] == [(8, 8, 4)]
    assert drawn.between[0][0, 0, 0] == pytest.approx(level(0.3), abs=1)


def test_without_somebody_to_draw_them_nothing_leads(remembering: Studio) -> None:
    keys = remembering.keys
    first = keys.draw(pose(0.2))
    assert keys.draw(pose(0.3), first, [pose(0.25)]).between == (), "no interpolator"
    keys.interpolator = remembering.rife
    assert keys.draw(pose(0.4)).between == (), "nothing to lead from"
    assert keys.draw(pose(0.5), first).between == (), "no poses between"
    remembering.enlarge(2)
    keys.remember(keys.draw(pose(0.2)))
    known = keys.remembered(pose(0.2))
    assert known is not None
    assert keys.draw(pose(0.6), known, [pose(0.4)]).between == (), "only the finished picture is known"
    assert remembering.rife.asked == []


def test_another_number_of_leading_pictures(studio: Studio) -> None:
    studio.keys.interpolator = studio.rife
    shown = studio.keys.draw(pose(0.0))
    for number, count in enumerate([1, 3, 1, 2, 2, 7], 1):
        copies = [picture.copy() for picture in all_of(shown)]
        drawn = studio.keys.draw(pose(number / 10), shown, [pose(0.0)] * count)
        assert len(drawn.between) == count
        assert all(map(np.array_equal, all_of(shown), copies))
        values = [int(picture[0, 0, 0]) for picture in (shown.picture, *drawn.between, drawn.picture)]
        assert values == sorted(values)
        shown = drawn


def test_leading_pictures_lead_to_a_remembered_one_too(remembering: Studio) -> None:
    keys = remembering.keys
    keys.interpolator = remembering.rife
    keys.remember(keys.draw(pose(0.6)))
    older, known = keys.draw(pose(0.2)), keys.remembered(pose(0.6))
    assert known is not None
    drawn = keys.draw(pose(0.6), older, [pose(0.4)], known)
    assert remembering.model.rendered == [0.6, 0.2]
    assert drawn.picture is known.picture
    assert drawn.between[0][0, 0, 0] == pytest.approx(level(0.4), abs=1)
    assert drawn.times == [("hit", 0), ("rife", 3 * MILLISECOND)]


def test_to_lead_to_a_remembered_picture_that_was_upscaled_it_is_rendered(remembering: Studio) -> None:
    keys = remembering.keys
    remembering.enlarge(2)
    keys.interpolator = remembering.rife
    keys.remember(keys.draw(pose(0.6)))
    older, known = keys.draw(pose(0.2)), keys.remembered(pose(0.6))
    assert known is not None
    drawn = keys.draw(pose(0.6), older, [pose(0.4)], known)
    assert drawn.between[0].shape == drawn.picture.shape == (8, 8, 4)
    assert drawn.between[0][0, 0, 0] == pytest.approx(level(0.4), abs=1)
    assert (drawn.picture == level(0.6)).all()


def test_the_thread_draws_leading_pictures_and_knows_remembered_ones(remembering: Studio) -> None:
    keys = remembering.keys
    keys.interpolator = remembering.rife
    keys.remember(keys.draw(pose(0.6)))
    older, known = keys.draw(pose(0.2)), keys.remembered(pose(0.6))
    keys.begin(pose(0.6), older, [pose(0.4)], known)
    drawn = remembering.taken()
    assert known is not None
    assert drawn.picture is known.picture
    assert len(drawn.between) == 1
    assert remembering.model.rendered == [0.6, 0.2]
