"""From a character and a wish to a model: which family, on which device, checked once, and what is told when not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from accel import registry
from accel.base import FULL, HALF, Device, Runtime
from core.wire.errors import (
    AccelError,
    BuildStopped,
    EasyVtuberError,
    ModelFileBad,
    ModelMissing,
    NetworkRefused,
    PictureWrong,
    RuntimeFailed,
    RuntimeUnavailable,
)
from core.wire.rungs import CPU, RIG, TENSORRT
from models.base import CharacterModel, Picture
from models.character import Character
from models.opener import ModelOpener
from models.self_check import Verdict, Verdicts
from models.student import family as student_family
from models.student.folder import StudentFiles
from models.wish import ModelWish, Running
from tests.unit.drawn_character import drawn_character
from tests.unit.fake_families import (
    CARD,
    PROCESSOR,
    RTX,
    SLOW,
    SLOW_S,
    FakeFamily,
    Machine,
    Place,
    Spoil,
    empty,
    swapped,
    torn,
)
from tests.unit.tha_graphs import write_small_files

ON_RTX: Place = (RTX.runtime, HALF)
CARD_HALF, CARD_FULL, ON_PROCESSOR = (CARD.runtime, HALF), (CARD.runtime, FULL), (PROCESSOR.runtime, FULL)
WISH = ModelWish(rung=TENSORRT, size=32)
PICTURE = drawn_character()
Told = list[EasyVtuberError | None]


def silent(task: str, share: float) -> None:
    """A report that nobody hears."""


class Bench:
    """A machine, the verdicts' file, and openers as they come and go with the process."""

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(slow=SLOW)
        self.path = folder / "verdicts.json"
        self.told: Told = []
        self.reports: list[tuple[str, float]] = []
        self.opener = self.new_process()

    def new_process(self) -> ModelOpener:
        self.opener = ModelOpener(
            self.told.append, Verdicts(self.path), self.machine.list_devices, self.machine.open_runtime
        )
        return self.opener

    def family(self, **changes: Any) -> FakeFamily:
        return FakeFamily(self.machine, **changes)

    def report(self, task: str, share: float) -> None:
        self.reports.append((task, share))

    def open(self, family: FakeFamily | None = None, wish: ModelWish = WISH) -> tuple[CharacterModel, Running]:
        return self.opener.open(family or self.family(), wish, self.report)

    def place(self, family: FakeFamily | None = None, wish: ModelWish = WISH) -> Place:
        """Open, and tell where."""
        running = self.open(family, wish)[1]
        return running.runtime, running.precision

    def told_now(self) -> EasyVtuberError | None:
        return self.told[-1]

    def key_of(self, place: Place) -> str:
        """What a verdict about this place is kept under."""
        device = next(device for device in self.machine.devices if device.runtime == place[0])
        found = [key for key in Verdicts(self.path)._known if device.key in key and f"|{place[1]}|" in key]
        assert len(found) == 1
        return found[0]


@pytest.fixture
def bench(tmp_path: Path, home: Path) -> Bench:
    return Bench(tmp_path)


# -- which family -----------------------------------------------------------------------------------------------------


@pytest.fixture
def weights(home: Path) -> Path:
    """The folder of weights, empty."""
    return home / "weights"


@pytest.fixture
def student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a student whose networks are not looked into."""
    monkeypatch.setattr(student_family, "StudentFamily", SeenStudent)
    return write_student(tmp_path / "some student")


class SeenStudent:
    """What a student's family was made of."""

    name = "tha4_student"

    def __init__(self, files: StudentFiles, picture: Picture, quality: str, processor: Runtime) -> None:
        self.files, self.picture, self.variant, self.processor = files, picture, quality, processor


def write_student(folder: Path) -> Path:
    """A picture, and networks that are none."""
    folder.mkdir()
    write_picture(folder / "character.png", PICTURE)
    for name in ("face_morpher.pt", "body_morpher.pt"):
        (folder / name).write_bytes(b"damaged")
    return folder


def write_picture(path: Path, picture: Picture) -> None:
    done, content = cv2.imencode(".png", picture)
    assert done
    path.write_bytes(content.tobytes())


def character(folder: Path | None = None) -> Character:
    return Character("someone", PICTURE, {}, folder)


