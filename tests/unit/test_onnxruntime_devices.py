"""What ONNX Runtime could compute on here, and why not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from accel.base import Device
from accel.onnxruntime import devices as module
from accel.onnxruntime.devices import devices, unavailable
from accel.onnxruntime.options import CPU_NAME, CUDA_NAME, DIRECTML_NAME
from tests.unit.fake_onnxruntime import CPU, DIRECTML, FakeOnnxRuntime, ep_device, put_in_place

PARTS = {DIRECTML_NAME: "DirectML.dll", CUDA_NAME: "libonnxruntime_providers_cuda.so"}


def on(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(platform=system))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that says so if somebody loads it."""
    folder = tmp_path / "site packages" / "onnxruntime"
    (folder / "capi").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('loaded')", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.syspath_prepend(folder.parent)
    importlib.invalidate_caches()
    return folder


@pytest.mark.parametrize(("name", "part"), PARTS.items())
def test_a_provider_is_there_when_its_native_part_is(
    name: str, part: str, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("win32", monkeypatch)
    assert unavailable(name) == "provider_missing"
    (package / "capi" / part).touch()
    assert unavailable(name) is None
    others = {CPU_NAME: None, DIRECTML_NAME: "provider_missing", CUDA_NAME: "provider_missing"}
    assert {other: unavailable(other) for other in others} == {**others, name: None}


def test_windows_names_its_parts_otherwise(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on("win32", monkeypatch)
    (package / "capi" / "onnxruntime_providers_cuda.dll").touch()
    assert unavailable(CUDA_NAME) is None


@pytest.mark.usefixtures("package")
def test_the_processor_needs_only_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for system in ("win32", "linux", "darwin"):
        on(system, monkeypatch)
        assert unavailable(CPU_NAME) is None


def test_directml_is_for_windows(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "capi" / "DirectML.dll").touch()
    on("linux", monkeypatch)
    assert unavailable(DIRECTML_NAME) == "windows_only"
    assert devices(DIRECTML_NAME) == []


@pytest.mark.parametrize("found", [None, SimpleNamespace(origin=None)])
def test_without_the_package_there_is_nothing(found: object, monkeypatch: pytest.MonkeyPatch) -> None:
    on("win32", monkeypatch)
    monkeypatch.setattr(module, "importlib", SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: found)))
    for name in (CPU_NAME, DIRECTML_NAME, CUDA_NAME):
        assert unavailable(name) == "package_missing"
        assert devices(name) == []


# -- the processor ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("package")
def test_the_processor_has_a_name() -> None:
    (found,) = devices(CPU_NAME)
    assert (found.runtime, found.index, found.memory_bytes) == (CPU_NAME, 0, 0)
    assert found.name and found.name == found.name.strip()


