"""The graphics card that the DirectML program works on, and the processor it is compared with."""

from __future__ import annotations

from accel import registry
from accel.base import FULL, HALF, Device, Runtime
from accel.onnxruntime.devices import devices
from accel.onnxruntime.options import CPU_NAME, DIRECTML_NAME, DirectMLOptions
from accel.onnxruntime.runtime import OrtRuntime
from tests.windows.plain_sums import WithoutPlainSums, can_add

LEAST_DB = {FULL: 45.0, HALF: 38.0}
"""Between a picture of the card and the processor's, where the character is."""


class Machine:
    """The card and the processor."""

    def __init__(self) -> None:
        self.card_device = devices(DIRECTML_NAME)[0]
        self.processor = registry.open_runtime(devices(CPU_NAME)[0])
        self.unwrapped = registry.open_runtime(self.card_device)
        self.rewrites = not can_add(self.unwrapped)
        options = DirectMLOptions(self.card_device.index)
        kind = WithoutPlainSums if self.rewrites else OrtRuntime
        self.card = kind(DIRECTML_NAME, self.card_device, options)

    def open_runtime(self, device: Device, threads: int) -> Runtime:
        """What a model opener is to open."""
        return self.card if device.runtime == DIRECTML_NAME else self.processor
