"""The part of TensorRT's Python interface that is used here, as types.

The wheels carry none. ``tensorrt`` 10.16 and 11 and TensorRT for RTX share these names; a test holds every one of them
against whichever module is installed. What only one of them has says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, SupportsIndex, TypeAlias

Buffer: TypeAlias = bytes | memoryview


class HostMemory(Protocol):
    """Bytes the library owns; has the buffer interface."""

    @property
    def nbytes(self) -> int:
        """Their number."""
        ...

    def __buffer__(self, flags: int, /) -> memoryview:
        """Its bytes."""
        ...


class ParserProblem(Protocol):
    """One complaint of the parser. ``node()`` is -1 and the names are empty where it is about no node."""

    def desc(self) -> str:
        """In words."""
        ...

    def node(self) -> int:
        """The node's number in the graph."""
        ...

    def node_name(self) -> str:
        """The node's name, which ONNX lets be empty."""
        ...

    def node_operator(self) -> str:
        """The node's operator: ``GridSample``."""
        ...


class Parser(Protocol):
    """Reads ONNX into a network. The network's weights live in it, so it must outlive the build."""

    @property
    def num_errors(self) -> int:
        """Of the last ``parse``."""
        ...

    def get_error(self, index: int, /) -> ParserProblem:
        """One of them."""
        ...

    def parse(self, model: Buffer, /) -> bool:
        """False when it could not. Takes almost anything for a network without nodes."""
        ...


class Tensor(Protocol):
    """An input or output of a network that is not built yet."""

    name: str
    shape: Sequence[int]
    """Unknown sizes are -1. An input's can be set."""


class Definition(Protocol):
    """A network that is not built yet."""

    @property
    def num_inputs(self) -> int:
        """How many inputs."""
        ...

    @property
    def num_outputs(self) -> int:
        """How many outputs."""
        ...

    def get_input(self, index: int, /) -> Tensor:
        """By number."""
        ...

    def get_output(self, index: int, /) -> Tensor:
        """By number."""
        ...


class TimingCache(Protocol):
    """What layers took on this card. Does nothing in TensorRT for RTX."""

    def serialize(self) -> HostMemory:
        """To keep."""
        ...


class BuilderConfig(Protocol):
    """How a network is built."""

    progress_monitor: object
    builder_optimization_level: int
    hardware_compatibility_level: object
    """Not in TensorRT for RTX, where setting it is ignored with a warning."""
    num_compute_capabilities: int
    """TensorRT for RTX only; 0 is the library's own choice."""

    def set_memory_pool_limit(self, pool: object, pool_size: int, /) -> None:
        """Most bytes of a pool."""
        ...

    def set_flag(self, flag: object, /) -> None:
        """Switch on."""
        ...

    def clear_flag(self, flag: object, /) -> None:
        """Switch off."""
        ...

    def set_compute_capability(self, capability: object, index: int, /) -> bool:
        """TensorRT for RTX only."""
        ...

    def create_timing_cache(self, serialized: Buffer, /) -> TimingCache | None:
        """From what was kept, or from nothing (``b""``)."""
        ...

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool, /) -> bool:
        """Use it, and fill it."""
        ...


class Builder(Protocol):
    """Makes engines."""

    def create_network(self, flags: int, /) -> Definition:
        """An empty network."""
        ...

    def create_builder_config(self) -> BuilderConfig:
        """The library's defaults."""
        ...

    def build_serialized_network(self, network: Definition, config: BuilderConfig, /) -> HostMemory | None:
        """The engine as bytes; None when it failed or was stopped. Gives Python's lock back meanwhile."""
        ...


class RuntimeCache(Protocol):
    """Kernels finished for this card. TensorRT for RTX only."""

    def serialize(self) -> HostMemory:
        """To keep."""
        ...

    def deserialize(self, blob: Buffer, /) -> bool:
        """False, and nothing loaded, when they are for another card, driver or version."""
        ...


class RuntimeConfig(Protocol):
    """How an engine is made ready. What is used of it exists in TensorRT for RTX only."""

    cuda_graph_strategy: object

    def create_runtime_cache(self) -> RuntimeCache:
        """An empty one."""
        ...

    def set_runtime_cache(self, cache: RuntimeCache, /) -> bool:
        """Use it, and fill it."""
        ...


class Context(Protocol):
    """An engine with the memory it computes in. Used from one thread at a time."""

    def set_tensor_address(self, name: str, memory: int, /) -> bool:
        """Where an input is read or an output written on the device."""
        ...

    def execute_async_v3(self, stream_handle: int, /) -> bool:
        """Put one computation on the stream."""
        ...


class Engine(Protocol):
    """A network made for a device."""

    @property
    def num_io_tensors(self) -> int:
        """Inputs and outputs together."""
        ...

    def get_tensor_name(self, index: int, /) -> str:
        """By number."""
        ...

    def get_tensor_mode(self, name: str, /) -> object:
        """A ``TensorIOMode``."""
        ...

    def get_tensor_location(self, name: str, /) -> object:
        """A ``TensorLocation``: host for values that steer shapes."""
        ...

    def get_tensor_shape(self, name: str, /) -> Sequence[int]:
        """Its shape."""
        ...

    def get_tensor_dtype(self, name: str, /) -> object:
        """A ``DataType``; ``nptype`` turns it into numpy's."""
        ...

    def create_runtime_config(self) -> RuntimeConfig:
        """The library's defaults."""
        ...

    def create_execution_context(self, runtime_config: RuntimeConfig = ..., /) -> Context | None:
        """None when there is not enough memory or the card cannot run it."""
        ...


class EngineRuntime(Protocol):
    """Opens engines."""

    @property
    def engine_header_size(self) -> int:
        """How many bytes of an engine tell whether it fits. TensorRT for RTX only."""
        ...

    def get_engine_validity(self, buffer: Buffer, /) -> tuple[object, int]:
        """An ``EngineValidity`` and a sum of ``EngineInvalidityDiagnostics``. TensorRT for RTX only."""
        ...

    def deserialize_cuda_engine(self, serialized_engine: Buffer, /) -> Engine | None:
        """None when it is damaged or for something else."""
        ...


class Choices(Protocol):
    """An enumeration: members by name, countable."""

    @property
    def __members__(self) -> dict[str, SupportsIndex]:
        """All members."""
        ...


class TensorRTModule(Protocol):
    """The module itself. Its classes are named here as they are there; those to inherit from stay untyped."""

    __version__: str
    ILogger: Any
    IProgressMonitor: Any
    Builder: Callable[[Any], Builder]
    OnnxParser: Callable[[Any, Any], Parser]
    Runtime: Callable[[Any], EngineRuntime]
    nptype: Callable[[object], type[Any]]
    NetworkDefinitionCreationFlag: Choices
    BuilderFlag: Choices
    MemoryPoolType: Choices
    TensorIOMode: Choices
    TensorLocation: Choices
    HardwareCompatibilityLevel: Choices
    ComputeCapability: Choices
    """TensorRT for RTX only."""
    CudaGraphStrategy: Choices
    """TensorRT for RTX only."""
    EngineValidity: Choices
    """TensorRT for RTX only."""
    EngineInvalidityDiagnostics: Choices
    """TensorRT for RTX only."""
