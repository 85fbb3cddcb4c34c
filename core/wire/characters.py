"""Which characters there are, by looking at folder names only: both the panel and the worker ask."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional

from .folders import CHARACTERS

PICTURE_NAME = "character.png"
DESCRIPTION_NAME = "character.json"
_SUFFIXES = (".png", ".PNG")


def character_names(folder: Path = CHARACTERS) -> List[str]:
    """Every name that can be chosen: folders that hold a picture, and single pictures, in alphabetical order."""
    names = set()
    try:
        entries = list(folder.iterdir())
    except OSError:
        return []
    for entry in entries:
        if entry.name.startswith((".", "_")):
            continue
        if _is_file(entry / PICTURE_NAME):
            names.add(entry.name)
        elif entry.suffix in _SUFFIXES and _is_file(entry):
            names.add(entry.stem)
    return sorted(names, key=str.lower)


def character_picture(name: str, folder: Path = CHARACTERS) -> Optional[Path]:
    """The picture file of a character, or None when there is none of that name."""
    if not name or Path(name).name != name or name in (".", ".."):
        return None
    for candidate in (folder / name / PICTURE_NAME, *(folder / f"{name}{suffix}" for suffix in _SUFFIXES)):
        if _is_file(candidate):
            return candidate
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # a folder that may not be looked into, or a name that is too long for the disk
        return False
