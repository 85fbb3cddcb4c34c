"""Where things are kept, on each system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.wire import folders


def test_the_project_is_the_folder_of_the_script() -> None:
    assert (folders.PROJECT / "obs_easyvtuber.py").is_file()
    assert folders.CHARACTERS.is_dir()


@pytest.mark.parametrize("system", ["win32", "darwin", "linux"])
def test_one_variable_moves_everything(system: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", system)
    environment = {"EASYVTUBER_HOME": str(tmp_path)}
    assert folders.user_data(environment) == tmp_path / "data"
    assert folders.user_logs(environment) == tmp_path / "logs"


def test_the_processs_own_environment_is_used_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path))
    assert (folders.user_data(), folders.user_logs()) == (tmp_path / "data", tmp_path / "logs")


def test_windows_keeps_things_in_local_app_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    environment = {"LOCALAPPDATA": str(tmp_path)}
    assert folders.user_data(environment) == tmp_path / "EasyVtuber"
    assert folders.user_logs(environment) == tmp_path / "EasyVtuber" / "logs"
    assert folders.environment_python(tmp_path) == tmp_path / "Scripts" / "python.exe"


def test_macos_keeps_things_in_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert folders.user_data({}) == Path.home() / "Library/Application Support/EasyVtuber"
    assert folders.user_logs({}) == Path.home() / "Library/Logs/EasyVtuber"


def test_linux_follows_the_desktops_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    environment = {"XDG_DATA_HOME": str(tmp_path / "d"), "XDG_STATE_HOME": str(tmp_path / "s")}
    assert folders.user_data(environment) == tmp_path / "d" / "easyvtuber"
    assert folders.user_logs(environment) == tmp_path / "s" / "easyvtuber" / "logs"
    assert folders.environment_python(tmp_path) == tmp_path / "bin" / "python"


@pytest.mark.parametrize("system", ["win32", "darwin", "linux"])
def test_an_empty_environment_means_the_home_folder(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert Path.home() in folders.user_data({}).parents
    assert Path.home() in folders.user_logs({}).parents


def test_the_workers_environment_is_in_the_project_folder() -> None:
    assert folders.default_environment().parent == folders.PROJECT
