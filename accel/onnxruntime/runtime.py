"""Opening networks in ONNX Runtime, and what its answers mean."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from accel.base import Device, DeviceTensor, Network, Progress
from core.wire.errors import AccelError, ModelFileBad, NetworkRefused, RuntimeFailed, RuntimeUnavailable

from .choice import open_library, providers
from .options import CpuOptions, Options
from .session import OrtSession
from .settings import PROVIDERS, threads

_log = logging.getLogger(__name__)

_UNSERVED = re.compile(r"implementation for (\w+)|Provider type for (\w+) node")
"""How ONNX Runtime names an operator that neither the device's provider nor the processor's has a kernel for."""


class OrtRuntime:
    """ONNX Runtime with one provider on one device."""

    def __init__(self, name: str, device: Device, options: Options) -> None:
        self._name, self._device, self._options = name, device, options
        self._library = open_library(options)

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
        return threads(self._options) if isinstance(self._options, CpuOptions) else 1

    @property
    def builds_engines(self) -> bool:
        """Opening is quick."""
        return False

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        """Opening is quick."""

    def open(self, network: Network, progress: Progress | None = None) -> OrtSession:
        """Make a network ready; see :class:`accel.base.Runtime`."""
        if progress is not None:
            progress(network.name, 0.0)
        try:
            made = self._library.open(network.content, network.alone)
        except Exception as problem:
            raise self._explained(network, problem) from problem
        if progress is not None:
            progress(network.name, 1.0)
        return OrtSession(made, self._name, network.name)

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceTensor:
        """Memory on the device, zeroed."""
        return self._library.allocate(shape, dtype)

    def close(self) -> None:
        """Sessions and tensors are their owners'."""
        self._library.close()

    def _explained(self, network: Network, problem: Exception) -> AccelError | ModelFileBad:
        """What a failed attempt to open a network means."""
        text = str(problem)
        if self._library.is_damage(problem):
            return ModelFileBad(text[:300], file=network.name, reason="damaged")
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
        try:
            names = self._library.left_over(network.content)
        except Exception as problem:  # noqa: BLE001 - only the names would be missing from the sentence
            _log.warning("operators of %s could not be listed: %r", network.name, problem)
            return _unserved(str(problem)) or "?"
        return ", ".join(sorted(names)) or "?"


def open_runtime(device: Device, options: Options) -> OrtRuntime:
    """A runtime on a device that :func:`accel.onnxruntime.devices.devices` told of. Raises RuntimeUnavailable."""
    name = device.runtime
    if PROVIDERS[name] not in providers(name):
        raise RuntimeUnavailable(runtime=name, reason="provider_missing")
    return OrtRuntime(name, device, options)


def _unserved(text: str) -> str:
    """The operator that ONNX Runtime complains about; empty when it complains about something else."""
    found = _UNSERVED.search(text)
    return (found.group(1) or found.group(2)) if found is not None else ""
