"""The script's life in OBS: start, restart, reload, removal, scene collections, neighbours, a clean end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .avatar import CHANGE_LIMIT_S, SCRIPT, SOURCE, Avatar, settings, write_script
from .desktop import wait_for
from .harness import Script, StartObs

pytestmark = pytest.mark.obs

THREADS = """
import threading
import obspython as obs

def pressed(down):
    if down:
        print("THREADS", sorted(thread.name for thread in threading.enumerate() if "easyvtuber" in thread.name))

def script_load(settings):
    obs.obs_hotkey_register_frontend("test.threads", "threads", pressed)
"""

NEIGHBOUR = """
import core
import obspython as obs

def script_load(settings):
    print("NEIGHBOUR", core.WHO)
"""


def _leaks(log: str) -> int:
    found = re.search(r"Number of memory leaks: (\d+)", log)
    assert found is not None
    return int(found.group(1))


def test_the_source_is_found_again_after_a_restart_and_not_made_twice(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    assert avatar.obs.close() == 0
    again = Avatar(start_obs(keep_home=avatar.obs.home))
    again.wait_until_up()
    assert again.items() == ["Red", SOURCE]
    assert again.moves()


def test_obs_ends_cleanly_and_nothing_leaks(start_obs: StartObs) -> None:
    plain = start_obs()
    plain.close()
    avatar = Avatar.start(start_obs)
    assert avatar.obs.close() == 0
    assert _leaks(avatar.obs.log) == _leaks(plain.log)
    assert "Traceback" not in avatar.obs.log
    assert not avatar.obs.left_behind


def test_added_reloaded_and_removed_by_hand(start_obs: StartObs, tmp_path: Path) -> None:
    watcher = write_script(tmp_path, "watch_threads.py", THREADS)
    obs = start_obs(scripts=[watcher])
    avatar = Avatar(obs)
    scripts = obs.open_scripts()
    scripts.place()
    scripts.add(_with_this_python(tmp_path))
    wait_for(lambda: SOURCE in avatar.items(), 30.0, "the avatar in the scene")
    avatar.wait_until_up()
    first = avatar.worker().pid
    scripts.select(0)
    scripts.reload()
    wait_for(lambda: avatar.has_worker() and avatar.worker().pid != first, 30.0, "a fresh worker after the reload")
    avatar.wait_until_up()
    obs.request("TriggerHotkeyByName", {"hotkeyName": "test.threads"})
    wait_for(lambda: obs.script_log_lines("THREADS"), CHANGE_LIMIT_S, "the list of threads")
    assert obs.script_log_lines("THREADS")[-1].count("easyvtuber-engine") == 1
    scripts.select(0)
    scripts.remove()
    wait_for(lambda: not avatar.has_worker(), CHANGE_LIMIT_S, "the worker's end")
    obs.request("TriggerHotkeyByName", {"hotkeyName": "test.threads"})
    wait_for(lambda: len(obs.script_log_lines("THREADS")) == 2, CHANGE_LIMIT_S, "the list of threads")
    assert obs.script_log_lines("THREADS")[-1] == "THREADS []"
    assert SOURCE in avatar.items(), "the source is the user's and stays"


def _with_this_python(folder: Path) -> Path:
    """Our script as a user adds it, except that this Python is the worker's."""
    import sys

    return write_script(
        folder,
        "added/obs_easyvtuber.py",
        f"""
import importlib.util
import obspython as obs
spec = importlib.util.spec_from_file_location("the_real_script", {str(SCRIPT)!r})
real = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real)
for name in dir(real):
    if name.startswith("script_"):
        globals()[name] = getattr(real, name)

def script_defaults(settings):
    real.script_defaults(settings)
    obs.obs_data_set_default_string(settings, "worker_python", {sys.executable!r})
    obs.obs_data_set_default_string(settings, "tracker", "debug")
""",
    )


def test_another_collection_ends_the_avatar_and_coming_back_revives_it(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    name = avatar.obs.request("GetSceneCollectionList")["currentSceneCollectionName"]
    avatar.obs.request("CreateSceneCollection", {"sceneCollectionName": "Elsewhere"}, limit_s=20)
    wait_for(lambda: not avatar.has_worker(), CHANGE_LIMIT_S, "the worker's end")
    avatar.obs.request("SetCurrentSceneCollection", {"sceneCollectionName": name}, limit_s=20)
    avatar.wait_until_up()
    assert avatar.items().count(SOURCE) == 1
    assert avatar.moves()


@pytest.mark.parametrize("name", ["aaa_neighbour.py", "zzz_neighbour.py"])
def test_another_scripts_core_package_and_ours_do_not_meet(start_obs: StartObs, tmp_path: Path, name: str) -> None:
    write_script(tmp_path, "neighbour/core/__init__.py", "WHO = 'somebody else'\n")
    neighbour = write_script(tmp_path, f"neighbour/{name}", NEIGHBOUR)
    ours = (SCRIPT, settings())
    scripts: list[Script] = [neighbour, ours]
    avatar = Avatar(start_obs(scripts=scripts if name < "b" else scripts[::-1]))
    avatar.wait_until_up()
    assert avatar.obs.script_log_lines("NEIGHBOUR") == ["NEIGHBOUR somebody else"]
    assert avatar.moves()


def test_settings_from_another_version_are_read_as_far_as_they_make_sense(start_obs: StartObs) -> None:
    odd = {
        "preset": "gigantic",
        "smoothing": 100000,
        "from_the_future": {"a": 1},
        "scene_rules": "{broken",
        "mirror": 1,
    }
    avatar = Avatar.start(start_obs, odd)
    avatar.wait_for_state("preset", "high")
    assert avatar.moves()


def test_without_our_own_source_type_a_media_source_shows_the_avatar(start_obs: StartObs, tmp_path: Path) -> None:
    refuser = write_script(
        tmp_path,
        "aaa_refuses.py",
        """
import ctypes
real = ctypes.CDLL
class Refusing:
    def __init__(self, name):
        self.__dict__["library"] = real(name)
    def __getattr__(self, name):
        return (lambda *a: None) if name == "obs_register_source_s" else getattr(self.library, name)
ctypes.CDLL = Refusing
""",
    )
    avatar = Avatar(start_obs(scripts=[refuser, (SCRIPT, settings())]))
    avatar.wait_until_up()
    inputs = {entry["inputName"]: entry["inputKind"] for entry in avatar.obs.request("GetInputList")["inputs"]}
    assert inputs[SOURCE] == "ffmpeg_source"
    assert avatar.moves()
