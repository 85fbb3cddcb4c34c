"""Where the pointer is on Windows, over all monitors, in true pixels."""

from __future__ import annotations

import ctypes
from typing import Any

from .pointer import Area, Place

_VIRTUAL_X, _VIRTUAL_Y, _VIRTUAL_WIDTH, _VIRTUAL_HEIGHT = 76, 77, 78, 79
_PRIMARY_WIDTH, _PRIMARY_HEIGHT = 0, 1
_PER_MONITOR_AWARE_V2 = -4


class _Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_long), ("y", ctypes.c_long)]


class WindowsPointer:
    """Used by one thread."""

    def __init__(self) -> None:
        loader: Any = ctypes
        self._user32 = loader.WinDLL("user32", use_last_error=True)
        aware = getattr(self._user32, "SetThreadDpiAwarenessContext", None)
        if aware is not None:
            # else pointer and monitors are told in different units when monitors are scaled differently
            aware.argtypes, aware.restype = [ctypes.c_void_p], ctypes.c_void_p
            aware(_PER_MONITOR_AWARE_V2)

    def place(self) -> Place | None:
        """The pointer's pixel; None while another desktop is shown (lock screen, administrator's question)."""
        point = _Point()
        if not self._user32.GetCursorPos(ctypes.byref(point)):
            return None
        return point.x, point.y

    def area(self, primary: bool) -> Area | None:
        """The main monitor's or all monitors' rectangle."""
        metric = self._user32.GetSystemMetrics
        if primary:
            return 0, 0, metric(_PRIMARY_WIDTH), metric(_PRIMARY_HEIGHT)
        return metric(_VIRTUAL_X), metric(_VIRTUAL_Y), metric(_VIRTUAL_WIDTH), metric(_VIRTUAL_HEIGHT)

    def close(self) -> None:
        """Nothing to give back."""
