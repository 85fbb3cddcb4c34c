"""Networks in a whole worker: they take over from the rig between two frames, give out, and hold nothing else up."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from accel.base import FULL, HALF
from core.pose.parameters import PoseVector
from core.publish import registry as outputs
from core.publish.base import Frame, PublishContext, Publisher
from core.wire.errors import EasyVtuberError, ModelFileBad, RuntimeFailed
from core.wire.ring import FrameRing
from core.wire.rungs import CPU, GPU, RIG, TENSORRT
from core.wire.settings import Value, defaults
from core.worker import characters, preparer, report
from core.worker.control import ControlPipe
from core.worker.report import Reporter
from core.worker.stats import Stats
from models.base import Picture
from models.family import Report
from models.self_check import Verdicts
from tests.contract.fake_outputs import LIMIT_S, wait_until
from tests.unit.fake_families import (
    CARD,
    PROCESSOR,
    SLOW,
    SLOW_S,
    Examination,
    FakeOpener,
    Machine,
    Place,
    empty,
    torn,
)
from tests.unit.other_side import Heard
from tests.unit.small_model import SmallModel
from tests.unit.worker_in_thread import RunningWorker

CARD_HALF, CARD_FULL, ON_PROCESSOR = (CARD.runtime, HALF), (CARD.runtime, FULL), (PROCESSOR.runtime, FULL)
RIG_LEVEL = 7


class PlainRig(SmallModel):
    """A rig that can be told from a network: it fills the corners."""

    def render(self, pose: PoseVector, out: Picture) -> None:
        out[:] = (RIG_LEVEL, RIG_LEVEL, RIG_LEVEL, 255)


class Watched:
    """A publisher that notes what each picture shows."""

    def __init__(self, publisher: Publisher, shown: list[tuple[int, str]]) -> None:
        self._publisher, self._shown = publisher, shown
        self.description = publisher.description

    @property
    def failure(self) -> EasyVtuberError | None:
        return self._publisher.failure

    def publish(self, frame: Frame) -> None:
        middle, corner = frame.picture[frame.picture.shape[0] // 2 + 1, 100], frame.picture[0, 0]
        kind = "rig" if corner[3] else "network" if middle[3] else "nothing"
        self._shown.append((frame.sequence, kind))
        self._publisher.publish(frame)

    def close(self) -> None:
        self._publisher.close()


class ModelWorker(RunningWorker):
    """A worker on a machine."""

    def __init__(self, ring: FrameRing, machine: Machine, shown: list[tuple[int, str]]) -> None:
        super().__init__(ring)
        self.machine, self.shown = machine, shown

    def begin(self, rung: str = TENSORRT, **settings: Value) -> None:
        """Put it to work on a rung."""
        own: dict[str, Value] = {"preset": "custom", "output_size": 256, "frame_rate": 120}
        chosen: dict[str, Value] = {"tracker": "debug", "output": "obs_source", **own, **settings}
        self.tell("configure", settings={**defaults(), **chosen}, rung=rung, ring=self.ring.locator)

    def state(self, **running: str) -> Heard:
        """Wait until the newest state is one in which the model runs like this."""
        self.listen()

        def newest() -> Heard:
            return self.heard_of("state")[-1]

        def so() -> bool:
            return all(newest()["running"].get(key) == value for key, value in running.items())

        assert wait_until(lambda: bool(self.heard_of("state")) and so()), newest()
        return newest()

    def kinds(self) -> list[str]:
        """What was shown, one word for each run of equal pictures; every frame's number one more than the last."""
        shown = list(self.shown)
        assert [after[0] - before[0] for before, after in pairwise(shown)] == [1] * (len(shown) - 1)
        return [kind for place, (_, kind) in enumerate(shown) if place == 0 or shown[place - 1][1] != kind]

    def shows_more(self) -> None:
        """Frames flow."""
        before = len(self.shown)
        assert wait_until(lambda: len(self.shown) > before + 2)

    def heard_of(self, type_: str, **fields: object) -> list[Heard]:
        """Everything of this type so far."""
        return [
            message
            for message in self.heard
            if message["type"] == type_ and all(message.get(key) == value for key, value in fields.items())
        ]


@pytest.fixture
def machine() -> Machine:
    return Machine(networks={"nocti": None}, slow=SLOW)


@pytest.fixture
def verdicts(home: Path) -> Path:
    return home / "verdicts.json"