def test_on_windows_the_registry_tells_its_name(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Key:
        def __enter__(self) -> Key:
            return self

        def __exit__(self, *problem: object) -> None:
            asked.append("closed")

    def open_key(root: int, place: str) -> Key:
        asked.append(place)
        return Key()

    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE=1, OpenKey=open_key, QueryValueEx=lambda key, name: (" Fast CPU 9000 ", name)
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    on("win32", monkeypatch)
    assert devices(CPU_NAME) == [Device(CPU_NAME, 0, "Fast CPU 9000")]
    assert asked == [r"HARDWARE\DESCRIPTION\System\CentralProcessor\0", "closed"]


def test_a_processor_whose_name_cannot_be_read_has_one_all_the_same(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("darwin", monkeypatch)

    def refuse(*arguments: object, **options: object) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", refuse)
    (found,) = devices(CPU_NAME)
    assert found.name


# -- DirectML --------------------------------------------------------------------------------------------------------


@pytest.fixture
def windows(package: Path, monkeypatch: pytest.MonkeyPatch) -> FakeOnnxRuntime:
    """Windows with the DirectML package, which is only loaded when its devices are asked for."""
    (package / "capi" / "DirectML.dll").touch()
    on("win32", monkeypatch)
    found = importlib.util.find_spec("onnxruntime")
    fake = put_in_place(monkeypatch)
    fake.__spec__ = found
    # these cards are made up: the real DXGI would answer for its own
    monkeypatch.setattr("accel.onnxruntime.devices.driver_version", lambda adapter: "")
    return fake


GEFORCE = ep_device(
    DIRECTML,
    "NVIDIA",
    hardware={
        "Description": "NVIDIA GeForce RTX 3060", "DxgiAdapterNumber": "0", "DxgiVideoMemory": "12115 MB",
        "DriverVersion": "32.0.15.6094",
    },
)  # fmt: skip
RADEON = ep_device(
    DIRECTML,
    "Advanced Micro Devices, Inc.",
    hardware={"Description": "AMD Radeon(TM) Graphics", "DxgiAdapterNumber": "1", "DxgiVideoMemory": "512 MB"},
)
SOFTWARE = ep_device(
    DIRECTML, "Microsoft", hardware={"Description": "Microsoft Basic Render Driver", "DxgiAdapterNumber": "2"}
)


def test_adapters_are_listed_with_name_memory_and_driver(windows: FakeOnnxRuntime) -> None:
    windows.ep_devices = [ep_device(CPU, "Intel"), GEFORCE, RADEON, SOFTWARE]
    assert devices(DIRECTML_NAME) == [
        Device(DIRECTML_NAME, 0, "NVIDIA GeForce RTX 3060", 12115 * 1024 * 1024, "32.0.15.6094"),
        Device(DIRECTML_NAME, 1, "AMD Radeon(TM) Graphics", 512 * 1024 * 1024),
    ]


def test_an_adapter_that_is_listed_twice_is_one(windows: FakeOnnxRuntime) -> None:
    windows.ep_devices = [GEFORCE, GEFORCE, RADEON]
    assert [device.index for device in devices(DIRECTML_NAME)] == [0, 1]


def test_what_the_provider_tells_counts_too_and_the_hardware_more(windows: FakeOnnxRuntime) -> None:
    windows.ep_devices = [ep_device(DIRECTML, "Intel", {"Description": "no", "DxgiAdapterNumber": "3"}, RADEON_NAME)]
    assert devices(DIRECTML_NAME) == [Device(DIRECTML_NAME, 3, "AMD Radeon(TM) Graphics")]


RADEON_NAME = {"Description": "AMD Radeon(TM) Graphics"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (ep_device(DIRECTML, "Intel"), Device(DIRECTML_NAME, 0, "Intel")),
        (ep_device(DIRECTML), Device(DIRECTML_NAME, 0, "DirectX 12")),
        (
            ep_device(DIRECTML, "Intel", hardware={"DxgiAdapterNumber": "first", "DxgiVideoMemory": ""}),
            Device(DIRECTML_NAME, 0, "Intel"),
        ),
    ],
)
def test_an_adapter_that_tells_little_can_be_used(windows: FakeOnnxRuntime, entry: object, expected: Device) -> None:
    windows.ep_devices = [entry]
    assert devices(DIRECTML_NAME) == [expected]


def test_the_software_adapter_alone_is_no_card(windows: FakeOnnxRuntime) -> None:
    windows.ep_devices = [SOFTWARE]
    assert devices(DIRECTML_NAME) == []


@pytest.mark.parametrize("listed", [[], [ep_device(CPU, "Intel")]])
def test_an_empty_list_means_the_first_adapter(windows: FakeOnnxRuntime, listed: list[object]) -> None:
    windows.ep_devices = listed
    assert devices(DIRECTML_NAME) == [Device(DIRECTML_NAME, 0, "DirectX 12")]


def test_a_windows_that_cannot_list_has_the_first_adapter(
    windows: FakeOnnxRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    windows.ep_devices = OSError("DXCore is not here")
    assert devices(DIRECTML_NAME) == [Device(DIRECTML_NAME, 0, "DirectX 12")]
    assert "DXCore is not here" in caplog.text


# -- CUDA ------------------------------------------------------------------------------------------------------------


def test_without_a_package_that_knows_the_cards_the_first_one_can_be_tried(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "capi" / PARTS[CUDA_NAME]).touch()
    monkeypatch.setattr("accel.tensorrt.cuda_memory.installed_package", lambda: None)
    assert devices(CUDA_NAME) == [Device(CUDA_NAME, 0, "NVIDIA")]


def test_cards_are_those_that_cuda_lists(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "capi" / PARTS[CUDA_NAME]).touch()
    asked: list[str] = []

    def list_cards(runtime: str) -> list[SimpleNamespace]:
        asked.append(runtime)
        return [
            SimpleNamespace(index=index, name=name, memory_bytes=8 << 30, driver="580.1")
            for index, name in enumerate(["NVIDIA GeForce RTX 4090", "NVIDIA T600"])
        ]

    monkeypatch.setattr("accel.tensorrt.cuda_memory.installed_package", lambda: "cuda.bindings")
    monkeypatch.setattr("accel.tensorrt.cuda_memory.list_cards", list_cards)
    assert devices(CUDA_NAME) == [
        Device(CUDA_NAME, 0, "NVIDIA GeForce RTX 4090", 8 << 30, "580.1"),
        Device(CUDA_NAME, 1, "NVIDIA T600", 8 << 30, "580.1"),
    ]
    assert asked == [CUDA_NAME]
