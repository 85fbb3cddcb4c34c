"""The builder against the real TensorRT for RTX, which builds engines without any graphics card."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accel.base import HALF, Network
from accel.tensorrt.builder import EngineMaker
from accel.tensorrt.engine_cache import EngineCache
from accel.tensorrt.library import Library, load_library, module_name
from accel.tensorrt.options import TENSORRT_RTX, TensorRTRtxOptions
from accel.tensorrt.recipe import EngineRequest
from accel.tensorrt.seal import HEADER_BYTES
from core.wire.errors import BuildStopped, ModelFileBad, NetworkRefused
from core.wire.folders import PROJECT
from tests.data import data
from tests.unit.tensorrt_networks import convolutions

pytestmark = pytest.mark.skipif(
    module_name(TENSORRT_RTX) is None, reason="TensorRT for RTX is not installed (tests/requirements.txt, on Linux)"
)


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    yield load_library(TENSORRT_RTX)


class Counted:
    """A maker over a cache in a folder; counts the builds by the steps they tell."""

    def __init__(self, library: Library, folder: Path, options: TensorRTRtxOptions | None = None) -> None:
        self.cache = EngineCache(TENSORRT_RTX, folder / "cache", folder / "keys")
        self.maker = EngineMaker(library, options or TensorRTRtxOptions(), None, self.cache)
        self.told: list[tuple[str, float]] = []

    def progress(self, task: str, fraction: float) -> bool:
        self.told.append((task, fraction))
        return True

    def built(self, requests: list[EngineRequest]) -> list[str]:
        """Names of the networks of ``requests`` that were not in the cache."""
        before = len(self.told)
        self.maker.make_all(requests, self.progress)
        steps = [task for task, _ in self.told[before:]]
        # start and end are told for every engine, what is between only where one is built
        return [task for task in dict.fromkeys(steps) if steps.count(task) > 2]


def _file(bench: Counted, request: EngineRequest) -> Path:
    identity = bench.maker.identity(request)
    return bench.cache.folder / identity[:2] / f"{identity}.engine"


def test_an_engine_is_built_and_told_about(library: Library, tmp_path: Path) -> None:
    bench = Counted(library, tmp_path)
    request = EngineRequest(convolutions())
    assert bench.built([request]) == ["small (1/1)"]
    fractions = [fraction for _, fraction in bench.told]
    assert len(set(fractions)) > 10
    assert fractions == sorted(fractions) and (fractions[0], fractions[-1]) == (0.0, 1.0)
    engine = bench.cache.load(bench.maker.identity(request))
    assert isinstance(engine, memoryview) and len(engine) > 10_000


def test_the_same_network_is_not_built_again(library: Library, tmp_path: Path) -> None:
    request = EngineRequest(convolutions())
    assert Counted(library, tmp_path).built([request])
    assert Counted(library, tmp_path).built([request]) == []


def test_a_build_stopped_at_its_first_step_leaves_nothing(library: Library, tmp_path: Path) -> None:
    bench = Counted(library, tmp_path)
    request = EngineRequest(convolutions())
    with pytest.raises(BuildStopped) as problem:
        bench.maker.make_all([request], lambda task, fraction: fraction == 0.0)
    assert problem.value.parameters == {"network": "small"}
    assert bench.cache.entries() == [] and list(bench.cache.folder.glob("??/*")) == []
    assert bench.built([request]) == ["small (1/1)"]


def test_after_a_stop_only_the_missing_one_is_built(library: Library, tmp_path: Path) -> None:
    requests = [EngineRequest(convolutions("face")), EngineRequest(convolutions("body", layers=3))]
    bench = Counted(library, tmp_path)
    with pytest.raises(BuildStopped):
        bench.maker.make_all(requests, lambda task, fraction: fraction <= 0.6)
    assert Counted(library, tmp_path).built(requests) == ["body (2/2)"]


_KILLED = """
import os, sys
from pathlib import Path
from accel.tensorrt.builder import EngineMaker
from accel.tensorrt.engine_cache import EngineCache
from accel.tensorrt.library import load_library
from accel.tensorrt.options import TensorRTRtxOptions
from accel.tensorrt.recipe import EngineRequest
from tests.unit.tensorrt_networks import convolutions

def progress(task, fraction):
    if fraction > 0.7:
        os._exit(9)
    return True

