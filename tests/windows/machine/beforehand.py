"""What tests need under Wine and cannot make there: made on Linux before they run, kept between runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from tests.windows.machine.machine import WindowsMachine

BUILDERS: tuple[str, ...] = ("tests.windows.host.build:build_for",)
"""``module:function``; each is given the machine, makes what is not there yet, and raises SetUpFailed."""


def make_all(machine: WindowsMachine) -> None:
    """Call every builder. Raises SetUpFailed with what the first that fails says."""
    for entry in BUILDERS:
        module, _, name = entry.partition(":")
        build: Callable[[WindowsMachine], None] = getattr(importlib.import_module(module), name)
        build(machine)
