"""Leaves room for the game: a state machine without threads or clocks that gives up quality when we take too much.

The load is told to it with the time; what must change comes back as a step of a ladder. It yields within a second and
climbs slowly, because a picture that changes all the time is worse than one that is a little coarser.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

SECOND_NS = 1_000_000_000

WITHIN_BUDGET = "within_budget"
OVER_BUDGET = "over_budget"
FRAMES_LATE = "frames_late"
RECOVERING = "recovering"
REASONS = (WITHIN_BUDGET, OVER_BUDGET, FRAMES_LATE, RECOVERING)

HALF = "half"

_EXPECTED_OF_A_NOTCH = 0.85
_EXPECTED_WITHOUT_SUPER_RESOLUTION = 0.6
_EXPECTED_IN_HALF_PRECISION = 0.7
"""What is left of the load where nothing was learned yet: guesses, right to a factor of two."""


@dataclass(frozen=True, slots=True)
class Load:
    """What we take of the machine at a moment; each 0..1, measured over a second at most."""

    device_share: float
    """Share of wall time in which the device that draws was busy with our renders."""
    processor_share: float
    """Share of all cores together that the worker process used."""
    late_share: float
    """Share of the last second's output frames that came late or were left out."""


@dataclass(frozen=True, slots=True)
class Step:
    """How much is done for the picture. Every step of a ladder also does without what the steps above it gave up."""

    name: str
    """Key of a sentence: ``full``, ``coarser``, ``coarsest``, ``half_rate``, ``no_super_resolution``,
    ``half_precision``, ``third_rate``, ``quarter_rate``."""
    stride: int
    """An output frame in so many is rendered; the others are in-between frames if the user allows them, else the last
    picture stays."""
    super_resolution: bool
    coarser: int
    """0..2: notches by which the quantiser's level goes up."""
    precision: str
    """Empty: as it is; ``half``: float16."""

    @property
    def expected_cost(self) -> float:
        """Load in relation to other steps' (> 0) as long as nothing was measured."""
        cost = _EXPECTED_OF_A_NOTCH**self.coarser / self.stride
        if not self.super_resolution:
            cost *= _EXPECTED_WITHOUT_SUPER_RESOLUTION
        return cost * _EXPECTED_IN_HALF_PRECISION if self.precision == HALF else cost


def ladder(super_resolution: bool, precision_choice: bool, own_stride: int = 1) -> tuple[Step, ...]:
    """The steps from best to cheapest; only those that make a difference, each strictly cheaper than the last.

    ``super_resolution``: it is on. ``precision_choice``: the precision is ours to choose and is not half already.
    ``own_stride``: what the settings ask for without us (``Pace.stride``); no step has less.
    """
    steps = [Step("full", own_stride, super_resolution, 0, "")]
    steps.append(replace(steps[-1], name="coarser", coarser=1))
    steps.append(replace(steps[-1], name="coarsest", coarser=2))
    if own_stride < 2:
        steps.append(replace(steps[-1], name="half_rate", stride=2))
    if super_resolution:
        steps.append(replace(steps[-1], name="no_super_resolution", super_resolution=False))
    if precision_choice:
        steps.append(replace(steps[-1], name="half_precision", precision=HALF))
    for name, slower in (("third_rate", 3), ("quarter_rate", 4)):
        if own_stride < slower:
            steps.append(replace(steps[-1], name=name, stride=slower))
    return tuple(steps)


class Policy(NamedTuple):
    """The numbers. Changed in tests only."""

    over_ns: int = SECOND_NS // 2
    """Over the budget, or late, for so long: a step down."""
    clearly: float = 1.5
    """So many times the budget: two steps at once."""
    late_share: float = 0.1
    """More late frames than this are seen."""
    clearly_late_share: float = 0.3
    """Two steps at once."""
    settle_ns: int = SECOND_NS
    """After a change nothing is judged for so long: late frames are counted over a second."""
    calm_ns: int = 10 * SECOND_NS
    calm_share: float = 0.75
    """Below this share of the budget for ``calm_ns``, the next better step may be tried."""
    fits_share: float = 0.85
    """The load expected there must be below this share of the budget, because loads waver."""
    smoothed_s: float = 1.0
    """To yield each observation counts as it is; to climb, a mean over about this time."""
    first_ban_ns: int = 60 * SECOND_NS
    longest_ban_ns: int = 600 * SECOND_NS
    forgiven_ns: int = 300 * SECOND_NS
    """So long after the end of its ban, and as long as the ban was, a step has not failed before."""
    believed_ns: int = 600 * SECOND_NS
    """What was learned about a step counts for so long: another game may run by then."""
    most_off: float = 1.5
    """What was learned is believed within this factor of what is expected: a game that ended while we measured would
    else keep us down."""
    gap_ns: int = 3 * SECOND_NS
    """Without observations for so long (computer asleep, another character) the wait begins anew."""


