"""Finding OBS on Windows, installed by whatever means or portable, its version, and whether it is running."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.install.obs import folders as obs_folders
from core.install.obs import places as obs_places
from core.install.problem import InstallProblem

from .install_stand_ins import FakeRegistry, obs_program


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Windows without any OBS, and no settings of one."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(obs_places, "running_programs", lambda name: [])
    monkeypatch.setattr(obs_places, "PROJECT", tmp_path / "somewhere" / "EasyVtuber")
    monkeypatch.setattr(obs_places, "obs_config_folder", lambda: tmp_path / "Roaming/obs-studio")
    return tmp_path


def found(registry: dict[str, dict[str, str]], environment: dict[str, str] | None = None) -> list[Path]:
    return [place.root for place in obs_places.all_obs(FakeRegistry(registry), environment or {})]


def test_where_the_installer_put_it(windows: Path) -> None:
    new, old = windows / "D drive/OBS", windows / "old OBS"
    obs_program(new)
    obs_program(old)
    registry = {
        r"HKLM\SOFTWARE\OBS Studio": {"": str(new)},
        r"HKLM\SOFTWARE\WOW6432Node\OBS Studio": {"": str(old)},
    }
    assert found(registry) == [new, old]
    assert found({r"HKLM\SOFTWARE\OBS Studio": {"": str(windows / "gone")}}) == []


def test_the_usual_folder_steam_and_scoop(windows: Path) -> None:
    usual, steam, scoop = windows / "PF", windows / "Games/steam", windows / "home/scoop"
    for root in (usual / "obs-studio", steam / "steamapps/common/OBS Studio", scoop / "apps/obs-studio/current"):
        obs_program(root)
    (windows / "Steam/steamapps").mkdir(parents=True)
    listed = f'"libraryfolders" {{ "0" {{ "path" "{windows}/other" }} "1" {{ "path"\t\t"{steam}" "label" "" }} }}'
    (windows / "Steam/steamapps/libraryfolders.vdf").write_text(listed, "utf-8")
    registry = {r"HKCU\Software\Valve\Steam": {"SteamPath": str(windows / "Steam")}}
    environment = {"ProgramFiles": str(usual), "ProgramW6432": str(usual), "USERPROFILE": str(windows / "home")}
    assert found(registry, environment) == [
        usual / "obs-studio",
        steam / "steamapps/common/OBS Studio",
        scoop / "apps/obs-studio/current",
    ]


def test_steams_paths_are_unescaped() -> None:
    assert obs_places.steam_libraries('"path"\t\t"D:\\\\Steam Games"') == [Path("D:\\Steam Games")]


def test_the_one_that_runs_comes_first_and_the_one_we_were_put_into(
    windows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, around, usual = windows / "running", windows / "around", windows / "PF/obs-studio"
    for root in (running, around, usual):
        obs_program(root)
    monkeypatch.setattr(obs_places, "running_programs", lambda name: [running / "bin/64bit/obs64.exe"])
    monkeypatch.setattr(obs_places, "PROJECT", around / "data/obs-plugins/frontend-tools/scripts/EasyVtuber")
    assert found({}, {"ProgramFiles": str(windows / "PF")}) == [running, around, usual]


def test_a_portable_one_keeps_its_settings_itself(windows: Path) -> None:
    program = obs_program(windows / "portable")
    installed = obs_places.obs_in_folder(windows / "portable")
    assert (installed.is_portable, installed.config) == (False, windows / "Roaming/obs-studio")
    (windows / "portable/portable_mode.txt").touch()
    for named in (windows / "portable", program, program.parent):
        place = obs_places.obs_in_folder(named)
        assert (place.is_portable, place.config) == (True, windows / "portable/config/obs-studio")
        assert place.arguments == []


def test_one_that_is_portable_by_its_shortcut_alone_is_started_so(windows: Path) -> None:
    obs_program(windows / "stick")
    (windows / "stick/config/obs-studio").mkdir(parents=True)
    (windows / "stick/config/obs-studio/global.ini").touch()
    place = obs_places.obs_in_folder(windows / "stick")
    assert (place.is_portable, place.arguments) == (True, ["--portable"])
    registry = {r"HKLM\SOFTWARE\OBS Studio": {"": str(windows / "stick")}}
    found_by_itself = obs_places.all_obs(FakeRegistry(registry), {})[0]
    assert not found_by_itself.is_portable, "an old folder in an installed OBS means nothing until the user names it"


def test_a_folder_without_obs_is_told(windows: Path) -> None:
    with pytest.raises(InstallProblem, match=r"no OBS Studio in .*Name the folder"):
        obs_places.find_obs(str(windows))


def test_the_version_is_in_the_programs_resources(tmp_path: Path) -> None:
    assert obs_places.file_version(obs_program(tmp_path, (31, 0, 4))) == (31, 0, 4)
    (tmp_path / "short.exe").write_bytes(b"MZ" + bytes(10) + b"\xbd\x04\xef\xfe\x00\x00\x01\x00")
    assert obs_places.file_version(tmp_path / "short.exe") is None
    assert obs_places.file_version(tmp_path / "missing.exe") is None


def test_the_folder_of_a_portable_obs_is_known_by_its_settings(tmp_path: Path) -> None:
    config = tmp_path / "config/obs-studio"
    assert obs_folders.portable_root(config) is None
    obs_program(tmp_path)
    assert obs_folders.portable_root(config) == tmp_path
    assert obs_folders.portable_root(tmp_path / "obs-studio") is None


def test_a_portable_obs_is_seen_by_either_spelling_of_its_mutex(tmp_path: Path) -> None:
    names = obs_folders.portable_mutexes(tmp_path / "Jörgs OBS 用户")
    assert all(name.startswith("OBSStudioPortable") and "/" not in name and " " not in name for name in names)
    assert names[0].endswith("_Jörgs_OBS_用户_config")
    assert names[1].endswith("_J_rgs_OBS____config")
    assert len(obs_folders.portable_mutexes(Path("/plain"))) == 1


def test_which_obs_is_running_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []
    programs: list[Path] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(obs_folders, "mutex_exists", lambda name: name in held)
    monkeypatch.setattr(obs_folders, "running_programs", lambda name: programs)
    installed, portable = tmp_path / "Roaming/obs-studio", tmp_path / "stick/config/obs-studio"
    program = obs_program(tmp_path / "stick")

    def running() -> tuple[bool, bool]:
        return obs_folders.is_obs_running(installed), obs_folders.is_obs_running(portable)

    assert running() == (False, False)
    held.append("OBSStudioCore")
    assert running() == (True, False)
    assert obs_folders.is_obs_running()
    held[:] = [obs_folders.portable_mutexes(tmp_path / "stick")[-1]]
    assert running() == (False, True)
    held.clear()
    programs.append(program)
    assert running() == (False, True)
    programs[:] = [tmp_path / "stick 2/bin/64bit/obs64.exe"]
    assert running() == (False, False)
