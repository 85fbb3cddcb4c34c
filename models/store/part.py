"""What has come of a file so far: the unfinished file itself, and a note of which version it is a part of."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from core.wire.json_file import write_json

from .disk import read_json

_PIECE = 1 << 20


class PartFile:
    """``NAME.part`` beside its target. Survives a stop, a crash and a switch to another day; used under a lock.

    Raises OSError when the disk refuses.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._note_path = target.with_name(f"{target.name}.part.json")
        self._target = target
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        note = read_json(self._note_path) or {}
        self.address = str(note.get("address", ""))
        self.validator = str(note.get("validator", ""))
        total = note.get("total")
        self.total = total if isinstance(total, int) and total > 0 else None
        """How long the whole file is, as far as a server told."""
        self.size = self._resume() if note else 0
        """How many bytes are there."""
        self.was_resumed = self.size > 0
        """Does it come from more than one answer?"""

    @property
    def is_whole(self) -> bool:
        """Has everything come that the server announced?"""
        return self.total is not None and self.size == self.total

    @property
    def sha256(self) -> str:
        """Hash of what is there."""
        return self._hash.hexdigest()

    def range_headers(self, address: str, hash_is_known: bool) -> dict[str, str]:
        """What to ask a server for to get the rest; empty when the file has to begin anew.

        Without something that tells versions apart, two of them could be mixed: then only a known hash allows it.
        """
        if not self.size:
            return {}
        if address == self.address and self.validator:
            return {"Range": f"bytes={self.size}-", "If-Range": self.validator}
        return {"Range": f"bytes={self.size}-"} if hash_is_known else {}

    def begin(self, address: str, validator: str, total: int | None) -> None:
        """Throw away what was there and begin with this version."""
        self.close()
        self.size, self._hash, self.was_resumed = 0, hashlib.sha256(), False
        self._file = self.path.open("wb", buffering=0)
        self._write_note(address, validator, total)

    def go_on(self, address: str, validator: str, total: int | None) -> None:
        """More of the same version comes."""
        self.was_resumed = self.was_resumed or self.size > 0
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)
        self._write_note(address, validator, total)

    def append(self, piece: bytes) -> None:
        """Write the next bytes."""
        assert self._file is not None
        view = memoryview(piece)
        while view:
            written = self._file.write(view)
            self._hash.update(view[:written])
            self.size += written
            view = view[written:]

    def end_here(self) -> None:
        """The answer that told no length ended: this was all of it."""
        self._write_note(self.address, self.validator, self.size)

    def finish(self) -> None:
        """All is there and right: it takes its target's name."""
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)
        os.fsync(self._file.fileno())
        self.close()
        self.path.replace(self._target)
        self._note_path.unlink(missing_ok=True)

    def discard(self) -> None:
        """It is a part of something else: away with it."""
        self.close()
        self.size, self._hash, self.total, self.validator = 0, hashlib.sha256(), None, ""
        self._note_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave what has come for the next time; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write_note(self, address: str, validator: str, total: int | None) -> None:
        self.address, self.validator, self.total = address, validator, total
        write_json(self._note_path, {"address": address, "validator": validator, "total": total})

    def _resume(self) -> int:
        size = 0
        try:
            with self.path.open("rb") as file:
                while piece := file.read(_PIECE):
                    self._hash.update(piece)
                    size += len(piece)
        except FileNotFoundError:
            return 0
        return size
