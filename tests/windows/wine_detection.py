"""Is this Windows, or Wine's likeness of it?"""

from __future__ import annotations

import sys


def under_wine() -> bool:
    """Wine's ``ntdll.dll`` has a function that Windows has not: ``wine_get_version``."""
    if sys.platform != "win32":
        return False
    import ctypes

    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")
