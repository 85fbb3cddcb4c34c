"""Fetching one file: addresses in order, going on where it stopped, every limit and every failure accounted for.

The bytes gather in a ``.part`` file beside the target, which takes the target's name once it is whole and right. A lock
beside it keeps two processes from writing the same part.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.wire.errors import DownloadFailed

from .disk import free_bytes, is_no_room
from .lock import LockTaken, file_lock
from .part import PartFile
from .progress import Progress, Stopped, Teller
from .transport import Answer, FetchFailed, Transport

MAXIMUM_BYTES = 4 << 30
"""For files whose size is not known beforehand."""
_PIECE = 256 << 10
_SPARE_BYTES = 64 << 20
"""Room that is left on the disk."""
_RESUMES = 12
"""How often an address may break off."""
_FRUITLESS_TRIES = 4
"""How often in a row without anything new."""
_PAUSE_S = 0.5
_LOCK_TRIES = 120
_LOCK_PAUSE_S = 0.25
_FURTHEST = ("wrong_hash", "too_large", "server_error", "timed_out", "not_found", "not_secure", "no_network")
"""Of several failures the one is told whose address got furthest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch. ``name`` is for people; an empty hash or a size of 0 means that it is not known."""

    name: str
    addresses: tuple[str, ...]
    sha256: str = ""
    byte_count: int = 0

    @property
    def limit(self) -> int:
        """More bytes than this are too many."""
        return self.byte_count or MAXIMUM_BYTES


def download(
    wanted: Wanted,
    target: Path,
    progress: Progress,
    transport: Transport,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch a file to ``target``, unless it is there already. Takes as long as it takes: call it off every loop.

    Raises DownloadFailed; what has come stays beside the target and the next call goes on from there.
    """

    def wait(tries: int) -> bool:
        if not progress(wanted.name, 0.0):
            raise DownloadFailed(file=wanted.name, reason="stopped")
        pause(_LOCK_PAUSE_S)
        return tries < _LOCK_TRIES

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(target.with_name(f"{target.name}.lock"), wait):
            if not target.is_file():
                _Download(wanted, target, progress, transport, pause).run()
    except LockTaken as taken:
        raise DownloadFailed(str(taken), file=wanted.name, reason="busy") from taken
    except OSError as problem:
        reason = "disk_full" if is_no_room(problem) else "not_writable"
        raise DownloadFailed(str(problem), file=wanted.name, reason=reason) from problem


def most_telling(name: str, failures: Sequence[tuple[str, FetchFailed]]) -> DownloadFailed:
    """All that went wrong, address by address, as one error. Its reason is that of the address that got furthest."""
    told = "; ".join(f"{address}: {failure}" for address, failure in failures)
    reasons = [failure.reason for _, failure in failures] or ["not_found"]
    return DownloadFailed(told, file=name, reason=min(reasons, key=_FURTHEST.index))


class _StartAgain(Exception):
    """The part that was there does not fit to what the server has now."""


class _Download:
    def __init__(
        self,
        wanted: Wanted,
        target: Path,
        progress: Progress,
        transport: Transport,
        pause: Callable[[float], None],
    ) -> None:
        self._wanted = wanted
        self._teller = Teller(progress, wanted.name)
        self._transport = transport
        self._pause = pause
        self._folder = target.parent
        self._part = PartFile(target)

    def run(self) -> None:
        failures: list[tuple[str, FetchFailed]] = []
        try:
            for address in self._wanted.addresses:
                try:
                    self._fetch(address)
                    self._part.finish()
                except FetchFailed as failure:
                    failures.append((address, failure))
                else:
                    return
        except Stopped:
            raise DownloadFailed(file=self._wanted.name, reason="stopped") from None
        finally:
            self._part.close()
        raise most_telling(self._wanted.name, failures)

    def _fetch(self, address: str) -> None:
        """Get the whole file from one address, whatever it takes within reason."""
        resumes = fruitless = 0
        may_start_again = True
        while True:
            before = self._part.size
            try:
                if not self._part.is_whole:
                    self._ask(address)
                self._verify(mended=not may_start_again)
                return
            except _StartAgain as change:
                if not may_start_again:
                    raise FetchFailed("server_error", str(change)) from change
                may_start_again = False
                self._part.discard()
            except FetchFailed as failure:
                fruitless = 0 if self._part.size > before else fruitless + 1
                may_pass = failure.broke_off or (resumes and failure.may_pass)
                if not may_pass or fruitless == _FRUITLESS_TRIES or resumes == _RESUMES:
                    raise
                resumes += 1
                self._tell()
                self._pause(_PAUSE_S * 2**fruitless)

    def _ask(self, address: str) -> None:
        self._tell()
        asked = self._part.range_headers(address, bool(self._wanted.sha256))
        with self._transport.open(address, asked) as answer:
            if answer.status == 200:
                total = self._measured(answer.announced, 0)
                self._part.begin(address, answer.validator, total)
            else:
                total = self._measured(self._continued(answer, asked), self._part.size)
                self._part.go_on(address, answer.validator or self._part.validator, total)
            while piece := answer.read(_PIECE):
                if self._part.size + len(piece) > self._wanted.limit:
                    self._part.discard()
                    raise FetchFailed("too_large", f"more than {self._wanted.limit} bytes")
                self._part.append(piece)
                self._tell()
        if total is None:
            self._part.end_here()
        elif self._part.size != total:
            raise FetchFailed("no_network", f"ended after {self._part.size} of {total} bytes", broke_off=True)

    def _continued(self, answer: Answer, asked: dict[str, str]) -> int:
        """The whole file's length, told by an answer with just what is missing. Raises _StartAgain for any other."""
        told = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", answer.header("Content-Range"))
        if answer.status != 206 or not asked or told is None:
            raise _StartAgain(f"status {answer.status}, {answer.header('Content-Range')!r}")
        first, last, total = (int(number) for number in told.groups())
        same_address = "If-Range" in asked
        changed = same_address and answer.validator not in ("", self._part.validator)
        resized = same_address and self._part.total not in (None, total)
        if first != self._part.size or last != total - 1 or changed or resized:
            raise _StartAgain(f"{answer.header('Content-Range')}, version {answer.validator}")
        return total

    def _measured(self, total: int | None, there: int) -> int | None:
        """Hold the announced length against what is wanted and against the room on the disk."""
        wanted = self._wanted
        if total is not None and total > wanted.limit:
            raise FetchFailed("too_large", f"{total} bytes announced")
        if total is not None and wanted.byte_count and total < wanted.byte_count:
            raise FetchFailed("wrong_hash", f"{total} instead of {wanted.byte_count} bytes announced")
        missing = (total or wanted.byte_count) - there
        if missing > 0 and free_bytes(self._folder) < missing + _SPARE_BYTES:
            raise OSError(errno.ENOSPC, f"{missing} bytes do not fit", str(self._folder))
        return total

    def _verify(self, mended: bool) -> None:
        """Is what came the right file? One put together from several answers gets a second chance from the start."""
        part, wanted = self._part, self._wanted
        wrong_size = wanted.byte_count and part.size != wanted.byte_count
        if not wrong_size and wanted.sha256 in ("", part.sha256):
            return
        found = f"{part.size} bytes, sha256 {part.sha256}"
        if part.was_resumed and not mended:
            raise _StartAgain(found)
        part.discard()
        raise FetchFailed("wrong_hash", found)

    def _tell(self) -> None:
        total = self._part.total or self._wanted.byte_count
        self._teller.tell(self._wanted.name, self._part.size / total if total else 0.0)
