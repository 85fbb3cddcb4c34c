"""Opening a runtime and networks in it: what is kept, what is made again, what is told to the user."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest

import accel.tensorrt as tensorrt
from accel.base import Device, Runtime
from accel.tensorrt import runtime as runtime_module
from accel.tensorrt.api import TensorRTModule
from accel.tensorrt.cuda_api import CudaRuntime
from accel.tensorrt.cuda_bindings import CudaBindings
from accel.tensorrt.engine_cache import EngineCache
from accel.tensorrt.library import Library, load_library, wrap_module
from accel.tensorrt.nvml import driver_version
from accel.tensorrt.options import TENSORRT, TENSORRT_RTX, Options, TensorRTOptions, TensorRTRtxOptions
from accel.tensorrt.recipe import EngineRequest
from accel.tensorrt.runtime import TensorRTRuntime
from accel.tensorrt.seal import ENGINE, RUNTIME_KERNELS
from core.wire.errors import BuildStopped, NetworkRefused, RuntimeFailed, RuntimeUnavailable
from tests.unit.fake_cuda import Error, FakeCuda
from tests.unit.fake_tensorrt import SHAPE, CudaGraphStrategy, EngineValidity, FakeTensorRT, Invalidity, network

ONE = np.full(SHAPE, 1, np.float32)


class Bench:
    """A runtime whose cache lies in a folder, on a fake machine."""

    def __init__(
        self, folder: Path, options: Options | None = None, prepare: Callable[[FakeTensorRT], object] | None = None
    ) -> None:
        options = options or TensorRTRtxOptions()
        self.cuda = FakeCuda()
        self.module = FakeTensorRT(self.cuda)
        if prepare:
            prepare(self.module)
        self.cache = EngineCache(options.kind, folder / "cache", folder / "keys")
        backend = CudaBindings(cast(CudaRuntime, self.cuda), options.kind)
        library = wrap_module(options.kind, cast(TensorRTModule, self.module))
        self.runtime = TensorRTRuntime(library, options, backend.open_card(backend.list_cards()[0]), self.cache)

    def close(self) -> None:
        self.runtime.close()
        self.runtime.close()
        self.cuda.assert_nothing_is_left()

    def kinds(self) -> list[str]:
        return sorted(entry.kind for entry in self.cache.entries())


def test_it_tells_what_it_is(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    runtime: Runtime = bench.runtime
    assert (runtime.name, runtime.lanes) == (TENSORRT_RTX, 1)
    driver = driver_version() or "CUDA 13.1"
    assert runtime.device == Device(TENSORRT_RTX, 0, "Card 0", 8 << 30, driver)
    bench.close()


def test_a_network_is_opened_and_runs(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert np.array_equal(bench.runtime.open(network()).run({"x": ONE})["y"], ONE * 2)
    bench.close()


def test_the_second_time_nothing_is_built_or_finished(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.runtime.open(network())
    assert first.kinds() == [ENGINE, RUNTIME_KERNELS]
    first.close()
    (file,) = first.cache.folder.glob("??/*.runtime")
    before = file.stat().st_ino
    second = Bench(tmp_path)
    second.runtime.open(network())
    assert (second.module.builds, second.module.kernels_reused) == ([], 1)
    assert file.stat().st_ino == before  # nothing new in it, so it is not written again
    second.close()


def test_kernels_are_kept_only_after_a_run_that_was_waited_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.runtime.open(network())
    assert bench.module.serialized_with_waiting == [0]
    kept = [entry for entry in bench.cache.entries() if entry.kind == RUNTIME_KERNELS]
    content = bench.cache.load(kept[0].identity, RUNTIME_KERNELS)
    assert isinstance(content, memoryview) and bytes(content) == b"kernels"
    bench.close()


def test_kernels_that_do_not_fit_are_made_again(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.runtime.open(network())
    (kept,) = [entry for entry in first.cache.entries() if entry.kind == RUNTIME_KERNELS]
    first.cache.store(kept.identity, b"of another driver", RUNTIME_KERNELS)
    first.close()
    second = Bench(tmp_path)
    second.runtime.open(network())
    content = second.cache.load(kept.identity, RUNTIME_KERNELS)
    assert isinstance(content, memoryview) and bytes(content) == b"kernels"
    second.close()


def test_kernels_can_be_left_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TensorRTRtxOptions(runtime_cache=False))
    bench.runtime.open(network())
    assert bench.kinds() == [ENGINE]
    bench.close()


@pytest.mark.parametrize(("wanted", "strategy"), [(True, "WHOLE_GRAPH_CAPTURE"), (False, "DISABLED")])
def test_recording_is_asked_of_the_library_for_rtx(tmp_path: Path, wanted: bool, strategy: str) -> None:
    bench = Bench(tmp_path, TensorRTRtxOptions(cuda_graph=wanted))
    bench.runtime.open(network())
    config = bench.module.context.config
    assert config is not None and config.cuda_graph_strategy == CudaGraphStrategy[strategy]
    bench.close()


def test_the_classic_one_has_no_such_settings(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TensorRTOptions())
    bench.runtime.open(network())
    assert bench.module.context.config is None
    assert bench.kinds() == [ENGINE, "timing"]
    bench.close()


def test_progress_grows_from_start_to_end(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []

    def progress(task: str, fraction: float) -> bool:
        told.append((task, fraction))
        return True

    bench = Bench(tmp_path, prepare=lambda module: setattr(module, "refused_engines", 1))
    bench.runtime.open(network("student body"), progress)
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions) and (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert {task for task, _ in told} == {"student body"}
    bench.close()


@pytest.mark.parametrize("limit", [0.0, 0.3, 0.79, 0.89, 0.99])
def test_a_stop_gives_everything_back(tmp_path: Path, limit: float) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(BuildStopped) as problem:
        bench.runtime.open(network("student body"), lambda task, fraction: fraction <= limit and fraction > -1)
    assert problem.value.parameters == {"network": "student body"}
    assert bench.cuda.memory == {} and bench.cuda.page_locked == {}
    bench.close()


def test_kernels_are_kept_even_when_it_is_stopped_then(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(BuildStopped):
        bench.runtime.open(network(), lambda task, fraction: fraction < 1.0)
    assert bench.kinds() == [ENGINE, RUNTIME_KERNELS]
    bench.close()


def test_an_engine_the_library_does_not_take_is_made_anew(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.runtime.open(network())
    first.close()
    second = Bench(tmp_path, prepare=lambda module: setattr(module, "refused_engines", 1))
    assert np.array_equal(second.runtime.open(network()).run({"x": ONE})["y"], ONE * 2)
    assert len(second.module.builds) == 1
    second.close()


def test_an_engine_it_never_takes_is_an_error(tmp_path: Path) -> None:
    bench = Bench(tmp_path, prepare=lambda module: setattr(module, "refused_engines", 9))
    with pytest.raises(RuntimeFailed):
        bench.runtime.open(network())
    assert len(bench.module.builds) == 2
    assert ENGINE not in bench.kinds()
    bench.close()


INVALID = EngineValidity["INVALID"]


@pytest.mark.parametrize("reason", ["VERSION_MISMATCH", "MALFORMED_ENGINE"])
def test_an_engine_of_another_version_is_made_anew(tmp_path: Path, reason: str) -> None:
    first = Bench(tmp_path)
    first.runtime.open(network())
    first.close()
    second = Bench(tmp_path)
    second.module.validities = [(INVALID, int(Invalidity[reason]) | 64)]
    second.runtime.open(network())
    assert len(second.module.builds) == 1
    second.close()


def test_an_engine_that_is_not_the_best_is_used(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.module.validities = [(EngineValidity["SUBOPTIMAL"], 0)]
    bench.runtime.open(network())
    bench.close()


@pytest.mark.parametrize(
    ("found", "kind", "reason"),
    [
        ("UNSUPPORTED_CC", RuntimeUnavailable, "card_unsupported"),
        ("OLD_CUDA_DRIVER", RuntimeUnavailable, "driver_too_old"),
        ("OLD_CUDA_RUNTIME", RuntimeUnavailable, "driver_too_old"),
        ("INSUFFICIENT_GPU_MEMORY", RuntimeFailed, None),
        ("CUDA_ERROR", RuntimeFailed, None),
    ],
)
def test_what_a_new_engine_would_not_mend_is_told(
    tmp_path: Path, found: str, kind: type[RuntimeFailed] | type[RuntimeUnavailable], reason: str | None
) -> None:
    bench = Bench(tmp_path)
    bench.module.validities = [(INVALID, int(Invalidity[found]))]
    with pytest.raises(kind) as problem:
        bench.runtime.open(network())
    assert problem.value.parameters.get("reason") == reason
    assert found in problem.value.detail
    assert bench.kinds() == [ENGINE]
    bench.close()


def test_an_engine_without_room_to_compute_in_is_an_error(tmp_path: Path) -> None:
    bench = Bench(tmp_path, prepare=lambda module: setattr(module, "no_context", True))
    with pytest.raises(RuntimeFailed):
        bench.runtime.open(network())
    bench.close()


def test_a_network_that_is_refused_leaves_the_runtime_usable(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(NetworkRefused):
        bench.runtime.open(network(unsupported=["Wobble"]))
    bench.runtime.open(network())
    bench.close()


def test_sizes_left_open_are_given_when_it_is_opened(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    session = bench.runtime.open(network(shape=[-1, 3]), shapes={"x": SHAPE})
    assert session.inputs["x"].shape == SHAPE
    bench.close()


def test_close_takes_sessions_and_tensors_with_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    session = bench.runtime.open(network())
    tensor = bench.runtime.allocate(SHAPE, np.dtype(np.float32))
    bench.close()
    for use in (lambda: session.run({"x": ONE}), tensor.read, lambda: bench.runtime.open(network())):
        with pytest.raises(RuntimeFailed, match="closed"):
            use()
    with pytest.raises(RuntimeFailed, match="closed"):
        bench.runtime.allocate(SHAPE, np.dtype(np.float32))


def test_engines_can_be_made_ahead(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.runtime.make_engines([EngineRequest(network())])
    bench.runtime.open(network())
    assert len(bench.module.builds) == 1
    bench.close()


def test_closing_stops_what_is_being_built(tmp_path: Path) -> None:
    """The one who closes waits for a step, not for the build."""
    bench = Bench(tmp_path)
    closing = threading.Thread(target=bench.runtime.close)

    def is_closed() -> bool:
        try:
            bench.runtime.memory()
        except RuntimeFailed:
            return True
        return False

    def progress(task: str, fraction: float) -> bool:
        if not closing.ident:
            closing.start()
        while not is_closed():
            closing.join(0.001)
        return True

    with pytest.raises(BuildStopped):
        bench.runtime.make_engines([EngineRequest(network(number)) for number in "abc"], progress)
    closing.join(10)
    assert not closing.is_alive()
    bench.cuda.assert_nothing_is_left()


def test_the_cards_memory_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.runtime.memory() == (6 << 30, 8 << 30)
    assert bench.runtime.on_host is False
    bench.close()


class Machine:
    """Pretends which packages are installed and what is behind them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Path, *installed: str) -> None:
        self.cuda = FakeCuda()
        self.module = FakeTensorRT(self.cuda)
        monkeypatch.setenv("EASYVTUBER_HOME", str(home))
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in installed else None)
        monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", cast(ModuleType, self.cuda))
        monkeypatch.setattr(runtime_module, "load_library", self._library)

    def _library(self, kind: str) -> Library:
        return wrap_module(kind, cast(TensorRTModule, self.module))