@pytest.fixture
def worker(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine, verdicts: Path
) -> Iterator[ModelWorker]:
    shown: list[tuple[int, str]] = []
    really_open = outputs.open_publisher

    def open_watched(name: str, settings: Mapping[str, Value], context: PublishContext) -> Watched:
        return Watched(really_open(name, settings, context), shown)

    monkeypatch.setattr(outputs, "open_publisher", open_watched)
    monkeypatch.setattr(characters, "open_rig", lambda character, size: PlainRig(size))
    monkeypatch.setattr(characters, "ModelOpener", lambda tell: FakeOpener(machine, tell, verdicts))
    monkeypatch.setattr(report, "still_alive", lambda: None)  # its alarm would end the whole test run
    monkeypatch.setattr(report, "HEARTBEAT_NS", 20_000_000)
    monkeypatch.setattr(preparer, "RETRY_NS", 50_000_000)
    level = logging.getLogger().level
    with FrameRing.create(768 * 768 * 4, folder=tmp_path) as ring:
        worker = ModelWorker(ring, machine, shown)
        yield worker
        worker.close()
    logging.getLogger().setLevel(level)
    gc.unfreeze()


@pytest.fixture
def held(machine: Machine) -> Iterator[Examination]:
    """Opening the network takes until it is let go, and tells how far it is."""
    examination = Examination()
    machine.at_open = examination
    yield examination
    examination.may_end.set()


# -- the rig and the network ------------------------------------------------------------------------------------------


def test_the_rig_is_there_first_and_the_network_takes_over_without_a_frame_lost(
    worker: ModelWorker, held: Examination
) -> None:
    worker.begin()
    first = worker.state(family=RIG)
    assert (first["stage"], first["character"]) == ("running", "nocti")
    assert held.begun.wait(LIMIT_S)
    worker.shows_more()
    assert worker.kinds() == ["rig"]
    held.may_end.set()
    assert worker.state(family="tha4_student")["running"]["runtime"] == CARD.runtime
    worker.shows_more()
    assert worker.kinds() == ["rig", "network"]
    assert worker.heard_of("error") == []
    stages = [message["stage"] for message in worker.heard_of("state")]
    assert stages[stages.index("running") :] == ["running"] * stages.count("running"), "it never stops running"


def test_a_network_that_is_quick_is_shown_at_once(worker: ModelWorker) -> None:
    worker.machine.quick = True
    worker.begin(rung=CPU)
    worker.state(family="tha4_student")
    worker.shows_more()
    assert worker.kinds() == ["network"]


@pytest.mark.parametrize("change", [{"quality": "fast"}, {"precision": "full"}, {"preset": "ultra"}])
def test_another_quality_or_precision_never_leads_back_to_the_rig(
    worker: ModelWorker, change: dict[str, Value]
) -> None:
    worker.begin(precision="half")
    worker.state(family="tha4_student", precision=HALF)
    held = Examination()
    worker.machine.at_open = held
    try:
        worker.set(**change)
        assert held.begun.wait(LIMIT_S)
        worker.shows_more()
    finally:
        held.may_end.set()
    wanted = (
        {"precision": FULL} if "precision" in change else {"variant": "full" if "ultra" in change.values() else "fast"}
    )
    worker.state(family="tha4_student", **wanted)
    worker.shows_more()
    assert worker.kinds() in (["network"], ["rig", "network"])
    assert wait_until(lambda: len(worker.machine.open_models) == 1), "the one before is given back"


def test_another_character_shows_its_rig_while_the_network_is_made(worker: ModelWorker, held: Examination) -> None:
    worker.machine.networks["mothlight"] = None
    held.may_end.set()
    worker.begin()
    worker.state(family="tha4_student")
    held.may_end.clear()
    worker.set(character="mothlight")
    worker.hear(lambda m: m["type"] == "state" and m["character"] == "mothlight" and m["running"]["family"] == RIG)
    worker.shows_more()
    held.may_end.set()
    worker.state(family="tha4_student")
    worker.shows_more()
    assert worker.kinds() == ["rig", "network", "rig", "network"]


# -- changes of mind --------------------------------------------------------------------------------------------------


def test_an_examination_that_nobody_wants_any_more_stops_and_nothing_of_it_is_shown(
    worker: ModelWorker, held: Examination
) -> None:
    worker.begin()
    assert held.begun.wait(LIMIT_S)
    worker.machine.at_open = lambda place, report: None
    worker.set(character="mothlight")
    assert held.gave_up.wait(LIMIT_S)
    worker.hear(lambda m: m["type"] == "state" and m["character"] == "mothlight")
    assert worker.set(tracker="idle")["ok"]
    worker.hear(lambda m: m["type"] == "state" and m["tracker"] == "idle")
    assert worker.kinds() == ["rig"]
    assert wait_until(lambda: worker.machine.open_models == [])
    assert worker.heard_of("error") == []
    assert worker.heard_of("progress")[-1]["fraction"] == 1


