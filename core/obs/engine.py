"""The avatar's engine on OBS's side: one thread that owns the supervisor, the worker process and the frame ring."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from ..wire import rungs
from ..wire.errors import (
    EasyVtuberError,
    EnvironmentBroken,
    EnvironmentMissing,
    FrameRingUnusable,
    VersionMismatch,
    WorkerCrashed,
    WorkerGaveUp,
    WorkerStalled,
)
from ..wire.instance import Instance
from ..wire.messages import Message
from ..wire.ring import FrameRing
from ..wire.settings import MAXIMUM_PICTURE_BYTES, Value
from ..wire.version import PROTOCOL, VERSION
from . import launcher
from .child import Child
from .frame_pusher import FramePusher
from .libobs import LibObs
from .supervisor import (
    ASK_TO_STOP,
    DEFAULT_POLICY,
    GAVE_UP,
    KILL,
    LAUNCH,
    STALLED,
    STARTING,
    STOPPED,
    STOPPING,
    Action,
    Policy,
    Supervisor,
)

_log = logging.getLogger(__name__)

_TICK_S = 0.1
_SECOND_S = 1.0
_AWAY_S = 2.0
_CLOSE_LIMIT_S = 4.0


class View(NamedTuple):
    """One look at the engine, for the panel. Never changes once made."""

    phase: str = STOPPED
    rung: str = rungs.LADDER[0]
    reduced: bool = False
    """Failures led to a rung below the first."""
    restarts: int = 0
    state: Mapping[str, Any] = {}
    """The worker's last ``state``: what is in force."""
    figures: Mapping[str, Any] = {}
    """The worker's last ``stats``."""
    capabilities: Mapping[str, Any] = {}
    problems: Mapping[str, EasyVtuberError] = {}
    """What is wrong, by the part that has it; ``worker`` is the process itself."""
    progress: Optional[Tuple[str, float]] = None
    sources: int = 0


class Wish(NamedTuple):
    """What the worker shall do: the effective settings, and whether the avatar is to be seen."""

    settings: Mapping[str, Value]
    visible: bool
    worker_python: str = ""


