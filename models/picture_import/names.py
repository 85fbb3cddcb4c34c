"""Names for character folders that every system takes, Windows included."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LONGEST: Final = 60
_LONGEST_BYTES: Final = 180
"""File systems count to 255 bytes; room is left for a number."""
_FORBIDDEN: Final = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]'
)
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
_FALLBACK: Final = "character"


def safe_name(wanted: str) -> str:
    """A folder name as close to ``wanted`` as possible: letters of every script stay."""
    name = unicodedata.normalize("NFC", wanted)
    name = re.sub(r"\s+", " ", _FORBIDDEN.sub(" ", name))
    # names that begin with a dot or an underscore are not listed as characters
    name = name.strip(" .").lstrip("._ ")
    name = _shortened(name).rstrip(" .")
    if _RESERVED.fullmatch(name):
        name = f"{_FALLBACK} {name}"
    return name or _FALLBACK


def free_names(wanted: str, folder: Path) -> Iterator[str]:
    """``wanted``, then "wanted 2", "wanted 3"...; those that a folder or picture has already are left out.

    Case makes no difference: on Windows and macOS it makes none either. Raises OSError where the folder cannot be read.
    """
    taken = set()
    for entry in folder.iterdir():
        taken.add(_folded(entry.name))
        if entry.suffix.lower() == ".png":
            taken.add(_folded(entry.stem))
    number = 1
    while True:
        name = wanted if number == 1 else f"{wanted} {number}"
        if _folded(name) not in taken:
            yield name
        number += 1


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _shortened(name: str) -> str:
    name = name[:_LONGEST]
    while len(name.encode("utf-8")) > _LONGEST_BYTES:
        name = name[:-1]
    return name
