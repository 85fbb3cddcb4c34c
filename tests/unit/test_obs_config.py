"""What a private OBS is told, what a user's scene collection keeps, and where the user's OBS is looked for."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from core.install import virtual_screen
from core.install.obs import folders as obs_folders
from core.install.obs.config import (
    NAME,
    Collection,
    CollectionUnusual,
    Version,
    add_script,
    colour_source,
    private_files,
    remove_script,
    scene_collection,
    scene_item,
    script_paths,
)
from core.install.obs.files import ini_value
from core.install.obs.folders import FLATPAK, NATIVE
from core.install.obs.process import (
    ObsMissing,
    PrivateHome,
    obs_arguments,
    obs_version,
    parse_version,
    private_environment,
)

WINDOWS_PATH = "C:\\Users\\Jörg\\EasyVtuber\\obs_easyvtuber.py"
POSIX_PATH = "/home/you/EasyVtuber/obs_easyvtuber.py"


def usual_collection() -> Collection:
    """A collection with things in it that nobody here has heard of."""
    return {
        "name": "Mein Stream ✨",
        "sources": [{"id": "future_source", "volume": 0.10000000149011612, "flags": 2**53 + 1}],
        "modules": {
            "scripts-tool": [{"path": "/other.lua", "settings": {"hot": True}, "future": [1]}],
            "output-timer": {"streamTimerHours": 1},
        },
        "resolution": {"x": 1920, "y": 1080},
        "version": 2,
    }


def test_a_colour_is_kept_in_obs_order() -> None:
    source = colour_source("Blue", (1, 2, 255, 128), 30, 20)
    assert source["settings"] == {"color": 0x80FF0201, "width": 30, "height": 20}


def test_scenes_stand_in_order_and_items_are_numbered() -> None:
    item = scene_item("B", 5, 6, visible=False)
    collection = scene_collection({"First": ["A", item], "Second": []}, [colour_source("A", (0, 0, 0, 0), 1, 1)])
    assert collection["current_scene"] == collection["current_program_scene"] == "First"
    assert [entry["name"] for entry in collection["scene_order"]] == ["First", "Second"]
    assert [source["name"] for source in collection["sources"]] == ["A", "First", "Second"]
    items = collection["sources"][1]["settings"]["items"]
    assert [(entry["name"], entry["id"], entry["visible"]) for entry in items] == [("A", 1, True), ("B", 2, False)]
    assert items[1]["pos"] == {"x": 5.0, "y": 6.0}
    assert "id" not in item, "the caller's item must stay as it was"


@pytest.mark.parametrize("path", [WINDOWS_PATH, POSIX_PATH])
def test_adding_and_removing_a_script_touches_nothing_else(path: str) -> None:
    collection = usual_collection()
    assert add_script(collection, path, {"character": "lambda"})
    assert script_paths(collection) == ["/other.lua", path.replace("\\", "/")]
    changed = copy.deepcopy(collection)
    assert not add_script(collection, path, {"character": "another"})
    assert collection == changed, "what the user has set for the script must stay"
    assert remove_script(collection, path)
    assert collection == usual_collection()
    assert not remove_script(collection, path)
    assert collection == usual_collection()


def test_paths_are_compared_as_their_system_does() -> None:
    collection = usual_collection()
    add_script(collection, WINDOWS_PATH)
    assert not add_script(collection, WINDOWS_PATH.replace("\\", "/").upper())
    add_script(collection, POSIX_PATH)
    assert add_script(collection, POSIX_PATH.upper())
    assert add_script(collection, "/odd/back\\slash.py")
    assert script_paths(collection)[-1] == "/odd/back\\slash.py"


@pytest.mark.parametrize("without", [{}, {"modules": {}}, {"modules": {"scripts-tool": []}}])
def test_a_collection_without_scripts_gets_its_first(without: dict[str, Any]) -> None:
    collection = {"sources": [], **copy.deepcopy(without)}
    assert script_paths(collection) == []
    assert not remove_script(collection, POSIX_PATH)
    assert collection == {"sources": [], **without}
    assert add_script(collection, POSIX_PATH)
    assert collection["modules"]["scripts-tool"] == [{"path": POSIX_PATH, "settings": {}}]


@pytest.mark.parametrize(
    "modules", [None, [], 3, {"scripts-tool": {}}, {"scripts-tool": [3]}, {"scripts-tool": [{"path": 3}]}]
)
def test_an_unusual_collection_is_left_alone(modules: object) -> None:
    collection = {"modules": modules}
    before = copy.deepcopy(collection)
    for change in (add_script, remove_script):
        with pytest.raises(CollectionUnusual):
            change(collection, POSIX_PATH)
    assert collection == before


@pytest.mark.parametrize("version", [(28, 0, 0), (29, 0, 2), (30, 1, 2), (30, 2, 0), (31, 0, 0), (32, 2, 2)])
def test_each_obs_finds_its_settings_where_it_looks(version: Version) -> None:
    collection = scene_collection({"Scene": []})
    files = private_files(version, collection, 4460, "secret", (1280, 720), 30, preview=True, recordings="/tmp/out")
    user_settings = files["user.ini" if version >= (31, 0, 0) else "global.ini"]
    assert ("user.ini" in files) == (version >= (31, 0, 0))
    assert ini_value(user_settings, "General", "FirstRun") == "true"
    assert ini_value(user_settings, "Basic", "SceneCollectionFile") == NAME
    assert ini_value(user_settings, "BasicWindow", "PreviewEnabled") == "true"
    if version >= (30, 2, 0):
        websocket = json.loads(files["plugin_config/obs-websocket/config.json"])
        assert (websocket["server_port"], websocket["server_password"]) == (4460, "secret")
        assert websocket["auth_required"] is True
        assert websocket["server_enabled"] is True
    else:
        assert ini_value(files["global.ini"], "OBSWebSocket", "ServerPort") == "4460"
        assert ini_value(files["global.ini"], "OBSWebSocket", "ServerPassword") == "secret"
    if version >= (31, 0, 0):
        assert ini_value(files["global.ini"], "General", "Pre31Migrated") == "true"
        assert ini_value(files["global.ini"], "General", "LastVersion") is None
    profile = files[f"basic/profiles/{NAME}/basic.ini"]
    shown = [ini_value(profile, "Video", key) for key in ("BaseCX", "OutputCY", "FPSInt", "FPSType")]
    assert shown == ["1280", "720", "30", "1"]
    assert json.loads(files[f"basic/scenes/{NAME}.json"]) == collection


def test_a_home_written_for_each_version_gets_new_access(tmp_path: Path) -> None:
    for version in ((29, 0, 2), (32, 0, 0)):
        home = PrivateHome(tmp_path / str(version[0]), version)
        assert not home.is_written
        home.write(scene_collection({"Scene": []}))
        again = PrivateHome(home.path, version)
        assert again.is_written
        assert again.password != home.password
        (again.config / ".sentinel").mkdir()
        again.renew_access()
        assert not (again.config / ".sentinel").exists()
        texts = [file.read_text("utf-8") for file in again.config.rglob("*") if file.suffix in (".ini", ".json")]
        assert sum(again.password in text for text in texts) == 1
        assert not any(home.password in text for text in texts)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("OBS Studio - 29.0.2.1-1+b1 (linux)\n", (29, 0, 2)),
        ("OBS Studio - 32.2.2", (32, 2, 2)),
        ("OBS Studio - 31.1.0-rc1 (mac)", (31, 1, 0)),
        ("OBS Studio - v30.2", (30, 2, 0)),
    ],
)
def test_versions_are_understood(text: str, version: Version) -> None:
    assert parse_version(text) == version


def test_what_is_not_obs_is_told() -> None:
    with pytest.raises(ObsMissing, match="no OBS version"):
        parse_version("Open Build Service 2.10")
    with pytest.raises(ObsMissing, match="no-such-obs"):
        obs_version("no-such-obs")


@pytest.mark.parametrize(
    ("version", "expected"), [((29, 1, 3), False), ((30, 0, 0), True), ((31, 1, 2), True), ((32, 0, 0), False)]
)
def test_the_question_after_a_kill_is_off_where_that_can_be_said(version: Version, expected: bool) -> None:
    assert ("--disable-shutdown-check" in obs_arguments(version)) == expected
    assert "--multi" in obs_arguments(version)


def test_a_private_environment_inherits_nothing_that_matters(tmp_path: Path) -> None:
    base = {
        "PATH": "/bin",
        "PYTHONPATH": "/mine",
        "PYTHONUNBUFFERED": "1",
        "VIRTUAL_ENV": "/venv",
        "WAYLAND_DISPLAY": "wayland-0",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run",
        "XDG_CONFIG_HOME": "/home/you/.config",
        "QT_SCALE_FACTOR": "2",
        "DISPLAY": ":0",
        "HOME": "/home/you",
    }
    environment = private_environment(tmp_path, ":42", base)
    assert environment["PATH"] == "/bin"
    assert environment["DISPLAY"] == ":42"
    assert environment["HOME"] == str(tmp_path)
    assert environment["QT_QPA_PLATFORM"] == "xcb"
    assert not {"PYTHONPATH", "PYTHONUNBUFFERED", "VIRTUAL_ENV", "WAYLAND_DISPLAY"} & set(environment)
    assert not any("/home/you" in value for value in environment.values())


def test_the_folder_used_last_is_found(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    native, flatpak = tmp_path / ".config/obs-studio", tmp_path / obs_folders.FLATPAK_CONFIG / "obs-studio"
    assert obs_folders.obs_config_folders(environment, "linux") == []
    assert obs_folders.obs_config_folder(environment, "linux") == native
    flatpak.mkdir(parents=True)
    assert obs_folders.obs_config_folder(environment, "linux") == flatpak
    native.mkdir(parents=True)
    for folder, used in ((native, 2000), (flatpak, 1000)):
        (folder / "global.ini").touch()
        os.utime(folder / "global.ini", (used, used))
    found = obs_folders.obs_config_folders(environment, "linux")
    assert found == [(native, NATIVE), (flatpak, FLATPAK)]
    (flatpak / "user.ini").touch()
    assert obs_folders.obs_config_folder(environment, "linux") == flatpak


@pytest.mark.parametrize(
    ("system", "environment", "expected"),
    [
        ("linux", {"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/x/obs-studio"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Application Support/obs-studio"),
        ("win32", {"APPDATA": "/r", "HOME": "/h"}, "/r/obs-studio"),
    ],
)
def test_each_system_has_its_place(system: str, environment: dict[str, str], expected: str) -> None:
    assert obs_folders.obs_config_folder(environment, system) == Path(expected)


def test_moved_settings_and_portable_folders_are_found(tmp_path: Path) -> None:
    config, moved = tmp_path / "obs-studio", tmp_path / "moved"
    config.mkdir()
    assert obs_folders.settings_file(config) == config / "global.ini"
    assert obs_folders.scenes_folder(config) == config / "basic/scenes"
    (config / "user.ini").touch()
    assert obs_folders.settings_file(config) == config / "user.ini"
    place = moved.as_posix()
    (config / "global.ini").write_text(f"[Locations]\nConfiguration={place}\nSceneCollections={place}\n", "utf-8")
    assert obs_folders.scenes_folder(config) == config / "basic/scenes", "OBS ignores a place that does not exist"
    (moved / "obs-studio").mkdir(parents=True)
    (moved / "obs-studio/user.ini").touch()
    assert obs_folders.settings_file(config) == moved / "obs-studio/user.ini"
    assert obs_folders.scenes_folder(config) == moved / "obs-studio/basic/scenes"

    assert obs_folders.portable_config_folder(tmp_path) is None
    (tmp_path / "portable_mode.txt").touch()
    assert obs_folders.portable_config_folder(tmp_path) == tmp_path / "config/obs-studio"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks through /proc")
def test_a_process_named_obs_is_seen(tmp_path: Path) -> None:
    if sys.platform == "win32":
        return
    program = tmp_path / "obs"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"])
    try:
        folder = Path(f"/proc/{process.pid}")
        assert obs_folders._is_obs(folder)
        assert obs_folders.is_obs_running()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not obs_folders._is_obs(folder), "an ended process that nobody has waited for yet is not running"
    finally:
        process.kill()
        process.wait(5)
    assert not obs_folders._is_obs(folder)
    assert not obs_folders._is_obs(Path(f"/proc/{os.getpid()}"))


def test_a_screen_without_programs_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "Xvfb" else f"/bin/{name}")
    with pytest.raises(
        virtual_screen.ProgramsMissing, match=r"not installed: Xvfb \(apt-get install xvfb\)"
    ) as missing:
        virtual_screen.VirtualScreen()
    assert missing.value.programs == ["Xvfb"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="starts shell scripts")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo no luck; exit 3", "did not open a display.*no luck"),
        ("sleep 60", "did not get ready in time"),
    ],
)
def test_a_screen_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    for name in virtual_screen.SCREEN_PROGRAMS:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(virtual_screen.ScreenFailed, match=message):
        virtual_screen.VirtualScreen(limit_s=0.5)
    assert not list(tmp_path.glob("virtual-screen-*"))
