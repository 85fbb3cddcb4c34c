"""Taking networks out of a zip or a folder into their places, and telling what became of every file."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from core.wire.errors import ArchiveBad, ModelFileBad

from .check import Check, check_content
from .container import DAMAGE, MAXIMUM_BYTES, Item, is_bomb, open_container, read_pieces
from .disk import free_bytes, is_no_room
from .entry import Place
from .layout import Recognised, is_not_needed, recognise
from .places import Places
from .placing import incoming, put
from .progress import Progress, Stopped, Teller

_MOST_LISTED = 200
_SPARE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that is in its place now. ``backup`` is where a different one that was there went."""

    source: str
    place: Place
    path: Path
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not taken, and why: ``already_there``, ``duplicate``, ``unsafe_name``, ``not_a_file``,
    ``not_needed``, ``not_known``, ``unknown_compression``, ``in_use``."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that is not what its place says; it was not taken."""

    source: str
    place: Place
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the files. Of those that are none of ours only the first are listed."""

    taken: tuple[Taken, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    stopped: bool = False
    unlisted: int = 0

    @property
    def already_there(self) -> int:
        """How many were in their places before."""
        return sum(skipped.reason == "already_there" for skipped in self.skipped)


@dataclass(frozen=True, slots=True)
class _Chosen:
    item: Item
    found: Recognised

    @property
    def rank(self) -> tuple[int, bool]:
        """Of two files for one place, the one nearer to the container's top is meant, then the one of today's name."""
        name = self.item.full_name.replace("\\", "/").lower()
        return self.found.depth, not name.endswith(self.found.place.path.lower())


class _Unreadable(Exception):
    pass


def import_from(path: Path, places: Places, progress: Progress, check: Check = check_content) -> ImportReport:
    """Import from a zip, a folder (an EasyVtuber installation, say) or a single file.

    Raises ArchiveBad when it cannot be read at all, holds nothing of ours, or the disk refuses.
    """
    with open_container(path) as items:
        return take(items, str(path), places, progress, check)


def take(
    items: list[Item],
    container: str,
    places: Places,
    progress: Progress,
    check: Check = check_content,
    only: Collection[Place] | None = None,
) -> ImportReport:
    """Take what is recognised (and asked for, if ``only`` is given) out of a container. Raises ArchiveBad."""
    chosen, skipped, unlisted = _choose(items, container, only)
    if not chosen and only is None:
        raise ArchiveBad(f"{len(items)} files", path=container, reason="nothing_known")
    _refuse_what_does_not_fit(chosen, container, places)
    worker = _Worker(container, places, check, progress, sum(one.item.byte_count for one in chosen))
    report = ImportReport(skipped=skipped, unlisted=unlisted)
    try:
        for one in chosen:
            report = _with(report, worker.take(one.item, one.found.place))
    except Stopped:
        report = replace(report, stopped=True)
    return report


def _with(report: ImportReport, outcome: Taken | Skipped | Damaged) -> ImportReport:
    if isinstance(outcome, Taken):
        return replace(report, taken=(*report.taken, outcome))
    if isinstance(outcome, Skipped):
        return replace(report, skipped=(*report.skipped, outcome))
    return replace(report, damaged=(*report.damaged, outcome))


def _choose(
    items: list[Item], container: str, only: Collection[Place] | None
) -> tuple[list[_Chosen], tuple[Skipped, ...], int]:
    chosen: dict[tuple[str, str], _Chosen] = {}
    skipped: list[Skipped] = []
    unknown: list[Skipped] = []
    for item in items:
        if item.refused and item.refused != "encrypted":
            (unknown if item.refused == "not_a_file" else skipped).append(Skipped(item.name, item.refused))
            continue
        found = recognise(item.full_name)
        if found is None:
            unknown.append(Skipped(item.name, "not_needed" if is_not_needed(item.name) else "not_known"))
            continue
        if item.refused or is_bomb(item):
            raise ArchiveBad(item.name, path=container, reason=item.refused or "too_large")
        if only is not None and found.place not in only:
            continue
        key = (found.place.root.value, found.place.path.casefold())
        new, old = _Chosen(item, found), chosen.get(key)
        better = old is None or new.rank < old.rank
        if old is not None:
            skipped.append(Skipped((old if better else new).item.name, "duplicate"))
        if better:
            chosen[key] = new
    # a character is listed once its picture is there
    in_order = sorted(chosen.values(), key=lambda one: one.found.place.contract == "character.picture")
    return in_order, (*skipped, *unknown[:_MOST_LISTED]), max(0, len(unknown) - _MOST_LISTED)


def _refuse_what_does_not_fit(chosen: list[_Chosen], container: str, places: Places) -> None:
    if sum(one.item.byte_count for one in chosen) > MAXIMUM_BYTES:
        raise ArchiveBad(f"more than {MAXIMUM_BYTES} bytes", path=container, reason="too_large")
    missing = sum(one.item.byte_count for one in chosen if not _is_there(one, places))
    if missing and free_bytes(places.weights) < missing + _SPARE_BYTES:
        raise ArchiveBad(f"{missing} bytes do not fit", path=container, reason="disk_full")


def _is_there(one: _Chosen, places: Places) -> bool:
    try:
        return places.path(one.found.place).stat().st_size == one.item.byte_count
    except OSError:
        return False


class _Worker:
    def __init__(self, container: str, places: Places, check: Check, progress: Progress, total: int) -> None:
        self._container = container
        self._places = places
        self._check = check
        self._teller = Teller(progress, container)
        self._total = max(1, total)
        self._done = 0

    def take(self, item: Item, place: Place) -> Taken | Skipped | Damaged:
        target = self._places.path(place)
        before = self._done
        try:
            with incoming(target) as arrived:
                self._unpack(item, place, arrived)
                self._check(place.contract, arrived)
                return self._put(item, place, arrived, target)
        except _Unreadable as problem:
            return Damaged(item.name, place, "file_damaged", str(problem))
        except ModelFileBad as bad:
            return Damaged(item.name, place, str(bad.parameters.get("reason", "file_damaged")), bad.detail)
        except OSError as problem:
            reason = "disk_full" if is_no_room(problem) else "not_writable"
            raise ArchiveBad(str(problem), path=self._container, reason=reason) from problem
        finally:
            self._done = before + item.byte_count

    def _unpack(self, item: Item, place: Place, arrived: Path) -> None:
        self._tell(place)
        with arrived.open("xb") as file, closing(_pieces(item)) as pieces:
            for piece in pieces:
                file.write(piece)
                self._done += len(piece)
                self._tell(place)

    def _put(self, item: Item, place: Place, arrived: Path, target: Path) -> Taken | Skipped:
        try:
            placed = put(arrived, target)
        except OSError as problem:
            if is_no_room(problem):
                raise
            # on Windows a network that is running cannot be replaced
            return Skipped(item.name, "in_use")
        if placed.was_there:
            return Skipped(item.name, "already_there")
        return Taken(item.name, place, target, placed.backup)

    def _tell(self, place: Place) -> None:
        self._teller.tell(place.path, self._done / self._total)


def _pieces(item: Item) -> Generator[bytes, None, None]:
    """Reading goes wrong in other ways than writing, and only reading says that the container is damaged."""
    try:
        with item.open() as stream:
            yield from read_pieces(stream, item.byte_count)
    except (*DAMAGE, OSError) as problem:
        raise _Unreadable(f"{type(problem).__name__}: {problem}") from problem
