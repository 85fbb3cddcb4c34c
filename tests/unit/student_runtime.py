"""A runtime for the student's tests: ONNX Runtime on the processor, watched, and able to pass for a graphics card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from accel.base import Array, Device, DeviceTensor, Network, Progress, Session, TensorSpec
from accel.onnxruntime.options import CPU_NAME, CpuOptions
from accel.onnxruntime.runtime import OrtRuntime
from models.student.model import StudentModel


def processor(threads: int = 1) -> OrtRuntime:
    """The real runtime."""
    return OrtRuntime(CPU_NAME, Device(CPU_NAME, 0, "processor"), CpuOptions(threads))


class WatchedTensor:
    """Memory that only sessions of its runtime should look into; ``reads`` counts what is fetched from it."""

    def __init__(self, inner: DeviceTensor, runtime: WatchedRuntime) -> None:
        self.inner, self._runtime = inner, runtime

    @property
    def shape(self) -> tuple[int, ...]:
        return self.inner.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.inner.dtype

    def read(self) -> Array:
        self._runtime.reads += 1
        return self.inner.read()

    def write(self, content: Array) -> None:
        self._runtime.crossed["write", content.shape] += 1
        self.inner.write(content)


class WatchedSession:
    """Notes what it is given as an array and what it gives back as one."""

    def __init__(self, name: str, inner: Session, runtime: WatchedRuntime) -> None:
        self._name, self._inner, self._runtime = name, inner, runtime
        self._closed = False

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        return self._inner.inputs

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        return self._inner.outputs

    def run(
        self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor] | None = None
    ) -> dict[str, Array]:
        self._runtime.runs[self._name] += 1
        left = self._runtime.runs_left.get(self._name)
        if left == 0:
            for place in (into or {}).values():  # nobody knows how far it came
                self._own(place).write(np.full(place.shape, np.nan, place.dtype))
            raise MemoryError(self._name)
        if left is not None:
            self._runtime.runs_left[self._name] = left - 1
        given = {name: self._bare(name, value) for name, value in inputs.items()}
        places = {name: self._own(value) for name, value in (into or {}).items()}
        results = self._inner.run(given, places)
        for name, result in results.items():
            self._runtime.crossed[name, result.shape] += 1
        return results

    def close(self) -> None:
        self._inner.close()
        if not self._closed:
            self._runtime.open_sessions -= 1
        self._closed = True

    def _bare(self, name: str, value: Array | DeviceTensor) -> Array | DeviceTensor:
        if isinstance(value, np.ndarray):
            self._runtime.crossed[name, value.shape] += 1
            return value
        return self._own(value)

    def _own(self, value: DeviceTensor) -> DeviceTensor:
        assert isinstance(value, WatchedTensor)
        return value.inner


class WatchedRuntime:
    """Counts runs by network, arrays that cross by name and shape, tensors, reads of them, and sessions that are open;
    keeps the networks it was asked to prepare and to open.

    ``fails_at``: the number of the opening (1, 2, ...) that is refused. ``runs_left``: by network, how many runs are
    left before one fails.
    """

    name = CPU_NAME
    device = Device(CPU_NAME, 0, "watched")

    def __init__(self, on_host: bool = True, threads: int = 1) -> None:
        self.on_host = on_host
        self.lanes = threads if on_host else 1
        self.builds_engines = False
        self.runs: Counter[str] = Counter()
        self.crossed: Counter[tuple[str, tuple[int, ...]]] = Counter()
        self.reads = 0
        self.tensors = 0
        self.prepared: list[Network] = []
        self.networks: list[Network] = []
        self.open_sessions = 0
        self.fails_at = 0
        self.runs_left: dict[str, int] = {}
        self._inner = processor(threads)

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        self.prepared += networks
        if progress is not None:
            progress("building", 1.0)

    def open(self, network: Network, progress: Progress | None = None) -> WatchedSession:
        self.networks.append(network)
        if len(self.networks) == self.fails_at:
            raise MemoryError(network.name)
        made = WatchedSession(network.name.removeprefix("student "), self._inner.open(network, progress), self)
        self.open_sessions += 1
        return made

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> WatchedTensor:
        self.tensors += 1
        return WatchedTensor(self._inner.allocate(shape, dtype), self)

    def close(self) -> None:
        self._inner.close()

    def taken_runs(self) -> dict[str, int]:
        """Runs since the last call."""
        taken = dict(self.runs)
        self.runs.clear()
        return taken


class ForbiddenRuntime(WatchedRuntime):
    """For what should be known already."""

    def open(self, network: Network, progress: Progress | None = None) -> WatchedSession:
        raise AssertionError(f"{network.name} is not needed")


def closed_twice(made: StudentModel, runtime: WatchedRuntime) -> Iterator[StudentModel]:
    """What a fixture gives: a model that is closed afterwards, and leaves no session open."""
    yield made
    made.close()
    made.close()
    assert runtime.open_sessions == 0