ALL = ("tensorrt", "tensorrt_rtx_bindings", "cuda", "cuda.bindings")


@pytest.mark.parametrize(
    ("kind", "installed", "reason"),
    [
        (TENSORRT, ALL, None),
        (TENSORRT_RTX, ALL, None),
        (TENSORRT_RTX, ("tensorrt_rtx", "pycuda"), None),
        (TENSORRT, ("tensorrt_rtx", "pycuda"), "package_missing"),
        (TENSORRT_RTX, ("tensorrt", "pycuda"), "package_missing"),
        (TENSORRT, ("tensorrt",), "cuda_package_missing"),
        ("openvino", ALL, "unknown"),
    ],
)
def test_what_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, installed: tuple[str, ...], reason: str | None
) -> None:
    Machine(monkeypatch, tmp_path, *installed)
    assert tensorrt.unavailable(kind) == reason


def test_cards_are_listed_for_a_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, tmp_path, *ALL)
    assert [(device.runtime, device.index, device.name) for device in tensorrt.devices(TENSORRT)] == [
        (TENSORRT, 0, "Card 0"),
        (TENSORRT, 1, "Card 1"),
    ]
    machine.cuda.fail["cudaGetDeviceCount"] = Error.cudaErrorInsufficientDriver
    assert tensorrt.devices(TENSORRT) == []
    assert tensorrt.devices("openvino") == []
    assert machine.cuda.calls["cudaSetDevice"] == 0


