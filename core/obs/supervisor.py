"""Keeps the worker alive: a state machine without threads, clocks or processes, so that every path of it can be tested.

What happens is told to it by method calls that carry the time in seconds; what must be done comes back as actions.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

STOPPED = "stopped"
STARTING = "starting"
WARMING = "warming"
RUNNING = "running"
STALLED = "stalled"
BACKING_OFF = "backing_off"
STOPPING = "stopping"
GAVE_UP = "gave_up"
PHASES = (STOPPED, STARTING, WARMING, RUNNING, STALLED, BACKING_OFF, STOPPING, GAVE_UP)

LAUNCH = "launch"
ASK_TO_STOP = "ask_to_stop"
KILL = "kill"


class Policy(NamedTuple):
    """The numbers, in seconds. Changed in tests only."""

    hello_limit: float = 30.0
    """A cold disk and a virus scanner may take this long to bring Python and its packages in."""
    warming_silence_limit: float = 20.0
    running_silence_limit: float = 5.0
    """Longer than the two seconds Windows gives a hung graphics driver before it resets it."""
    first_delay: float = 0.25
    longest_delay: float = 30.0
    longest_delay_after_running: float = 1.0
    """A worker that had come up comes up again: the avatar should not be away longer than a sip of tea."""
    restarts_per_rung: int = 5
    """In a row, however long each try took: a start that hangs takes the whole hello limit."""
    stable_after: float = 10.0
    stop_limit: float = 2.0


DEFAULT_POLICY = Policy()


class Action(NamedTuple):
    """Something the owner of the processes must do now."""

    kind: str
    rung: str = ""


class Supervisor:
    """Start, watch, restart, step down, give up. All times are seconds of one monotonic clock."""

    def __init__(self, ladder: Sequence[str], policy: Policy = DEFAULT_POLICY) -> None:
        self.phase = STOPPED
        self._ladder = list(ladder)
        self._place = 0
        self._policy = policy
        self._failures = 0
        self._deadline = 0.0
        self._running_since = 0.0
        self._heard_at = 0.0
        self.silence = 0.0
        """How long a stalled worker had said nothing when we lost patience, in seconds."""
        self._came_up = False
        self._stop_asked = False

    @property
    def rung(self) -> str:
        """What the worker is (or would be) started with."""
        return self._ladder[self._place]

    def can_step_down_to(self, rungs: Sequence[str]) -> None:
        """The rungs below the top one that would be something else than what is in use; told by the worker. Once it has
        been stepped down, the way stays as it was."""
        if self._place == 0:
            self._ladder[1:] = rungs

    @property
    def reduced(self) -> bool:
        """Did failures lead below the top rung?"""
        return self._place > 0

    @property
    def restarts(self) -> int:
        """Failures on this rung since the last stable spell."""
        return self._failures

    @property
    def wants_process(self) -> bool:
        """Is a process alive or about to be?"""
        return self.phase not in (STOPPED, GAVE_UP)

    def start(self, now: float) -> List[Action]:
        """The user (or OBS's start) wants the avatar. Begins at the top of the ladder with a clean slate."""
        if self.wants_process and not self._stop_asked:
            return []
        self._place, self._failures = 0, 0
        if self.phase == STOPPING:
            # the old process is still on its way out: launch when it is gone
            self._stop_asked = False
            return []
        return self._launch(now)

    def stop(self, now: float) -> List[Action]:
        """The user does not want it any more: ask, wait, kill."""
        if self.phase in (STOPPED, GAVE_UP, BACKING_OFF):
            self.phase = STOPPED
            return []
        if self.phase == STOPPING:
            self._stop_asked = True
            return []
        self.phase, self._stop_asked = STOPPING, True
        self._deadline = now + self._policy.stop_limit
        return [Action(ASK_TO_STOP)]

    def restart(self, now: float) -> List[Action]:
        """Something changed that only a new process can take over. Not a failure."""
        if self.phase in (STOPPED, GAVE_UP, STOPPING):
            return []
        if self.phase == BACKING_OFF:
            return self._launch(now)
        self.phase, self._stop_asked = STOPPING, False
        self._deadline = now + self._policy.stop_limit
        return [Action(ASK_TO_STOP)]

    def heard_hello(self, now: float) -> None:
        """The worker speaks our language and is being configured."""
        if self.phase == STARTING:
            self.phase, self._heard_at = WARMING, now
            self._deadline = now + self._policy.warming_silence_limit

    def heard(self, now: float, stage: str) -> None:
        """A sign of life: a heartbeat or progress, with what the worker is busy with."""
        if self.phase not in (WARMING, RUNNING):
            return
        self._heard_at = now
        if stage == "running":
            if self.phase == WARMING:
                self.phase, self._running_since, self._came_up = RUNNING, now, True
            elif now - self._running_since >= self._policy.stable_after:
                self._failures = 0
            self._deadline = now + self._policy.running_silence_limit
        else:
            self._deadline = now + self._policy.warming_silence_limit

    def was_away(self, seconds: float) -> None:
        """We were not there for so long (the computer slept, OBS was held): the worker's silence was ours."""
        self._deadline += seconds
        self._heard_at += seconds

    def exited(self, now: float, hopeless: bool = False, on_purpose: bool = False) -> List[Action]:
        """The process is gone. ``hopeless``: starting it again cannot help; ``on_purpose``: it ended with exit code
        0."""
        if self.phase == STOPPING:
            if self._stop_asked:
                self.phase = STOPPED
                return []
            return self._launch(now)
        if self.phase in (STOPPED, GAVE_UP):
            return []
        if on_purpose:
            self.phase = STOPPED
            return []
        return self._failed(now, hopeless)

    def launch_failed(self, now: float, hopeless: bool) -> List[Action]:
        """There is no process: it could not be started."""
        return self._failed(now, hopeless) if self.phase == STARTING else []

    def tick(self, now: float) -> List[Action]:
        """Time passes. Call several times a second."""
        if now < self._deadline:
            return []
        if self.phase == BACKING_OFF:
            return self._launch(now)
        if self.phase in (STARTING, WARMING, RUNNING):
            # the process's end will be told by ``exited``; that is when it counts
            self.phase, self._deadline = STALLED, now + self._policy.stop_limit
            self.silence = now - self._heard_at
            return [Action(KILL)]
        if self.phase in (STALLED, STOPPING):
            self._deadline = now + self._policy.stop_limit
            return [Action(KILL)]
        return []

    def _launch(self, now: float) -> List[Action]:
        self.phase, self._stop_asked, self._came_up, self._heard_at = STARTING, False, False, now
        self._deadline = now + self._policy.hello_limit
        return [Action(LAUNCH, self.rung)]

    def _failed(self, now: float, hopeless: bool) -> List[Action]:
        if hopeless:
            self.phase = GAVE_UP
            return []
        delay = self._policy.first_delay * 2.0 ** min(self._failures, 20)
        self._failures += 1
        if self._failures >= self._policy.restarts_per_rung:
            if self._place + 1 < len(self._ladder):
                self._place, self._failures, delay = self._place + 1, 0, self._policy.first_delay
            elif not self._came_up:
                self.phase = GAVE_UP
                return []
        longest = self._policy.longest_delay_after_running if self._came_up else self._policy.longest_delay
        self.phase, self._deadline = BACKING_OFF, now + min(delay, longest)
        return []
