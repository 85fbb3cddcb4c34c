"""TensorRT and TensorRT for RTX: one implementation, with the library's module as a parameter.

Nothing heavy is loaded before a runtime is opened or cards are listed.
"""

from __future__ import annotations

from .options import TensorRTOptions, TensorRTRtxOptions
from .runtime import devices, open_runtime, unavailable

__all__ = ["TensorRTOptions", "TensorRTRtxOptions", "devices", "open_runtime", "unavailable"]
