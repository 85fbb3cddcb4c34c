"""OBS's side in a program that embeds Python as OBS does on Windows: its life, its worker, and that nothing is left.

All paths have blanks and Chinese characters in them, as users' have.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.wire.folders import PROJECT
from tests.contract.fake_outputs import wait_until
from tests.windows.host.build import PYTHON_HOME_FILE, find_host
from tests.windows.host.running import LIMIT_S, SOURCE, Host, all_gone, workers

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="the OBS-like host is a Windows program")

SETTINGS = {"tracker": "manual", "output_size": 256, "preset": "custom"}
OPAQUE_ENOUGH = 250


@pytest.fixture(scope="module")
def host_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host, installed where users have OBS."""
    built = find_host(os.environ)
    if built is None:
        pytest.skip("no OBS-like host: tests/windows/host/build.py makes it, EASYVTUBER_WINDOWS_HOST names its folder")
    return shutil.copytree(built, tmp_path_factory.mktemp("Programme 程序") / "obs studio")


@pytest.fixture(scope="module")
def user_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("Jörg 用户") / "AppData Local"


@pytest.fixture(scope="module")
def project(user_folder: Path) -> Path:
    """The product as a user has it, with an environment in its usual place."""
    folder = copy_product(user_folder.parent / "EasyVtuber für OBS")
    venv.create(folder / ".venv", with_pip=False)
    # the packages themselves are those of the environment that the tests run in
    (folder / ".venv" / "Lib" / "site-packages" / "of-the-tests.pth").write_text(
        str(Path(sys.prefix) / "Lib" / "site-packages"), encoding="utf-8"
    )
    return folder


class Product(NamedTuple):
    """A copy of the product, and the environment's interpreter for it."""

    folder: Path
    python: str


@pytest.fixture
def second(project: Path, tmp_path: Path) -> Product:
    """A copy of its own, so that its worker is not mistaken for another host's."""
    return Product(copy_product(tmp_path / "zweites 用户"), str(project / ".venv" / "Scripts" / "python.exe"))


def copy_product(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "weights")
    for name in ("core", "accel", "models", "trackers", "characters/nocti"):
        shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
    shutil.copy(PROJECT / "obs_easyvtuber.py", folder)
    return folder


def started(host_folder: Path, project: Path, user_folder: Path, **settings: object) -> Host:
    home = (host_folder / PYTHON_HOME_FILE).read_text(encoding="utf-8")
    return Host(host_folder, home, project / "obs_easyvtuber.py", {**SETTINGS, **settings}, user_folder)


@pytest.fixture(scope="module")
def host(host_folder: Path, project: Path, user_folder: Path) -> Iterator[Host]:
    """A host that shows the avatar."""
    with started(host_folder, project, user_folder) as running:
        running.look_until(lambda seen: seen["pictures"] > 0)
        yield running
    assert all_gone(project)


def test_the_script_loads_in_what_obs_gives_it(host: Host, host_folder: Path) -> None:
    facts = host.ask("facts")
    assert facts["stdin"] == "None"
    assert facts["encoding"] == "cp1252"
    assert Path(facts["executable"]).name == "obs64.exe"
    assert "EasyVtuber" in facts["description"]
    assert "cannot" not in facts["description"]
    assert facts["frames"] > 0


def test_nothing_opens_a_window_and_no_rule_of_obs_is_broken(host: Host) -> None:
    facts = host.ask("facts")
    assert facts["errors"] == ""
    assert facts["faults"] == []
    assert facts["leaks"] == []


def test_the_panel_and_the_sources_own_dialog_are_built(host: Host) -> None:
    names = host.ask("panel")
    assert {"character", "tracker", "output", "preset"} <= set(names)
    assert host.ask("facts")["sources"] == [SOURCE]
    assert "button: " in host.ask("dialog")
    assert "no button" not in host.ask("dialog")


def test_pictures_come_through_shared_memory_into_the_source(host: Host) -> None:
    first = host.look_until(lambda seen: seen["pictures"] > 0)
    later = host.look_until(lambda seen: seen["pictures"] > first["pictures"])
    assert (later["width"], later["height"], later["line_bytes"]) == (256, 256, 1024)
    assert later["format"] == 7
    assert later["full_range"]
    assert later["immediate"]
    assert later["middle"][3] > OPAQUE_ENOUGH
    assert later["timestamp"] > first["timestamp"]


