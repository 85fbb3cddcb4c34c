"""A network in the real ONNX Runtime on the processor, and what goes where when its memory is a graphics card's."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from accel.base import Array, Device, Network, Session, TensorSpec
from accel.onnxruntime.binding import BindingLibrary
from accel.onnxruntime.native.library import NativeLibrary
from accel.onnxruntime.options import DIRECTML_NAME, DirectMLOptions
from accel.onnxruntime.runtime import OrtRuntime
from core.wire.errors import AccelError, ModelFileBad, NetworkRefused, RuntimeFailed
from models.onnx_graph import GraphBuilder
from tests.unit.fake_onnxruntime import SHAPE, FakeOnnxRuntime, put_in_place
from tests.unit.student_runtime import processor

FLOAT32 = np.dtype(np.float32)
X = np.arange(6, dtype=np.float32).reshape(2, 3)


def doubling() -> Network:
    """``doubled`` = 2 x, ``bytes`` = x rounded to uint8, ``half`` = x as float16."""
    graph = GraphBuilder()
    x = graph.input("x", (2, 3))
    graph.output("doubled", graph.node("Mul", x, graph.number(2.0)), (2, 3))
    graph.output("bytes", graph.node("Cast", x, to=2), (2, 3), np.uint8)
    graph.output("half", graph.node("Cast", x, to=10), (2, 3), np.float16)
    return Network("doubling", graph.build("doubling"))


def halving() -> Network:
    """``halved`` = doubled / 2 + a."""
    graph = GraphBuilder()
    half = graph.node("Div", graph.input("doubled", (2, 3)), graph.number(2.0))
    graph.output("halved", graph.node("Add", half, graph.input("a", (1, 3))), (2, 3))
    return Network("halving", graph.build("halving"))


def one_node(operator: str, kind: int, domain: str = "", opset: int = 17, inputs: int = 1, **attributes: Any) -> bytes:
    node = helper.make_node(operator, ["x"] * inputs, ["y"], domain=domain, **attributes)
    values = [helper.make_tensor_value_info(name, kind, [2, 3]) for name in "xy"]
    opsets = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    graph = helper.make_graph([node], "graph", values[:1], values[1:])
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


@pytest.fixture(params=["C library", "Python module"])
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OrtRuntime:
    """The same by either way to ONNX Runtime."""
    if request.param == "Python module":
        monkeypatch.setattr("accel.onnxruntime.choice.native_api", lambda: None)
    made = processor()
    assert isinstance(made._library, NativeLibrary if request.param == "C library" else BindingLibrary)
    return made


@pytest.fixture
def session(runtime: OrtRuntime) -> Iterator[Session]:
    made = runtime.open(doubling())
    yield made
    made.close()


def test_it_tells_its_inputs_and_outputs(session: Session) -> None:
    assert session.inputs == {"x": TensorSpec("x", (2, 3), FLOAT32)}
    assert {name: (spec.shape, spec.dtype) for name, spec in session.outputs.items()} == {
        "doubled": ((2, 3), FLOAT32), "bytes": ((2, 3), np.dtype(np.uint8)), "half": ((2, 3), np.dtype(np.float16)),
    }  # fmt: skip


def test_arrays_go_in_and_come_out(session: Session) -> None:
    results = session.run({"x": X})
    assert list(results) == ["doubled", "bytes", "half"]
    for name, result in results.items():
        assert result.dtype == session.outputs[name].dtype
        assert np.array_equal(result, X * 2 if name == "doubled" else X)


def test_results_belong_to_the_caller(session: Session, runtime: OrtRuntime) -> None:
    kept = runtime.allocate((2, 3), np.dtype(np.uint8))
    for into in ({}, {"bytes": kept}):
        first = session.run({"x": X}, into)["doubled"]
        session.run({"x": X + 5}, into)
        assert np.array_equal(first, X * 2)
        first[:] = 0
        assert np.array_equal(session.run({"x": X}, into)["doubled"], X * 2)


def test_outputs_left_in_tensors_do_not_come_back(session: Session, runtime: OrtRuntime) -> None:
    doubled = runtime.allocate((2, 3), FLOAT32)
    rounded = runtime.allocate((2, 3), np.dtype(np.uint8))
    results = session.run({"x": X}, {"doubled": doubled, "bytes": rounded})
    assert list(results) == ["half"]
    assert np.array_equal(results["half"], X)
    assert np.array_equal(doubled.read(), X * 2) and np.array_equal(rounded.read(), X)


def test_tensors_go_from_session_to_session(session: Session, runtime: OrtRuntime) -> None:
    between = runtime.allocate((2, 3), FLOAT32)
    second = runtime.open(halving())
    end = runtime.allocate((2, 3), FLOAT32)
    for step in (0, 7):
        session.run({"x": X + step}, {"doubled": between})
        assert np.array_equal(second.run({"doubled": between, "a": X[:1]})["halved"], X + step + X[:1])
        assert second.run({"doubled": between, "a": X[:1] * 10}, {"halved": end}) == {}
        assert np.array_equal(end.read(), X + step + X[:1] * 10)


def test_tensors_begin_with_zeros_and_keep_what_is_written(runtime: OrtRuntime) -> None:
    for dtype in (np.float32, np.float16, np.uint8, np.int32, np.int64, np.bool_):
        tensor = runtime.allocate((3, 2), np.dtype(dtype))
        assert (tensor.shape, tensor.dtype) == ((3, 2), np.dtype(dtype))
        assert not tensor.read().any()
        tensor.write(np.ones((2, 3), dtype).T)
        copy = tensor.read()
        assert copy.dtype == dtype and copy.all()
        copy[:] = 0
        assert tensor.read().all()


@pytest.mark.parametrize("content", [np.zeros((3, 2), np.float32), np.zeros((2, 3), np.float64), np.float32(1)])
def test_a_tensor_refuses_what_does_not_fit(runtime: OrtRuntime, content: Any) -> None:
    tensor = runtime.allocate((2, 3), FLOAT32)
    with pytest.raises(ValueError, match="expected float32"):
        tensor.write(content)


def test_a_strided_input_is_read_right(session: Session, runtime: OrtRuntime) -> None:
    strided = np.arange(24, dtype=np.float32).reshape(6, 4)[::2, ::2].T
    assert not strided.flags.c_contiguous
    kept = runtime.allocate((2, 3), np.dtype(np.uint8))
    for into in ({}, {"bytes": kept}):
        assert np.array_equal(session.run({"x": strided}, into)["doubled"], strided * 2)


def test_an_input_may_be_changed_as_soon_as_run_is_back(session: Session, runtime: OrtRuntime) -> None:
    kept = runtime.allocate((2, 3), FLOAT32)
    given = X.copy()
    session.run({"x": given}, {"doubled": kept})
    given[:] = 99
    assert np.array_equal(kept.read(), X * 2)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({}, "x: missing"),
        ({"x": X[:1]}, r"x: expected float32 \(2, 3\), got float32 \(1, 3\)"),
        ({"x": X.astype(np.float64)}, "x: expected float32"),
        ({"x": X.astype(np.float16)}, "got float16"),
        ({"x": X[None]}, "x: expected float32"),
    ],
)
def test_what_does_not_fit_is_refused(session: Session, runtime: OrtRuntime, inputs: Any, told: str) -> None:
    kept = runtime.allocate((2, 3), FLOAT32)
    kept.write(X)
    for into in ({}, {"doubled": kept}):
        with pytest.raises(ValueError, match=told):
            session.run(inputs, into)
    assert np.array_equal(kept.read(), X)
    assert np.array_equal(session.run({"x": X})["doubled"], X * 2)


def test_a_tensor_of_another_shape_is_refused(session: Session, runtime: OrtRuntime) -> None:
    with pytest.raises(ValueError, match="x: expected float32"):
        session.run({"x": runtime.allocate((3, 2), FLOAT32)})


@pytest.mark.parametrize(
    ("name", "shape", "dtype"), [("doubled", (3, 2), np.float32), ("bytes", (2, 3), np.float32), ("q", (2, 3), "f4")]
)
def test_no_result_is_lost_where_it_does_not_fit(
    session: Session, runtime: OrtRuntime, name: str, shape: tuple[int, ...], dtype: Any
) -> None:
    with pytest.raises(ValueError, match=f"{name}: "):
        session.run({"x": X}, {name: runtime.allocate(shape, np.dtype(dtype))})


def test_an_array_is_no_place_for_a_result(session: Session) -> None:
    place: Any = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match="not memory of this runtime"):
        session.run({"x": X}, {"doubled": place})


def test_memory_of_another_runtime_is_copied(session: Session) -> None:
    class Elsewhere:
        shape, dtype = (2, 3), FLOAT32

        def read(self) -> Array:
            return X

        def write(self, content: Array) -> None:
            raise AssertionError

    assert np.array_equal(session.run({"x": Elsewhere()})["doubled"], X * 2)


def test_a_closed_session_is_told_and_may_be_closed_again(runtime: OrtRuntime) -> None:
    session = runtime.open(doubling())
    session.close()
    session.close()
    with pytest.raises(RuntimeFailed, match="closed") as problem:
        session.run({"x": X})
    assert problem.value.parameters == {"runtime": "onnxruntime_cpu", "network": "doubling"}


def test_the_runtime_outlives_its_sessions_and_may_be_closed_twice(runtime: OrtRuntime) -> None:
    runtime.open(doubling()).close()
    assert np.array_equal(runtime.open(doubling()).run({"x": X})["doubled"], X * 2)
    runtime.close()
    runtime.close()


@pytest.mark.parametrize("content", [b"this is no network", bytes(100), doubling().content[:-20]])
def test_what_is_no_network_is_told_as_a_bad_file(runtime: OrtRuntime, content: bytes) -> None:
    with pytest.raises(ModelFileBad) as problem:
        runtime.open(Network("student body", content))
    assert problem.value.parameters == {"file": "student body", "reason": "damaged"}


def test_an_operator_without_a_kernel_is_told(runtime: OrtRuntime) -> None:
    with pytest.raises(NetworkRefused) as problem:
        runtime.open(Network("net", one_node("Erf", onnx.TensorProto.DOUBLE)))
    assert {**problem.value.parameters, "operators": ""} == {
        "runtime": "onnxruntime_cpu", "network": "net", "operators": "",
    }  # fmt: skip
    assert "Erf" in str(problem.value.parameters["operators"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (one_node("Banana", onnx.TensorProto.FLOAT), "Banana"),
        (one_node("Relu", onnx.TensorProto.FLOAT, domain="somebody.else"), "somebody.else"),
        (one_node("Sin", onnx.TensorProto.FLOAT, opset=99), "opset"),
        (one_node("Sin", onnx.TensorProto.DOUBLE), "double"),
        (b"", "graph"),
    ],
)
def test_what_cannot_be_opened_is_told_in_the_librarys_words(runtime: OrtRuntime, content: bytes, told: str) -> None:
    with pytest.raises(AccelError, match=told) as problem:
        runtime.open(Network("net", content))
    assert problem.value.parameters["network"] == "net"


def test_an_error_while_it_runs_is_told_with_the_networks_name(runtime: OrtRuntime) -> None:
    graph = GraphBuilder()
    given = graph.input("numbers", (2,), np.int64)
    graph.output("y", graph.node("Gather", graph.constant(np.arange(3, dtype=np.float32)), given), (2,))
    session = runtime.open(Network("student body", graph.build("graph")))
    assert session.run({"numbers": np.array([0, 2])})["y"].tolist() == [0.0, 2.0]
    with pytest.raises(RuntimeFailed, match="indices") as problem:
        session.run({"numbers": np.array([0, 7])})
    assert problem.value.parameters == {"runtime": "onnxruntime_cpu", "network": "student body"}
    assert session.run({"numbers": np.array([1, 1])})["y"].tolist() == [1.0, 1.0]


def test_opening_tells_how_far_it_is(runtime: OrtRuntime) -> None:
    told: list[tuple[str, float]] = []

    def progress(task: str, share: float) -> bool:
        told.append((task, share))
        return True

    runtime.open(doubling(), progress)
    runtime.prepare([doubling()], progress)
    assert told == [("doubling", 0.0), ("doubling", 1.0)]


# -- memory of a graphics card ---------------------------------------------------------------------------------------


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeOnnxRuntime:
    return put_in_place(monkeypatch)


@pytest.fixture
def card(fake: FakeOnnxRuntime) -> OrtRuntime:
    """DirectML's second adapter."""
    return OrtRuntime(DIRECTML_NAME, Device(DIRECTML_NAME, 1, "card"), DirectMLOptions(1))


