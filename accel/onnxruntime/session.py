"""One network in ONNX Runtime, with tensors that stay on the device between sessions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from accel.base import Array, DeviceTensor, TensorSpec
from core.wire.errors import RuntimeFailed

_log = logging.getLogger(__name__)

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class OrtTensor:
    """Memory on one of ONNX Runtime's devices (``OrtValue``)."""

    def __init__(self, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.value = value
        self.shape, self.dtype = shape, dtype

    def read(self) -> Array:
        """A copy in the computer's own memory."""
        return np.array(self.value.numpy())

    def write(self, content: Array) -> None:
        """Copy content of the same shape and type to the device."""
        if content.shape != self.shape or content.dtype != self.dtype:
            raise ValueError(f"expected {self.dtype} {self.shape}, got {content.dtype} {content.shape}")
        self.value.update_inplace(np.ascontiguousarray(content))


class OrtSession:
    """One network. Used from one thread at a time (DirectML fails when two run it at once)."""

    def __init__(self, made: Any, runtime: str, network: str, kind: str, index: int) -> None:
        """``made`` is an ``InferenceSession``; ``kind`` its memory: ``cpu``, ``dml`` or ``cuda``."""
        self._made, self._runtime, self._network = made, runtime, network
        self._kind, self._index = kind, index
        self._inputs = {spec.name: spec for spec in map(_spec, made.get_inputs())}
        self._outputs = {spec.name: spec for spec in map(_spec, made.get_outputs())}
        self._uploads: dict[str, OrtTensor] = {}

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """By name."""
        return self._inputs

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """By name."""
        return self._outputs

    def run(
        self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor] | None = None
    ) -> dict[str, Array]:
        """Compute; see :class:`accel.base.Session`."""
        made = self._made
        if made is None:
            raise RuntimeFailed("the session is closed", runtime=self._runtime, network=self._network)
        for name, spec in self._inputs.items():
            _check(spec, inputs.get(name))
        for name, tensor in (into or {}).items():
            if name not in self._outputs or not isinstance(tensor, OrtTensor):
                raise ValueError(f"{name}: no such output, or not memory of this runtime")
            _check(self._outputs[name], tensor)
        try:
            if self._kind == "cpu" and not into:
                return self._run_plainly(made, inputs)
            return self._run_bound(made, inputs, into or {})
        except Exception as problem:
            _log.warning("%s failed in %s: %r", self._runtime, self._network, problem)
            raise RuntimeFailed(str(problem)[:500], runtime=self._runtime, network=self._network) from problem

    def close(self) -> None:
        """Give the memory back."""
        self._made = None
        self._uploads.clear()

    def _run_plainly(self, made: Any, inputs: Mapping[str, Array | DeviceTensor]) -> dict[str, Array]:
        names = list(self._outputs)
        feeds = {name: _as_array(inputs[name]) for name in self._inputs}
        return dict(zip(names, made.run(names, feeds), strict=True))

    def _run_bound(
        self, made: Any, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor]
    ) -> dict[str, Array]:
        binding = made.io_binding()
        for name in self._inputs:
            binding.bind_ortvalue_input(name, self._on_device(name, inputs[name]).value)
        for name in self._outputs:
            target = into.get(name)
            if isinstance(target, OrtTensor):
                binding.bind_ortvalue_output(name, target.value)
            else:
                binding.bind_output(name, "cpu")
        made.run_with_iobinding(binding)
        binding.synchronize_outputs()
        values = dict(zip(self._outputs, binding.get_outputs(), strict=True))
        return {name: np.array(value.numpy()) for name, value in values.items() if name not in into}

    def _on_device(self, name: str, given: Array | DeviceTensor) -> OrtTensor:
        if isinstance(given, OrtTensor):
            return given
        array = np.ascontiguousarray(_as_array(given))
        if name not in self._uploads:
            spec = self._inputs[name]
            self._uploads[name] = allocate(self._kind, self._index, spec.shape, spec.dtype)
        self._uploads[name].write(array)
        return self._uploads[name]


def allocate(kind: str, index: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> OrtTensor:
    """Zeroed memory of ``kind`` (``cpu``, ``dml``, ``cuda``) on the device of that number."""
    import onnxruntime

    value = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype), kind, index)
    return OrtTensor(value, shape, np.dtype(dtype))


def _check(spec: TensorSpec, given: Array | DeviceTensor | None) -> None:
    if given is None:
        raise ValueError(f"{spec.name}: missing")
    if given.shape != spec.shape or given.dtype != spec.dtype:
        raise ValueError(f"{spec.name}: expected {spec.dtype} {spec.shape}, got {given.dtype} {given.shape}")


def _as_array(given: Array | DeviceTensor) -> Array:
    if isinstance(given, np.ndarray):
        return given
    return np.asarray(given.value.numpy()) if isinstance(given, OrtTensor) else given.read()


def _spec(argument: Any) -> TensorSpec:
    if argument.type not in _TYPES:
        raise ValueError(f"{argument.name}: {argument.type} is not handled")
    shape = tuple(size if isinstance(size, int) else 1 for size in argument.shape)
    return TensorSpec(str(argument.name), shape, np.dtype(_TYPES[argument.type]))
