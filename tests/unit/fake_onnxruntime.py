"""ONNX Runtime's Python module, as far as ours uses it: notes what it is told and doubles ``x`` into ``y``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from accel.base import Array

SHAPE = (2, 3)
DIRECTML, CUDA, CPU = "DmlExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"


class InvalidProtobuf(Exception):
    """As the real one: what is no model."""


class FakeOptions:
    """``SessionOptions``."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.enable_mem_pattern = True
        self.intra_op_num_threads = self.inter_op_num_threads = 0
        self.log_severity_level = 2
        self.execution_mode = "default"

    def add_session_config_entry(self, name: str, value: str) -> None:
        self.entries[name] = value


class FakeValue:
    """``OrtValue``."""

    def __init__(self, content: Array, kind: str, index: int) -> None:
        self.content, self.place = content.copy(), (kind, index)

    def numpy(self) -> Array:
        return self.content

    def update_inplace(self, content: Array) -> None:
        assert content.flags.c_contiguous
        self.content[...] = content


class FakeBinding:
    """``IOBinding``."""

    def __init__(self) -> None:
        self.inputs: dict[str, FakeValue] = {}
        self.outputs: dict[str, FakeValue | str] = {}
        self.synchronized = False

    def bind_ortvalue_input(self, name: str, value: FakeValue) -> None:
        self.inputs[name] = value

    def bind_ortvalue_output(self, name: str, value: FakeValue) -> None:
        self.outputs[name] = value

    def bind_output(self, name: str, kind: str) -> None:
        self.outputs[name] = kind

    def synchronize_outputs(self) -> None:
        self.synchronized = True

    def get_outputs(self) -> list[FakeValue]:
        assert self.synchronized
        return [value for value in self.outputs.values() if isinstance(value, FakeValue)]


@dataclass
class FakeSession:
    """``InferenceSession``: what it was made with, and its runs."""

    content: bytes
    options: FakeOptions
    providers: list[tuple[str, dict[str, str]]]
    fallback: int
    groups: list[Any] = field(default_factory=list)
    bindings: list[FakeBinding] = field(default_factory=list)
    failure: Exception | None = None

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="x", type="tensor(float)", shape=list(SHAPE))]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name=name, type="tensor(float)", shape=list(SHAPE)) for name in ("y", "z")]

    def run(self, names: list[str], feeds: dict[str, Array]) -> list[Array]:
        return [feeds["x"] * np.float32(2) for _ in names]

    def io_binding(self) -> FakeBinding:
        self.bindings.append(FakeBinding())
        return self.bindings[-1]

    def run_with_iobinding(self, binding: FakeBinding) -> None:
        if self.failure is not None:
            raise self.failure
        result = binding.inputs["x"].content * np.float32(2)
        for name, place in binding.outputs.items():
            if isinstance(place, FakeValue):
                place.content[...] = result
            else:
                binding.outputs[name] = FakeValue(result, place, 0)

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return self.groups


class FakeOnnxRuntime(ModuleType):
    """The module. ``failures``: raised by the next sessions that are made, None where one shall work."""

    def __init__(self) -> None:
        super().__init__("onnxruntime")
        self.SessionOptions = FakeOptions
        self.ExecutionMode = SimpleNamespace(ORT_SEQUENTIAL="sequential")
        self.OrtValue = SimpleNamespace(ortvalue_from_numpy=self._allocate)
        self.capi = SimpleNamespace(onnxruntime_pybind11_state=SimpleNamespace(InvalidProtobuf=InvalidProtobuf))
        self.sessions: list[FakeSession] = []
        self.values: list[FakeValue] = []
        self.failures: list[Exception | None] = []
        self.groups: list[Any] = []
        self.ep_devices: list[Any] | Exception = []
        self.providers = [DIRECTML, CUDA, CPU]

    def InferenceSession(
        self, content: bytes, options: FakeOptions, providers: list[tuple[str, dict[str, str]]], enable_fallback: int
    ) -> FakeSession:
        made = FakeSession(content, options, providers, enable_fallback, self.groups)
        self.sessions.append(made)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        return made

    def get_available_providers(self) -> list[str]:
        return self.providers

    def get_ep_devices(self) -> list[Any]:
        if isinstance(self.ep_devices, Exception):
            raise self.ep_devices
        return self.ep_devices

    def _allocate(self, content: Array, kind: str, index: int) -> FakeValue:
        self.values.append(FakeValue(content, kind, index))
        return self.values[-1]


def left_to(provider: str, *operators: str) -> Any:
    """A part of a graph and who computes it."""
    nodes = [SimpleNamespace(op_type=operator) for operator in operators]
    return SimpleNamespace(ep_name=provider, get_nodes=lambda: nodes)


def ep_device(provider: str, vendor: str = "", told: Any = (), hardware: Any = ()) -> Any:
    """One entry of ``get_ep_devices``."""
    device = SimpleNamespace(vendor=vendor, metadata=dict(hardware))
    return SimpleNamespace(ep_name=provider, ep_metadata=dict(told), device=device)


def put_in_place(monkeypatch: pytest.MonkeyPatch) -> FakeOnnxRuntime:
    """One in the real module's place, where the C library cannot be used."""
    made = FakeOnnxRuntime()
    monkeypatch.setattr("accel.onnxruntime.choice.native_api", lambda: None)
    monkeypatch.setitem(sys.modules, "onnxruntime", made)
    return made
