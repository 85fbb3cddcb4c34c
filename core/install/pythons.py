"""Finding a Python that the worker's packages exist for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator, NamedTuple, Optional, Tuple

from .problem import InstallProblem

OLDEST, NEWEST = (3, 11), (3, 13)
"""Every pinned package has wheels for these, on Windows and Linux."""
_PREFERRED = ("3.12", "3.11", "3.13")
_ASK = (
    "import struct, sys; sys.stdout.write('%d.%d %d %s' % (sys.version_info[0], sys.version_info[1], "
    "struct.calcsize('P') * 8, sys.executable))"
)


class Python(NamedTuple):
    """An interpreter and what it says about itself."""

    path: Path
    version: Tuple[int, int]
    bits: int


def find_python() -> Python:
    """The interpreter to build the worker's environment with. Raises InstallProblem with what was wrong with each."""
    refused = []
    for command in _candidates():
        python = examine(command)
        if python is None:
            continue
        reason = why_not(python)
        if reason is None:
            return python
        refused.append(f"{python.path} ({reason})")
    found = "; ".join(dict.fromkeys(refused)) or "none was found"
    raise InstallProblem(
        f"The worker needs a 64-bit Python from {_dotted(OLDEST)} to {_dotted(NEWEST)}, best 3.12. Looked at: {found}. "
        "Install one from python.org or your system's packages and run this again."
    )


def examine(command: Tuple[str, ...]) -> Optional[Python]:
    """Ask an interpreter for its version; None when it does not answer like one."""
    try:
        answer = subprocess.run(
            [*command, "-I", "-c", _ASK], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"(\d+)\.(\d+) (\d+) (.+)", answer)
    if match is None:
        return None
    return Python(Path(match.group(4)), (int(match.group(1)), int(match.group(2))), int(match.group(3)))


def why_not(python: Python) -> Optional[str]:
    """Why this interpreter cannot be used; None when it can."""
    if not OLDEST <= python.version <= NEWEST:
        return f"it is {_dotted(python.version)}"
    if python.bits != 64:
        return "it is a 32-bit build"
    if "WindowsApps" in python.path.parts:
        return "the Microsoft Store's Python keeps files where other programs cannot see them"
    if any(python.path.parent.glob("python3*._pth")):
        return "it is the embeddable package, which cannot make environments"
    return None


def _candidates() -> Iterator[Tuple[str, ...]]:
    if sys.executable:
        yield (sys.executable,)
    if sys.platform == "win32" and shutil.which("py"):
        for version in _PREFERRED:
            yield ("py", f"-{version}")
    for version in _PREFERRED:
        yield (f"python{version}",)
    yield ("python3",)
    yield ("python",)


def _dotted(version: Tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
