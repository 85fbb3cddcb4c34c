"""The harness itself, in a real OBS: what it starts runs, what it shows is true, what it ends is gone."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from core.install.obs.config import SceneItem, colour_source, scene_item, script_paths
from core.install.obs.files import read_collection
from core.install.obs.folders import is_obs_running
from core.install.obs.websocket import ObsRequestFailed

from .desktop import NotInTime, wait_for
from .harness import RunningObs, StartObs

pytestmark = pytest.mark.obs

TALKER = """
import obspython as obs

def script_description():
    return "A script that talks"

def script_load(settings):
    print("talker loaded with", obs.obs_data_get_string(settings, "word"))

def script_unload():
    print("talker unloaded")

def script_defaults(settings):
    obs.obs_data_set_default_string(settings, "word", "nothing")

def script_properties():
    properties = obs.obs_properties_create()
    obs.obs_properties_add_text(properties, "word", "Word", obs.OBS_TEXT_DEFAULT)
    for number in range(40):
        obs.obs_properties_add_bool(properties, "option%d" % number, "Option %d" % number)
    return properties
"""

PARENT = """
import subprocess

def script_load(settings):
    script_load.child = subprocess.Popen(["sleep", "600"])
    print("child", script_load.child.pid)

def script_unload():
    script_load.child.kill()
    script_load.child.wait()