def chosen(bench: Bench, folder: Path | None = None, **wish: Any) -> tuple[str, str] | None:
    family = bench.opener.family(character(folder), replace(WISH, **wish))
    return None if family is None else (family.name, family.variant)


def test_without_any_networks_the_rig_draws(bench: Bench, tmp_path: Path) -> None:
    assert chosen(bench) is None
    assert chosen(bench, tmp_path) is None


def test_automatic_takes_the_student_before_everything_else(bench: Bench, weights: Path, student: Path) -> None:
    for family, variant in (("tha4", ""), ("tha3", "separable")):
        write_small_files(weights, family, variant, FULL)
    assert chosen(bench, student, quality="fast") == ("tha4_student", "fast")


def test_automatic_takes_tha4_before_tha3_and_either_only_when_it_is_complete(bench: Bench, weights: Path) -> None:
    write_small_files(weights, "tha3", "separable", FULL)
    write_small_files(weights, "tha4", "", FULL)
    assert chosen(bench) == ("tha4", "")
    next((weights / "tha4").rglob("upscaler.onnx")).unlink()
    assert chosen(bench) == ("tha3", "separable")
    assert chosen(bench, variant="standard") is None, "the other variant is not there"
    next((weights / "tha3").rglob("editor.onnx")).unlink()
    assert chosen(bench) is None


@pytest.mark.parametrize("model", ["tha4", "tha3"])
def test_a_chosen_family_is_taken_though_there_is_a_student(
    bench: Bench, weights: Path, student: Path, model: str
) -> None:
    for family, variant in (("tha4", ""), ("tha3", "separable")):
        write_small_files(weights, family, variant, FULL)
    assert chosen(bench, student, family=model) == (model, "separable" if model == "tha3" else "")


@pytest.mark.parametrize("wish", [{"family": RIG}, {"rung": RIG}, {"rung": RIG, "family": "tha4_student"}])
def test_the_rig_is_taken_when_it_is_chosen_or_nothing_else_may_be(
    bench: Bench, student: Path, wish: dict[str, str]
) -> None:
    assert chosen(bench, student, **wish) is None


@pytest.mark.parametrize("model", ["tha4", "tha3", "tha4_student"])
@pytest.mark.parametrize("single", [True, False])
def test_a_chosen_family_that_is_not_there_is_missing(bench: Bench, tmp_path: Path, model: str, single: bool) -> None:
    with pytest.raises(ModelMissing) as caught:
        chosen(bench, None if single else tmp_path, family=model)
    assert caught.value.parameters["model"] == model


@pytest.mark.parametrize("model", ["automatic", "tha4_student"])
def test_a_student_that_lacks_a_file_is_told_and_not_passed_over(bench: Bench, student: Path, model: str) -> None:
    (student / "face_morpher.pt").unlink()
    with pytest.raises(ModelMissing):
        chosen(bench, student, family=model)


@pytest.mark.parametrize("model", ["automatic", "tha4_student"])
def test_a_damaged_student_is_told_and_not_passed_over(bench: Bench, tmp_path: Path, model: str) -> None:
    with pytest.raises(ModelFileBad):
        chosen(bench, write_student(tmp_path / "student"), family=model)


@pytest.mark.parametrize("model", ["automatic", "tha3"])
def test_damaged_weights_are_told(bench: Bench, weights: Path, model: str) -> None:
    write_small_files(weights, "tha3", "separable", FULL)
    next(weights.rglob("editor.onnx")).write_bytes(b"damaged")
    with pytest.raises(ModelFileBad):
        chosen(bench, family=model)


@pytest.mark.parametrize("name", ["character.png", "own.png"])
def test_a_student_is_given_the_picture_that_its_description_names(bench: Bench, student: Path, name: str) -> None:
    own = np.full((512, 512, 4), (10, 20, 200, 255), np.uint8)
    write_picture(student / name, own)
    (student / "character_model.yaml").write_text(
        f"character_image_file_name: {name}\nface_morpher_file_name: face_morpher.pt\n"
        "body_morpher_file_name: body_morpher.pt\n",
        encoding="utf-8",
    )
    family = bench.opener.family(character(student), WISH)
    assert isinstance(family, SeenStudent)
    assert np.array_equal(family.picture, own)
    assert family.files.picture == student / name
    assert family.processor.device == PROCESSOR


