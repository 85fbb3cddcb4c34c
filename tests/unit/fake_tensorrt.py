"""TensorRT as its Python module shows it, computing in the fake CUDA's memory.

A "model" is JSON: inputs and outputs of one shape by name, ``unsupported`` nodes. Every output is twice the sum of the
inputs. An "engine" is the same JSON with a mark before it.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from accel.base import Network
from tests.unit.fake_cuda import FakeCuda

MARK = b"fake engine "
SHAPE = (2, 3)

CreationFlag = IntEnum("CreationFlag", {"STRONGLY_TYPED": 1})
BuilderFlag = IntEnum("BuilderFlag", {"TF32": 5})
MemoryPoolType = IntEnum("MemoryPoolType", {"WORKSPACE": 0})
TensorIOMode = IntEnum("TensorIOMode", {"NONE": 0, "INPUT": 1, "OUTPUT": 2})
TensorLocation = IntEnum("TensorLocation", {"DEVICE": 0, "HOST": 1})
CompatibilityLevel = IntEnum("CompatibilityLevel", {"NONE": 0, "AMPERE_PLUS": 1, "SAME_COMPUTE_CAPABILITY": 2})
ComputeCapability = IntEnum("ComputeCapability", {"SM75": 1, "SM86": 2, "SM89": 3})
CudaGraphStrategy = IntEnum("CudaGraphStrategy", {"DISABLED": 0, "WHOLE_GRAPH_CAPTURE": 1})
EngineValidity = IntEnum("EngineValidity", {"VALID": 0, "SUBOPTIMAL": 1, "INVALID": 2})
Invalidity = IntEnum(
    "Invalidity",
    {"VERSION_MISMATCH": 1, "UNSUPPORTED_CC": 2, "OLD_CUDA_DRIVER": 4, "OLD_CUDA_RUNTIME": 8,
     "INSUFFICIENT_GPU_MEMORY": 16, "MALFORMED_ENGINE": 32, "CUDA_ERROR": 64},
)  # fmt: skip


def network(name: str = "small", inputs: str = "x", outputs: str = "y", **more: Any) -> Network:
    """A model with inputs and outputs of one letter each."""
    return Network(name, json.dumps({"inputs": list(inputs), "outputs": list(outputs), **more}).encode())


class HostMemory(bytes):
    """Bytes that know their number."""

    @property
    def nbytes(self) -> int:
        return len(self)


class Problem:
    """One of the parser's complaints."""

    def __init__(self, operator: str, number: int) -> None:
        self._operator, self._number = operator, number

    def desc(self) -> str:
        return "Plugin not found"

    def node(self) -> int:
        return self._number

    def node_name(self) -> str:
        return f"node_{self._number}"

    def node_operator(self) -> str:
        return self._operator


@dataclass
class Tensor:
    name: str
    shape: Any


@dataclass
class Definition:
    model: dict[str, Any] = field(default_factory=lambda: {"inputs": [], "outputs": []})
    tensors: list[Tensor] = field(default_factory=list)

    @property
    def num_inputs(self) -> int:
        return len(self.model["inputs"])

    @property
    def num_outputs(self) -> int:
        return len(self.model["outputs"])

    def get_input(self, index: int) -> Tensor:
        return self.tensors[index]

    def get_output(self, index: int) -> Tensor:
        return Tensor(self.model["outputs"][index], SHAPE)


class Parser:
    def __init__(self, definition: Definition, logger: Any) -> None:
        self._definition = definition
        self._problems: list[Problem] = []

    @property
    def num_errors(self) -> int:
        return len(self._problems)

    def get_error(self, index: int) -> Problem:
        return self._problems[index]

    def parse(self, model: bytes | memoryview) -> bool:
        parsed = json.loads(bytes(model))
        self._problems = [Problem(name, number) for number, name in enumerate(parsed.get("unsupported", ()))]
        self._definition.model = parsed
        self._definition.tensors = [Tensor(name, parsed.get("shape", SHAPE)) for name in parsed["inputs"]]
        return not self._problems


class TimingCache:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> HostMemory:
        return HostMemory(self.content)


