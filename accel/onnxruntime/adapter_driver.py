"""The version of a graphics card's driver on Windows, which ONNX Runtime does not tell.

DXGI is asked: ``IDXGIAdapter::CheckInterfaceSupport`` for ``IDXGIDevice`` gives the version of the user-mode driver,
the number that the device manager shows (learn.microsoft.com, "IDXGIAdapter::CheckInterfaceSupport"; dxgi.h for the
order of the methods). No device is made for it, and every card that Windows has a driver for answers.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import uuid
from typing import Any

_log = logging.getLogger(__name__)

_FACTORY = uuid.UUID("770aae78-f26f-4dba-a829-253c83d1b387")
"""IDXGIFactory1."""
_DEVICE = uuid.UUID("54ec77fa-1377-44e6-8c32-88fd5f44c84c")
"""IDXGIDevice."""
_RELEASE, _CHECK_INTERFACE_SUPPORT, _ENUM_ADAPTERS = 2, 9, 12
"""Places in the tables of methods: IUnknown's, IDXGIAdapter's, IDXGIFactory1's."""


def driver_version(adapter: int) -> str:
    """The driver of the adapter with this number in DXGI: ``32.0.15.7688``; empty where nobody tells."""
    if sys.platform != "win32":
        return ""
    try:
        return _asked(adapter)
    except (OSError, AttributeError) as problem:
        _log.info("the driver of adapter %d could not be asked for: %r", adapter, problem)
        return ""


def as_text(version: int) -> str:
    """Four numbers of 16 bits, the highest first, as people write them."""
    return ".".join(str(version >> shift & 0xFFFF) for shift in (48, 32, 16, 0))


if sys.platform == "win32":

    def _asked(adapter: int) -> str:
        library = ctypes.WinDLL("dxgi")
        library.CreateDXGIFactory1.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]
        library.CreateDXGIFactory1.restype = ctypes.HRESULT
        factory, found = ctypes.c_void_p(), ctypes.c_void_p()
        library.CreateDXGIFactory1(_FACTORY.bytes_le, ctypes.byref(factory))
        try:
            _call(factory, _ENUM_ADAPTERS, ctypes.c_uint(adapter), ctypes.pointer(found))
            try:
                version = ctypes.c_int64()
                _call(found, _CHECK_INTERFACE_SUPPORT, ctypes.c_char_p(_DEVICE.bytes_le), ctypes.pointer(version))
            finally:
                _call(found, _RELEASE)
        finally:
            _call(factory, _RELEASE)
        return as_text(version.value)

    def _call(thing: ctypes.c_void_p, place: int, *arguments: Any) -> None:
        """A method of a COM object. Raises OSError for an answer that says it failed."""
        methods = ctypes.cast(thing, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
        # Release gives a count: never negative, so it passes for success
        method = ctypes.WINFUNCTYPE(ctypes.HRESULT, ctypes.c_void_p, *(type(argument) for argument in arguments))
        method(methods[place])(thing, *arguments)

else:

    def _asked(adapter: int) -> str:
        raise OSError("there is no DXGI here")
