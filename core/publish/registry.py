"""All outputs by name: one line each. What cannot work here is a reason in words, never an exception at import.

Each module offers ``unavailable() -> str | None`` (None, or the key of a reason: ``reason.<key>`` in the locale tables)
and ``open_publisher(settings, context) -> Publisher``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from core.wire.errors import OutputUnavailable
from core.wire.settings import Value

from .base import Opener, PublishContext, Publisher

PUBLISHERS: dict[str, str] = {
    "obs_source": "shared_memory",
    "spout": "spout",
    "virtual_camera": "virtual_camera",
    "preview": "preview",
    "file": "file",
    "null": "null",
}
"""Output name (the value of the ``output`` setting) and the module beside this one that makes it."""


def unavailable(name: str) -> str | None:
    """None when the output can work on this machine, else the key of the reason."""
    if name not in PUBLISHERS:
        return "unknown"
    reason: str | None = _module(name).unavailable()
    return reason


def availability() -> dict[str, str | None]:
    """:func:`unavailable` for every output."""
    return {name: unavailable(name) for name in PUBLISHERS}


def open_publisher(name: str, settings: Mapping[str, Value], context: PublishContext) -> Publisher:
    """Make the output ``name``. Raises an OutputError that says why when it cannot."""
    reason = unavailable(name)
    if reason is not None:
        raise OutputUnavailable(output=name, reason=reason)
    opener: Opener = _module(name).open_publisher
    return opener(settings, context)


def _module(name: str) -> Any:
    return importlib.import_module(f".{PUBLISHERS[name]}", __package__)