def test_the_card_that_a_stopped_examination_ran_on_is_used_for_the_next(
    worker: ModelWorker, held: Examination
) -> None:
    worker.begin()
    assert held.begun.wait(LIMIT_S)
    worker.machine.at_open = lambda place, report: None
    worker.set(preset="ultra")
    assert held.gave_up.wait(LIMIT_S)
    running = worker.state(family="tha4_student")["running"]
    assert (running["runtime"], running["precision"], running["variant"]) == (*CARD_HALF, "full")


def test_many_changes_of_mind_end_with_the_last(worker: ModelWorker) -> None:
    def slowly(place: Place, tell: Report) -> None:
        tell("examining", 0.1)
        time.sleep(0.01)

    worker.machine.at_open = slowly
    worker.begin()
    for quality in ("fast", "full", "balanced") * 5:
        worker.set(quality=quality)
    worker.set(quality="fast")
    worker.state(family="tha4_student", variant="fast")
    assert wait_until(lambda: len(worker.machine.open_models) == 1)
    assert worker.heard_of("error") == []


# -- what is slow holds nothing up ------------------------------------------------------------------------------------


def test_inputs_and_outputs_do_not_wait_for_a_model(worker: ModelWorker) -> None:
    silent = threading.Event()
    begun = threading.Event()

    def build(place: Place, report: object) -> None:
        begun.set()
        silent.wait(3 * LIMIT_S)

    worker.machine.at_open = build
    try:
        worker.begin()
        assert begun.wait(LIMIT_S)
        worker.set(tracker="idle", output="null")
        state = worker.hear(lambda m: m["type"] == "state" and (m["tracker"], m["output"]) == ("idle", "null"))
        assert wait_until(lambda: [*worker.heard_of("state")][-1]["tracker_state"] == "idle")
        worker.set(tracker="debug", output="obs_source")
        worker.hear(lambda m: m["type"] == "state" and m["tracker_state"] == "tracking")
        worker.shows_more()
        assert (state["running"], worker.kinds()) == ({**state["running"], "family": RIG}, ["rig"])
    finally:
        silent.set()
    worker.state(family="tha4_student")


# -- what does not work -----------------------------------------------------------------------------------------------


def test_damaged_networks_leave_the_rig_until_they_are_mended(worker: ModelWorker) -> None:
    worker.machine.networks["nocti"] = ModelFileBad(file="body_morpher.pt", reason="damaged")
    worker.begin()
    error = worker.hear("error")
    assert (error["where"], error["code"]) == ("character", "model_file_bad")
    assert error["parameters"] == {"file": "body_morpher.pt", "reason": "damaged"}
    worker.shows_more()
    assert worker.kinds() == ["rig"]
    worker.machine.networks["nocti"] = None
    assert worker.hear("cleared")["where"] == "character"
    worker.state(family="tha4_student")
    worker.shows_more()
    assert worker.kinds() == ["rig", "network"]
    assert len(worker.heard_of("error")) == 1, "it is told once"


def test_a_wrong_picture_is_never_shown_and_told(worker: ModelWorker) -> None:
    worker.machine.spoils = {CARD_HALF: empty, CARD_FULL: torn}
    worker.begin()
    error = worker.hear("error")
    assert (error["where"], error["code"]) == ("runtime", "picture_wrong")
    assert error["parameters"] == {"runtime": CARD.runtime, "reason": "nothing_drawn"}
    running = worker.state(family="tha4_student")["running"]
    assert (running["runtime"], running["device"]) == (PROCESSOR.runtime, PROCESSOR.name)
    worker.shows_more()
    assert worker.kinds() == ["rig", "network"]
    worker.set(runtime=PROCESSOR.runtime)
    assert worker.hear("cleared")["where"] == "runtime"


def test_a_card_that_gives_out_while_it_draws_is_replaced_by_the_next_best(worker: ModelWorker) -> None:
    worker.begin()
    worker.state(family="tha4_student", runtime=CARD.runtime, precision=HALF)
    worker.shows_more()
    opened = len(worker.machine.opened)
    worker.machine.at_open = lambda place, report: time.sleep(0.05)
    worker.machine.failing = {CARD_HALF}
    error = worker.hear("error")
    assert (error["where"], error["code"]) == ("runtime", "runtime_failed")
    worker.state(family="tha4_student", runtime=CARD.runtime, precision=FULL)
    worker.shows_more()
    worker.machine.failing = {CARD_HALF, CARD_FULL}
    worker.state(family="tha4_student", runtime=PROCESSOR.runtime)
    worker.shows_more()
    assert worker.machine.opened[opened:] == [CARD_FULL, ON_PROCESSOR]
    assert worker.machine.failures == [CARD_HALF, CARD_FULL], "the broken one is not asked for another picture"
    assert "nothing" not in worker.kinds()
    assert worker.heard_of("cleared") == [], "the user is told for as long as the card is not used"


