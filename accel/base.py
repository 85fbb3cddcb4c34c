"""What every runtime can do: tell its device, open networks on it, keep tensors there, run.

A network is ONNX bytes with a name for people. A session is one network on one device. Tensors that only the next
session reads stay on the device: the caller allocates them once and names them as the place of an output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

Progress: TypeAlias = Callable[[str, float], bool]
"""Called with what is being done and how far it is (0..1); answers False when the work shall stop."""

FULL, HALF = "full", "half"
PRECISIONS = (FULL, HALF)
"""float32 and float16. A network's own inputs and outputs say what they are; this is what is computed in."""


@dataclass(frozen=True, slots=True)
class Device:
    """Something that computes. ``index`` is the number the runtime knows it by."""

    runtime: str
    """Name of the runtime in the registry."""
    index: int
    name: str
    """As its maker calls it: ``NVIDIA GeForce RTX 3060``."""
    memory_bytes: int = 0
    """Its own memory; 0 when it has none or does not tell."""
    driver: str = ""
    """The driver's version where the runtime tells it."""

    @property
    def key(self) -> str:
        """What a verdict or an engine made on it is kept under."""
        return f"{self.runtime}|{self.name}|{self.driver}"


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape and type of an input or output. Shapes are fixed, so every size is a number."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Network:
    """An ONNX model. ``name`` is for people: ``student body``."""

    name: str
    content: bytes
    alone: bool = True
    """False for one of several that run at the same time, each on a thread: on a processor it gets one thread."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class DeviceTensor(Protocol):
    """Memory on a runtime's device, of one shape and type. Belongs to the runtime that allocated it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its type."""
        ...

    def read(self) -> Array:
        """A copy in the computer's own memory."""
        ...

    def write(self, content: Array) -> None:
        """Copy content of the same shape and type to the device."""
        ...


class Session(Protocol):
    """One network, ready to run. Used from one thread at a time."""

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """By name."""
        ...

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """By name."""
        ...

    def run(
        self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor] | None = None
    ) -> dict[str, Array]:
        """Compute. Outputs named in ``into`` are left in those tensors; all others come back as arrays.

        Raises RuntimeFailed when the runtime reports an error, ValueError when an input is not of its shape and type.
        """
        ...

    def close(self) -> None:
        """Give the device's memory back; safe to call twice."""
        ...


class Runtime(Protocol):
    """A runtime on one device."""

    @property
    def name(self) -> str:
        """As in the registry: ``onnxruntime_cpu``."""
        ...

    @property
    def device(self) -> Device:
        """What it computes on."""
        ...

    @property
    def on_host(self) -> bool:
        """Does it compute in the computer's own memory, so that keeping tensors "on the device" saves nothing?"""
        ...

    @property
    def lanes(self) -> int:
        """How many sessions gain by running at the same time, each on a thread of its own: 1 on a graphics card."""
        ...

    @property
    def builds_engines(self) -> bool:
        """Does opening a network for the first time take long, so that what runs only once had better run elsewhere?"""
        ...

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        """Do what takes long for networks that are about to be opened (engines are built), with one progress over all
        of them. Does nothing where opening is quick. Raises what :meth:`open` raises."""
        ...

    def open(self, network: Network, progress: Progress | None = None) -> Session:
        """Make a network ready. May take long (engines are built): call it off the render loop.

        Raises NetworkRefused when operators are missing, ModelFileBad when it is no usable network, RuntimeFailed,
        BuildStopped when ``progress`` asked to stop.
        """
        ...

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceTensor:
        """Memory on the device, zeroed."""
        ...

    def close(self) -> None:
        """Give everything back; safe to call twice."""
        ...
