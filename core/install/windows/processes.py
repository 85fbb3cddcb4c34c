"""Which programs run on Windows, and whether one holds a named mutex. Looks only; elsewhere there is nothing to see."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import List

_SYNCHRONIZE, _QUERY_LIMITED_INFORMATION = 0x00100000, 0x1000
_ACCESS_DENIED = 5
_SNAPSHOT_PROCESSES = 0x2
_LONGEST_PATH = 32768


def mutex_exists(name: str) -> bool:
    """Whether some program of this session holds the mutex, one run as administrator included."""
    if sys.platform != "win32":
        return False
    import ctypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenMutexW.restype = ctypes.c_void_p
    kernel.OpenMutexW.argtypes = (ctypes.c_uint32, ctypes.c_int, ctypes.c_wchar_p)
    kernel.CloseHandle.argtypes = (ctypes.c_void_p,)
    handle = kernel.OpenMutexW(_SYNCHRONIZE, 0, name)
    if handle:
        kernel.CloseHandle(handle)
        return True
    return int(ctypes.get_last_error()) == _ACCESS_DENIED


def running_programs(name: str) -> List[Path]:
    """The files of the running programs of this name, in any case; without those that may not be looked at."""
    if sys.platform != "win32":
        return []
    import ctypes
    from ctypes import wintypes

    class Entry(ctypes.Structure):
        """PROCESSENTRY32W of tlhelp32.h."""

        _fields_ = (
            ("dwSize", wintypes.DWORD), ("cntUsage", wintypes.DWORD), ("th32ProcessID", wintypes.DWORD),
            ("th32DefaultHeapID", ctypes.c_size_t), ("th32ModuleID", wintypes.DWORD),
            ("cntThreads", wintypes.DWORD), ("th32ParentProcessID", wintypes.DWORD),
            ("pcPriClassBase", wintypes.LONG), ("dwFlags", wintypes.DWORD), ("szExeFile", wintypes.WCHAR * 260),
        )  # fmt: skip

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateToolhelp32Snapshot.restype = kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.CreateToolhelp32Snapshot.argtypes = (wintypes.DWORD, wintypes.DWORD)
    kernel.Process32FirstW.argtypes = kernel.Process32NextW.argtypes = (ctypes.c_void_p, ctypes.POINTER(Entry))
    kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    kernel.CloseHandle.argtypes = (ctypes.c_void_p,)
    kernel.QueryFullProcessImageNameW.argtypes = (
        ctypes.c_void_p, wintypes.DWORD, wintypes.LPWSTR, ctypes.POINTER(wintypes.DWORD),
    )  # fmt: skip
    snapshot = kernel.CreateToolhelp32Snapshot(_SNAPSHOT_PROCESSES, 0)
    if snapshot in (None, ctypes.c_void_p(-1).value):
        return []
    found = []
    entry = Entry(dwSize=ctypes.sizeof(Entry))
    try:
        more = kernel.Process32FirstW(snapshot, ctypes.byref(entry))
        while more:
            if entry.szExeFile.lower() == name.lower():
                process = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, 0, entry.th32ProcessID)
                if process:
                    text, length = ctypes.create_unicode_buffer(_LONGEST_PATH), wintypes.DWORD(_LONGEST_PATH)
                    if kernel.QueryFullProcessImageNameW(process, 0, text, ctypes.byref(length)):
                        found.append(Path(text.value))
                    kernel.CloseHandle(process)
            more = kernel.Process32NextW(snapshot, ctypes.byref(entry))
    finally:
        kernel.CloseHandle(snapshot)
    return found
