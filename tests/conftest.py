"""On Windows: tests that cannot run there are skipped, each with its reason (``tests/windows/selection.py``)."""

from __future__ import annotations

import sys

import pytest

from tests.windows.selection import reason_to_leave_out
from tests.windows.wine_detection import under_wine

QUICK = "--windows-quick"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch of ``install_plugin.py test --windows``."""
    parser.addoption(QUICK, action="store_true", help="on Windows: leave out tests that say nothing about Windows")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is left out, before anything runs."""
    if sys.platform != "win32":
        return
    wine, quick = under_wine(), bool(config.getoption(QUICK))
    for item in items:
        if reason := reason_to_leave_out(item.nodeid, wine=wine, quick=quick):
            item.add_marker(pytest.mark.skip(reason=reason))