class Config:
    def __init__(self, module: FakeTensorRT) -> None:
        self._module = module
        self.progress_monitor: Any = None
        self.builder_optimization_level = 3
        self.hardware_compatibility_level: object = CompatibilityLevel.NONE
        self.num_compute_capabilities = 0
        self.pools: dict[object, int] = {}
        self.flags: set[object] = {BuilderFlag.TF32}
        self.capabilities: dict[int, object] = {}
        self.timings: Any = None

    def set_memory_pool_limit(self, pool: object, pool_size: int) -> None:
        self.pools[pool] = pool_size

    def set_flag(self, flag: object) -> None:
        self.flags.add(flag)

    def clear_flag(self, flag: object) -> None:
        self.flags.discard(flag)

    def set_compute_capability(self, capability: object, index: int) -> bool:
        self.capabilities[index] = capability
        return True

    def create_timing_cache(self, serialized: bytes | memoryview) -> TimingCache | None:
        return TimingCache(bytes(serialized))

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        if cache.content == self._module.unfit_timings:
            return False
        self.timings = cache
        return True


class Builder:
    def __init__(self, module: FakeTensorRT) -> None:
        self._module = module

    def create_network(self, flags: int) -> Definition:
        assert flags == 1 << CreationFlag.STRONGLY_TYPED
        return Definition()

    def create_builder_config(self) -> Config:
        return Config(self._module)

    def build_serialized_network(self, network: Any, config: Any) -> HostMemory | None:
        self._module.builds.append(config)
        monitor = config.progress_monitor
        monitor.phase_start("Building", None, 4)
        for step in range(4):
            if config.timings is not None:
                config.timings.content += b"t"
            if not monitor.step_complete("Building", step):
                monitor.phase_finish("Building")
                return None
        monitor.phase_finish("Building")
        if self._module.build_fails:
            self._module.logger.log(1, "Error Code 10:\n no implementation")
            return None
        return HostMemory(MARK + json.dumps(network.model).encode())


class RuntimeCache:
    def __init__(self, module: FakeTensorRT) -> None:
        self._module = module
        self.content = b""

    def serialize(self) -> HostMemory:
        waiting = sum(len(stream.waiting) for stream in self._module.cuda.streams.values())
        self._module.serialized_with_waiting.append(waiting)
        return HostMemory(self.content)

    def deserialize(self, blob: bytes | memoryview) -> bool:
        if bytes(blob) != b"kernels":
            return False
        self.content = bytes(blob)
        self._module.kernels_reused += 1
        return True


class RuntimeConfig:
    def __init__(self, module: FakeTensorRT) -> None:
        self._module = module
        self.cuda_graph_strategy: object = CudaGraphStrategy.DISABLED
        self.cache: Any = None

    def create_runtime_cache(self) -> RuntimeCache:
        return RuntimeCache(self._module)

    def set_runtime_cache(self, cache: Any) -> bool:
        self.cache = cache
        return True


class Context:
    """Computes when the stream gets there, from where its tensors lay when it was put on the stream."""

    def __init__(self, engine: Engine, config: RuntimeConfig | None) -> None:
        self.engine, self.config = engine, config
        self.addresses: dict[str, int] = {}
        self.address_calls = 0
        self.enqueues: list[int] = []

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self.address_calls += 1
        self.addresses[name] = memory
        return name not in self.engine.module.bad_tensors

    def execute_async_v3(self, stream_handle: int) -> bool:
        module, model = self.engine.module, self.engine.model
        self.enqueues.append(stream_handle)
        if module.enqueue_fails or module.cuda.last_error:
            module.logger.log(1, f"enqueue refused, last error {module.cuda.last_error}")
            return False
        if self.config is not None and self.config.cache is not None:
            self.config.cache.content = b"kernels"
        addresses = dict(self.addresses)

        def compute() -> None:
            total = sum(_look(addresses[name]).copy() for name in model["inputs"])
            for name in model["outputs"]:
                _look(addresses[name])[:] = total * np.float32(2)

        module.cuda.stream(stream_handle).put(compute)
        return True


