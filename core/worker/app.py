"""The worker: one loop that samples the pose just in time, renders, publishes, and listens between two frames."""

from __future__ import annotations

import gc
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from accel import registry as runtimes
from core.pose.calibration_store import CalibrationStore
from core.pose.mixer import PoseMixer, PoseMoment
from core.publish import registry as outputs
from core.publish.base import Frame, PublishContext, Publisher
from core.render.pipeline import Rendered
from core.wire.clock import now_ns
from core.wire.errors import AccelError, CalibrationRefused, EasyVtuberError, MessageUnknown
from core.wire.expressions import SLOTS
from core.wire.folders import user_data, user_recordings
from core.wire.messages import Message
from core.wire.rungs import RIG, ladder_from
from core.wire.settings import Value, accept, defaults
from core.wire.version import PROTOCOL, VERSION
from trackers import registry as trackers
from trackers.base import Hint, TrackerSample, TrackerStatus

from .characters import ShownCharacter
from .clock import KEY, OTHER, Pacer
from .control import ControlPipe
from .drawing import Drawing
from .environment import set_level
from .expression_book import ExpressionBook
from .figures import Figures
from .overlay import Overlay
from .packet_recorder import PacketRecorder
from .parts import Parts
from .report import Reporter
from .stats import Stats

_CONFIGURE_LIMIT_S = 30.0
_PUBLISHED_NS = 1_000_000
"""What a picture takes from being drawn to being published, about."""


