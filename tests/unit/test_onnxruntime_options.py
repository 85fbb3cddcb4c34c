"""What ONNX Runtime is told about threads, providers and falling back, and what its refusals mean."""

from __future__ import annotations

import os
from typing import Any

import pytest

from accel.base import Device, Network
from accel.onnxruntime.devices import open_device
from accel.onnxruntime.options import CPU_NAME, CUDA_NAME, DIRECTML_NAME, CpuOptions, CudaOptions, DirectMLOptions
from accel.onnxruntime.runtime import OrtRuntime, open_runtime
from core.wire.errors import ModelFileBad, NetworkRefused, RuntimeFailed, RuntimeUnavailable
from tests.unit.fake_onnxruntime import (
    CPU,
    CUDA,
    DIRECTML,
    FakeOnnxRuntime,
    FakeSession,
    InvalidProtobuf,
    left_to,
    put_in_place,
)

NETWORK, SHARED = Network("student body", b"content"), Network("share", b"content", alone=False)
REFUSAL = RuntimeError(
    "[ONNXRuntimeError] : 1 : FAIL : This session contains graph nodes that are assigned to the default CPU EP, "
    "but fallback to CPU EP has been explicitly disabled by the user."
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeOnnxRuntime:
    return put_in_place(monkeypatch)


def made_with(fake: FakeOnnxRuntime, name: str, options: Any, network: Network = NETWORK) -> FakeSession:
    """The session that ONNX Runtime was asked for."""
    index = getattr(options, "device_index", 0)
    open_runtime(Device(name, index, "device"), options).open(network)
    return fake.sessions[-1]


ALL = [(CPU_NAME, CpuOptions(3)), (DIRECTML_NAME, DirectMLOptions()), (CUDA_NAME, CudaOptions())]


@pytest.mark.parametrize(("name", "options"), ALL)
def test_nothing_spins_falls_back_or_chats(fake: FakeOnnxRuntime, name: str, options: Any) -> None:
    made = made_with(fake, name, options)
    assert made.content == NETWORK.content
    assert made.fallback == 0
    assert made.options.entries["session.intra_op.allow_spinning"] == "0"
    assert made.options.entries["session.inter_op.allow_spinning"] == "0"
    assert (made.options.inter_op_num_threads, made.options.execution_mode) == (1, "sequential")
    assert made.options.log_severity_level == 4
    assert len(fake.sessions) == 1


@pytest.mark.parametrize(("threads", "alone", "shared"), [(1, 1, 1), (3, 3, 1), (7, 7, 1)])
def test_threads_are_for_networks_that_run_alone(fake: FakeOnnxRuntime, threads: int, alone: int, shared: int) -> None:
    assert made_with(fake, CPU_NAME, CpuOptions(threads)).options.intra_op_num_threads == alone
    assert made_with(fake, CPU_NAME, CpuOptions(threads), SHARED).options.intra_op_num_threads == shared


@pytest.mark.parametrize(("cores", "threads"), [(None, 1), (1, 1), (2, 1), (6, 3), (8, 4), (32, 4)])
def test_by_default_half_of_the_cores_compute_at_most_four(
    fake: FakeOnnxRuntime, monkeypatch: pytest.MonkeyPatch, cores: int | None, threads: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert made_with(fake, CPU_NAME, CpuOptions()).options.intra_op_num_threads == threads
    runtime = OrtRuntime(CPU_NAME, Device(CPU_NAME, 0, "processor"), CpuOptions())
    assert (runtime.lanes, runtime.on_host, runtime.name) == (threads, True, CPU_NAME)
    assert OrtRuntime(CPU_NAME, runtime.device, CpuOptions(5)).lanes == 5


def test_the_processor_is_told_nothing_else(fake: FakeOnnxRuntime) -> None:
    made = made_with(fake, CPU_NAME, CpuOptions(2))
    assert made.providers == [(CPU, {})]
    assert "session.disable_cpu_ep_fallback" not in made.options.entries


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (DirectMLOptions(), {"device_id": "0"}),
        (DirectMLOptions(2, metacommands=False), {"device_id": "2", "disable_metacommands": "true"}),
    ],
)
def test_directml_computes_everything_itself(
    fake: FakeOnnxRuntime, options: DirectMLOptions, told: dict[str, str]
) -> None:
    made = made_with(fake, DIRECTML_NAME, options)
    assert made.providers == [(DIRECTML, told)]
    assert made.options.entries["session.disable_cpu_ep_fallback"] == "1"
    assert made.options.enable_mem_pattern is False
    assert made.options.intra_op_num_threads == 1


