"""The supervisor's way from the start to the end, step by step, with time told to it."""

from __future__ import annotations

from typing import List

import pytest

from core.obs import supervisor as parts
from core.obs.supervisor import ASK_TO_STOP, DEFAULT_POLICY, KILL, LAUNCH, Action, Supervisor

POLICY = DEFAULT_POLICY
LAUNCH_RIG = [Action(LAUNCH, "rig")]


class Story:
    """A supervisor, the time, and what can happen to its worker."""

    def __init__(self, *ladder: str) -> None:
        self.supervisor = Supervisor(ladder or ["rig"])
        self.now = 1000.0

    @property
    def phase(self) -> str:
        return self.supervisor.phase

    def after(self, seconds: float) -> List[Action]:
        self.now += seconds
        return self.supervisor.tick(self.now)

    def start(self) -> List[Action]:
        return self.supervisor.start(self.now)

    def stop(self) -> List[Action]:
        return self.supervisor.stop(self.now)

    def restart(self) -> List[Action]:
        return self.supervisor.restart(self.now)

    def hear(self, stage: str) -> None:
        self.supervisor.heard(self.now, stage)

    def come_up(self, spell: float = 0.0) -> None:
        """Hello, warm-up, running, and ``spell`` seconds of that with a heartbeat every half second."""
        self.supervisor.heard_hello(self.now)
        self.hear("warming")
        self.hear("running")
        for _ in range(int(spell * 2)):
            self.now += 0.5
            self.hear("running")

    def exit(self, hopeless: bool = False, on_purpose: bool = False) -> List[Action]:
        return self.supervisor.exited(self.now, hopeless, on_purpose)

    def crash(self) -> float:
        """The worker ends by itself; returns how long the supervisor waits until it starts the next one."""
        assert self.exit() == []
        began = self.now
        while self.phase == parts.BACKING_OFF:
            self.after(0.125)
        return self.now - began


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def running() -> Story:
    story = Story()
    story.start()
    story.come_up()
    return story


def test_it_begins_stopped_and_does_nothing_by_itself(story: Story) -> None:
    assert (story.phase, story.after(1000.0), story.supervisor.wants_process) == (parts.STOPPED, [], False)


def test_a_start_launches_the_top_rung() -> None:
    story = Story("gpu", "rig")
    assert story.start() == [Action(LAUNCH, "gpu")]
    assert (story.phase, story.supervisor.rung) == (parts.STARTING, "gpu")


def test_a_second_start_changes_nothing(running: Story) -> None:
    assert (running.start(), running.phase) == ([], parts.RUNNING)


def test_hello_leads_to_warming_and_the_first_frame_to_running(story: Story) -> None:
    story.start()
    story.supervisor.heard_hello(story.now)
    phases = [story.phase]
    for stage in ("warming", "running"):
        story.hear(stage)
        phases.append(story.phase)
    assert phases == [parts.WARMING, parts.WARMING, parts.RUNNING]


def test_heartbeats_before_hello_do_not_count(story: Story) -> None:
    story.start()
    story.hear("running")
    assert story.phase == parts.STARTING


def test_no_hello_within_its_limit_is_the_end_of_the_process(story: Story) -> None:
    story.start()
    assert story.after(POLICY.hello_limit - 0.01) == []
    assert story.after(0.01) == [Action(KILL)]
    assert story.phase == parts.STALLED


def test_warming_may_be_silent_longer_than_running(story: Story) -> None:
    story.start()
    story.supervisor.heard_hello(story.now)
    assert story.after(POLICY.warming_silence_limit - 0.01) == []
    assert story.after(0.01) == [Action(KILL)]


def test_progress_keeps_a_long_preparation_alive(story: Story) -> None:
    story.start()
    story.supervisor.heard_hello(story.now)
    for _ in range(20):
        assert story.after(POLICY.warming_silence_limit - 0.01) == []
        story.hear("")
    assert story.phase == parts.WARMING


def test_silence_while_running_is_a_stall(running: Story) -> None:
    assert running.after(POLICY.running_silence_limit - 0.01) == []
    assert running.after(0.01) == [Action(KILL)]
    assert running.phase == parts.STALLED


def test_progress_while_running_grants_the_longer_silence(running: Story) -> None:
    running.hear("")
    assert running.after(POLICY.running_silence_limit) == []
    assert running.phase == parts.RUNNING


def test_a_stalled_process_that_does_not_die_is_killed_again(running: Story) -> None:
    running.after(POLICY.running_silence_limit)
    assert running.after(POLICY.stop_limit) == [Action(KILL)]


def test_signs_of_life_of_a_process_that_is_being_killed_come_too_late(running: Story) -> None:
    running.after(POLICY.running_silence_limit)
    running.hear("running")
    assert running.phase == parts.STALLED


def test_the_end_of_a_stalled_process_counts_as_a_failure(running: Story) -> None:
    running.after(POLICY.running_silence_limit)
    assert running.exit() == []
    assert (running.phase, running.supervisor.restarts) == (parts.BACKING_OFF, 1)


def test_after_the_delay_the_next_process_is_launched(running: Story) -> None:
    running.exit()
    assert running.after(POLICY.first_delay - 0.01) == []
    assert running.after(0.01) == LAUNCH_RIG


