"""Element types by ONNX Runtime's names, and whether what is given is what is wanted."""

from __future__ import annotations

from typing import Any

import numpy as np

from accel.base import Array, DeviceTensor, TensorSpec

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def tensor_spec(name: str, kind: str, shape: tuple[int, ...]) -> TensorSpec:
    """``kind``: ``tensor(float)``. Raises ValueError for a type that we do not handle."""
    if kind not in _TYPES:
        raise ValueError(f"{name}: {kind} is not handled")
    return TensorSpec(name, shape, np.dtype(_TYPES[kind]))


def check(spec: TensorSpec, given: Array | DeviceTensor | None) -> None:
    """Raises ValueError for what is missing or of another shape or type."""
    if given is None:
        raise ValueError(f"{spec.name}: missing")
    if given.shape != spec.shape or given.dtype != spec.dtype:
        raise ValueError(f"{spec.name}: expected {spec.dtype} {spec.shape}, got {given.dtype} {given.shape}")


def check_content(content: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raises ValueError for content of another shape or type."""
    if content.shape != shape or content.dtype != dtype:
        raise ValueError(f"expected {dtype} {shape}, got {content.dtype} {content.shape}")
