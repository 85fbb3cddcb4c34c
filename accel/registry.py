"""All runtimes by name, with the rung of the ladder they belong to. Asking what is there loads nothing heavy."""

from __future__ import annotations

import logging
from importlib import metadata

from core.wire.errors import RuntimeUnavailable
from core.wire.rungs import CPU, GPU, TENSORRT

from . import tensorrt
from .base import Device, Runtime
from .onnxruntime import devices as onnxruntime
from .onnxruntime.options import CPU_NAME, CUDA_NAME, DIRECTML_NAME
from .tensorrt.options import TENSORRT as TENSORRT_NAME
from .tensorrt.options import TENSORRT_RTX as TENSORRT_RTX_NAME

_log = logging.getLogger(__name__)

RUNTIMES: dict[str, str] = {
    TENSORRT_RTX_NAME: TENSORRT,
    TENSORRT_NAME: TENSORRT,
    CUDA_NAME: GPU,
    DIRECTML_NAME: GPU,
    CPU_NAME: CPU,
}
"""From fastest to safest, each with its rung."""
_ONNXRUNTIME_PACKAGES = ("onnxruntime-directml", "onnxruntime-gpu", "onnxruntime-windowsml", "onnxruntime")
_PACKAGES = {
    TENSORRT_NAME: ("tensorrt-cu13-bindings", "tensorrt-cu12-bindings", "tensorrt"),
    TENSORRT_RTX_NAME: ("tensorrt-rtx-cu13-bindings", "tensorrt-rtx-cu12-bindings", "tensorrt-rtx"),
}
"""Distributions a runtime may come from."""


def unavailable(name: str) -> str | None:
    """None when the runtime can be tried, else the key of the reason (``reason.<key>``)."""
    if name not in RUNTIMES:
        return "unknown"
    return tensorrt.unavailable(name) if RUNTIMES[name] == TENSORRT else onnxruntime.unavailable(name)


def availability() -> dict[str, str | None]:
    """:func:`unavailable` for every runtime."""
    return {name: unavailable(name) for name in RUNTIMES}


def version(name: str) -> str:
    """The version of the package that a runtime is from; verdicts and timings hold for one version."""
    for package in _PACKAGES.get(name, _ONNXRUNTIME_PACKAGES):
        try:
            return f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            continue
    return ""


def devices() -> list[Device]:
    """Every device of every runtime that is there, fastest kind first. May load a driver: not for the render loop."""
    found: list[Device] = []
    for name, rung in RUNTIMES.items():
        try:
            found += tensorrt.devices(name) if rung == TENSORRT else onnxruntime.devices(name)
        except Exception as problem:  # noqa: BLE001 - a broken driver must not hide the other devices
            _log.warning("devices of %s cannot be listed: %r", name, problem)
    return found


def open_runtime(device: Device, threads: int = 0) -> Runtime:
    """Begin to compute on a device. ``threads``: on the processor, 0 chooses.

    Raises RuntimeUnavailable with the reason, RuntimeFailed when a driver does not start.
    """
    reason = unavailable(device.runtime)
    if reason is not None:
        raise RuntimeUnavailable(runtime=device.runtime, reason=reason)
    if device.runtime == TENSORRT_NAME:
        return tensorrt.open_runtime(tensorrt.TensorRTOptions(device_index=device.index))
    if device.runtime == TENSORRT_RTX_NAME:
        return tensorrt.open_runtime(tensorrt.TensorRTRtxOptions(device_index=device.index))
    return onnxruntime.open_device(device, threads)
