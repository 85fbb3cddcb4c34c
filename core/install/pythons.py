"""Finding a Python that the worker's packages exist for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from .console import Console
from .problem import InstallProblem
from .system_packages import install_packages, package_manager
from .windows.pythons import windows_pythons
from .windows.registry import open_registry

OLDEST, NEWEST = (3, 11), (3, 13)
"""Every pinned package has wheels for these, on Windows and Linux."""
PREFERRED = ((3, 12), (3, 11), (3, 13))
"""OBS on Windows loads 3.12 at most, and one Python for both is simplest."""
WINGET_PACKAGE = "Python.Python.3.12"
PAGE = "https://www.python.org/downloads/windows/"
BY_HAND = f'Take "Windows installer (64-bit)" of a Python 3.12 from {PAGE} and run this again.'
_STORE = "WindowsApps"
_ASK = (
    "import json, struct, sys, sysconfig; sys.stdout.buffer.write(json.dumps([sys.version_info[:2], "
    "struct.calcsize('P') * 8, sys.executable, sys.base_prefix, sys.implementation.name, sysconfig.get_platform(), "
    "bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]).encode())"
)


class Python(NamedTuple):
    """An interpreter and what it says about itself."""

    path: Path
    version: Tuple[int, int]
    bits: int
    home: Path = Path()
    """The installation it belongs to; of an environment's interpreter, that of the Python it was made with."""
    implementation: str = "cpython"
    platform: str = ""
    """As packages are named for it: ``win-amd64``, ``linux-x86_64``."""
    is_free_threaded: bool = False


def find_python() -> Python:
    """The interpreter to build the worker's environment with. Raises InstallProblem with what was wrong with each."""
    found, refused = pythons_here()
    usable = [python for python in found if why_not(python) is None]
    if sys.platform == "win32":
        usable.sort(key=lambda python: PREFERRED.index(python.version))
    if usable:
        return usable[0]
    looked_at = "; ".join(f"{place} ({reason})" for place, reason in refused.items()) or "none was found"
    advice = BY_HAND if sys.platform == "win32" else "Install one from your system's packages and run this again."
    raise InstallProblem(
        f"The worker needs a 64-bit Python from {_dotted(OLDEST)} to {_dotted(NEWEST)}, best 3.12. "
        f"Looked at: {looked_at}. {advice}"
    )


def find_or_install_python(console: Console) -> Python:
    """Like ``find_python``, but on Windows one is installed when the user agrees. Raises InstallProblem."""
    try:
        return find_python()
    except InstallProblem as problem:
        if package_manager() != "winget":
            raise
        console.say(str(problem).replace(BY_HAND, "").rstrip())
    install_python(console, "No Python here can be used for the worker")
    return find_python()


def install_python(console: Console, why: str) -> None:
    """Install Python 3.12 on Windows, after asking. Raises InstallProblem, and then says how to do it by hand."""
    if package_manager() != "winget":
        raise InstallProblem(f"{why}. {BY_HAND}")
    try:
        install_packages([WINGET_PACKAGE], console, why)
    except InstallProblem as problem:
        raise InstallProblem(f"{problem} {BY_HAND}") from problem


def pythons_here() -> Tuple[List[Python], Dict[Path, str]]:
    """Every interpreter there is, none twice, and why some of them cannot be used for the worker."""
    found: Dict[str, Python] = {}
    refused: Dict[Path, str] = {}
    for command in _candidates():
        reason = _why_not_even_asked(Path(command[0]))
        if reason is not None:
            refused[Path(command[0])] = reason
            continue
        python = examine(command)
        if python is None:
            continue
        found.setdefault(os.path.normcase(str(python.path)), python)
        reason = why_not(python)
        if reason is not None:
            refused[python.path] = reason
    return list(found.values()), refused


def examine(command: Tuple[str, ...]) -> Optional[Python]:
    """Ask an interpreter for its version; None when it does not answer like one."""
    try:
        answer = subprocess.run(
            [*command, "-I", "-c", _ASK], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
        ).stdout
        version, bits, path, home, implementation, platform, is_free_threaded = json.loads(answer.decode("ascii"))
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired):
        return None
    return Python(
        Path(path), (version[0], version[1]), bits, Path(home), implementation, platform, bool(is_free_threaded)
    )


def why_not(python: Python) -> Optional[str]:
    """Why this interpreter cannot be used for the worker; None when it can."""
    reason = why_not_any_use(python)
    if reason is not None:
        return reason
    if python.version < OLDEST:
        return f"it is {_dotted(python.version)}, too old"
    if python.version > NEWEST:
        return f"it is {_dotted(python.version)}, too new: some packages do not exist for it yet"
    return None


def why_not_any_use(python: Python) -> Optional[str]:
    """Why an interpreter of whatever version is of no use, for the worker or for OBS; None when it is of some."""
    if python.bits != 64:
        return "it is a 32-bit build"
    if python.implementation != "cpython":
        return f"it is {python.implementation}, which the packages do not exist for"
    if python.platform.startswith("win") and python.platform != "win-amd64":
        return "it is for another kind of processor; the one for 64-bit Intel and AMD is needed"
    if python.platform.startswith(("mingw", "cygwin", "msys")):
        return "it belongs to MSYS2 or Cygwin, which the packages do not exist for"
    if python.is_free_threaded:
        return "it is the free-threaded build, which the packages do not exist for"
    if _is_of_the_store(python.path) or _is_of_the_store(python.home):
        return "the Microsoft Store's Python keeps files where other programs cannot see them"
    if any(python.path.parent.glob("python3*._pth")) and not (python.home / "Lib" / "venv").is_dir():
        return "it is the embeddable package, which cannot make environments"
    return None


def _why_not_even_asked(program: Path) -> Optional[str]:
    """A shortcut of the Microsoft Store opens the Store when it is run, so it is judged by where it lies."""
    if not _is_of_the_store(program):
        return None
    try:
        if os.lstat(str(program)).st_size > 0:
            return "the Microsoft Store's Python keeps files where other programs cannot see them"
    except OSError:
        pass
    return "it is only a shortcut to the Microsoft Store"


def _is_of_the_store(path: Path) -> bool:
    return _STORE.lower() in re.split(r"[\\/]", str(path).lower())


def _candidates() -> Iterator[Tuple[str, ...]]:
    if sys.executable:
        yield (sys.executable,)
    if sys.platform == "win32":
        for path in windows_pythons(open_registry(), os.environ):
            yield (str(path),)
        return
    for version in PREFERRED:
        yield (f"python{_dotted(version)}",)
    yield ("python3",)
    yield ("python",)


def _dotted(version: Tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
