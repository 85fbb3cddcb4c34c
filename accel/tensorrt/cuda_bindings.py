"""The card's memory through NVIDIA's own package ``cuda.bindings``, whose functions give back (error, value...)."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from accel.base import Array
from core.wire.errors import RuntimeFailed, RuntimeUnavailable

from .cuda_api import CudaRuntime
from .cuda_memory import UNKNOWN_NETWORK, Bytes, CudaCard, Graph
from .nvml import driver_version
from .recipe import Card

_log = logging.getLogger(__name__)

_SUCCESS = 0
_NO_DEVICE = 100
_INSUFFICIENT_DRIVER = 35
_SLEEP_WHILE_WAITING = 4
"""``cudaDeviceScheduleBlockingSync``: a thread that spins while it waits would take the processor from OBS."""
_FLAGS_COUNT = 1
"""``cudaInitDeviceFlagsAreValid``."""
_NON_BLOCKING = 1
"""A stream that does not wait for CUDA's default stream, on which other libraries work."""


class CudaBindings:
    """Cards by ``cuda.bindings``."""

    def __init__(self, api: CudaRuntime, runtime: str) -> None:
        self._api = api
        self._runtime = runtime

    def list_cards(self) -> list[Card]:
        """All cards. Raises RuntimeUnavailable (``no_nvidia_driver``, ``driver_too_old``)."""
        error, count = self._api.cudaGetDeviceCount()
        if int(error) == _NO_DEVICE:
            return []
        cuda_error, cuda_version = self._api.cudaDriverGetVersion()
        if int(error) == _INSUFFICIENT_DRIVER:
            # without any driver CUDA tells version 0 and the same error as with one that is too old
            has_driver = int(cuda_error) == _SUCCESS and cuda_version > 0
            reason = "driver_too_old" if has_driver else "no_nvidia_driver"
            raise RuntimeUnavailable(f"CUDA {cuda_version}", runtime=self._runtime, reason=reason)
        if int(error) != _SUCCESS:
            text = error_text(self._api, error)
            raise RuntimeUnavailable(text, runtime=self._runtime, reason="no_nvidia_driver")
        driver = driver_version() or f"CUDA {cuda_version // 1000}.{cuda_version % 1000 // 10}"
        return [self._describe(index, driver) for index in range(count)]

    def open_card(self, card: Card) -> CudaCard:
        """Open one of them. Raises RuntimeFailed."""
        return BindingsCard(self._api, card, self._runtime)

    def _describe(self, index: int, driver: str) -> Card:
        error, about = self._api.cudaGetDeviceProperties(index)
        if int(error) != _SUCCESS:
            raise RuntimeUnavailable(error_text(self._api, error), runtime=self._runtime, reason="no_nvidia_driver")
        name = about.name.decode("utf-8", "replace").strip("\0 ")
        return Card(index, name, (about.major, about.minor), driver, about.totalGlobalMem)