NETWORK = Network("net", b"content")
ONE = np.full(SHAPE, 1, np.float32)


def test_a_card_is_not_the_host_and_has_one_lane(card: OrtRuntime) -> None:
    assert (card.name, card.on_host, card.lanes) == (DIRECTML_NAME, False, 1)
    assert card.device == Device(DIRECTML_NAME, 1, "card")


def test_an_input_is_sent_to_the_same_place_every_time(card: OrtRuntime, fake: FakeOnnxRuntime) -> None:
    session = card.open(NETWORK)
    for number in (1, 2, 3):
        results = session.run({"x": ONE * number})
        assert list(results) == ["y", "z"] and np.array_equal(results["y"], ONE * 2 * number)
    assert [value.place for value in fake.values] == [("dml", 1)]
    (made,) = fake.sessions
    assert {binding.inputs["x"] for binding in made.bindings} == set(fake.values)


def test_what_stays_on_a_card_is_not_fetched(card: OrtRuntime, fake: FakeOnnxRuntime) -> None:
    first, second = card.open(NETWORK), card.open(NETWORK)
    between, end = card.allocate(SHAPE, FLOAT32), card.allocate(SHAPE, FLOAT32)
    assert [value.place for value in fake.values] == [("dml", 1), ("dml", 1)]
    assert list(first.run({"x": ONE}, {"y": between})) == ["z"]
    assert second.run({"x": between}, {"y": end, "z": between}) == {}
    assert np.array_equal(end.read(), ONE * 4)
    values = fake.values[:2]
    assert fake.sessions[0].bindings[0].outputs["y"] is values[0]
    assert fake.sessions[1].bindings[0].inputs["x"] is values[0]
    assert fake.sessions[1].bindings[0].outputs == {"y": values[1], "z": values[0]}
    assert len(fake.values) == 3  # and the place for the first one's input


def test_what_is_written_to_a_card_lies_in_one_piece(card: OrtRuntime) -> None:
    tensor = card.allocate(SHAPE, FLOAT32)
    tensor.write(np.arange(6, dtype=np.float32).reshape(3, 2).T)
    assert tensor.read().tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]


def test_a_card_that_fails_is_told(card: OrtRuntime, fake: FakeOnnxRuntime) -> None:
    session = card.open(Network("student body", b"content"))
    fake.sessions[0].failure = RuntimeError("887A0005: The GPU device instance has been suspended")
    with pytest.raises(RuntimeFailed, match="887A0005") as problem:
        session.run({"x": ONE})
    assert problem.value.parameters == {"runtime": DIRECTML_NAME, "network": "student body"}


def test_a_closed_session_keeps_no_memory(card: OrtRuntime, fake: FakeOnnxRuntime) -> None:
    session = card.open(NETWORK)
    session.run({"x": ONE})
    value, made = weakref.ref(fake.values.pop()), weakref.ref(fake.sessions.pop())
    session.close()
    gc.collect()
    assert value() is None and made() is None
