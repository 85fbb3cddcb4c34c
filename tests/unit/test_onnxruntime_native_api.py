"""ONNX Runtime's table of functions: that each place has the function we take it for, and what happens where there is
no such library."""

from __future__ import annotations

import ctypes
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from accel.base import Device, Network
from accel.onnxruntime import binding, choice
from accel.onnxruntime.binding import BindingLibrary
from accel.onnxruntime.native import loading
from accel.onnxruntime.native.api import INVALID_PROTOBUF, POINTER, SIZE, Api, OrtError, counted, made, text_at
from accel.onnxruntime.native.device_memory import COPYING
from accel.onnxruntime.native.ep_devices import ep_devices
from accel.onnxruntime.native.library import NativeLibrary, environment, host_memory, providers
from accel.onnxruntime.native.loading import find_library, load_api, native_api
from accel.onnxruntime.native.session import NativeSession
from accel.onnxruntime.native.tensors import Layout
from accel.onnxruntime.options import CPU_NAME, CUDA_NAME, DIRECTML_NAME, CpuOptions, CudaOptions, DirectMLOptions
from accel.onnxruntime.runtime import OrtRuntime, open_runtime
from accel.onnxruntime.settings import SessionSettings, session_settings
from core.wire.errors import RuntimeFailed
from models.onnx_graph import GraphBuilder
from tests.unit.student_runtime import processor

FLOAT32 = np.dtype(np.float32)


def tripling() -> bytes:
    """From ``slow`` [2, n] to ``fast`` [2, n] and ``count`` [2]; n is open."""
    nodes = [
        helper.make_node("Sum", ["slow", "slow", "slow"], ["fast"]),
        helper.make_node("Shape", ["slow"], ["count"]),
    ]
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2, "n"]) for name in ("slow", "fast")]
    values.append(helper.make_tensor_value_info("count", onnx.TensorProto.INT64, [2]))
    graph = helper.make_graph(nodes, "tripling", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def api() -> Api:
    found = native_api()
    assert found is not None, "the installed ONNX Runtime has a C library that we can use"
    return found


@pytest.fixture
def session(api: Api) -> Iterator[NativeSession]:
    made_here = NativeSession(api, environment(api), tripling(), session_settings(CpuOptions(1)))
    yield made_here
    made_here.handle.close()


# -- the table -------------------------------------------------------------------------------------------------------


def test_it_lists_the_same_providers_as_the_module(api: Api) -> None:
    assert providers(api) == binding.providers()
    assert "CPUExecutionProvider" in providers(api)


def test_it_lists_the_same_devices_as_the_module(api: Api) -> None:
    assert ep_devices(api) == binding.ep_devices()
    assert "CPUExecutionProvider" in {device.provider for device in ep_devices(api)}


def test_an_error_has_a_code_and_words(api: Api) -> None:
    with pytest.raises(OrtError) as problem:
        NativeSession(api, environment(api), b"this is no network", session_settings(CpuOptions(1)))
    assert problem.value.code == INVALID_PROTOBUF
    assert str(problem.value).startswith("[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : ")
    assert "parsing failed" in str(problem.value)


def test_errors_are_worded_as_the_module_words_them(api: Api) -> None:
    graph = GraphBuilder()
    graph.output("y", graph.node("Banana", graph.input("x", (1,))), (1,))
    for content in (b"", b"no network", graph.build("graph")):
        told = []
        for library in (NativeLibrary(api, CpuOptions(1)), BindingLibrary(CpuOptions(1))):
            with pytest.raises(Exception, match="ONNXRuntimeError") as problem:
                library.open(content, True)
            told.append((str(problem.value), library.is_damage(problem.value)))
        assert told[0] == told[1]


def test_a_session_tells_names_types_and_shapes(session: NativeSession) -> None:
    inputs, outputs = session.specs()
    # a size that is left open counts as one
    assert [(spec.name, spec.shape, spec.dtype) for spec in inputs.values()] == [("slow", (2, 1), FLOAT32)]
    assert {spec.name: (spec.shape, spec.dtype) for spec in outputs.values()} == {
        "fast": ((2, 1), FLOAT32),
        "count": ((2,), np.dtype(np.int64)),
    }
    assert counted(session.api.input_count, session.handle.pointer) == 1
    assert counted(session.api.output_count, session.handle.pointer) == 2


def test_a_session_tells_who_got_which_operator(api: Api) -> None:
    settings = session_settings(CpuOptions(1)).naming_nodes()
    session = NativeSession(api, environment(api), tripling(), settings)
    assert session.operators_of("CPUExecutionProvider") == {"Sum", "Shape"}
    assert session.operators_of("SomebodyElse") == set()
    assert NativeLibrary(api, CpuOptions(1)).left_over(tripling()) == {"Sum", "Shape"}


def test_what_settings_say_reaches_the_session(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[object, ...]] = []
    names = ("set_log_severity", "set_inter_op_threads", "set_intra_op_threads", "set_execution_mode")
    entries: dict[str, str] = {}
    create = api.create_session

    def look(environment_: int, content: bytes, size: int, options: int, out: object) -> None:
        for key in ("session.intra_op.allow_spinning", "session.inter_op.allow_spinning", "session.some.entry"):
            value, room = ctypes.create_string_buffer(64), SIZE(64)
            api.config_entry(options, key.encode(), value, ctypes.byref(room))
            entries[key] = value.value.decode()
        create(environment_, content, size, options, out)

    def noted(name: str) -> None:
        real = getattr(api, name)

        def call(options: int, *rest: object) -> None:
            called.append((name, *rest))
            real(options, *rest)

        monkeypatch.setattr(api, name, call)

    for name in (*names, "disable_memory_pattern"):
        noted(name)
    monkeypatch.setattr(api, "create_session", look)
    told = session_settings(CpuOptions(3))
    settings = SessionSettings(told.threads, {**told.entries, "session.some.entry": "7"}, False, told.providers)
    NativeSession(api, environment(api), tripling(), settings)
    assert called == [
        ("set_log_severity", 4), ("set_inter_op_threads", 1), ("set_intra_op_threads", 3), ("set_execution_mode", 0),
        ("disable_memory_pattern",),
    ]  # fmt: skip
    assert entries == {
        "session.intra_op.allow_spinning": "0", "session.inter_op.allow_spinning": "0", "session.some.entry": "7",
    }  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="the package for Windows has DirectML")