# -- the choice of a device -------------------------------------------------------------------------------------------


def test_the_card_that_draws_right_and_faster_is_taken(bench: Bench) -> None:
    bench.machine.slow = {CARD_HALF: SLOW_S, ON_PROCESSOR: SLOW_S}
    model, running = bench.open()
    assert (running.family, running.variant) == ("tha4_student", "balanced")
    assert (running.runtime, running.device, running.precision) == (CARD.runtime, CARD.name, FULL)
    assert running.reason == "fastest_correct"
    assert running.milliseconds > 0.0
    assert (model.size, bench.told) == (32, [None])
    assert bench.machine.opened == [CARD_FULL]
    assert bench.machine.open_models == [model], "what was compared is given back"


def test_every_check_is_reported_from_its_beginning_to_its_end(bench: Bench) -> None:
    bench.open()
    assert bench.reports == [("checking", 0.0), ("checking", 1.0)] * 3


def test_the_processor_alone_is_not_compared_with_itself(bench: Bench) -> None:
    running = bench.open(wish=ModelWish(rung=CPU))[1]
    assert (running.runtime, running.reason, running.milliseconds) == (PROCESSOR.runtime, "only_one", 0.0)
    assert (bench.machine.checks, bench.reports) == ([], [])


def test_the_devices_are_looked_for_once(bench: Bench) -> None:
    bench.open()
    bench.open(bench.family(key="other networks"))
    assert bench.machine.lists == 1


# -- verdicts ---------------------------------------------------------------------------------------------------------


def test_what_was_found_out_is_not_asked_again(bench: Bench) -> None:
    before = bench.place()
    judged = list(bench.machine.judged)
    assert sorted(judged) == sorted([CARD_HALF, CARD_FULL])
    bench.place()
    bench.new_process()
    assert bench.place() == before
    assert bench.machine.judged == judged


def test_a_wrong_picture_is_not_asked_for_again_either_but_told_again(bench: Bench) -> None:
    bench.machine.spoils = {CARD_HALF: swapped}
    bench.open()
    checks = len(bench.machine.checks)
    bench.new_process()
    assert bench.place() != CARD_HALF
    assert len(bench.machine.checks) == checks
    assert isinstance(bench.told_now(), PictureWrong)


def test_other_networks_are_checked_for_themselves(bench: Bench) -> None:
    bench.open()
    bench.open(bench.family(key="other networks"))
    assert bench.machine.judged.count(CARD_HALF) == 2


@pytest.mark.parametrize("change", ["driver", "package", "card"])
def test_another_driver_package_or_card_is_checked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    bench.open()
    if change == "driver":
        bench.machine.devices[0] = Device(CARD.runtime, CARD.index, CARD.name, CARD.memory_bytes, "32.0")
    elif change == "card":
        bench.machine.devices[0] = Device(CARD.runtime, CARD.index, "another card", CARD.memory_bytes, CARD.driver)
    else:
        monkeypatch.setattr(registry, "version", lambda runtime: f"{runtime} 99.0")
    bench.new_process()
    bench.open()
    assert bench.machine.judged.count(CARD_HALF) == 2


@pytest.mark.parametrize(
    ("spoil", "reason"), [(empty, "nothing_drawn"), (swapped, "wrong_colours"), (torn, "distorted")]
)
def test_a_wrong_picture_leads_to_the_next_best_and_is_told(bench: Bench, spoil: Spoil, reason: str) -> None:
    bench.machine.devices = [RTX, PROCESSOR]
    bench.machine.spoils = {ON_RTX: spoil, (RTX.runtime, FULL): spoil}
    assert bench.place() == ON_PROCESSOR
    told = bench.told_now()
    assert isinstance(told, PictureWrong)
    assert told.parameters == {"runtime": RTX.runtime, "reason": reason}


def test_a_chosen_runtime_whose_picture_is_wrong_is_replaced_with_a_word_about_it(bench: Bench) -> None:
    bench.machine.spoils = {CARD_HALF: torn, CARD_FULL: torn}
    running = bench.open(wish=ModelWish(rung=TENSORRT, runtime=CARD.runtime))[1]
    assert (running.runtime, running.reason) == (PROCESSOR.runtime, "next_best")
    assert isinstance(bench.told_now(), PictureWrong)


