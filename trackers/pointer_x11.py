"""Where the pointer is on X11, by Xlib through ctypes."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

from .pointer import Area, Place, PointerUnavailable

_ERROR_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_END_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_EXIT_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
# Xlib keeps these for the whole process, and its own would end it at any refusal: they must never be freed
_refused = _ERROR_HANDLER(lambda display, event: 0)
_ended = _END_HANDLER(lambda display: 0)


class _Monitor(ctypes.Structure):
    """``XRRMonitorInfo``."""

    _fields_ = [
        ("name", ctypes.c_ulong), ("primary", ctypes.c_int), ("automatic", ctypes.c_int), ("outputs", ctypes.c_int),
        ("x", ctypes.c_int), ("y", ctypes.c_int), ("width", ctypes.c_int), ("height", ctypes.c_int),
        ("mm_width", ctypes.c_int), ("mm_height", ctypes.c_int), ("output", ctypes.c_void_p),
    ]  # fmt: skip


class X11Pointer:
    """A connection of its own to the X server. Used by one thread."""

    def __init__(self) -> None:
        """Raises PointerUnavailable when there is no Xlib or no display."""
        name = ctypes.util.find_library("X11")
        if name is None:
            raise PointerUnavailable("no_display")
        self._x: Any = ctypes.CDLL(name)
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
        self._x.XDefaultRootWindow.restype = ctypes.c_ulong
        seven_results = (ctypes.c_void_p,) * 7
        self._x.XQueryPointer.argtypes = (ctypes.c_void_p, ctypes.c_ulong, *seven_results)
        self._x.XGetGeometry.argtypes = (ctypes.c_void_p, ctypes.c_ulong, *seven_results)
        self._x.XCloseDisplay.argtypes = [ctypes.c_void_p]
        self._x.XFree.argtypes = [ctypes.c_void_p]
        self._x.XSetErrorHandler(_refused)
        self._x.XSetIOErrorHandler(_ended)
        self._display = self._x.XOpenDisplay(None)
        if not self._display:
            raise PointerUnavailable("no_display")
        self._server_ended = False
        self._leave = _EXIT_HANDLER(lambda display, data: self._note_the_end())
        if hasattr(self._x, "XSetIOErrorExitHandler"):
            # since libX11 1.7 the end of the server need not be the end of the process
            self._x.XSetIOErrorExitHandler.argtypes = [ctypes.c_void_p, _EXIT_HANDLER, ctypes.c_void_p]
            self._x.XSetIOErrorExitHandler(self._display, self._leave, None)
        self._root = self._x.XDefaultRootWindow(self._display)
        self._monitors = _monitors_function()

    def _note_the_end(self) -> None:
        self._server_ended = True

    def _check(self) -> None:
        if self._server_ended:
            raise PointerUnavailable("no_display")

    def place(self) -> Place | None:
        """The pointer's pixel; None while it is on another screen. Raises PointerUnavailable when the server ended."""
        window = ctypes.c_ulong()
        x, y, other = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        mask = ctypes.c_uint()
        by = ctypes.byref
        same_screen = self._x.XQueryPointer(
            self._display, self._root, by(window), by(window), by(x), by(y), by(other), by(other), by(mask)
        )
        self._check()
        return (x.value, y.value) if same_screen else None

    def area(self, primary: bool) -> Area | None:
        """The main monitor's or all monitors' rectangle."""
        found = (self._primary() if primary else None) or self._whole()
        self._check()
        return found

    def close(self) -> None:
        """Close the connection. Safe to call twice."""
        display, self._display = self._display, None
        if display and not self._server_ended:
            self._x.XCloseDisplay(display)

    def _whole(self) -> Area | None:
        window, number = ctypes.c_ulong(), ctypes.c_uint()
        x, y = ctypes.c_int(), ctypes.c_int()
        width, height = ctypes.c_uint(), ctypes.c_uint()
        by = ctypes.byref
        if not self._x.XGetGeometry(
            self._display, self._root, by(window), by(x), by(y), by(width), by(height), by(number), by(number)
        ):
            return None
        return 0, 0, width.value, height.value

    def _primary(self) -> Area | None:
        if self._monitors is None:
            return None
        count = ctypes.c_int()
        monitors = self._monitors(self._display, self._root, 1, ctypes.byref(count))
        if not monitors:
            return None
        known = [monitors[place] for place in range(count.value)]
        first = next((monitor for monitor in known if monitor.primary), known[0] if known else None)
        found = (first.x, first.y, first.width, first.height) if first is not None else None
        self._x.XFree(monitors)
        return found


def _monitors_function() -> Any:
    """``XRRGetMonitors``; None where there is no XRandR."""
    name = ctypes.util.find_library("Xrandr")
    try:
        library = ctypes.CDLL(name) if name is not None else None
    except OSError:
        library = None
    function = getattr(library, "XRRGetMonitors", None)
    if function is not None:
        function.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_void_p]
        function.restype = ctypes.POINTER(_Monitor)
    return function
