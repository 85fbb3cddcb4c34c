"""Changing a file of OBS without losing anything: settings edited line by line, a dated backup, and an atomic swap.

OBS rewrites these files when it ends, so they may be changed only while it is not running.
"""

from __future__ import annotations

import codecs
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from .config import Collection

_BLANKS = " \t\r"
"""What OBS strips around names and values; other kinds of white space belong to them."""


class FileUnreadable(ValueError):
    """The file is not what it should be, so it is left as it is."""


class IniFile(NamedTuple):
    """A settings file's text, and whether it begins with a byte order mark (it does on Windows)."""

    text: str
    has_mark: bool = sys.platform == "win32"


def read_ini(path: Path) -> IniFile:
    """A settings file; an empty one if there is none. Bytes that are not UTF-8 survive until ``write_ini``."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return IniFile("")
    has_mark = data.startswith(codecs.BOM_UTF8)
    return IniFile(data[len(codecs.BOM_UTF8) if has_mark else 0 :].decode("utf-8", "surrogateescape"), has_mark)


def write_ini(path: Path, file: IniFile) -> Optional[Path]:
    """Swap the file for this text. Gives the backup's path, or None if there was nothing to keep."""
    mark = codecs.BOM_UTF8 if file.has_mark else b""
    return replace_file(path, mark + file.text.encode("utf-8", "surrogateescape"))


def ini_value(text: str, section: str, key: str) -> Optional[str]:
    """A setting as OBS reads it: names in any case, the first one counts."""
    place, _ = _find(text.split("\n"), section, key)
    if place is None:
        return None
    value = text.split("\n")[place].partition("=")[2].strip(_BLANKS)
    return value.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")  # in OBS's own order


def with_ini_value(text: str, section: str, key: str, value: str) -> str:
    """The text with one setting changed or added; every other line stays as it is.

    Write paths with forward slashes: OBS reads the escaped form of ``C:\\new`` back as a line break.
    """
    lines = text.split("\n")
    ending = "\r" if any(line.endswith("\r") for line in lines) else ""
    escaped = value.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    place, section_end = _find(lines, section, key)
    if place is not None:
        name = lines[place].partition("=")[0].strip(_BLANKS)
        lines[place] = f"{name}={escaped}" + ("\r" if lines[place].endswith("\r") else "")
        return "\n".join(lines)
    added = f"{key}={escaped}{ending}"
    if section_end is not None:
        lines.insert(section_end, added)
        if section_end == len(lines) - 1:  # the section's last line had no line break
            lines[section_end - 1] += ending
            lines.append("")
        return "\n".join(lines)
    body = text if not text or text.endswith("\n") else text + ending + "\n"
    gap = ending + "\n" if body else ""
    return f"{body}{gap}[{section}]{ending}\n{added}\n"


def without_ini_value(text: str, section: str, key: str) -> str:
    """The text without one setting, and without its section's headline when nothing else is in there."""
    lines = text.split("\n")
    place, _ = _find(lines, section, key)
    if place is None:
        return text
    del lines[place]
    head = next((at for at in range(place - 1, -1, -1) if lines[at].strip(_BLANKS).startswith("[")), None)
    following = next((line.strip(_BLANKS) for line in lines[place:] if line.strip(_BLANKS)), "[")
    if (
        head is not None
        and following.startswith("[")
        and not any(line.strip(_BLANKS) for line in lines[head + 1 : place])
    ):
        del lines[head]
        if head and not lines[head - 1].strip(_BLANKS):
            del lines[head - 1]  # the gap that stood before it
    return "\n".join(lines)


def _find(lines: List[str], section: str, key: str) -> Tuple[Optional[int], Optional[int]]:
    """The setting's line, and where the first section of this name ends (after its last line that says something)."""
    inside = False
    section_end: Optional[int] = None
    in_first = False
    for number, line in enumerate(lines):
        stripped = line.strip(_BLANKS)
        if stripped.startswith("["):
            inside = stripped[1:].partition("]")[0].strip(_BLANKS).lower() == section.lower()
            in_first = inside and section_end is None
        elif inside and not stripped.startswith("#"):
            name, equals, _ = stripped.partition("=")
            if equals and name.strip(_BLANKS).lower() == key.lower():
                return number, section_end
        if in_first and stripped:
            section_end = number + 1
    return None, section_end


def read_collection(path: Path) -> Collection:
    """A scene collection's file. Raises FileUnreadable, and OSError."""
    try:
        collection = json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(f"{path} is not a scene collection: {error}") from error
    if not isinstance(collection, dict) or not isinstance(collection.get("sources"), list):
        raise FileUnreadable(f"{path} is not a scene collection")
    return collection


def write_collection(path: Path, collection: Collection) -> Optional[Path]:
    """Swap a scene collection's file for this one. Gives the backup's path, or None if there was nothing to keep."""
    return replace_file(path, json.dumps(collection, indent=4).encode("ascii"))


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """A JSON object whose names are all different: of two alike, reading would silently lose one."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name is there twice")
    return result


def replace_file(path: Path, data: bytes) -> Optional[Path]:
    """Put ``data`` in the file's place in one step, after a dated copy of what was there. Gives the copy's path.

    At every moment the path holds the whole old or the whole new file. Raises OSError, and then nothing has changed.
    """
    path = Path(os.path.realpath(path))  # a linked settings file stays linked
    path.parent.mkdir(parents=True, exist_ok=True)
    backup = _back_up(path) if path.exists() else None
    descriptor, name = tempfile.mkstemp(prefix=path.name + ".", suffix=".new", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if backup is not None:
            shutil.copymode(path, fresh)
        fresh.replace(path)
    except BaseException:
        fresh.unlink()
        raise
    return backup


def _back_up(path: Path) -> Path:
    """A copy beside the file, named by date and time; an earlier copy is never overwritten."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        backup = path.with_name(f"{path.name}.before-{stamp}" + (f"-{number}" if number else ""))
        try:
            copy = backup.open("xb")
        except FileExistsError:
            continue
        try:
            with copy, path.open("rb") as original:
                shutil.copyfileobj(original, copy)
            shutil.copystat(path, backup)
        except BaseException:
            backup.unlink()  # half a copy would pass for a whole one
            raise
        return backup
    raise FileExistsError(f"too many backups of {path}")
