"""OBS's modules for the tests that need them: a fresh ``obspython`` and freshly imported ``core.obs`` each time."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, cast

import hypothesis
import pytest

import core
from tests.fake_libobs import FakeLib
from tests.fake_obs import FakeObs
from tests.unit.script_in_obs import PRIVATE_NAME, Script

# the same examples on every machine and in every run, and no limit to the time that a busy machine takes for one
hypothesis.settings.register_profile("same_every_time", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("same_every_time")


def _ours() -> Dict[str, ModuleType]:
    return {
        name: module
        for name, module in sys.modules.items()
        if name == "core.obs" or name.startswith("core.obs.") or name.split(".")[0] == PRIVATE_NAME
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Logs and user data go into a throw-away folder."""
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def obs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeObs]:
    """OBS. At the end every reference must have been given back and nothing may have been refused."""
    fake = FakeObs()
    # the script's file takes its folder out of the search path
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    before, package = _ours(), getattr(core, "obs", None)
    for name in before:
        del sys.modules[name]
    monkeypatch.setitem(sys.modules, "obspython", cast(ModuleType, fake))
    yield fake
    for name in _ours():
        del sys.modules[name]
    sys.modules.update(before)
    if package is not None:
        cast(Any, core).obs = package
    assert fake.ledger.faults == []
    assert fake.ledger.leaks() == []
    assert fake.refused == []


@pytest.fixture
def lib() -> Iterator[FakeLib]:
    """libobs. At the end every source must have been given back."""
    kept: Dict[Any, Any] = sys.__dict__.setdefault("_easyvtuber_keep", {})
    before = dict(kept)
    kept.clear()
    fake = FakeLib()
    yield fake
    kept.clear()
    kept.update(before)
    assert fake.leaks() == {}


@pytest.fixture
def script(obs: FakeObs, lib: FakeLib) -> Iterator[Script]:
    """The script's file, loaded but not put to work yet."""
    made = Script(obs, lib)
    yield made
    made.unload()


@pytest.fixture
def at_work(obs: FakeObs, script: Script) -> Script:
    """The script, added while OBS shows the first of its scenes Chat and Game."""
    obs.make_scene("Chat")
    obs.make_scene("Game")
    script.load()
    return script
