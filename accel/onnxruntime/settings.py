"""What ONNX Runtime is told about a session, whichever way it is spoken to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .options import CPU_NAME, CUDA_NAME, DIRECTML_NAME, CpuOptions, DirectMLOptions, Options

PROVIDERS = {
    CPU_NAME: "CPUExecutionProvider",
    DIRECTML_NAME: "DmlExecutionProvider",
    CUDA_NAME: "CUDAExecutionProvider",
}
"""ONNX Runtime's names for what a runtime of ours computes with."""
FATAL = 4
"""ONNX Runtime's log level; what it would say comes back as an exception anyway, and stderr is not for chatter."""
_MOST_THREADS = 4
_NO_FALLBACK = "session.disable_cpu_ep_fallback"

Provider = tuple[str, Mapping[str, str]]
"""A provider's name and what it is told."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """For one session. Operators run one after another, and no thread spins: that would take the processor from OBS."""

    threads: int
    """That work on one operator."""
    entries: Mapping[str, str]
    """Further settings, by ONNX Runtime's names (``onnxruntime_session_options_config_keys.h``)."""
    memory_pattern: bool
    """Whether memory is planned ahead, which DirectML cannot have."""
    providers: Sequence[Provider]
    """Who computes, the first that can."""

    def naming_nodes(self) -> SessionSettings:
        """The same with the processor for what is left over, and a list of who got which node."""
        entries = {**self.entries, _NO_FALLBACK: "0", "session.record_ep_graph_assignment_info": "1"}
        return replace(self, entries=entries, providers=[*self.providers, (PROVIDERS[CPU_NAME], {})])


def session_settings(options: Options, alone: bool = True) -> SessionSettings:
    """``alone``: see :class:`accel.base.Network`."""
    entries = {"session.intra_op.allow_spinning": "0", "session.inter_op.allow_spinning": "0"}
    if isinstance(options, CpuOptions):
        return SessionSettings(threads(options) if alone else 1, entries, True, [_provider(options)])
    # one operator on the processor costs two copies across the bus a frame: better refused than hidden
    entries[_NO_FALLBACK] = "1"
    return SessionSettings(1, entries, not isinstance(options, DirectMLOptions), [_provider(options)])


def threads(options: CpuOptions) -> int:
    """How many threads compute on the processor."""
    return options.threads or max(1, min(_MOST_THREADS, (os.cpu_count() or 2) // 2))


def _provider(options: Options) -> Provider:
    if isinstance(options, CpuOptions):
        return PROVIDERS[CPU_NAME], {}
    # without a device_id DirectML looks for devices in a way that older Windows 10 does not have
    given = {"device_id": str(options.device_index)}
    if isinstance(options, DirectMLOptions):
        if not options.metacommands:
            given["disable_metacommands"] = "true"
        return PROVIDERS[DIRECTML_NAME], given
    given |= {
        "use_tf32": str(int(options.tensor_float)),
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",
    }
    if options.memory_limit_bytes:
        given["gpu_mem_limit"] = str(options.memory_limit_bytes)
    return PROVIDERS[CUDA_NAME], given
