"""Fixtures for tests with a real OBS: ``screen`` and ``start_obs``. Without the programs those tests are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.install.obs.config import Version
from core.install.obs.process import obs_version
from core.install.virtual_screen import VirtualScreen

from .harness import StartObs, reason_to_skip

LOG_LINES_SHOWN = 60


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs an OBS where there is none, and say what is missing."""
    # what the whole suite leaves out on Windows has its reason already
    left_out = item.get_closest_marker("skip") is not None
    if not left_out and item.get_closest_marker("obs") is not None and (reason := reason_to_skip()):
        pytest.skip(reason)


@pytest.fixture(scope="session")
def screen() -> Iterator[VirtualScreen]:
    """A virtual screen with a window manager, for the whole session."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with VirtualScreen() as made:
        yield made


@pytest.fixture(scope="session")
def installed_obs() -> Version:
    """The version of the OBS that is installed here."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    return obs_version()


@pytest.fixture
def start_obs(
    request: pytest.FixtureRequest, screen: VirtualScreen, installed_obs: Version, tmp_path: Path
) -> Iterator[StartObs]:
    """Starts an OBS; see ``harness.StartObs``. At the test's end it must close without a crash and leave nothing."""
    starter = StartObs(screen.display, installed_obs, tmp_path)
    yield starter
    complaints = starter.end_all()
    request.node.add_report_section("teardown", "OBS log", starter.logs(LOG_LINES_SHOWN))
    assert not complaints, complaints
