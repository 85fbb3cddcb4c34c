"""The card's memory through cuda.bindings and pycuda: which is used, what is checked, what is given back."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from accel.tensorrt import cuda_memory
from accel.tensorrt.cuda_api import CudaRuntime
from accel.tensorrt.cuda_bindings import CudaBindings
from accel.tensorrt.cuda_memory import CudaCard
from accel.tensorrt.nvml import driver_version
from accel.tensorrt.pycuda_memory import PyCuda
from accel.tensorrt.recipe import Card
from accel.tensorrt.tensors import CudaTensor
from core.wire.errors import RuntimeFailed, RuntimeUnavailable
from tests.unit.fake_cuda import Error, FakeCuda

NUMBERS = np.arange(6, dtype=np.float32).reshape(2, 3)


class PyCudaError(Exception):
    """``pycuda.driver.Error``."""


class Devices:
    """``pycuda.driver.Device``: a class with a static method there, so it is called like one here."""

    def __init__(self, driver: FakePyCuda) -> None:
        self._driver = driver

    def count(self) -> int:
        return self._driver.cards

    def __call__(self, index: int) -> Any:
        context = SimpleNamespace(push=lambda: self._driver.move(1), detach=self._driver.detach)
        return SimpleNamespace(
            name=lambda: f"Card {index}",
            compute_capability=lambda: (8, 9),
            total_memory=lambda: 8 << 30,
            retain_primary_context=lambda: context,
        )


class FakePyCuda:
    """``pycuda.driver``: work on a stream is done when somebody waits for it."""

    Error = PyCudaError

    def __init__(self, cards: int = 2) -> None:
        self.cards = cards
        self.broken = False
        self.memory: dict[int, Any] = {}
        self.waiting: list[Any] = []
        self.depth = threading.local()
        self.detached = 0
        self.Device = Devices(self)
        self.Context = SimpleNamespace(pop=lambda: self.move(-1))
        self.Stream: Any = lambda flags: SimpleNamespace(handle=77, synchronize=self._wait)

    def move(self, step: int) -> None:
        self.depth.value = getattr(self.depth, "value", 0) + step

    def _inside(self) -> None:
        if self.broken:
            raise PyCudaError("cuMemAlloc failed: an illegal memory access was encountered")
        assert getattr(self.depth, "value", 0) > 0, "no context is current"

    def detach(self) -> None:
        self.detached += 1

    def _wait(self) -> None:
        self._inside()
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()

    def init(self) -> None:
        if self.cards < 0:
            raise PyCudaError("cuInit failed: no CUDA-capable device is detected")

    def get_driver_version(self) -> int:
        return 13010

    def mem_get_info(self) -> tuple[int, int]:
        self._inside()
        return 6 << 30, 8 << 30

    def mem_alloc(self, size: int) -> Any:
        self._inside()
        block = ctypes.create_string_buffer(b"\xff" * size, size)
        address = ctypes.addressof(block)
        self.memory[address] = block
        fake = self

        class Allocation:
            def __int__(self) -> int:
                return address

            def free(self) -> None:
                fake._wait()  # as CUDA does before it frees
                del fake.memory[address]

        return Allocation()

    def memset_d8_async(self, dest: int, data: int, size: int, stream: Any) -> None:
        self._inside()
        self.waiting.append(lambda: ctypes.memset(dest, data, size))

    def pagelocked_empty(self, shape: int, dtype: Any) -> Any:
        self._inside()
        return np.empty(shape, dtype)

    def memcpy_htod_async(self, dest: int, src: Any, stream: Any) -> None:
        self._inside()
        content = src.tobytes()
        self.waiting.append(lambda: ctypes.memmove(dest, content, len(content)))

    def memcpy_dtoh_async(self, dest: Any, src: int, stream: Any) -> None:
        self._inside()
        self.waiting.append(lambda: ctypes.memmove(dest.ctypes.data, src, dest.nbytes))


@contextmanager
def _opened(package: str) -> Iterator[tuple[CudaCard, Any]]:
    """The second card through a package, and the fake behind it; everything must have been given back at the end."""
    if package == "pycuda":
        fake: Any = FakePyCuda()
        backend: Any = PyCuda(fake, "tensorrt")
    else:
        fake = FakeCuda()
        backend = CudaBindings(cast(CudaRuntime, fake), "tensorrt")
    card = backend.open_card(backend.list_cards()[1])
    yield card, fake
    card.close()
    card.close()
    assert fake.memory == {}
    if package == "pycuda":
        assert (fake.detached, getattr(fake.depth, "value", 0)) == (1, 0)
    else:
        fake.assert_nothing_is_left()


@pytest.fixture(params=["cuda.bindings", "pycuda"])
def opened(request: pytest.FixtureRequest) -> Iterator[tuple[CudaCard, Any]]:
    with _opened(request.param) as both:
        yield both


def test_cards_are_described(opened: tuple[CudaCard, Any]) -> None:
    card = opened[0].card
    driver = driver_version() or "CUDA 13.1"
    assert card == Card(1, "Card 1", (8, 9), driver, 8 << 30)


def test_fresh_memory_is_zeroed(opened: tuple[CudaCard, Any]) -> None:
    tensor = CudaTensor(opened[0], (2, 3), np.dtype(np.float32))
    assert np.array_equal(tensor.read(), np.zeros((2, 3), np.float32))
    tensor.close()


def test_what_is_written_is_read(opened: tuple[CudaCard, Any]) -> None:
    tensor = CudaTensor(opened[0], (2, 3), np.dtype(np.float32))
    tensor.write(NUMBERS)
    assert np.array_equal(tensor.read(), NUMBERS)
    tensor.write(np.asfortranarray(NUMBERS + 1))
    assert np.array_equal(tensor.read(), NUMBERS + 1)
    tensor.close()


@pytest.mark.parametrize("wrong", [NUMBERS[:1], NUMBERS.astype(np.float64), NUMBERS.T])
def test_another_shape_or_type_is_refused(opened: tuple[CudaCard, Any], wrong: Any) -> None:
    tensor = CudaTensor(opened[0], (2, 3), np.dtype(np.float32))
    with pytest.raises(ValueError, match="expected float32"):
        tensor.write(wrong)
    tensor.close()


def test_a_tensor_works_in_any_thread(opened: tuple[CudaCard, Any]) -> None:
    tensor = CudaTensor(opened[0], (2, 3), np.dtype(np.float32))
    results: list[Any] = []

    def work() -> None:
        tensor.write(NUMBERS)
        results.append(tensor.read())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert np.array_equal(results[0], NUMBERS)
    tensor.close()


def test_a_tensor_nobody_holds_is_given_back_at_the_next_chance(opened: tuple[CudaCard, Any]) -> None:
    cuda, fake = opened
    tensor = CudaTensor(cuda, (2, 3), np.dtype(np.float32))
    del tensor
    assert len(fake.memory) == 1  # the collector may run in the middle of anything: it calls nothing
    other = CudaTensor(cuda, (4,), np.dtype(np.uint8))
    assert len(fake.memory) == 1
    other.close()
    cuda.reclaim()
    assert fake.memory == {}


def test_a_closed_tensor_is_told(opened: tuple[CudaCard, Any]) -> None:
    tensor = CudaTensor(opened[0], (1,), np.dtype(np.uint8))
    tensor.close()
    tensor.close()
    with pytest.raises(RuntimeFailed, match="closed"):
        tensor.read()


def test_memory_and_stream_are_told(opened: tuple[CudaCard, Any]) -> None:
    assert opened[0].memory() == (6 << 30, 8 << 30)
    assert opened[0].stream in (77, 1001)


def test_page_locked_memory_has_its_size(opened: tuple[CudaCard, Any]) -> None:
    memory = opened[0].pinned(12)
    assert (memory.dtype, memory.shape) == (np.dtype(np.uint8), (12,))
    memory[:] = 7
    opened[0].free_pinned(memory)


def test_work_is_asked_for_on_the_right_card() -> None:
    with _opened("cuda.bindings") as (cuda, fake):
        thread = threading.Thread(target=lambda: CudaTensor(cuda, (1,), np.dtype(np.uint8)))
        thread.start()
        thread.join(10)
        assert fake.devices == {1}
        assert fake.calls["cudaInitDevice"] == 1


@pytest.mark.parametrize(
    ("function", "act"),
    [
        ("cudaMalloc", lambda cuda: cuda.allocate(8)),
        ("cudaMemsetAsync", lambda cuda: cuda.allocate(8)),
        ("cudaMallocHost", lambda cuda: cuda.pinned(8)),
        ("cudaMemGetInfo", lambda cuda: cuda.memory()),
        ("cudaSetDevice", lambda cuda: cuda.allocate(8)),
        ("cudaStreamSynchronize", lambda cuda: cuda.synchronise()),
        ("cudaMemcpyAsync", lambda cuda: cuda.upload(cuda.allocate(24), NUMBERS)),
        ("cudaMemcpyAsync", lambda cuda: cuda.download(NUMBERS.copy(), cuda.allocate(24))),
        ("cudaGraphInstantiate", lambda cuda: cuda.capture(lambda stream: True)),
        ("cudaStreamBeginCapture", lambda cuda: cuda.capture(lambda stream: True)),
        ("cudaStreamEndCapture", lambda cuda: cuda.capture(lambda stream: True)),
    ],
)
def test_every_error_is_raised_in_cudas_words(function: str, act: Any) -> None:
    fake = FakeCuda()
    backend = CudaBindings(cast(CudaRuntime, fake), "tensorrt")
    cuda = backend.open_card(backend.list_cards()[0])
    fake.fail[function] = Error.cudaErrorIllegalAddress
    with pytest.raises(RuntimeFailed) as problem:
        act(cuda)
    assert problem.value.detail == "cudaErrorIllegalAddress: words for 700"
    assert problem.value.parameters["runtime"] == "tensorrt"
    fake.fail.clear()
    assert fake.graphs == [] and len(fake.streams) == 1  # no half of a recording is left
    assert fake.last_error == 0  # TensorRT would take it for its own


def test_pycudas_errors_are_raised_too() -> None:
    with _opened("pycuda") as (cuda, fake):
        fake.broken = True
        with pytest.raises(RuntimeFailed, match="illegal memory access"):
            cuda.allocate(8)
        fake.broken = False


def test_pycuda_records_nothing() -> None:
    with _opened("pycuda") as (cuda, _), pytest.raises(RuntimeFailed, match="not recorded"):
        cuda.capture(lambda stream: True)


def test_a_card_that_fails_is_given_up_quietly(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeCuda()
    backend = CudaBindings(cast(CudaRuntime, fake), "tensorrt")
    cuda = backend.open_card(backend.list_cards()[0])
    fake.fail["cudaStreamSynchronize"] = Error.cudaErrorIllegalAddress
    cuda.close()
    assert "cudaErrorIllegalAddress" in caplog.text
    assert fake.streams == {}


def test_a_recording_is_made_apart_and_played_on_the_stream() -> None:
    with _opened("cuda.bindings") as (cuda, fake):
        played: list[int] = []

        def enqueue(handle: int) -> bool:
            assert handle != cuda.stream
            fake.stream(handle).put(lambda: played.append(handle))
            return True

        graph = cuda.capture(enqueue)
        cuda.synchronise()
        assert played == []
        cuda.launch(graph)
        cuda.launch(graph)
        cuda.synchronise()
        assert len(played) == 2
        cuda.free_graph(graph)


def test_a_run_that_is_refused_while_recording_is_an_error() -> None:
    with _opened("cuda.bindings") as (cuda, fake):

        def enqueue(stream: int) -> bool:
            fake.last_error = Error.cudaErrorStreamCaptureUnsupported
            return False

        with pytest.raises(RuntimeFailed, match="cannot be recorded"):
            cuda.capture(enqueue)
        assert (fake.graphs, fake.last_error) == ([], 0)


@pytest.mark.parametrize(
    ("error", "driver", "reason"),
    [
        (Error.cudaErrorInsufficientDriver, 0, "no_nvidia_driver"),
        (Error.cudaErrorInsufficientDriver, 12020, "driver_too_old"),
        (Error.cudaErrorIllegalAddress, 13000, "no_nvidia_driver"),
    ],
)
def test_a_driver_that_is_not_there_or_too_old_is_told(error: Error, driver: int, reason: str) -> None:
    fake = FakeCuda(driver=driver)
    fake.fail["cudaGetDeviceCount"] = error
    with pytest.raises(RuntimeUnavailable) as problem:
        CudaBindings(cast(CudaRuntime, fake), "tensorrt_rtx").list_cards()
    assert problem.value.parameters == {"runtime": "tensorrt_rtx", "reason": reason}


def test_no_card_is_an_empty_list() -> None:
    fake = FakeCuda()
    fake.fail["cudaGetDeviceCount"] = Error.cudaErrorNoDevice
    assert CudaBindings(cast(CudaRuntime, fake), "tensorrt").list_cards() == []
    with pytest.raises(RuntimeUnavailable) as problem:
        PyCuda(FakePyCuda(cards=-1), "tensorrt").list_cards()
    assert problem.value.parameters["reason"] == "no_nvidia_driver"


class Packages:
    """Pretends which packages are installed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.modules = {"cuda.bindings.runtime": FakeCuda(), "pycuda.driver": FakePyCuda()}
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in names else None)
        monkeypatch.setattr(importlib, "import_module", self._load)

    def _load(self, name: str) -> Any:
        return self.modules[name]


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (("cuda", "cuda.bindings", "pycuda"), "cuda.bindings"),
        (("cuda", "pycuda"), "pycuda"),
        (("pycuda",), "pycuda"),
        (("cuda",), None),
        ((), None),
    ],
)
def test_nvidias_own_package_comes_first(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], chosen: str | None
) -> None:
    Packages(monkeypatch, *installed)
    assert cuda_memory.installed_package() == chosen
    if chosen:
        assert [card.name for card in cuda_memory.list_cards("tensorrt")] == ["Card 0", "Card 1"]
        cuda_memory.open_card("tensorrt", 1).close()
    else:
        assert cuda_memory.list_cards("tensorrt") == []
        with pytest.raises(RuntimeUnavailable) as problem:
            cuda_memory.open_card("tensorrt", 0)
        assert problem.value.parameters["reason"] == "cuda_package_missing"


