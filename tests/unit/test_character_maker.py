"""From a name in the settings to a character on the screen: the rig at once, its network when that is ready."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accel.base import FULL, HALF, Device
from core.pose.mixer import PoseMoment
from core.pose.parameters import PoseVector, neutral
from core.render.pipeline import Pipeline
from core.wire.errors import (
    BuildStopped,
    CharacterMissing,
    EasyVtuberError,
    ModelFileBad,
    ModelMissing,
    RuntimeFailed,
    RuntimeUnavailable,
)
from core.wire.rungs import CPU, GPU, RIG, TENSORRT
from core.worker import characters
from core.worker.characters import CharacterMaker, ShownCharacter
from models.base import CharacterModel, Picture
from models.character import load_character
from models.enhancing import reach
from models.wish import ModelWish, Running
from tests.contract.fake_outputs import LIMIT_S, Gate, wait_until
from tests.unit.fake_families import (
    CARD,
    PROCESSOR,
    RTX,
    SLOW,
    FakeModel,
    FakeOpener,
    FakeRuntime,
    Machine,
    right_picture,
)
from tests.unit.small_model import SmallModel

WISH = ModelWish(rung=TENSORRT, size=48)
BAD_FILE = ModelFileBad(file="body_morpher.pt", reason="damaged")
GONE = RuntimeFailed("the driver was reset", runtime=CARD.runtime, network="body")
RUNNING_RIG = Running(RIG)


class Workshop:
    """A maker on a machine, and what was heard of it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.told: list[EasyVtuberError | None] = []
        self.progress: list[tuple[str, float]] = []
        self.wanted = True
        self.names: list[str] = []
        """What the pictures of each pipeline depend on."""
        self.maker = CharacterMaker(
            self.told.append, lambda task, share: self.progress.append((task, share)), self.pipeline_for
        )

    def pipeline_for(self, model: CharacterModel, name: str) -> Pipeline:
        """A pipeline whose first picture is drawn."""
        self.names.append(name)
        pipeline = Pipeline(model)
        pipeline.warm(neutral())
        return pipeline

    def make(self, name: str = "nocti", wish: ModelWish = WISH, shown: str = "") -> ShownCharacter:
        return self.maker.make(name, wish, lambda: self.wanted, shown)

    def network(self, name: str = "nocti", wish: ModelWish = WISH) -> ShownCharacter:
        """What takes over from the rig."""
        first = self.make(name, wish)
        assert first.running == RUNNING_RIG
        assert first.network is not None
        return first.network()