def test_the_worker_is_started_apart_from_obs_and_without_a_window(host: Host, project: Path) -> None:
    launch = host.ask("facts")["launched"][-1]
    assert launch["command"][0] == str(project / ".venv" / "Scripts" / "python.exe")
    assert "-I" in launch["command"]
    assert launch["creationflags"] == 0x08000000
    assert launch["close_fds"]
    processes = workers(project)
    assert processes
    for process in processes:
        assert "-I" in process.cmdline()
        environment = process.environ()
        assert not {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"} & set(environment)
        assert environment["PYTHONUTF8"] == "1"
    assert visible_windows({process.pid for process in processes}) == []


def test_a_changed_setting_reaches_the_worker_while_it_runs(host: Host, project: Path) -> None:
    before = {process.pid for process in workers(project)}
    for size in (320, 256):
        host.ask("choose", "output_size", size)
        host.look_until(lambda seen, size=size: (seen["width"], seen["height"]) == (size, size))  # type: ignore[misc]
    assert {process.pid for process in workers(project)} == before


def test_a_worker_that_was_ended_comes_back(host: Host, project: Path) -> None:
    worker = host.ask("worker")
    os.kill(worker, signal.SIGTERM)
    assert wait_until(lambda: host.ask("worker") not in (None, worker), LIMIT_S)
    shown = host.ask("look", SOURCE)["pictures"]
    host.look_until(lambda seen: seen["pictures"] > shown)
    assert host.ask("facts")["errors"] == ""


def test_unloading_ends_the_worker_and_every_thread(host_folder: Path, user_folder: Path, second: Product) -> None:
    with started(host_folder, second.folder, user_folder, worker_python=second.python) as host:
        host.look_until(lambda seen: seen["pictures"] > 0)
        host.ask("unload")
        facts = host.ask("facts")
        assert facts["threads"] == []
        assert facts["leaks"] == []
        assert facts["errors"] == ""
        assert all_gone(second.folder)
        # exit code 0: Python ended well, and libobs was given back everything
        assert host.leave() == 0


def test_no_worker_outlives_an_obs_that_is_killed(host_folder: Path, user_folder: Path, second: Product) -> None:
    with started(host_folder, second.folder, user_folder, worker_python=second.python) as host:
        host.look_until(lambda seen: seen["pictures"] > 0)
        assert workers(second.folder)
        host.kill()
        assert all_gone(second.folder)


def test_not_even_one_that_listens_to_nothing(host_folder: Path, user_folder: Path, second: Product) -> None:
    """Only the job object can end this worker: it never looks at its pipe."""
    entry = second.folder / "core" / "worker" / "__main__.py"
    entry.write_text("import time\n\ntime.sleep(3600)\n", encoding="utf-8")
    with started(host_folder, second.folder, user_folder, worker_python=second.python) as host:
        # the environment's python.exe and the interpreter behind it
        assert wait_until(lambda: len(workers(second.folder)) == 2, LIMIT_S)
        host.kill()
        assert all_gone(second.folder)


def test_a_missing_environment_is_told_in_a_sentence(
    host_folder: Path, project: Path, user_folder: Path, tmp_path: Path
) -> None:
    missing = str(tmp_path / "no environment 用户")
    with started(host_folder, project, user_folder, worker_python=missing) as host:
        told: list[str] = []

        def says_so() -> bool:
            told[:] = [host.ask("status")]
            return missing in told[0] and "install_plugin.py" in told[0]

        assert wait_until(says_so, LIMIT_S), told
        assert host.ask("facts")["errors"] == ""
        assert host.leave() == 0


def visible_windows(processes: set[int]) -> list[str]:
    """The titles of the windows that these processes show."""
    user: Any = getattr(ctypes, "windll").user32  # noqa: B009 - the name exists on Windows alone
    found: list[str] = []
    prototype: Any = getattr(ctypes, "WINFUNCTYPE")  # noqa: B009

    def look(window: int, _: int) -> bool:
        owner = ctypes.c_ulong()
        user.GetWindowThreadProcessId(ctypes.c_void_p(window), ctypes.byref(owner))
        if owner.value in processes and user.IsWindowVisible(ctypes.c_void_p(window)):
            title = ctypes.create_unicode_buffer(256)
            user.GetWindowTextW(ctypes.c_void_p(window), title, 256)
            found.append(title.value)
        return True

    user.EnumWindows(prototype(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)(look), None)
    return found
