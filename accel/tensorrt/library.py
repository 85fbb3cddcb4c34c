"""Finding and loading TensorRT: which module a kind is in, and what the library says on the way to our log."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

from core.wire.errors import RuntimeUnavailable

from .api import TensorRTModule
from .options import TENSORRT, TENSORRT_RTX

_log = logging.getLogger(__name__)

MODULES: dict[str, tuple[str, ...]] = {
    TENSORRT_RTX: ("tensorrt_rtx", "tensorrt_rtx_bindings"),
    TENSORRT: ("tensorrt",),
}
"""Where each kind is looked for, in this order."""

# numbers of the library's severities: 0 internal error, 1 error, 2 warning, 3 information, 4 verbose
_LEVELS = {0: logging.ERROR, 1: logging.ERROR, 2: logging.WARNING, 3: logging.DEBUG}
_WORST_FORGOTTEN = 2
_KEPT_COMPLAINTS = 8


@dataclass(frozen=True, slots=True)
class Library:
    """One of the two, loaded."""

    kind: str
    """``tensorrt`` or ``tensorrt_rtx``."""
    module: TensorRTModule
    logger: Any
    """What every builder, parser and runtime is given; must outlive them."""
    complaints: deque[str]
    """The last errors the library told, oldest first. Calls that fail say no more than that they failed."""

    @property
    def version(self) -> str:
        """``1.7.1.116``."""
        return self.module.__version__

    @property
    def is_rtx(self) -> bool:
        """Is it TensorRT for RTX?"""
        return self.kind == TENSORRT_RTX

    def last_words(self) -> str:
        """What the library complained about since this was asked last, in one line for the log."""
        said = "; ".join(self.complaints)
        self.complaints.clear()
        return said


def module_name(kind: str) -> str | None:
    """The module that is installed for a kind, without loading it; None when there is none."""
    return next((name for name in MODULES[kind] if importlib.util.find_spec(name) is not None), None)


@functools.cache
def load_library(kind: str) -> Library:
    """Load the module of a kind, once: the library takes one logger for as long as the process lives.

    Raises RuntimeUnavailable (``package_missing``, ``package_broken``).
    """
    name = module_name(kind)
    if name is None:
        raise RuntimeUnavailable(runtime=kind, reason="package_missing")
    try:
        module = cast(TensorRTModule, importlib.import_module(name))
    except (ImportError, OSError) as problem:  # its own libraries are missing or do not fit
        raise RuntimeUnavailable(f"{name}: {problem}", runtime=kind, reason="package_broken") from problem
    return wrap_module(kind, module)


def wrap_module(kind: str, module: TensorRTModule) -> Library:
    """A library from a module that is loaded already."""
    complaints: deque[str] = deque(maxlen=_KEPT_COMPLAINTS)
    return Library(kind, module, _make_logger(module, complaints), complaints)


def _make_logger(module: TensorRTModule, complaints: deque[str]) -> Any:
    """An ``ILogger`` of the module that writes to ours. Called from the library's own threads."""

    def log(self: object, severity: int, message: str) -> None:
        number = int(severity)
        if number < _WORST_FORGOTTEN:
            complaints.append(" ".join(message.split()))
        level = _LEVELS.get(number)
        if level is not None:
            _log.log(level, "%s", message)

    # a class statement cannot have a base that is known only now, in the eyes of the type checker
    return type("LibraryLogger", (module.ILogger,), {"log": log})()
