"""What of the catalogue is on this computer, told fast enough for a panel.

Looking into a file (its hash where it is known, else its build) is done once: the verdict is remembered under the
file's size and time of change.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.wire.errors import ModelFileBad
from core.wire.json_file import write_json

from .check import check_content
from .disk import hash_of, read_json
from .entry import Entry, StoredFile
from .places import Places

CACHE_NAME = "store.json"


class Presence(StrEnum):
    """How much of an entry is there."""

    PRESENT = "present"
    PARTIAL = "partial"
    ABSENT = "absent"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class EntryState:
    """State of an entry, and the paths (below their roots) that keep it from being present."""

    presence: Presence
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


class Files:
    """Looks at files and remembers what it saw. Used from one thread at a time."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._path = places.cache / CACHE_NAME
        self._verdicts: dict[str, object] | None = None
        self._changed = False

    def status(self, entry: Entry, afresh: bool = False) -> EntryState:
        """What is there of an entry. ``afresh`` looks into every file again, whatever is remembered of it."""
        missing, damaged = [], []
        for file in entry.files:
            path = self._places.path(file.place)
            if not _is_file(path):
                missing.append(file.place.path)
            elif not self._is_sound(file, path, afresh):
                damaged.append(file.place.path)
        self._save()
        return EntryState(_presence(entry, missing, damaged), tuple(missing), tuple(damaged))

    def _is_sound(self, file: StoredFile, path: Path, afresh: bool) -> bool:
        try:
            facts = path.stat()
        except OSError:
            return False
        if file.byte_count and facts.st_size != file.byte_count:
            return False
        known = self._known()
        seen = [facts.st_size, facts.st_mtime_ns, file.sha256]
        verdict = known.get(str(path))
        if not afresh and isinstance(verdict, list) and verdict[:3] == seen and len(verdict) == 4:
            return verdict[3] is True
        sound = _look(file, path)
        known[str(path)] = [*seen, sound]
        self._changed = True
        return sound

    def _known(self) -> dict[str, object]:
        if self._verdicts is None:
            self._verdicts = dict(read_json(self._path) or {})
        return self._verdicts

    def _save(self) -> None:
        if not self._changed:
            return
        try:
            write_json(self._path, self._known())
        except OSError:
            # looked at again the next time
            return
        self._changed = False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _look(file: StoredFile, path: Path) -> bool:
    try:
        if file.sha256:
            return hash_of(path) == file.sha256
        check_content(file.place.contract, path)
    except (OSError, ModelFileBad):
        return False
    return True


def _presence(entry: Entry, missing: list[str], damaged: list[str]) -> Presence:
    if damaged:
        return Presence.DAMAGED
    if not missing:
        return Presence.PRESENT
    return Presence.ABSENT if len(missing) == len(entry.files) else Presence.PARTIAL
