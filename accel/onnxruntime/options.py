"""What can be chosen for each of ONNX Runtime's providers, with defaults that suit a machine on which OBS runs too."""

from __future__ import annotations

from dataclasses import dataclass

CPU_NAME, DIRECTML_NAME, CUDA_NAME = "onnxruntime_cpu", "onnxruntime_directml", "onnxruntime_cuda"


@dataclass(frozen=True, slots=True)
class CpuOptions:
    """The processor."""

    threads: int = 0
    """Threads that compute; 0 takes half of the cores, at most four, because OBS and a game want the others."""


@dataclass(frozen=True, slots=True)
class DirectMLOptions:
    """Any DirectX 12 graphics card on Windows."""

    device_index: int = 0
    """Number of the adapter, as DXGI counts."""
    metacommands: bool = True
    """The driver's own fast paths. A few drivers compute wrongly with them."""


@dataclass(frozen=True, slots=True)
class CudaOptions:
    """An NVIDIA graphics card, with the ``onnxruntime-gpu`` package."""

    device_index: int = 0
    memory_limit_bytes: int = 0
    """Most memory the provider may take; 0 is no limit."""
    tensor_float: bool = False
    """Let float32 matrix products run in TF32: faster, about three digits less exact."""


Options = CpuOptions | DirectMLOptions | CudaOptions