"""


@pytest.fixture
def talker(tmp_path: Path) -> Path:
    path = tmp_path / "talker.py"
    path.write_text(TALKER, "utf-8")
    return path


def test_a_colour_source_is_seen_exactly(start_obs: StartObs) -> None:
    colours = {"Teal": (0, 130, 140, 255), "Glass": (200, 40, 90, 77), "Small": (255, 255, 255, 255)}
    sources = [colour_source(name, rgba, 96, 64) for name, rgba in colours.items()]
    scenes: dict[str, list[SceneItem]] = {"Scene": ["Teal", scene_item("Small", 100, 50)], "Other": ["Glass"]}
    obs = start_obs(size=(320, 180), scenes=scenes, sources=sources)
    for name, rgba in colours.items():
        picture = obs.screenshot(name)
        assert picture.shape == (64, 96, 4)
        assert (picture == rgba).all(), name
    composite = obs.screenshot("Scene")
    assert composite.shape == (180, 320, 4)
    assert (composite[:64, :96] == colours["Teal"]).all()
    assert (composite[50:114, 100:196] == colours["Small"]).all()
    assert obs.screenshot("Scene", width=160, height=90).shape == (90, 160, 4)


def test_requests_figures_and_refusals(start_obs: StartObs) -> None:
    obs = start_obs(size=(1280, 720), fps=30)
    settings = obs.request("GetVideoSettings")
    assert (settings["baseWidth"], settings["baseHeight"], settings["fpsNumerator"]) == (1280, 720, 30)
    assert obs.stats()["renderTotalFrames"] > 0
    assert obs.cpu_seconds() > 0
    with pytest.raises(ObsRequestFailed, match="600") as refused:
        obs.screenshot("No such source")
    assert refused.value.code == 600


def test_a_script_loads_with_its_settings_and_survives_in_its_home(start_obs: StartObs, talker: Path) -> None:
    first = start_obs(scripts=[talker], settings={"word": "thunder"})
    wait_for(lambda: first.script_log_lines("talker loaded with thunder"), 5, "the script's line in the log")
    assert first.script_log_lines("thunder") == []
    assert first.close() == 0
    assert first.script_log_lines("talker unloaded")
    second = start_obs(keep_home=first.home)
    wait_for(lambda: second.script_log_lines("talker loaded with thunder"), 5, "the script in its second life")


def test_after_a_kill_the_same_home_starts_again(start_obs: StartObs, talker: Path) -> None:
    first = start_obs(scripts=[talker])
    assert first.kill() == -9
    assert start_obs(keep_home=first.home).script_log_lines("talker loaded")


def test_the_scripts_window(start_obs: StartObs, talker: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(TALKER.replace("talker", "other"), "utf-8")
    obs = start_obs(scripts=[talker])
    scripts = obs.open_scripts()
    scripts.place()
    before = scripts.screenshot(tmp_path / "scripts.png")
    assert len(set(map(tuple, before[::7, ::7].reshape(-1, 3)))) > 3, "the window is blank"

    scripts.add(other)
    wait_for(lambda: obs.script_log_lines("other loaded"), 5, "the added script")
    wait_for(lambda: (scripts.screenshot() != before).any(), 5, "the list to show it")
    scripts.select(1)
    edge = scripts.list_edge()
    panel = scripts.screenshot()[:, edge:]
    scripts.scroll(10)
    scrolled = scripts.screenshot(tmp_path / "scrolled.png")[:, edge:]
    assert (panel != scrolled).any(), "the panel did not scroll"

    scripts.reload()
    wait_for(lambda: len(obs.script_log_lines("talker loaded")) == 2, 5, "the reload")
    scripts.defaults()
    wait_for(lambda: len(obs.script_log_lines("talker loaded")) == 3, 5, "the defaults")
    log_window = scripts.show_log()
    obs.desktop.close_window(log_window)

    scripts.select(0)
    scripts.remove()
    wait_for(lambda: obs.script_log_lines("other unloaded"), 5, "the removal")
    scripts.close()
    assert obs.desktop.windows("^Scripts$") == []
    assert obs.close() == 0
    saved = read_collection(obs.process.home.collection_file)
    assert script_paths(saved) == [str(talker)]


def test_the_main_window_can_be_seen(start_obs: StartObs, tmp_path: Path) -> None:
    obs = start_obs(preview=True)
    window = obs.main_window

    def red_is_seen() -> bool:
        return bool((obs.desktop.screenshot(window, tmp_path / "main.png") == (255, 0, 0)).all(axis=2).mean() > 0.1)

    wait_for(red_is_seen, 10, "the red source in the preview")


@pytest.mark.parametrize("turn", range(5))
def test_an_orderly_end(start_obs: StartObs, turn: int) -> None:
    obs = start_obs()
    assert is_obs_running()
    assert obs.close() == 0
    assert obs.close() == 0
    assert not psutil.pid_exists(obs.pid)


def test_an_orderly_end_while_recording_is_quick(start_obs: StartObs) -> None:
    obs = start_obs()
    obs.request("StartRecord")
    wait_for(lambda: obs.request("GetRecordStatus")["outputDuration"] > 300, 10, "a third of a second of video")
    began = time.monotonic()
    assert obs.close() == 0
    assert time.monotonic() - began < 5
    assert list(obs.home.glob("*.mkv"))


def start_parent(start_obs: StartObs, tmp_path: Path, text: str) -> tuple[RunningObs, psutil.Process]:
    script = tmp_path / "parent.py"
    script.write_text(text, "utf-8")
    obs = start_obs(scripts=[script])
    (child,) = wait_for(obs.children, 5, "the script's child process")
    return obs, child


def test_a_child_ends_with_its_script(start_obs: StartObs, tmp_path: Path) -> None:
    obs, child = start_parent(start_obs, tmp_path, PARENT)
    assert child.name() == "sleep"
    assert obs.close() == 0
    assert obs.left_behind == []
    assert not child.is_running()


def test_a_kill_leaves_nothing_and_tells_what_it_had_to_end(start_obs: StartObs, tmp_path: Path) -> None:
    obs, child = start_parent(start_obs, tmp_path, PARENT)
    assert obs.kill() == -9
    assert obs.left_behind == ["sleep 600"]
    assert not child.is_running()
    assert not psutil.pid_exists(obs.pid)
    obs.left_behind.clear()


def test_waiting_says_what_for() -> None:
    with pytest.raises(NotInTime, match="waited 0 s for the impossible; last seen: 0"):
        wait_for(lambda: 0, 0, "the impossible")
