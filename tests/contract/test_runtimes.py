"""What every runtime promises, tried on every device that this machine has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from accel import registry
from accel.base import FULL, HALF, PRECISIONS, Array, Device, Network, Runtime
from accel.lanes import Lanes
from accel.onnxruntime.options import CPU_NAME
from core.wire.errors import EasyVtuberError, RuntimeFailed
from models.base import Picture
from models.motion import Displacement
from models.onnx_graph import GraphBuilder
from models.student.model import StudentModel
from models.student.regions import Regions, Split, whole_face
from tests.unit.student_networks import FACE_VALUES, SIZE, figure, psnr_db, small_character, some_poses
from tests.unit.student_runtime import processor

DEVICES = registry.devices()
X = np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(4, 6)
W = np.linspace(0.5, -0.5, 36, dtype=np.float32).reshape(6, 6)
FLOAT32 = np.dtype(np.float32)
NEAR = 5e-3
"""A card may multiply float32 matrices with 10-bit mantissas."""
POSES = some_poses(3, seed=77)
POSES[1][:FACE_VALUES] = POSES[0][:FACE_VALUES]
LEAST_DB = {FULL: 45.0, HALF: 40.0}


def first_network(name: str = "first", alone: bool = True) -> Network:
    """``sines`` = sin(x W), ``bytes`` = 255 (x + 1) / 2 rounded down."""
    graph = GraphBuilder()
    x = graph.input("x", (4, 6))
    graph.output("sines", graph.node("Sin", graph.node("MatMul", x, graph.constant(W))), (4, 6))
    scaled = graph.node("Mul", graph.node("Add", x, graph.number(1.0)), graph.number(127.5))
    graph.output("bytes", graph.node("Cast", scaled, to=2), (4, 6), np.uint8)
    return Network(name, graph.build("first"), alone)


def second_network() -> Network:
    """``sum`` = sines + share."""
    graph = GraphBuilder()
    both = graph.node("Add", graph.input("sines", (4, 6)), graph.input("share", (1, 1)))
    graph.output("sum", both, (4, 6))
    return Network("second", graph.build("second"))


@pytest.fixture(scope="module", params=DEVICES, ids=lambda device: f"{device.runtime}-{device.index}")
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """Engines are built into a folder that is thrown away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EASYVTUBER_HOME", str(tmp_path_factory.mktemp("home")))
        device: Device = request.param
        made = registry.open_runtime(device, threads=2)
        assert made.name == device.runtime and made.device == device
        yield made
        made.close()
        made.close()


def test_there_is_at_least_the_processor() -> None:
    assert CPU_NAME in {device.runtime for device in DEVICES}
    keys = [(device.runtime, device.index) for device in DEVICES]
    assert len(set(keys)) == len(keys)
    assert all(device.name and device.runtime in registry.RUNTIMES for device in DEVICES)


def test_it_says_how_it_computes(runtime: Runtime) -> None:
    assert runtime.lanes >= 1
    assert runtime.on_host or runtime.lanes == 1


def test_a_network_tells_its_tensors_and_computes(runtime: Runtime) -> None:
    session = runtime.open(first_network())
    assert (session.inputs["x"].shape, session.inputs["x"].dtype) == ((4, 6), FLOAT32)
    assert {name: spec.dtype for name, spec in session.outputs.items()} == {"sines": FLOAT32, "bytes": np.uint8}
    for step in (0.0, 0.25):
        results = session.run({"x": X * (1.0 - step)})
        assert set(results) == {"sines", "bytes"}
        assert np.abs(results["sines"] - np.sin(X * (1.0 - step) @ W)).max() < NEAR
        # rounded down after a sum that a card may make in another order
        assert np.abs(results["bytes"] - (X * (1.0 - step) + 1.0) * 127.5).max() < 1.01
    session.close()


def test_results_belong_to_the_caller(runtime: Runtime) -> None:
    session = runtime.open(first_network())
    first = session.run({"x": X})["sines"]
    kept = first.copy()
    session.run({"x": X * 0.5})
    assert np.array_equal(first, kept)
    first[:] = 0.0
    assert np.array_equal(session.run({"x": X})["sines"], kept)
    session.close()


def test_tensors_are_zeroed_and_keep_what_is_written(runtime: Runtime) -> None:
    for dtype in (np.float32, np.float16, np.uint8):
        tensor = runtime.allocate((4, 6), np.dtype(dtype))
        assert (tensor.shape, tensor.dtype) == ((4, 6), np.dtype(dtype))
        assert not tensor.read().any()
        content = np.abs(X * 100).astype(dtype)
        tensor.write(content)
        assert np.array_equal(tensor.read(), content)
        with pytest.raises(ValueError, match="expected"):
            tensor.write(content.T)
        with pytest.raises(ValueError, match="expected"):
            tensor.write(content.astype(np.float64))


def test_what_stays_on_the_device_goes_from_session_to_session(runtime: Runtime) -> None:
    first, second = runtime.open(first_network()), runtime.open(second_network())
    between, end = (runtime.allocate((4, 6), FLOAT32) for _ in range(2))
    for step in (1.0, 0.5):
        results = first.run({"x": X * step}, {"sines": between})
        assert set(results) == {"bytes"}
        share = np.array([[step]], np.float32)
        expected = np.sin(X * step @ W) + step
        assert np.abs(second.run({"sines": between, "share": share})["sum"] - expected).max() < NEAR
        assert second.run({"sines": between, "share": share}, {"sum": end}) == {}
        assert np.abs(end.read() - expected).max() < NEAR
        assert np.abs(between.read() - np.sin(X * step @ W)).max() < NEAR
    for session in (first, second):
        session.close()


