"""Where the pointer is, on whatever system this is."""

from __future__ import annotations

import os
import sys
from typing import Protocol

Place = tuple[int, int]
"""x to the right, y down, pixels."""
Area = tuple[int, int, int, int]
"""Left, top, width, height, pixels."""


class PointerUnavailable(Exception):
    """This system does not tell; ``reason`` is a key of the locale tables."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Pointer(Protocol):
    """Used by one thread."""

    def place(self) -> Place | None:
        """The pointer's pixel; None while it cannot be told."""
        ...

    def area(self, primary: bool) -> Area | None:
        """The main monitor's or all monitors' rectangle."""
        ...

    def close(self) -> None:
        """Give back what is held. Safe to call twice."""
        ...


def reason_against() -> str | None:
    """Why the pointer cannot be asked for here; None when it can."""
    if sys.platform == "win32":
        return None
    if sys.platform == "darwin":
        return "windows_or_x11_only"
    if os.environ.get("DISPLAY"):
        return None
    return "wayland_no_pointer" if os.environ.get("WAYLAND_DISPLAY") else "no_display"


def is_partial() -> bool:
    """On Wayland with XWayland the pointer is seen over X's own windows only."""
    return sys.platform == "linux" and bool(os.environ.get("WAYLAND_DISPLAY"))


def open_pointer() -> Pointer:
    """This system's pointer. Raises PointerUnavailable."""
    reason = reason_against()
    if reason is not None:
        raise PointerUnavailable(reason)
    if sys.platform == "win32":
        from .pointer_windows import WindowsPointer

        return WindowsPointer()
    from .pointer_x11 import X11Pointer

    return X11Pointer()
