"""Which devices ONNX Runtime can compute on here, by the names their makers gave them."""

from __future__ import annotations

import importlib.util
import logging
import platform
import sys
from pathlib import Path

from accel.base import Device

from .adapter_driver import driver_version
from .choice import ep_devices
from .library import EpDevice
from .options import CPU_NAME, CUDA_NAME, DIRECTML_NAME, CpuOptions, CudaOptions, DirectMLOptions
from .runtime import OrtRuntime, open_runtime
from .settings import PROVIDERS

_log = logging.getLogger(__name__)

_MODULE = "onnxruntime"
_NATIVE_PARTS = {DIRECTML_NAME: "DirectML.dll", CUDA_NAME: "*onnxruntime_providers_cuda.*"}
"""What a package that brings the provider has beside its Python files."""


def unavailable(name: str) -> str | None:
    """None when the runtime can be tried, else the key of the reason. Loads nothing."""
    if name == DIRECTML_NAME and sys.platform != "win32":
        return "windows_only"
    found = importlib.util.find_spec(_MODULE)
    if found is None or found.origin is None:
        return "package_missing"
    part = _NATIVE_PARTS.get(name)
    if part is not None and not any((Path(found.origin).parent / "capi").glob(part)):
        return "provider_missing"
    return None


def devices(name: str) -> list[Device]:
    """The devices of one of the three runtimes; empty when it has none. Loads ONNX Runtime for graphics cards."""
    if unavailable(name) is not None:
        return []
    if name == CPU_NAME:
        return [Device(CPU_NAME, 0, _processor_name())]
    if name == DIRECTML_NAME:
        return _directml_devices()
    from accel.tensorrt.cuda_memory import installed_package, list_cards

    if installed_package() is None:
        # nobody can tell the cards' names then, but the first one can be tried
        return [Device(CUDA_NAME, 0, "NVIDIA")]
    return [Device(CUDA_NAME, card.index, card.name, card.memory_bytes, card.driver) for card in list_cards(CUDA_NAME)]


def open_device(device: Device, threads: int) -> OrtRuntime:
    """A runtime on one of :func:`devices`. ``threads``: on the processor, 0 chooses. Raises RuntimeUnavailable."""
    if device.runtime == CPU_NAME:
        return open_runtime(device, CpuOptions(threads))
    if device.runtime == DIRECTML_NAME:
        return open_runtime(device, DirectMLOptions(device.index))
    return open_runtime(device, CudaOptions(device.index))


def _directml_devices() -> list[Device]:
    """Adapters as DXGI lists them; the software adapter that Windows brings is left out."""
    try:
        found = [entry for entry in ep_devices() if entry.provider == PROVIDERS[DIRECTML_NAME]]
    except Exception as problem:  # noqa: BLE001 - an old Windows cannot list; the first adapter is there all the same
        _log.warning("DirectML's devices could not be listed: %r", problem)
        found = []
    if not found:
        return [Device(DIRECTML_NAME, 0, "DirectX 12", driver=driver_version(0))]
    made = [_directml_device(entry) for entry in found]
    return list({device.index: device for device in made if "basic render" not in device.name.lower()}.values())


def _directml_device(entry: EpDevice) -> Device:
    told = entry.told
    name = told.get("Description") or entry.vendor or "DirectX 12"
    index = _number(told.get("DxgiAdapterNumber", "0"))
    memory_bytes = _number(told.get("DxgiVideoMemory", "0").split(" ")[0]) * (1 << 20)
    # a verdict is good for one version of the driver only, and 1.24 tells none
    return Device(DIRECTML_NAME, index, name, memory_bytes, told.get("DriverVersion") or driver_version(index))


def _number(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0


def _processor_name() -> str:
    """The processor's name as the system has it."""
    try:
        if sys.platform == "win32":
            import winreg

            place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