def test_a_card_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = Packages(monkeypatch, "cuda", "cuda.bindings")
    with pytest.raises(RuntimeUnavailable) as problem:
        cuda_memory.open_card("tensorrt", 2)
    assert problem.value.parameters["reason"] == "no_such_card"
    packages.modules["cuda.bindings.runtime"] = FakeCuda(cards=0)
    with pytest.raises(RuntimeUnavailable) as problem:
        cuda_memory.open_card("tensorrt", 0)
    assert problem.value.parameters["reason"] == "no_nvidia_driver"


def test_a_package_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Packages(monkeypatch, "cuda", "cuda.bindings")

    def fail(name: str) -> Any:
        raise ImportError("DLL load failed")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(RuntimeUnavailable) as problem:
        cuda_memory.open_card("tensorrt", 0)
    assert problem.value.parameters["reason"] == "package_broken"
    assert cuda_memory.list_cards("tensorrt") == []


class Nvml:
    """The driver's management library."""

    def __init__(self, start: int = 0, answer: int = 0) -> None:
        self.start, self.answer = start, answer
        self.ended = 0

    def nvmlInit_v2(self) -> int:
        return self.start

    def nvmlSystemGetDriverVersion(self, text: Any, length: Any) -> int:
        assert length.value == len(text)
        text.value = b"581.80"
        return self.answer

    def nvmlShutdown(self) -> int:
        self.ended += 1
        return 0


def test_the_drivers_version_is_asked_from_its_own_library() -> None:
    library = Nvml()
    assert driver_version(lambda: library) == "581.80"
    assert library.ended == 1


def _not_there() -> Any:
    raise OSError("libnvidia-ml.so.1: cannot open shared object file")


@pytest.mark.parametrize("load", [lambda: Nvml(start=9), lambda: Nvml(answer=3), lambda: object(), _not_there])
def test_a_driver_that_does_not_answer_has_no_version(load: Any) -> None:
    assert driver_version(load) == ""
