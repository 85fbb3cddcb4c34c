"""OBS's Python path on Windows: looked at before it is touched, set with consent, put back by uninstalling."""

from __future__ import annotations

import codecs
import shutil
import sys
from pathlib import Path

import pytest

from core.install import pythons
from core.install.obs import closed as obs_closed
from core.install.obs import python as obs_python
from core.install.obs.files import ini_value, without_ini_value
from core.install.obs.places import ObsPlace
from core.install.problem import InstallProblem
from core.install.pythons import Python

from .install_stand_ins import FakeConsole, obs_program, python_folder, windows_library


@pytest.mark.parametrize(
    ("version", "newest"),
    [((28, 0, 0), 10), ((29, 0, 2), 10), ((29, 1, 0), 11), ((30, 0, 2), 11), ((30, 1, 0), 12), ((32, 2, 2), 12)],
)
def test_each_obs_loads_up_to_its_newest(version: tuple[int, int, int], newest: int) -> None:
    assert obs_python.newest_minor(version) == newest
    assert obs_python.newest_minor(None) == 12


def test_a_whole_python_is_right_and_every_lack_is_named(tmp_path: Path) -> None:
    whole = python_folder(tmp_path / "whole")
    assert obs_python.why_obs_cannot(whole, 12) is None
    assert "holds Python 3.12, and this OBS loads 3.8 to 3.11" in str(obs_python.why_obs_cannot(whole, 11))
    assert "does not exist" in str(obs_python.why_obs_cannot(tmp_path / "gone", 12))
    (tmp_path / "empty").mkdir()
    assert "no Python in it" in str(obs_python.why_obs_cannot(tmp_path / "empty", 12))
    assert "3.13" in str(obs_python.why_obs_cannot(python_folder(tmp_path / "new", 13), 12))
    assert "needs 3.8" in str(obs_python.why_obs_cannot(python_folder(tmp_path / "old", 6), 12))
    assert "64-bit" in str(obs_python.why_obs_cannot(python_folder(tmp_path / "narrow", 12, 0x14C), 12))
    (python_folder(tmp_path / "half") / "python3.dll").unlink()
    assert "python3.dll" in str(obs_python.why_obs_cannot(tmp_path / "half", 12))
    store = python_folder(tmp_path / "WindowsApps" / "Python")
    assert "Store" in str(obs_python.why_obs_cannot(store, 12))


def test_a_python_without_its_library_would_end_obs_so_it_is_refused(tmp_path: Path) -> None:
    windows_library(tmp_path / "python312.dll")
    windows_library(tmp_path / "python3.dll")
    assert "OBS would close" in str(obs_python.why_obs_cannot(tmp_path, 12))
    (tmp_path / "python312._pth").touch()
    (tmp_path / "python312.zip").touch()
    assert obs_python.why_obs_cannot(tmp_path, 12) is None, "the embeddable package works in OBS, for who has set it"


def test_obs_takes_the_newest_library_it_knows(tmp_path: Path) -> None:
    python_folder(tmp_path, 12)
    windows_library(tmp_path / "python313.dll")
    assert obs_python.why_obs_cannot(tmp_path, 12) is None
    windows_library(tmp_path / "python312.dll", 0xAA64)
    assert obs_python.why_obs_cannot(tmp_path, 12) is not None


