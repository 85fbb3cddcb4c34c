"""A folder that stands in for the network: ``EASYVTUBER_MIRROR``, and ``EASYVTUBER_OFFLINE`` to keep it that way."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .catalog import CATALOGUE
from .disk import is_it
from .entry import Archive, Place, Root, StoredFile

MIRROR_VARIABLE = "EASYVTUBER_MIRROR"
OFFLINE_VARIABLE = "EASYVTUBER_OFFLINE"


class Mirror:
    """What lies in a folder, found by the layout's path, by file name, and by archive name."""

    def __init__(self, folder: Path | None, offline: bool) -> None:
        self.folder = folder
        self.offline = offline
        """Must the network not be touched?"""

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> Mirror:
        """As the two variables say."""
        env = os.environ if environment is None else environment
        place = env.get(MIRROR_VARIABLE, "")
        offline = env.get(OFFLINE_VARIABLE, "").strip().lower() not in ("", "0", "no", "false")
        return cls(_as_folder(place) if place else None, offline)

    def find(self, file: StoredFile) -> Path | None:
        """A file of the right size and hash, or None.

        Several networks have the same file name: by name alone only what is unmistakable is taken.
        """
        names = [file.place.path]
        if file.place.root is Root.CHARACTERS:
            names.insert(0, f"{Root.CHARACTERS}/{file.place.path}")
        if file.sha256 or file.place.name not in _AMBIGUOUS:
            names.append(file.place.name)
        return self._first(names, file.sha256, file.byte_count)

    def find_archive(self, archive: Archive) -> Path | None:
        """The archive, if it lies there and is the right one."""
        return self._first([archive.name], archive.sha256, archive.byte_count)

    def _first(self, names: Iterable[str], sha256: str, byte_count: int) -> Path | None:
        if self.folder is None:
            return None
        for name in names:
            path = self.folder / name
            try:
                if path.is_file() and is_it(path, sha256, byte_count):
                    return path
            except OSError:
                # unreadable is the same as not there: the next place may have it
                continue
        return None


def _as_folder(place: str) -> Path:
    if not place.lower().startswith("file:"):
        return Path(place).expanduser()
    parts = urlsplit(place)
    share = "" if parts.netloc in ("", "localhost") else f"//{parts.netloc}"
    return Path(share + url2pathname(parts.path))


def _places() -> Iterator[Place]:
    for entry in CATALOGUE:
        for file in entry.files:
            yield file.place


_AMBIGUOUS = frozenset(
    name for name, times in Counter(PurePosixPath(place.path).name for place in _places()).items() if times > 1
)
