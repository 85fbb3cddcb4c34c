"""Networks that are ready to run: on the processor, and on a device with memory of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from accel.base import Array, DeviceTensor

from .api import POINTER
from .device_memory import NativeTensor
from .handle import Handle
from .io_binding import IoBinding
from .session import NativeSession, names_of
from .tensors import HostMemory, HostTensor, Layout, address_of, layouts


class _Upload:
    """Where an input's array was the last time: mostly there again, and then nothing is to be made anew."""

    __slots__ = ("_address", "_layout", "_memory", "_value")

    def __init__(self, memory: HostMemory, layout: Layout) -> None:
        self._memory, self._layout = memory, layout
        self._address = 0
        self._value: Handle | None = None

    def of(self, array: Array) -> Handle:
        """The ``OrtValue`` of an array in one piece, which must live while it is used."""
        address, value = address_of(array), self._value
        if value is None or address != self._address:
            value = self._memory.wrap(self._layout, address)
            self._value, self._address = value, address
        return value


class HostNetwork:
    """A network on the processor. Arrays are read and results written where they are. Given back when nobody has it."""

    def __init__(self, session: NativeSession, memory: HostMemory) -> None:
        """Raises OrtError, ValueError for a type that we do not handle."""
        self._session, self._memory = session, memory
        self.inputs, self.outputs = session.specs()
        self._layouts = layouts(self.outputs)
        self._uploads = [_Upload(memory, layout) for layout in layouts(self.inputs).values()]
        self._input_names, self._output_names = names_of(self.inputs)[1], names_of(self.outputs)[1]

    def is_place(self, tensor: DeviceTensor) -> bool:
        """Arrays of ours."""
        return isinstance(tensor, HostTensor)

    def run(self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor]) -> dict[str, Array]:
        """Compute; see :class:`accel.base.Session`. Raises OrtError."""
        session, held = self._session, [self._given(number, inputs[name]) for number, name in enumerate(self.inputs)]
        given = (POINTER * len(held))(*[value.pointer for value, _ in held])
        places = (POINTER * len(self.outputs))()
        results: dict[str, Array] = {}
        wrapped: list[int] = []
        try:
            for number, (name, layout) in enumerate(self._layouts.items()):
                target = into.get(name)
                if isinstance(target, HostTensor):
                    places[number] = target.value.pointer
                    continue
                results[name], address = layout.empty()
                self._memory.wrap_into(places, number, layout, address)
                wrapped.append(number)
            session.api.run(
                session.handle.pointer, None, self._input_names, given, len(given),
                self._output_names, len(places), places,
            )  # fmt: skip
        finally:
            for number in wrapped:
                session.api.release_value(places[number])
        return results

    def _given(self, number: int, given: Array | DeviceTensor) -> tuple[Handle, object]:
        """The value of an input, and whose memory it is."""
        if isinstance(given, HostTensor):
            return given.value, given
        array = as_array(given)
        return self._uploads[number].of(array), array


class DeviceNetwork:
    """A network on a device with memory of its own, by IO binding. Given back when nobody has it."""

    def __init__(self, session: NativeSession, memory: HostMemory, index: int) -> None:
        """``index``: the number of the device. Raises OrtError, ValueError for a type that we do not handle."""
        self._session, self._memory, self._index = session, memory, index
        self.inputs, self.outputs = session.specs()
        self._input_names = dict(zip(self.inputs, names_of(self.inputs)[0], strict=True))
        self._output_names = dict(zip(self.outputs, names_of(self.outputs)[0], strict=True))
        self._uploads = {name: _Upload(memory, layout) for name, layout in layouts(self.inputs).items()}
        self._layouts = layouts(self.outputs)
        self._binding = IoBinding(session)

    def is_place(self, tensor: DeviceTensor) -> bool:
        """Memory of this device."""
        return isinstance(tensor, NativeTensor) and tensor.index == self._index

    def run(self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor]) -> dict[str, Array]:
        """Compute; see :class:`accel.base.Session`. Raises OrtError."""
        binding, held, results = self._binding, [], dict[str, Array]()
        try:
            for name, encoded in self._input_names.items():
                given = inputs[name]
                if isinstance(given, NativeTensor) and given.index == self._index:
                    binding.give(encoded, given.value.pointer)
                else:
                    array = as_array(given)
                    held.append(array)
                    binding.give(encoded, self._uploads[name].of(array).pointer)
            for name, encoded in self._output_names.items():
                target = into.get(name)
                if isinstance(target, NativeTensor):
                    binding.take(encoded, target.value.pointer)
                else:
                    results[name], address = self._layouts[name].empty()
                    value = self._memory.wrap(self._layouts[name], address)
                    binding.take(encoded, value.pointer)
                    value.close()
            binding.run()
        finally:
            binding.clear()
        return results


def as_array(given: Array | DeviceTensor) -> Array:
    """In the computer's own memory, in one piece."""
    if isinstance(given, HostTensor):
        return given.array
    return np.ascontiguousarray(given if isinstance(given, np.ndarray) else given.read())
