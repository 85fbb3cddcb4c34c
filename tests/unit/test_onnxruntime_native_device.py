"""Memory of a device and sessions by IO binding, through ONNX Runtime's C library, with the processor for the device:
all is as on a graphics card but where the memory lies. tests/windows/test_directml.py has the real one."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import numpy as np
import pytest

from accel.base import Array
from accel.onnxruntime.native.api import Api
from accel.onnxruntime.native.device_memory import COPYING, DeviceMemory, NativeTensor
from accel.onnxruntime.native.io_binding import IoBinding
from accel.onnxruntime.native.library import NativeLibrary, environment, host_memory
from accel.onnxruntime.native.loading import native_api
from accel.onnxruntime.native.networks import DeviceNetwork
from accel.onnxruntime.native.session import NativeSession
from accel.onnxruntime.options import CpuOptions, DirectMLOptions
from accel.onnxruntime.session import OrtSession
from accel.onnxruntime.settings import session_settings
from core.wire.errors import RuntimeFailed
from models.onnx_graph import GraphBuilder
from tests.unit.student_runtime import processor
from tests.unit.test_onnxruntime_session import X, doubling, halving

FLOAT32 = np.dtype(np.float32)
CARD = 2
"""The number of the device that is made believe."""


@pytest.fixture(scope="module")
def api() -> Api:
    found = native_api()
    assert found is not None
    return found


@pytest.fixture
def memory(api: Api) -> DeviceMemory:
    return DeviceMemory(session_of(api, COPYING), host_memory(api), CARD)


def session_of(api: Api, content: bytes) -> NativeSession:
    return NativeSession(api, environment(api), content, session_settings(CpuOptions(1)))


def opened(api: Api, content: bytes, index: int = CARD) -> OrtSession:
    return OrtSession(DeviceNetwork(session_of(api, content), host_memory(api), index), "card", "net")


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8, np.int32, np.int64, np.bool_])
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 7)])
def test_a_tensor_goes_to_the_device_and_back(
    memory: DeviceMemory, shape: tuple[int, ...], dtype: type[np.generic]
) -> None:
    tensor = NativeTensor(memory, shape, np.dtype(dtype))
    assert (tensor.shape, tensor.dtype, tensor.index) == (shape, np.dtype(dtype), CARD)
    assert not tensor.read().any()
    content = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    tensor.write(content)
    first = tensor.read()
    assert first.dtype == dtype and np.array_equal(first, content)
    first.fill(0)
    assert np.array_equal(tensor.read(), content)


def test_what_is_written_lies_in_one_piece(memory: DeviceMemory) -> None:
    tensor = NativeTensor(memory, (2, 3), FLOAT32)
    tensor.write(np.arange(6, dtype=np.float32).reshape(3, 2).T)
    assert tensor.read().tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]
    for content in (np.zeros((3, 2), np.float32), np.zeros((2, 3), np.float64)):
        with pytest.raises(ValueError, match="expected float32"):
            tensor.write(content)


def test_tensors_go_from_session_to_session(api: Api, memory: DeviceMemory) -> None:
    first, second = opened(api, doubling().content), opened(api, halving().content)
    between, end = (NativeTensor(memory, (2, 3), FLOAT32) for _ in range(2))
    for step in (0, 7):
        results = first.run({"x": X + step}, {"doubled": between})
        assert list(results) == ["bytes", "half"] and np.array_equal(results["bytes"], X + step)
        assert np.array_equal(second.run({"doubled": between, "a": X[:1]})["halved"], X + step + X[:1])
        assert second.run({"doubled": between, "a": X[:1] * 10}, {"halved": end}) == {}
        assert np.array_equal(end.read(), X + step + X[:1] * 10)
        assert np.array_equal(between.read(), (X + step) * 2)


def test_results_belong_to_the_caller_and_inputs_too(api: Api, memory: DeviceMemory) -> None:
    session, given = opened(api, doubling().content), X.copy()
    first = session.run({"x": given})["doubled"]
    given[:] = 99
    session.run({"x": given})
    assert np.array_equal(first, X * 2)
    strided = np.arange(24, dtype=np.float32).reshape(6, 4)[::2, ::2].T
    assert np.array_equal(session.run({"x": strided})["doubled"], strided * 2)


def test_memory_of_elsewhere_is_copied_and_is_no_place(api: Api, memory: DeviceMemory) -> None:
    session = opened(api, doubling().content)
    on_host = processor().allocate((2, 3), FLOAT32)
    other = NativeTensor(DeviceMemory(session_of(api, COPYING), host_memory(api), CARD + 1), (2, 3), FLOAT32)
    for tensor in (on_host, other):
        tensor.write(X)
        assert np.array_equal(session.run({"x": tensor})["doubled"], X * 2)
        with pytest.raises(ValueError, match="not memory of this runtime"):
            session.run({"x": X}, {"doubled": tensor})
    here = NativeTensor(memory, (2, 3), FLOAT32)
    here.write(X)
    assert np.array_equal(processor().open(doubling()).run({"x": here})["doubled"], X * 2)


def test_after_a_failed_run_nothing_stays_bound(api: Api, memory: DeviceMemory) -> None:
    graph = GraphBuilder()
    given = graph.input("numbers", (2,), np.int64)
    graph.output("y", graph.node("Gather", graph.constant(np.arange(3, dtype=np.float32)), given), (2,))
    session, place = opened(api, graph.build("graph")), NativeTensor(memory, (2,), FLOAT32)
    with pytest.raises(RuntimeFailed, match="indices"):
        session.run({"numbers": np.array([0, 7])}, {"y": place})
    assert session.run({"numbers": np.array([0, 2])})["y"].tolist() == [0.0, 2.0]
    assert not place.read().any()


def test_a_run_keeps_nobodys_memory(api: Api, memory: DeviceMemory) -> None:
    session, place, given = opened(api, doubling().content), NativeTensor(memory, (2, 3), FLOAT32), X.copy()
    result = session.run({"x": given}, {"doubled": place})["half"]
    held = [weakref.ref(thing) for thing in (place, given)]
    base: Array = result
    del place, given, base, result
    gc.collect()
    assert [thing() for thing in held] == [None, None]


def test_a_tensor_outlives_the_memory_it_is_from(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    library = NativeLibrary(api, DirectMLOptions(CARD))
    monkeypatch.setattr(library, "_session", lambda content, alone: session_of(api, content))
    first = library.allocate((2, 3), FLOAT32)
    second = library.allocate((4,), FLOAT32)
    assert isinstance(first, NativeTensor) and isinstance(second, NativeTensor)
    assert first._memory is second._memory
    library.close()
    library.close()
    del second
    gc.collect()
    first.write(X)
    assert np.array_equal(first.read(), X)
    later = library.allocate((4,), FLOAT32)
    assert isinstance(later, NativeTensor) and later._memory is not first._memory


def test_what_was_made_last_is_given_back_first(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    for name in ("release_value", "release_allocator", "release_binding", "release_session"):
        real = getattr(api, name)

        def release(pointer: int, name: str = name, real: object = real) -> None:
            order.append(name.removeprefix("release_"))
            assert callable(real)
            real(pointer)

        monkeypatch.setattr(api, name, release)
    tensor = NativeTensor(DeviceMemory(session_of(api, COPYING), host_memory(api), CARD), (2,), FLOAT32)
    order.clear()
    del tensor
    gc.collect()
    assert sorted(order) == ["allocator", "binding", "session", "value", "value"]
    assert [name for name in order if name != "binding"] == ["value", "value", "allocator", "session"]
    assert order[-1] == "session"
    order.clear()
    session = opened(api, doubling().content)
    session.close()
    session.close()
    assert order == ["binding", "session"]


@pytest.mark.parametrize("call", ["run", "run_with_binding"])
def test_a_session_that_is_closed_while_it_runs_is_given_back_afterwards(
    api: Api, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    order: list[str] = []
    run, release = getattr(api, call), api.release_session

    def close_first(*arguments: object) -> None:
        session.close()
        run(*arguments)
        order.append("ran")

    def note(pointer: int) -> None:
        order.append("given back")
        release(pointer)

    monkeypatch.setattr(api, call, close_first)
    monkeypatch.setattr(api, "release_session", note)
    session = opened(api, doubling().content) if call == "run_with_binding" else processor().open(doubling())
    results = session.run({"x": X})
    assert np.array_equal(results["doubled"], X * 2)
    assert order == ["ran", "given back"]
    with pytest.raises(RuntimeFailed, match="closed"):
        session.run({"x": X})


def test_a_session_on_the_processor_can_serve_several_threads() -> None:
    session, wrong = processor().open(doubling()), list[int]()

    def work(number: int) -> None:
        for step in range(300):
            given = np.full((2, 3), number + step, np.float32)
            if not np.array_equal(session.run({"x": given})["doubled"], given * 2):
                wrong.append(number)

    at_once(work)
    assert not wrong


def at_once(work: Callable[[int], None]) -> None:
    """On four threads, each with a number of its own."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)


def test_several_threads_copy_in_turn(memory: DeviceMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """DirectML fails when two of them run one session."""
    inside, most = [0], [0]
    real = IoBinding.run

    def run(binding: IoBinding) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        real(binding)
        inside[0] -= 1

    monkeypatch.setattr(IoBinding, "run", run)
    wrong: list[int] = []

    def work(number: int) -> None:
        tensor = NativeTensor(memory, (1000,), FLOAT32)
        for step in range(50):
            tensor.write(np.full(1000, number * 100 + step, np.float32))
            if not (tensor.read() == number * 100 + step).all():
                wrong.append(number)

    at_once(work)
    assert not wrong and most[0] == 1