@pytest.fixture
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObsPlace:
    """OBS 32 on Windows with settings, and one Python 3.12 that it could load."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(obs_closed, "is_obs_running", lambda config: False)
    config = tmp_path / "用户 Roaming/obs-studio"
    config.mkdir(parents=True)
    (config / "user.ini").write_bytes(codecs.BOM_UTF8 + "[General]\nName=Jörg\n\n[Basic]\nProfile=Untitled\n".encode())
    (config / "global.ini").write_bytes(codecs.BOM_UTF8 + b"[General]\nPre31Migrated=true\n")
    folder = python_folder(tmp_path / "Python312")
    good = Python(folder / "python.exe", (3, 12), 64, folder, "cpython", "win-amd64")
    others = [
        good._replace(version=(3, 13), home=python_folder(tmp_path / "Python313", 13)),
        good._replace(version=(3, 11), home=python_folder(tmp_path / "Python311", 11)),
        good._replace(version=(3, 12), bits=32),
    ]
    monkeypatch.setattr(pythons, "pythons_here", lambda: ([*others, good], {}))
    return ObsPlace(obs_program(tmp_path / "OBS"), config)


def written(place: ObsPlace, name: str = "user.ini") -> str | None:
    return ini_value((place.config / name).read_text("utf-8-sig"), "Python", "Path64bit")


def test_the_path_is_set_with_consent_and_taken_back(place: ObsPlace, tmp_path: Path) -> None:
    before = (place.config / "user.ini").read_bytes()
    console = FakeConsole()
    obs_python.prepare_obs_python(console, place)
    assert written(place) == (tmp_path / "Python312").as_posix()
    data = (place.config / "user.ini").read_bytes()
    assert data.startswith(codecs.BOM_UTF8 + "[General]\nName=Jörg\n".encode())
    assert b"\\" not in data
    backups = list(place.config.glob("user.ini.before-*"))
    assert [backup.read_bytes() for backup in backups] == [before]
    assert str(backups[0]) in console.text
    assert len(console.asked) == 1
    assert (place.config / "global.ini").read_bytes() == codecs.BOM_UTF8 + b"[General]\nPre31Migrated=true\n"
    assert obs_python.describe_obs_python(place)[0]

    again = FakeConsole()
    obs_python.prepare_obs_python(again, place)
    assert again.asked == [], "a path that works is left alone"

    obs_python.restore_obs_python(FakeConsole())
    assert (place.config / "user.ini").read_bytes() == before


def test_an_older_obs_has_it_in_global_ini(place: ObsPlace) -> None:
    (place.config / "user.ini").unlink()
    obs_python.prepare_obs_python(FakeConsole(), place)
    assert not (place.config / "user.ini").exists()
    assert written(place, "global.ini")


def test_a_path_taken_over_to_user_ini_by_a_newer_obs_is_found_again(place: ObsPlace) -> None:
    user = (place.config / "user.ini").read_bytes()
    (place.config / "user.ini").unlink()
    obs_python.prepare_obs_python(FakeConsole(), place)
    (place.config / "user.ini").write_bytes(user + f"\n[Python]\nPath64bit={written(place, 'global.ini')}\n".encode())
    obs_python.restore_obs_python(FakeConsole())
    assert written(place) is None
    assert written(place, "global.ini") is None


def test_a_path_that_does_not_work_is_explained_and_comes_back_at_the_end(place: ObsPlace, tmp_path: Path) -> None:
    file = place.config / "user.ini"
    file.write_bytes(codecs.BOM_UTF8 + b"[Python]\nPath64bit=C:/Gone\n")
    console = FakeConsole()
    obs_python.prepare_obs_python(console, place)
    assert "C:/Gone, but cannot load it: that folder does not exist" in console.text
    assert written(place) == (tmp_path / "Python312").as_posix()
    obs_python.restore_obs_python(FakeConsole())
    assert written(place) == "C:/Gone"


def test_setting_it_twice_still_comes_back_to_the_users_own(place: ObsPlace, tmp_path: Path) -> None:
    (place.config / "user.ini").write_bytes(b"[Python]\nPath64bit=C:/Gone\n")
    obs_python.prepare_obs_python(FakeConsole(), place)
    shutil.rmtree(tmp_path / "Python312")
    obs_python.prepare_obs_python(FakeConsole(), place)
    assert written(place) == (tmp_path / "Python311").as_posix()
    obs_python.restore_obs_python(FakeConsole())
    assert written(place) == "C:/Gone"


def test_what_the_user_chose_meanwhile_stays(place: ObsPlace) -> None:
    obs_python.prepare_obs_python(FakeConsole(), place)
    (place.config / "user.ini").write_bytes(b"[Python]\nPath64bit=C:/Mine\n")
    obs_python.restore_obs_python(FakeConsole())
    assert written(place) == "C:/Mine"


def test_who_says_no_keeps_his_settings_and_hears_the_menu_step(place: ObsPlace) -> None:
    before = (place.config / "user.ini").read_bytes()
    with pytest.raises(InstallProblem, match="Tools, Scripts, Python Settings"):
        obs_python.prepare_obs_python(FakeConsole([False]), place)
    assert (place.config / "user.ini").read_bytes() == before
    assert not obs_python.describe_obs_python(place)[0]


def test_nothing_is_written_while_obs_runs(place: ObsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (place.config / "user.ini").read_bytes()
    monkeypatch.setattr(obs_closed, "is_obs_running", lambda config: True)
    with pytest.raises(InstallProblem, match="OBS is running"):
        obs_python.prepare_obs_python(FakeConsole(attended=False), place)
    with pytest.raises(InstallProblem, match="OBS is running"):
        obs_python.prepare_obs_python(FakeConsole([True, False]), place)
    assert (place.config / "user.ini").read_bytes() == before


def test_who_closes_obs_when_asked_can_go_on(place: ObsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    states = [True, True, False]
    monkeypatch.setattr(obs_closed, "is_obs_running", lambda config: states.pop(0))
    obs_python.prepare_obs_python(FakeConsole(), place)
    assert states == []
    assert written(place)


def test_with_313_alone_obs_needs_one_more(place: ObsPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    everything, _ = pythons.pythons_here()
    only_new = [python for python in everything if python.version == (3, 13)]
    monkeypatch.setattr(pythons, "pythons_here", lambda: (only_new, {}))
    monkeypatch.setattr(pythons, "package_manager", lambda: "")
    with pytest.raises(InstallProblem, match=r"OBS itself needs .*3\.8 to 3\.12.*python\.org"):
        obs_python.prepare_obs_python(FakeConsole(), place)
    installed: list[str] = []

    def install(console: object, why: str) -> None:
        installed.append(why)
        only_new.append(everything[-1])

    monkeypatch.setattr(pythons, "install_python", install)
    obs_python.prepare_obs_python(FakeConsole(), place)
    assert len(installed) == 1
    assert written(place) == (tmp_path / "Python312").as_posix()


def test_an_old_obs_gets_an_older_python_or_is_told(place: ObsPlace, tmp_path: Path) -> None:
    obs_program(place.root, (30, 0, 2))
    obs_python.prepare_obs_python(FakeConsole(), place)
    assert written(place) == (tmp_path / "Python311").as_posix()
    obs_program(place.root, (29, 0, 2))
    with pytest.raises(InstallProblem, match="Bring OBS up to date"):
        obs_python.prepare_obs_python(FakeConsole(), place)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[A]\na=1\n\n[Python]\nPath64bit=x\n", "[A]\na=1\n"),
        ("[Python]\r\nPath64bit=x\r\n\r\n[A]\r\na=1\r\n", "\r\n[A]\r\na=1\r\n"),
        ("[Python]\nOther=1\nPath64bit=x\n", "[Python]\nOther=1\n"),
        ("[Python]\nPath64bit=x\nOther=1\n", "[Python]\nOther=1\n"),
        ("[A]\na=1\n", "[A]\na=1\n"),
    ],
)
def test_a_setting_is_taken_out_with_its_empty_section(text: str, expected: str) -> None:
    assert without_ini_value(text, "Python", "Path64bit") == expected
