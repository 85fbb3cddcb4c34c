"""All runtimes by name: one line each, with the rung of the ladder they belong to. Looking loads nothing heavy."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass

from core.wire.rungs import CPU, GPU, TENSORRT


@dataclass(frozen=True, slots=True)
class Entry:
    """A runtime: the module that must be installed for it, its rung, and the only system it exists on (empty: any)."""

    module: str
    rung: str
    system: str = ""


RUNTIMES: dict[str, Entry] = {
    "tensorrt_rtx": Entry("tensorrt_rtx", TENSORRT),
    "tensorrt": Entry("tensorrt", TENSORRT),
    "onnxruntime_directml": Entry("onnxruntime", GPU, "win32"),
    "onnxruntime_cpu": Entry("onnxruntime", CPU),
}
"""From fastest to safest."""


def unavailable(name: str) -> str | None:
    """None when the runtime's package is installed, else the key of the reason (``reason.<key>``)."""
    entry = RUNTIMES.get(name)
    if entry is None:
        return "unknown"
    if entry.system and entry.system != sys.platform:
        return "windows_only"
    return None if importlib.util.find_spec(entry.module) is not None else "package_missing"


def availability() -> dict[str, str | None]:
    """:func:`unavailable` for every runtime."""
    return {name: unavailable(name) for name in RUNTIMES}
