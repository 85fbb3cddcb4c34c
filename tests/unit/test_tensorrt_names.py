"""Every name that is used of TensorRT and of CUDA exists in the real modules, as far as they are installed."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from accel.tensorrt import api, cuda_api
from accel.tensorrt.library import MODULES
from accel.tensorrt.options import TENSORRT
from core.wire.folders import PROJECT
from tests.unit.fake_cuda import FakeCuda
from tests.unit.fake_tensorrt import FakeTensorRT

_REAL_CLASS = {
    "HostMemory": "IHostMemory",
    "ParserProblem": "ParserError",
    "Parser": "OnnxParser",
    "Tensor": "ITensor",
    "Definition": "INetworkDefinition",
    "TimingCache": "ITimingCache",
    "BuilderConfig": "IBuilderConfig",
    "Builder": "Builder",
    "RuntimeCache": "IRuntimeCache",
    "RuntimeConfig": "IRuntimeConfig",
    "Context": "IExecutionContext",
    "Engine": "ICudaEngine",
    "EngineRuntime": "Runtime",
}
_RTX_ONLY = {
    "num_compute_capabilities", "set_compute_capability", "RuntimeCache", "cuda_graph_strategy", "create_runtime_cache",
    "set_runtime_cache", "engine_header_size", "get_engine_validity", "ComputeCapability", "CudaGraphStrategy",
    "EngineValidity", "EngineInvalidityDiagnostics",
}  # fmt: skip
_MEMBERS = {
    "NetworkDefinitionCreationFlag": ["STRONGLY_TYPED"],
    "BuilderFlag": ["TF32"],
    "MemoryPoolType": ["WORKSPACE"],
    "TensorIOMode": ["INPUT", "OUTPUT"],
    "TensorLocation": ["DEVICE"],
    "HardwareCompatibilityLevel": ["AMPERE_PLUS", "SAME_COMPUTE_CAPABILITY"],
    "ComputeCapability": ["SM75", "SM86", "SM89"],
    "CudaGraphStrategy": ["DISABLED", "WHOLE_GRAPH_CAPTURE"],
    "EngineValidity": ["INVALID"],
    "EngineInvalidityDiagnostics": [
        "VERSION_MISMATCH", "MALFORMED_ENGINE", "UNSUPPORTED_CC", "OLD_CUDA_DRIVER", "OLD_CUDA_RUNTIME",
    ],
}  # fmt: skip


def _real(kind: str) -> ModuleType:
    for name in MODULES[kind]:
        if importlib.util.find_spec(name) is not None:
            return importlib.import_module(name)
    pytest.skip(f"{' or '.join(MODULES[kind])} is not installed")


def _protocols() -> Iterator[tuple[str, set[str]]]:
    for name, kind in vars(api).items():
        if inspect.isclass(kind) and kind.__module__ == api.__name__ and name not in ("TensorRTModule", "Choices"):
            members = {*vars(kind), *inspect.get_annotations(kind)}
            yield name, {member for member in members if not member.startswith("_")}


def _missing(module: Any, with_rtx: bool) -> set[str]:
    missing = set()
    for name, members in _protocols():
        if not with_rtx and name in _RTX_ONLY:
            continue
        real = getattr(module, _REAL_CLASS[name])
        missing |= {f"{name}.{member}" for member in members if not hasattr(real, member)}
    missing |= {name for name in inspect.get_annotations(api.TensorRTModule) if not hasattr(module, name)}
    for name, wanted in _MEMBERS.items():
        there = getattr(getattr(module, name, None), "__members__", {})
        missing |= {f"{name}.{member}" for member in wanted if member not in there}
    return missing


@pytest.mark.parametrize("kind", MODULES)
def test_the_real_module_has_every_name(kind: str) -> None:
    missing = _missing(_real(kind), with_rtx=kind != TENSORRT)
    allowed = _RTX_ONLY if kind == TENSORRT else set[str]()
    assert {name for name in missing if not {*name.split(".")} & allowed} == set()


def test_a_name_that_is_not_there_is_found_out() -> None:
    """The comparison itself works: an empty module lacks the parser, the builder and all members."""
    empty = ModuleType("empty")
    for real in _REAL_CLASS.values():
        setattr(empty, real, type(real, (), {}))
    missing = _missing(empty, with_rtx=True)
    assert {"Parser.parse", "Builder.create_network", "BuilderFlag.TF32", "nptype"} <= missing


def test_every_protocol_has_its_real_class() -> None:
    assert {name for name, _ in _protocols()} == set(_REAL_CLASS)


def test_the_real_cuda_has_every_function() -> None:
    if importlib.util.find_spec("cuda") is None or importlib.util.find_spec("cuda.bindings") is None:
        pytest.skip("cuda.bindings is not installed")
    runtime = importlib.import_module("cuda.bindings.runtime")
    names = set(inspect.get_annotations(cuda_api.CudaRuntime))
    assert {name for name in names if not hasattr(runtime, name)} == set()
    for protocol, real in (
        (cuda_api.DeviceProperties, runtime.cudaDeviceProp()),
        (cuda_api.CopyKinds, runtime.cudaMemcpyKind),
        (cuda_api.CaptureModes, runtime.cudaStreamCaptureMode),
    ):
        assert {name for name in inspect.get_annotations(protocol) if not hasattr(real, name)} == set()
    numbers = {
        "cudaDeviceScheduleBlockingSync": 4,
        "cudaInitDeviceFlagsAreValid": 1,
        "cudaStreamNonBlocking": 1,
    }
    assert {name: int(getattr(runtime, name)) for name in numbers} == numbers
    errors = runtime.cudaError_t
    assert (int(errors.cudaErrorNoDevice), int(errors.cudaErrorInsufficientDriver)) == (100, 35)


def test_the_fakes_have_every_name_and_no_other_function() -> None:
    cuda = FakeCuda()
    names = set(inspect.get_annotations(cuda_api.CudaRuntime))
    assert {name for name in dir(cuda) if name.startswith("cuda")} == names
    module: api.TensorRTModule = FakeTensorRT()
    assert {name for name in inspect.get_annotations(api.TensorRTModule) if not hasattr(module, name)} == set()


def test_looking_loads_nothing_heavy() -> None:
    program = (
        "import sys; import accel.tensorrt as t; [t.unavailable(kind) for kind in ('tensorrt', 'tensorrt_rtx', 'x')];"
        "heavy = [name for name in sys.modules if name.split('.')[0].startswith(('tensorrt', 'pycuda'))"
        " or name.startswith('cuda.bindings.')]; print(heavy)"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (told.stdout.strip(), told.stderr) == ("[]", "")