class Engine:
    def __init__(self, module: FakeTensorRT, model: dict[str, Any]) -> None:
        self.module, self.model = module, model
        self.contexts: list[Context] = []

    @property
    def num_io_tensors(self) -> int:
        return len(self.model["inputs"]) + len(self.model["outputs"])

    def get_tensor_name(self, index: int) -> str:
        return str([*self.model["inputs"], *self.model["outputs"]][index])

    def get_tensor_mode(self, name: str) -> object:
        return TensorIOMode.INPUT if name in self.model["inputs"] else TensorIOMode.OUTPUT

    def get_tensor_location(self, name: str) -> object:
        return TensorLocation.HOST if name in self.model.get("on_host", ()) else TensorLocation.DEVICE

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return SHAPE

    def get_tensor_dtype(self, name: str) -> object:
        return self.model.get("dtype", "float32")

    def create_runtime_config(self) -> RuntimeConfig:
        return RuntimeConfig(self.module)

    def create_execution_context(self, runtime_config: Any = None) -> Context | None:
        if self.module.no_context:
            return None
        self.contexts.append(Context(self, runtime_config))
        return self.contexts[-1]


class Runtime:
    engine_header_size = 16

    def __init__(self, module: FakeTensorRT) -> None:
        self._module = module

    def get_engine_validity(self, buffer: bytes | memoryview) -> tuple[object, int]:
        assert len(buffer) == self.engine_header_size
        return self._module.validities.pop(0) if self._module.validities else (EngineValidity.VALID, 0)

    def deserialize_cuda_engine(self, serialized_engine: bytes | memoryview) -> Engine | None:
        content = bytes(serialized_engine)
        if self._module.refused_engines > 0:
            self._module.refused_engines -= 1
            return None
        engine = Engine(self._module, json.loads(content.removeprefix(MARK)))
        self._module.engines.append(engine)
        return engine


class ILogger:
    pass


class IProgressMonitor:
    pass


class FakeTensorRT:
    """The module. Attributes in small letters steer it and tell what happened."""

    __version__ = "11.4.0"
    ILogger: Any = ILogger
    IProgressMonitor: Any = IProgressMonitor
    NetworkDefinitionCreationFlag: Any = CreationFlag
    BuilderFlag: Any = BuilderFlag
    MemoryPoolType: Any = MemoryPoolType
    TensorIOMode: Any = TensorIOMode
    TensorLocation: Any = TensorLocation
    HardwareCompatibilityLevel: Any = CompatibilityLevel
    ComputeCapability: Any = ComputeCapability
    CudaGraphStrategy: Any = CudaGraphStrategy
    EngineValidity: Any = EngineValidity
    EngineInvalidityDiagnostics: Any = Invalidity

    def __init__(self, cuda: FakeCuda | None = None) -> None:
        self.cuda = cuda or FakeCuda()
        self.logger: Any = None
        self.builds: list[Config] = []
        self.engines: list[Engine] = []
        self.build_fails = False
        self.refused_engines = 0
        self.validities: list[tuple[object, int]] = []
        self.unfit_timings: bytes | None = None
        self.no_context = self.enqueue_fails = False
        self.no_runtime = False
        self.bad_tensors: set[str] = set()
        self.serialized_with_waiting: list[int] = []
        self.kernels_reused = 0
        self.Builder: Callable[[Any], Any] = self._builder
        self.OnnxParser: Callable[[Any, Any], Any] = Parser
        self.Runtime: Callable[[Any], Any] = self._runtime
        self.nptype: Callable[[object], type[Any]] = _nptype

    @property
    def context(self) -> Context:
        """The newest."""
        return self.engines[-1].contexts[-1]

    def _builder(self, logger: Any) -> Builder:
        self.logger = logger
        return Builder(self)

    def _runtime(self, logger: Any) -> Runtime:
        self.logger = logger
        if self.no_runtime:
            raise TypeError("factory function returned nullptr")
        return Runtime(self)


def _look(address: int) -> Any:
    count = int(np.prod(SHAPE))
    return np.frombuffer((ctypes.c_float * count).from_address(address), np.float32)


def _nptype(dtype: object) -> type[Any]:
    if dtype == "bf16":
        raise TypeError("no equivalent")
    return {"float32": np.float32}[str(dtype)]
