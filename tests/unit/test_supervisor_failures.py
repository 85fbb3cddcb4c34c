"""The supervisor and a worker that fails: delays, forgiveness, the next rung, giving up; and any order of events.

Then the engine round it: which rungs there are below the first one follows from what the worker tells.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.obs import engine as engines
from core.obs import launcher
from core.obs import supervisor as parts
from core.obs.engine import Engine, Wish
from core.obs.supervisor import DEFAULT_POLICY, KILL, LAUNCH, Action, Supervisor
from core.wire.messages import Message
from core.wire.settings import defaults
from core.wire.version import PROTOCOL, VERSION
from tests.contract.fake_outputs import wait_until
from tests.fake_libobs import FakeLib
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


# -- the way down, as the worker tells it ------------------------------------------------------------------------------


def rungs_of(story: Story) -> List[str]:
    """What it is started with until it is given up, each rung once."""
    seen: List[str] = []
    while story.phase != parts.GAVE_UP:
        seen += [story.supervisor.rung] if story.supervisor.rung not in seen else []
        story.crash()
    return seen


@pytest.mark.parametrize("below", [(), ("cpu", "rig"), ("rig",), ("gpu", "cpu", "rig")])
def test_the_way_down_is_the_one_that_was_told(below: Tuple[str, ...]) -> None:
    story = Story("tensorrt")
    story.start()
    story.supervisor.can_step_down_to(below)
    assert rungs_of(story) == ["tensorrt", *below]


def test_the_way_down_that_was_told_last_counts() -> None:
    story = Story("tensorrt", "gpu", "cpu", "rig")
    story.start()
    story.supervisor.can_step_down_to(("gpu", "cpu", "rig"))
    story.crash()
    story.supervisor.can_step_down_to(("rig",))
    assert rungs_of(story) == ["tensorrt", "rig"]


def test_once_stepped_down_the_way_stays_as_it_was() -> None:
    story = Story("tensorrt")
    story.start()
    story.supervisor.can_step_down_to(("gpu", "cpu", "rig"))
    for _ in range(TRIES):
        story.crash()
    assert story.supervisor.rung == "gpu"
    story.supervisor.can_step_down_to(())
    assert story.supervisor.rung == "gpu"
    assert rungs_of(story) == ["gpu", "cpu", "rig"]


def test_back_at_the_top_the_way_may_change_again() -> None:
    story = Story("tensorrt")
    story.start()
    story.supervisor.can_step_down_to(("gpu", "rig"))
    for _ in range(TRIES):
        story.crash()
    story.stop()
    story.exit()
    story.start()
    story.supervisor.can_step_down_to(("cpu",))
    assert rungs_of(story) == ["tensorrt", "cpu"]


def test_what_is_told_is_not_kept_by_reference() -> None:
    story = Story("tensorrt")
    story.start()
    told = ["gpu", "rig"]
    story.supervisor.can_step_down_to(told)
    told.clear()
    assert rungs_of(story) == ["tensorrt", "gpu", "rig"]


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
    @rule(below=st.sampled_from([(), ("rig",), ("cpu", "rig")]))
    def told_of_the_way_down(self, below: Tuple[str, ...]) -> None:
        before = self.supervisor.rung
        self.supervisor.can_step_down_to(below)
        assert self.supervisor.rung == before, "what runs now stays what it is"

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


# -- the engine round it ----------------------------------------------------------------------------------------------

HASTY = DEFAULT_POLICY._replace(
    first_delay=0.0, longest_delay=0.0, longest_delay_after_running=0.0, restarts_per_rung=2
)


class FakeChild:
    """A worker that says what a test wants it to, and dies when it is told to."""

    pid = 4711
    refused_lines = 0

    def __init__(
        self,
        launched: object,
        on_frame: Callable[[int], None],
        on_message: Callable[[FakeChild, Message], None],
        on_exit: Callable[[FakeChild, Optional[int]], None],
    ) -> None:
        self._on_message, self._on_exit = on_message, on_exit
        self.sent: List[Tuple[str, Dict[str, Any]]] = []

    def send(self, type_: str, **fields: Any) -> None:
        self.sent.append((type_, fields))

    def say(self, type_: str, **fields: Any) -> None:
        self._on_message(self, Message(type_, fields))

    def die(self, exit_code: int) -> None:
        self._on_exit(self, exit_code)

    def end_input(self) -> None:
        self.die(0)

    def kill(self) -> None:
        self.die(-9)

    def close(self) -> None:
        """Nothing is open."""

    def last_words(self) -> str:
        return ""

    def configured_rung(self) -> str:
        """What it was put to work with, once it was."""
        self.say("hello", protocol=PROTOCOL, version=VERSION, pid=self.pid, capabilities={"outputs": {}})
        assert wait_until(lambda: any(type_ == "configure" for type_, _ in self.sent))
        return str(next(fields["rung"] for type_, fields in self.sent if type_ == "configure"))


@pytest.fixture
def children(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[List[FakeChild]]:
    """Those of an engine that was started; the newest is the last."""
    made: List[FakeChild] = []

    def make(*args: Any) -> FakeChild:
        made.append(FakeChild(*args))
        return made[-1]

    monkeypatch.setattr("core.wire.ring._memory_folder", lambda: tmp_path)
    monkeypatch.setattr(engines, "Child", make)
    monkeypatch.setattr(launcher, "launch", lambda chosen: SimpleNamespace())
    engine = Engine(FakeLib(), lambda view: None, lambda: None, policy=HASTY)
    engine.start(Wish(defaults(), True), lambda capabilities: "obs_source")
    yield made
    engine.close()


def lives(children: List[FakeChild], *tells: str) -> List[str]:
    """The rungs that workers are started with, each of which tells its rung (or nothing), runs and crashes."""
    rungs = []
    for number, rung in enumerate(tells):
        assert wait_until(lambda known=number: len(children) > known)  # type: ignore[misc]
        child = children[number]
        rungs.append(child.configured_rung())
        child.say("heartbeat", stage="running", frames=1)
        if rung:
            child.say("state", stage="running", rung=rung)
        child.die(7)
    return rungs


@pytest.mark.parametrize(
    ("tells", "rungs"),
    [
        (["gpu"] * 6, ["tensorrt", "tensorrt", "cpu", "cpu", "rig", "rig"]),
        (["tensorrt"] * 8, ["tensorrt", "tensorrt", "gpu", "gpu", "cpu", "cpu", "rig", "rig"]),
        (["cpu"] * 5, ["tensorrt", "tensorrt", "rig", "rig", "rig"]),
        (["rig"] * 5, ["tensorrt"] * 5),
        ([""] * 5, ["tensorrt"] * 5),
        (["quantum"] * 4, ["tensorrt", "tensorrt", "gpu", "gpu"]),
        (["gpu", "gpu", "rig", "rig", "rig"], ["tensorrt", "tensorrt", "cpu", "cpu", "rig"]),
        (["tensorrt", "cpu", "cpu"], ["tensorrt", "tensorrt", "rig"]),
    ],
)
def test_a_worker_that_crashes_is_led_to_what_is_below_the_rung_it_told(
    children: List[FakeChild], tells: List[str], rungs: List[str]
) -> None:
    assert lives(children, *tells) == rungs