DEFAULT_POLICY = Policy()


class _Ban(NamedTuple):
    until_ns: int
    length_ns: int
    reason: str


class _Ratio(NamedTuple):
    """Load of a step in relation to the load of a cheaper one."""

    times: float
    learned_ns: int


class _Left(NamedTuple):
    step: Step
    load: float
    downward: bool


@dataclass(slots=True)
class _Excess:
    """Observations in a row that were too much."""

    since_ns: int
    count: int = 0
    load_sum: float = 0.0
    late_sum: float = 0.0

    def add(self, load: float, late: float) -> None:
        self.count, self.load_sum, self.late_sum = self.count + 1, self.load_sum + load, self.late_sum + late

    @property
    def load(self) -> float:
        return self.load_sum / self.count

    @property
    def late(self) -> float:
        return self.late_sum / self.count


class Governor:
    """Down the ladder when we take more than the budget or frames come late, up again when there is room.

    The load is the larger one of the device's and the processor's share. A step that was left because it was too much
    is banned for a minute, twice as long each time it is tried and fails again, ten minutes at most; minutes without a
    failure are forgiven. All times are nanoseconds of one monotonic clock.
    """

    def __init__(self, budget_share: float, steps: Sequence[Step], policy: Policy = DEFAULT_POLICY) -> None:
        """``budget_share``: 0..1 of the device and of the processor; 1 is no limit, then only late frames count.
        ``steps``: from best to cheapest, as :func:`ladder` gives them. Raises ValueError if there are none."""
        if not steps:
            raise ValueError("a ladder needs a step")
        self._policy = policy
        self._budget = budget_share
        self._steps = tuple(steps)
        self._place = 0
        self.reason = WITHIN_BUDGET
        """Why this step: ``within_budget`` on the best one, else what led to it."""
        self._bans: dict[Step, _Ban] = {}
        self._ratios: dict[tuple[Step, Step], _Ratio] = {}
        self._left: _Left | None = None
        self._observed_ns: int | None = None
        self._tried = True
        self._settled_ns = 0
        self._excess: _Excess | None = None
        self._calm_since_ns: int | None = None
        self._mean: float | None = None

    @property
    def step(self) -> Step:
        """What is in force."""
        return self._steps[self._place]

    @property
    def limited(self) -> bool:
        """Is there a budget at all?"""
        return self._budget < 1.0

    def set_budget(self, budget_share: float) -> None:
        """The user's new budget, 0..1. A larger one lifts the bans that the smaller one brought."""
        if budget_share > self._budget:
            self._bans = {step: ban for step, ban in self._bans.items() if ban.reason != OVER_BUDGET}
        self._budget = budget_share
        self._excess = self._calm_since_ns = None

    def set_steps(self, steps: Sequence[Step]) -> None:
        """Another ladder, because the user switched something on or off. Raises ValueError if it is empty.

        What was given up stays given up as far as the new ladder can do without it: the new place is the best step
        that does.
        """
        if not steps:
            raise ValueError("a ladder needs a step")
        if tuple(steps) == self._steps:
            return
        given_up = _given_up(self._steps[0], self.step)
        if self.step.stride == self._steps[0].stride:
            given_up = given_up._replace(stride=1)  # the settings' own, not ours
        self._steps = tuple(steps)
        wanted = tuple(map(min, given_up, _given_up(self._steps[0], self._steps[-1])))
        self._place = next(
            place
            for place, step in enumerate(self._steps)
            if all(has >= needs for has, needs in zip(_given_up(self._steps[0], step), wanted, strict=True))
        )
        if self._place == 0:
            self.reason = WITHIN_BUDGET
        self._left = self._observed_ns = None

    def observe(self, load: Load, now_ns: int) -> Step | None:
        """The load of this moment; call it some ten times a second, once a second at the least.

        Returns the new step if there is one now. Call it only while a step is really in force: not while sessions are
        made anew.
        """
        if self._observed_ns is None or not 0 <= now_ns - self._observed_ns <= self._policy.gap_ns:
            self._observed_ns = now_ns
            self._settle(now_ns)
        elapsed_s = (now_ns - self._observed_ns) / SECOND_NS
        self._observed_ns = now_ns
        if now_ns < self._settled_ns:
            return None
        taken = max(load.device_share, load.processor_share)
        share = 1.0 - math.exp(-elapsed_s / self._policy.smoothed_s)
        self._mean = taken if self._mean is None else self._mean + (taken - self._mean) * share
        if now_ns - self._settled_ns >= self._policy.smoothed_s * SECOND_NS:
            self._learn(self._mean, now_ns)
        return self._yield(taken, load.late_share, now_ns) or self._climb(self._mean, load.late_share, now_ns)

    def _yield(self, taken: float, late: float, now_ns: int) -> Step | None:
        policy = self._policy
        if late <= policy.late_share and not (self.limited and taken > self._budget):
            self._excess = None
            return None
        if self._excess is None:
            self._excess = _Excess(now_ns)
        excess = self._excess
        excess.add(taken, late)
        lowest = len(self._steps) - 1
        if now_ns - excess.since_ns < policy.over_ns or self._place == lowest:
            return None
        clearly = excess.late > policy.clearly_late_share or (
            self.limited and excess.load > policy.clearly * self._budget
        )
        reason = OVER_BUDGET if self.limited and excess.load > self._budget else FRAMES_LATE
        self._ban(reason, now_ns)
        return self._go(min(self._place + (2 if clearly else 1), lowest), reason, excess.load, now_ns)

    def _climb(self, mean: float, late: float, now_ns: int) -> Step | None:
        policy = self._policy
        if late > policy.late_share / 2 or (self.limited and mean >= policy.calm_share * self._budget):
            self._calm_since_ns = None
            return None
        if self._calm_since_ns is None:
            self._calm_since_ns = now_ns
        if self._place == 0 or now_ns - self._calm_since_ns < policy.calm_ns:
            return None
        better = self._steps[self._place - 1]
        ban = self._bans.get(better)
        if ban is not None and now_ns < ban.until_ns:
            return None
        # what takes more than the whole device is late for certain, budget or not
        room = policy.fits_share * self._budget if self.limited else 1.0
        if mean * self._times(better, self.step, now_ns) > room:
            return None
        return self._go(self._place - 1, RECOVERING, mean, now_ns)

    def _go(self, place: int, reason: str, load: float, now_ns: int) -> Step:
        self._learn(load, now_ns)
        self._left = _Left(self.step, load, downward=place > self._place)
        self._place, self._tried = place, place < self._place
        self.reason = reason if place else WITHIN_BUDGET
        self._settle(now_ns)
        return self.step

    def _settle(self, now_ns: int) -> None:
        self._settled_ns = now_ns + self._policy.settle_ns
        self._excess = self._calm_since_ns = self._mean = None

    def _ban(self, reason: str, now_ns: int) -> None:
        """The step in force was too much."""
        policy, known = self._policy, self._bans.get(self.step)
        length_ns = policy.first_ban_ns
        if known is not None and now_ns - known.until_ns < max(known.length_ns, policy.forgiven_ns):
            # on the way down it was not tried again, only passed
            length_ns = min(2 * known.length_ns, policy.longest_ban_ns) if self._tried else known.length_ns
        self._bans[self.step] = _Ban(now_ns + length_ns, length_ns, reason)

    def _learn(self, load: float, now_ns: int) -> None:
        """Compare the load in this step with what it was in the one before, once."""
        left, self._left = self._left, None
        if left is None:
            return
        if left.downward:
            better, worse, times = left.step, self.step, left.load / max(load, 1e-3)
        else:
            better, worse, times = self.step, left.step, load / max(left.load, 1e-3)
        expected, off = better.expected_cost / worse.expected_cost, self._policy.most_off
        self._ratios[better, worse] = _Ratio(min(max(times, expected / off), expected * off), now_ns)

    def _times(self, better: Step, worse: Step, now_ns: int) -> float:
        """How many times the load of ``worse`` the load of ``better`` is, never less than once."""
        known = self._ratios.get((better, worse))
        if known is None or now_ns - known.learned_ns > self._policy.believed_ns:
            return max(better.expected_cost / worse.expected_cost, 1.0)
        return max(known.times, 1.0)


class _GivenUp(NamedTuple):
    notches: int
    stride: int
    super_resolution: bool
    precision: bool


def _given_up(best: Step, step: Step) -> _GivenUp:
    """What ``step`` does without, of what ``best`` has."""
    return _GivenUp(
        step.coarser - best.coarser,
        step.stride,
        best.super_resolution and not step.super_resolution,
        step.precision != best.precision,
    )
