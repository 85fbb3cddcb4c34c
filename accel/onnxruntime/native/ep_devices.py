"""Which devices ONNX Runtime's providers list (``OrtEpDevice``)."""

from __future__ import annotations

import ctypes

from ..library import EpDevice
from .api import POINTER, SIZE, Api, listed, text_at
from .library import environment


def ep_devices(api: Api) -> list[EpDevice]:
    """The devices of every provider. Raises OrtError."""
    return [_described(api, entry) for entry in listed(api.ep_devices, environment(api))]


def _described(api: Api, entry: int) -> EpDevice:
    hardware = api.ep_device_hardware(entry)
    told = {**_pairs(api, api.ep_device_told(entry)), **_pairs(api, api.hardware_told(hardware))}
    return EpDevice(_text(api.ep_device_provider(entry)), _text(api.hardware_vendor(hardware)), told)


def _pairs(api: Api, address: int | None) -> dict[str, str]:
    """What an ``OrtKeyValuePairs`` holds."""
    if not address:
        return {}
    keys, values, count = POINTER(), POINTER(), SIZE()
    api.pairs(address, ctypes.byref(keys), ctypes.byref(values), ctypes.byref(count))
    if not count.value:
        return {}
    lists = [(POINTER * count.value).from_address(first.value or 0) for first in (keys, values)]
    return {text_at(key or 0): text_at(value or 0) for key, value in zip(*lists, strict=True)}


def _text(told: bytes | None) -> str:
    return (told or b"").decode("utf-8", "replace")
