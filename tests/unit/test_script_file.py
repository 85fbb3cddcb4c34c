"""The file that OBS loads: it speaks even when nothing works, never raises, and leaves other scripts alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, List

import pytest

import core
from core.wire.folders import PROJECT
from tests.fake_libobs import FakeLib
from tests.fake_obs import FakeObs
from tests.fake_obs_panel import Data
from tests.unit.script_in_obs import PRIVATE_NAME, SCRIPT, Script

CALLS: Dict[str, Callable[[Any], Any]] = {
    "script_defaults": lambda module: module.script_defaults(Data()),
    "script_load": lambda module: module.script_load(Data()),
    "script_update": lambda module: module.script_update(Data()),
    "script_save": lambda module: module.script_save(Data()),
    "script_properties": lambda module: module.script_properties(),
    "script_unload": lambda module: module.script_unload(),
}


def test_the_description_is_in_the_users_language(obs: FakeObs, script: Script) -> None:
    texts = set()
    for obs.locale in ("en-US", "ja-JP", "zh-CN"):
        texts.add(script.module.script_description())
    assert len(texts) == 3


def test_everything_of_ours_is_loaded_under_a_private_name(obs: FakeObs, script: Script) -> None:
    assert script.module._plugin.__name__ == f"{PRIVATE_NAME}.obs.plugin"


def test_another_scripts_package_called_core_is_neither_used_nor_replaced(
    obs: FakeObs, lib: FakeLib, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: Dict[str, ModuleType] = {name: ModuleType(name) for name in ("core", "core.obs", "core.wire")}
    for name, module in others.items():
        monkeypatch.setitem(sys.modules, name, module)
    script = Script(obs, lib)
    script.load()
    assert {name: sys.modules[name] for name in others} == others
    script.unload()
    # what the fixtures put back is the real package
    monkeypatch.undo()
    assert sys.modules["core"] is core


def test_the_folder_that_obs_adds_to_the_search_path_is_taken_out_again(obs: FakeObs, script: Script) -> None:
    sys.path += [str(PROJECT), "", "/of/another/script"]
    script.load()
    assert str(PROJECT) not in sys.path
    assert sys.path[-2:] == ["", "/of/another/script"]


def test_the_reload_button_still_finds_the_file_and_only_that(obs: FakeObs, script: Script) -> None:
    script.run_file()
    finders: List[Any] = [finder for finder in sys.meta_path if type(finder).__name__ == "_OwnFinder"]
    assert len(finders) == 1
    found = finders[0].find_spec("script_under_test")
    assert found is not None
    assert found.origin == str(SCRIPT)
    assert finders[0].find_spec("core") is None


@pytest.fixture
def broken(obs: FakeObs, lib: FakeLib, tmp_path: Path) -> Script:
    """The script's file, copied without the folder it needs."""
    file = tmp_path / "obs_easyvtuber.py"
    file.write_bytes(SCRIPT.read_bytes())
    return Script(obs, lib, file)


def test_without_its_folder_the_description_tells_what_to_do(broken: Script) -> None:
    description = broken.module.script_description()
    assert "install" in description
    assert "core" in description


@pytest.mark.parametrize("name", sorted(CALLS))
def test_without_its_folder_every_call_is_harmless(broken: Script, name: str) -> None:
    assert CALLS[name](broken.module) is None


def test_a_damaged_module_is_told_without_its_html(obs: FakeObs, lib: FakeLib, tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise RuntimeError('<b>half a download')", encoding="utf-8")
    file = tmp_path / "obs_easyvtuber.py"
    file.write_bytes(SCRIPT.read_bytes())
    assert "&lt;b>half a download" in Script(obs, lib, file).module.script_description()


def test_a_python_that_is_too_old_is_told(obs: FakeObs, lib: FakeLib, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 6, 15, "final", 0))
    script = Script(obs, lib)
    assert "3.6" in script.module.script_description()
    assert CALLS["script_properties"](script.module) is None


def test_the_file_itself_is_understood_by_the_oldest_python_that_obs_loads() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("name", sorted(CALLS))
def test_an_error_of_ours_never_reaches_obs(
    obs: FakeObs, at_work: Script, name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("unexpected")

    plugin = at_work.module._plugin
    for function in ("set_defaults", "load", "unload", "current"):
        monkeypatch.setattr(plugin, function, fail)
    assert CALLS[name](at_work.module) is None
    said = capfd.readouterr()
    assert "unexpected" in said.out
    assert said.err == ""


def fail(*arguments: Any) -> None:
    raise RuntimeError("unexpected")


def test_an_error_in_an_event_never_reaches_obs(obs: FakeObs, at_work: Script) -> None:
    at_work.engine.wish = fail  # type: ignore[assignment,method-assign]
    at_work.go_to("Game")
    at_work.engine.stop = fail  # type: ignore[method-assign]
    obs.send(obs.OBS_FRONTEND_EVENT_SCRIPTING_SHUTDOWN)


@pytest.mark.parametrize("name", ["calibrate", "start_stop", "add_source", "refresh"])
def test_an_error_behind_a_button_never_reaches_obs(obs: FakeObs, at_work: Script, name: str) -> None:
    panel = at_work.panel()
    at_work.engine.action = fail  # type: ignore[assignment,method-assign]
    at_work.engine.stop = fail  # type: ignore[method-assign]
    at_work.engine.pusher.set_sources = fail  # type: ignore[assignment]
    at_work.engine.view = None
    panel.press(name)


def test_an_error_in_a_panel_that_shows_a_rule_never_reaches_obs(obs: FakeObs, at_work: Script) -> None:
    panel = at_work.panel()
    panel.choose(at_work.settings, "rule_scene", "Chat")
    at_work.engine.wish = fail  # type: ignore[assignment,method-assign]
    panel.choose(at_work.settings, "rule_preset", "low")


def test_an_error_on_obss_own_thread_never_reaches_obs(lib: FakeLib, at_work: Script) -> None:
    at_work.engine.pusher.set_sources = fail  # type: ignore[assignment]
    at_work.engine.each_second()
    lib.run_tasks()


def test_a_script_that_cannot_be_put_to_work_says_why_in_its_description(
    obs: FakeObs, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_libobs() -> None:
        raise AttributeError("obs_queue_task")

    monkeypatch.setattr(script.module._plugin, "LibObs", no_libobs)
    script.load()
    assert "obs_queue_task" in script.module.script_description()
