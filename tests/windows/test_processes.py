"""Windows' processes: the worker's start without a window, its end with OBS's, its pictures through named memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.obs import launcher, supervisor
from core.obs.engine import Engine, View, Wish
from core.wire.folders import PROJECT
from core.wire.ring import FrameHeader, FrameRing
from core.wire.settings import defaults
from tests.contract.fake_outputs import wait_until
from tests.fake_libobs import FakeLib

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="looks at what only Windows has: windows, jobs, names")

LIMIT_S = 120.0
STUBBORN = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
"""A worker that hangs: it does not hear that its pipe is closed."""
PARENT = f"""
import os, sys, time
sys.path.insert(0, {str(PROJECT)!r})
from core.obs import launcher
from core.obs.child import Child
launcher.command = lambda python: [str(python), "-I", "-c", {STUBBORN!r}]
launched = launcher.launch(sys.executable)
pid = int(launched.process.stdout.readline())
child = Child(launched, lambda sequence: None, lambda child, message: None, lambda child, code: None)
print(os.getpid(), pid, flush=True)
time.sleep(600)
"""
WRITE = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from core.wire.ring import FrameHeader, FrameRing
with FrameRing.attach(sys.argv[1]) as ring:
    ring.begin(1, 16)[:] = bytes(range(16))
    ring.finish(FrameHeader(1, 2, 2, 0, 4, 5, 6, 7))
"""


@pytest.fixture
def users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders of a user with a name that the console's code page lacks."""
    home = tmp_path / "Users" / "用户 Jörg"
    (home / "AppData" / "Local").mkdir(parents=True)
    monkeypatch.delenv("EASYVTUBER_HOME", raising=False)
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("APPDATA", str(home / "AppData" / "Roaming"))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "AppData" / "Local"))
    return home


class Obs:
    """OBS's side with the real worker, as a user's own."""

    def __init__(self) -> None:
        self.lib = FakeLib()
        self.avatar = self.lib.add_source("Avatar")
        self.views: list[View] = []
        self.engine = Engine(self.lib, self.views.append, lambda: None)
        self.engine.pusher.set_sources(["Avatar"])

    def start(self) -> None:
        """The user presses Start."""
        chosen = {**defaults(), "tracker": "idle", "preset": "low", "output": "obs_source"}
        self.engine.start(Wish(chosen, True, sys.executable), lambda capabilities: "obs_source")

    def shows(self, pictures: int) -> bool:
        """Did at least so many pictures arrive?"""
        assert self.engine.view.phase != supervisor.GAVE_UP, self.engine.view
        return len(self.lib.pushed) >= pictures


@pytest.fixture
def obs(users_folder: Path) -> Iterator[Obs]:
    """Closed at the end, and no process of the worker is left."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    made = Obs()
    yield made
    made.engine.close()
    assert wait_until(lambda: not {one.pid for one in psutil.Process().children(recursive=True)} - before)


def test_the_real_workers_pictures_come_through_named_memory(obs: Obs, users_folder: Path) -> None:
    obs.start()
    assert wait_until(lambda: obs.shows(5), LIMIT_S)
    push = obs.lib.pushed[-1]
    assert (push.source, push.width > 0, push.height > 0) == (obs.avatar, True, True)
    assert len(set(push.pixels)) > 1
    logs = users_folder / "AppData" / "Local" / "EasyVtuber" / "logs"
    assert any(logs.iterdir())


def test_a_worker_that_was_killed_comes_back_and_leaves_nothing(obs: Obs) -> None:
    obs.start()
    assert wait_until(lambda: obs.shows(1), LIMIT_S)
    child = obs.engine._child
    assert child is not None
    # the interpreter, which the environment's launcher waits for
    for process in psutil.Process(child.pid).children():
        process.kill()
    shown = len(obs.lib.pushed)
    assert wait_until(lambda: obs.engine._child not in (None, child) and obs.shows(shown + 5), LIMIT_S)


def test_a_ring_in_named_memory_is_the_same_in_another_process() -> None:
    with FrameRing.create(16) as ring:
        assert ring.locator.startswith("tag:Local\\")
        subprocess.run([sys.executable, "-I", "-c", WRITE, ring.locator], check=True, timeout=LIMIT_S)
        assert ring.newest == 1
        assert ring.header(1) == FrameHeader(1, 2, 2, 0, 4, 5, 6, 7)
        assert ring.read(1) == bytes(range(16))


def test_the_worker_gets_no_console_window(users_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import ctypes; print(ctypes.windll.kernel32.GetConsoleWindow())"
    flags: list[int] = []
    start = subprocess.Popen

    def watched(command: list[str], **options: object) -> object:
        flags.append(int(str(options["creationflags"])))
        return start(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(launcher, "command", lambda python: [str(python), "-I", "-c", code])
    monkeypatch.setattr(subprocess, "Popen", watched)
    said, _ = launcher.launch(sys.executable).process.communicate(timeout=LIMIT_S)
    if sys.platform == "win32":
        assert flags == [subprocess.CREATE_NO_WINDOW]
    assert said.split() == [b"0"]


def test_the_worker_is_isolated_and_gets_a_clean_environment(
    users_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os, sys; "
        "print(sys.flags.isolated, 'PYTHONHOME' in os.environ, 'PythonPath' in os.environ, sys.flags.utf8_mode)"
    )
    for name in ("PYTHONHOME", "PythonPath"):
        monkeypatch.setenv(name, str(users_folder))
    real = launcher.command

    def isolated(python: Path) -> list[str]:
        return [*real(python)[:-1], "-c", code]

    monkeypatch.setattr(launcher, "command", isolated)
    said, _ = launcher.launch(sys.executable).process.communicate(timeout=LIMIT_S)
    assert said.split() == [b"1", b"False", b"False", b"1"]


def test_a_worker_that_hangs_ends_with_the_program_that_started_it(users_folder: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-I", "-c", PARENT], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        own, worker = map(int, parent.stdout.readline().split())
        assert psutil.pid_exists(worker)
        assert os.getpid() not in (own, worker)
        psutil.Process(own).kill()
        parent.wait(LIMIT_S)
    assert wait_until(lambda: not psutil.pid_exists(worker))
