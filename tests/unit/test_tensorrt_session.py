"""What a session copies, where, and when it waits: against fakes that do nothing before somebody waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest

from accel.base import Network, Session
from accel.tensorrt.api import TensorRTModule
from accel.tensorrt.cuda_api import CudaRuntime
from accel.tensorrt.cuda_bindings import CudaBindings
from accel.tensorrt.library import wrap_module
from accel.tensorrt.options import Options, TensorRTOptions, TensorRTRtxOptions
from accel.tensorrt.runtime import TensorRTRuntime
from accel.tensorrt.session import MAXIMUM_GRAPHS, TensorRTSession
from core.wire.errors import RuntimeFailed
from tests.unit.fake_cuda import Error, FakeCuda
from tests.unit.fake_tensorrt import SHAPE, FakeTensorRT, network

ONE = np.full(SHAPE, 1, np.float32)
FLOAT32 = np.dtype(np.float32)
PLAIN = TensorRTOptions(cuda_graph=False)


class Bench:
    """A runtime on the second card of a fake machine, without a cache."""

    def __init__(self, options: Options = PLAIN) -> None:
        self.cuda = FakeCuda()
        self.module = FakeTensorRT(self.cuda)
        backend = CudaBindings(cast(CudaRuntime, self.cuda), options.kind)
        library = wrap_module(options.kind, cast(TensorRTModule, self.module))
        self.runtime = TensorRTRuntime(library, options, backend.open_card(backend.list_cards()[1]), None)

    def open(self, model: Network | None = None) -> TensorRTSession:
        """A session that was warmed up; counting begins here."""
        session = self.runtime.open(model or network())
        self.cuda.calls.clear()
        self.cuda.waits.clear()
        self.module.context.enqueues.clear()
        self.module.context.address_calls = 0
        return session


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.runtime.close()
    made.cuda.assert_nothing_is_left()


@pytest.fixture(params=[True, False], ids=["pinned", "pageable"])
def any_memory(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(TensorRTOptions(cuda_graph=False, pinned_memory=request.param))
    yield made
    made.runtime.close()
    made.cuda.assert_nothing_is_left()


def test_it_tells_its_inputs_and_outputs(bench: Bench) -> None:
    session: Session = bench.open(network(inputs="ab", outputs="yz"))
    assert list(session.inputs) == ["a", "b"] and list(session.outputs) == ["y", "z"]
    assert (session.inputs["a"].shape, session.outputs["z"].dtype) == (SHAPE, FLOAT32)


def test_arrays_go_in_and_come_out(any_memory: Bench) -> None:
    session = any_memory.open(network(inputs="ab", outputs="yz"))
    results = session.run({"a": ONE, "b": ONE * 2})
    assert list(results) == ["y", "z"]
    for result in results.values():
        assert np.array_equal(result, ONE * 6)


def test_results_belong_to_the_caller(any_memory: Bench) -> None:
    session = any_memory.open()
    first = session.run({"x": ONE})["y"]
    second = session.run({"x": ONE * 5})["y"]
    assert (first[0, 0], second[0, 0]) == (2, 10)
    first[:] = 0
    assert second[0, 0] == 10


def test_an_input_may_be_changed_as_soon_as_run_is_back(any_memory: Bench) -> None:
    session = any_memory.open()
    target = any_memory.runtime.allocate(SHAPE, FLOAT32)
    given = ONE.copy()
    session.run({"x": given}, {"y": target})
    given[:] = 99
    assert np.array_equal(target.read(), ONE * 2)


def test_a_strided_input_is_copied_right(any_memory: Bench) -> None:
    session = any_memory.open()
    given = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2].T
    assert given.shape == SHAPE and not given.flags.c_contiguous
    assert np.array_equal(session.run({"x": given})["y"], given * 2)


def test_memory_is_allocated_once(bench: Bench) -> None:
    session = bench.open()
    for _ in range(3):
        session.run({"x": ONE})
    assert {name for name in bench.cuda.calls if "Malloc" in name} == set()
    assert bench.module.context.address_calls == 0  # places were told while it was warmed up


def test_what_stays_on_the_card_is_not_copied(bench: Bench) -> None:
    first, second = bench.open(), bench.open(network("second", inputs="ab", outputs="z"))
    between = bench.runtime.allocate(SHAPE, FLOAT32)
    between.read()
    bench.cuda.calls.clear()
    bench.cuda.waits.clear()
    assert first.run({"x": ONE}, {"y": between}) == {}
    assert (bench.cuda.calls["up"], bench.cuda.calls["down"], bench.cuda.waits) == (1, 0, [])
    result = second.run({"a": between, "b": ONE})
    assert np.array_equal(result["z"], ONE * 6)
    # one wait for both: the copy up, the first run, the copy up, the second run, the copy down
    assert (bench.cuda.calls["up"], bench.cuda.calls["down"], bench.cuda.waits[-1]) == (2, 1, 5)


def test_only_outputs_that_are_wanted_come_back(bench: Bench) -> None:
    session = bench.open(network(outputs="yz"))
    target = bench.runtime.allocate(SHAPE, FLOAT32)
    assert list(session.run({"x": ONE}, {"z": target})) == ["y"]
    assert bench.cuda.calls["down"] == 1
    assert np.array_equal(target.read(), ONE * 2)


def test_a_page_locked_place_is_not_overwritten_while_it_is_copied_from(bench: Bench) -> None:
    session = bench.open()
    targets = [bench.runtime.allocate(SHAPE, FLOAT32) for _ in range(3)]
    for number, target in enumerate(targets):
        session.run({"x": ONE * number}, {"y": target})
    assert [target.read()[0, 0] for target in targets] == [0, 2, 4]


def test_the_stream_is_the_cards_own(bench: Bench) -> None:
    session = bench.open()
    session.run({"x": ONE})
    (stream,) = bench.cuda.streams
    assert bench.module.context.enqueues == [stream]


def test_it_runs_in_another_thread_on_the_same_card(bench: Bench) -> None:
    session = bench.open()
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(session.run({"x": ONE})["y"]))
    thread.start()
    thread.join(10)
    assert results[0][0, 0] == 2
    assert bench.cuda.devices == {1}


@pytest.mark.parametrize(
    ("inputs", "into", "told"),
    [
        ({}, {}, "x: missing"),
        ({"x": ONE[:1]}, {}, "x: expected float32"),
        ({"x": ONE.astype(np.float64)}, {}, "x: expected float32"),
        ({"x": object()}, {}, "x: not memory of this runtime"),
        ({"x": ONE}, {"q": None}, "q: the network has no such output"),
        ({"x": ONE}, {"y": ONE}, "y: not memory of this runtime"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_happens(bench: Bench, inputs: Any, into: Any, told: str) -> None:
    session = bench.open()
    with pytest.raises(ValueError, match=told):
        session.run(inputs, into)
    assert bench.cuda.calls["up"] == 0 and bench.module.context.enqueues == []


def test_memory_of_another_card_or_shape_is_refused(bench: Bench) -> None:
    session, other = bench.open(), Bench()
    with pytest.raises(ValueError, match="not memory of this runtime"):
        session.run({"x": other.runtime.allocate(SHAPE, FLOAT32)})
    with pytest.raises(ValueError, match="expected float32"):
        session.run({"x": bench.runtime.allocate((3, 2), FLOAT32)})
    other.runtime.close()


def test_an_error_on_the_card_is_raised_with_the_networks_name(bench: Bench) -> None:
    session = bench.open(network("student body"))
    bench.cuda.fail["cudaStreamSynchronize"] = Error.cudaErrorIllegalAddress
    with pytest.raises(RuntimeFailed) as problem:
        session.run({"x": ONE})
    assert problem.value.parameters == {"runtime": "tensorrt", "network": "student body"}
    assert "cudaErrorIllegalAddress" in problem.value.detail
    bench.cuda.fail.clear()


def test_a_run_the_library_refuses_is_raised_in_its_words(bench: Bench) -> None:
    session = bench.open()
    bench.module.enqueue_fails = True
    with pytest.raises(RuntimeFailed, match="enqueue refused"):
        session.run({"x": ONE})


def test_an_address_the_library_refuses_is_raised(bench: Bench) -> None:
    session = bench.open()
    bench.module.bad_tensors = {"y"}
    with pytest.raises(RuntimeFailed):
        session.run({"x": ONE}, {"y": bench.runtime.allocate(SHAPE, FLOAT32)})


def test_a_closed_session_is_told_and_may_be_closed_again(bench: Bench) -> None:
    session = bench.open()
    session.close()
    session.close()
    assert bench.cuda.memory == {} and bench.cuda.page_locked == {}
    with pytest.raises(RuntimeFailed, match="closed"):
        session.run({"x": ONE})


def test_it_closes_on_a_card_that_failed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    session = bench.open()
    bench.cuda.fail = dict.fromkeys(["cudaStreamSynchronize", "cudaFreeHost"], Error.cudaErrorIllegalAddress)
    session.close()
    assert caplog.text.count("cudaErrorIllegalAddress") == 3
    bench.cuda.fail.clear()


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_too_little_memory_leaves_nothing_behind(bench: Bench, after: int) -> None:
    function = ("cudaMalloc", "cudaMallocHost")[after % 2]
    original = getattr(bench.cuda, function)
    calls = iter(range(100))

    def fail_later(size: int) -> Any:
        return (Error.cudaErrorMemoryAllocation, None) if next(calls) == after // 2 else original(size)

    setattr(bench.cuda, function, fail_later)
    with pytest.raises(RuntimeFailed) as problem:
        bench.runtime.open(network())
    assert problem.value.parameters["network"] == "small"
    assert bench.cuda.memory == {} and bench.cuda.page_locked == {}


@pytest.mark.parametrize(
    ("more", "told"), [({"on_host": ["x"]}, "x steers a shape"), ({"dtype": "bf16"}, "x: no equivalent")]
)
def test_tensors_that_cannot_be_used_are_told(bench: Bench, more: Any, told: str) -> None:
    with pytest.raises(RuntimeFailed, match=told):
        bench.runtime.open(network(**more))


class Recorded:
    """What happens where runs are recorded."""

    def __init__(self) -> None:
        self.bench = Bench(TensorRTOptions())
        self.session = self.bench.open()

    def run(self, number: int, **tensors: Any) -> Any:
        return self.session.run({"x": ONE * number}, tensors)

    def close(self) -> None:
        self.bench.runtime.close()
        self.bench.cuda.assert_nothing_is_left()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    made = Recorded()
    yield made
    made.close()


def test_a_recorded_run_is_played_with_new_values(recorded: Recorded) -> None:
    for number in range(3):
        assert np.array_equal(recorded.run(number)["y"], ONE * number * 2)
    assert recorded.bench.module.context.enqueues == []  # recorded while it was warmed up
    assert recorded.bench.cuda.calls["cudaGraphLaunch"] == 3


def test_other_places_are_recorded_anew(recorded: Recorded) -> None:
    target = recorded.bench.runtime.allocate(SHAPE, FLOAT32)
    recorded.bench.cuda.waits.clear()
    recorded.run(1, y=target)
    # waited for before it is recorded: the context is not used for two things at once
    assert len(recorded.bench.cuda.waits) == 1
    assert np.array_equal(target.read(), ONE * 2)
    recorded.run(3, y=target)
    assert np.array_equal(target.read(), ONE * 6)
    assert len(recorded.bench.module.context.enqueues) == 2  # once for itself and once to record it
    assert np.array_equal(recorded.run(4)["y"], ONE * 8)


def test_places_that_keep_changing_are_not_recorded_for_ever(recorded: Recorded) -> None:
    targets = [recorded.bench.runtime.allocate(SHAPE, FLOAT32) for _ in range(MAXIMUM_GRAPHS + 3)]
    for number, target in enumerate(targets):
        recorded.run(number, y=target)
    assert [target.read()[0, 0] for target in targets] == [number * 2 for number in range(len(targets))]
    assert len(recorded.bench.cuda.graphs) == MAXIMUM_GRAPHS


@pytest.mark.parametrize(
    "function", ["cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate", "cudaStreamCreateWithFlags"]
)
def test_what_cannot_be_recorded_runs_without(function: str, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(TensorRTOptions())
    bench.cuda.fail[function] = Error.cudaErrorStreamCaptureUnsupported
    session = bench.runtime.open(network("student body"))
    for number in range(3):
        assert np.array_equal(session.run({"x": ONE * number})["y"], ONE * number * 2)
    assert caplog.text.count("student body is not recorded") == 1
    bench.runtime.close()
    bench.cuda.assert_nothing_is_left()


def test_the_library_for_rtx_records_by_itself() -> None:
    bench = Bench(TensorRTRtxOptions())
    session = bench.open()
    session.run({"x": ONE})
    assert bench.cuda.calls["cudaStreamBeginCapture"] == 0
    bench.runtime.close()
    bench.cuda.assert_nothing_is_left()
