"""Tensors in the graphics card's memory."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from accel.base import Array
from core.wire.errors import RuntimeFailed

from .cuda_memory import UNKNOWN_NETWORK, CudaCard


class CudaTensor:
    """Memory of one shape and type on a card. It is given back with the last reference to the tensor."""

    def __init__(self, cuda: CudaCard, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Allocates, zeroed. Raises RuntimeFailed."""
        self._cuda = cuda
        self._shape, self._dtype = tuple(shape), np.dtype(dtype)
        self._address = cuda.allocate(size_bytes(self._shape, self._dtype))
        self._given_back = weakref.finalize(self, cuda.free, self._address)
        # when Python ends, the driver takes everything back, and calling it then may come too late
        self._given_back.atexit = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its type."""
        return self._dtype

    @property
    def cuda(self) -> CudaCard:
        """The card it is on."""
        return self._cuda

    @property
    def address(self) -> int:
        """Where on the card. Raises RuntimeFailed once it is given back."""
        if not self._given_back.alive:
            raise RuntimeFailed("the tensor is closed", runtime=self._cuda.runtime, network=UNKNOWN_NETWORK)
        return self._address

    def read(self) -> Array:
        """A copy in the computer's own memory, of when everything put on the stream before is done."""
        content = np.empty(self._shape, self._dtype)
        with self._cuda.current():
            self._cuda.download(content, self.address)
            self._cuda.synchronise()
        return content

    def write(self, content: Array) -> None:
        """Copy content of the same shape and type to the device; ValueError for another."""
        check_array("content", content, self._shape, self._dtype)
        with self._cuda.current():
            self._cuda.upload(self.address, np.ascontiguousarray(content))
            self._cuda.synchronise()

    def close(self) -> None:
        """Give the memory back; safe to call twice."""
        self._given_back()


def size_bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """How many bytes a tensor takes."""
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize


def check_array(name: str, given: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raises ValueError for what is not of this shape and type."""
    if tuple(given.shape) != shape or given.dtype != dtype:
        raise ValueError(f"{name}: expected {dtype} {shape}, got {given.dtype} {tuple(given.shape)}")
