"""ONNX Runtime through its Python module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from accel.base import Array, DeviceTensor, TensorSpec

from .library import EpDevice
from .options import CPU_NAME, CpuOptions, DirectMLOptions, Options
from .settings import FATAL, PROVIDERS, SessionSettings, session_settings
from .tensors import check_content, tensor_spec


class BindingTensor:
    """Memory on one of ONNX Runtime's devices (``OrtValue``)."""

    def __init__(self, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.value = value
        self.shape, self.dtype = shape, dtype

    def read(self) -> Array:
        """A copy in the computer's own memory."""
        return np.array(self.value.numpy())

    def write(self, content: Array) -> None:
        """Copy content of the same shape and type to the device."""
        check_content(content, self.shape, self.dtype)
        self.value.update_inplace(np.ascontiguousarray(content))


class BindingNetwork:
    """One network in an ``InferenceSession``."""

    def __init__(self, made: Any, kind: str, index: int) -> None:
        """``kind`` is its memory: ``cpu``, ``dml`` or ``cuda``."""
        self._made: Any = made
        self._kind, self._index = kind, index
        self._inputs = {spec.name: spec for spec in map(_spec, made.get_inputs())}
        self._outputs = {spec.name: spec for spec in map(_spec, made.get_outputs())}
        self._uploads: dict[str, BindingTensor] = {}

    @property
    def inputs(self) -> dict[str, TensorSpec]:
        """By name."""
        return self._inputs

    @property
    def outputs(self) -> dict[str, TensorSpec]:
        """By name."""
        return self._outputs

    def is_place(self, tensor: DeviceTensor) -> bool:
        """Any ``OrtValue``."""
        return isinstance(tensor, BindingTensor)

    def run(self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor]) -> dict[str, Array]:
        """Compute; see :class:`accel.base.Session`."""
        if self._kind == "cpu" and not into:
            return self._run_plainly(inputs)
        return self._run_bound(inputs, into)

    def _run_plainly(self, inputs: Mapping[str, Array | DeviceTensor]) -> dict[str, Array]:
        names = list(self._outputs)
        feeds = {name: _as_array(inputs[name]) for name in self._inputs}
        return dict(zip(names, self._made.run(names, feeds), strict=True))

    def _run_bound(
        self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor]
    ) -> dict[str, Array]:
        binding = self._made.io_binding()
        for name in self._inputs:
            binding.bind_ortvalue_input(name, self._on_device(name, inputs[name]).value)
        for name in self._outputs:
            target = into.get(name)
            if isinstance(target, BindingTensor):
                binding.bind_ortvalue_output(name, target.value)
            else:
                binding.bind_output(name, "cpu")
        self._made.run_with_iobinding(binding)
        binding.synchronize_outputs()
        values = dict(zip(self._outputs, binding.get_outputs(), strict=True))
        return {name: np.array(value.numpy()) for name, value in values.items() if name not in into}

    def _on_device(self, name: str, given: Array | DeviceTensor) -> BindingTensor:
        if isinstance(given, BindingTensor):
            return given
        array = np.ascontiguousarray(_as_array(given))
        if name not in self._uploads:
            spec = self._inputs[name]
            self._uploads[name] = _allocate(self._kind, self._index, spec.shape, spec.dtype)
        self._uploads[name].write(array)
        return self._uploads[name]


class BindingLibrary:
    """The module, with one provider on one device."""

    def __init__(self, options: Options) -> None:
        self._options = options
        if isinstance(options, CpuOptions):
            self._kind, self._index = "cpu", 0
        else:
            self._kind = "dml" if isinstance(options, DirectMLOptions) else "cuda"
            self._index = options.device_index

    def open(self, content: bytes, alone: bool) -> BindingNetwork:
        """A network's content made ready. Python's lock is kept meanwhile."""
        return BindingNetwork(_make(content, session_settings(self._options, alone)), self._kind, self._index)

    def left_over(self, content: bytes) -> set[str]:
        """Names of the operators that the provider leaves to the processor."""
        session = _make(content, session_settings(self._options).naming_nodes())
        groups = session.get_provider_graph_assignment_info()
        return {node.op_type for group in groups if group.ep_name == PROVIDERS[CPU_NAME] for node in group.get_nodes()}

    def is_damage(self, problem: Exception) -> bool:
        """Does the error say that the content is no network?"""
        import onnxruntime

        return isinstance(problem, onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf)

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> BindingTensor:
        """Memory on the device, zeroed."""
        return _allocate(self._kind, self._index, shape, dtype)

    def close(self) -> None:
        """The module keeps nothing outside its sessions."""


def providers() -> list[str]:
    """What the module can compute with."""
    import onnxruntime

    return list(onnxruntime.get_available_providers())


def ep_devices() -> list[EpDevice]:
    """The devices of every provider."""
    import onnxruntime

    return [
        EpDevice(entry.ep_name, entry.device.vendor, {**dict(entry.ep_metadata), **dict(entry.device.metadata)})
        for entry in onnxruntime.get_ep_devices()
    ]


def _make(content: bytes, settings: SessionSettings) -> Any:
    import onnxruntime

    made = onnxruntime.SessionOptions()
    made.log_severity_level = FATAL
    made.inter_op_num_threads = 1
    made.intra_op_num_threads = settings.threads
    made.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    made.enable_mem_pattern = settings.memory_pattern
    for name, value in settings.entries.items():
        made.add_session_config_entry(name, value)
    chosen = [(name, dict(given)) for name, given in settings.providers]
    # enable_fallback: else the Python wrapper quietly tries again on the processor when a provider fails
    return onnxruntime.InferenceSession(content, made, providers=chosen, enable_fallback=0)


def _allocate(kind: str, index: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> BindingTensor:
    import onnxruntime

    value = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype), kind, index)
    return BindingTensor(value, shape, np.dtype(dtype))


def _as_array(given: Array | DeviceTensor) -> Array:
    if isinstance(given, np.ndarray):
        return given
    return np.asarray(given.value.numpy()) if isinstance(given, BindingTensor) else given.read()


def _spec(argument: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else 1 for size in argument.shape)
    return tensor_spec(str(argument.name), argument.type, shape)
