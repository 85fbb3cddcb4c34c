"""The list of runtimes: order, reasons, devices, and which module opens which."""

from __future__ import annotations

from importlib import metadata
from types import SimpleNamespace
from typing import Any

import pytest

from accel import registry
from accel.base import Device
from accel.onnxruntime.options import CPU_NAME, CUDA_NAME, DIRECTML_NAME
from accel.tensorrt.options import TensorRTOptions, TensorRTRtxOptions
from core.wire.errors import RuntimeUnavailable
from core.wire.rungs import CPU, GPU, LADDER, TENSORRT

NAMES = ["tensorrt_rtx", "tensorrt", "onnxruntime_cuda", "onnxruntime_directml", "onnxruntime_cpu"]


class Backend:
    """Stands for both packages of runtimes; ``failing``: names whose devices cannot be listed."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self.failing: dict[str, Exception] = {}
        self.opened: list[Any] = []

    def unavailable(self, name: str) -> str | None:
        return self.reasons.get(name)

    def devices(self, name: str) -> list[Device]:
        if name in self.failing:
            raise self.failing[name]
        return [Device(name, index, f"{name} {index}") for index in range(2)]

    def open_device(self, device: Device, threads: int) -> Any:
        self.opened.append((device, threads))
        return "onnxruntime"

    def open_runtime(self, options: Any) -> Any:
        self.opened.append(options)
        return "tensorrt"


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> dict[str, Backend]:
    made = {"tensorrt": Backend(), "onnxruntime": Backend()}
    tensorrt = made["tensorrt"]
    parts = ("unavailable", "devices", "open_runtime")
    functions = {name: getattr(tensorrt, name) for name in parts}
    options = {"TensorRTOptions": TensorRTOptions, "TensorRTRtxOptions": TensorRTRtxOptions}
    monkeypatch.setattr(registry, "tensorrt", SimpleNamespace(**functions, **options))
    monkeypatch.setattr(registry, "onnxruntime", made["onnxruntime"])
    return made


def test_runtimes_are_listed_from_the_fastest_down_the_ladder() -> None:
    assert list(registry.RUNTIMES) == NAMES
    assert list(registry.RUNTIMES.values()) == [TENSORRT, TENSORRT, GPU, GPU, CPU]
    steps = [LADDER.index(rung) for rung in registry.RUNTIMES.values()]
    assert steps == sorted(steps)


def test_the_processor_is_always_there_and_every_reason_is_a_key() -> None:
    found = registry.availability()
    assert list(found) == NAMES
    assert found[CPU_NAME] is None
    assert all(reason is None or (reason.islower() and reason.isidentifier()) for reason in found.values())
    assert all(registry.unavailable(name) == reason for name, reason in found.items())
    assert registry.unavailable("abacus") == "unknown"


def test_each_runtime_is_asked_of_its_own_package(backends: dict[str, Backend]) -> None:
    backends["tensorrt"].reasons = dict.fromkeys(NAMES, "for_tensorrt")
    backends["onnxruntime"].reasons = dict.fromkeys(NAMES, "for_onnxruntime")
    assert list(registry.availability().values()) == ["for_tensorrt"] * 2 + ["for_onnxruntime"] * 3


def test_devices_come_fastest_kind_first(backends: dict[str, Backend]) -> None:
    assert [(device.runtime, device.index) for device in registry.devices()] == [
        (name, index) for name in NAMES for index in range(2)
    ]


@pytest.mark.parametrize(
    "problem", [RuntimeUnavailable(runtime="x", reason="no_card"), OSError("driver"), ValueError()]
)
def test_a_broken_driver_does_not_hide_the_others(
    backends: dict[str, Backend], problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    backends["tensorrt"].failing = {"tensorrt": problem}
    backends["onnxruntime"].failing = {DIRECTML_NAME: problem}
    assert {device.runtime for device in registry.devices()} == {"tensorrt_rtx", CUDA_NAME, CPU_NAME}
    assert len(caplog.records) == 2
    assert "tensorrt" in caplog.text and DIRECTML_NAME in caplog.text


def test_a_device_is_opened_by_its_own_package(backends: dict[str, Backend]) -> None:
    for name in NAMES:
        opened = registry.open_runtime(Device(name, 1, "device"), threads=3)
        assert str(opened) == ("tensorrt" if name.startswith("tensorrt") else "onnxruntime")
    rtx, plain = backends["tensorrt"].opened
    assert isinstance(rtx, TensorRTRtxOptions) and rtx.device_index == 1
    assert isinstance(plain, TensorRTOptions) and plain.device_index == 1
    assert backends["onnxruntime"].opened == [(Device(name, 1, "device"), 3) for name in NAMES[2:]]


def test_what_is_not_there_is_not_opened(backends: dict[str, Backend]) -> None:
    backends["onnxruntime"].reasons = {CUDA_NAME: "provider_missing"}
    backends["tensorrt"].reasons = {"tensorrt": "package_missing"}
    for name, reason in ((CUDA_NAME, "provider_missing"), ("tensorrt", "package_missing"), ("abacus", "unknown")):
        with pytest.raises(RuntimeUnavailable) as problem:
            registry.open_runtime(Device(name, 0, "device"))
        assert problem.value.parameters == {"runtime": name, "reason": reason}
    assert backends["onnxruntime"].opened == backends["tensorrt"].opened == []


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Only these distributions are there (dashes as underscores)."""

    def version(package: str) -> str:
        found = versions.get(package.replace("-", "_"))
        if found is None:
            raise metadata.PackageNotFoundError(package)
        return found

    monkeypatch.setattr(metadata, "version", version)


def test_a_version_names_the_package_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, onnxruntime="1.24.4", onnxruntime_directml="1.23.0", tensorrt_cu12_bindings="10.9")
    assert registry.version(CPU_NAME) == registry.version(DIRECTML_NAME) == "onnxruntime-directml 1.23.0"
    assert registry.version("tensorrt") == "tensorrt-cu12-bindings 10.9"
    assert registry.version("tensorrt_rtx") == ""


def test_what_is_installed_here_has_a_version() -> None:
    assert registry.version(CPU_NAME).partition(" ")[2]


def test_a_device_is_known_by_runtime_name_and_driver() -> None:
    device = Device(CUDA_NAME, 0, "card", 1 << 30, "580.1")
    assert device.key == "onnxruntime_cuda|card|580.1"
    # another place in the computer is the same device; another driver is not
    assert Device(CUDA_NAME, 1, "card", 0, "580.1").key == device.key
    assert len({device.key, Device(CUDA_NAME, 0, "card", 0, "581").key, Device(CUDA_NAME, 0, "other").key}) == 3
