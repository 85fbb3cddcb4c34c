"""The ``sounddevice`` package with devices that tests plug in and out, and sound that tests make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Callback = Callable[[NDArray[np.float32], int, Any, Any], None]


class PortAudioError(Exception):
    """What the real one raises for everything."""


class FakeStream:
    """An opened stream; ``play`` is what the driver's thread does."""

    def __init__(self, owner: FakeSoundDevice, callback: Callback, options: dict[str, Any]) -> None:
        self._owner, self._callback = owner, callback
        self.options = options
        self.active = False

    def __enter__(self) -> FakeStream:
        self.active = True
        self._owner.streams.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.active = False
        self._owner.closed += 1

    def play(self, sound: NDArray[np.float32]) -> None:
        """One block, as PortAudio delivers it: shape (frames, channels)."""
        self._callback(sound.reshape(-1, 1), len(sound), None, None)


class FakeSoundDevice:
    """Stands for the module."""

    def __init__(self) -> None:
        self.devices: list[dict[str, Any]] = [
            {"name": "Speakers", "hostapi": 0, "max_input_channels": 0, "default_samplerate": 48_000.0},
            {"name": "Yeti", "hostapi": 0, "max_input_channels": 2, "default_samplerate": 48_000.0},
            {"name": "Headset", "hostapi": 0, "max_input_channels": 1, "default_samplerate": 8_000.0},
        ]
        self.apis: list[dict[str, Any]] = [{"name": "ALSA"}]
        self.streams: list[FakeStream] = []
        self.closed = self.looked_again = 0
        self.refuses = False

    def query_hostapis(self) -> list[dict[str, Any]]:
        return self.apis

    def query_devices(self, number: int | None = None, kind: str | None = None) -> Any:
        if kind is None:
            return self.devices
        inputs = [device for device in self.devices if device["max_input_channels"]]
        if not inputs:
            raise PortAudioError("Error querying device -1")
        return self.devices[number] if number is not None else inputs[0]

    def InputStream(self, *, callback: Callback, **options: Any) -> FakeStream:
        if self.refuses:
            raise PortAudioError("Device unavailable")
        return FakeStream(self, callback, options)

    def _terminate(self) -> None:
        self.looked_again += 1

    def _initialize(self) -> None:
        pass
