"""Engines on disk: kept once made, sealed, never trusted blindly, the longest unused removed when there are too many.

``<cache>/engines/<first two>/<identity>.engine`` beside ``<identity>.json``, which is for people only. What was timed
and what was finished for a card lies there too, sealed in the same way.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.wire.errors import RuntimeUnavailable
from core.wire.folders import user_cache, user_data

from .seal import ENGINE, KINDS, Refused, load_key, seal, unseal

_log = logging.getLogger(__name__)

DEFAULT_LIMIT_BYTES = 4 << 30
_UNFINISHED = ".partial"
_UNFINISHED_KEPT_S = 3600.0
"""A file that is being written by another instance is younger than this."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the cache, for the doctor and the panel."""

    identity: str
    kind: str
    """``engine``, ``runtime`` or ``timing``."""
    size_bytes: int
    used_ns: int
    """When it was last used, nanoseconds since 1970."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the file beside an engine says. Anybody may have written it: to show, not to act on."""


class EngineCache:
    """The cache of one user. Several instances may share it; each file is replaced in one step.

    Raises RuntimeUnavailable (``engine_folder_unsafe``) where others could put engines into the folder, and
    (``engine_folder_unusable``) where it cannot be made.
    """

    def __init__(
        self,
        runtime: str,
        folder: Path | None = None,
        key_folder: Path | None = None,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.folder = (user_cache() if folder is None else folder) / "engines"
        self._runtime = runtime
        self._limit_bytes = limit_bytes
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._refuse_unsafe(self.folder)
            self._key = load_key(user_data() if key_folder is None else key_folder)
        except OSError as problem:
            raise RuntimeUnavailable(str(problem), runtime=runtime, reason="engine_folder_unusable") from problem
        self._remove_unfinished()

    def load(self, identity: str, kind: str = ENGINE) -> memoryview | Refused | None:
        """The content kept under an identity; None when there is none. What is refused is removed at once.

        Raises RuntimeUnavailable (``engine_folder_unsafe``).
        """
        path = self._path(identity, kind)
        try:
            self._refuse_unsafe(path.parent)
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            _log.warning("%s cannot be read and is made again: %s", path, problem)
            return None
        found = unseal(content, kind, identity, self._key)
        if isinstance(found, Refused):
            _log.warning("%s is refused (%s) and is made again", path, found)
            self.remove(identity, kind)
        else:
            _touch(path)
        return found

    def store(self, identity: str, content: bytes | memoryview, kind: str = ENGINE, about: Any = None) -> bool:
        """Keep content under an identity, and remove what was unused longest where that is too much.

        False, and nothing kept, when the disk does not take it: an engine can be used without being kept.
        """
        path = self._path(identity, kind)
        try:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            self._refuse_unsafe(path.parent)
            _replace(path, [seal(content, kind, identity, self._key), content])
            if about is not None:
                _replace(self._note(identity), [json.dumps(about, indent=1, ensure_ascii=False).encode("utf-8")])
        except OSError as problem:
            _log.warning("%s is not kept: %s", path, problem)
            return False
        self._shrink(path)
        return True

    def has(self, identity: str, kind: str = ENGINE) -> bool:
        """Is something kept under this identity? It may still be refused when it is loaded."""
        return self._path(identity, kind).is_file()

    def remove(self, identity: str, kind: str = ENGINE) -> None:
        """Forget what is kept under an identity; nothing happens where there is nothing."""
        _unlink(self._path(identity, kind))
        if kind == ENGINE:
            _unlink(self._note(identity))

    def clear(self) -> None:
        """Forget everything."""
        for entry in self.entries():
            self.remove(entry.identity, entry.kind)

    def entries(self) -> list[Entry]:
        """Everything that is kept, used last first."""
        found = [
            Entry(path.stem, path.suffix[1:], about.st_size, about.st_mtime_ns, self._read_note(path))
            for path, about in self._files()
        ]
        return sorted(found, key=lambda entry: entry.used_ns, reverse=True)

    def size_bytes(self) -> int:
        """How much room the kept files take."""
        return sum(about.st_size for _, about in self._files())

    def _path(self, identity: str, kind: str) -> Path:
        return self.folder / identity[:2] / f"{identity}.{kind}"

    def _note(self, identity: str) -> Path:
        return self.folder / identity[:2] / f"{identity}.json"

    def _read_note(self, path: Path) -> dict[str, Any]:
        if path.suffix != f".{ENGINE}":
            return {}
        try:
            about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return about if isinstance(about, dict) else {}

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self.folder.glob("??/*"):
            if path.suffix[1:] in KINDS:
                try:
                    about = path.lstat()
                except OSError:  # another instance has just removed it
                    continue
                if stat.S_ISREG(about.st_mode):
                    yield path, about

    def _shrink(self, just_stored: Path) -> None:
        left = self.size_bytes() - self._limit_bytes
        for entry in reversed(self.entries()):
            if left <= 0:
                return
            if self._path(entry.identity, entry.kind) != just_stored:
                _log.info("The %s of %s is removed to make room", entry.kind, entry.about.get("name", entry.identity))
                self.remove(entry.identity, entry.kind)
                left -= entry.size_bytes

    def _refuse_unsafe(self, folder: Path) -> None:
        """On Windows the user's profile lets nobody else write; elsewhere owner and mode tell."""
        if sys.platform == "win32":
            return
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o022:
            raise RuntimeUnavailable(str(folder), runtime=self._runtime, reason="engine_folder_unsafe")

    def _remove_unfinished(self) -> None:
        """What instances that were killed had begun to write."""
        limit = time.time() - _UNFINISHED_KEPT_S
        for path in self.folder.glob(f"??/*{_UNFINISHED}"):
            try:
                if path.lstat().st_mtime < limit:
                    path.unlink()
            except OSError:
                continue


def _replace(path: Path, parts: list[bytes | memoryview]) -> None:
    """At every moment the path holds nothing, the whole old or the whole new file. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix=path.name[:16] + ".", suffix=_UNFINISHED, dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError:  # then it counts as older than it is
        _log.debug("%s keeps its date", path)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        _log.warning("%s cannot be removed: %s", path, problem)
