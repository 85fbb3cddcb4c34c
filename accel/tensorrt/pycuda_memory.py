"""The card's memory through ``pycuda``, for whoever has it. Runs are enqueued one by one, never recorded."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from accel.base import Array
from core.wire.errors import RuntimeFailed, RuntimeUnavailable

from .cuda_memory import UNKNOWN_NETWORK, Bytes, CudaCard, Graph
from .nvml import driver_version
from .recipe import Card

_log = logging.getLogger(__name__)


class PyCuda:
    """Cards by ``pycuda.driver``, whose functions raise ``driver.Error``."""

    def __init__(self, driver: Any, runtime: str) -> None:
        self._driver = driver
        self._runtime = runtime

    def list_cards(self) -> list[Card]:
        """All cards. Raises RuntimeUnavailable (``no_nvidia_driver``)."""
        driver = self._driver
        try:
            driver.init()
            version = int(driver.get_driver_version())
            name = driver_version() or f"CUDA {version // 1000}.{version % 1000 // 10}"
            return [self._describe(index, name) for index in range(driver.Device.count())]
        except driver.Error as problem:
            raise RuntimeUnavailable(str(problem), runtime=self._runtime, reason="no_nvidia_driver") from problem

    def open_card(self, card: Card) -> CudaCard:
        """Open one of them. Raises RuntimeFailed."""
        return PyCudaCard(self._driver, card, self._runtime)

    def _describe(self, index: int, driver: str) -> Card:
        device = self._driver.Device(index)
        major, minor = device.compute_capability()
        return Card(index, device.name(), (major, minor), driver, device.total_memory())


class PyCudaCard:
    """One card and its stream, see :class:`.cuda_memory.CudaCard`."""

    def __init__(self, driver: Any, card: Card, runtime: str) -> None:
        self._driver = driver
        self._card = card
        self._runtime = runtime
        self._allocations: dict[int, Any] = {}
        self._unused: deque[int] = deque()
        self._closing = threading.Lock()
        self._stream: Any = None
        with self._telling():
            # the primary context is the one TensorRT, which uses CUDA's runtime, works in
            self._context = driver.Device(card.index).retain_primary_context()
        with self.current(), self._telling():
            self._stream = driver.Stream(1)

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
        return int(self._stream.handle)

    @contextmanager
    def current(self) -> Iterator[None]:
        """The context is put on the thread's stack and taken off again."""
        with self._telling():
            self._context.push()
        try:
            yield
        finally:
            self._driver.Context.pop()

    def allocate(self, size_bytes: int) -> int:
        """The address of fresh, zeroed memory."""
        with self.current(), self._telling():
            self._free_unused()
            allocation = self._driver.mem_alloc(max(1, size_bytes))
            address = int(allocation)
            self._driver.memset_d8_async(address, 0, size_bytes, self._stream)
        self._allocations[address] = allocation
        return address

    def free(self, address: int) -> None:
        """Memory that is not used any more."""
        self._unused.append(address)

    def reclaim(self) -> None:
        """Give back what is not used any more."""
        with self.current(), self._telling():
            self._free_unused()

    def pinned(self, size_bytes: int) -> Bytes:
        """Page-locked memory of the computer."""
        with self.current(), self._telling():
            memory: Bytes = self._driver.pagelocked_empty(max(1, size_bytes), np.uint8)
        return memory

    def free_pinned(self, memory: Bytes) -> None:
        """It is given back with the last reference to it."""

    def upload(self, address: int, source: Array) -> None:
        """Put a copy to the card on the stream."""
        with self._telling():
            self._driver.memcpy_htod_async(address, source, self._stream)

    def download(self, target: Array, address: int) -> None:
        """Put a copy from the card on the stream."""
        with self._telling():
            self._driver.memcpy_dtoh_async(target, address, self._stream)

    def synchronise(self) -> None:
        """Wait for everything on the stream."""
        with self._telling():
            self._stream.synchronize()

    def memory(self) -> tuple[int, int]:
        """Free and total bytes."""
        with self.current(), self._telling():
            free, total = self._driver.mem_get_info()
        return free, total

    def capture(self, enqueue: Callable[[int], bool]) -> Graph:
        """Raises RuntimeFailed: not through this package."""
        self._refuse_graphs()

    def launch(self, graph: Graph) -> None:
        """Raises RuntimeFailed: not through this package."""
        self._refuse_graphs()

    def free_graph(self, graph: Graph) -> None:
        """There are none."""

    def close(self) -> None:
        """Wait for the stream and let the context go."""
        with self._closing:
            stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            with self.current():
                stream.synchronize()
                del stream
            self.reclaim()
            self._context.detach()
        except (self._driver.Error, RuntimeFailed) as problem:
            _log.warning("While %s was closed: %s", self._card.name, problem)

    def _free_unused(self) -> None:
        while self._unused:
            self._allocations.pop(self._unused.popleft()).free()

    def _refuse_graphs(self) -> NoReturn:
        raise RuntimeFailed("runs are not recorded through pycuda", runtime=self._runtime, network=UNKNOWN_NETWORK)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except self._driver.Error as problem:
            raise RuntimeFailed(str(problem), runtime=self._runtime, network=UNKNOWN_NETWORK) from problem