def test_a_runtime_is_opened_by_its_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, tmp_path, *ALL)
    runtime = tensorrt.open_runtime(TensorRTRtxOptions(device_index=1))
    assert (runtime.name, runtime.device.name) == (TENSORRT_RTX, "Card 1")
    runtime.open(network())
    assert list((tmp_path / "cache" / "engines").glob("??/*.engine"))
    runtime.close()
    machine.cuda.assert_nothing_is_left()


def test_what_stops_it_is_told_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, tmp_path, *ALL)

    def reason(options: Options) -> object:
        with pytest.raises(RuntimeUnavailable) as problem:
            tensorrt.open_runtime(options)
        assert problem.value.parameters["runtime"] == options.kind
        machine.cuda.assert_nothing_is_left()
        return problem.value.parameters["reason"]

    assert reason(TensorRTOptions(device_index=5)) == "no_such_card"
    machine.cuda.capability = (6, 1)
    assert reason(TensorRTRtxOptions()) == "card_unsupported"
    machine.cuda.fail["cudaGetDeviceCount"] = Error.cudaErrorInsufficientDriver
    machine.cuda.driver = 0
    assert reason(TensorRTRtxOptions()) == "no_nvidia_driver"
    Machine(monkeypatch, tmp_path, "cuda", "cuda.bindings")
    assert reason(TensorRTRtxOptions()) == "package_missing"


