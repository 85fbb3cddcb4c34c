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
# nothing in it may match in two ways: descriptions come with downloads, and some would hold OBS up for minutes
_STUDENT_PICTURE = re.compile(r"^[ \t]*character_image_file_name[ \t]*:([^\r\n]*)", re.MULTILINE)
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
            content = stream.read(_DESCRIPTION_BYTES + 1)
    except OSError:
        return None
    found = _STUDENT_PICTURE.search(content.decode("utf-8-sig", "replace"))
    if found is None or len(content) > _DESCRIPTION_BYTES:
        return None
    named = _plain(found.group(1))
    # a name and nothing else, which Windows does not read as another: the description came with a download
    if not named or re.search(r'[/\\:*?"<>|]', named) or named != named.strip().rstrip("."):
        return None
    return folder / named if _is_file(folder / named) else None


def _plain(value: str) -> str:
    """What YAML takes from a value in one line: without its quotes and the remark behind it."""
    value = value.strip()
    if value.startswith(("'", '"')):
        name, closed, rest = value[1:].partition(value[0])
        return name if closed and not rest.partition("#")[0].strip() else ""
    return re.split(r"\s#", value, maxsplit=1)[0].rstrip()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # a folder that may not be looked into, or a name that is too long for the disk
        return False
