"""CUDA as ``cuda.bindings.runtime`` shows it, in the computer's own memory.

What is put on a stream happens when somebody waits for the stream, not before: a missing wait shows.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

Error = IntEnum(
    "Error",
    {
        "cudaSuccess": 0,
        "cudaErrorInvalidValue": 1,
        "cudaErrorMemoryAllocation": 2,
        "cudaErrorInsufficientDriver": 35,
        "cudaErrorNoDevice": 100,
        "cudaErrorIllegalAddress": 700,
        "cudaErrorStreamCaptureUnsupported": 900,
    },
)
"""Some of ``cudaError_t``."""

OK = Error.cudaSuccess
Work = Callable[[], object]


@dataclass
class Stream:
    """A stream and what waits on it."""

    handle: int
    waiting: list[Work] = field(default_factory=list)
    recording: list[Work] | None = None

    def __int__(self) -> int:
        return self.handle

    def put(self, work: Work) -> None:
        (self.waiting if self.recording is None else self.recording).append(work)


@dataclass
class Recording:
    """A graph, and the executable graph made of it."""

    work: list[Work]


class FakeCuda:
    """Two cards of 8 GiB; ``fail`` makes a function answer with an error, by its name."""

    def __init__(self, cards: int = 2, driver: int = 13010) -> None:
        self.cards, self.driver = cards, driver
        self.cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
        self.cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)
        self.fail: dict[str, Error] = {}
        self.calls: Counter[str] = Counter()
        self.devices: set[int] = set()
        """Cards that memory was asked for on."""
        self.memory: dict[int, Any] = {}
        self.page_locked: dict[int, Any] = {}
        self.streams: dict[int, Stream] = {}
        self.graphs: list[Recording] = []
        self.waits: list[int] = []
        """How much work each wait found."""
        self.capability = (8, 9)
        self.last_error = OK
        """What the next who asks for the last error gets, whoever made it."""
        self._current = threading.local()
        self._handles = itertools.count(1001)

    def _answer(self, name: str) -> Error:
        self.calls[name] += 1
        error = self.fail.get(name, OK)
        self.last_error = error or self.last_error
        return error

    def stream(self, handle: int) -> Stream:
        """By its number, as TensorRT is given it."""
        return self.streams[handle]

    # signatures and results as in the real module
    def cudaGetErrorString(self, error: Error) -> tuple[Error, bytes]:
        return OK, f"words for {error.value}".encode()

    def cudaGetErrorName(self, error: Error) -> tuple[Error, bytes]:
        return OK, error.name.encode()

    def cudaGetLastError(self) -> tuple[Error]:
        error, self.last_error = self.last_error, OK
        return (error,)

    def cudaDriverGetVersion(self) -> tuple[Error, int]:
        return OK, self.driver

    def cudaGetDeviceCount(self) -> tuple[Error, int]:
        return self._answer("cudaGetDeviceCount"), self.cards

    def cudaGetDeviceProperties(self, device: int) -> tuple[Error, Any]:
        major, minor = self.capability
        about = SimpleNamespace(name=f"Card {device}".encode(), major=major, minor=minor, totalGlobalMem=8 << 30)
        return self._answer("cudaGetDeviceProperties"), about

    def cudaInitDevice(self, device: int, deviceFlags: int, flags: int) -> tuple[Error]:
        assert (deviceFlags, flags) == (4, 1)
        return (self._answer("cudaInitDevice"),)

    def cudaSetDevice(self, device: int) -> tuple[Error]:
        self._current.device = device
        return (self._answer("cudaSetDevice"),)

    def cudaMemGetInfo(self) -> tuple[Error, int, int]:
        return self._answer("cudaMemGetInfo"), 6 << 30, 8 << 30

    def cudaMalloc(self, size: int) -> tuple[Error, Any]:
        error = self._answer("cudaMalloc")
        if error:
            return error, None
        self.devices.add(getattr(self._current, "device", 0))
        block = ctypes.create_string_buffer(b"\xff" * size, size)  # fresh memory is not zero
        address = ctypes.addressof(block)
        self.memory[address] = block
        return OK, address

    def cudaFree(self, devPtr: int) -> tuple[Error]:
        if devPtr not in self.memory:
            return (Error.cudaErrorInvalidValue,)
        for stream in self.streams.values():
            self._run(stream)
        del self.memory[devPtr]
        return (self._answer("cudaFree"),)

    def cudaMallocHost(self, size: int) -> tuple[Error, Any]:
        error = self._answer("cudaMallocHost")
        if error:
            return error, None
        block = ctypes.create_string_buffer(size)
        self.page_locked[ctypes.addressof(block)] = block
        return OK, ctypes.addressof(block)

    def cudaFreeHost(self, ptr: int) -> tuple[Error]:
        return (self._answer("cudaFreeHost") if self.page_locked.pop(ptr, None) else Error.cudaErrorInvalidValue,)

    def cudaMemsetAsync(self, devPtr: int, value: int, count: int, stream: Stream) -> tuple[Error]:
        stream.put(lambda: ctypes.memset(devPtr, value, count))
        return (self._answer("cudaMemsetAsync"),)

    def cudaMemcpyAsync(self, dst: int, src: int, count: int, kind: int, stream: Stream) -> tuple[Error]:
        self.calls["up" if kind == 1 else "down"] += 1
        page_locked = (src if kind == 1 else dst) in self.page_locked
        if kind == 1 and not page_locked:
            content = ctypes.string_at(src, count)  # pageable memory is copied away before the call returns
            stream.put(lambda: ctypes.memmove(dst, content, count))
        else:
            stream.put(lambda: ctypes.memmove(dst, src, count))
        return (self._answer("cudaMemcpyAsync"),)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Error, Any]:
        assert flags == 1
        error = self._answer("cudaStreamCreateWithFlags")
        if error:
            return error, None
        stream = Stream(next(self._handles))
        self.streams[stream.handle] = stream
        return OK, stream

    def cudaStreamDestroy(self, stream: Stream) -> tuple[Error]:
        del self.streams[stream.handle]
        return (self._answer("cudaStreamDestroy"),)

    def cudaStreamSynchronize(self, stream: Stream) -> tuple[Error]:
        error = self._answer("cudaStreamSynchronize")
        self.waits.append(len(stream.waiting))
        if not error:
            self._run(stream)
        return (error,)

    def cudaStreamBeginCapture(self, stream: Stream, mode: int) -> tuple[Error]:
        error = self._answer("cudaStreamBeginCapture")
        if not error:
            stream.recording = []
        return (error,)

    def cudaStreamEndCapture(self, stream: Stream) -> tuple[Error, Any]:
        error = self._answer("cudaStreamEndCapture")
        recorded, stream.recording = stream.recording, None
        if error or recorded is None:
            return error or Error.cudaErrorInvalidValue, None
        return OK, self._keep(Recording(recorded))

    def cudaGraphInstantiate(self, graph: Recording, flags: int) -> tuple[Error, Any]:
        error = self._answer("cudaGraphInstantiate")
        return (error, None) if error else (OK, self._keep(Recording(graph.work)))

    def cudaGraphDestroy(self, graph: Recording) -> tuple[Error]:
        self.graphs = [kept for kept in self.graphs if kept is not graph]
        return (self._answer("cudaGraphDestroy"),)

    def cudaGraphLaunch(self, graphExec: Recording, stream: Stream) -> tuple[Error]:
        for work in graphExec.work:
            stream.put(work)
        return (self._answer("cudaGraphLaunch"),)

    def cudaGraphExecDestroy(self, graphExec: Recording) -> tuple[Error]:
        self.graphs = [kept for kept in self.graphs if kept is not graphExec]
        return (self._answer("cudaGraphExecDestroy"),)

    def _keep(self, recording: Recording) -> Recording:
        self.graphs.append(recording)
        return recording

    def _run(self, stream: Stream) -> None:
        waiting, stream.waiting = stream.waiting, []
        for work in waiting:
            work()

    def assert_nothing_is_left(self) -> None:
        """Everything was given back."""
        assert (self.memory, self.page_locked, self.streams, self.graphs) == ({}, {}, {}, [])
