"""Parts of the machine: folders that are made once for what they depend on, and made anew when that changes."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_COMPLETE = ".complete"
"""Written last: a folder without it was left behind by a set-up that did not come to its end."""
_KEPT_S = 14 * 24 * 3600.0
"""Another checkout may be at work with what it made for other keys; what nobody asked for in that time is removed."""


def digest(*contents: str | bytes | Path | Iterable[str]) -> str:
    """A short name for what a part depends on; a path stands for the content of that file."""
    total = hashlib.sha256()
    for content in contents:
        if isinstance(content, Path):
            data = content.read_bytes()
        elif isinstance(content, bytes):
            data = content
        else:
            data = (content if isinstance(content, str) else "\n".join(content)).encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:12]


def is_made(folder: Path, name: str, key: str) -> bool:
    """Is this part there for this key?"""
    return (_place(folder, name, key) / _COMPLETE).is_file()


def made(folder: Path, name: str, key: str, build: Callable[[Path], None]) -> Path:
    """The part ``name`` for ``key`` in the machine's ``folder``.

    ``build`` fills the empty folder it is given where the part is not there yet. What was made of the same part for
    other keys and has not been used for two weeks is removed. Whatever ``build`` raises is passed on, and the part
    counts as not made.
    """
    place = _place(folder, name, key)
    if not is_made(folder, name, key):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        build(place)
    (place / _COMPLETE).touch()
    for other in folder.glob(f"{name}-*"):
        if other != place and not _is_in_use(other):
            shutil.rmtree(other, ignore_errors=True)
    return place


def _is_in_use(place: Path) -> bool:
    try:
        return time.time() - (place / _COMPLETE).stat().st_mtime < _KEPT_S
    except OSError:
        return False


def _place(folder: Path, name: str, key: str) -> Path:
    return folder / f"{name}-{key}"
