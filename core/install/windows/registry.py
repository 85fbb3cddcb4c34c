"""Reading the Windows registry through a small seam: elsewhere it is empty, and tests put their own in its place."""

from __future__ import annotations

import sys
from typing import List, Optional

MACHINE, USER = "HKLM", "HKCU"


class Registry:
    """An empty registry: what every system but Windows has."""

    def value(self, hive: str, key: str, name: str = "") -> Optional[str]:
        """The text of a value (without a name: the key's own); None when it is not there or is no text."""
        return None

    def keys(self, hive: str, key: str) -> List[str]:
        """The names of the keys in a key; none when it is not there or must not be read."""
        return []


class WindowsRegistry(Registry):
    """This machine's registry as 64-bit programs see it, whichever program asks."""

    def value(self, hive: str, key: str, name: str = "") -> Optional[str]:
        if sys.platform != "win32":
            return None
        import winreg

        try:
            with winreg.OpenKey(_hive(hive), key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as opened:
                found, kind = winreg.QueryValueEx(opened, name)
        except OSError:
            return None
        if kind == winreg.REG_EXPAND_SZ:
            return winreg.ExpandEnvironmentStrings(found)
        return found if kind == winreg.REG_SZ else None

    def keys(self, hive: str, key: str) -> List[str]:
        if sys.platform != "win32":
            return []
        import winreg

        try:
            with winreg.OpenKey(_hive(hive), key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as opened:
                return [winreg.EnumKey(opened, place) for place in range(winreg.QueryInfoKey(opened)[0])]
        except OSError:
            return []


def open_registry() -> Registry:
    """The registry of this system."""
    return WindowsRegistry() if sys.platform == "win32" else Registry()


def _hive(name: str) -> int:
    if sys.platform != "win32":
        return 0
    import winreg

    return winreg.HKEY_LOCAL_MACHINE if name == MACHINE else winreg.HKEY_CURRENT_USER