folder = Path(sys.argv[1])
cache = EngineCache("tensorrt_rtx", folder / "cache", folder / "keys")
maker = EngineMaker(load_library("tensorrt_rtx"), TensorRTRtxOptions(), None, cache)
maker.make_all([EngineRequest(convolutions("face")), EngineRequest(convolutions("body", layers=3))], progress)
"""


def test_after_the_process_was_killed_only_the_missing_one_is_built(library: Library, tmp_path: Path) -> None:
    program = [sys.executable, "-c", _KILLED, str(tmp_path)]
    ended = subprocess.run(program, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (9, "")
    requests = [EngineRequest(convolutions("face")), EngineRequest(convolutions("body", layers=3))]
    assert Counted(library, tmp_path).built(requests) == ["body (2/2)"]


def test_what_changes_the_engine_makes_another(library: Library, tmp_path: Path) -> None:
    request = EngineRequest(convolutions())
    bench = Counted(library, tmp_path)
    bench.built([request])
    assert bench.built([EngineRequest(convolutions(seed=1))])
    assert bench.built([EngineRequest(convolutions(), precision=HALF)])
    assert Counted(library, tmp_path, TensorRTRtxOptions(optimization_level=1)).built([request])
    assert Counted(library, tmp_path, TensorRTRtxOptions(compute_capabilities=("7.5", "8.9"))).built([request])
    assert len(bench.cache.entries()) == 5


@pytest.mark.parametrize("at", [3, HEADER_BYTES + 5000, None], ids=["header", "plan", "end"])
def test_a_damaged_engine_is_built_again(library: Library, tmp_path: Path, at: int | None) -> None:
    bench = Counted(library, tmp_path)
    request = EngineRequest(convolutions())
    bench.built([request])
    file = _file(bench, request)
    content = bytearray(file.read_bytes())
    if at is None:
        del content[-1]
    else:
        content[at] ^= 0x10
    file.write_bytes(content)
    assert bench.built([request]) == ["small (1/1)"]
    assert bench.built([request]) == []


def test_an_engine_somebody_else_made_is_built_again(library: Library, tmp_path: Path) -> None:
    request = EngineRequest(convolutions())
    theirs, ours = Counted(library, tmp_path / "theirs"), Counted(library, tmp_path / "ours")
    theirs.built([request])
    _file(ours, request).parent.mkdir(mode=0o700)
    _file(ours, request).write_bytes(_file(theirs, request).read_bytes())
    assert ours.built([request]) == ["small (1/1)"]


def test_an_operator_it_does_not_have_is_named(library: Library, tmp_path: Path) -> None:
    bench = Counted(library, tmp_path)
    with pytest.raises(NetworkRefused) as problem:
        bench.built([EngineRequest(convolutions("body", operator="Wobble"))])
    assert problem.value.parameters == {"runtime": TENSORRT_RTX, "network": "body", "operators": "Wobble"}
    assert "act1 [Wobble]" in problem.value.detail


def test_types_that_do_not_agree_are_refused_by_operator(library: Library, tmp_path: Path) -> None:
    """Networks are strongly typed: what is float16 and what is float32 is the network's own business."""
    import onnx

    model = onnx.load_from_string(convolutions("body").content)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    with pytest.raises(NetworkRefused) as problem:
        Counted(library, tmp_path).built([EngineRequest(Network("body", model.SerializeToString()))])
    assert problem.value.parameters["operators"] == "Conv"


@pytest.mark.parametrize(
    "content", [b"", b"no network", convolutions().content[:-40]], ids=["empty", "text", "truncated"]
)
def test_what_is_no_network_is_told(library: Library, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelFileBad) as problem:
        Counted(library, tmp_path).built([EngineRequest(Network("body", content))])
    assert problem.value.parameters == {"file": "body", "reason": "not_a_network"}


def test_half_precision_comes_from_the_network(library: Library, tmp_path: Path) -> None:
    assert Counted(library, tmp_path).built([EngineRequest(convolutions(half=True), precision=HALF)])


def test_a_size_left_open_can_be_given(library: Library, tmp_path: Path) -> None:
    bench = Counted(library, tmp_path)
    model = convolutions("upscale", open_size=True)
    with pytest.raises(ModelFileBad) as problem:
        bench.built([EngineRequest(model)])
    assert problem.value.parameters["reason"] == "shape_not_fixed"
    assert bench.built([EngineRequest(model, {"x": (1, 3, 24, 24)})])


def test_the_library_logs_into_ours_and_stays_quiet(
    library: Library, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NetworkRefused):
        Counted(library, tmp_path).built([EngineRequest(convolutions(operator="Wobble"))])
    assert capfd.readouterr() == ("", "")
    assert any("Wobble" in record.getMessage() for record in caplog.records if record.levelname == "ERROR")


@pytest.mark.parametrize(
    "path",
    [
        "models/tha4_student/lambda_00/face_morpher.onnx",
        "models/tha4_student/lambda_00/body_morpher.onnx",
        "models/tha3/seperable/fp32/editor.onnx",
    ],
)
def test_real_networks_are_taken(library: Library, tmp_path: Path, path: str) -> None:
    file = data(path)
    bench = Counted(library, tmp_path)
    assert bench.built([EngineRequest(Network(file.stem, file.read_bytes()))]) == [f"{file.stem} (1/1)"]
    fractions = [fraction for _, fraction in bench.told]
    assert fractions == sorted(fractions) and len(set(fractions)) > 30
