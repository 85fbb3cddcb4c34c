"""The governor: what a ladder holds, how it yields and climbs, and that it comes to rest beside any game."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from core.render.governor import (
    FRAMES_LATE,
    HALF,
    OVER_BUDGET,
    RECOVERING,
    WITHIN_BUDGET,
    Governor,
    Load,
    Step,
    ladder,
)

SECOND = 1_000_000_000
TENTH = SECOND // 10
OBSERVATIONS = 18_000
"""Half an hour of ten a second."""
PLAIN = ladder(False, False)
WHOLE = ladder(True, True)


def names(steps: tuple[Step, ...]) -> list[str]:
    return [step.name for step in steps]


class Story:
    """A governor, the time, and ten observations a second."""

    def __init__(self, budget: float = 0.5, steps: tuple[Step, ...] = WHOLE) -> None:
        self.governor = Governor(budget, steps)
        self.now = 5 * SECOND

    def seconds(self, seconds: float, device: float, late: float = 0.0, processor: float = 0.0) -> list[str]:
        """So long the same load; the names of the steps that were told, in order."""
        told = []
        for _ in range(round(seconds * 10)):
            self.now += TENTH
            step = self.governor.observe(Load(device, processor, late), self.now)
            if step is not None:
                assert step == self.governor.step
                told.append(step.name)
        return told

    def until_change(self, device: float, limit_s: float = 1200.0, late: float = 0.0) -> float:
        """Seconds of the same load until the step changes; ``limit_s`` if it never does."""
        started = self.now
        while self.now - started < limit_s * SECOND:
            if self.seconds(0.1, device, late):
                return (self.now - started) / SECOND
        return limit_s


# The ladder


def test_everything_switched_on_gives_every_step_in_the_agreed_order() -> None:
    assert names(WHOLE) == [
        "full", "coarser", "coarsest", "half_rate", "no_super_resolution", "half_precision", "third_rate",
        "quarter_rate",
    ]  # fmt: skip
    assert [step.stride for step in WHOLE] == [1, 1, 1, 2, 2, 2, 3, 4]
    assert [step.coarser for step in WHOLE] == [0, 1, 2, 2, 2, 2, 2, 2]
    assert [step.super_resolution for step in WHOLE] == [True] * 4 + [False] * 4
    assert [step.precision for step in WHOLE] == [""] * 5 + [HALF] * 3


def test_what_is_not_switched_on_has_no_step() -> None:
    assert names(PLAIN) == ["full", "coarser", "coarsest", "half_rate", "third_rate", "quarter_rate"]
    assert not any(step.super_resolution or step.precision for step in PLAIN)


def test_who_renders_every_second_frame_already_has_no_step_for_it() -> None:
    steps = ladder(False, False, 2)
    assert names(steps) == ["full", "coarser", "coarsest", "third_rate", "quarter_rate"]
    assert steps[0].stride == 2


@pytest.mark.parametrize(("own", "strides"), [(1, {1, 2, 3, 4}), (3, {3, 4}), (4, {4}), (12, {12})])
def test_no_step_renders_more_often_than_the_settings_ask_for(own: int, strides: set[int]) -> None:
    assert {step.stride for step in ladder(True, True, own)} == strides


@pytest.mark.parametrize("super_resolution", [False, True])
@pytest.mark.parametrize("precision", [False, True])
@pytest.mark.parametrize("own", [1, 2, 3, 4, 7])
def test_each_step_is_cheaper_than_the_last_and_takes_nothing_back(
    super_resolution: bool, precision: bool, own: int
) -> None:
    steps = ladder(super_resolution, precision, own)
    assert len(set(names(steps))) == len(steps)
    for better, worse in pairwise(steps):
        assert worse.expected_cost < better.expected_cost
        assert worse.stride >= better.stride
        assert worse.coarser >= better.coarser
        assert worse.super_resolution <= better.super_resolution
        assert worse.precision or not better.precision


# Yielding


def test_inside_the_budget_nothing_changes() -> None:
    story = Story(0.5)
    assert story.seconds(600, 0.49, late=0.1) == []
    assert (story.governor.step.name, story.governor.reason) == ("full", WITHIN_BUDGET)


def test_over_the_budget_for_half_a_second_is_a_step_down() -> None:
    story = Story(0.5)
    story.seconds(5, 0.4)
    assert story.seconds(0.5, 0.6) == []
    assert story.seconds(0.1, 0.6) == ["coarser"]
    assert story.governor.reason == OVER_BUDGET


def test_clearly_over_the_budget_is_two_steps_at_once() -> None:
    story = Story(0.5)
    story.seconds(5, 0.4)
    assert story.seconds(0.6, 0.8) == ["coarsest"]


def test_a_single_peak_is_forgiven() -> None:
    story = Story(0.5)
    for _ in range(200):
        assert story.seconds(0.4, 1.0, late=1.0) == []
        assert story.seconds(0.1, 0.3) == []


def test_the_processor_counts_as_the_device_does() -> None:
    story = Story(0.3)
    assert story.seconds(3, 0.1, processor=0.4)[:1] == ["coarser"]


def test_late_frames_make_it_yield_inside_the_budget_too() -> None:
    story = Story(0.9)
    story.seconds(5, 0.2)
    assert story.seconds(0.6, 0.2, late=0.2) == ["coarser"]
    assert story.governor.reason == FRAMES_LATE
    assert story.seconds(1.6, 0.2, late=0.5) == ["half_rate"]


def test_without_a_limit_only_late_frames_count() -> None:
    story = Story(1.0)
    assert story.seconds(60, 1.0, processor=1.0) == []
    assert story.seconds(0.6, 1.0, late=0.2) == ["coarser"]


def test_after_a_step_it_waits_until_late_frames_of_before_are_forgotten() -> None:
    story = Story(1.0)
    story.seconds(5, 0.5)
    assert story.seconds(0.6, 0.5, late=0.2) == ["coarser"]
    assert story.seconds(0.9, 0.5, late=0.2) == []
    assert story.seconds(5, 0.5, late=0.0) == []


def test_what_never_fits_ends_on_the_last_step_and_stays_there() -> None:
    story = Story(0.1)
    told = story.seconds(30, 1.0, late=1.0)
    assert told == ["coarsest", "no_super_resolution", "third_rate", "quarter_rate"]
    assert story.seconds(1800, 1.0, late=1.0) == []


def test_a_ladder_of_one_step_never_changes() -> None:
    story = Story(0.1, PLAIN[:1])
    assert story.seconds(100, 1.0, late=1.0) == []
    assert story.seconds(100, 0.0) == []


def test_a_ladder_without_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="step"):
        Governor(0.5, ())
    with pytest.raises(ValueError, match="step"):
        Governor(0.5, PLAIN).set_steps(())


# Climbing


def fallen(budget: float = 0.5, steps: tuple[Step, ...] = PLAIN) -> Story:
    """One step down: 0.6 was too much, 0.5 of it is left there."""
    story = Story(budget, steps)
    story.seconds(5, 0.4)
    assert story.seconds(0.6, 0.6) == ["coarser"]
    return story


def test_a_step_that_was_too_much_is_not_tried_again_for_a_minute() -> None:
    story = fallen()
    assert 59.0 <= story.until_change(0.2) <= 61.0
    assert (story.governor.step.name, story.governor.reason) == ("full", WITHIN_BUDGET)


def test_the_way_up_is_one_step_at_a_time_ten_seconds_each() -> None:
    story = Story(0.5, PLAIN)
    assert story.seconds(10, 1.0, late=1.0)[-1] == "quarter_rate"
    story.seconds(65, 0.4)
    for expected in ("third_rate", "half_rate", "coarsest", "coarser"):
        assert 10.0 <= story.until_change(0.05) <= 12.0
        assert (story.governor.step.name, story.governor.reason) == (expected, RECOVERING)
    story.until_change(0.05)
    assert (story.governor.step.name, story.governor.reason) == ("full", WITHIN_BUDGET)


def test_it_waits_for_ten_calm_seconds_however_long_ago_it_fell() -> None:
    story = fallen()
    story.seconds(300, 0.45)
    for _ in range(20):
        assert story.seconds(8, 0.2) == []
        assert story.seconds(4, 0.45) == []
    assert 9.0 <= story.until_change(0.2) <= 13.0


def test_peaks_that_last_no_longer_than_an_observation_do_not_keep_it_down() -> None:
    story = fallen()
    for _ in range(350):
        story.seconds(0.1, 0.05)
        story.seconds(0.1, 0.4)
    assert story.governor.step.name == "full"


def test_late_frames_are_no_calm() -> None:
    story = fallen()
    assert story.seconds(300, 0.1, late=0.08) == []


def test_what_was_learned_about_the_step_above_must_fit() -> None:
    story = Story(0.5, PLAIN)
    story.seconds(5, 0.4)
    assert story.seconds(0.6, 0.7) == ["coarser"]
    story.seconds(5, 0.45)  # 1.55 times as much was taken above
    assert story.seconds(500, 0.30) == []
    assert story.until_change(0.27) < 15.0


def test_what_was_learned_in_a_moment_that_was_none_is_not_believed() -> None:
    story = Story(0.5, PLAIN)
    story.seconds(5, 0.4)
    assert story.seconds(0.6, 0.7) == ["coarser"]
    story.seconds(5, 0.02)  # the game ended meanwhile: 35 times as much, it would seem
    assert story.until_change(0.15) < 60.0


def test_what_was_learned_is_forgotten_in_time() -> None:
    story = Story(0.5, PLAIN)
    story.seconds(5, 0.4)
    assert story.seconds(0.6, 0.7) == ["coarser"]
    story.seconds(5, 0.35)
    assert 580.0 < story.until_change(0.30) < 610.0


def test_each_failure_doubles_the_wait_up_to_ten_minutes() -> None:
    story = fallen()
    waits = []
    for _ in range(6):
        waits.append(round(story.until_change(0.2)))
        assert story.seconds(1.7, 0.6) == ["coarser"]
    assert waits == pytest.approx([60, 120, 240, 480, 600, 600], abs=2)


def test_a_step_passed_on_the_way_down_has_not_failed_again() -> None:
    story = Story(0.5, PLAIN)
    story.seconds(5, 0.4)
    for _ in range(3):
        assert story.seconds(3, 0.6) == ["coarser", "coarsest"]
        story.seconds(60, 0.4)
        story.seconds(12, 0.1)
        assert story.governor.step.name == "coarser", "it was passed, so a minute is enough"
        story.seconds(240, 0.1)
        assert story.governor.step.name == "full"


def test_a_step_that_held_long_enough_begins_anew() -> None:
    story = fallen()
    for _ in range(3):
        story.until_change(0.2)
        story.seconds(1.7, 0.6)
    assert round(story.until_change(0.2)) == pytest.approx(480, abs=2)
    story.seconds(500, 0.4)
    assert story.seconds(0.7, 0.6) == ["coarser"]
    assert round(story.until_change(0.2)) == pytest.approx(60, abs=2)


def test_without_a_limit_a_slow_device_comes_back_too() -> None:
    story = Story(1.0, PLAIN)
    story.seconds(5, 0.9)
    assert story.seconds(0.6, 0.95, late=0.2) == ["coarser"]
    assert story.until_change(0.84) < 65.0


# What the user changes meanwhile


def test_a_smaller_budget_is_kept_at_once_and_a_larger_one_soon() -> None:
    story = Story(0.9, PLAIN)
    assert story.seconds(20, 0.5) == []
    story.governor.set_budget(0.4)
    assert story.seconds(0.6, 0.5) == ["coarser"]
    story.governor.set_budget(0.9)
    assert story.until_change(0.45) <= 12.0


def test_a_larger_budget_does_not_forgive_late_frames() -> None:
    story = Story(0.5, PLAIN)
    story.seconds(5, 0.2)
    assert story.seconds(0.6, 0.2, late=0.2) == ["coarser"]
    story.governor.set_budget(1.0)
    assert 59.0 <= story.until_change(0.2) <= 61.0


def at(steps: tuple[Step, ...], name: str) -> Governor:
    """A governor that was driven down to a step."""
    wanted = names(steps).index(name)
    story = Story(0.5, steps)
    story.seconds(1, 0.4)
    while names(steps).index(story.governor.step.name) < wanted:
        story.seconds(0.1, 0.6)
    assert story.governor.step.name == name
    return story.governor


@pytest.mark.parametrize(
    ("before", "name", "after", "expected"),
    [
        (WHOLE, "full", PLAIN, "full"),
        (WHOLE, "no_super_resolution", PLAIN, "half_rate"),
        (WHOLE, "half_precision", PLAIN, "half_rate"),
        (WHOLE, "third_rate", PLAIN, "third_rate"),
        (WHOLE, "half_precision", ladder(True, False), "no_super_resolution"),
        (PLAIN, "half_rate", WHOLE, "half_rate"),
        (PLAIN, "third_rate", WHOLE, "third_rate"),
        (PLAIN, "quarter_rate", ladder(True, True, 2), "quarter_rate"),
        (PLAIN, "half_rate", ladder(False, False, 2), "coarsest"),
        (ladder(False, False, 2), "full", PLAIN, "full"),
        (ladder(False, False, 2), "coarsest", PLAIN, "coarsest"),
        (PLAIN, "quarter_rate", ladder(False, False, 6), "coarsest"),
        (WHOLE, "quarter_rate", WHOLE[:1], "full"),
    ],
)
def test_another_ladder_keeps_what_was_given_up(
    before: tuple[Step, ...], name: str, after: tuple[Step, ...], expected: str
) -> None:
    governor = at(before, name)
    governor.set_steps(after)
    assert governor.step.name == expected
    assert governor.step in after
    assert (governor.reason == WITHIN_BUDGET) == (expected == "full")


def test_the_same_ladder_again_changes_nothing() -> None:
    story = fallen()
    story.seconds(55, 0.2)
    story.governor.set_steps(list(PLAIN))
    assert story.until_change(0.2) < 6.0


def test_after_a_long_sleep_nothing_is_judged_by_what_was_before() -> None:
    story = Story(0.5)
    story.seconds(5, 0.4)
    story.seconds(0.4, 0.6)
    story.now += 3600 * SECOND
    assert story.seconds(1.0, 0.6) == []


def test_observations_once_a_second_are_enough() -> None:
    governor = Governor(0.5, PLAIN)
    told = [governor.observe(Load(0.6, 0.0, 0.0), second * SECOND) for second in range(1, 6)]
    assert [step.name for step in told if step] == ["coarser", "coarsest"]


# Coming to rest


class Machine:
    """Load that falls with the stride, rises with the game and wavers; frames come late when a render does not fit."""

    def __init__(self, seed: int, render_ms: float, beside_game: float, noise: float = 0.12) -> None:
        random = np.random.default_rng(seed)
        self._render_ms, self._beside_game = render_ms, beside_game
        # a walk that comes back within half a minute, and what no two observations have in common
        wander, walk = 0.0, []
        for step in random.normal(0.0, noise / 12.0, OBSERVATIONS).tolist():
            wander += step - 0.005 * wander
            walk.append(wander)
        self._factors = np.exp(np.array(walk) + random.normal(0.0, noise, OBSERVATIONS)).tolist()
        self._late = random.normal(0.0, 0.02, OBSERVATIONS).tolist()

    def load(self, step: Step, game: bool, number: int) -> Load:
        """The load at one of ten observations a second."""
        milliseconds = self._render_ms * (self._beside_game if game else 1.0) * 0.9**step.coarser
        milliseconds *= (1.0 if step.super_resolution else 0.7) * (0.8 if step.precision else 1.0)
        milliseconds *= self._factors[number]
        room_ms = 1000.0 / 60.0 * step.stride
        device = min(milliseconds / room_ms, 1.0)
        late = max(0.0, 1.0 - room_ms / milliseconds) + self._late[number]
        return Load(device, device * 0.2, min(max(late, 0.0), 1.0))


Game = Callable[[float], bool]
GAMES: dict[str, tuple[Game, int]] = {
    "none": (lambda second: False, 20),
    "from the start on": (lambda second: second >= 20, 24),
    "two evenings": (lambda second: 300 <= second < 900 or 1200 <= second < 1600, 32),
    "on and off every five minutes": (lambda second: second // 300 % 2 == 1, 34),
    "on and off every minute": (lambda second: second // 60 % 2 == 1, 64),
    "on and off every twelve seconds": (lambda second: second // 12 % 2 == 1, 40),
}
"""When the game runs, and the most changes in half an hour: some three for each time it starts or ends, while an eager
governor would follow each of 150 turns up and down, and a nervous one the noise of 18000 observations."""
MACHINES = [(6.0, 2.5), (9.0, 1.5), (9.0, 4.0), (13.0, 2.5)]
"""Milliseconds of a render, and how many times as long it takes beside the game."""


class Run:
    """Half an hour of ten observations a second on one machine beside one game."""

    def __init__(self, machine: Machine, budget: float, game: Game, minutes: float = 30.0) -> None:
        governor = Governor(budget, WHOLE)
        self.places: list[int] = []
        """The place on the ladder at each observation."""
        self.changes: list[tuple[float, int]] = []
        """When (s), and to which place."""
        over: list[bool] = []
        for number in range(round(minutes * 600)):
            load = machine.load(governor.step, game(number / 10), number)
            over.append(load.device_share > budget and governor.step != WHOLE[-1])
            if governor.observe(load, SECOND + number * TENTH) is not None:
                self.changes.append((number / 10, WHOLE.index(governor.step)))
            self.places.append(WHOLE.index(governor.step))
        self.over_share = sum(over) / len(over)
        """Share of observations over the budget with something cheaper left."""

    def returns(self, within_s: float) -> int:
        """How often a step that was climbed to was left again so soon."""
        changes = zip([(0.0, 0), *self.changes], self.changes, self.changes[1:], strict=False)
        return sum(
            up < before and down > up and left - came < within_s for (_, before), (came, up), (left, down) in changes
        )


@pytest.mark.parametrize("budget", [1.0, 0.6, 0.35])
@pytest.mark.parametrize("name", GAMES)
def test_it_comes_to_rest_beside_any_game(name: str, budget: float) -> None:
    game, most = GAMES[name]
    for seed, (render_ms, beside_game) in enumerate(MACHINES):
        told = Run(Machine(seed, render_ms, beside_game), budget, game)
        assert len(told.changes) <= most
        assert told.returns(60.0) <= 12
        assert told.over_share < 0.15


def test_it_stands_still_when_nothing_wavers() -> None:
    for render_ms in (6.0, 13.0, 25.0):
        for budget in (1.0, 0.35):
            told = Run(Machine(0, render_ms, 1.0, noise=0.0), budget, lambda second: False)
            assert len(told.changes) < 20
            assert told.returns(60.0) <= 6


@pytest.mark.parametrize("budget", [0.6, 0.35])
@pytest.mark.parametrize(("render_ms", "beside_game"), [(9.0, 4.0), (13.0, 2.5)])
def test_a_game_finds_room_within_seconds_and_gives_it_back_within_minutes(
    budget: float, render_ms: float, beside_game: float
) -> None:
    machine = Machine(1, render_ms, beside_game, noise=0.05)
    told = Run(machine, budget, lambda second: 300 <= second < 900, 25.0)
    before, soon, during = (told.places[second * 10] for second in (299, 307, 899))
    assert soon > before
    assert soon >= during - 1
    assert told.places[-1] <= before + 1
