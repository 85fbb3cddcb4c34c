"""The installer on Windows itself: the real registry, real mutexes and processes, the real launcher and batch files."""

from __future__ import annotations

import codecs
import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.install import doctor, environment, main, pythons, registration, running
from core.install.graphics_card import graphics_cards
from core.install.obs import places as obs_places
from core.install.obs import python as obs_python
from core.install.obs.files import ini_value
from core.install.obs.folders import is_obs_running, obs_config_folder, portable_mutexes
from core.install.pythons import examine, pythons_here
from core.install.registration import Choice
from core.install.windows.processes import mutex_exists, running_programs
from core.install.windows.pythons import registered_pythons
from core.install.windows.registry import MACHINE, USER, open_registry
from core.wire import instance
from core.wire.folders import PROJECT
from tests.unit.install_stand_ins import FakeConsole, obs_program

if sys.platform != "win32":
    pytest.skip("Windows only", allow_module_level=True)

import winreg

PYTHONS = r"Software\Python\EasyVtuberTest"
OBS = r"SOFTWARE\OBS Studio"
HOME = Path(sys.base_prefix)
NAMES = ["plain", "My Tools & 用户! (1)"]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of his own, with a name beyond the code page."""
    folder = tmp_path / "用户 Jörg"
    for variable, inside in (("APPDATA", "Roaming"), ("LOCALAPPDATA", "Local"), ("EASYVTUBER_HOME", "data")):
        (folder / inside).mkdir(parents=True)
        monkeypatch.setenv(variable, str(folder / inside))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.fixture
def registered_python() -> Iterator[None]:
    """This Python's installation, registered for this user by a company that nobody else is."""
    place = rf"{PYTHONS}\3.12\InstallPath"
    with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, place, 0, winreg.KEY_WRITE | winreg.KEY_WOW64_64KEY) as key:
        winreg.SetValueEx(key, "", 0, winreg.REG_SZ, str(HOME))
        winreg.SetValueEx(key, "ExecutablePath", 0, winreg.REG_EXPAND_SZ, str(HOME / "python.exe"))
    yield
    for name in (place, rf"{PYTHONS}\3.12", PYTHONS):
        winreg.DeleteKeyEx(winreg.HKEY_CURRENT_USER, name, winreg.KEY_WOW64_64KEY, 0)


