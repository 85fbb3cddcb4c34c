"""One engine, ready to run: its tensors' places on the card, what is copied, and when it is waited for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from accel.base import Array, DeviceTensor, TensorSpec
from core.wire.errors import RuntimeFailed

from .api import Context, Engine
from .cuda_memory import Bytes, CudaCard, Graph
from .library import Library
from .tensors import CudaTensor, check_array, size_bytes

_log = logging.getLogger(__name__)

MAXIMUM_GRAPHS = 4
"""A recorded run is bound to its tensors' addresses. A caller that keeps changing them is not recorded for ever."""


class TensorRTSession:
    """One network. Its inputs and outputs have places of their own on the card, allocated once.

    All sessions of a runtime share one stream, so what one leaves on the card is there when the next reads it, without
    the processor waiting in between.
    """

    def __init__(
        self,
        library: Library,
        engine: Engine,
        context: Context,
        cuda: CudaCard,
        network: str,
        pinned_memory: bool = True,
        record_graphs: bool = False,
        keep_alive: object = None,
    ) -> None:
        """Allocates. ``record_graphs``: record runs here, where the library does not do it by itself. ``keep_alive``
        is whatever the context needs as long as it lives.

        Raises RuntimeFailed: no memory, or a tensor that is of no type numpy has or steers a shape.
        """
        self._library, self._cuda, self._network = library, cuda, network
        self._engine: Engine | None = engine
        self._context: Context | None = context
        self._record_graphs = record_graphs
        self._keep_alive = keep_alive
        self._graphs: dict[tuple[int, ...], Graph] = {}
        self._bound: dict[str, int] = {}
        self._in_flight = False
        self._places: dict[str, CudaTensor] = {}
        self._staging: dict[str, Bytes] = {}
        with self._named():
            self._inputs, self._outputs = _read_specs(library, engine, network)
            try:
                for spec in (*self._inputs.values(), *self._outputs.values()):
                    self._places[spec.name] = CudaTensor(cuda, spec.shape, spec.dtype)
                    if pinned_memory:
                        self._staging[spec.name] = cuda.pinned(size_bytes(spec.shape, spec.dtype))
            except RuntimeFailed:
                self.close()
                raise

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """By name."""
        return self._inputs

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """By name."""
        return self._outputs

    @property
    def closed(self) -> bool:
        """Has it given its memory back?"""
        return self._engine is None

    def run(
        self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor] | None = None
    ) -> dict[str, Array]:
        """Compute; see :class:`accel.base.Session`.

        When every output is left on the card, this returns before they are computed; what goes wrong then is raised by
        whoever waits next.
        """
        context = self._context
        if context is None:
            raise RuntimeFailed("the session is closed", runtime=self._library.kind, network=self._network)
        left = {name: self._on_this_card(name, tensor, self._outputs) for name, tensor in (into or {}).items()}
        given = {name: self._checked(name, inputs) for name in self._inputs}
        with self._named(), self._cuda.current():
            addresses = {name: self._put(name, value) for name, value in given.items()}
            addresses |= {name: left.get(name, self._places[name]).address for name in self._outputs}
            self._bind(context, addresses)
            self._enqueue(context, tuple(addresses.values()))
            self._in_flight = True
            return self._fetch([name for name in self._outputs if name not in left])

    def warm_up(self) -> None:
        """One run on zeros, waited for: what is made on first use is made now and not in the first frame."""
        self.run({spec.name: np.zeros(spec.shape, spec.dtype) for spec in self._inputs.values()})

    def close(self) -> None:
        """Give the device's memory back; safe to call twice."""
        if self._engine is None:
            return
        try:
            with self._named(), self._cuda.current():
                self._cuda.synchronise()
        except RuntimeFailed as problem:  # everything is given up anyway
            _log.warning("While %s was closed: %s", self._network, problem)
        self._forget_graphs()
        self._context = None
        self._keep_alive = None
        self._engine = None
        for place in self._places.values():
            place.close()
        for memory in self._staging.values():
            self._give_back(partial(self._cuda.free_pinned, memory))
        self._staging.clear()
        self._give_back(self._cuda.reclaim)

    def _checked(self, name: str, inputs: Mapping[str, Array | DeviceTensor]) -> Array | CudaTensor:
        spec = self._inputs[name]
        if name not in inputs:
            raise ValueError(f"{name}: missing")
        given = inputs[name]
        if isinstance(given, np.ndarray):
            check_array(name, given, spec.shape, spec.dtype)
            return given
        return self._on_this_card(name, given, self._inputs)

    def _on_this_card(self, name: str, tensor: Any, specs: Mapping[str, TensorSpec]) -> CudaTensor:
        if name not in specs:
            raise ValueError(f"{name}: the network has no such output")
        if not isinstance(tensor, CudaTensor) or tensor.cuda is not self._cuda:
            raise ValueError(f"{name}: not memory of this runtime")
        check_array(name, tensor, specs[name].shape, specs[name].dtype)
        return tensor

    def _put(self, name: str, value: Array | CudaTensor) -> int:
        """Where the input lies on the card; an array is copied there first."""
        if isinstance(value, CudaTensor):
            return value.address
        address = self._places[name].address
        staging = self._staging.get(name)
        if staging is None:
            self._cuda.upload(address, np.ascontiguousarray(value))
            return address
        if self._in_flight:  # the last run may still be copying from there
            self._wait()
        pinned = staging[: value.nbytes].view(value.dtype).reshape(value.shape)
        np.copyto(pinned, value)
        self._cuda.upload(address, pinned)
        return address

    def _bind(self, context: Context, addresses: Mapping[str, int]) -> None:
        for name, address in addresses.items():
            if self._bound.get(name) != address:
                if not context.set_tensor_address(name, address):
                    raise self._failure()
                self._bound[name] = address

    def _enqueue(self, context: Context, addresses: tuple[int, ...]) -> None:
        graph = self._graphs.get(addresses)
        if graph is not None:
            self._cuda.launch(graph)
            return
        if not context.execute_async_v3(self._cuda.stream):
            raise self._failure()
        if self._record_graphs and len(self._graphs) < MAXIMUM_GRAPHS:
            self._record(context, addresses)

    def _record(self, context: Context, addresses: tuple[int, ...]) -> None:
        """Record the run that was just made, for the next ones. It is made once before, as the library asks for."""
        self._cuda.synchronise()
        try:
            self._graphs[addresses] = self._cuda.capture(context.execute_async_v3)
        except RuntimeFailed as problem:
            self._record_graphs = False
            _log.warning("%s is not recorded, its kernels are started one by one: %s", self._network, problem.detail)

    def _fetch(self, names: list[str]) -> dict[str, Array]:
        results: dict[str, Array] = {}
        if not names:
            return results
        for name in names:
            spec = self._outputs[name]
            staging = self._staging.get(name)
            if staging is None:
                results[name] = np.empty(spec.shape, spec.dtype)
            else:
                results[name] = staging[: size_bytes(spec.shape, spec.dtype)].view(spec.dtype).reshape(spec.shape)
            self._cuda.download(results[name], self._places[name].address)
        self._wait()
        return {name: array.copy() if name in self._staging else array for name, array in results.items()}

    def _wait(self) -> None:
        self._cuda.synchronise()
        self._in_flight = False

    def _failure(self) -> RuntimeFailed:
        return RuntimeFailed(self._library.last_words(), runtime=self._library.kind, network=self._network)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """The card does not know what it computes."""
        try:
            yield
        except RuntimeFailed as problem:
            problem.parameters.update(runtime=self._library.kind, network=self._network)
            raise

    def _forget_graphs(self) -> None:
        for graph in self._graphs.values():
            self._give_back(partial(self._cuda.free_graph, graph))
        self._graphs.clear()

    def _give_back(self, action: Callable[[], None]) -> None:
        try:
            action()
        except RuntimeFailed as problem:
            _log.warning("While %s was closed: %s", self._network, problem)


def _read_specs(library: Library, engine: Engine, network: str) -> tuple[dict[str, TensorSpec], dict[str, TensorSpec]]:
    """Inputs and outputs by name. Raises RuntimeFailed for a tensor that cannot be used from here."""
    module = library.module
    inputs: dict[str, TensorSpec] = {}
    outputs: dict[str, TensorSpec] = {}
    for number in range(engine.num_io_tensors):
        name = engine.get_tensor_name(number)
        if engine.get_tensor_location(name) != module.TensorLocation.__members__["DEVICE"]:
            raise RuntimeFailed(f"{name} steers a shape", runtime=library.kind, network=network)
        try:
            dtype = np.dtype(module.nptype(engine.get_tensor_dtype(name)))
        except TypeError as problem:
            raise RuntimeFailed(f"{name}: {problem}", runtime=library.kind, network=network) from problem
        spec = TensorSpec(name, tuple(int(size) for size in engine.get_tensor_shape(name)), dtype)
        is_input = engine.get_tensor_mode(name) == module.TensorIOMode.__members__["INPUT"]
        (inputs if is_input else outputs)[name] = spec
    return inputs, outputs
