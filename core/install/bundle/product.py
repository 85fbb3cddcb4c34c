"""Which files of the project a user needs: the program, its two characters, its documentation."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, Optional

from ..problem import InstallProblem

_NEEDED = ("LICENSE", "README.md", "install.bat", "install_plugin.py", "obs_easyvtuber.py", "requirements.txt")
_FOLDERS = (
    "accel", "characters/mothlight", "characters/nocti", "core", "docs", "models", "trackers",
)  # fmt: skip
_BESIDE = ("*.bat", "requirements-*.txt")
"""In the project folder itself, as many as there are."""
_ALSO = ("characters/README.md",)
_NOT_THESE = ("characters/mothlight/source/", "characters/nocti/source/", "models/weights/")
"""Programs that drew the pictures, and networks: those go in by name and licence only."""
_SUFFIXES = (".bat", ".json", ".md", ".png", ".py", ".txt")
_TEXT = (".json", ".md", ".py", ".txt", "")
_GIT_LIMIT_S = 60


def product_files(project: Path) -> Dict[str, bytes]:
    """Path below the project (forward slashes) to content, the same whichever system the checkout lies on.

    What git knows where there is git, else what the table above names. Raises InstallProblem when something that every
    user needs is missing, or a link is among the files.
    """
    tracked = _tracked(project)
    names = sorted(name for name in (_walked(project) if tracked is None else tracked) if belongs(name))
    beside = [path.name for kind in _BESIDE for path in project.glob(kind)]
    wanted = sorted({*_NEEDED, *_ALSO, *names, *(name for name in beside if tracked is None or name in tracked)})
    return {name: _content(project / name) for name in wanted}


def belongs(name: str) -> bool:
    """Is the file of this path part of what a user needs?"""
    if name in _NEEDED or name in _ALSO:
        return True
    parts = name.split("/")
    return (
        name.startswith(tuple(f"{folder}/" for folder in _FOLDERS))
        and not name.startswith(_NOT_THESE)
        and name.endswith(_SUFFIXES)
        and not any(part.startswith((".", "__pycache__")) for part in parts)
    )


def _tracked(project: Path) -> Optional[List[str]]:
    """What git knows of this folder; None when it is no checkout of its own, or there is no git."""
    if not (project / ".git").exists():
        return None
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached"], cwd=str(project), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_GIT_LIMIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    names = [name for name in listed.stdout.decode("utf-8", "replace").split("\0") if name]
    return names if listed.returncode == 0 and names else None


def _walked(project: Path) -> Iterator[str]:
    for folder in _FOLDERS:
        for path in (project / folder).rglob("*"):
            if path.is_file():
                yield path.relative_to(project).as_posix()


def _content(path: Path) -> bytes:
    if path.is_symlink():
        raise InstallProblem(f"{path} is a link. A bundle holds plain files; put the file itself there.")
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InstallProblem(f"{path} belongs into the bundle and cannot be read ({problem}).") from problem
    # git on Windows may have written other line ends; the batch interpreter misses labels in a file without its own
    if path.suffix == ".bat":
        return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return content.replace(b"\r\n", b"\n") if path.suffix in _TEXT else content
