"""The graphics card's memory: which package gives access to it, which cards there are, what can be done with them."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NewType, Protocol

import numpy as np
from numpy.typing import NDArray

from accel.base import Array
from core.wire.errors import RuntimeUnavailable

from .recipe import Card

_log = logging.getLogger(__name__)

Bytes = NDArray[np.uint8]
Graph = NewType("Graph", object)
"""A recorded run of kernels; belongs to the card it was recorded on."""

UNKNOWN_NETWORK = "?"
"""The network in errors of the card, which does not know what it computes."""

CUDA_BINDINGS, PYCUDA = "cuda.bindings", "pycuda"
PACKAGES = (CUDA_BINDINGS, PYCUDA)
"""What gives access, in the order of choice: pycuda has no wheels, so few can install it."""


class CudaCard(Protocol):
    """One graphics card with one stream: what is put on it happens in that order. Usable from any thread.

    Addresses are numbers. Whatever goes wrong is raised as RuntimeFailed with CUDA's own words.
    """

    @property
    def card(self) -> Card:
        """Which one it is."""
        ...

    @property
    def runtime(self) -> str:
        """Name of the runtime it was opened for, as errors tell it."""
        ...

    @property
    def stream(self) -> int:
        """The stream's handle."""
        ...

    def current(self) -> AbstractContextManager[None]:
        """Within it, what other libraries do in this thread happens on this card."""
        ...

    def allocate(self, size_bytes: int) -> int:
        """The address of fresh memory, zeroed in the stream's order."""
        ...

    def free(self, address: int) -> None:
        """Say that memory is not used any more. Never fails and calls nothing: Python's collector may be the caller,
        in any thread and in the middle of anything."""
        ...

    def reclaim(self) -> None:
        """Give back what was said to be unused. :meth:`allocate` and :meth:`close` do that too."""
        ...

    def pinned(self, size_bytes: int) -> Bytes:
        """Page-locked memory of the computer. Must not be touched after :meth:`free_pinned`."""
        ...

    def free_pinned(self, memory: Bytes) -> None:
        """Give page-locked memory back."""
        ...

    def upload(self, address: int, source: Array) -> None:
        """Put a copy to the card on the stream. A page-locked source must stay as it is until the stream got there."""
        ...

    def download(self, target: Array, address: int) -> None:
        """Put a copy from the card on the stream; the target holds it after :meth:`synchronise`."""
        ...

    def synchronise(self) -> None:
        """Wait for everything on the stream; raises what went wrong in it."""
        ...

    def memory(self) -> tuple[int, int]:
        """Free and total bytes of the card."""
        ...

    def capture(self, enqueue: Callable[[int], bool]) -> Graph:
        """Record what ``enqueue`` puts on the stream it is given; nothing of it happens yet."""
        ...

    def launch(self, graph: Graph) -> None:
        """Put a recorded run on the stream."""
        ...

    def free_graph(self, graph: Graph) -> None:
        """Forget a recorded run."""
        ...

    def close(self) -> None:
        """Wait for the stream and give it back; safe to call twice."""
        ...


def installed_package() -> str | None:
    """The package that gives access to the card's memory, without loading it; None when there is none."""
    return next((name for name in PACKAGES if _is_installed(name)), None)


def list_cards(runtime: str) -> list[Card]:
    """All cards. Empty without a driver or without a package; makes no CUDA context."""
    try:
        return _backend(runtime).list_cards()
    except RuntimeUnavailable as problem:
        _log.debug("No card: %s", problem)
        return []


def open_card(runtime: str, index: int) -> CudaCard:
    """Open a card by its number.

    Raises RuntimeUnavailable: ``cuda_package_missing``, ``package_broken``, ``no_nvidia_driver``, ``driver_too_old``,
    ``no_such_card``. Raises RuntimeFailed when CUDA does not start on it.
    """
    backend = _backend(runtime)
    cards = backend.list_cards()
    if not 0 <= index < len(cards):
        reason = "no_such_card" if cards else "no_nvidia_driver"
        raise RuntimeUnavailable(f"{len(cards)} cards", runtime=runtime, reason=reason)
    return backend.open_card(cards[index])


class Backend(Protocol):
    """What a package is used through."""

    def list_cards(self) -> list[Card]:
        """All cards. Raises RuntimeUnavailable without a driver or with one that is too old."""
        ...

    def open_card(self, card: Card) -> CudaCard:
        """Open one of them."""
        ...


def _backend(runtime: str) -> Backend:
    from . import cuda_bindings, pycuda_memory

    package = installed_package()
    if package is None:
        raise RuntimeUnavailable(runtime=runtime, reason="cuda_package_missing")
    try:
        if package == CUDA_BINDINGS:
            return cuda_bindings.CudaBindings(_load(f"{package}.runtime"), runtime)
        return pycuda_memory.PyCuda(_load(f"{package}.driver"), runtime)
    except (ImportError, OSError) as problem:
        raise RuntimeUnavailable(f"{package}: {problem}", runtime=runtime, reason="package_broken") from problem


def _load(name: str) -> Any:
    return importlib.import_module(name)


def _is_installed(name: str) -> bool:
    parent = name.partition(".")[0]
    return importlib.util.find_spec(parent) is not None and importlib.util.find_spec(name) is not None