@pytest.fixture
def workshop(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    machine = Machine(networks={"nocti": None, "mothlight": None}, slow=SLOW)
    monkeypatch.setattr(characters, "open_rig", lambda character, size: SmallModel(size))
    monkeypatch.setattr(characters, "ModelOpener", lambda tell: FakeOpener(machine, tell, tmp_path / "verdicts.json"))
    return Workshop(machine)


# -- the rig and the network ------------------------------------------------------------------------------------------


def test_a_character_without_networks_is_a_rig_and_stays_one(workshop: Workshop) -> None:
    workshop.machine.networks.clear()
    made = workshop.make()
    assert (made.name, made.running, made.network, made.model.size) == ("nocti", RUNNING_RIG, None, 48)
    assert (workshop.progress, workshop.machine.lists) == ([], 0), "nothing was looked for"


@pytest.mark.parametrize("wish", [replace(WISH, rung=RIG), replace(WISH, family=RIG)])
def test_a_rig_that_was_chosen_stays_one(workshop: Workshop, wish: ModelWish) -> None:
    made = workshop.make(wish=wish)
    assert (made.running, made.network) == (RUNNING_RIG, None)


def test_while_the_network_takes_long_the_rig_is_there_first(workshop: Workshop) -> None:
    made = workshop.make()
    assert (made.name, made.running, made.model.size) == ("nocti", RUNNING_RIG, 48)
    assert workshop.machine.checks == workshop.machine.opened == [], "that is for later"
    assert made.network is not None
    network = made.network()
    assert (network.name, network.network, network.model.size) == ("nocti", None, 48)
    assert (network.running.family, network.running.variant) == ("tha4_student", "balanced")
    assert workshop.told == [None]


def test_a_network_that_is_quick_is_there_at_once(workshop: Workshop) -> None:
    workshop.machine.quick = True
    made = workshop.make(wish=replace(WISH, rung=CPU))
    assert (made.running.family, made.running.runtime, made.network) == ("tha4_student", PROCESSOR.runtime, None)


def test_a_network_that_is_quick_but_was_never_checked_is_not_waited_for(workshop: Workshop) -> None:
    workshop.machine.quick = True
    workshop.network()
    assert workshop.make().running.family == "tha4_student", "now it was"


@pytest.mark.parametrize("change", [{"quality": "fast"}, {"precision": FULL}, {"size": 96}, {"runtime": CARD.runtime}])
def test_a_character_that_is_shown_never_goes_back_to_the_rig(workshop: Workshop, change: dict[str, Any]) -> None:
    made = workshop.make(wish=replace(WISH, **change), shown="nocti")
    assert (made.running.family, made.network) == ("tha4_student", None)
    assert (made.running.variant, made.model.size) == (change.get("quality", "balanced"), change.get("size", 48))


def test_another_character_does(workshop: Workshop) -> None:
    assert workshop.make("mothlight", shown="nocti").running == RUNNING_RIG


def test_a_character_that_is_not_there_is_missing(workshop: Workshop) -> None:
    with pytest.raises(CharacterMissing):
        workshop.make("nobody")


def test_what_is_shown_is_given_back_with_its_model(workshop: Workshop) -> None:
    network = workshop.network()
    network.close()
    assert isinstance(network.model, FakeModel)
    assert network.model.closings == 1


class Held(FakeModel):
    """Draws for as long as it is held."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, "tha4_student", (CARD.runtime, HALF), 48, is_shown=True)
        self.gate = Gate(held=True)
        self.drawn = 0

    def render(self, pose: PoseVector, out: Picture) -> None:
        self.gate.pass_through()
        super().render(pose, out)
        self.drawn += 1


def test_the_picture_at_hand_is_done_before_its_model_is_given_back(workshop: Workshop) -> None:
    """A model that is closed while it draws would take the process with it."""
    model = Held(workshop.machine)
    shown = ShownCharacter("nocti", model, RUNNING_RIG, pipeline := Pipeline(model))
    pipeline.keys.begin(neutral())
    assert model.gate.inside.wait(LIMIT_S)
    closing = threading.Thread(target=shown.close)
    closing.start()
    assert not wait_until(lambda: model.closings > 0, limit_s=0.05)
    model.gate.open.set()
    closing.join(LIMIT_S)
    assert not closing.is_alive()
    assert (model.drawn, model.closings) == (1, 1)


# -- the pipeline that comes with it ----------------------------------------------------------------------------------


def test_the_first_picture_is_drawn_where_the_character_is_made(workshop: Workshop) -> None:
    rig = workshop.make()
    assert isinstance(rig.model, SmallModel)
    assert rig.model.rendered == [0.0]
    assert rig.pipeline.model is rig.model
    network = workshop.network()
    assert network.pipeline.model is network.model
    shown = network.pipeline.next(lambda: (PoseMoment(neutral(), 0, 0.0), 1))
    assert shown is not None
    assert np.array_equal(shown.picture, right_picture(neutral(), 48))


def test_a_network_that_draws_no_first_picture_is_given_back_and_not_used_again(workshop: Workshop) -> None:
    workshop.machine.failing = {(CARD.runtime, HALF)}
    first = workshop.make()
    assert first.network is not None
    with pytest.raises(RuntimeFailed):
        first.network()
    assert workshop.machine.open_models == [], "nothing of it is left on the card"
    running = first.network().running
    assert (running.runtime, running.precision) == (CARD.runtime, FULL), "the next best is tried"
    assert workshop.progress[-1] == ("", 1.0)


def test_a_quick_network_that_draws_no_first_picture_leaves_the_rig(workshop: Workshop) -> None:
    workshop.machine.quick = True
    workshop.machine.failing = {(PROCESSOR.runtime, FULL)}
    made = workshop.make(wish=replace(WISH, rung=CPU))
    assert made.running == RUNNING_RIG
    assert workshop.machine.open_models == []


def test_everything_that_pictures_depend_on_has_a_name_of_its_own(workshop: Workshop) -> None:
    """Pictures of all characters are remembered in one place."""
    workshop.make()
    for change in ({}, {"quality": "fast"}, {"size": 96}, {"precision": FULL}, {"runtime": PROCESSOR.runtime}):
        workshop.network(wish=replace(WISH, **change))
    workshop.network("mothlight")
    workshop.make("mothlight", replace(WISH, rung=RIG))
    workshop.make(wish=replace(WISH, rung=RIG, size=96))
    # six networks, and the rigs that stood in for them: of two characters, one of them in two sizes
    assert len(set(workshop.names)) == 9


def test_the_same_pictures_have_the_same_name(workshop: Workshop) -> None:
    for _ in range(2):
        workshop.network()
    first, second = (set(workshop.names[place : place + 2]) for place in (0, 2))
    assert first == second


def test_it_is_known_where_in_its_picture_a_character_may_be(workshop: Workshop) -> None:
    box = reach(load_character("nocti").picture)
    assert workshop.make().box == workshop.network().box == box


# -- networks that are no good ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "problem",
    [
        BAD_FILE,
        ModelMissing(model="tha4_student", file="body_morpher.pt"),
        RuntimeUnavailable(runtime=PROCESSOR.runtime, reason="package_broken"),
    ],
)
def test_a_character_whose_networks_are_no_good_is_a_rig_until_they_are(
    workshop: Workshop, problem: EasyVtuberError
) -> None:
    workshop.machine.networks["nocti"] = problem
    made = workshop.make()
    assert (made.name, made.running) == ("nocti", RUNNING_RIG)
    assert made.network is not None
    for _ in range(2):
        with pytest.raises(type(problem)) as caught:
            made.network()
        assert caught.value is problem
    workshop.machine.networks["nocti"] = None
    assert made.network().running.family == "tha4_student"


def test_a_character_that_is_shown_stays_as_it_is_when_its_networks_are_no_good_any_more(workshop: Workshop) -> None:
    workshop.machine.networks["nocti"] = BAD_FILE
    with pytest.raises(ModelFileBad):
        workshop.make(wish=replace(WISH, quality="fast"), shown="nocti")


def test_a_network_that_went_away_leaves_the_rig(workshop: Workshop) -> None:
    made = workshop.make()
    workshop.machine.networks.clear()
    assert made.network is not None
    assert made.network().running == RUNNING_RIG


def test_a_quick_network_that_cannot_be_opened_leaves_the_rig(workshop: Workshop) -> None:
    problem = RuntimeFailed("no memory", runtime=PROCESSOR.runtime, network="body")
    workshop.machine.quick = True
    workshop.machine.not_opening = {(PROCESSOR.runtime, FULL): problem}
    made = workshop.make(wish=replace(WISH, rung=CPU))
    assert made.running == RUNNING_RIG
    assert made.network is not None
    with pytest.raises(RuntimeFailed):
        made.network()


# -- long work --------------------------------------------------------------------------------------------------------


def test_long_work_is_told_of_and_its_end_too(workshop: Workshop) -> None:
    workshop.machine.at_open = lambda place, report: report("examining", 0.4)
    workshop.network()
    assert ("checking", 0.0) in workshop.progress
    assert workshop.progress[-2:] == [("examining", 0.4), ("", 1.0)]


def test_the_end_of_work_that_failed_is_told_too(workshop: Workshop) -> None:
    failed = RuntimeFailed("no memory", runtime=CARD.runtime, network="body")
    for precision in (HALF, FULL):
        for device in (CARD, PROCESSOR):
            workshop.machine.not_opening[device.runtime, precision] = failed
    with pytest.raises(RuntimeFailed):
        workshop.network()
    assert workshop.progress[-1] == ("", 1.0)


def test_work_that_is_not_wanted_any_more_stops_where_it_is(workshop: Workshop) -> None:
    workshop.network()

    def change_of_mind(place: tuple[str, str], report: object) -> None:
        workshop.wanted = False
        assert callable(report)
        report("examining", 0.5)
        raise AssertionError("it went on")

    workshop.machine.at_open = change_of_mind
    opened = len(workshop.machine.opened)
    with pytest.raises(BuildStopped):
        workshop.make(wish=replace(WISH, quality="fast"), shown="nocti")
    assert len(workshop.machine.opened) == opened + 1
    assert ("examining", 0.5) not in workshop.progress
    assert workshop.progress[-1] == ("", 1.0)
    workshop.machine.at_open, workshop.wanted = lambda place, report: None, True
    assert workshop.network().running.device == CARD.name, "the card is not to blame"


def test_work_that_is_not_wanted_from_the_beginning_is_not_begun(workshop: Workshop) -> None:
    workshop.wanted = False
    with pytest.raises(BuildStopped):
        workshop.make(shown="nocti")
    assert workshop.machine.checks == workshop.machine.opened == []


# -- beside a character -----------------------------------------------------------------------------------------------


def test_what_works_beside_a_character_is_computed_where_it_is_drawn(workshop: Workshop) -> None:
    workshop.machine.devices = [RTX, CARD, PROCESSOR]
    for device in workshop.machine.devices:
        beside = workshop.maker.runtime_beside(Running("tha3", runtime=device.runtime, device=device.name), WISH)
        assert isinstance(beside, FakeRuntime)
        assert beside.device == device


def test_the_runtime_that_draws_is_shared_with_what_works_beside(workshop: Workshop) -> None:
    running = workshop.network().running
    opened = len(workshop.machine.runtimes)
    assert workshop.maker.runtime_beside(running, WISH) in workshop.machine.runtimes
    assert len(workshop.machine.runtimes) == opened


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, RTX),
        ({"rung": GPU}, CARD),
        ({"rung": CPU}, PROCESSOR),
        ({"runtime": CARD.runtime}, CARD),
        ({"device": PROCESSOR.name}, PROCESSOR),
        ({"device": "a card that was taken out"}, PROCESSOR),
    ],
)
def test_beside_the_rig_it_is_computed_on_the_first_device_that_may_be_used(
    workshop: Workshop, change: dict[str, Any], expected: Device
) -> None:
    workshop.machine.devices = [RTX, CARD, PROCESSOR]
    beside = workshop.maker.runtime_beside(RUNNING_RIG, replace(WISH, **change))
    assert isinstance(beside, FakeRuntime)
    assert beside.device == expected


# -- devices ----------------------------------------------------------------------------------------------------------


def test_devices_are_known_by_name_once_they_were_looked_for(workshop: Workshop) -> None:
    workshop.machine.devices = [Device("tensorrt_rtx", 0, "Card"), Device("onnxruntime_cuda", 0, "Card"), PROCESSOR]
    assert workshop.maker.devices == {}
    workshop.maker.look_for_devices()
    assert workshop.maker.devices == {
        "Card": ["tensorrt_rtx", "onnxruntime_cuda"],
        PROCESSOR.name: [PROCESSOR.runtime],
    }


def test_what_gave_out_is_not_used_again(workshop: Workshop) -> None:
    used = set()
    for _ in range(3):
        running = workshop.network().running
        used.add((running.runtime, running.precision))
        workshop.maker.gave_out(running, GONE)
    assert used == {(CARD.runtime, HALF), (CARD.runtime, FULL), (PROCESSOR.runtime, FULL)}
    with pytest.raises(RuntimeFailed) as caught:
        workshop.network()
    assert caught.value is GONE


def test_the_rig_cannot_give_out(workshop: Workshop) -> None:
    workshop.maker.gave_out(RUNNING_RIG, GONE)
    workshop.network()


def test_closing_gives_the_runtimes_back(workshop: Workshop) -> None:
    workshop.network()
    workshop.maker.close()
    assert workshop.machine.runtimes
    assert all(runtime.closings == 1 for runtime in workshop.machine.runtimes)
