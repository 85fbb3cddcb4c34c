"""Folders and consoles as users have them: spaces, accents, Chinese, deep folders, code page 1252."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.pose.calibration import Neutral
from core.pose.calibration_store import CalibrationStore
from core.wire.folders import PROJECT, user_cache, user_data, user_logs
from tests.crash.worker_process import WORKER, WorkerProcess

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="looks at Windows' folders and consoles")

LIMIT_S = 120
NEEDED = ("core", "trackers", "models", "accel", "characters")
"""What the worker needs of the project."""
KEEPING_FILES_IN = """
import os, runpy, sys
os.environ["EASYVTUBER_HOME"] = sys.argv[1]
runpy.run_path(sys.argv[2], run_name="__main__")
"""


def test_a_users_folders_are_in_local_app_data_whatever_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "Пользователь 用户" / "AppData" / "Local"
    monkeypatch.delenv("EASYVTUBER_HOME", raising=False)
    monkeypatch.setenv("LOCALAPPDATA", str(local))
    for folder in (user_data(), user_logs(), user_cache()):
        assert local in folder.parents
        folder.mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize("code_page", ["cp1252", "cp437", "cp932", "ascii"])
def test_the_installer_speaks_on_a_console_that_lacks_the_letters(code_page: str) -> None:
    code = "from core.install.console import Console; Console().say('用户 Jörg ☆'); Console().step('ok')"
    environment = {**os.environ, "PYTHONIOENCODING": code_page, "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=environment, capture_output=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode(code_page).split()[-2:] == ["==", "ok"]


def test_the_installers_help_is_readable_in_code_page_1252() -> None:
    environment = {**os.environ, "PYTHONUTF8": "0"}
    environment.pop("PYTHONIOENCODING", None)
    done = subprocess.run(
        [sys.executable, str(PROJECT / "install_plugin.py"), "--help"], env=environment, capture_output=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert "uninstall" in done.stdout.decode("cp1252")


def lives_and_ends(worker: WorkerProcess) -> None:
    """It works, and ends when it is told to."""
    try:
        worker.configure()
        worker.works()
        assert worker.ask("stop")["ok"]
        assert worker.exit_code() == 0
    finally:
        worker.close()


def test_paths_longer_than_260_characters_are_no_hindrance(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a folder with a long name 用户"] * 12)
    try:
        deep.mkdir(parents=True)
    except OSError:
        pytest.skip("long paths are switched off in this Windows")
    assert len(str(deep)) > 260
    file = deep / "calibration.json"
    CalibrationStore(file).put("openseeface", "立ち絵", Neutral((1.0, 0.0, 0.0, 0.0), np.zeros(3, np.float32)))
    kept = CalibrationStore(file).get("openseeface", "立ち絵")
    assert kept is not None and kept.rotation == (1.0, 0.0, 0.0, 0.0)
    # a process cannot begin in so deep a folder, but it can keep its files there
    worker = WorkerProcess(tmp_path / "home", [sys.executable, "-I", "-c", KEEPING_FILES_IN, str(deep), str(WORKER)])
    lives_and_ends(worker)
    # a log that has nothing to say is not begun
    assert (deep / "logs").is_dir()


def test_the_worker_runs_from_a_folder_with_spaces_and_letters_of_every_kind(tmp_path: Path) -> None:
    project = tmp_path / "Programme (x86) 立ち絵 é"
    for name in NEEDED:
        shutil.copytree(PROJECT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    home = tmp_path / "用户 home"
    worker = WorkerProcess(home, [sys.executable, "-I", "-X", "utf8", str(project / "core" / "worker")])
    lives_and_ends(worker)