def test_exit_code_zero_is_no_failure(running: Story) -> None:
    assert running.exit(on_purpose=True) == []
    assert (running.phase, running.supervisor.restarts, running.after(100.0)) == (parts.STOPPED, 0, [])


@pytest.mark.parametrize("hello", [False, True])
def test_a_hopeless_end_is_not_tried_again(story: Story, hello: bool) -> None:
    story.start()
    if hello:
        story.supervisor.heard_hello(story.now)
    assert story.exit(hopeless=True) == []
    assert (story.phase, story.after(1000.0)) == (parts.GAVE_UP, [])


def test_a_start_after_giving_up_tries_again_with_a_clean_slate() -> None:
    story = Story("gpu", "rig")
    story.start()
    story.exit(hopeless=True)
    assert story.start() == [Action(LAUNCH, "gpu")]
    assert story.supervisor.restarts == 0


def test_a_process_that_could_not_be_launched_is_tried_again(story: Story) -> None:
    story.start()
    assert story.supervisor.launch_failed(story.now, hopeless=False) == []
    assert story.after(POLICY.first_delay) == LAUNCH_RIG


def test_a_process_that_can_never_be_launched_is_given_up_at_once(story: Story) -> None:
    story.start()
    story.supervisor.launch_failed(story.now, hopeless=True)
    assert story.phase == parts.GAVE_UP


def test_a_failed_launch_is_only_heard_of_while_starting(running: Story) -> None:
    assert running.supervisor.launch_failed(running.now, hopeless=True) == []
    assert running.phase == parts.RUNNING


def test_a_stop_is_asked_for_first(running: Story) -> None:
    assert running.stop() == [Action(ASK_TO_STOP)]
    assert running.phase == parts.STOPPING


def test_a_stop_that_is_obeyed_ends_stopped(running: Story) -> None:
    running.stop()
    assert running.exit() == []
    assert (running.phase, running.supervisor.wants_process, running.after(1000.0)) == (parts.STOPPED, False, [])


def test_a_stop_that_is_not_obeyed_ends_in_a_kill(running: Story) -> None:
    running.stop()
    assert running.after(POLICY.stop_limit - 0.01) == []
    assert running.after(0.01) == [Action(KILL)]
    assert running.after(POLICY.stop_limit) == [Action(KILL)]
    running.exit()
    assert running.phase == parts.STOPPED


@pytest.mark.parametrize("hello", [False, True])
def test_a_stop_before_it_runs_is_a_stop_as_well(story: Story, hello: bool) -> None:
    story.start()
    if hello:
        story.supervisor.heard_hello(story.now)
    assert story.stop() == [Action(ASK_TO_STOP)]
    assert story.exit() == []
    assert story.phase == parts.STOPPED


def test_a_stop_while_backing_off_needs_no_process(running: Story) -> None:
    running.exit()
    assert running.stop() == []
    assert (running.phase, running.after(1000.0)) == (parts.STOPPED, [])


def test_a_stop_while_stalled_waits_for_the_process_to_die(running: Story) -> None:
    running.after(POLICY.running_silence_limit)
    running.stop()
    assert running.after(POLICY.stop_limit) == [Action(KILL)]
    assert running.exit() == []
    assert running.phase == parts.STOPPED


def test_a_stop_after_giving_up_is_stopped(story: Story) -> None:
    story.start()
    story.exit(hopeless=True)
    assert story.stop() == []
    assert story.phase == parts.STOPPED


def test_a_second_stop_does_not_give_more_time(running: Story) -> None:
    running.stop()
    running.after(POLICY.stop_limit / 2)
    assert running.stop() == []
    assert running.after(POLICY.stop_limit / 2) == [Action(KILL)]


def test_a_start_while_stopping_launches_when_the_old_process_is_gone(running: Story) -> None:
    running.stop()
    assert running.start() == []
    assert running.exit() == LAUNCH_RIG


def test_the_last_word_while_stopping_holds(running: Story) -> None:
    running.stop()
    running.start()
    running.stop()
    assert running.exit() == []
    assert running.phase == parts.STOPPED


def test_a_restart_ends_the_process_and_launches_the_next_without_a_failure(running: Story) -> None:
    assert running.restart() == [Action(ASK_TO_STOP)]
    assert running.exit() == LAUNCH_RIG
    assert running.supervisor.restarts == 0


def test_a_restart_that_is_not_obeyed_kills_too(running: Story) -> None:
    running.restart()
    assert running.after(POLICY.stop_limit) == [Action(KILL)]


def test_a_restart_while_backing_off_does_not_wait(running: Story) -> None:
    running.exit()
    assert running.restart() == LAUNCH_RIG


def test_a_restart_does_not_start_what_is_stopped(story: Story) -> None:
    assert story.restart() == []
    story.start()
    story.stop()
    assert story.restart() == []
    assert story.exit() == []


def test_the_time_we_were_away_ourselves_is_not_held_against_the_worker() -> None:
    story = Story()
    story.start()
    story.come_up(spell=1.0)
    story.now += 3600.0
    story.supervisor.was_away(3600.0)
    assert story.supervisor.tick(story.now) == []
    story.now += DEFAULT_POLICY.running_silence_limit
    assert story.supervisor.tick(story.now) == [Action(KILL)]
    assert story.supervisor.silence == pytest.approx(DEFAULT_POLICY.running_silence_limit)
