"""What an engine's identity depends on, and what it does not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from accel.base import HALF, Network
from accel.tensorrt.library import wrap_module
from accel.tensorrt.options import TENSORRT, TENSORRT_RTX, Options, TensorRTOptions, TensorRTRtxOptions
from accel.tensorrt.recipe import (
    Card,
    EngineRequest,
    make_recipe,
    runtime_identity,
    timing_identity,
    wanted_capabilities,
)
from tests.unit.fake_tensorrt import FakeTensorRT

CARD = Card(0, "NVIDIA GeForce RTX 4070", (8, 9), "581.80")
REQUEST = EngineRequest(Network("body", b"one"))


def _identity(
    request: EngineRequest = REQUEST,
    options: Options | None = None,
    card: Card | None = CARD,
    version: str = "11.4.0",
) -> str:
    options = options or TensorRTOptions()
    module = FakeTensorRT()
    module.__dict__["__version__"] = version
    return make_recipe(request, wrap_module(options.kind, module), options, card).identity


def test_the_same_gives_the_same_identity() -> None:
    assert _identity() == _identity()
    assert len(bytes.fromhex(_identity())) == 32


@pytest.mark.parametrize(
    "changed",
    [
        {"request": EngineRequest(Network("body", b"two"))},
        {"request": dataclasses.replace(REQUEST, precision=HALF)},
        {"request": dataclasses.replace(REQUEST, shapes={"x": (1, 3, 8, 8)})},
        {"options": TensorRTOptions(optimization_level=5)},
        {"options": TensorRTOptions(workspace_bytes=0)},
        {"options": TensorRTOptions(hardware_compatibility="ampere_plus")},
        {"options": TensorRTOptions(tf32=False)},
        {"options": TensorRTRtxOptions()},
        {"card": dataclasses.replace(CARD, name="NVIDIA GeForce RTX 4090")},
        {"card": dataclasses.replace(CARD, compute_capability=(12, 0))},
        {"card": dataclasses.replace(CARD, driver="590.10")},
        {"version": "10.16.1"},
    ],
)
def test_whatever_changes_the_engine_changes_the_identity(changed: dict[str, Any]) -> None:
    assert _identity(**changed) != _identity()


@pytest.mark.parametrize(
    "changed",
    [
        {"request": EngineRequest(Network("another name", b"one"))},
        {"options": TensorRTOptions(cuda_graph=False, timing_cache=False, pinned_memory=False)},
        {"card": dataclasses.replace(CARD, index=3, memory_bytes=1)},
    ],
)
def test_what_only_changes_its_use_does_not(changed: dict[str, Any]) -> None:
    assert _identity(**changed) == _identity()


def test_an_operating_system_more_is_another_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _identity()
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    assert _identity() != before


def test_an_engine_for_rtx_fits_every_card_of_its_generation() -> None:
    other = dataclasses.replace(CARD, name="NVIDIA GeForce RTX 4090", driver="590.10")
    next_generation = dataclasses.replace(CARD, compute_capability=(12, 0))
    options = TensorRTRtxOptions()
    assert _identity(options=options) == _identity(options=options, card=other)
    assert _identity(options=options) != _identity(options=options, card=next_generation)
    assert _identity(options=options) != _identity(options=options, card=None)


def test_a_compatible_engine_depends_on_less_of_the_card() -> None:
    other = dataclasses.replace(CARD, name="NVIDIA GeForce RTX 4090")
    other_generation = dataclasses.replace(CARD, compute_capability=(8, 6))
    for level, on_other_generation in (("same_compute_capability", False), ("ampere_plus", True)):
        options = TensorRTOptions(hardware_compatibility=level)
        assert _identity(options=options) == _identity(options=options, card=other)
        same = _identity(options=options) == _identity(options=options, card=other_generation)
        assert same is on_other_generation


def test_generations_are_those_asked_for_else_the_cards() -> None:
    assert wanted_capabilities(TensorRTRtxOptions(), CARD) == ("8.9",)
    assert wanted_capabilities(TensorRTRtxOptions(), None) == ()
    assert wanted_capabilities(TensorRTRtxOptions(compute_capabilities=("8.9", "7.5", "8.9")), CARD) == ("7.5", "8.9")


def test_what_is_finished_or_timed_depends_on_card_and_driver() -> None:
    other_driver = dataclasses.replace(CARD, driver="590.10")
    assert runtime_identity("ab", CARD) != runtime_identity("ab", other_driver)
    assert runtime_identity("ab", CARD) != runtime_identity("cd", CARD)
    library = wrap_module(TENSORRT, FakeTensorRT())
    assert timing_identity(library, CARD) != timing_identity(library, other_driver)
    assert timing_identity(library, CARD) != timing_identity(wrap_module(TENSORRT_RTX, FakeTensorRT()), CARD)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: TensorRTOptions(device_index=-1),
        lambda: TensorRTOptions(workspace_bytes=-1),
        lambda: TensorRTOptions(optimization_level=6),
        lambda: TensorRTOptions(hardware_compatibility="all"),
        lambda: TensorRTRtxOptions(optimization_level=-1),
        lambda: TensorRTRtxOptions(compute_capabilities=("SM89",)),
    ],
)
def test_options_out_of_range_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError):
        wrong()
