"""The supervisor and a worker that fails: delays, forgiveness, the next rung, giving up; and any order of events."""

from __future__ import annotations

from typing import List

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.obs import supervisor as parts
from core.obs.supervisor import DEFAULT_POLICY, KILL, LAUNCH, Action, Supervisor
from tests.unit.test_supervisor import Story

TRIES = DEFAULT_POLICY.restarts_per_rung


def test_each_failure_doubles_the_delay() -> None:
    story = Story("gpu", "rig")
    story.start()
    assert [story.crash() for _ in range(TRIES - 1)] == [0.25, 0.5, 1.0, 2.0]


def test_a_delay_is_never_longer_than_the_longest() -> None:
    story = Story()
    story.supervisor = Supervisor(["rig"], DEFAULT_POLICY._replace(restarts_per_rung=40, longest_delay=8.0))
    story.start()
    assert [story.crash() for _ in range(38)][4:] == [4.0] + [8.0] * 33


def test_a_worker_that_had_come_up_is_back_within_a_second() -> None:
    story = Story()
    story.start()
    delays = []
    for _ in range(30):
        story.come_up(spell=1.0)
        delays.append(story.crash())
    assert delays == [0.25, 0.5] + [1.0] * 28


def test_a_stable_spell_forgives_what_was_before() -> None:
    story = Story("gpu", "rig")
    story.start()
    for _ in range(TRIES - 1):
        story.crash()
    story.come_up(spell=DEFAULT_POLICY.stable_after)
    assert story.supervisor.restarts == 0
    assert story.crash() == DEFAULT_POLICY.first_delay
    assert story.supervisor.rung == "gpu"


def test_a_spell_that_is_not_long_enough_forgives_nothing() -> None:
    story = Story("gpu", "rig")
    story.start()
    for _ in range(TRIES):
        story.come_up(spell=DEFAULT_POLICY.stable_after - 0.5)
        story.crash()
    assert story.supervisor.rung == "rig"


def test_too_many_failures_lead_to_the_next_rung_with_a_clean_slate() -> None:
    story = Story("gpu", "rig")
    story.start()
    delays = [story.crash() for _ in range(TRIES)]
    assert (story.phase, story.supervisor.rung, story.supervisor.restarts) == (parts.STARTING, "rig", 0)
    assert story.supervisor.reduced
    assert delays[-1] == DEFAULT_POLICY.first_delay


@pytest.mark.parametrize("said_hello", [False, True])
def test_a_rung_on_which_every_start_hangs_is_left_too(said_hello: bool) -> None:
    story = Story("gpu", "rig")
    story.start()
    for _ in range(TRIES):
        if said_hello:
            story.supervisor.heard_hello(story.now)
        while story.phase != parts.STALLED:
            story.after(1.0)
        story.crash()
    assert story.supervisor.rung == "rig"


def test_the_whole_ladder_is_tried_from_top_to_bottom() -> None:
    story = Story("tensorrt", "gpu", "cpu", "rig")
    story.start()
    rungs = []
    while story.phase != parts.GAVE_UP:
        rungs.append(story.supervisor.rung)
        story.crash()
    assert rungs == ["tensorrt"] * TRIES + ["gpu"] * TRIES + ["cpu"] * TRIES + ["rig"] * TRIES


def test_a_worker_that_never_comes_up_on_the_last_rung_is_given_up() -> None:
    story = Story()
    story.start()
    for _ in range(TRIES):
        story.crash()
    assert (story.phase, story.after(1000.0), story.supervisor.restarts) == (parts.GAVE_UP, [], TRIES)


def test_a_worker_that_comes_up_on_the_last_rung_is_never_given_up() -> None:
    story = Story()
    story.start()
    for _ in range(5 * TRIES):
        story.come_up()
        story.crash()
        assert story.phase == parts.STARTING


def test_a_start_by_the_user_climbs_back_to_the_top() -> None:
    story = Story("gpu", "rig")
    story.start()
    for _ in range(TRIES):
        story.crash()
    story.stop()
    story.exit()
    assert story.start() == [Action(LAUNCH, "gpu")]
    assert not story.supervisor.reduced


def test_a_restart_stays_on_its_rung() -> None:
    story = Story("gpu", "rig")
    story.start()
    for _ in range(TRIES):
        story.crash()
    story.restart()
    assert story.exit() == [Action(LAUNCH, "rig")]


class AnyOrder(RuleBasedStateMachine):
    """Events in any order, as long as a process that is not there says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.supervisor = Supervisor(["gpu", "cpu", "rig"])
        self.now = 0.0
        self.alive = False
        self.wanted = False

    def act(self, actions: List[Action]) -> None:
        for action in actions:
            if action.kind == LAUNCH:
                assert not self.alive, "a second process was wanted beside the first"
                assert self.wanted, "a process was wanted after the user had stopped it"
                assert action.rung == self.supervisor.rung
                self.alive = True
            else:
                assert self.alive, f"{action.kind} without a process"

    @rule()
    def start(self) -> None:
        self.wanted = True
        self.act(self.supervisor.start(self.now))

    @rule()
    def stop(self) -> None:
        self.wanted = False
        self.act(self.supervisor.stop(self.now))

    @rule()
    def restart(self) -> None:
        self.act(self.supervisor.restart(self.now))

    @rule(seconds=st.sampled_from([0.1, 0.3, 2.0, 6.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.act(self.supervisor.tick(self.now))

    @precondition(lambda self: self.alive)
    @rule()
    def hello(self) -> None:
        self.supervisor.heard_hello(self.now)

    @precondition(lambda self: self.alive)
    @rule(stage=st.sampled_from(["", "starting", "warming", "running", "stopping", "dancing"]))
    def heartbeat(self, stage: str) -> None:
        self.supervisor.heard(self.now, stage)

    @precondition(lambda self: self.alive)
    @rule(hopeless=st.booleans(), on_purpose=st.booleans())
    def process_ends(self, hopeless: bool, on_purpose: bool) -> None:
        self.alive = False
        self.act(self.supervisor.exited(self.now, hopeless, on_purpose))

    @precondition(lambda self: self.alive and self.supervisor.phase == parts.STARTING)
    @rule(hopeless=st.booleans())
    def process_did_not_start(self, hopeless: bool) -> None:
        self.alive = False
        self.act(self.supervisor.launch_failed(self.now, hopeless))

    @invariant()
    def phase_is_known(self) -> None:
        assert self.supervisor.phase in parts.PHASES

    @invariant()
    def a_process_exists_only_in_phases_that_end_it_in_time(self) -> None:
        assert self.alive == (self.supervisor.phase not in (parts.STOPPED, parts.GAVE_UP, parts.BACKING_OFF))

    @invariant()
    def failures_are_counted_within_the_limit(self) -> None:
        assert self.supervisor.restarts >= 0
        assert self.supervisor.rung in ("gpu", "cpu", "rig")

    def teardown(self) -> None:
        """Whatever happened: a stop, the time for it, and a kill end it."""
        self.stop()
        actions = self.supervisor.tick(self.now + 1000.0)
        assert ([action.kind for action in actions] == [KILL]) == self.alive
        if self.alive:
            self.process_ends(False, False)
        assert self.supervisor.phase == parts.STOPPED


TestAnyOrderOfEvents = AnyOrder.TestCase