def test_a_library_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, tmp_path, *ALL)
    machine.module.no_runtime = True
    with pytest.raises(RuntimeFailed, match="nullptr"):
        tensorrt.open_runtime(TensorRTOptions())
    machine.cuda.assert_nothing_is_left()


def test_without_a_folder_engines_are_used_but_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "a file"
    home.write_bytes(b"")
    Machine(monkeypatch, home, *ALL)
    runtime = tensorrt.open_runtime(TensorRTOptions())
    assert np.array_equal(runtime.open(network()).run({"x": ONE})["y"], ONE * 2)
    runtime.close()


@pytest.mark.skipif(sys.platform == "win32", reason="files have no owner and mode on Windows")
def test_a_folder_others_can_write_to_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, tmp_path, *ALL)
    (tmp_path / "cache" / "engines").mkdir(parents=True)
    (tmp_path / "cache" / "engines").chmod(0o777)
    with pytest.raises(RuntimeUnavailable) as problem:
        tensorrt.open_runtime(TensorRTOptions())
    assert problem.value.parameters["reason"] == "engine_folder_unsafe"
    machine.cuda.assert_nothing_is_left()


def test_a_module_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    load_library.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)

    def fail(name: str) -> Any:
        raise OSError("libnvinfer.so.10: cannot open shared object file")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(RuntimeUnavailable) as problem:
        load_library(TENSORRT)
    assert problem.value.parameters == {"runtime": TENSORRT, "reason": "package_broken"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeUnavailable) as problem:
        load_library(TENSORRT)
    assert problem.value.parameters["reason"] == "package_missing"