def test_what_is_well_again_is_told_too(bench: Bench) -> None:
    bench.machine.spoils = {CARD_HALF: torn, CARD_FULL: torn}
    bench.open()
    bench.open(wish=ModelWish(rung=CPU))
    assert [told is None for told in bench.told] == [False, True]


# -- a check that ended the process -----------------------------------------------------------------------------------


def test_while_a_check_runs_the_file_says_that_it_ended_the_process(bench: Bench) -> None:
    found: dict[Place, Verdict | None] = {}

    def look(place: Place) -> None:
        known = Verdicts(bench.path)._known
        found[place] = next((verdict for key, verdict in known.items() if f"|{place[1]}|" in key), None)

    bench.machine.devices = [CARD, PROCESSOR]
    bench.machine.at_check = look
    bench.open()
    assert found[CARD_HALF] == found[CARD_FULL] == Verdict("ended_the_process")
    assert "ended_the_process" not in bench.path.read_text(encoding="utf-8")


def test_what_ended_the_process_is_not_tried_again_and_told(bench: Bench) -> None:
    bench.open()
    Verdicts(bench.path).keep(bench.key_of(CARD_HALF), Verdict("ended_the_process"))
    Verdicts(bench.path).keep(bench.key_of(CARD_FULL), Verdict("ended_the_process"))
    judged = len(bench.machine.judged)
    bench.new_process()
    assert bench.place() == ON_PROCESSOR
    assert len(bench.machine.judged) == judged
    told = bench.told_now()
    assert isinstance(told, PictureWrong)
    assert told.parameters == {"runtime": CARD.runtime, "reason": "ended_the_process"}


@pytest.mark.parametrize("moment", [PROCESSOR.runtime, CARD.runtime])
def test_a_check_is_not_blamed_for_an_end_that_somebody_wanted(bench: Bench, moment: str) -> None:
    """Whether it comes while the processor draws what is compared with, or while the card does."""
    texts: list[str] = []

    def end(place: Place) -> None:
        if place[0] == moment:
            bench.opener.end()
        if place[0] == CARD.runtime:
            texts.append(bench.path.read_text(encoding="utf-8") if bench.path.exists() else "")

    bench.machine.at_check = end
    bench.open()
    texts.append(bench.path.read_text(encoding="utf-8") if bench.path.exists() else "")
    assert len(texts) == 3
    assert not any("ended_the_process" in text for text in texts)
    judged = len(bench.machine.judged)
    bench.machine.at_check = lambda place: None
    bench.new_process()
    bench.open()
    assert len(bench.machine.judged) == 2 * judged, "nothing was found out, so it is found out now"


# -- what does not work -----------------------------------------------------------------------------------------------

