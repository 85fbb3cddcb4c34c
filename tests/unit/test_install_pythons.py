"""Finding a Python on Windows: every place it may be in, every kind that is of no use, and what the user is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.install import pythons
from core.install.problem import InstallProblem
from core.install.pythons import Python
from core.install.windows import pythons as windows_pythons

from .install_stand_ins import FakeConsole, FakeRegistry

GOOD = Python(Path("C:/Python312/python.exe"), (3, 12), 64, Path("C:/Python312"), "cpython", "win-amd64")


def test_registered_pythons_come_users_first_and_official_first() -> None:
    registry = FakeRegistry(
        {
            r"HKLM\Software\Python\PythonCore\3.11\InstallPath": {"": "C:\\Machine311"},
            r"HKCU\Software\Python\Astral\CPython3.12.9\InstallPath": {"ExecutablePath": "C:\\uv\\python.exe"},
            r"HKCU\Software\Python\PythonCore\3.9\InstallPath": {"": "C:\\User39"},
            r"HKCU\Software\Python\PythonCore\3.12\InstallPath": {"ExecutablePath": "C:\\User312\\python.exe"},
            r"HKCU\Software\Python\PythonCore\3.10\Help": {"": "no place at all"},
            r"HKCU\Software\Python\PyLauncher\x\InstallPath": {"": "C:\\Launcher"},
        }
    )
    found = [str(path).replace("\\", "/").replace("//", "/") for path in windows_pythons.registered_pythons(registry)]
    assert found == [
        "C:/User312/python.exe",
        "C:/User39/python.exe",
        "C:/Machine311/python.exe",
        "C:/uv/python.exe",
    ]


def test_the_launchers_list_is_read_in_its_old_and_its_new_form() -> None:
    text = (
        "Installed Pythons found by py Launcher for Windows\r\n"
        " -V:3.12 *        C:\\Users\\Jörg Ä\\Python312\\python.exe\r\n"
        " -3.11-64\tD:\\Python311\\python.exe\r\n"
        " -V:Astral/CPython3.13 C:\\uv\\python.exe\r\n"
        " -V:3.10   (no path)\r\n"
    )
    assert windows_pythons.listed_by_launcher(text) == [
        Path("C:\\Users\\Jörg Ä\\Python312\\python.exe"),
        Path("D:\\Python311\\python.exe"),
        Path("C:\\uv\\python.exe"),
    ]


def test_the_usual_folders_are_looked_through_newest_first(tmp_path: Path) -> None:
    wanted = [
        "Roaming/uv/python/cpython-3.12.9-windows-x86_64-none/python.exe",
        "Roaming/uv/python/cpython-3.9.1-windows-x86_64-none/python.exe",
        "Home/.pyenv/pyenv-win/versions/3.11.9/python.exe",
        "Local/Programs/Python/Python312/python.exe",
        "Local/Python/pythoncore-3.12-64/python.exe",
        "Programs/Python312/python.exe",
    ]
    for name in wanted:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    environment = {
        "APPDATA": str(tmp_path / "Roaming"),
        "USERPROFILE": str(tmp_path / "Home"),
        "LOCALAPPDATA": str(tmp_path / "Local"),
        "ProgramFiles": str(tmp_path / "Programs"),
    }
    found = windows_pythons.pythons_in_folders(environment)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == wanted
    assert windows_pythons.pythons_in_folders({}) == []


def test_no_python_is_named_twice_and_none_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_pythons, "launched_pythons", lambda: [tmp_path / "python.exe", tmp_path / "gone.exe"])
    (tmp_path / "python.exe").touch()
    environment = {"PATH": os.pathsep.join(['""', f'"{tmp_path}"', str(tmp_path / "missing")])}
    assert list(windows_pythons.windows_pythons(FakeRegistry({}), environment)) == [tmp_path / "python.exe"]


def test_without_the_launcher_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("run"))
    assert windows_pythons.launched_pythons() == []


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_the_launchers_words_are_read_in_either_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    said = " -V:3.12 * C:\\Jörg\\python.exe\r\n".encode(encoding)
    answer = subprocess.CompletedProcess(["py", "-0p"], 0, said, b"")
    monkeypatch.setattr(shutil, "which", lambda name: "py.exe")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    assert windows_pythons.launched_pythons() == [Path("C:\\Jörg\\python.exe")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bits": 32}, "32-bit"),
        ({"version": (3, 10)}, "3.10, too old"),
        ({"version": (3, 14)}, "3.14, too new"),
        ({"platform": "win-arm64"}, "another kind of processor"),
        ({"platform": "mingw_x86_64_ucrt"}, "MSYS2"),
        ({"implementation": "pypy"}, "pypy"),
        ({"is_free_threaded": True}, "free-threaded"),
        ({"path": Path("C:\\Program Files\\WindowsApps\\PythonSoftware\\python.exe")}, "Microsoft Store"),
        ({"home": Path("C:/Program Files/WindowsApps/PythonSoftware")}, "Microsoft Store"),
    ],
)
def test_every_kind_that_is_of_no_use_is_refused_with_its_reason(change: dict[str, object], reason: str) -> None:
    assert pythons.why_not(GOOD) is None
    assert reason in str(pythons.why_not(GOOD._replace(**change)))  # type: ignore[arg-type]


def test_the_embeddable_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "python312._pth").touch()
    assert "embeddable" in str(pythons.why_not(GOOD._replace(path=tmp_path / "python.exe")))


def test_this_very_python_is_examined() -> None:
    python = pythons.examine((sys.executable,))
    assert python is not None
    assert (python.version, python.bits, python.home) == (sys.version_info[:2], 64, Path(sys.base_prefix))
    assert pythons.examine((sys.executable, "-c", "print('3.12 64 nonsense')")) is None
    assert pythons.examine((str(Path(sys.executable).parent / "no such program"),)) is None


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> dict[str, Python]:
    """Windows with the Pythons that are put into this dictionary, by path; nothing else is ever run."""
    here: dict[str, Python] = {}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "executable", "")
    monkeypatch.setattr(pythons, "windows_pythons", lambda registry, environment: [Path(name) for name in here])
    monkeypatch.setattr(pythons, "open_registry", lambda: FakeRegistry({}))
    monkeypatch.setattr(pythons, "examine", lambda command: here[Path(command[0]).as_posix()])
    monkeypatch.setattr(pythons, "package_manager", lambda: "")
    return here


def put(here: dict[str, Python], name: str, minor: int, **change: object) -> None:
    here[name] = GOOD._replace(path=Path(name), version=(3, minor), **change)  # type: ignore[arg-type]


def test_windows_takes_312_then_311_then_313_wherever_they_are(windows: dict[str, Python]) -> None:
    put(windows, "a/python.exe", 13)
    put(windows, "b/python.exe", 10)
    assert pythons.find_python().version == (3, 13)
    put(windows, "c/python.exe", 11)
    assert pythons.find_python().version == (3, 11)
    put(windows, "d/python.exe", 12)
    assert pythons.find_python().version == (3, 12)


def test_what_was_looked_at_is_told_with_reasons_and_what_to_do(windows: dict[str, Python], tmp_path: Path) -> None:
    put(windows, "a/python.exe", 14)
    put(windows, "b/python.exe", 12, bits=32)
    shortcut = tmp_path / "WindowsApps" / "python.exe"
    shortcut.parent.mkdir()
    shortcut.touch()
    windows[shortcut.as_posix()] = GOOD  # asking it would open the Store, so it must be refused before
    with pytest.raises(InstallProblem) as problem:
        pythons.find_python()
    text = str(problem.value)
    for expected in (
        "too new",
        "32-bit",
        "shortcut to the Microsoft Store",
        "Windows installer (64-bit)",
        pythons.PAGE,
    ):
        assert expected in text


def test_the_stores_own_python_is_told_from_its_shortcut(windows: dict[str, Python], tmp_path: Path) -> None:
    program = tmp_path / "windowsapps" / "python.exe"
    program.parent.mkdir()
    program.write_bytes(b"MZ")
    windows[program.as_posix()] = GOOD
    with pytest.raises(InstallProblem, match="keeps files where other programs cannot see them"):
        pythons.find_python()


def test_without_winget_the_page_is_named(windows: dict[str, Python]) -> None:
    console = FakeConsole()
    with pytest.raises(InstallProblem, match=r"none was found.*python\.org"):
        pythons.find_or_install_python(console)
    assert console.asked == []


def test_winget_installs_one_when_the_user_agrees(windows: dict[str, Python], monkeypatch: pytest.MonkeyPatch) -> None:
    console = FakeConsole()
    installed: list[str] = []

    def install(packages: list[str], console: object, why: str) -> None:
        installed.extend(packages)
        put(windows, "new/python.exe", 12)

    monkeypatch.setattr(pythons, "package_manager", lambda: "winget")
    monkeypatch.setattr(pythons, "install_packages", install)
    assert pythons.find_or_install_python(console).path == Path("new/python.exe")
    assert installed == ["Python.Python.3.12"]
    assert "none was found" in console.text


def test_who_refuses_winget_hears_how_to_do_it_by_hand(
    windows: dict[str, Python], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pythons, "package_manager", lambda: "winget")
    monkeypatch.setattr("core.install.system_packages.package_manager", lambda: "winget")
    with pytest.raises(InstallProblem, match=r"Nothing was installed.*python\.org"):
        pythons.find_or_install_python(FakeConsole([False]))
