"""The store as the rest of the program sees it: what is here, get this, import that."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.wire.errors import DownloadFailed, ModelFileBad, ModelMissing

from .catalog import CATALOGUE
from .check import Check, check_content
from .disk import is_it
from .entry import Archive, Entry, StoredFile
from .files import EntryState, Files, Presence
from .getting import Getter
from .importer import ImportReport, import_from
from .licences import Agreements
from .mirror import Mirror
from .places import Places
from .progress import Progress
from .transport import Transport


class Store:
    """Networks' files on this computer and where more of them come from.

    ``check`` is called with every file's contract and path before the file takes its place. Used from one thread at a
    time; getting and importing take minutes.
    """

    def __init__(
        self,
        places: Places | None = None,
        environment: Mapping[str, str] | None = None,
        check: Check = check_content,
        transport: Transport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.places = places or Places.of_this_user(environment)
        self.agreements = Agreements(self.places.data)
        self._check = check
        self._files = Files(self.places)
        mirror = Mirror.of_environment(environment)
        self._getter = Getter(self.places, mirror, transport or Transport(), check, pause)

    def status(self, entry: Entry, afresh: bool = False) -> EntryState:
        """How much of an entry is here; quick unless every file shall be looked into ``afresh``."""
        return self._files.status(entry, afresh)

    def problem_with(self, file: StoredFile) -> ModelFileBad | None:
        """Look into a file that is here: its hash where it is known, and what ``check`` says."""
        path = self.places.path(file.place)
        try:
            if not is_it(path, file.sha256, file.byte_count):
                return ModelFileBad(str(path), file=file.place.path, reason="wrong_hash")
            self._check(file.place.contract, path)
        except ModelFileBad as bad:
            return ModelFileBad(bad.detail, **{**bad.parameters, "file": file.place.path})
        except OSError as problem:
            return ModelFileBad(str(problem), file=file.place.path, reason="not_readable")
        return None

    def import_from(self, path: Path, progress: Progress) -> ImportReport:
        """Import what is recognised in a zip, a folder or a single file. Raises ArchiveBad."""
        return import_from(path, self.places, progress, self._check)

    def get(self, entries: Sequence[Entry], progress: Progress) -> tuple[Path, ...]:
        """Fetch what is missing or damaged of these entries; gives the files that are new.

        Raises LicenceNeeded before anything is fetched, DownloadFailed, ArchiveBad, ModelFileBad when what came is not
        what it should be, ModelMissing when the archive lacks a file. Files that came before the error stay.
        """
        for entry in entries:
            self.agreements.require(entry)
        packed: dict[str, tuple[Archive, list[tuple[Entry, StoredFile]]]] = {}
        new: list[Path] = []
        for entry in entries:
            for file in self._lacking(entry):
                new.append(self.places.path(file.place))
                if self._getter.from_mirror(file, progress):
                    continue
                if file.addresses:
                    self._getter.from_network(file, progress)
                elif entry.archive is not None:
                    packed.setdefault(entry.archive.name, (entry.archive, []))[1].append((entry, file))
                else:
                    raise DownloadFailed(entry.key, file=file.place.path, reason="import_only")
        for archive, files in packed.values():
            self._unpack(archive, files, progress)
        return tuple(dict.fromkeys(new))

    def _lacking(self, entry: Entry) -> list[StoredFile]:
        state = self.status(entry)
        lacking = {*state.missing, *state.damaged}
        return [file for file in entry.files if file.place.path in lacking]

    def _unpack(self, archive: Archive, files: list[tuple[Entry, StoredFile]], progress: Progress) -> None:
        report = self._getter.from_archive(archive, {file.place for _, file in files}, progress)
        if report.stopped:
            raise DownloadFailed(file=archive.name, reason="stopped")
        for damaged in report.damaged:
            # the next try shall not meet the same damage
            self._getter.forget_archive(archive)
            raise ModelFileBad(damaged.detail, file=damaged.place.path, reason=damaged.reason)
        for skipped in report.skipped:
            if skipped.reason == "in_use":
                raise DownloadFailed(archive.name, file=skipped.source, reason="in_use")
        for entry, file in files:
            if not self.places.path(file.place).is_file():
                raise ModelMissing(f"not in {archive.name}", model=entry.title, file=file.place.path)
        others = [entry for entry in CATALOGUE if entry.archive is not None and entry.archive.name == archive.name]
        if all(self.status(entry).presence is Presence.PRESENT for entry in others):
            self._getter.forget_archive(archive)
