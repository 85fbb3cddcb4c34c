"""Threads that compute for long step back behind those that must be on time: OBS's, the game's, our own render loop."""

from __future__ import annotations

import os
import sys
import threading

_NICER = 5
_BELOW_NORMAL = -1
"""Windows: THREAD_PRIORITY_BELOW_NORMAL."""


def step_back() -> None:
    """Lower the calling thread's priority, where the system lets it. It cannot be raised again."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentThread.restype = ctypes.c_void_p
        kernel.SetThreadPriority.argtypes = (ctypes.c_void_p, ctypes.c_int)
        kernel.SetThreadPriority(kernel.GetCurrentThread(), _BELOW_NORMAL)
    elif sys.platform == "linux":
        # there a priority belongs to a thread, and threads that it starts inherit it
        try:
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICER)
        except OSError:
            pass
