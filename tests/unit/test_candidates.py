"""Which device in which precision draws: what may be tried, in which order, and which of them is taken."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.base import FULL, HALF, PRECISIONS, Device
from core.wire import presets
from core.wire.rungs import CPU, GPU, LADDER, RIG, TENSORRT, allows
from core.wire.settings import RUNTIMES, Value, defaults
from models.candidates import Candidate, Choice, candidates, choose
from models.self_check import Verdict
from models.wish import AUTOMATIC, ModelWish, Running

TENSORRT_RTX, CUDA, DIRECTML, PROCESSOR = "tensorrt_rtx", "onnxruntime_cuda", "onnxruntime_directml", "onnxruntime_cpu"
RUNGS = {TENSORRT_RTX: TENSORRT, "tensorrt": TENSORRT, CUDA: GPU, DIRECTML: GPU, PROCESSOR: CPU}
GEFORCE, RADEON, RYZEN = "GeForce RTX 3060", "Radeon", "Ryzen"
DEVICES = [
    Device(TENSORRT_RTX, 0, GEFORCE),
    Device(CUDA, 0, GEFORCE),
    Device(DIRECTML, 0, GEFORCE),
    Device(DIRECTML, 1, RADEON),
    Device(PROCESSOR, 0, RYZEN),
]
EVERYTHING = [
    (TENSORRT_RTX, GEFORCE, HALF), (TENSORRT_RTX, GEFORCE, FULL),
    (CUDA, GEFORCE, HALF), (CUDA, GEFORCE, FULL),
    (DIRECTML, GEFORCE, HALF), (DIRECTML, GEFORCE, FULL),
    (DIRECTML, RADEON, HALF), (DIRECTML, RADEON, FULL),
    (PROCESSOR, RYZEN, FULL),
]  # fmt: skip
Shown = list[tuple[str, str, str]]


def shown(found: list[Candidate]) -> Shown:
    return [(entry.device.runtime, entry.device.name, entry.precision) for entry in found]


def found(
    precisions: tuple[str, ...] = PRECISIONS, devices: list[Device] | None = None, **wish: Any
) -> tuple[Shown, Shown]:
    whole = replace(ModelWish(rung=TENSORRT), **wish)
    wanted, others = candidates(DEVICES if devices is None else devices, RUNGS.__getitem__, whole, precisions)
    return shown(wanted), shown(others)


# -- the order to try -------------------------------------------------------------------------------------------------


def test_automatic_tries_everything_in_the_devices_order_half_first_on_cards_and_full_on_the_processor() -> None:
    assert found() == (EVERYTHING, [])


@pytest.mark.parametrize("rung", LADDER)
def test_nothing_above_the_rung_is_tried(rung: str) -> None:
    wanted, others = found(rung=rung)
    assert wanted == [entry for entry in EVERYTHING if allows(rung, RUNGS[entry[0]])]
    assert others == []
    assert bool(wanted) == (rung != RIG)


def test_every_candidate_knows_its_rung() -> None:
    wanted, _ = candidates(DEVICES, RUNGS.__getitem__, ModelWish(rung=TENSORRT), PRECISIONS)
    assert all(entry.rung == RUNGS[entry.device.runtime] for entry in wanted)


@pytest.mark.parametrize(
    ("precisions", "cards", "processor"),
    [((FULL,), [FULL], [FULL]), ((HALF,), [HALF], [HALF]), ((HALF, FULL), [HALF, FULL], [FULL]), ((), [], [])],
)
def test_only_what_there_are_weights_for_is_tried(
    precisions: tuple[str, ...], cards: list[str], processor: list[str]
) -> None:
    wanted, _ = found(precisions)
    assert [precision for runtime, _, precision in wanted if runtime == CUDA] == cards
    assert [precision for runtime, _, precision in wanted if runtime == PROCESSOR] == processor


def test_without_devices_there_is_nothing_to_try() -> None:
    assert found(devices=[]) == ([], [])


# -- what the user chose ----------------------------------------------------------------------------------------------


def divided(chosen: Shown) -> tuple[Shown, Shown]:
    return chosen, [entry for entry in EVERYTHING if entry not in chosen]


@pytest.mark.parametrize("runtime", [TENSORRT_RTX, CUDA, DIRECTML, PROCESSOR, "tensorrt"])
def test_a_chosen_runtime_is_wanted_and_the_rest_stand_in(runtime: str) -> None:
    assert found(runtime=runtime) == divided([entry for entry in EVERYTHING if entry[0] == runtime])


@pytest.mark.parametrize("device", [GEFORCE, RADEON, RYZEN, "a card that was sold"])
def test_a_chosen_device_is_wanted_with_every_runtime(device: str) -> None:
    assert found(device=device) == divided([entry for entry in EVERYTHING if entry[1] == device])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_chosen_precision_is_wanted_wherever_there_is_a_choice(precision: str) -> None:
    assert found(precision=precision) == divided(
        [entry for entry in EVERYTHING if entry[2] == precision or entry[0] == PROCESSOR]
    )


def test_half_is_no_choice_for_a_model_that_has_full_weights_only() -> None:
    wanted, others = found((FULL,), precision=HALF)
    assert (len(wanted), others) == (len(DEVICES), [])


def test_all_choices_together_leave_one() -> None:
    chosen = (DIRECTML, RADEON, FULL)
    assert found(runtime=DIRECTML, device=RADEON, precision=FULL) == divided([chosen])


def test_what_was_chosen_above_the_rung_is_not_tried_all_the_same() -> None:
    wanted, others = found(runtime=TENSORRT_RTX, rung=CPU)
    assert (wanted, others) == ([], [(PROCESSOR, RYZEN, FULL)])


@given(
    st.lists(st.sampled_from(DEVICES), max_size=6, unique=True),
    st.sampled_from([(), (FULL,), (HALF,), PRECISIONS]),
    st.sampled_from([AUTOMATIC, *RUNTIMES]),
    st.sampled_from([AUTOMATIC, GEFORCE, RADEON, RYZEN, ""]),
    st.sampled_from([AUTOMATIC, *PRECISIONS]),
    st.sampled_from(LADDER),
)
def test_wishes_divide_the_candidates_and_neither_add_nor_take_any(
    devices: list[Device], precisions: tuple[str, ...], runtime: str, device: str, precision: str, rung: str
) -> None:
    everything, nothing = found(precisions, devices, rung=rung)
    assert nothing == []
    wanted, others = found(precisions, devices, runtime=runtime, device=device, precision=precision, rung=rung)
    assert sorted(wanted + others) == sorted(everything)
    for part in (wanted, others):
        assert part == [entry for entry in everything if entry in part], "the order is kept"


# -- the choice -------------------------------------------------------------------------------------------------------

PLACES = [Candidate(device, precision, RUNGS[device.runtime]) for device in DEVICES for precision in (HALF, FULL)]
ON_PROCESSOR = Candidate(DEVICES[-1], FULL, CPU)
BAD = Verdict("distorted", 12.0, 1.0)


class Judge:
    """Gives the verdicts it was told to, one after the other, and notes who was asked about."""

    def __init__(self, *verdicts: Verdict | float) -> None:
        self._verdicts = [given if isinstance(given, Verdict) else Verdict("", 40.0, given) for given in verdicts]
        self.asked: list[Candidate] = []

    def __call__(self, candidate: Candidate) -> Verdict:
        self.asked.append(candidate)
        return self._verdicts[len(self.asked) - 1]


@pytest.mark.parametrize("order", list(itertools.permutations([2.0, 5.0, 9.0])))
def test_the_fastest_right_one_is_taken(order: tuple[float, ...]) -> None:
    judge = Judge(*order)
    choice = choose(PLACES[:3], PLACES[3:], judge)
    assert choice == Choice(PLACES[order.index(2.0)], "fastest_correct", Verdict("", 40.0, 2.0))
    assert judge.asked == PLACES[:3], "nobody asks about what stands in"


def test_a_fast_one_that_is_wrong_is_not_taken() -> None:
    choice = choose(PLACES[:3], [], Judge(BAD, 9.0, 5.0))
    assert choice is not None
    assert (choice.candidate, choice.reason) == (PLACES[2], "fastest_correct")


def test_of_two_equally_fast_ones_the_first_is_taken() -> None:
    choice = choose(PLACES[:2], [], Judge(5.0, 5.0))
    assert choice is not None
    assert choice.candidate == PLACES[0]


def test_the_only_one_that_was_wanted_is_taken_as_wished() -> None:
    choice = choose(PLACES[:1], PLACES[1:], Judge(7.0))
    assert choice == Choice(PLACES[0], "as_wished", Verdict("", 40.0, 7.0))


@pytest.mark.parametrize("others", [[], PLACES[1:]])
def test_a_card_is_judged_even_if_it_is_the_only_one_wanted(others: list[Candidate]) -> None:
    judge = Judge(7.0)
    choose(PLACES[:1], others, judge)
    assert judge.asked == PLACES[:1]


def test_the_processor_alone_needs_no_judgement() -> None:
    judge = Judge()
    assert choose([ON_PROCESSOR], [], judge) == Choice(ON_PROCESSOR, "only_one")
    assert judge.asked == []


def test_the_processor_that_was_chosen_beside_others_is_judged() -> None:
    assert choose([ON_PROCESSOR], PLACES[:1], Judge(50.0)) == Choice(ON_PROCESSOR, "as_wished", Verdict("", 40.0, 50.0))


def test_when_the_wanted_ones_are_wrong_the_first_right_one_of_the_others_is_taken_however_slow() -> None:
    judge = Judge(BAD, BAD, BAD, 90.0, 1.0)
    choice = choose(PLACES[:2], PLACES[2:], judge)
    assert choice == Choice(PLACES[3], "next_best", Verdict("", 40.0, 90.0))
    assert judge.asked == PLACES[:4], "nobody asks about those behind it"


def test_when_nothing_was_wanted_that_is_there_another_stands_in() -> None:
    choice = choose([], [ON_PROCESSOR], Judge(3.0))
    assert choice is not None
    assert (choice.candidate, choice.reason) == (ON_PROCESSOR, "next_best")


@pytest.mark.parametrize(("wanted", "others"), [([], []), (PLACES[:2], []), ([], PLACES[:2]), (PLACES[:1], PLACES[1:])])
def test_when_nothing_is_right_nothing_is_taken(wanted: list[Candidate], others: list[Candidate]) -> None:
    judge = Judge(*[BAD] * 10)
    assert choose(wanted, others, judge) is None
    assert judge.asked == [*wanted, *others]


# -- the wish ---------------------------------------------------------------------------------------------------------


def test_the_wish_is_read_from_the_settings() -> None:
    chosen: dict[str, Value] = {
        "model": "tha3", "model_variant": "standard", "quality": "fast", "precision": "full", "runtime": DIRECTML,
        "device": RADEON, "cpu_threads": 3, "output_size": 640,
    }  # fmt: skip
    assert ModelWish.of({**defaults(), **chosen}, GPU) == ModelWish(
        "tha3", "standard", "fast", FULL, DIRECTML, RADEON, 3, 640, GPU
    )


@pytest.mark.parametrize(("preset", "quality", "size"), [("low", "fast", 384), ("ultra", "full", 768)])
def test_a_preset_decides_quality_and_size(preset: str, quality: str, size: int) -> None:
    wish = ModelWish.of(presets.resolve({**defaults(), "preset": preset}), CPU)
    assert (wish.quality, wish.size) == (quality, size)


def test_as_long_as_nobody_chose_everything_is_automatic() -> None:
    wish = ModelWish.of(defaults(), TENSORRT)
    assert (wish.family, wish.runtime, wish.device, wish.precision) == (AUTOMATIC,) * 4


def test_what_runs_is_told_in_full() -> None:
    running = Running("tha3", "separable", HALF, DIRECTML, RADEON, "fastest_correct", 4.25)
    assert Running(**running.as_state()) == running  # type: ignore[arg-type]