def test_while_nothing_else_is_there_yet_the_last_picture_stays(worker: ModelWorker) -> None:
    worker.machine.quick = True
    worker.begin(rung=CPU)
    worker.state(family="tha4_student")
    worker.shows_more()
    worker.machine.not_opening = {ON_PROCESSOR: RuntimeFailed(runtime=PROCESSOR.runtime, network="body")}
    before = worker.kinds()
    worker.machine.failing = {ON_PROCESSOR}
    assert worker.hear("error")["where"] == "runtime"
    worker.state(family=RIG)
    worker.shows_more()
    assert worker.kinds() == [*before, "rig"], "what always works stands in, and nothing empty was shown before it"
    assert worker.hear("error")["where"] == "character"
    assert worker.ask("action", name="show")["ok"], "the worker lives"


def test_a_device_that_fails_at_once_again_and_again_does_not_end_the_worker(worker: ModelWorker) -> None:
    worker.machine.failing = {CARD_HALF, CARD_FULL, ON_PROCESSOR}
    worker.begin()
    worker.hear("error")
    assert wait_until(lambda: set(worker.machine.opened) == {CARD_HALF, CARD_FULL, ON_PROCESSOR})
    error = worker.hear(lambda m: m["type"] == "error" and m["where"] == "character")
    assert error["code"] == "runtime_failed", "the user is told what happened, not that nothing is installed"
    worker.state(family=RIG)
    worker.shows_more()
    assert len(worker.machine.opened) == 3, "none of them is tried twice"


# -- what changes by itself -------------------------------------------------------------------------------------------


def test_how_fast_the_rig_is_does_not_begin_the_network_anew(worker: ModelWorker, held: Examination) -> None:
    """It stands in for the network: what is found out about it says nothing about the network."""
    worker.begin(preset="automatic", interpolation=False)
    assert held.begun.wait(LIMIT_S)
    before = len(worker.shown)
    # enough frames to find out how fast the rig is
    assert wait_until(lambda: len(worker.shown) > before + 100)
    assert not held.gave_up.is_set()
    held.may_end.set()
    assert wait_until(lambda: bool(worker.machine.open_models))
    assert [model.size for model in worker.machine.open_models] == [512]