@pytest.fixture
def mutex() -> Iterator[list[str]]:
    """Mutexes of these names are held until the end of the test."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateMutexW.restype = ctypes.c_void_p
    kernel.CreateMutexW.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_wchar_p)
    kernel.CloseHandle.argtypes = (ctypes.c_void_p,)
    handles = []

    class Names(list[str]):
        def append(self, name: str) -> None:
            super().append(name)
            handles.append(kernel.CreateMutexW(None, 0, name))

    yield Names()
    for handle in handles:
        kernel.CloseHandle(handle)


@pytest.mark.usefixtures("registered_python")
def test_a_python_is_found_by_what_is_registered() -> None:
    registry = open_registry()
    assert HOME / "python.exe" in registered_pythons(registry)
    assert registry.value(USER, rf"{PYTHONS}\3.12\InstallPath") == str(HOME)
    assert registry.value(USER, PYTHONS, "nothing") is None
    assert registry.keys(MACHINE, r"Software\No such key") == []


@pytest.mark.usefixtures("registered_python")
def test_the_python_found_is_whole_and_fits_obs_too() -> None:
    found, _ = pythons_here()
    python = pythons.find_python()
    assert python in found
    assert python.platform == "win-amd64"
    assert obs_python.why_obs_cannot(HOME, 12) is None
    answer = examine((str(HOME / "python.exe"),))
    assert answer is not None
    assert answer.home == HOME


def test_an_installed_obs_is_found_by_the_registry(tmp_path: Path) -> None:
    root = tmp_path / "OBS 用户"
    obs_program(root, (32, 1, 0))
    access = winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_64KEY
    try:
        key = winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, OBS, 0, access)
    except PermissionError:
        pytest.skip("needs an administrator: writes to the machine's registry")
    with key:
        winreg.SetValueEx(key, "", 0, winreg.REG_SZ, str(root))
    try:
        found = obs_places.all_obs()
        assert [(place.root, place.version()) for place in found if place.root == root] == [(root, (32, 1, 0))]
    finally:
        winreg.DeleteKeyEx(winreg.HKEY_LOCAL_MACHINE, OBS, winreg.KEY_WOW64_64KEY, 0)


def test_a_running_obs_is_seen_by_its_mutex(user: Path, tmp_path: Path, mutex: list[str]) -> None:
    assert not mutex_exists("EasyVtuber test: nobody holds this")
    portable = tmp_path / "stick 用户/config/obs-studio"
    obs_program(tmp_path / "stick 用户")
    assert not is_obs_running(portable)
    mutex.append(portable_mutexes(tmp_path / "stick 用户")[0])
    assert is_obs_running(portable)
    assert not is_obs_running(obs_config_folder())
    mutex.append("OBSStudioCore")
    assert is_obs_running(obs_config_folder())


def test_a_portable_obs_is_seen_by_its_process(tmp_path: Path) -> None:
    root = tmp_path / "stick"
    program = root / "bin/64bit/obs64.exe"
    program.parent.mkdir(parents=True)
    system = Path(os.environ["SYSTEMROOT"]) / "System32"
    shutil.copy(system / "cmd.exe", program)
    assert not is_obs_running(root / "config/obs-studio")
    with subprocess.Popen([str(program), "/k"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while not is_obs_running(root / "config/obs-studio") and time.monotonic() < deadline:
            time.sleep(0.05)
        try:
            assert is_obs_running(root / "config/obs-studio")
            assert any(path.parents[2].name == "stick" for path in running_programs("OBS64.EXE"))
            assert not is_obs_running(tmp_path / "another/config/obs-studio")
        finally:
            process.kill()


def test_cards_are_read_without_a_question_to_anybody() -> None:
    assert all(card.name and card.maker for card in graphics_cards())


@pytest.fixture
def obs_of_user(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """OBS 32 in a folder of its own with the settings of this user; it is not started and nothing is fetched."""
    scenes = user / "Roaming/obs-studio/basic/scenes"
    scenes.mkdir(parents=True)
    (scenes / "Main.json").write_text('{"name": "Main", "sources": []}', "utf-8")
    settings = "[Basic]\nSceneCollection=Main\nSceneCollectionFile=Main\n"
    (scenes.parents[1] / "user.ini").write_bytes(codecs.BOM_UTF8 + settings.encode())
    obs_program(tmp_path / "OBS & more")
    monkeypatch.setattr(environment, "prepare", lambda folder, console: Path(sys.executable))
    monkeypatch.setattr(environment, "broken_imports", lambda python: "")
    monkeypatch.setattr(running, "_start_detached", lambda place, collection: None)
    monkeypatch.setattr(instance, "living", lambda: [{"phase": "running"}])
    monkeypatch.setattr(pythons, "pythons_here", lambda: ([_this_python()], {}))
    return tmp_path / "OBS & more"


def _this_python() -> pythons.Python:
    python = examine((str(HOME / "python.exe"),))
    assert python is not None
    return python


def test_run_and_uninstall_end_where_they_began(obs_of_user: Path, user: Path, tmp_path: Path) -> None:
    config = user / "Roaming/obs-studio"
    before = {path: path.read_bytes() for path in config.rglob("*.*") if path.is_file()}
    console = FakeConsole(attended=False)
    running.run(console, tmp_path / "venv", running.Wishes(obs=str(obs_of_user)))
    text = (config / "user.ini").read_bytes().decode("utf-8-sig")
    assert ini_value(text, "Python", "Path64bit") == HOME.as_posix()
    assert (config / "user.ini").read_bytes().startswith(codecs.BOM_UTF8)
    assert registration.collections_with_script(config) == ["Main"]
    findings = list(doctor._obs(""))
    assert [finding.good for finding in findings] == [True, True, True], findings
    assert main.main(["--yes", "--environment", str(tmp_path / "venv"), "uninstall"]) == 0
    assert registration.collections_with_script(config) == []
    assert (config / "user.ini").read_bytes() == before[config / "user.ini"]


def test_a_portable_obs_keeps_it_all_in_its_own_folder(obs_of_user: Path, user: Path, tmp_path: Path) -> None:
    (obs_of_user / "portable_mode.txt").touch()
    before = (user / "Roaming/obs-studio/user.ini").read_bytes()
    wishes = running.Wishes(obs=str(obs_of_user), choice=Choice("EasyVtuber"))
    running.run(FakeConsole(attended=False), tmp_path / "venv", wishes)
    inside = obs_of_user / "config/obs-studio"
    assert registration.collections_with_script(inside) == ["EasyVtuber"]
    assert ini_value((inside / "global.ini").read_text("utf-8-sig"), "Python", "Path64bit") == HOME.as_posix()
    assert (user / "Roaming/obs-studio/user.ini").read_bytes() == before


@pytest.fixture(params=NAMES)
def unpacked(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The project's own files in a folder with a difficult name."""
    folder = tmp_path / str(request.param)
    folder.mkdir()
    for name in ("install.bat", "uninstall.bat", "install_plugin.py", "requirements.txt", "obs_easyvtuber.py"):
        shutil.copy(PROJECT / name, folder / name)
    for name in ("core/wire", "core/install", "core/obs"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "core/__init__.py", folder / "core/__init__.py")
    return folder


def double_click(file: Path, *arguments: str, path: str) -> subprocess.CompletedProcess[bytes]:
    """Run a batch file as the Explorer does, but with nobody at the keyboard and only ``path`` to find programs in."""
    system = Path(os.environ["SYSTEMROOT"]) / "System32"
    variables = {**os.environ, "PATH": f"{path};{system}", "EASYVTUBER_NO_PAUSE": "1", "LOCALAPPDATA": "C:\\nowhere"}
    variables["PROGRAMFILES"] = "C:\\nowhere"
    line = f'cmd /s /c ""{file}" {subprocess.list2cmdline(arguments)}"'
    return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, env=variables, timeout=120, check=False)


def test_a_double_click_hands_over_to_the_program(unpacked: Path) -> None:
    done = double_click(unpacked / "install.bat", "--help", path=str(HOME))
    assert done.returncode == 0, done
    assert b"--keep-scenes" in done.stdout
    assert b"All done" in done.stdout
    wrong = double_click(unpacked / "install.bat", "--obs", "C:\\a b & c", "--nonsense", path=str(HOME))
    assert wrong.returncode == 2
    assert b"unknown: --nonsense" in wrong.stderr
    assert b"That did not work" in wrong.stdout
    undone = double_click(unpacked / "uninstall.bat", "--help", path=str(HOME))
    assert b"usage: install_plugin.py uninstall" in undone.stdout


def test_without_a_python_it_says_what_the_program_says(unpacked: Path) -> None:
    done = double_click(unpacked / "install.bat", path="C:\\nowhere")
    assert done.returncode == 1
    assert pythons.BY_HAND.encode() in done.stdout


def test_inside_an_unopened_zip_it_says_to_unpack_first(unpacked: Path) -> None:
    (unpacked / "install_plugin.py").unlink()
    done = double_click(unpacked / "install.bat", path=str(HOME))
    assert done.returncode == 1
    assert b"Unpack the whole zip" in done.stdout
