"""``python -m accel``: what can compute networks here, in words."""

from __future__ import annotations

import sys

from .registry import RUNTIMES, availability, devices

NAMES = {
    "tensorrt_rtx": "TensorRT for RTX",
    "tensorrt": "TensorRT",
    "onnxruntime_cuda": "CUDA",
    "onnxruntime_directml": "DirectML",
    "onnxruntime_cpu": "the processor's own instructions",
}
REASONS = {
    "package_missing": "its package is not installed",
    "cuda_package_missing": "the package cuda-bindings is not installed",
    "provider_missing": "the installed ONNX Runtime package does not bring it",
    "windows_only": "it exists on Windows only",
}


def lines() -> list[str]:
    """One sentence for each device, then one for each runtime that cannot be used."""
    can: dict[str, list[str]] = {}
    memory: dict[str, int] = {}
    for device in devices():
        can.setdefault(device.name, []).append(NAMES[device.runtime])
        memory[device.name] = max(memory.get(device.name, 0), device.memory_bytes)
    told = []
    for name, runtimes in can.items():
        size = f" with {memory[name] / (1 << 30):.0f} GB" if memory[name] else ""
        told.append(f"{name}{size} computes with {', '.join(runtimes)}.")
    for runtime, reason in availability().items():
        if reason is not None:
            told.append(f"{NAMES[runtime]} cannot be used: {REASONS.get(reason, reason)}.")
        elif not any(NAMES[runtime] in runtimes for runtimes in can.values()):
            told.append(f"{NAMES[runtime]} is installed, but found no device of its kind.")
    return told


def main() -> int:
    """Print them."""
    print("\n".join(lines()))  # noqa: T201 - this is a command
    return 0 if set(NAMES) == set(RUNTIMES) else 1


if __name__ == "__main__":
    sys.exit(main())