class BindingsCard:
    """One card and its stream, see :class:`.cuda_memory.CudaCard`."""

    def __init__(self, api: CudaRuntime, card: Card, runtime: str) -> None:
        self._api = api
        self._card = card
        self._runtime = runtime
        self._stream: Any = None
        self._unused: deque[int] = deque()
        self._closing = threading.Lock()
        error = api.cudaInitDevice(card.index, _SLEEP_WHILE_WAITING, _FLAGS_COUNT)[0]
        if int(error) != _SUCCESS:
            _log.debug("%s keeps its way of waiting: %s", card.name, error_text(api, error))
        with self.current():
            self._stream = self._ask(api.cudaStreamCreateWithFlags(_NON_BLOCKING))

    @property
    def card(self) -> Card:
        """Which one it is."""
        return self._card

    @property
    def runtime(self) -> str:
        """Name of the runtime it was opened for."""
        return self._runtime

    @property
    def stream(self) -> int:
        """The stream's handle."""
        return int(self._stream)

    @contextmanager
    def current(self) -> Iterator[None]:
        """CUDA's current device belongs to the thread, and this one may be new.

        It stays current: going back to card 0 would make a context there, which takes memory.
        """
        self._do(self._api.cudaSetDevice(self._card.index))
        yield

    def allocate(self, size_bytes: int) -> int:
        """The address of fresh, zeroed memory."""
        with self.current():
            self._free_unused()
            address: int = self._ask(self._api.cudaMalloc(max(1, size_bytes)))
            self._do(self._api.cudaMemsetAsync(address, 0, size_bytes, self._stream))
        return address

    def free(self, address: int) -> None:
        """Memory that is not used any more."""
        self._unused.append(address)

    def reclaim(self) -> None:
        """Give back what is not used any more."""
        with self.current():
            self._free_unused()

    def pinned(self, size_bytes: int) -> Bytes:
        """Page-locked memory of the computer."""
        size_bytes = max(1, size_bytes)
        with self.current():
            address: int = self._ask(self._api.cudaMallocHost(size_bytes))
        return np.frombuffer((ctypes.c_uint8 * size_bytes).from_address(address), np.uint8)

    def free_pinned(self, memory: Bytes) -> None:
        """Give page-locked memory back."""
        with self.current():
            self._do(self._api.cudaFreeHost(_address(memory)))

    def upload(self, address: int, source: Array) -> None:
        """Put a copy to the card on the stream."""
        kind = self._api.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._do(self._api.cudaMemcpyAsync(address, _address(source), source.nbytes, kind, self._stream))

    def download(self, target: Array, address: int) -> None:
        """Put a copy from the card on the stream."""
        kind = self._api.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._do(self._api.cudaMemcpyAsync(_address(target), address, target.nbytes, kind, self._stream))

    def synchronise(self) -> None:
        """Wait for everything on the stream."""
        self._do(self._api.cudaStreamSynchronize(self._stream))

    def memory(self) -> tuple[int, int]:
        """Free and total bytes."""
        with self.current():
            error, free, total = self._api.cudaMemGetInfo()
            self._do((error,))
        return free, total

    def capture(self, enqueue: Callable[[int], bool]) -> Graph:
        """Recorded on a stream of its own, so that another thread's work cannot get into it."""
        api = self._api
        mode = api.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        stream = self._ask(api.cudaStreamCreateWithFlags(_NON_BLOCKING))
        try:
            self._do(api.cudaStreamBeginCapture(stream, mode))
            try:
                taken = enqueue(int(stream))
            finally:
                error, graph = api.cudaStreamEndCapture(stream)
            self._do((error,))
            if not taken:
                self._do(api.cudaGraphDestroy(graph))
                raise RuntimeFailed("the run cannot be recorded", runtime=self._runtime, network=UNKNOWN_NETWORK)
            try:
                return Graph(self._ask(api.cudaGraphInstantiate(graph, 0)))
            finally:
                self._do(api.cudaGraphDestroy(graph))
        finally:
            api.cudaGetLastError()  # what the library did wrong while it was recorded, too
            self._do(api.cudaStreamDestroy(stream))

    def launch(self, graph: Graph) -> None:
        """Put a recorded run on the stream."""
        self._do(self._api.cudaGraphLaunch(graph, self._stream))

    def free_graph(self, graph: Graph) -> None:
        """Forget a recorded run."""
        with self.current():
            self._do(self._api.cudaGraphExecDestroy(graph))

    def close(self) -> None:
        """Wait for the stream and give it back. What goes wrong here is only told: the card is given up anyway."""
        with self._closing:
            stream, self._stream = self._stream, None
        if stream is None:
            return
        for action in (
            partial(self._wait_for, stream),
            self.reclaim,
            partial(self._destroy, stream),
        ):
            try:
                action()
            except RuntimeFailed as problem:
                _log.warning("While %s was closed: %s", self._card.name, problem.detail)

    def _free_unused(self) -> None:
        while self._unused:
            self._do(self._api.cudaFree(self._unused.popleft()))

    def _wait_for(self, stream: Any) -> None:
        with self.current():
            self._do(self._api.cudaStreamSynchronize(stream))

    def _destroy(self, stream: Any) -> None:
        self._do(self._api.cudaStreamDestroy(stream))

    def _do(self, result: tuple[Any, ...]) -> None:
        if int(result[0]) != _SUCCESS:
            self._api.cudaGetLastError()  # CUDA remembers it, and whoever asks next would take it for his own
            raise RuntimeFailed(error_text(self._api, result[0]), runtime=self._runtime, network=UNKNOWN_NETWORK)

    def _ask(self, result: tuple[Any, Any]) -> Any:
        self._do(result)
        return result[1]


def error_text(api: CudaRuntime, error: Any) -> str:
    """``cudaErrorMemoryAllocation: out of memory``."""
    name, text = api.cudaGetErrorName(error)[1], api.cudaGetErrorString(error)[1]
    return f"{name.decode('utf-8', 'replace')}: {text.decode('utf-8', 'replace')}"


def _address(array: Array) -> int:
    if not array.flags.c_contiguous:
        raise ValueError(f"not contiguous: {array.shape} {array.strides}")
    return int(array.__array_interface__["data"][0])
