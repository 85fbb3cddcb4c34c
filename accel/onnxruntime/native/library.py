"""ONNX Runtime's C library as a runtime needs it."""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from typing import Any

import numpy as np

from ..options import CPU_NAME, CpuOptions, Options
from ..settings import FATAL, PROVIDERS, session_settings
from .api import INT, INVALID_PROTOBUF, POINTER, Api, OrtError, made, text_at
from .device_memory import COPYING, DeviceMemory, NativeTensor
from .networks import DeviceNetwork, HostNetwork
from .session import NativeSession
from .tensors import HostMemory, HostTensor


class NativeLibrary:
    """The library, with one provider on one device. Nothing is made before it is needed."""

    def __init__(self, api: Api, options: Options) -> None:
        self._api, self._options = api, options
        self._lock = threading.Lock()
        self._memory: DeviceMemory | None = None

    def open(self, content: bytes, alone: bool) -> HostNetwork | DeviceNetwork:
        """A network's content made ready. Other threads go on meanwhile."""
        session = self._session(content, alone)
        host = host_memory(self._api)
        if isinstance(self._options, CpuOptions):
            return HostNetwork(session, host)
        return DeviceNetwork(session, host, self._options.device_index)

    def left_over(self, content: bytes) -> set[str]:
        """Names of the operators that the provider leaves to the processor."""
        settings = session_settings(self._options).naming_nodes()
        session = NativeSession(self._api, environment(self._api), content, settings)
        names = session.operators_of(PROVIDERS[CPU_NAME])
        session.handle.close()
        return names

    def is_damage(self, problem: Exception) -> bool:
        """Does the error say that the content is no network?"""
        return isinstance(problem, OrtError) and problem.code == INVALID_PROTOBUF

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> HostTensor | NativeTensor:
        """Memory on the device, zeroed."""
        if isinstance(self._options, CpuOptions):
            return HostTensor(host_memory(self._api), shape, dtype)
        return NativeTensor(self._device_memory(self._options.device_index), shape, dtype)

    def close(self) -> None:
        """Tensors that are still used keep what they need."""
        with self._lock:
            self._memory = None

    def _device_memory(self, index: int) -> DeviceMemory:
        with self._lock:
            if self._memory is None:
                self._memory = DeviceMemory(self._session(COPYING, True), host_memory(self._api), index)
            return self._memory

    def _session(self, content: bytes, alone: bool) -> NativeSession:
        settings = session_settings(self._options, alone)
        return NativeSession(self._api, environment(self._api), content, settings)


@cache
def environment(api: Api) -> int:
    """The address of the one ``OrtEnv``, which lives as long as the process. Raises OrtError."""
    made_once = made(api.create_environment, FATAL, b"easyvtuber")
    api.disable_telemetry(made_once)
    return made_once


@cache
def host_memory(api: Api) -> HostMemory:
    """The computer's own memory, described once. Raises OrtError."""
    return HostMemory(api)


def providers(api: Api) -> list[str]:
    """What the library can compute with. Raises OrtError."""
    first, count = POINTER(), INT()
    api.available_providers(ctypes.byref(first), ctypes.byref(count))
    names = [text_at(address or 0) for address in (POINTER * count.value).from_address(first.value or 0)]
    api.release_available_providers(first, count)
    return names
