"""Memory of a device that sessions share.

The C API allocates on a device only through a session there, and for DirectML it has no copy to and from the device
but the one that a run makes. So a session with a network that changes nothing is kept: its allocator gives the memory,
and a run of it copies. Bytes are bytes to it, whatever a tensor holds.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from accel.base import Array

from ..tensors import check_content
from .api import POINTER, made
from .handle import Handle
from .io_binding import IoBinding
from .session import NativeSession
from .tensors import HostMemory, Layout, address_of

COPYING = (
    b'\x08\t:V\n\x19\n\x05given\x12\x06copied"\x08Identity\x12\x04copyZ\x18\n\x05given\x12\x0f\n\r\x08\x02\x12\t\n\x07'
    b"\x12\x05countb\x19\n\x06copied\x12\x0f\n\r\x08\x02\x12\t\n\x07\x12\x05countB\x04\n\x00\x10\x11"
)
"""An ONNX model from ``given`` to ``copied``, uint8 [count]: one Identity node, opset 17, IR version 9."""
_GIVEN, _COPIED = b"given", b"copied"
_BYTES = np.dtype(np.uint8)


class DeviceMemory:
    """What a device's tensors are made with. Safe to use from several threads."""

    def __init__(self, session: NativeSession, host: HostMemory, index: int) -> None:
        """``session``: of :data:`COPYING`, on the device; ``index``: its number. Raises OrtError."""
        api = session.api
        self.index = index
        self._api, self._host = api, host
        self._lock = threading.Lock()
        infos = (POINTER * 1)()
        api.input_memory(session.handle.pointer, infos, 1)
        self._info = infos[0] or 0
        self._allocator = Handle(
            made(api.create_allocator, session.handle.pointer, self._info), api.release_allocator, session.handle
        )
        self._binding = IoBinding(session)

    def allocate(self, layout: Layout) -> Handle:
        """A tensor with whatever lies there. Raises OrtError."""
        api = self._api
        with self._lock:
            value = made(api.allocate_tensor, self._allocator.pointer, layout.sizes, layout.rank, layout.element)
        return Handle(value, api.release_value, self._allocator)

    def as_bytes(self, value: Handle, count: int) -> Handle:
        """The same memory as uint8 [count]. Raises OrtError."""
        api, layout = self._api, Layout((count,), _BYTES)
        where = made(api.tensor_data, value.pointer)
        alias = made(api.wrap_tensor, self._info, where, count, layout.sizes, layout.rank, layout.element)
        return Handle(alias, api.release_value, value)

    def write(self, to: Handle, content: Array) -> None:
        """Copy bytes, uint8 [count], to the device. Raises OrtError."""
        given = self._host.wrap(Layout(content.shape, _BYTES), address_of(content))
        self._copy(given, to)

    def read(self, there: Handle, into: Array) -> None:
        """Copy bytes, uint8 [count], from the device. Raises OrtError."""
        self._copy(there, self._host.wrap(Layout(into.shape, _BYTES), address_of(into)))

    def _copy(self, given: Handle, copied: Handle) -> None:
        with self._lock:
            try:
                self._binding.give(_GIVEN, given.pointer)
                self._binding.take(_COPIED, copied.pointer)
                self._binding.run()
            finally:
                self._binding.clear()


class NativeTensor:
    """Memory on a device."""

    def __init__(self, memory: DeviceMemory, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Zeroed. Raises OrtError, ValueError for a type that we do not handle."""
        self._memory, self._layout = memory, Layout(shape, np.dtype(dtype))
        self.value = memory.allocate(self._layout)
        self._bytes = memory.as_bytes(self.value, self._layout.bytes)
        self.shape, self.dtype, self.index = self._layout.shape, self._layout.dtype, memory.index
        self.write(np.zeros(self.shape, self.dtype))

    def read(self) -> Array:
        """A copy in the computer's own memory."""
        content, _ = self._layout.empty()
        self._memory.read(self._bytes, _flat(content))
        return content

    def write(self, content: Array) -> None:
        """Copy content of the same shape and type to the device."""
        check_content(content, self.shape, self.dtype)
        self._memory.write(self._bytes, _flat(np.ascontiguousarray(content)))


def _flat(content: Array) -> Array:
    return content.reshape(-1).view(np.uint8)
