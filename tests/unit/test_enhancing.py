"""Super-resolution and RIFE are opened where the character is drawn, in the precision that works there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from accel.base import FULL, HALF, PRECISIONS, Progress, Runtime
from core.wire.errors import (
    AccelError,
    BuildStopped,
    EasyVtuberError,
    ModelFileBad,
    ModelMissing,
    NetworkRefused,
    PictureWrong,
    RuntimeFailed,
)
from models import enhancing
from models.base import Picture
from models.enhancing import WHOLE, Box, open_rife, open_upscaling, reach
from models.rife.files import RifeFile
from models.upscale.base import Upscaler
from models.upscale.box import STEP
from tests.unit.fake_families import CARD, PROCESSOR, FakeRuntime, empty, swapped, torn

from .rife_networks import Traits, plain_network, write
from .student_runtime import processor

BOX: Box = (16, 32, 304, 208)
REFUSED = NetworkRefused(runtime=CARD.runtime, network="waifu2x", operators="Resize")
FAILED = RuntimeFailed("no memory", runtime=CARD.runtime, network="waifu2x")
WRONG = PictureWrong(runtime=CARD.runtime, reason="distorted")
MISSING = ModelMissing(model="waifu2x", file="waifu2x/noise0_scale2x_fp32.onnx")


def runtime_on(*, host: bool = False) -> Runtime:
    """One that nothing is computed on."""
    made = FakeRuntime(PROCESSOR if host else CARD, 0)
    made.on_host = host
    return made


def picture_with(rows: slice, columns: slice) -> Picture:
    """Nothing but a rectangle."""
    picture: Picture = np.zeros((512, 512, 4), np.uint8)
    picture[rows, columns] = 200
    return picture


# -- the box that a character stays in --------------------------------------------------------------------------------


def test_a_character_has_room_to_lean_out_of_where_its_picture_is() -> None:
    # 16 pixels belong to what is visible, 32 more are for leaning
    assert reach(picture_with(slice(160, 320), slice(192, 256))) == (112, 144, 256, 160)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(0, 1), slice(0, 1)),
        (slice(511, 512), slice(511, 512)),
        (slice(0, 512), slice(100, 101)),
        (slice(37, 409), slice(3, 477)),
        (slice(500, 512), slice(0, 512)),
    ],
)
def test_the_box_is_one_that_networks_can_take(rows: slice, columns: slice) -> None:
    top, left, height, width = box = reach(picture_with(rows, columns))
    assert all(value % STEP == 0 for value in box)
    assert min(top, left) >= 0
    assert max(top + height, left + width) <= 512
    assert top <= max(rows.start - 48, 0)
    assert left <= max(columns.start - 48, 0)
    assert top + height >= min(rows.stop + 48, 512)
    assert left + width >= min(columns.stop + 48, 512)


def test_a_character_that_fills_its_picture_and_one_that_is_not_there_have_the_whole_of_it() -> None:
    assert reach(picture_with(slice(0, 512), slice(0, 512))) == WHOLE
    assert reach(np.zeros((512, 512, 4), np.uint8)) == WHOLE


# -- super-resolution -------------------------------------------------------------------------------------------------


class FakeUpscaler:
    """Enlarges nothing."""

    size = 1024

    def apply(self, picture: Picture, out: Picture) -> None:
        raise AssertionError("nobody asked for a picture")

    def close(self) -> None:
        pass


class Registry:
    """In place of the registry of upscalers: notes what it was asked for, and fails in some precisions."""

    def __init__(self) -> None:
        self.problems: dict[str, EasyVtuberError] = {}
        self.asked: list[str] = []
        self.given: list[tuple[object, ...]] = []
        self.made = FakeUpscaler()

    def open_upscaler(
        self, kind: str, runtime: Runtime, precision: str, box: Box, progress: Progress | None = None
    ) -> Upscaler:
        self.asked.append(precision)
        self.given.append((kind, runtime, box, progress))
        if precision in self.problems:
            raise self.problems[precision]
        return self.made


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setattr(enhancing, "open_upscaler", registry.open_upscaler)
    return registry


@pytest.mark.parametrize(
    ("wanted", "host", "order"),
    [
        ("automatic", False, [HALF, FULL]),
        ("automatic", True, [FULL, HALF]),
        (HALF, False, [HALF, FULL]),
        (HALF, True, [HALF, FULL]),
        (FULL, False, [FULL, HALF]),
        (FULL, True, [FULL, HALF]),
    ],
)
def test_precisions_are_tried_in_the_order_that_suits_the_device(
    registry: Registry, wanted: str, host: bool, order: list[str]
) -> None:
    registry.problems = dict.fromkeys(PRECISIONS, FAILED)
    with pytest.raises(RuntimeFailed):
        open_upscaling("waifu2x", runtime_on(host=host), wanted, BOX)
    assert registry.asked == order


def test_the_first_precision_that_works_is_taken_and_no_other_tried(registry: Registry) -> None:
    runtime = runtime_on()

    def progress(task: str, share: float) -> bool:
        return True

    assert open_upscaling("waifu2x", runtime, "automatic", BOX, progress) is registry.made
    assert registry.asked == [HALF]
    assert registry.given == [("waifu2x", runtime, BOX, progress)], "it is handed on as it came"


@pytest.mark.parametrize("problem", [REFUSED, FAILED, MISSING, WRONG])
def test_where_one_precision_does_not_work_the_other_does(registry: Registry, problem: EasyVtuberError) -> None:
    registry.problems = {HALF: problem}
    assert open_upscaling("waifu2x", runtime_on(), "automatic", BOX) is registry.made
    assert registry.asked == [HALF, FULL]


def test_where_none_works_the_last_one_says_why(registry: Registry) -> None:
    registry.problems = {HALF: REFUSED, FULL: MISSING}
    with pytest.raises(ModelMissing) as caught:
        open_upscaling("waifu2x", runtime_on(), "automatic", BOX)
    assert caught.value is MISSING


def test_a_damaged_file_is_told_at_once(registry: Registry) -> None:
    registry.problems = {HALF: ModelFileBad(file="noise0_scale2x_fp16.onnx", reason="file_damaged")}
    with pytest.raises(ModelFileBad):
        open_upscaling("waifu2x", runtime_on(), "automatic", BOX)
    assert registry.asked == [HALF]


def test_who_says_stop_is_not_asked_again_in_the_other_precision(registry: Registry) -> None:
    registry.problems = {HALF: BuildStopped(network="waifu2x")}
    with pytest.raises(BuildStopped):
        open_upscaling("waifu2x", runtime_on(), "automatic", BOX)
    assert registry.asked == [HALF]


# -- RIFE -------------------------------------------------------------------------------------------------------------


class Workshop:
    """In place of RIFE: networks that draw what they are told to, in the precisions there are files for."""

    def __init__(self) -> None:
        self.there: tuple[str, ...] = PRECISIONS
        self.problems: dict[str, AccelError] = {}
        self.draws: dict[str, Callable[[Picture], Picture]] = {}
        """By precision; what comes of the newer picture."""
        self.raises: dict[str, BaseException] = {}
        """By precision; while it draws."""
        self.made: list[FakeRife] = []
        self.asked: list[str] = []
        self.looked_for: list[int] = []

    def rife_precisions(self, factor: int) -> tuple[str, ...]:
        self.looked_for.append(factor)
        return self.there

    def find_rife(self, precision: str, factor: int) -> RifeFile:
        self.asked.append(precision)
        if precision not in self.there:
            raise ModelMissing(model="RIFE", file=f"rife/rife_x{factor}_fp32.onnx")
        return RifeFile("plain", Path("rife") / precision, precision)

    def open(
        self, file: RifeFile, runtime: Runtime, precision: str, factor: int, progress: Progress | None = None
    ) -> FakeRife:
        assert file.relative == precision
        if precision in self.problems:
            raise self.problems[precision]
        self.made.append(rife := FakeRife(self, precision, factor))
        return rife


class FakeRife:
    """Draws the newer picture, or what the workshop makes of it."""

    def __init__(self, workshop: Workshop, precision: str, factor: int) -> None:
        self.workshop, self.precision, self.factor = workshop, precision, factor
        self.closings = 0
        self.drawn = 0

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture]) -> None:
        assert len(out) == self.factor - 1
        if self.precision in self.workshop.raises:
            raise self.workshop.raises[self.precision]
        for place in out:
            self.drawn += 1
            place[:] = self.workshop.draws.get(self.precision, np.copy)(newer)

    def close(self) -> None:
        self.closings += 1


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Workshop:
    workshop = Workshop()
    monkeypatch.setattr(enhancing, "rife_precisions", workshop.rife_precisions)
    monkeypatch.setattr(enhancing, "find_rife", workshop.find_rife)
    monkeypatch.setattr(enhancing, "Rife", workshop.open)
    return workshop


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_rife_is_looked_at_before_anybody_sees_it(workshop: Workshop, factor: int) -> None:
    made = open_rife(runtime_on(), "automatic", factor)
    assert isinstance(made, FakeRife)
    assert (made.precision, made.factor, made.drawn, made.closings) == (HALF, factor, factor - 1, 0)
    assert workshop.looked_for == [factor]


@pytest.mark.parametrize(
    ("wanted", "host", "there", "order"),
    [
        ("automatic", False, PRECISIONS, [HALF, FULL]),
        ("automatic", True, PRECISIONS, [FULL, HALF]),
        (FULL, False, PRECISIONS, [FULL, HALF]),
        ("automatic", False, (FULL,), [FULL]),
        (HALF, False, (FULL,), [FULL]),
        (FULL, False, (HALF,), [HALF]),
    ],
)
def test_rife_is_tried_in_those_precisions_that_there_are_files_for(
    workshop: Workshop, wanted: str, host: bool, there: tuple[str, ...], order: list[str]
) -> None:
    workshop.there = there
    workshop.problems = dict.fromkeys(PRECISIONS, FAILED)
    with pytest.raises(RuntimeFailed):
        open_rife(runtime_on(host=host), wanted, 2)
    assert workshop.asked == order


def test_where_there_is_no_file_at_all_it_is_told(workshop: Workshop) -> None:
    workshop.there = ()
    with pytest.raises(ModelMissing):
        open_rife(runtime_on(), "automatic", 2)


@pytest.mark.parametrize("spoil", [empty, swapped, torn])
def test_a_wrong_picture_is_never_shown(workshop: Workshop, spoil: Callable[[Picture], Picture]) -> None:
    workshop.draws = {HALF: spoil}
    made = open_rife(runtime_on(), "automatic", 3)
    assert isinstance(made, FakeRife)
    assert made.precision == FULL, "the other precision draws it right"
    assert [(rife.precision, rife.closings) for rife in workshop.made] == [(HALF, 1), (FULL, 0)]


def test_where_every_picture_is_wrong_it_is_told_and_everything_given_back(workshop: Workshop) -> None:
    workshop.draws = {HALF: swapped, FULL: torn}
    with pytest.raises(PictureWrong) as caught:
        open_rife(runtime_on(), "automatic", 2)
    assert caught.value.parameters == {"runtime": CARD.runtime, "reason": "distorted"}
    assert [rife.closings for rife in workshop.made] == [1, 1]


def test_one_wrong_picture_among_three_is_enough(workshop: Workshop) -> None:
    drawn: list[int] = []

    def the_last_one(picture: Picture) -> Picture:
        drawn.append(1)
        return empty(picture) if len(drawn) % 3 == 0 else picture

    workshop.draws = {HALF: the_last_one, FULL: the_last_one}
    with pytest.raises(PictureWrong):
        open_rife(runtime_on(), "automatic", 4)


@pytest.mark.parametrize("problem", [FAILED, MemoryError(), KeyboardInterrupt()])
def test_what_fails_while_it_is_looked_at_is_given_back(workshop: Workshop, problem: BaseException) -> None:
    workshop.raises = dict.fromkeys(PRECISIONS, problem)
    with pytest.raises(type(problem)):
        open_rife(runtime_on(), "automatic", 2)
    assert workshop.made
    assert all(rife.closings == 1 for rife in workshop.made)


# -- with a real network ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2, 4])
def test_a_real_network_is_opened_where_it_draws_right(home: Path, factor: int) -> None:
    write(plain_network(Traits(moved=0.0)), home / "weights", "ifnet_fp32")
    runtime = processor()
    made = open_rife(runtime, "automatic", factor)
    assert made.factor == factor
    made.close()
    runtime.close()


def test_a_real_network_that_moves_what_stands_still_is_refused(home: Path) -> None:
    write(plain_network(Traits(moved=64.0)), home / "weights", "ifnet_fp32")
    runtime = processor()
    with pytest.raises(PictureWrong):
        open_rife(runtime, FULL, 2)
    runtime.close()