FAILURES: dict[str, AccelError] = {
    "unavailable": RuntimeUnavailable(runtime=CARD.runtime, reason="no_driver"),
    "refused": NetworkRefused(runtime=CARD.runtime, network="body", operators="Sin"),
    "failed": RuntimeFailed("out of memory", runtime=CARD.runtime, network="body"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("step", ["runtime", "check", "open"])
def test_a_runtime_that_fails_is_replaced_by_the_next_best_and_told(bench: Bench, name: str, step: str) -> None:
    failure = FAILURES[name]
    for place in (CARD_HALF, CARD_FULL):
        if step == "check":
            bench.machine.not_checking[place] = failure
        elif step == "open":
            bench.machine.not_opening[place] = failure
        else:
            bench.machine.not_starting[place[0]] = failure
    assert bench.place() == ON_PROCESSOR
    assert bench.told == [failure]
    assert len(bench.machine.open_models) == 1


def test_what_only_half_fails_in_is_computed_in_full(bench: Bench) -> None:
    bench.machine.not_opening = {CARD_HALF: FAILURES["failed"]}
    bench.machine.not_checking = {CARD_HALF: FAILURES["refused"]}
    assert bench.place() == CARD_FULL


@pytest.mark.parametrize("step", ["runtime", "check"])
def test_what_could_not_be_checked_is_tried_again_in_the_next_process(bench: Bench, step: str) -> None:
    if step == "runtime":
        bench.machine.not_starting = {CARD.runtime: FAILURES["unavailable"]}
    else:
        bench.machine.not_checking = {CARD_HALF: FAILURES["failed"], CARD_FULL: FAILURES["failed"]}
    assert bench.place() == ON_PROCESSOR
    bench.machine.not_starting, bench.machine.not_checking = {}, {}
    bench.new_process()
    assert bench.place()[0] == CARD.runtime
    assert bench.told_now() is None


def test_a_file_that_only_one_runtime_cannot_read_is_drawn_by_another(bench: Bench) -> None:
    bad = ModelFileBad(file="editor.onnx", reason="not_a_network")
    bench.machine.not_checking = {CARD_HALF: bad, CARD_FULL: bad}
    assert bench.place() == ON_PROCESSOR
    assert bench.told == [bad]
    assert "ended_the_process" not in bench.path.read_text(encoding="utf-8")


def test_what_gave_out_while_it_drew_is_not_used_again_in_this_process(bench: Bench) -> None:
    assert bench.place() == CARD_HALF
    bench.opener.gave_out(CARD, HALF, FAILURES["failed"])
    assert bench.place() != CARD_HALF
    assert bench.told_now() is FAILURES["failed"], "the user is told for as long as it is not used"
    assert bench.place(wish=ModelWish(rung=TENSORRT, runtime=CARD.runtime, precision=HALF)) != CARD_HALF
    bench.new_process()
    assert bench.place() == CARD_HALF, "the driver may be well again"
    assert bench.told_now() is None


def test_what_failed_to_open_is_not_tried_again_in_this_process(bench: Bench) -> None:
    bench.machine.not_opening = {CARD_HALF: FAILURES["failed"], CARD_FULL: FAILURES["failed"]}
    bench.open()
    opened = len(bench.machine.opened)
    bench.machine.not_opening = {}
    assert bench.place() == ON_PROCESSOR
    assert len(bench.machine.opened) == opened + 1
    assert bench.told == [FAILURES["failed"]] * 2


def test_the_device_that_runs_is_found_by_what_is_told_of_it(bench: Bench) -> None:
    running = bench.open()[1]
    device = bench.opener.device_of(running)
    assert device is not None
    assert (device.runtime, device.name) == (running.runtime, running.device)
    assert bench.opener.device_of(Running(RIG)) is None
    assert bench.opener.device_of(Running("tha3", runtime=CARD.runtime, device="sold")) is None


def test_when_one_of_two_equal_cards_gives_out_the_next_best_is_found_in_the_end(bench: Bench) -> None:
    second = Device(CARD.runtime, 1, CARD.name, CARD.memory_bytes, CARD.driver)
    bench.machine.devices = [CARD, second, PROCESSOR]
    for _ in range(2):
        running = bench.open()[1]
        if running.runtime == PROCESSOR.runtime:
            break
        device = bench.opener.device_of(running)
        assert device is not None
        for precision in (HALF, FULL):
            bench.opener.gave_out(device, precision, FAILURES["failed"])
    assert bench.place() == ON_PROCESSOR


def test_when_everything_gave_out_the_problem_stays_the_same_however_often_it_is_tried(bench: Bench) -> None:
    bench.machine.devices = [PROCESSOR]
    bench.open()
    bench.opener.gave_out(PROCESSOR, FULL, FAILURES["failed"])
    for _ in range(10):
        with pytest.raises(RuntimeFailed) as caught:
            bench.open()
        assert caught.value is FAILURES["failed"]
    frames, traceback = 0, caught.value.__traceback__
    while traceback is not None:
        frames, traceback = frames + 1, traceback.tb_next
    assert frames < 10, "it does not hold what was there each time"


@pytest.mark.parametrize("kind", ["wrong", "failing", "not opening", "nothing there"])
def test_when_nothing_here_can_draw_it_the_last_problem_is_raised(bench: Bench, kind: str) -> None:
    last = RuntimeFailed("no memory", runtime=PROCESSOR.runtime, network="body")
    everywhere = (CARD_HALF, CARD_FULL, ON_PROCESSOR)
    if kind == "wrong":
        # the processor is right by definition, so it cannot be had
        bench.machine.spoils = {CARD_HALF: torn, CARD_FULL: torn}
        bench.machine.not_opening = {ON_PROCESSOR: last}
    elif kind == "failing":
        bench.machine.not_checking = dict.fromkeys(everywhere, last)
    elif kind == "not opening":
        bench.machine.not_opening = dict.fromkeys(everywhere, last)
    else:
        bench.machine.devices = []
    with pytest.raises(AccelError) as caught:
        bench.open()
    if kind == "nothing there":
        assert isinstance(caught.value, RuntimeUnavailable)
    elif kind != "wrong":
        assert caught.value is last
    assert bench.machine.open_models == []
    assert bench.told == [], "what is raised is told by whoever catches it"


# -- being told to stop -----------------------------------------------------------------------------------------------


def stop(task: str, share: float) -> None:
    raise BuildStopped(network=task)


def test_work_that_is_told_to_stop_stops_and_leaves_everything_usable(bench: Bench) -> None:
    bench.open()
    bench.machine.at_open = lambda place, report: report("examining", 0.1)
    opened = len(bench.machine.opened)
    with pytest.raises(BuildStopped):
        bench.opener.open(bench.family(), WISH, stop)
    assert bench.machine.opened[opened:] == [CARD_HALF], "nothing else is tried"
    assert bench.place() == CARD_HALF, "it did not give out"


def test_a_check_that_is_told_to_stop_is_not_begun(bench: Bench) -> None:
    with pytest.raises(BuildStopped):
        bench.opener.open(bench.family(), WISH, stop)
    assert bench.machine.checks == []
    bench.new_process()
    bench.open()
    assert bench.told == [None]


# -- being quick ------------------------------------------------------------------------------------------------------


def is_quick(bench: Bench, wish: ModelWish = WISH, quick: bool = True) -> bool:
    return bench.opener.is_quick(bench.family(quick=quick), wish)


def test_a_family_that_takes_long_is_never_quick(bench: Bench) -> None:
    bench.open()
    assert not is_quick(bench, quick=False)


def test_it_is_quick_once_everything_that_is_wanted_was_checked(bench: Bench) -> None:
    assert not is_quick(bench)
    bench.open()
    assert is_quick(bench)
    bench.machine.devices.insert(0, RTX)
    bench.new_process()
    assert not is_quick(bench)


def test_the_processor_alone_is_quick_without_a_check(bench: Bench) -> None:
    assert is_quick(bench, ModelWish(rung=CPU))


def test_what_was_wanted_and_is_wrong_is_not_quick_while_what_stands_in_was_never_checked(bench: Bench) -> None:
    wish = ModelWish(rung=TENSORRT, runtime=RTX.runtime)
    bench.machine.devices = [RTX, CARD, PROCESSOR]
    bench.machine.spoils = {ON_RTX: torn, (RTX.runtime, FULL): torn}
    bench.machine.at_check = refuse_card
    bench.open(wish=wish)
    assert not is_quick(bench, wish)


def refuse_card(place: Place) -> None:
    if place[0] == CARD.runtime:
        raise FAILURES["unavailable"]


def test_what_is_wanted_and_not_there_is_not_quick(bench: Bench) -> None:
    assert not is_quick(bench, ModelWish(rung=TENSORRT, device="a card that was sold"))


# -- runtimes ---------------------------------------------------------------------------------------------------------


def test_every_runtime_is_opened_once_and_closed_once(bench: Bench) -> None:
    bench.open()
    bench.open(bench.family(key="other networks"))
    assert sorted(runtime.name for runtime in bench.machine.runtimes) == sorted([CARD.runtime, PROCESSOR.runtime])
    bench.opener.close()
    bench.opener.close()
    assert [runtime.closings for runtime in bench.machine.runtimes] == [1, 1]


def test_another_number_of_threads_is_another_runtime(bench: Bench) -> None:
    for threads in (1, 4, 1):
        bench.open(wish=ModelWish(rung=CPU, threads=threads))
    assert [runtime.threads for runtime in bench.machine.runtimes] == [1, 4]


def test_after_closing_it_can_begin_anew(bench: Bench) -> None:
    bench.open()
    bench.opener.close()
    bench.open()
    assert [runtime.closings for runtime in bench.machine.runtimes].count(0) == 1
