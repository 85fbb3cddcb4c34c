"""The part of ``cuda.bindings.runtime`` that is used here, as types: the package carries none.

Every function gives back a tuple that begins with an error, a number with a name; 0 is success. A test holds the names
against the real module where it is installed.
"""
# ruff: noqa: N815 - these are CUDA's own names

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class DeviceProperties(Protocol):
    """What CUDA tells of a card."""

    name: bytes
    major: int
    minor: int
    totalGlobalMem: int


class CopyKinds(Protocol):
    """Between which memories a copy goes."""

    cudaMemcpyHostToDevice: Any
    cudaMemcpyDeviceToHost: Any


class CaptureModes(Protocol):
    """What may happen elsewhere while a run is recorded."""

    cudaStreamCaptureModeThreadLocal: Any


class CudaRuntime(Protocol):
    """The module's functions. Addresses are numbers; streams and graphs are objects of its own."""

    cudaMemcpyKind: CopyKinds
    cudaStreamCaptureMode: CaptureModes
    cudaGetErrorString: Callable[[Any], tuple[Any, bytes]]
    cudaGetErrorName: Callable[[Any], tuple[Any, bytes]]
    cudaGetLastError: Callable[[], tuple[Any]]
    cudaDriverGetVersion: Callable[[], tuple[Any, int]]
    cudaGetDeviceCount: Callable[[], tuple[Any, int]]
    cudaGetDeviceProperties: Callable[[int], tuple[Any, DeviceProperties]]
    cudaInitDevice: Callable[[int, int, int], tuple[Any]]
    """Card, how its context shall be, whether that counts."""
    cudaSetDevice: Callable[[int], tuple[Any]]
    cudaMemGetInfo: Callable[[], tuple[Any, int, int]]
    cudaMalloc: Callable[[int], tuple[Any, int]]
    cudaFree: Callable[[int], tuple[Any]]
    cudaMallocHost: Callable[[int], tuple[Any, int]]
    cudaFreeHost: Callable[[int], tuple[Any]]
    cudaMemsetAsync: Callable[[int, int, int, Any], tuple[Any]]
    """Address, value, number of bytes, stream."""
    cudaMemcpyAsync: Callable[[int, int, int, Any, Any], tuple[Any]]
    """Target, source, number of bytes, kind, stream."""
    cudaStreamCreateWithFlags: Callable[[int], tuple[Any, Any]]
    cudaStreamDestroy: Callable[[Any], tuple[Any]]
    cudaStreamSynchronize: Callable[[Any], tuple[Any]]
    cudaStreamBeginCapture: Callable[[Any, Any], tuple[Any]]
    cudaStreamEndCapture: Callable[[Any], tuple[Any, Any]]
    cudaGraphInstantiate: Callable[[Any, int], tuple[Any, Any]]
    """Graph, flags: the executable graph."""
    cudaGraphDestroy: Callable[[Any], tuple[Any]]
    cudaGraphLaunch: Callable[[Any, Any], tuple[Any]]
    """Executable graph, stream."""
    cudaGraphExecDestroy: Callable[[Any], tuple[Any]]
