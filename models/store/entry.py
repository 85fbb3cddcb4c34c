"""What the catalogue is made of: files, archives they may come in, licences, and entries that a user can ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

Family: TypeAlias = Literal["tha3", "tha4", "tha4_student", "rife", "upscale", "face_landmarker"]


class Root(StrEnum):
    """The folder that a file's path is counted from."""

    WEIGHTS = "weights"
    CHARACTERS = "characters"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file belongs and what it has to be."""

    path: str
    """Below its root, with forward slashes: ``tha3/seperable/fp16/editor.onnx``."""
    contract: str
    """What the content must be: ``tha3.editor``, ``tha4_student.body``, ``rife``, ``upscale``, ``face_landmarker``."""
    root: Root = Root.WEIGHTS

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of an entry. Without an address it comes out of the entry's archive, or by import only."""

    place: Place
    url: str = ""
    mirrors: tuple[str, ...] = ()
    sha256: str = ""
    """Hexadecimal; empty where nobody published it."""
    byte_count: int = 0
    """Exact size; 0 where it is not known."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it can be fetched from, the best first."""
        return (self.url, *self.mirrors) if self.url else ()


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip that holds the files of several entries."""

    name: str
    url: str
    members: Mapping[str, str]
    """Name inside the zip (below its top folder) to the path below the weights' folder."""
    mirrors: tuple[str, ...] = ()
    sha256: str = ""
    byte_count: int = 0

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it can be fetched from, the best first."""
        return (self.url, *self.mirrors)


@dataclass(frozen=True, slots=True)
class Licence:
    """What a user agrees to before a download."""

    key: str
    name: str
    url: str
    text: str
    """What it allows, in two or three sentences."""

    @property
    def digest(self) -> str:
        """SHA-256 of everything the user was shown: a changed text is a new question."""
        return hashlib.sha256("\n".join((self.name, self.url, self.text)).encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class ByHand:
    """How a user gets files that no program may fetch for him."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Something a user can ask for as a whole."""

    key: str
    title: str
    family: Family
    licence: Licence
    files: tuple[StoredFile, ...]
    archive: Archive | None = None
    by_hand: ByHand | None = None

    @property
    def import_only(self) -> bool:
        """Can it be had by import only?"""
        return self.by_hand is not None