class Engine:
    """Thread-safe from outside; everything of the inside belongs to its own thread.

    ``changed`` (with every new look) and ``each_second`` are called on that thread and must not block.
    """

    def __init__(
        self,
        lib: LibObs,
        changed: Callable[[View], None],
        each_second: Callable[[], None],
        *,
        policy: Policy = DEFAULT_POLICY,
    ) -> None:
        self.pusher = FramePusher(lib)
        self._lib = lib
        self._changed = changed
        self._each_second = each_second
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        # the top rung allows everything; what lies below depends on what the worker makes of that
        self._supervisor = Supervisor([rungs.LADDER[0]], policy)
        self._child: Optional[Child] = None
        self._ring: Optional[FrameRing] = None
        self._wish: Optional[Wish] = None
        self._decide: Callable[[Mapping[str, Any]], str] = lambda capabilities: "obs_source"
        self._spoke = False
        self._message_id = 0
        self._second_told = self._ticked = 0.0
        self._closing = False
        self._view = self._told = View()
        self._problems: Dict[str, EasyVtuberError] = {}
        self._cause: Optional[EasyVtuberError] = None
        """Why we end the worker that is running now, when it is us who ends it."""
        self._instance = Instance()
        self._thread = threading.Thread(target=self._run, name="easyvtuber-engine", daemon=True)
        self._thread.start()

    @property
    def view(self) -> View:
        """The newest look; safe from any thread."""
        return self._view

    def start(self, wish: Wish, decide_output: Callable[[Mapping[str, Any]], str]) -> None:
        """Begin (or go on) showing the avatar. ``decide_output`` turns the worker's capabilities into an output
        name."""

        def begin() -> None:
            self._decide = decide_output
            self._take_over(wish)
            self._problems.pop("worker", None)
            self._act(self._supervisor.start(time.monotonic()))

        self._events.put(begin)

    def stop(self) -> None:
        """End the worker; the last picture stays until the caller clears the sources."""
        self._events.put(lambda: self._act(self._supervisor.stop(time.monotonic())))

    def wish(self, wish: Wish) -> None:
        """Other settings. What the worker can take over live is sent to it; the rest restarts it."""

        self._events.put(lambda: self._take_over(wish))

    def action(self, name: str, **details: Union[str, int]) -> None:
        """Have the worker do something once (``calibrate``)."""
        self._events.put(lambda: self._send("action", name=name, **details))

    def close(self) -> None:
        """End everything, wait for it at most a few seconds. After this the engine is of no more use."""

        def end() -> None:
            self._closing = True
            self._act(self._supervisor.stop(time.monotonic()))

        self._events.put(end)
        self._thread.join(_CLOSE_LIMIT_S)
        self.pusher.set_ring(None)
        self.pusher.release_sources()

    # -- the engine's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not (self._closing and self._child is None):
            try:
                event: Optional[Callable[[], None]] = self._events.get(timeout=_TICK_S)
            except queue.Empty:
                event = None
            try:
                if event is not None:
                    event()
                self._tick(time.monotonic())
            except Exception:  # noqa: BLE001 - the border of this thread: it must outlive every mistake in it
                _log.exception("the engine met an unexpected error")
        self._instance.remove()
        self._drop_ring()

    def _tick(self, now: float) -> None:
        if self._ticked and now - self._ticked > _AWAY_S:
            self._supervisor.was_away(now - self._ticked)
        self._ticked = now
        self._act(self._supervisor.tick(now))
        if now - self._second_told >= _SECOND_S:
            self._second_told = now
            self._tell_clock()
            if self._supervisor.wants_process:
                self._each_second()
        self._look()
        self._instance.tell(
            {
                "version": VERSION,
                "phase": self._view.phase,
                "state": dict(self._view.state),
                "problems": [str(error) for error in self._view.problems.values()],
            },
            self._view.figures,
        )

    def _tell_clock(self) -> None:
        clock = self._lib.frame_clock()
        if clock is not None and self._child is not None and self._spoke:
            self._child.send("clock", tick_ns=clock[0], interval_ns=clock[1], push_delay_ns=self.pusher.push_delay_ns())

    def _act(self, actions: List[Action]) -> None:
        for action in actions:
            if action.kind == LAUNCH:
                self._launch()
            elif self._child is not None and action.kind == ASK_TO_STOP:
                self._send("stop")
                self._child.end_input()
            elif self._child is not None and action.kind == KILL:
                if self._supervisor.phase == STALLED:
                    self._cause = WorkerStalled("silent for too long", seconds=round(self._supervisor.silence, 1))
                    self._problems["worker"] = self._cause
                    _log.warning("the worker is silent; it is ended")
                self._child.kill()
            elif action.kind == KILL:
                # a launch that failed in a way nobody foresaw: there is no process whose end could be heard of
                self._act(self._supervisor.exited(time.monotonic()))

    def _launch(self) -> None:
        assert self._wish is not None
        self._spoke, self._cause = False, None
        try:
            if self._ring is None:
                self._ring = FrameRing.create(MAXIMUM_PICTURE_BYTES)
                self.pusher.set_ring(self._ring)
            launched = launcher.launch(self._wish.worker_python)
        except (EnvironmentMissing, EnvironmentBroken, FrameRingUnusable) as problem:
            _log.error("%s", problem)
            self._problems["worker"] = problem
            self._act(self._supervisor.launch_failed(time.monotonic(), isinstance(problem, EnvironmentMissing)))
            return
        self._child = Child(launched, self.pusher.push, self._received, self._ended)
        _log.info("worker %s started on rung %s", self._child.pid, self._supervisor.rung)

    def _received(self, child: Child, message: Message) -> None:
        self._events.put(lambda: self._handle(child, message))

    def _ended(self, child: Child, exit_code: Optional[int]) -> None:
        self._events.put(lambda: self._buried(child, exit_code))

    def _handle(self, child: Child, message: Message) -> None:
        if child is not self._child:
            return
        now, fields = time.monotonic(), message.fields
        if message.type == "hello":
            self._greet(child, fields, now)
        elif message.type in ("heartbeat", "progress"):
            self._supervisor.heard(now, str(fields.get("stage", "")))
            if fields.get("stage") == "running":
                self._problems.pop("worker", None)
        elif message.type == "error":
            self._problems[fields["where"]] = EasyVtuberError.from_message(fields)
            _log.warning("worker: %s: %s", fields["where"], self._problems[fields["where"]])
        elif message.type == "cleared":
            self._problems.pop(fields["where"], None)
        elif message.type == "reply" and not fields["ok"] and isinstance(fields.get("error"), dict):
            _log.warning("worker refused: %s", EasyVtuberError.from_message(fields["error"]))
        if message.type == "state":
            self._view = self._view._replace(state=fields)
            self._supervisor.can_step_down_to(rungs.ladder_from(str(fields.get("rung", rungs.RIG)))[1:])
        elif message.type == "stats":
            self._view = self._view._replace(figures=fields["figures"])
        if message.type == "progress":
            fraction = float(fields["fraction"])
            self._view = self._view._replace(progress=(fields["task"], fraction) if fraction < 1 else None)

    def _greet(self, child: Child, fields: Mapping[str, Any], now: float) -> None:
        if fields["protocol"] != PROTOCOL:
            self._cause = VersionMismatch(ours=PROTOCOL, theirs=fields["protocol"])
            child.kill()
            return
        assert self._wish is not None and self._ring is not None
        self._view = self._view._replace(capabilities=fields["capabilities"])
        self._spoke = True
        self._supervisor.heard_hello(now)
        child.send(
            "configure",
            settings=self._settings_for_worker(self._wish),
            rung=self._supervisor.rung,
            ring=self._ring.locator,
            visible=self._wish.visible,
        )
        self._tell_clock()

    def _buried(self, child: Child, exit_code: Optional[int]) -> None:
        child.close()
        if child is not self._child:
            return
        self._child = None
        said = child.last_words()
        stopping = self._supervisor.phase not in (STARTING, STALLED) and exit_code == 0
        hopeless = exit_code == launcher.EXIT_MISSING_PACKAGE or isinstance(self._cause, VersionMismatch)
        if not stopping and self._supervisor.phase != STOPPING:
            assert self._wish is not None
            self._problems["worker"] = self._cause or (
                WorkerCrashed(said[-500:], exit_code=-1 if exit_code is None else exit_code)
                if self._spoke
                else launcher.why_it_never_spoke(exit_code, self._wish.worker_python, said)
            )
        _log.info("worker %s ended with exit code %s", child.pid, exit_code)
        self._problems = {where: error for where, error in self._problems.items() if where == "worker"}
        self._view = self._view._replace(state={}, figures={}, progress=None)
        self._act(self._supervisor.exited(time.monotonic(), hopeless, on_purpose=stopping))
        if self._supervisor.phase == GAVE_UP and not hopeless:
            self._problems["worker"] = WorkerGaveUp(
                str(self._problems.get("worker", "")), restarts=self._supervisor.restarts
            )
        elif self._supervisor.phase == STOPPED:
            self._problems.clear()

    def _take_over(self, wish: Wish) -> None:
        before, self._wish = self._wish, wish
        if before is not None and before.worker_python != wish.worker_python:
            self._act(self._supervisor.restart(time.monotonic()))
        elif before is not None and self._child is not None and self._spoke:
            self._tell_changes(before, wish)

    def _tell_changes(self, before: Wish, after: Wish) -> None:
        old, new = self._settings_for_worker(before), self._settings_for_worker(after)
        changes = {key: value for key, value in new.items() if old.get(key) != value}
        if changes:
            self._send("set", settings=changes)
        if before.visible != after.visible:
            self._send("action", name="show" if after.visible else "hide")

    def _settings_for_worker(self, wish: Wish) -> Dict[str, Value]:
        settings = dict(wish.settings)
        if settings.get("output") == "automatic":
            settings["output"] = self._decide(self._view.capabilities)
        return settings

    def _send(self, type_: str, **fields: Any) -> None:
        if self._child is not None:
            self._message_id += 1
            self._child.send(type_, id=self._message_id, **fields)

    def _drop_ring(self) -> None:
        ring, self._ring = self._ring, None
        self.pusher.set_ring(None)
        if ring is not None:
            ring.close()

    def _look(self) -> None:
        view = self._view._replace(
            phase=self._supervisor.phase,
            rung=self._supervisor.rung,
            reduced=self._supervisor.reduced,
            restarts=self._supervisor.restarts,
            problems=dict(self._problems),
            sources=self.pusher.source_count,
        )
        self._view = view
        if view != self._told:
            self._told = view
            self._changed(view)
