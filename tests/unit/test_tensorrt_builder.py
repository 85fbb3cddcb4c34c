"""What the builder is told, and what is kept: against a module that has TensorRT's shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from accel.base import Network
from accel.tensorrt.api import TensorRTModule
from accel.tensorrt.builder import EngineMaker
from accel.tensorrt.engine_cache import EngineCache
from accel.tensorrt.library import wrap_module
from accel.tensorrt.options import TENSORRT, TENSORRT_RTX, Options, TensorRTOptions, TensorRTRtxOptions
from accel.tensorrt.recipe import Card, EngineRequest, timing_identity
from accel.tensorrt.seal import ENGINE, TIMINGS
from core.wire.errors import BuildStopped, ModelFileBad, NetworkRefused, RuntimeFailed, RuntimeUnavailable
from tests.unit.fake_tensorrt import (
    MARK,
    BuilderFlag,
    CompatibilityLevel,
    ComputeCapability,
    FakeTensorRT,
    MemoryPoolType,
    network,
)

CARD = Card(0, "Card 0", (8, 9), "581.80")


class Bench:
    """A maker with its module and cache."""

    def __init__(self, folder: Path, options: Options | None = None, card: Card | None = CARD) -> None:
        self.options = options or TensorRTOptions()
        self.module = FakeTensorRT()
        self.library = wrap_module(self.options.kind, cast(TensorRTModule, self.module))
        self.cache = EngineCache(self.options.kind, folder / "cache", folder / "keys")
        self.maker = EngineMaker(self.library, self.options, card, self.cache)

    def timings(self) -> bytes | None:
        kept = self.cache.load(timing_identity(self.library, CARD), TIMINGS)
        return bytes(kept) if isinstance(kept, memoryview) else None


def _request(name: str = "body", **more: Any) -> EngineRequest:
    return EngineRequest(network(name, **more))


def test_an_engine_is_made_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = bench.maker.engine(_request())
    assert bytes(first).startswith(MARK)
    assert bytes(Bench(tmp_path).maker.engine(_request())) == bytes(first)
    assert bytes(bench.maker.engine(_request())) == bytes(first)
    assert len(bench.module.builds) == 1
    (entry,) = [entry for entry in bench.cache.entries() if entry.kind == ENGINE]
    assert (entry.about["name"], entry.about["device"]) == ("body", "Card 0|8.9|581.80")


def test_without_a_cache_it_is_made_every_time(tmp_path: Path) -> None:
    module = FakeTensorRT()
    maker = EngineMaker(wrap_module(TENSORRT, cast(TensorRTModule, module)), TensorRTOptions(), CARD)
    maker.engine(_request())
    maker.engine(_request())
    assert len(module.builds) == 2


def test_options_reach_tensorrt(tmp_path: Path) -> None:
    options = TensorRTOptions(
        workspace_bytes=123, optimization_level=5, hardware_compatibility="ampere_plus", tf32=False
    )
    bench = Bench(tmp_path, options)
    bench.maker.engine(_request())
    (config,) = bench.module.builds
    assert config.pools == {MemoryPoolType.WORKSPACE: 123}
    assert config.builder_optimization_level == 5
    assert config.hardware_compatibility_level == CompatibilityLevel.AMPERE_PLUS
    assert BuilderFlag.TF32 not in config.flags
    assert config.capabilities == {}


def test_by_default_the_librarys_own_choices_stay(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TensorRTOptions(workspace_bytes=0))
    bench.maker.engine(_request())
    (config,) = bench.module.builds
    assert (config.pools, config.hardware_compatibility_level) == ({}, CompatibilityLevel.NONE)
    assert BuilderFlag.TF32 in config.flags


@pytest.mark.parametrize(
    ("wanted", "card", "got"),
    [
        ((), CARD, {0: ComputeCapability.SM89}),
        ((), None, {}),
        (("8.6", "7.5"), CARD, {0: ComputeCapability.SM75, 1: ComputeCapability.SM86}),
    ],
)
def test_generations_reach_tensorrt_for_rtx(
    tmp_path: Path, wanted: tuple[str, ...], card: Card | None, got: dict[int, object]
) -> None:
    bench = Bench(tmp_path, TensorRTRtxOptions(compute_capabilities=wanted), card)
    bench.maker.engine(_request())
    (config,) = bench.module.builds
    assert config.capabilities == got and config.num_compute_capabilities == len(got)
    assert config.timings is None


def test_a_generation_the_library_does_not_know_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TensorRTRtxOptions(compute_capabilities=("6.1",)))
    with pytest.raises(RuntimeUnavailable) as problem:
        bench.maker.engine(_request())
    assert problem.value.parameters == {"runtime": TENSORRT_RTX, "reason": "card_unsupported"}


def test_what_was_timed_is_used_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.maker.engine(_request("body"))
    assert bench.timings() == b"tttt"
    bench.maker.engine(_request("face", inputs="ab"))
    assert bench.timings() == b"t" * 8


def test_what_was_timed_is_kept_when_the_build_is_stopped(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(BuildStopped) as problem:
        bench.maker.make_all([_request()], lambda task, fraction: fraction < 0.5)
    assert problem.value.parameters == {"network": "body"}
    assert bench.timings() == b"tt"
    assert not bench.cache.has(bench.maker.identity(_request()))


def test_timings_that_do_not_fit_are_made_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.cache.store(timing_identity(bench.library, CARD), b"of another card", TIMINGS)
    bench.module.unfit_timings = b"of another card"
    bench.maker.engine(_request())
    assert bench.timings() == b"tttt"


def test_timing_can_be_switched_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TensorRTOptions(timing_cache=False))
    bench.maker.engine(_request())
    assert bench.timings() is None


def test_several_engines_report_as_one_work(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []

    def progress(task: str, fraction: float) -> bool:
        told.append((task, fraction))
        return True

    requests = [_request("face"), _request("body", inputs="ab"), _request("editor", inputs="abc")]
    bench = Bench(tmp_path)
    assert bench.maker.make_all(requests, progress) == [bench.maker.identity(request) for request in requests]
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)
    assert list(dict.fromkeys(task for task, _ in told)) == ["face (1/3)", "body (2/3)", "editor (3/3)"]
    body = [fraction for task, fraction in told if task == "body (2/3)"]
    assert (round(min(body), 6), round(max(body), 6)) == (round(1 / 3, 6), round(2 / 3, 6))
    assert (told[0][1], told[-1][1]) == (0.0, 1.0)


def test_after_a_stop_only_what_is_missing_is_made(tmp_path: Path) -> None:
    requests = [_request("face"), _request("body", inputs="ab"), _request("editor", inputs="abc")]
    bench = Bench(tmp_path)
    with pytest.raises(BuildStopped):
        bench.maker.make_all(requests, lambda task, fraction: fraction <= 0.5)
    assert [bench.cache.has(bench.maker.identity(request)) for request in requests] == [True, False, False]
    again = Bench(tmp_path)
    again.maker.make_all(requests)
    assert len(again.module.builds) == 2


def test_nothing_to_make_is_no_work(tmp_path: Path) -> None:
    assert Bench(tmp_path).maker.make_all([]) == []


def test_what_the_progress_raises_comes_back(tmp_path: Path) -> None:
    def progress(task: str, fraction: float) -> bool:
        if fraction > 0.4:
            raise LookupError("mistake of the caller")
        return True

    bench = Bench(tmp_path)
    with pytest.raises(LookupError):
        bench.maker.make_all([_request()], progress)
    assert not bench.cache.has(bench.maker.identity(_request()))


def test_operators_that_are_missing_are_named_once(tmp_path: Path) -> None:
    with pytest.raises(NetworkRefused) as problem:
        Bench(tmp_path).maker.engine(_request(unsupported=["Foo", "Bar", "Foo"]))
    assert problem.value.parameters == {"runtime": TENSORRT, "network": "body", "operators": "Foo, Bar"}
    assert "node 2 node_2 [Foo]: Plugin not found" in problem.value.detail


def test_a_size_left_open_is_refused_unless_it_is_given(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    model = network("upscale", shape=[-1, 3])
    with pytest.raises(ModelFileBad) as problem:
        bench.maker.engine(EngineRequest(model))
    assert problem.value.parameters == {"file": "upscale", "reason": "shape_not_fixed"}
    assert bytes(bench.maker.engine(EngineRequest(model, {"x": (2, 3)}))).startswith(MARK)


def test_a_network_without_outputs_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(ModelFileBad) as problem:
        Bench(tmp_path).maker.engine(_request(outputs=""))
    assert problem.value.parameters == {"file": "body", "reason": "not_a_network"}


def test_a_build_that_fails_tells_what_the_library_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.module.build_fails = True
    bench.library.complaints.append("of something long ago")
    with pytest.raises(RuntimeFailed) as problem:
        bench.maker.engine(_request())
    assert problem.value.detail == "Error Code 10: no implementation"
    assert bench.library.last_words() == ""


def test_what_a_disk_does_not_take_is_used_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)

    def fail(descriptor: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("os.fsync", fail)
    assert bytes(bench.maker.engine(_request())).startswith(MARK)


def test_forget_makes_room_for_a_new_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.maker.engine(_request())
    bench.maker.forget(_request())
    bench.maker.engine(_request())
    assert len(bench.module.builds) == 2


def test_a_request_is_known_by_its_network_not_by_its_name(tmp_path: Path) -> None:
    maker = Bench(tmp_path).maker
    content = network().content
    assert maker.identity(EngineRequest(Network("a", content))) == maker.identity(EngineRequest(Network("b", content)))
