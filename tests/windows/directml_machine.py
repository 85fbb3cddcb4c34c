"""The graphics card that the DirectML tests work on, and the processor it is compared with."""

from __future__ import annotations

from functools import cache

import pytest

from accel import registry
from accel.base import FULL, HALF, Device, Network, Runtime
from accel.onnxruntime.devices import devices
from accel.onnxruntime.options import CPU_NAME, DIRECTML_NAME, DirectMLOptions
from accel.onnxruntime.runtime import OrtRuntime
from core.wire.errors import RuntimeFailed
from models.onnx_graph import GraphBuilder
from tests.windows.card_errors import CardErrors
from tests.windows.plain_sums import WithoutPlainSums, can_add
from tests.windows.wine_detection import under_wine

LEAST_DB = {FULL: 45.0, HALF: 38.0}
"""Between a picture of the card and the processor's, where the character is."""
_OLDEST_WINE = 10


class Machine:
    """The card and the processor."""

    def __init__(self, card: Device) -> None:
        self.card_device = card
        self.processor = registry.open_runtime(devices(CPU_NAME)[0])
        self.unwrapped = registry.open_runtime(card)
        """The runtime as the worker has it."""
        self.rewrites = not can_add(self.unwrapped)
        kind = WithoutPlainSums if self.rewrites else OrtRuntime
        self.card = kind(DIRECTML_NAME, card, DirectMLOptions(card.index))
        self.errors = CardErrors(f"{card.name}, driver {card.driver}, {registry.version(DIRECTML_NAME)}")

    def open_runtime(self, device: Device, threads: int) -> Runtime:
        """What a model opener is to open."""
        return self.card if device.runtime == DIRECTML_NAME else self.processor


def the_machine() -> Machine:
    """The one for all tests of a run. Skips the test, saying why, where there is no card for DirectML."""
    found = _looked_for()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _looked_for() -> Machine | str:
    reason = registry.unavailable(DIRECTML_NAME)
    if reason is not None:
        return "DirectML is for Windows" if reason == "windows_only" else f"there is no DirectML here: {reason}"
    if under_wine() and _wine_version() < _OLDEST_WINE:
        return f"the DirectX 12 of Wine before {_OLDEST_WINE} computes wrongly; --directml has a newer one"
    found = devices(DIRECTML_NAME)
    if not found:
        return "DirectML finds no graphics card here"
    try:
        registry.open_runtime(found[0]).open(doubling()).close()
    except RuntimeFailed as problem:
        return f"DirectML finds no graphics card that it can use here: {str(problem)[:120]}"
    return Machine(found[0])


def _wine_version() -> int:
    """The first number of it."""
    import ctypes

    tell = ctypes.CDLL("ntdll").wine_get_version
    tell.restype = ctypes.c_char_p
    return int(tell().decode("ascii").partition(".")[0])


def doubling() -> Network:
    """From ``given`` to ``doubled``, float32 [3, 4]."""
    graph = GraphBuilder()
    graph.output("doubled", graph.node("Mul", graph.input("given", (3, 4)), graph.number(2.0)), (3, 4))
    return Network("doubling", graph.build("doubling"))
