"""Memory of the computer's own as ONNX Runtime sees it (``OrtValue``)."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np

from accel.base import Array, TensorSpec

from ..tensors import check_content
from .api import INT, POINTER, SIZE, Api, made
from .handle import Handle

ELEMENT_TYPES = {
    np.dtype(np.float32): 1,
    np.dtype(np.uint8): 2,
    np.dtype(np.int32): 6,
    np.dtype(np.int64): 7,
    np.dtype(np.bool_): 9,
    np.dtype(np.float16): 10,
}
"""``ONNXTensorElementDataType``."""
_ALIGNMENT = 64
"""As ONNX Runtime's own allocator has it: some kernels compute the ends of rows otherwise where memory begins askew,
and the last bits of a result would depend on where it lies."""
_ARENA, _DEFAULT_MEMORY = 1, 0
_POINTER_BYTES = ctypes.sizeof(POINTER)


class Layout:
    """Shape and type of a tensor, as the C API wants them."""

    __slots__ = ("bytes", "dtype", "element", "rank", "shape", "sizes")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Raises ValueError for a type that we do not handle."""
        if dtype not in ELEMENT_TYPES:
            raise ValueError(f"{dtype} is not handled")
        self.shape, self.dtype = shape, dtype
        self.element = ELEMENT_TYPES[dtype]
        self.rank = len(shape)
        self.sizes = (ctypes.c_int64 * self.rank)(*shape)
        self.bytes = math.prod(shape) * dtype.itemsize

    def empty(self) -> tuple[Array, int]:
        """An array whatever is in it, in one piece, and where its content begins."""
        room = np.empty(self.bytes + _ALIGNMENT, np.uint8)
        address = ctypes.addressof(ctypes.c_char.from_buffer(room))
        skipped = -address % _ALIGNMENT
        # an array with a base made in one call: slices and views in turn would take three times as long
        return np.ndarray(self.shape, self.dtype, room, skipped), address + skipped


class HostMemory:
    """The computer's own memory."""

    def __init__(self, api: Api) -> None:
        """Raises OrtError."""
        self._api = api
        self._info = Handle(made(api.host_memory, _ARENA, _DEFAULT_MEMORY), api.release_memory)

    def wrap(self, layout: Layout, address: int) -> Handle:
        """What lies at an address, as a tensor; it must stay there for as long as that is used. Raises OrtError."""
        out = (POINTER * 1)()
        self.wrap_into(out, 0, layout, address)
        return Handle(out[0] or 0, self._api.release_value)

    def wrap_into(self, values: ctypes.Array[ctypes.c_void_p], place: int, layout: Layout, address: int) -> None:
        """The same into a list, from which the caller gives it back. Raises OrtError."""
        out = ctypes.byref(values, place * _POINTER_BYTES)
        self._api.wrap_tensor(self._info.pointer, address, layout.bytes, layout.sizes, layout.rank, layout.element, out)


class HostTensor:
    """An array that sessions can compute into."""

    def __init__(self, memory: HostMemory, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Zeroed. Raises OrtError, ValueError for a type that we do not handle."""
        layout = Layout(shape, np.dtype(dtype))
        self.array, address = layout.empty()
        self.array.fill(0)
        self.value = memory.wrap(layout, address)
        self.shape, self.dtype = layout.shape, layout.dtype

    def read(self) -> Array:
        """A copy."""
        return self.array.copy()

    def write(self, content: Array) -> None:
        """Copy content of the same shape and type there."""
        check_content(content, self.shape, self.dtype)
        np.copyto(self.array, content)


def address_of(array: Array) -> int:
    """Where its content begins."""
    return int(array.__array_interface__["data"][0])


def layouts(specs: dict[str, TensorSpec]) -> dict[str, Layout]:
    """Of several tensors, by name."""
    return {name: Layout(spec.shape, spec.dtype) for name, spec in specs.items()}


def type_and_shape(api: Api, type_pointer: int) -> tuple[int, tuple[int, ...]]:
    """What an ``OrtTypeInfo`` says: the element type's number, and the shape, with 1 where it leaves a size open.
    Raises OrtError."""
    out = POINTER()
    api.tensor_info(type_pointer, ctypes.byref(out))
    if not out.value:
        return 0, ()
    element, rank = INT(), SIZE()
    api.element_type(out, ctypes.byref(element))
    api.dimension_count(out, ctypes.byref(rank))
    sizes = (ctypes.c_int64 * rank.value)()
    api.dimensions(out, sizes, rank)
    return element.value, tuple(size if size >= 0 else 1 for size in sizes)