def test_results_can_go_to_other_places_each_time(runtime: Runtime) -> None:
    session = runtime.open(first_network())
    places = [runtime.allocate((4, 6), FLOAT32) for _ in range(3)]
    for number in range(6):
        session.run({"x": X * number}, {"sines": places[number % 3]})
    for number, place in enumerate(places, 3):
        assert np.abs(place.read() - np.sin(X * number @ W)).max() < 2 * NEAR
    session.close()


def test_an_input_may_be_changed_as_soon_as_run_is_back(runtime: Runtime) -> None:
    session, place = runtime.open(first_network()), runtime.allocate((4, 6), FLOAT32)
    given = X.copy()
    session.run({"x": given}, {"sines": place})
    given[:] = 9.0
    assert np.abs(place.read() - np.sin(X @ W)).max() < NEAR
    session.close()


@pytest.mark.parametrize(
    ("name", "given"),
    [("x", X[:2]), ("x", X.astype(np.float64)), ("x", X.T), ("y", X)],
    ids=["shape", "type", "turned", "missing"],
)
def test_inputs_that_do_not_fit_are_refused(runtime: Runtime, name: str, given: Array) -> None:
    session = runtime.open(first_network())
    with pytest.raises(ValueError, match="x: "):
        session.run({name: given})
    assert np.abs(session.run({"x": X})["sines"] - np.sin(X @ W)).max() < NEAR
    session.close()


def test_places_that_do_not_fit_are_refused(runtime: Runtime) -> None:
    session = runtime.open(first_network())
    array: Any = np.zeros((4, 6), np.float32)
    good = runtime.allocate((4, 6), FLOAT32)
    for name, place in (("sines", runtime.allocate((6, 4), FLOAT32)), ("bytes", good), ("q", good), ("sines", array)):
        with pytest.raises(ValueError, match=f"{name}: "):
            session.run({"x": X}, {name: place})
    session.close()


@pytest.mark.parametrize("content", [b"", b"no network at all", first_network().content[:-40]])
def test_what_is_no_network_is_an_error_of_ours(runtime: Runtime, content: bytes) -> None:
    with pytest.raises(EasyVtuberError):
        runtime.open(Network("broken", content))
    session = runtime.open(first_network())
    assert session.run({"x": X})
    session.close()


def test_a_closed_session_is_told_and_may_be_closed_again(runtime: Runtime) -> None:
    session = runtime.open(first_network("student body"))
    session.run({"x": X})
    session.close()
    session.close()
    with pytest.raises(RuntimeFailed) as problem:
        session.run({"x": X})
    assert problem.value.parameters == {"runtime": runtime.name, "network": "student body"}


def test_progress_is_between_nothing_and_all(runtime: Runtime) -> None:
    shares: list[float] = []

    def progress(task: str, share: float) -> bool:
        assert task
        shares.append(share)
        return True

    networks = [first_network(), second_network()]
    runtime.prepare(networks, progress)
    for network in networks:
        runtime.open(network, progress).close()
    assert all(0.0 <= share <= 1.0 for share in shares)


def test_sessions_run_at_the_same_time(runtime: Runtime) -> None:
    lanes = Lanes(runtime.lanes)
    sessions = [runtime.open(first_network(alone=False)) for _ in range(4)]
    for _ in range(5):
        jobs = [partial(session.run, {"x": X * number}) for number, session in enumerate(sessions)]
        for number, results in enumerate(lanes.run(jobs)):
            assert np.abs(results["sines"] - np.sin(X * number @ W)).max() < 2 * NEAR
    for session in sessions:
        session.close()
    lanes.close()


def student_pictures(runtime: Runtime, precision: str) -> tuple[list[Picture], Displacement]:
    """Two pictures that differ in the body only, one with another face, the first again, whose face is remembered;
    and the motion from the first to the second."""
    weights, picture = small_character()
    regions = Regions(Split.exactly(figure()), Split.exactly(whole_face()))
    model = StudentModel(weights, picture, regions, runtime, SIZE, precision)
    made = [np.zeros((SIZE, SIZE, 4), np.uint8) for _ in range(4)]
    for pose, out in zip((*POSES, POSES[0]), made, strict=True):
        model.render(pose, out)
    motion = model.motion([POSES[0]], POSES[1])
    model.close()
    return made, motion


@pytest.fixture(scope="module")
def wanted() -> tuple[list[Picture], Displacement]:
    """By the processor."""
    return student_pictures(processor(), FULL)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_student_looks_and_moves_as_on_the_processor(
    runtime: Runtime, precision: str, wanted: tuple[list[Picture], Displacement]
) -> None:
    made, motion = student_pictures(runtime, precision)
    for found, expected in zip(made, wanted[0], strict=True):
        assert psnr_db(found, expected) >= LEAST_DB[precision]
        assert (found[:, :, :3] <= found[:, :, 3:]).all()
    assert psnr_db(made[0], made[3]) > 60.0
    assert psnr_db(made[0], made[1]) < 30.0
    assert psnr_db(made[0], made[2]) < 30.0
    assert np.abs(wanted[1]).max() * SIZE > 5.0
    assert np.abs(motion - wanted[1]).max() * SIZE < 0.25
