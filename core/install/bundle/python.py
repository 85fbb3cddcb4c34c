"""The interpreter that comes along: a Windows installation folder, looked at without running it."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional

from ..problem import InstallProblem

VERSION = (3, 12)
"""OBS on Windows loads nothing newer (up to OBS 32), and every pinned package has wheels for it."""
_LIBRARY = "python312.dll"
_NEEDED = (
    "python.exe", _LIBRARY, "python3.dll", "DLLs/_socket.pyd", "DLLs/_ssl.pyd", "DLLs/_ctypes.pyd", "Lib/os.py",
    "Lib/venv/__init__.py", "Lib/venv/scripts/nt/python.exe", "Lib/ensurepip/__init__.py", "Lib/encodings/__init__.py",
)  # fmt: skip
_LICENCES = ("LICENSE.txt", "Lib/LICENSE.txt")
_LEFT_OUT = re.compile(
    r"(?:Lib/(?:test|idlelib|turtledemo|tkinter|site-packages|[^/]*config-[^/]*)/.*"
    r"|Lib/(?:sitecustomize|usercustomize|turtle)\.py"
    r"|DLLs/(?:_test[^/]*|_ctypes_test|_tkinter)\.pyd|DLLs/(?:tcl|tk)[^/]*\.dll"
    r"|.*/__pycache__/.*|.*\.(?:pyc|pdb|pth|lib|whl\.tmp))",
    re.IGNORECASE,
)
"""Tests, windows toolkits, caches, and whatever the maker put into his own installation."""
_AMD64 = 0x8664
"""IMAGE_FILE_MACHINE_AMD64 of the PE format."""
_PIP = re.compile(r"Lib/ensurepip/_bundled/pip-[^/]+\.whl")


class WindowsPython(NamedTuple):
    """An installation that may come along."""

    folder: Path
    version: str
    """As its library names it, ``3.12.10``."""
    licence: str
    """Path of its licence below the folder."""
    files: Dict[str, Path]
    """Path below the folder, with forward slashes, to the file."""


def examine(folder: Path) -> WindowsPython:
    """Look at an installation folder. Raises InstallProblem with the reason why it cannot come along."""
    folder = folder.resolve()
    reason = _why_not(folder)
    if reason is not None:
        raise InstallProblem(
            f"{folder} cannot come along: {reason}. Name the folder of a 64-bit Python 3.12 installed with the "
            "installer from python.org (it has python.exe and python312.dll in it)."
        )
    files = {name: folder / name for name in sorted(_names(folder))}
    licence = next(name for name in _LICENCES if name in files)
    return WindowsPython(folder, _version(folder / _LIBRARY), licence, files)


def _why_not(folder: Path) -> Optional[str]:
    if "windowsapps" in (part.lower() for part in folder.parts):
        return "the Microsoft Store's Python works only where the Store put it"
    if (folder / "pyvenv.cfg").is_file() or (folder.parent / "pyvenv.cfg").is_file():
        return "it is a virtual environment, which works only beside the installation it was made from"
    if any(folder.glob("python3*._pth")):
        return "it is the embeddable package, which cannot make environments"
    other = _other_version(folder)
    if not (folder / _LIBRARY).is_file() and other:
        return f"it is Python {other}"
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        return f"it has no {missing[0]}"
    for name in ("python.exe", _LIBRARY):
        if _machine(folder / name) != _AMD64:
            return f"its {name} is no 64-bit program for Intel and AMD processors"
    bundled = folder / "Lib" / "ensurepip" / "_bundled"
    if not any(_PIP.fullmatch(f"Lib/ensurepip/_bundled/{path.name}") for path in bundled.glob("*.whl")):
        return "pip's own package is missing from Lib/ensurepip/_bundled"
    if not any((folder / name).is_file() for name in _LICENCES):
        return "its licence (LICENSE.txt) is missing, and must go along"
    return None


def _other_version(folder: Path) -> str:
    found = [re.fullmatch(r"python3(\d+)\.dll", path.name.lower()) for path in folder.glob("python3*.dll")]
    return next((f"3.{match.group(1)}" for match in found if match and match.group(1) != str(VERSION[1])), "")


def _machine(program: Path) -> int:
    """The processor a Windows program is for, out of its PE header; 0 when it is none."""
    try:
        with program.open("rb") as file:
            start = file.read(64)
            if len(start) < 64 or start[:2] != b"MZ":
                return 0
            file.seek(struct.unpack_from("<I", start, 60)[0])
            header = file.read(6)
    except OSError:
        return 0
    return int(struct.unpack_from("<H", header, 4)[0]) if len(header) == 6 and header[:4] == b"PE\0\0" else 0


def _version(library: Path) -> str:
    """The version in the library's resources: the key ``ProductVersion`` and its value, both UTF-16."""
    key = "ProductVersion".encode("utf-16-le")
    content = library.read_bytes()
    at = content.rfind(key)
    value = content[at + len(key) : at + len(key) + 64].decode("utf-16-le", "replace") if at >= 0 else ""
    match = re.search(r"3\.12\.\d+", value)
    return match.group() if match else "3.12"


def _names(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.is_file() and (path.suffix.lower() in (".exe", ".dll") or path.name == "LICENSE.txt"):
            yield _plain(path, path.name)
    for top in ("DLLs", "Lib"):
        for place, folders, files in os.walk(str(folder / top)):
            here = Path(place)
            folders[:] = [name for name in folders if not _LEFT_OUT.fullmatch(_below(folder, here / name) + "/x")]
            for name in folders:
                _plain(here / name, _below(folder, here / name))
            yield from _kept(folder, here, files)


def _kept(folder: Path, here: Path, files: List[str]) -> Iterator[str]:
    for name in files:
        below = _below(folder, here / name)
        if not _LEFT_OUT.fullmatch(below):
            yield _plain(here / name, below)


def _below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _plain(path: Path, name: str) -> str:
    if path.is_symlink():
        raise InstallProblem(f"{path} is a link. A bundle holds plain files; name another Python folder.")
    return name
