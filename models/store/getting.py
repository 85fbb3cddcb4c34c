"""How a missing file is got: from the mirror, from its own address, or out of an archive."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path

from core.wire.errors import ArchiveBad, DownloadFailed, ModelFileBad

from .check import Check, check_content
from .container import Item, open_container, open_zip
from .disk import is_no_room
from .download import MAXIMUM_BYTES, Wanted, download, most_telling
from .entry import Archive, Place, StoredFile
from .importer import ImportReport, take
from .mirror import Mirror
from .places import Places
from .placing import incoming, put
from .progress import Progress, Stopped, Teller
from .remote import PartsNotServed, RemoteFile
from .transport import FetchFailed, Transport


class Getter:
    """Brings files into their places. Every method raises DownloadFailed, and ModelFileBad for a wrong content."""

    def __init__(
        self,
        places: Places,
        mirror: Mirror,
        transport: Transport,
        check: Check = check_content,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._places = places
        self._mirror = mirror
        self._transport = transport
        self._check = check
        self._pause = pause

    def from_mirror(self, file: StoredFile, progress: Progress) -> bool:
        """Copy a file from the mirror; False when it is not there."""
        source = self._mirror.find(file)
        if source is None:
            return False
        if not progress(file.place.path, 0.0):
            raise DownloadFailed(file=file.place.path, reason="stopped")
        self._settle(file.place, lambda beside: shutil.copyfile(source, beside))
        return True

    def from_network(self, file: StoredFile, progress: Progress) -> None:
        """Fetch a file from its own address."""
        place = file.place
        self._refuse_offline(place.path)
        arrived = self._places.downloads / place.root.value / place.path
        wanted = Wanted(place.path, file.addresses, file.sha256, file.byte_count)
        download(wanted, arrived, progress, self._transport, self._pause)
        self._settle(place, lambda beside: _move(arrived, beside))

    def from_archive(self, archive: Archive, wanted: Collection[Place], progress: Progress) -> ImportReport:
        """Take files out of an archive: one that is here, else the parts of it that are needed, else the whole of it.

        The report may lack files that the archive lacks. Raises ArchiveBad, too.
        """
        here = self._mirror.find_archive(archive) or self._archive_path(archive)
        if not here.is_file():
            self._refuse_offline(archive.name)
            report = None if archive.sha256 else self._in_parts(archive, wanted, progress)
            if report is not None:
                return report
            known = Wanted(archive.name, archive.addresses, archive.sha256, archive.byte_count)
            download(known, here, progress, self._transport, self._pause)
        try:
            with open_container(here) as items:
                return self._take(items, archive, wanted, progress)
        except ArchiveBad as bad:
            if bad.parameters["reason"] not in ("disk_full", "not_writable"):
                # the next try shall not meet the same damage
                self.forget_archive(archive)
            raise

    def forget_archive(self, archive: Archive) -> None:
        """Remove a fetched archive; one in the mirror stays."""
        try:
            self._archive_path(archive).unlink(missing_ok=True)
        except OSError:
            # it lies in the cache, where the user may delete it
            pass

    def _in_parts(self, archive: Archive, wanted: Collection[Place], progress: Progress) -> ImportReport | None:
        """Read from the server only what is needed; None when the server cannot do that."""
        teller = Teller(progress, archive.name)
        limit = archive.byte_count or MAXIMUM_BYTES
        failures: list[tuple[str, FetchFailed]] = []
        for address in archive.addresses:
            try:
                with (
                    RemoteFile(address, self._transport, limit, teller.again, self._pause) as file,
                    open_zip(file, archive.name) as items,
                ):
                    return self._take(items, archive, wanted, teller)
            except PartsNotServed:
                return None
            except FetchFailed as failure:
                failures.append((address, failure))
            except ArchiveBad as bad:
                if bad.parameters["reason"] != "not_a_zip":
                    raise
                failures.append((address, FetchFailed("wrong_hash", str(bad))))
            except Stopped:
                raise DownloadFailed(file=archive.name, reason="stopped") from None
        raise most_telling(archive.name, failures)

    def _take(self, items: list[Item], archive: Archive, wanted: Collection[Place], progress: Progress) -> ImportReport:
        return take(items, archive.name, self._places, progress, self._check, wanted)

    def _archive_path(self, archive: Archive) -> Path:
        return self._places.downloads / archive.name

    def _refuse_offline(self, name: str) -> None:
        if self._mirror.offline:
            raise DownloadFailed(file=name, reason="offline")

    def _settle(self, place: Place, bring: Callable[[Path], object]) -> None:
        """Have a file brought beside its place, look at it, and put it there."""
        target = self._places.path(place)
        reason = "not_writable"
        try:
            with incoming(target) as beside:
                bring(beside)
                self._check(place.contract, beside)
                reason = "in_use"  # on Windows a network that is running cannot be replaced
                put(beside, target)
        except ModelFileBad as bad:
            raise ModelFileBad(bad.detail, **{**bad.parameters, "file": place.path}) from bad
        except OSError as problem:
            reason = "disk_full" if is_no_room(problem) else reason
            raise DownloadFailed(str(problem), file=place.path, reason=reason) from problem


def _move(source: Path, target: Path) -> None:
    """Downloads may gather on another disk than the one they belong to."""
    try:
        source.replace(target)
    except OSError:
        shutil.copyfile(source, target)
        source.unlink()
