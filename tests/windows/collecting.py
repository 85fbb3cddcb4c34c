"""A runtime that opens nothing and remembers what it was to open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from accel.base import Array, Device, DeviceTensor, Network, Progress, TensorSpec
from accel.onnxruntime.options import DIRECTML_NAME


class Collecting:
    """Passes for a graphics card."""

    name = DIRECTML_NAME
    device = Device(DIRECTML_NAME, 0, "collecting")
    on_host = False
    lanes = 1
    builds_engines = False

    def __init__(self) -> None:
        self.opened: list[Network] = []

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        """Nothing takes long."""

    def open(self, network: Network, progress: Progress | None = None) -> ClosedSession:
        """Remember the network."""
        self.opened.append(network)
        return ClosedSession()

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceTensor:
        """Raises NotImplementedError."""
        raise NotImplementedError

    def close(self) -> None:
        """There is nothing."""


class ClosedSession:
    """Runs nothing."""

    inputs: Mapping[str, TensorSpec] = {}
    outputs: Mapping[str, TensorSpec] = {}

    def run(
        self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor] | None = None
    ) -> dict[str, Array]:
        """Raises NotImplementedError."""
        raise NotImplementedError

    def close(self) -> None:
        """There is nothing."""