CUDA_DEFAULTS = {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (CudaOptions(), {"device_id": "0", "use_tf32": "0"}),
        (
            CudaOptions(1, memory_limit_bytes=1 << 30, tensor_float=True),
            {"device_id": "1", "use_tf32": "1", "gpu_mem_limit": "1073741824"},
        ),
    ],
)
def test_cuda_computes_everything_itself(fake: FakeOnnxRuntime, options: CudaOptions, told: dict[str, str]) -> None:
    made = made_with(fake, CUDA_NAME, options)
    assert made.providers == [(CUDA, {**CUDA_DEFAULTS, **told})]
    assert made.options.entries["session.disable_cpu_ep_fallback"] == "1"


@pytest.mark.parametrize(("name", "provider"), [(DIRECTML_NAME, DIRECTML), (CUDA_NAME, CUDA)])
def test_a_network_that_would_partly_run_elsewhere_is_refused_by_its_operators(
    fake: FakeOnnxRuntime, name: str, provider: str
) -> None:
    fake.failures = [REFUSAL, None]
    fake.groups = [left_to(provider, "Sin", "MatMul"), left_to(CPU, "Loop", "Where"), left_to(CPU, "Loop")]
    options = DirectMLOptions(3) if name == DIRECTML_NAME else CudaOptions(3)
    with pytest.raises(NetworkRefused) as problem:
        open_runtime(Device(name, 3, "card"), options).open(NETWORK)
    assert problem.value.parameters == {"runtime": name, "network": "student body", "operators": "Loop, Where"}
    assert "explicitly disabled" in problem.value.detail
    # only the second one, that is thrown away, may use the processor
    refused, asked = fake.sessions
    assert [entry[0] for entry in refused.providers] == [provider]
    assert [entry[0] for entry in asked.providers] == [provider, CPU]
    assert asked.providers[0] == refused.providers[0]
    assert asked.options.entries["session.disable_cpu_ep_fallback"] == "0"
    assert asked.fallback == 0


@pytest.mark.parametrize("second", [RuntimeError("not this way either"), None])
def test_a_refusal_whose_operators_nobody_knows_is_still_one(fake: FakeOnnxRuntime, second: Exception | None) -> None:
    fake.failures = [REFUSAL, second]
    with pytest.raises(NetworkRefused) as problem:
        open_runtime(Device(DIRECTML_NAME, 0, "card"), DirectMLOptions()).open(NETWORK)
    assert problem.value.parameters["operators"] == "?"


@pytest.mark.parametrize(
    ("failure", "error", "told"),
    [
        (RuntimeError("9 : NOT_IMPLEMENTED : Could not find an implementation for Erf(13)"), NetworkRefused, "Erf"),
        (RuntimeError("Could not find an implementation for Loop(16)"), NetworkRefused, "Loop"),
        (RuntimeError("Provider type for Conv node with name 'it' is not set."), NetworkRefused, "Conv"),
        (RuntimeError("8007000E: out of memory"), RuntimeFailed, "8007000E"),
        (ValueError("device_id 7 is not there"), RuntimeFailed, "device_id 7"),
        (InvalidProtobuf("protobuf parsing failed"), ModelFileBad, "parsing"),
    ],
)
def test_other_failures_are_told_in_the_librarys_words(
    fake: FakeOnnxRuntime, failure: Exception, error: type[Exception], told: str
) -> None:
    fake.failures = [failure]
    with pytest.raises(error, match=told) as problem:
        open_runtime(Device(DIRECTML_NAME, 0, "card"), DirectMLOptions()).open(NETWORK)
    assert type(problem.value) is error
    assert problem.value.__cause__ is failure
    assert len(fake.sessions) == 1


def test_an_endless_message_is_cut(fake: FakeOnnxRuntime) -> None:
    fake.failures = [RuntimeError("x" * 100_000)]
    with pytest.raises(RuntimeFailed) as problem:
        open_runtime(Device(CUDA_NAME, 0, "card"), CudaOptions()).open(NETWORK)
    assert len(problem.value.detail) <= 500


@pytest.mark.parametrize(("name", "provider"), [(DIRECTML_NAME, DIRECTML), (CUDA_NAME, CUDA), (CPU_NAME, CPU)])
def test_a_provider_that_the_package_lacks_is_told_before_anything_is_opened(
    fake: FakeOnnxRuntime, name: str, provider: str
) -> None:
    fake.providers.remove(provider)
    with pytest.raises(RuntimeUnavailable) as problem:
        open_device(Device(name, 0, "device"), 0)
    assert problem.value.parameters == {"runtime": name, "reason": "provider_missing"}
    assert fake.sessions == []


def test_a_device_is_opened_by_its_number(fake: FakeOnnxRuntime) -> None:
    for name in (DIRECTML_NAME, CUDA_NAME):
        runtime = open_device(Device(name, 4, "card"), threads=9)
        assert runtime.name == name and not runtime.on_host and runtime.lanes == 1
        runtime.open(NETWORK)
        assert fake.sessions[-1].providers[0][1]["device_id"] == "4"
    processor = open_device(Device(CPU_NAME, 0, "processor"), threads=9)
    assert processor.on_host and processor.lanes == 9
