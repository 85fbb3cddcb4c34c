"""Where Pythons lie on Windows: what installers wrote into the registry (PEP 514), the ``py`` launcher, uv, pyenv-win,
the usual folders and the search path. Nothing is run here but ``py``; which of them can be used is for others to say.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator, List, Mapping

from ...wire.folders import PROJECT
from .registry import MACHINE, USER, Registry

BUNDLED = PROJECT / "python" / "python.exe"
"""The Python of the all-in-one package."""
_KEY = r"Software\Python"
_OFFICIAL = "PythonCore"
_NO_INTERPRETERS = "PyLauncher"
"""Is named like a company there but, as PEP 514 says, is not one."""
_LAUNCHER_LIMIT_S = 15.0


def registered_pythons(registry: Registry) -> List[Path]:
    """What PEP 514 lists: the user's own before the machine's, python.org's before other companies', newest first."""
    official: List[Path] = []
    others: List[Path] = []
    for hive in (USER, MACHINE):
        for company in registry.keys(hive, _KEY):
            if company == _NO_INTERPRETERS:
                continue
            tags = sorted(registry.keys(hive, rf"{_KEY}\{company}"), key=_as_numbers, reverse=True)
            for tag in tags:
                place = rf"{_KEY}\{company}\{tag}\InstallPath"
                program = registry.value(hive, place, "ExecutablePath")
                folder = registry.value(hive, place)
                if program or folder:
                    path = Path(program) if program else Path(str(folder)) / "python.exe"
                    (official if company == _OFFICIAL else others).append(path)
    return official + others


def launched_pythons() -> List[Path]:
    """What ``py -0p`` lists: it also knows Pythons that are in no registry."""
    if not shutil.which("py"):
        return []
    try:
        said = subprocess.run(
            ["py", "-0p"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_LAUNCHER_LIMIT_S, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    try:
        text = said.decode("utf-8")
    except UnicodeDecodeError:  # older launchers write in Windows's own code page, whatever mode we run in
        text = said.decode("mbcs" if sys.platform == "win32" else "cp1252", "replace")
    return listed_by_launcher(text)


def listed_by_launcher(text: str) -> List[Path]:
    r"""The programs in the launcher's list, whose lines end in a path: `` -V:3.12 *  C:\Python312\python.exe``."""
    found = (re.search(r"([A-Za-z]:[\\/].*\.exe)\s*$", line) for line in text.splitlines())
    return [Path(match.group(1)) for match in found if match]


def pythons_in_folders(environment: Mapping[str, str]) -> List[Path]:
    """What uv, pyenv-win and python.org's installer put where they usually do."""
    places = [
        ("UV_PYTHON_INSTALL_DIR", ".", "cpython-3.*/python.exe"),
        ("APPDATA", "uv/python", "cpython-3.*/python.exe"),
        ("PYENV_ROOT", "versions", "3.*/python.exe"),
        ("PYENV", "versions", "3.*/python.exe"),
        ("USERPROFILE", ".pyenv/pyenv-win/versions", "3.*/python.exe"),
        ("LOCALAPPDATA", "Programs/Python", "Python3*/python.exe"),
        ("LOCALAPPDATA", "Python", "pythoncore-3*/python.exe"),
        ("ProgramFiles", ".", "Python3*/python.exe"),
    ]
    found: List[Path] = []
    for variable, inside, pattern in places:
        if environment.get(variable):
            programs = (Path(environment[variable]) / inside).glob(pattern)
            found += sorted(programs, key=lambda path: _as_numbers(path.parent.name), reverse=True)
    return found


def pythons_on_path(environment: Mapping[str, str]) -> List[Path]:
    """Every ``python.exe`` of the search path, the Microsoft Store's shortcut included."""
    folders = [folder.strip('"') for folder in environment.get("PATH", "").split(os.pathsep) if folder.strip('"')]
    programs = (Path(folder) / name for folder in folders for name in ("python.exe", "python3.exe"))
    return [program for program in programs if os.path.lexists(str(program))]


def windows_pythons(registry: Registry, environment: Mapping[str, str]) -> Iterator[Path]:
    """Every Python there may be, the likeliest first, none twice; some may be gone from the disk."""
    seen = set()
    for path in [
        BUNDLED,
        *registered_pythons(registry),
        *launched_pythons(),
        *pythons_in_folders(environment),
        *pythons_on_path(environment),
    ]:
        name = os.path.normcase(str(path))
        if name not in seen and os.path.lexists(str(path)):
            seen.add(name)
            yield path


def _as_numbers(name: str) -> List[int]:
    """So that 3.12 counts as newer than 3.9."""
    return [int(digits) for digits in re.findall(r"\d+", name)]
