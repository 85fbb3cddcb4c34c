"""When frames are due: even, in step with OBS, late ones left out instead of queued."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from core.worker.clock import DEFAULT_LEAD_NS, KEY, OTHER, Pacer

MS = 1_000_000
SECOND = 1_000_000_000
START = 1_000 * SECOND
OBS_60 = 16_666_667


class Loop:
    """The render loop with an exact clock: waits for its work, works, asks for the next deadline."""

    def __init__(self, pacer: Pacer, work_ns: int = 2 * MS) -> None:
        self.pacer, self.work_ns = pacer, work_ns
        self.now = START
        self.deadlines: list[int] = []
        self.begun: list[int] = []
        self.finished: list[int] = []

    def frames(self, count: int, before: Callable[[int], None] = lambda now: None) -> list[int]:
        """Run so many frames; returns their deadlines. ``before`` is called with the time ahead of each."""
        for _ in range(count):
            before(self.now)
            self.frame(KEY, self.work_ns)
        return self.deadlines[-count:]

    def frame(self, kind: str, work_ns: int) -> None:
        """One frame of a kind."""
        self.pacer.expect(kind)
        deadline = self.pacer.next_deadline(self.now)
        begun = max(self.now, self.pacer.start_of_work(deadline))
        self.now = begun + work_ns
        self.pacer.worked(work_ns, kind)
        self.deadlines.append(deadline)
        self.begun.append(begun)
        self.finished.append(self.now)


class Obs:
    """OBS's frames: exactly even, and told to the worker about once a second."""

    def __init__(self, pacer: Pacer, interval_ns: int = OBS_60, *, delay_ns: int = 0, ppm: int = 0) -> None:
        self.pacer, self.delay_ns = pacer, delay_ns
        self.told_interval_ns, self.real_interval_ns = interval_ns, interval_ns + interval_ns * ppm // 1_000_000
        self.told = 0
        self.first = START + 3_141_592

    def __call__(self, now: int) -> None:
        if now - self.told >= SECOND:
            newest = self.first + (now - self.first) // self.real_interval_ns * self.real_interval_ns
            self.pacer.follow(newest, self.told_interval_ns, self.delay_ns, now)
            self.told = now

    def ticks(self, start: int, end: int) -> list[int]:
        first = self.first + -((self.first - start) // self.real_interval_ns) * self.real_interval_ns
        return list(range(first, end, self.real_interval_ns))


def gaps(deadlines: list[int]) -> list[int]:
    return [after - before for before, after in pairwise(deadlines)]


@pytest.mark.parametrize(("fps", "interval_ns"), [(0.0, OBS_60), (60.0, OBS_60), (30.0, 33_333_333), (1.0, SECOND)])
def test_alone_it_keeps_the_users_rate_and_else_60(fps: float, interval_ns: int) -> None:
    loop = Loop(Pacer(fps))
    assert set(gaps(loop.frames(50))) == {interval_ns}


def test_work_ends_by_the_deadline_and_begins_as_late_as_it_can() -> None:
    pacer = Pacer()
    loop = Loop(pacer)
    loop.frames(100)
    spare = [deadline - finished for deadline, finished in zip(loop.deadlines[20:], loop.finished[20:], strict=True)]
    assert all(0 <= rest <= MS for rest in spare)


def test_no_deadline_lies_in_the_past() -> None:
    pacer = Pacer()
    loop = Loop(pacer)
    for work_ms in (2, 40, 3, 90, 1, 17, 16, 500, 2):
        loop.work_ns = work_ms * MS
        for kind in (KEY, OTHER) * 6:
            pacer.expect(kind)
            deadline = pacer.next_deadline(loop.now)
            assert deadline > loop.now
            loop.now = max(pacer.start_of_work(deadline), loop.now) + loop.work_ns
            pacer.worked(loop.work_ns, kind)


def test_with_obs_every_frame_is_out_one_lead_before_a_tick() -> None:
    pacer = Pacer(0.0)
    obs, loop = Obs(pacer), Loop(pacer)
    deadlines = loop.frames(200, obs)
    assert {(deadline + DEFAULT_LEAD_NS - obs.first) % OBS_60 for deadline in deadlines} == {0}
    assert set(gaps(deadlines)) == {OBS_60}


@pytest.mark.parametrize(
    ("obs_interval", "wanted", "frames"),
    [
        (OBS_60, 60.0, 1),
        (OBS_60, 144.0, 1),
        (OBS_60, 30.0, 2),
        (OBS_60, 24.0, 2),
        (OBS_60, 20.0, 3),
        (OBS_60, 15.0, 4),
        (33_333_333, 60.0, 1),
        (41_708_333, 30.0, 1),
        (8_333_333, 60.0, 2),
    ],
)
def test_the_rate_is_a_whole_number_of_obs_frames(obs_interval: int, wanted: float, frames: int) -> None:
    pacer = Pacer(wanted)
    loop = Loop(pacer)
    deadlines = loop.frames(100, Obs(pacer, obs_interval))
    assert set(gaps(deadlines[1:])) == {frames * obs_interval}
    assert pacer.frame_rate == pytest.approx(1e9 / (frames * obs_interval), abs=0.01)


@pytest.mark.parametrize("ppm", [-300, -20, 20, 300])
def test_obs_clock_may_drift_without_a_frame_lost_or_doubled(ppm: int) -> None:
    pacer = Pacer(0.0)
    obs = Obs(pacer, ppm=ppm)
    loop = Loop(pacer)
    deadlines = loop.frames(60 * 60, obs)
    assert all(OBS_60 * 0.9 < gap < OBS_60 * 1.1 for gap in gaps(deadlines))
    shown = len(obs.ticks(deadlines[0], deadlines[-1]))
    assert abs(shown - len(deadlines)) <= 1
    assert pacer.late == 0


def test_ticks_told_with_a_little_jitter_cost_no_frame() -> None:
    pacer = Pacer(0.0)
    loop, obs = Loop(pacer), Obs(pacer)
    jitter = iter([0, 400_000, -300_000, 900_000, -900_000] * 1000)

    def shaken(now: int) -> None:
        if now - obs.told >= SECOND:
            pacer.follow(obs.first + (now - obs.first) // OBS_60 * OBS_60 + next(jitter), OBS_60, 0, now)
            obs.told = now

    assert all(0.85 * OBS_60 < gap < 1.15 * OBS_60 for gap in gaps(loop.frames(1200, shaken)))


def test_one_long_frame_loses_frames_and_makes_none_up() -> None:
    pacer = Pacer()
    loop = Loop(pacer)
    loop.frames(120)
    loop.work_ns = 100 * MS
    loop.frames(1)
    loop.work_ns = 2 * MS
    after = gaps(loop.frames(60))
    assert pacer.late in (5, 6)
    assert min(after) >= 16_666_667, "no burst after it"
    assert after[-50:] == [16_666_667] * 50


@pytest.mark.parametrize("work_ms", [17, 25, 60, 200])
def test_work_that_is_too_slow_drops_frames_evenly_and_never_queues(work_ms: int) -> None:
    pacer = Pacer(0.0)
    loop = Loop(pacer, work_ms * MS)
    loop.frames(20, obs := Obs(pacer))
    deadlines = loop.frames(50, obs)
    assert len(set(gaps(deadlines))) == 1
    assert gaps(deadlines)[0] == -(-(work_ms * MS) // OBS_60) * OBS_60
    assert all(0 <= due - done <= OBS_60 for due, done in zip(deadlines, loop.finished[-50:], strict=True))


def test_after_slow_work_it_comes_back_to_full_rate() -> None:
    pacer = Pacer()
    loop = Loop(pacer, 40 * MS)
    loop.frames(100)
    loop.work_ns = 2 * MS
    loop.frames(100)
    assert set(gaps(loop.frames(30))) == {16_666_667}


def test_a_computer_that_slept_goes_on_from_now() -> None:
    pacer = Pacer()
    loop = Loop(pacer)
    loop.frames(30)
    loop.now += 3600 * SECOND
    deadline = loop.frames(1)[0]
    assert 0 <= deadline - loop.now <= 17 * MS
    assert set(gaps(loop.frames(20))) == {16_666_667}


def test_without_news_from_obs_it_goes_on_by_itself_without_a_jolt() -> None:
    pacer = Pacer(0.0)
    loop = Loop(pacer)
    loop.frames(60, Obs(pacer))
    later = loop.frames(900)
    assert all(0.5 * OBS_60 <= gap <= 1.5 * OBS_60 for gap in gaps(later))


def lead_of(pacer: Pacer) -> int:
    """Nanoseconds between a deadline and the tick after it, for a tick at a whole second."""
    loop = Loop(pacer)
    pacer.follow(START, 100 * MS, 0, START)
    return -loop.frames(1)[0] % (100 * MS)


@pytest.mark.parametrize(
    ("delay_ns", "least", "most"),
    [(0, 3 * MS, 3 * MS), (-5, 3 * MS, 3 * MS), (1, MS, 2 * MS), (2 * MS, 2 * MS, 4 * MS), (5 * MS, 5 * MS, 7 * MS),
     (60 * SECOND, 5 * MS, 10 * MS)],
)  # fmt: skip
def test_the_lead_follows_the_measured_delay_within_bounds(delay_ns: int, least: int, most: int) -> None:
    pacer = Pacer(0.0)
    pacer.follow(START, 100 * MS, delay_ns, START)
    assert least <= lead_of(pacer) <= most


def test_a_new_lead_costs_no_frame() -> None:
    pacer = Pacer(0.0)
    loop, obs = Loop(pacer), Obs(pacer)
    for delay_ms in (1, 6, 2, 7, 1):
        obs.delay_ns = delay_ms * MS
        loop.frames(70, obs)
    assert all(0.5 * OBS_60 <= gap <= 1.5 * OBS_60 for gap in gaps(loop.deadlines))


@pytest.mark.parametrize("interval_ns", [0, -1, 999_999, SECOND + 1, 2**80])
def test_an_interval_that_cannot_be_is_ignored(interval_ns: int) -> None:
    pacer = Pacer(50.0)
    pacer.follow(START, interval_ns, 0, START)
    assert set(gaps(Loop(pacer).frames(20))) == {20 * MS}


@pytest.mark.parametrize("tick_ns", [0, -(2**70), 2**70, START + 3600 * SECOND])
def test_any_tick_time_gives_deadlines_near_now(tick_ns: int) -> None:
    pacer = Pacer(0.0)
    pacer.follow(tick_ns, OBS_60, 0, START)
    loop = Loop(pacer)
    loop.frames(20)
    assert loop.deadlines[-1] - START < 22 * OBS_60


def test_a_changed_rate_is_taken_up_at_once() -> None:
    pacer = Pacer(60.0)
    loop = Loop(pacer)
    loop.frames(20)
    pacer.set_frame_rate(25.0)
    assert set(gaps(loop.frames(20))) == {40 * MS}
    pacer.set_frame_rate(0.0)
    assert set(gaps(loop.frames(20))[1:]) == {16_666_667}


# -- frames with and without a picture of their own -------------------------------------------------------------------


@pytest.mark.parametrize("every", [2, 3, 4])
def test_each_kind_of_frame_begins_as_late_as_its_own_work_allows(every: int) -> None:
    pacer = Pacer()
    loop = Loop(pacer)
    for number in range(200):
        loop.frame(*((OTHER, MS) if number % every else (KEY, 12 * MS)))
    assert set(gaps(loop.deadlines[20:])) == {16_666_667}
    spare = [deadline - finished for deadline, finished in zip(loop.deadlines[20:], loop.finished[20:], strict=True)]
    assert all(0 <= rest <= MS for rest in spare)
    assert pacer.late == 0


def test_a_long_picture_makes_no_other_frame_older() -> None:
    """What is shown between two pictures is sampled as late as ever."""
    pacer = Pacer()
    loop = Loop(pacer)
    for _ in range(40):
        loop.frame(OTHER, MS)
    for _ in range(40):
        loop.frame(KEY, 15 * MS)
    loop.frame(OTHER, MS)
    assert loop.deadlines[-1] - loop.begun[-1] <= 2 * MS


def test_the_first_picture_after_many_other_frames_is_given_its_time() -> None:
    pacer = Pacer()
    loop = Loop(pacer)
    for _ in range(20):
        loop.frame(KEY, 12 * MS)
    for _ in range(300):
        loop.frame(OTHER, MS)
    loop.frame(KEY, 12 * MS)
    assert loop.finished[-1] <= loop.deadlines[-1]


def test_a_rare_picture_that_takes_longer_than_a_frame_costs_only_its_own_frames() -> None:
    pacer = Pacer()
    loop = Loop(pacer)
    for number in range(420):
        loop.frame(*((KEY, 40 * MS) if number % 30 == 0 else (OTHER, MS)))
    known = 151
    """By then four of them were measured, so that no deadline is tried that cannot be met."""
    long = [gap for gap in gaps(loop.deadlines[known:]) if gap > 16_666_667]
    assert len(long) == 8
    assert set(long) == {3 * 16_666_667}
    assert all(done <= due for due, done in zip(loop.deadlines[known:], loop.finished[known:], strict=True))


def test_one_slow_picture_behind_a_switch_does_not_cost_the_next_frame_too() -> None:
    """It took 20 ms of 33 and was late; the next, begun at once, can still be in time if it takes what is usual."""
    pacer = Pacer(30.0)
    loop = Loop(pacer)
    for _ in range(20):
        loop.frame(KEY, 5 * MS)
    pacer.restart(5 * MS)
    loop.frame(KEY, 20 * MS)
    loop.frame(KEY, 5 * MS)
    loop.frame(KEY, 5 * MS)
    assert gaps(loop.deadlines[-4:]) == [33_333_333] * 3
    assert loop.finished[-2] <= loop.deadlines[-2] and pacer.late == 0


def test_when_pictures_begin_to_take_longer_only_the_first_is_late() -> None:
    pacer = Pacer(60.0)
    loop = Loop(pacer)
    for _ in range(90):
        loop.frame(KEY, 6 * MS)
    for _ in range(5):
        loop.frame(KEY, 10 * MS)
    late = [done > due for due, done in zip(loop.deadlines[-5:], loop.finished[-5:], strict=True)]
    assert late == [True, False, False, False, False]


def test_what_is_told_is_what_the_next_frame_is_allowed() -> None:
    pacer = Pacer()
    loop = Loop(pacer)
    for _ in range(20):
        loop.frame(KEY, 12 * MS)
        loop.frame(OTHER, MS)
    pacer.expect(KEY)
    assert pacer.figures()["work_ms"] == 12.3
    pacer.expect(OTHER)
    assert pacer.figures()["work_ms"] == 1.3


def test_when_something_else_draws_what_was_measured_counts_no_more() -> None:
    """Else the first dozen frames of a larger picture would be late."""
    pacer = Pacer(60.0)
    for _ in range(90):
        pacer.worked(2_000_000, KEY)
    pacer.restart(9_000_000)
    pacer.expect(KEY)
    deadline = pacer.next_deadline(1_000_000_000)
    assert deadline - pacer.start_of_work(deadline) == 9_000_000
    pacer.worked(6_000_000, KEY)
    pacer.expect(KEY)
    assert deadline - pacer.start_of_work(deadline) == 6_300_000
