"""What can be chosen for TensorRT and for TensorRT for RTX: one frozen record each, with defaults to leave alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

TENSORRT, TENSORRT_RTX = "tensorrt", "tensorrt_rtx"
KINDS = (TENSORRT_RTX, TENSORRT)
"""Names of the two runtimes in the registry."""

NOT_COMPATIBLE, SAME_COMPUTE_CAPABILITY, AMPERE_PLUS = "none", "same_compute_capability", "ampere_plus"
HARDWARE_COMPATIBILITY = (NOT_COMPATIBLE, SAME_COMPUTE_CAPABILITY, AMPERE_PLUS)
"""On which other cards a TensorRT engine may run: none, those of the same generation, all from Ampere on."""

BuilderOption: TypeAlias = str | int | bool
MAXIMUM_OPTIMIZATION_LEVEL = 5
_COMPUTE_CAPABILITY = re.compile(r"\d{1,2}\.\d")


@dataclass(frozen=True, slots=True)
class TensorRTOptions:
    """Classic TensorRT: an engine is timed on the card it runs on, which takes minutes once.

    Raises ValueError for a value out of range.
    """

    kind: ClassVar[str] = TENSORRT

    device_index: int = 0
    """Number of the card, as CUDA counts them."""
    workspace_bytes: int = 1 << 30
    """Most memory a layer may use for intermediate values while it computes; 0 leaves it to the library. More lets
    faster ways be chosen, and takes it away from OBS and the game."""
    optimization_level: int = 3
    """0..5: how long faster ways are looked for. 5 takes several times as long as 3 and seldom gains much."""
    hardware_compatibility: str = NOT_COMPATIBLE
    """One of ``HARDWARE_COMPATIBILITY``. Anything but ``none`` costs speed."""
    tf32: bool = True
    """Lets float32 multiplications run on tensor cores with a mantissa of 10 bits, as precise as float16."""
    cuda_graph: bool = True
    """Record a network's kernels once and start them all with one call."""
    timing_cache: bool = True
    """Keep what was timed, so that the next build of a like network is quicker."""
    pinned_memory: bool = True
    """Copy to and from the card through page-locked memory, which is faster and takes the same amount again."""

    def __post_init__(self) -> None:
        _check_common(self.device_index, self.workspace_bytes, self.optimization_level)
        if self.hardware_compatibility not in HARDWARE_COMPATIBILITY:
            raise ValueError(f"hardware_compatibility {self.hardware_compatibility!r}")

    def builder_options(self) -> dict[str, BuilderOption]:
        """What changes the engine, by name."""
        return {
            "workspace_bytes": self.workspace_bytes,
            "optimization_level": self.optimization_level,
            "hardware_compatibility": self.hardware_compatibility,
            "tf32": self.tf32,
        }


@dataclass(frozen=True, slots=True)
class TensorRTRtxOptions:
    """TensorRT for RTX: an engine is built in a second on any computer and finished on the card when it is opened.

    Raises ValueError for a value out of range.
    """

    kind: ClassVar[str] = TENSORRT_RTX

    device_index: int = 0
    """Number of the card, as CUDA counts them."""
    workspace_bytes: int = 1 << 30
    """Most memory a layer may use for intermediate values while it computes; 0 leaves it to the library."""
    optimization_level: int = 3
    """0..5: how long faster ways are looked for."""
    compute_capabilities: tuple[str, ...] = ()
    """The cards the engine shall run on, ``("7.5", "8.9")``. Empty: the card at hand, and where there is none, the
    library's own choice, which leaves out Turing (7.5)."""
    tf32: bool = True
    """Lets float32 multiplications run on tensor cores with a mantissa of 10 bits, as precise as float16."""
    cuda_graph: bool = True
    """Let the library record a network's kernels once and start them all with one call."""
    runtime_cache: bool = True
    """Keep the kernels finished for this card, so that opening the engine again takes no time."""
    pinned_memory: bool = True
    """Copy to and from the card through page-locked memory, which is faster and takes the same amount again."""

    def __post_init__(self) -> None:
        _check_common(self.device_index, self.workspace_bytes, self.optimization_level)
        for capability in self.compute_capabilities:
            if not _COMPUTE_CAPABILITY.fullmatch(capability):
                raise ValueError(f"compute capability {capability!r}")

    def builder_options(self) -> dict[str, BuilderOption]:
        """What changes the engine besides the compute capabilities, by name."""
        return {
            "workspace_bytes": self.workspace_bytes,
            "optimization_level": self.optimization_level,
            "tf32": self.tf32,
        }


Options: TypeAlias = TensorRTOptions | TensorRTRtxOptions


def _check_common(device_index: int, workspace_bytes: int, optimization_level: int) -> None:
    if device_index < 0:
        raise ValueError(f"device_index {device_index}")
    if workspace_bytes < 0:
        raise ValueError(f"workspace_bytes {workspace_bytes}")
    if not 0 <= optimization_level <= MAXIMUM_OPTIMIZATION_LEVEL:
        raise ValueError(f"optimization_level {optimization_level}")
