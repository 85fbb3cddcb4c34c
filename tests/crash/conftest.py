"""The zoo's keeper: one engine with real processes, and a look at everything that it must not leave behind."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import psutil
import pytest

from core.obs import launcher
from core.obs.engine import Engine, View, Wish
from core.obs.supervisor import Policy
from core.wire.settings import Value, defaults
from tests.fake_libobs import FakeLib

LIMIT_S = 60.0
"""For every wait: long enough for any machine, so that only a real fault meets it."""
PATIENT = Policy(first_delay=0.05, longest_delay=0.1, longest_delay_after_running=0.1, restarts_per_rung=3)
HASTY = PATIENT._replace(hello_limit=0.3)
STRICT = PATIENT._replace(running_silence_limit=0.5)
EASY_STOP = PATIENT._replace(stop_limit=0.3)

_RUN = Path(__file__).with_name("zoo") / "run.py"
_real_launch = launcher.launch


def wish(python: str = sys.executable, visible: bool = True, settings: Optional[Dict[str, Value]] = None) -> Wish:
    """What the worker shall do: the defaults, but for ``settings``."""
    return Wish({**defaults(), **(settings or {})}, visible, python)


def alive(pid: int) -> bool:
    """Is there such a process?"""
    # os.kill(pid, 0) would be Ctrl+C on Windows
    return psutil.pid_exists(pid)


def engine_threads() -> List[str]:
    """The threads that belong to an engine or to its child."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("easyvtuber-")]


class Keeper:
    """One engine, which animal it starts next, and what can be seen of it."""

    def __init__(self, animal: str, policy: Policy) -> None:
        self.animal = animal
        self.lib = FakeLib()
        self.avatar = self.lib.add_source("Avatar")
        self.views: List[View] = []
        self.pids: List[int] = []
        self.seconds = 0
        self.engine = Engine(self.lib, self.views.append, self._second, policy=policy)

    def _second(self) -> None:
        self.seconds += 1

    def launch(self, chosen: str) -> launcher.Launch:
        """In place of the launcher's: keeps the process's number."""
        launched = _real_launch(chosen)
        self.pids.append(launched.process.pid)
        return launched

    def start(self, wanted: Optional[Wish] = None) -> None:
        """The user presses Start."""
        self.engine.start(wanted or wish(), lambda capabilities: f"automatic of {sorted(capabilities['outputs'])}")

    def wait(self, what: Callable[[], object]) -> None:
        """Until it is so."""
        end = time.monotonic() + LIMIT_S
        while not what():
            assert time.monotonic() < end, f"it never came to that; {self.engine.view}"
            time.sleep(0.01)

    def wait_for(self, phase: str) -> None:
        """Until the engine is (or, if that is quickly over, was) in this phase."""
        self.wait(lambda: any(view.phase == phase for view in self.views))

    def wait_until_now(self, phase: str) -> None:
        """Until the engine is in this phase."""
        self.wait(lambda: self.engine.view.phase == phase)

    @property
    def problem(self) -> Any:
        """What is wrong with the worker."""
        return self.engine.view.problems.get("worker")

    @property
    def told(self) -> List[Dict[str, Any]]:
        """What the good worker says that it was told."""
        return list(self.engine.view.state.get("told", ()))


Zoo = Callable[..., Keeper]


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zoo]:
    """Makes keepers; at the end none of their threads, processes, rings and references may be left."""
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path))
    monkeypatch.setattr("core.wire.ring._memory_folder", lambda: tmp_path)
    made: List[Keeper] = []

    def make(animal: str, policy: Policy = PATIENT) -> Keeper:
        keeper = Keeper(animal, policy)
        made.append(keeper)
        monkeypatch.setattr(launcher, "command", lambda python: [str(python), "-I", str(_RUN), keeper.animal])
        monkeypatch.setattr(launcher, "launch", keeper.launch)
        keeper.engine.pusher.set_sources(["Avatar"])
        return keeper

    yield make
    for keeper in made:
        keeper.engine.close()
    assert engine_threads() == []
    assert [pid for keeper in made for pid in keeper.pids if alive(pid)] == []
    assert [keeper.lib.leaks() for keeper in made if keeper.lib.leaks()] == []
    assert list(tmp_path.glob("easyvtuber-*")) == []
    assert list((tmp_path / "data" / "instances").glob("*")) == []
