"""Which characters there are, by looking at folder names only: both the panel and the worker ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, Optional

from .folders import CHARACTERS

PICTURE_NAME = "character.png"
DESCRIPTION_NAME = "character.json"
STUDENT_DESCRIPTION_NAME = "character_model.yaml"
_SUFFIXES = (".png", ".PNG")
_STUDENT_PICTURE = re.compile(r"^\s*character_image_file_name\s*:\s*['\"]?([^'\"\r\n#]+?)['\"]?\s*$", re.MULTILINE)
_DESCRIPTION_BYTES = 65536


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
        if _is_file(entry / PICTURE_NAME) or _student_picture(entry) is not None:
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
    return _student_picture(folder / name)


def _student_picture(folder: Path) -> Optional[Path]:
    """The picture that a THA4 student's description names, which may be called anything."""
    description = folder / STUDENT_DESCRIPTION_NAME
    if not _is_file(description):
        return None
    try:
        with description.open("rb") as stream:
            found = _STUDENT_PICTURE.search(stream.read(_DESCRIPTION_BYTES).decode("utf-8-sig", "replace"))
    except OSError:
        return None
    named = found.group(1) if found else ""
    # a name and nothing else: the description came with a download
    if not named or re.search(r'[/\\:*?"<>|]', named) or named in (".", ".."):
        return None
    return folder / named if _is_file(folder / named) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # a folder that may not be looked into, or a name that is too long for the disk
        return False