def test_over_the_budget_the_network_is_made_in_half_precision_and_frames_go_on(
    worker: ModelWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = 0.9
    monkeypatch.setattr(Stats, "device_share", lambda self, now: share)
    worker.machine.slow = {CARD_HALF: SLOW_S, ON_PROCESSOR: 2 * SLOW_S}
    worker.begin(budget=50)
    worker.state(family="tha4_student", precision=FULL)
    worker.state(family="tha4_student", precision=HALF)
    share = 0.0
    worker.shows_more()
    assert worker.kinds() == ["rig", "network"]
    assert worker.machine.opened == [CARD_FULL, CARD_HALF]
    assert wait_until(lambda: len(worker.machine.open_models) == 1)
    assert worker.heard_of("error") == []


# -- what is told -----------------------------------------------------------------------------------------------------


def test_the_state_tells_what_runs_on_what_and_what_there_is(worker: ModelWorker) -> None:
    worker.begin()
    worker.state(family="tha4_student")
    state = worker.hear(lambda m: m["type"] == "state" and bool(m["devices"]))
    assert state["devices"] == {CARD.name: [CARD.runtime], PROCESSOR.name: [PROCESSOR.runtime]}
    running = state["running"]
    assert running.pop("milliseconds") > 0
    assert running == {
        "family": "tha4_student", "variant": "balanced", "precision": HALF, "runtime": CARD.runtime,
        "device": CARD.name, "reason": "fastest_correct",
    }  # fmt: skip
    assert (state["rung"], state["size"]) == (GPU, 256)


def test_a_rig_that_stays_one_tells_the_devices_too(worker: ModelWorker) -> None:
    worker.machine.networks.clear()
    worker.begin()
    state = worker.hear(lambda m: m["type"] == "state" and bool(m["devices"]))
    assert (state["running"]["family"], state["rung"]) == (RIG, RIG)


@pytest.mark.parametrize(("rung", "runs_on"), [(TENSORRT, GPU), (GPU, GPU), (CPU, CPU)])
def test_while_a_network_is_made_the_rung_is_the_one_that_is_allowed(
    worker: ModelWorker, held: Examination, rung: str, runs_on: str
) -> None:
    """If making it ends the process, again and again, OBS's side must know that there is something to step down to."""
    worker.begin(rung=rung)
    assert held.begun.wait(LIMIT_S)
    assert worker.state(family=RIG)["rung"] == rung
    held.may_end.set()
    assert worker.state(family="tha4_student")["rung"] == runs_on
    before = [message["rung"] for message in worker.heard_of("state") if not message["running"]]
    assert set(before) <= {rung}


def test_on_the_lowest_rung_no_network_is_touched(worker: ModelWorker) -> None:
    worker.begin(rung=RIG)
    state = worker.hear(lambda m: m["type"] == "state" and bool(m["devices"]))
    assert (state["running"]["family"], state["rung"]) == (RIG, RIG)
    assert worker.machine.checks == worker.machine.opened == []
    assert worker.machine.runtimes == []


def test_an_unknown_rung_allows_everything(worker: ModelWorker) -> None:
    worker.begin(rung="quantum")
    assert worker.state(family="tha4_student")["rung"] == GPU
    assert worker.heard_of("error") == []


def test_long_work_is_told_of_until_its_end(worker: ModelWorker, held: Examination) -> None:
    worker.begin()
    assert worker.hear("progress") == {"type": "progress", "task": "checking", "fraction": 0.0}
    assert worker.hear(lambda m: m["type"] == "progress" and m["task"] == "examining")["fraction"] == 0.5
    held.may_end.set()
    worker.state(family="tha4_student")
    assert worker.heard_of("progress")[-1]["fraction"] == 1


# -- the end ----------------------------------------------------------------------------------------------------------


def test_a_check_that_was_running_when_the_worker_was_stopped_is_not_blamed_for_its_end(
    worker: ModelWorker, verdicts: Path
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def check(place: Place) -> None:
        if place == CARD_HALF:
            begun.set()
            assert may_end.wait(LIMIT_S)

    worker.machine.at_check = check
    try:
        worker.begin()
        assert begun.wait(LIMIT_S)
        assert "ended_the_process" in verdicts.read_text(encoding="utf-8")
        assert worker.ask("stop")["ok"]
        assert worker.exits() == 0
        assert "ended_the_process" not in verdicts.read_text(encoding="utf-8")
    finally:
        may_end.set()
    assert wait_until(lambda: "preparer" not in {thread.name for thread in threading.enumerate()})
    known = Verdicts(verdicts)
    assert "ended_the_process" not in verdicts.read_text(encoding="utf-8"), "nor later"
    assert known.get("anything") is None


def test_an_examination_does_not_hold_up_the_end(worker: ModelWorker, held: Examination) -> None:
    worker.begin()
    assert held.begun.wait(LIMIT_S)
    assert worker.ask("stop")["ok"]
    assert worker.exits() == 0
    assert held.gave_up.wait(LIMIT_S)


# -- the reporter -----------------------------------------------------------------------------------------------------


class Clock:
    """In place of the clock that progress is measured with."""

    def __init__(self) -> None:
        self.now = 10_000_000_000

    def monotonic_ns(self) -> int:
        return self.now


class Lines(ControlPipe):
    """A pipe that only notes."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float]] = []

    def send(self, type_: str, **fields: Any) -> None:
        assert type_ == "progress"
        self.sent.append((fields["task"], fields["fraction"]))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(report, "time", clock)
    return clock


def test_progress_is_told_a_few_times_a_second_however_often_it_comes(clock: Clock) -> None:
    lines = Lines()
    reporter = Reporter(lines)
    for step in range(1000):
        reporter.progress("examining", step / 1000)
        clock.now += 1_000_000
    assert 3 <= len(lines.sent) <= 6
    assert lines.sent[0] == ("examining", 0.0)
    assert all(after[1] > before[1] for before, after in pairwise(lines.sent))


def test_the_end_of_work_is_told_at_once(clock: Clock) -> None:
    lines = Lines()
    reporter = Reporter(lines)
    for fraction in (0.1, 0.2, 1.0):
        reporter.progress("examining", fraction)
    assert lines.sent == [("examining", 0.1), ("examining", 1.0)]


def test_the_beginning_of_the_next_work_is_told_right_after_the_end_of_the_last(clock: Clock) -> None:
    lines = Lines()
    reporter = Reporter(lines)
    for _ in range(2):
        reporter.progress("checking", 0.0)
        reporter.progress("checking", 1.0)
    assert lines.sent == [("checking", 0.0), ("checking", 1.0)] * 2
