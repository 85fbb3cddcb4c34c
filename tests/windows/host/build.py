"""Makes the OBS-like host: compiles its program and its obs.dll, and lays its files out as OBS does. Linux, mingw."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.windows.machine.machine import WindowsMachine, windows_path
from tests.windows.machine.mingw import compile_program
from tests.windows.machine.parts import digest, made

HERE = Path(__file__).parent
TESTS = HERE.parents[1]
_PART = "obs-host"
PYTHON_HOME_FILE = "python-home.txt"
"""In the host's folder: which Python it shall load, as a Windows path (OBS keeps this in ``user.ini``)."""


def build(target_folder: Path, python_home: Path) -> Path:
    """Make the host in ``target_folder`` for the Windows Python in ``python_home``. Raises SetUpFailed.

    Gives the folder, which the tests find in the variable ``EASYVTUBER_WINDOWS_HOST`` (a Windows path).
    """
    programs = target_folder / "bin" / "64bit"
    library = programs / "obs.dll"
    compile_program([HERE / "libobs.c"], library, "-shared")
    compile_program([HERE / "obs_host.c", library], programs / "obs64.exe", "-municode", "-mwindows", "-lshell32")
    scripting = target_folder / "data" / "obs-scripting" / "64bit"
    fakes = scripting / "tests"
    fakes.mkdir(parents=True, exist_ok=True)
    for file in (HERE / "scripting").glob("obs*.py"):
        shutil.copy(file, scripting)
    # the stand-in for obspython is the one that the tests on Linux use
    for name in ("__init__.py", "fake_obs.py", "fake_obs_panel.py"):
        shutil.copy(TESTS / name, fakes)
    (target_folder / PYTHON_HOME_FILE).write_text(windows_path(python_home), encoding="utf-8")
    return target_folder


def build_for(machine: WindowsMachine) -> None:
    """Make the machine's host where it is not there yet, or was made of other sources. Raises SetUpFailed."""
    sources = sorted((*HERE.glob("*.[ch]"), *HERE.glob("scripting/*.py"), *TESTS.glob("fake_obs*.py")))
    key = digest(*sources, str(machine.python_home))
    made(machine.folder, _PART, key, lambda folder: _build_in(folder, machine.python_home))


def find_host(environment: Mapping[str, str]) -> Path | None:
    """Where the host lies, asked from within Windows; None where it was not made."""
    if environment.get("EASYVTUBER_WINDOWS_HOST"):
        return Path(environment["EASYVTUBER_WINDOWS_HOST"])
    machine = environment.get("EASYVTUBER_WINDOWS_MACHINE")
    return next(Path(machine).glob(f"{_PART}-*"), None) if machine else None


def _build_in(folder: Path, python_home: Path) -> None:
    build(folder, python_home)