class Worker:
    """Everything of one worker process. ``run`` returns the exit code."""

    def __init__(self, pipe: ControlPipe) -> None:
        self._pipe = pipe
        self._settings: dict[str, Value] = defaults()
        self._rung = RIG
        self._ring_locator = ""
        self._visible = True
        self._stopping = False
        self._reporter = Reporter(pipe)
        self._stats = Stats()
        self._parts = Parts(
            self._reporter.problem, self._reporter.progress, lambda model, name: self._drawing.pipeline_for(model, name)
        )
        self._drawing = Drawing(self._parts, self._stats)
        self._mixer = PoseMixer(CalibrationStore(user_data() / "calibration.json"))
        self._recorder = PacketRecorder(user_recordings(), self._parts.submit, self._reporter.problem)
        self._expressions = ExpressionBook(self._parts.submit, self._reporter.problem)
        self._pacer = Pacer()
        self._figures = Figures(self._stats, self._pacer, self._drawing, self._parts)
        self._overlay = Overlay()
        self._blank_shown = False
        self._sequence = 0

    def stop(self) -> None:
        """Leave the loop after the frame at hand. May be called from any thread."""
        self._stopping = True

    def run(self) -> int:
        """Say hello, be configured, work until told to stop."""
        capabilities = {
            "trackers": trackers.availability(),
            "outputs": outputs.availability(),
            "runtimes": runtimes.availability(),
        }
        self._pipe.send("hello", protocol=PROTOCOL, version=VERSION, pid=os.getpid(), capabilities=capabilities)
        try:
            if not self._wait_for_configuration():
                return 0 if self._stopping else 1
            while not self._stopping:
                self._turn()
        finally:
            self._stopping = True
            self._reporter.state(self._state())
            self._recorder.close()
            self._parts.close()
            self._drawing.close()
        return 0

    # -- one turn of the loop --------------------------------------------------------------------------------------

    def _turn(self) -> None:
        pipeline = self._drawing.pipeline
        self._pacer.expect(KEY if pipeline is not None and pipeline.draws_next else OTHER)
        deadline = self._pacer.next_deadline(now_ns())
        wait_ns = self._pacer.start_of_work(deadline) - now_ns()
        if wait_ns > 0:
            time.sleep(wait_ns / 1e9)
        for message in self._pipe.received():
            self._handle(message)
        self._exchange(now_ns())
        self._show_frame()
        if self._drawing.observe(now_ns(), self._pacer.late):
            self._want()
        self._reporter.tick(now_ns(), self._stage(), self._stats.frames, self._state, self._told_figures)

    def _exchange(self, now: int) -> None:
        """Take over what the preparer finished, between two frames."""
        parts = self._parts
        if parts.character.take(now) and parts.character.current is not None:
            self._show_character(parts.character.current)
        if self._drawing.exchange(now):
            self._pacer.restart(0)
        self._exchange_inputs(now)
        if parts.output.take(now) and self._drawing.pipeline is not None:
            self._blank_shown = False
            self._drawing.pipeline.show_again()
        publisher = parts.output.current
        if publisher is not None and publisher.failure is not None:
            parts.output.broke(publisher.failure, now)

    def _show_character(self, shown: ShownCharacter) -> None:
        self._drawing.show(shown)
        self._pacer.restart(shown.pipeline.keys.expected_ns + _PUBLISHED_NS)
        if shown.network is not None:
            self._parts.take_network()
        elif not self._parts.devices:
            self._parts.look_for_devices()
        self._want()
        self._expressions.use(shown.name)
        self._drawing.movement.recentre()
        gc.collect()
        gc.freeze()  # what lives as long as the character need not be looked at by every later collection

    def _exchange_inputs(self, now: int) -> None:
        parts = self._parts
        if parts.tracker.take(now):
            self._mixer.use_tracker(str(self._settings["tracker"]))
            self._drawing.movement.recentre()
        self._recorder.follow(parts.tracker.current)
        parts.microphone.take(now)
        parts.remote.take(now)
        for where, part in (("input", parts.tracker), ("microphone", parts.microphone), ("remote", parts.remote)):
            # what could not even be opened is told by the part itself, under the part's name
            told = part.error if part.name == where else None
            self._reporter.problem(where, part.current.status(now).error if part.current is not None else told)
        read = self._expressions.take()
        if read is not None:
            self._mixer.expressions.use(read)
        if parts.remote.current is not None:
            for which, weight in parts.remote.current.take_expressions():
                self._show_expression(which, weight, now)

    def _show_frame(self) -> None:
        publisher, pipeline = self._parts.output.current, self._drawing.pipeline
        if publisher is None or pipeline is None:
            return
        if not self._visible:
            self._show_nothing(publisher, pipeline.size)
            return
        if self._blank_shown:
            self._blank_shown = False
            pipeline.show_again()
        start, kind = now_ns(), KEY if pipeline.draws_next else OTHER
        try:
            rendered = self._drawing.next(self._sample_pose)
        except AccelError as problem:
            # a driver was reset, or memory ran out: the last picture stays until something else draws
            self._reporter.problem("runtime", problem)
            self._drawing.show(None)
            self._parts.model_failed(problem)
            return
        if rendered is None:
            return
        rendered_ns = now_ns()
        self._publish(publisher, rendered, rendered_ns)
        published_ns = now_ns()
        self._pacer.worked(published_ns - start, kind)
        self._stats.frame(
            published_ns,
            publish_ns=published_ns - rendered_ns,
            packet_ns=rendered.packet_ns,
            sampled_ns=rendered.sampled_ns,
        )

    def _publish(self, publisher: Publisher, rendered: Rendered, rendered_ns: int) -> None:
        self._sequence += 1
        picture = self._overlay.draw(
            rendered,
            self._sequence,
            mark_in_betweens=bool(self._settings["mark_in_betweens"]),
            draw_times=bool(self._settings["draw_times"]),
        )
        publisher.publish(
            Frame(
                picture,
                self._sequence,
                in_between=rendered.in_between,
                packet_ns=rendered.packet_ns,
                sampled_ns=rendered.sampled_ns,
                rendered_ns=rendered_ns,
            )
        )

    def _show_nothing(self, publisher: Publisher, size: int) -> None:
        if not self._blank_shown:
            self._sequence += 1
            publisher.publish(Frame(np.zeros((size, size, 4), np.uint8), self._sequence, visible=False))
            self._blank_shown = True

    def _sample_pose(self) -> tuple[PoseMoment, int]:
        now = now_ns()
        microphone, remote = self._parts.microphone.current, self._parts.remote.current
        moment = self._mixer.pose(
            self._latest(now),
            now,
            microphone.mouth(now) if microphone is not None else None,
            remote.pose(now) if remote is not None else None,
        )
        self._drawing.pose = moment.pose
        return moment, now

    def _latest(self, now: int) -> TrackerSample | None:
        tracker = self._parts.tracker.current
        return tracker.latest(now) if tracker is not None else None

    # -- what OBS says ---------------------------------------------------------------------------------------------

    def _wait_for_configuration(self) -> bool:
        limit = now_ns() + int(_CONFIGURE_LIMIT_S * 1e9)
        while not self._stopping and now_ns() < limit:
            message = self._pipe.wait(0.1)
            if message is not None:
                self._handle(message)
                if message.type == "configure":
                    return True
        return False

    def _handle(self, message: Message) -> None:
        fields = message.fields
        error: EasyVtuberError | None = None
        if message.type == "clock":
            delay = fields.get("push_delay_ns")
            self._pacer.follow(
                fields["tick_ns"], fields["interval_ns"], delay if isinstance(delay, int) else 0, now_ns()
            )
            self._drawing.set_frame_rate(self._pacer.frame_rate)
        elif message.type == "configure":
            self._rung = ladder_from(str(fields["rung"]))[0]
            self._ring_locator = str(fields.get("ring", ""))
            self._visible = fields.get("visible") is not False
            error = self._apply(fields["settings"])
        elif message.type == "set":
            error = self._apply(fields["settings"])
        elif message.type == "action":
            error = self._act(str(fields["name"]), fields)
        elif message.type == "stop":
            self._stopping = True
        if isinstance(fields.get("id"), int):
            answer = {"error": error.as_message()} if error is not None else {}
            self._pipe.send("reply", id=fields["id"], ok=error is None, **answer)

    def _act(self, name: str, details: Mapping[str, object]) -> EasyVtuberError | None:
        now = now_ns()
        if name == "calibrate":
            if not self._mixer.calibrate(self._latest(now), now):
                return CalibrationRefused("no face during the last half second")
            self._drawing.movement.recentre()
        elif name == "calibrate_reach":
            if not self._mixer.begin_reach(self._latest(now), now):
                return CalibrationRefused("no face, or one whose reach the tracker finds out itself")
        elif name == "record":
            return self._recorder.toggle(self._parts.tracker.current)
        elif name == "expression":
            self._show_expression(details.get("slot"), None, now)
        elif name == "keep_expression":
            slot = details.get("slot")
            if isinstance(slot, int) and 0 < slot <= SLOTS:
                self._expressions.keep(slot, str(details.get("label", ""))[:64], self._mixer.tracked_pose)
        elif name == "make_character":
            self._parts.make_character(Path(str(details.get("path", ""))))
        elif name in ("show", "hide"):
            self._visible = name == "show"
        elif name == "minute_picture":
            self._figures.draw_minute()
        elif name == "measure_again":
            self._drawing.measure_again()
            self._want()
        else:
            return MessageUnknown(type=f"action {name}"[:64])
        return None

    def _show_expression(self, which: object, weight: float | None, now: int) -> None:
        """Toggle (without a weight), show or hide an expression by slot or name; none that is unknown; "" hides all."""
        expressions = self._mixer.expressions
        if isinstance(which, str) and not which:
            expressions.clear()
        elif isinstance(which, (int, str)):
            wanted = int(which) if isinstance(which, str) and which.isdecimal() and len(which) < 3 else which
            if weight is None:
                expressions.toggle(wanted, now)
            else:
                expressions.show(wanted, weight, now)

    def _apply(self, given: Mapping[str, object]) -> EasyVtuberError | None:
        """Take over settings; only what they really change is made anew. Returns the first refusal."""
        good, refused = accept(given)
        self._settings.update(good)
        settings = self._drawing.resolved(self._settings)
        set_level(str(settings["log_level"]))
        self._mixer.configure(settings)
        self._pacer.set_frame_rate(float(settings["frame_rate"]))
        if {"tracker", "lip_sync"} & good.keys():
            self._parts.look_for_inputs(settings)
        self._want()
        return refused[0] if refused else None

    def _want(self) -> None:
        """Have everything made that settings, preset and governor want."""
        settings = self._drawing.resolved(self._settings)
        self._drawing.configure(settings, self._pacer.frame_rate)
        if self._drawing.wanted_precision:
            settings = {**settings, "precision": self._drawing.wanted_precision}
        context = PublishContext(
            self._ring_locator, self._pipe.frame_ready, self._pacer.frame_rate, self._reporter.last_figures
        )
        self._parts.want(settings, self._rung, context)
        self._parts.want_beside(settings, self._rung, self._drawing.steps)
        self._drawing.refresh()  # what is not wanted any more is gone by now

    # -- what OBS is told ------------------------------------------------------------------------------------------

    def _stage(self) -> str:
        if self._stopping:
            return "stopping"
        return "running" if self._drawing.pipeline is not None and self._parts.output.current is not None else "warming"

    def _tracker_status(self) -> TrackerStatus | None:
        tracker = self._parts.tracker.current
        return tracker.status(now_ns()) if tracker is not None else None

    def _told_figures(self) -> dict[str, float | str]:
        return self._figures.now(str(self._settings["tracker"]), self._tracker_status())

    def _rung_in_use(self, character: ShownCharacter | None) -> str:
        """As long as a network is being made, the highest one allowed: if that ends the process, the way down begins
        there."""
        if character is None or character.network is not None:
            return self._rung
        return runtimes.RUNTIMES.get(character.running.runtime, RIG)

    def _state(self) -> dict[str, object]:
        """What is in force now."""
        character, output, status = self._parts.character.current, self._parts.output.current, self._tracker_status()
        return {
            "stage": self._stage(),
            "character": character.name if character else "",
            "rung": self._rung_in_use(character),
            "running": character.running.as_state() if character else {},
            "devices": dict(self._parts.devices),
            "cameras": list(self._parts.cameras),
            "microphones": list(self._parts.microphones),
            "made_character": self._parts.made_character,
            "minute_picture": self._figures.minute_picture,
            "rated": self._drawing.rated,
            "size": character.pipeline.size if character else 0,
            "preset": self._settings["preset"],
            "interpolation": self._settings["interpolation"],
            "in_between_method": self._settings["in_between_method"],
            "visible": self._visible,
            "output": self._settings["output"],
            "output_description": output.description if output else "",
            "tracker": self._settings["tracker"],
            "tracker_state": status.state.value if status else "",
            "tracker_dropped": dict(status.dropped) if status else {},
            "hints": [hint.as_message() for hint in self._hints()],
            "reach_left_s": math.ceil(self._mixer.reach_left_s(now_ns())),
            "expressions": self._mixer.expressions.names,
            **self._recorder.state(),
        }

    def _hints(self) -> list[Hint]:
        now = now_ns()
        parts = (self._parts.tracker.current, self._parts.microphone.current, self._parts.remote.current)
        return [hint for part in parts if part is not None for hint in part.status(now).hints]
