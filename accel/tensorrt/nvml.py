"""The version of NVIDIA's driver (581.80). CUDA does not tell it, the driver's management library does."""

from __future__ import annotations

import ctypes
import logging
import sys
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)

_SUCCESS = 0
_LONGEST_VERSION = 96
_SEARCH_SYSTEM32 = 0x800


def driver_version(load: Callable[[], Any] | None = None) -> str:
    """``581.80``; empty where there is no driver or it does not answer."""
    try:
        library = (load or _load)()
        if library.nvmlInit_v2() != _SUCCESS:
            return ""
        text = ctypes.create_string_buffer(_LONGEST_VERSION)
        answer = library.nvmlSystemGetDriverVersion(text, ctypes.c_uint(_LONGEST_VERSION))
        library.nvmlShutdown()
    except (OSError, AttributeError) as problem:
        _log.debug("The driver's version is unknown: %s", problem)
        return ""
    return text.value.decode("ascii", "replace") if answer == _SUCCESS else ""


def _load() -> Any:
    if sys.platform == "win32":
        return ctypes.WinDLL("nvml.dll", winmode=_SEARCH_SYSTEM32)
    return ctypes.CDLL("libnvidia-ml.so.1")