def test_a_provider_that_is_not_there_is_told(api: Api) -> None:
    runtime = OrtRuntime(DIRECTML_NAME, Device(DIRECTML_NAME, 3, "card"), DirectMLOptions(3, metacommands=False))
    with pytest.raises(RuntimeFailed, match="DML execution provider is not supported"):
        runtime.open(Network("net", tripling()))
    with pytest.raises(OrtError, match="DML"):
        runtime.allocate((2,), FLOAT32)


def test_tensors_lie_where_they_are_told_to(api: Api) -> None:
    content = np.arange(6, dtype=np.float32)
    value = host_memory(api).wrap(Layout((2, 3), FLOAT32), content.ctypes.data)
    assert made(api.tensor_data, value.pointer) == content.ctypes.data


@pytest.mark.parametrize("shape", [(), (1,), (3, 5, 7), (2, 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8, np.int32, np.int64, np.bool_])
def test_arrays_begin_where_the_librarys_own_would(shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    layout = Layout(shape, np.dtype(dtype))
    for _ in range(5):
        array, address = layout.empty()
        assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
        assert array.flags.c_contiguous and array.flags.writeable
        assert address == array.ctypes.data and (address % 64 == 0 or not array.size)


def test_a_name_in_another_script_arrives(api: Api) -> None:
    graph = GraphBuilder()
    graph.output("笑顔", graph.node("Neg", graph.input("ö", (1,))), (1,))
    opened = NativeLibrary(api, CpuOptions(1)).open(graph.build("graph"), True)
    assert opened.run({"ö": np.ones(1, np.float32)}, {})["笑顔"] == [-1.0]


def test_everything_that_is_made_is_given_back(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    """Counted: what functions made, and what their releases got."""
    pairs = {
        "create_session": "release_session", "create_session_options": "release_session_options",
        "input_type": "release_type", "output_type": "release_type", "wrap_tensor": "release_value",
    }  # fmt: skip
    alive: dict[str, set[int]] = {release: set() for release in pairs.values()}

    def watch_making(name: str, release: str) -> None:
        real = getattr(api, name)

        def make(*arguments: object) -> None:
            real(*arguments)
            out = arguments[-1]
            # the place behind byref()
            address = POINTER.from_address(ctypes.cast(out, POINTER).value or 0).value  # type: ignore[arg-type]
            assert address is not None
            alive[release].add(address)

        monkeypatch.setattr(api, name, make)

    def watch_release(name: str) -> None:
        real = getattr(api, name)

        def release(pointer: int) -> None:
            alive[name].remove(pointer)
            real(pointer)

        monkeypatch.setattr(api, name, release)

    host_memory(api)
    for name, release in pairs.items():
        watch_making(name, release)
    for release in alive:
        watch_release(release)
    runtime = processor()
    session = runtime.open(Network("net", tripling()))
    place = runtime.allocate((2, 1), FLOAT32)
    for number in range(4):
        session.run({"slow": np.full((2, 1), number, np.float32)})
        session.run({"slow": np.full((2, 1), number, np.float32)}, {"fast": place})
    with pytest.raises(Exception, match="parsing"):
        runtime.open(Network("bad", b"no network"))
    assert alive["release_session"] and alive["release_value"]
    session.close()
    del session, place
    runtime.open(Network("dropped", tripling()))
    assert not any(alive.values()), {name: len(left) for name, left in alive.items()}


def test_the_copying_network_is_what_it_says() -> None:
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, ["count"]) for name in ("given", "copied")]
    graph = helper.make_graph([helper.make_node("Identity", ["given"], ["copied"])], "copy", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    assert model == onnx.load_from_string(COPYING)


# -- no such library -------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nobody has looked for the library yet."""
    native_api.cache_clear()
    yield
    native_api.cache_clear()


def test_the_cards_that_nobody_could_try_stay_with_the_module() -> None:
    assert isinstance(choice.open_library(CudaOptions()), BindingLibrary)
    assert isinstance(choice.open_library(CpuOptions()), NativeLibrary)
    assert isinstance(choice.open_library(DirectMLOptions()), NativeLibrary)


@pytest.mark.usefixtures("fresh")
def test_without_the_library_the_module_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = type("Spec", (), {"origin": str(tmp_path / "onnxruntime" / "__init__.py")})
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr("accel.onnxruntime.native.loading.importlib.util.find_spec", lambda name: elsewhere)
        assert native_api() is None
    assert "used through its Python module: no C library in" in caplog.text
    runtime = open_runtime(Device(CPU_NAME, 0, "processor"), CpuOptions(1))
    assert isinstance(runtime._library, BindingLibrary)
    results = runtime.open(Network("net", tripling())).run({"slow": np.ones((2, 1), np.float32)})
    assert (results["fast"] == 3.0).all()
    assert choice.providers(CPU_NAME) == choice.providers(CUDA_NAME)
    assert choice.ep_devices() == binding.ep_devices()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("version", [b"1.23.2", b"0.99", b"nonsense"])
def test_an_older_library_is_not_asked_for_a_table(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, version: bytes
) -> None:
    def refuse(number: int) -> int:
        raise AssertionError(number)

    replace_base(monkeypatch, version, refuse)
    with caplog.at_level(logging.INFO):
        assert native_api() is None
    assert version.decode() in caplog.text


@pytest.mark.usefixtures("fresh")
def test_a_library_that_refuses_the_table_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replace_base(monkeypatch, b"2.0.0", lambda number: None)
    with caplog.at_level(logging.INFO):
        assert native_api() is None
    assert "has no table 24" in caplog.text
    assert isinstance(choice.open_library(CpuOptions()), BindingLibrary)


@pytest.mark.usefixtures("fresh")
def test_what_is_no_library_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nothing = tmp_path / find_library().name
    nothing.write_bytes(b"not a library")
    monkeypatch.setattr(loading, "find_library", lambda: nothing)
    assert native_api() is None


def test_a_library_of_something_else_is_told() -> None:
    other = sys.modules["_ctypes"].__file__
    assert other is not None
    with pytest.raises(AttributeError):
        load_api(Path(other))


def replace_base(monkeypatch: pytest.MonkeyPatch, version: bytes, get_api: Callable[[int], int | None]) -> None:
    """Another library behind the exported function."""
    base = type("Base", (), {"version": staticmethod(lambda: version), "get_api": staticmethod(get_api)})

    class Function:
        def __call__(self) -> object:
            return type("Pointer", (), {"contents": base})

    library = type("Library", (), {"OrtGetApiBase": Function()})
    monkeypatch.setattr("accel.onnxruntime.native.loading.ctypes.CDLL", lambda path: library)


def test_texts_are_read_where_they_lie() -> None:
    room = ctypes.create_string_buffer("ü".encode())
    assert text_at(ctypes.addressof(room)) == "ü"
