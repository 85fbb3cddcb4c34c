"""Finding ONNX Runtime's C library in the package that brings it, and its table of functions."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import re
import sys
from functools import cache
from pathlib import Path

from .api import VERSION, Api

_log = logging.getLogger(__name__)

_PACKAGE = "onnxruntime"
_PATTERNS = {"win32": "onnxruntime.dll", "darwin": "libonnxruntime*.dylib"}
_OTHER_PATTERN = "libonnxruntime.so*"


class _ApiBase(ctypes.Structure):
    """``OrtApiBase``: what the one exported function gives."""

    _fields_ = (
        ("get_api", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)),
        ("version", ctypes.CFUNCTYPE(ctypes.c_char_p)),
    )


@cache
def native_api() -> Api | None:
    """The functions of the installed package's library, or None, with a line in the log, where they cannot be used."""
    try:
        return load_api(find_library())
    except (OSError, AttributeError, ValueError) as problem:
        _log.info("ONNX Runtime is used through its Python module: %s", problem)
        return None


def find_library() -> Path:
    """The library beside the package's Python files. Loads nothing. Raises FileNotFoundError."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"no package {_PACKAGE}")
    folder = Path(found.origin).parent / "capi"
    files = sorted(folder.glob(_PATTERNS.get(sys.platform, _OTHER_PATTERN)))
    if not files:
        raise FileNotFoundError(f"no C library in {folder}")
    return files[0]


def load_api(path: Path) -> Api:
    """The library's functions. Raises OSError when it cannot be loaded, AttributeError when it is something else,
    ValueError when it is too old."""
    library = ctypes.CDLL(str(path))
    library.OrtGetApiBase.restype = ctypes.POINTER(_ApiBase)
    base = library.OrtGetApiBase().contents
    version = base.version().decode("ascii", "replace")
    numbers = re.match(r"(\d+)\.(\d+)", version)
    # asked for a table that it does not have it would write to stderr
    if numbers is None or (int(numbers[1]), int(numbers[2])) < (1, VERSION):
        raise ValueError(f"{path.name} is of version {version}")
    address = base.get_api(VERSION)
    if not address:
        raise ValueError(f"{path.name}, version {version}, has no table {VERSION}")
    return Api(address)
