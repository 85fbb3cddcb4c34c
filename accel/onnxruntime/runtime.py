"""Opening networks in ONNX Runtime: what it is told, and what its answers mean."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from accel.base import Device, DeviceTensor, Network, Progress
from core.wire.errors import AccelError, ModelFileBad, NetworkRefused, RuntimeFailed, RuntimeUnavailable

from .options import CPU_NAME, CUDA_NAME, DIRECTML_NAME, CpuOptions, CudaOptions, DirectMLOptions, Options
from .session import OrtSession, allocate

_log = logging.getLogger(__name__)

_PROVIDERS = {
    CPU_NAME: "CPUExecutionProvider",
    DIRECTML_NAME: "DmlExecutionProvider",
    CUDA_NAME: "CUDAExecutionProvider",
}
_MEMORY = {CPU_NAME: "cpu", DIRECTML_NAME: "dml", CUDA_NAME: "cuda"}
_MOST_THREADS = 4
_UNSERVED = re.compile(r"implementation for (\w+)|Provider type for (\w+) node")
"""How ONNX Runtime names an operator that neither the device's provider nor the processor's has a kernel for."""
_FATAL = 4
"""ONNX Runtime's log level; what it would say comes back as an exception anyway, and stderr is not for chatter."""


class OrtRuntime:
    """ONNX Runtime with one provider on one device."""

    def __init__(self, name: str, device: Device, options: Options) -> None:
        self._name, self._device, self._options = name, device, options

    @property
    def name(self) -> str:
        """As in the registry."""
        return self._name

    @property
    def device(self) -> Device:
        """What it computes on."""
        return self._device

    @property
    def on_host(self) -> bool:
        """True for the processor."""
        return isinstance(self._options, CpuOptions)

    @property
    def lanes(self) -> int:
        """As many as there are threads on the processor, because several operators run on one thread only."""
        return _threads(self._options) if isinstance(self._options, CpuOptions) else 1

    @property
    def builds_engines(self) -> bool:
        """Opening is quick."""
        return False

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        """Opening is quick."""

    def open(self, network: Network, progress: Progress | None = None) -> OrtSession:
        """Make a network ready; see :class:`accel.base.Runtime`."""
        import onnxruntime

        if progress is not None:
            progress(network.name, 0.0)
        try:
            made = _make(network, self._session_options(network), self._providers())
            session = OrtSession(made, self._name, network.name, _MEMORY[self._name], self._device.index)
        except onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf as problem:
            raise ModelFileBad(str(problem)[:300], file=network.name, reason="damaged") from problem
        except Exception as problem:
            raise self._explained(network, problem) from problem
        if progress is not None:
            progress(network.name, 1.0)
        return session

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceTensor:
        """Memory on the device, zeroed."""
        return allocate(_MEMORY[self._name], self._device.index, shape, dtype)

    def close(self) -> None:
        """ONNX Runtime keeps nothing outside its sessions."""

    def _session_options(self, network: Network, refuse_processor: bool = True) -> Any:
        import onnxruntime

        made = onnxruntime.SessionOptions()
        made.log_severity_level = _FATAL
        made.inter_op_num_threads = 1
        made.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        # threads that spin while they wait would take the processor from OBS
        made.add_session_config_entry("session.intra_op.allow_spinning", "0")
        made.add_session_config_entry("session.inter_op.allow_spinning", "0")
        if isinstance(self._options, CpuOptions):
            made.intra_op_num_threads = _threads(self._options) if network.alone else 1
            return made
        made.intra_op_num_threads = 1
        # one operator on the processor costs two copies across the bus a frame: better refused than hidden
        made.add_session_config_entry("session.disable_cpu_ep_fallback", str(int(refuse_processor)))
        if isinstance(self._options, DirectMLOptions):
            made.enable_mem_pattern = False
        return made

    def _providers(self) -> list[tuple[str, dict[str, str]]]:
        options = self._options
        given: dict[str, str] = {}
        if isinstance(options, DirectMLOptions):
            # without a device_id it looks for devices in a way that older Windows 10 does not have
            given = {"device_id": str(options.device_index)}
            if not options.metacommands:
                given["disable_metacommands"] = "true"
        elif isinstance(options, CudaOptions):
            given = {
                "device_id": str(options.device_index),
                "use_tf32": str(int(options.tensor_float)),
                "arena_extend_strategy": "kSameAsRequested",
                "cudnn_conv_algo_search": "HEURISTIC",
            }
            if options.memory_limit_bytes:
                given["gpu_mem_limit"] = str(options.memory_limit_bytes)
        return [(_PROVIDERS[self._name], given)]

    def _explained(self, network: Network, problem: Exception) -> AccelError:
        """What a failed attempt to open a network means."""
        text = str(problem)
        if "fallback to CPU EP has been explicitly disabled" in text:
            return NetworkRefused(
                text[:300], runtime=self._name, network=network.name, operators=self._left_over(network)
            )
        unserved = _unserved(text)
        if unserved or "NOT_IMPLEMENTED" in text:
            operators = unserved or text[-120:]
            return NetworkRefused(text[:300], runtime=self._name, network=network.name, operators=operators)
        return RuntimeFailed(text[:500], runtime=self._name, network=network.name)

    def _left_over(self, network: Network) -> str:
        """Names of the operators that the provider leaves to the processor."""
        made = self._session_options(network, refuse_processor=False)
        made.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        try:
            session = _make(network, made, [*self._providers(), (_PROVIDERS[CPU_NAME], {})])
            groups = session.get_provider_graph_assignment_info()
            names = {
                node.op_type for group in groups if group.ep_name == _PROVIDERS[CPU_NAME] for node in group.get_nodes()
            }
        except Exception as problem:  # noqa: BLE001 - only the names would be missing from the sentence
            _log.warning("operators of %s could not be listed: %r", network.name, problem)
            return _unserved(str(problem)) or "?"
        return ", ".join(sorted(names)) or "?"


def open_runtime(device: Device, options: Options) -> OrtRuntime:
    """A runtime on a device that :func:`accel.onnxruntime.devices.devices` told of. Raises RuntimeUnavailable."""
    name = device.runtime
    import onnxruntime

    if _PROVIDERS[name] not in onnxruntime.get_available_providers():
        raise RuntimeUnavailable(runtime=name, reason="provider_missing")
    return OrtRuntime(name, device, options)


def _make(network: Network, options: Any, providers: list[tuple[str, dict[str, str]]]) -> Any:
    import onnxruntime

    # enable_fallback: else the Python wrapper quietly tries again on the processor when a provider fails
    return onnxruntime.InferenceSession(network.content, options, providers=providers, enable_fallback=0)


def _unserved(text: str) -> str:
    """The operator that ONNX Runtime complains about; empty when it complains about something else."""
    found = _UNSERVED.search(text)
    return (found.group(1) or found.group(2)) if found is not None else ""


def _threads(options: CpuOptions) -> int:
    return options.threads or max(1, min(_MOST_THREADS, (os.cpu_count() or 2) // 2))
