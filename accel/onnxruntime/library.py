"""What a runtime needs of ONNX Runtime, whichever way it is spoken to: its C library or its Python module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from accel.base import Array, DeviceTensor, TensorSpec


class Opened(Protocol):
    """A network that is ready to run. Everything it is given has been checked.

    Its memory is given back when nobody has it any more: never under a run that is still at work on another thread.
    """

    @property
    def inputs(self) -> dict[str, TensorSpec]:
        """By name."""
        ...

    @property
    def outputs(self) -> dict[str, TensorSpec]:
        """By name."""
        ...

    def is_place(self, tensor: DeviceTensor) -> bool:
        """Can an output be left in it?"""
        ...

    def run(self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor]) -> dict[str, Array]:
        """Compute; see :class:`accel.base.Session`. Raises the library's own errors."""
        ...


class Library(Protocol):
    """ONNX Runtime with one provider on one device. Raises the library's own errors."""

    def open(self, content: bytes, alone: bool) -> Opened:
        """A network's content made ready; ``alone``: see :class:`accel.base.Network`."""
        ...

    def left_over(self, content: bytes) -> set[str]:
        """Names of the operators that the provider leaves to the processor."""
        ...

    def is_damage(self, problem: Exception) -> bool:
        """Does the error say that the content is no network?"""
        ...

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceTensor:
        """Memory on the device, zeroed."""
        ...

    def close(self) -> None:
        """Give back what it keeps for its tensors, as soon as they are gone; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class EpDevice:
    """A device as a provider lists it."""

    provider: str
    """ONNX Runtime's name of the provider."""
    vendor: str
    told: Mapping[str, str]
    """What provider and hardware tell about it, by their names."""
