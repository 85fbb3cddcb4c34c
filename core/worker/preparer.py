"""Slow things beside the running picture: opening inputs and outputs, reading characters, building models."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from core.wire.errors import EasyVtuberError
from core.wire.priority import step_back

_log = logging.getLogger(__name__)

RETRY_NS = 3_000_000_000
"""What could not be made is tried again after this long: a cable may be back, a file may be there."""


class Closable(Protocol):
    """Something that must be given back."""

    def close(self) -> None:
        """Give everything back; safe to call twice."""
        ...


T = TypeVar("T", bound=Closable)


class Preparer:
    """One thread that runs jobs in order; the render loop only ever looks whether something is done."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="preparer", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Run the job after those before it. What it raises is logged: the jobs behind it must run all the same."""
        self._jobs.put(job)

    def close(self, limit_s: float) -> None:
        """Let the jobs before this call finish, at most so long."""
        self._jobs.put(None)
        self._thread.join(limit_s)

    def _run(self) -> None:
        step_back()
        while True:
            job = self._jobs.get()
            if job is None:
                return
            try:
                job()
            except Exception:  # noqa: BLE001 - the border of this thread: drivers and libraries raise anything
                _log.exception("a job of the preparer failed")


@dataclass
class Part(Generic[T]):
    """A replaceable part of the worker: what is in use, what is wanted, and what went wrong with it.

    ``want`` asks for a new one; the new one is made on the preparer's thread and appears in ``take``. The old one
    stays in use until then unless ``exclusive``: some things (a camera, a port, a file) cannot be open twice.
    """

    name: str
    preparer: Preparer
    report: Callable[[str, EasyVtuberError | None], None]
    """Called with the part's name and its error, or None when it is well again."""
    exclusive: bool = False
    current: T | None = None
    _wanted: Hashable = None
    _make: Callable[[], T] | None = None
    _wish: int = 0
    """Number of the newest attempt; what an older one made is given back."""
    _done: queue.SimpleQueue[tuple[int, T | EasyVtuberError]] = field(default_factory=queue.SimpleQueue)
    _last_made: T | None = None
    """Used on the preparer's thread only, and only for exclusive things."""
    _error: EasyVtuberError | None = None
    _retry_ns: int = 0
    _pending: bool = False

    def want(self, key: Hashable, make: Callable[[], T]) -> None:
        """Ask for what ``make`` makes; nothing happens when ``key`` is what is wanted already."""
        if key == self._wanted:
            return
        self._wanted, self._make = key, make
        self._begin()

    @property
    def wanted(self) -> Hashable:
        """The key of what is wanted; None for nothing. May be asked from any thread."""
        return self._wanted

    @property
    def error(self) -> EasyVtuberError | None:
        """Why there is nothing in use; None when there is, or nothing is wanted."""
        return self._error

    def drop(self) -> None:
        """Nothing is wanted any more: what is in use is given back."""
        if self._wanted is None and self._make is None:
            return
        self._wanted = self._make = None
        self._wish += 1
        self._pending = False
        self._replace(None)
        self._set_error(None)

    def take(self, now: int) -> bool:
        """True when another one came into use since the last call (or none is any more). Tries failed ones again."""
        changed = False
        while not self._done.empty():
            wish, result = self._done.get()
            if wish != self._wish:
                if not isinstance(result, EasyVtuberError):
                    self._dispose(result)
                continue
            self._pending = False
            if isinstance(result, EasyVtuberError):
                self._failed(result, now)
            else:
                self._replace(result)
                self._set_error(None)
                changed = True
        if self._error is not None and not self._pending and now >= self._retry_ns:
            self._begin()
        return changed

    def broke(self, error: EasyVtuberError, now: int) -> None:
        """What was in use does not work any more: it is given back, and made anew a little later."""
        self._replace(None)
        self._failed(error, now)

    def close(self) -> None:
        """Give back what is in use, at once; what is still being made is given back as soon as it is there."""
        self._wish += 1
        current, self.current = self.current, None
        if current is not None:
            current.close()
        while not self._done.empty():
            _, result = self._done.get()
            if not isinstance(result, EasyVtuberError):
                result.close()

    def _begin(self) -> None:
        if self.exclusive:
            self._replace(None)
        self._pending = True
        self._wish += 1
        wish, make = self._wish, self._make
        assert make is not None
        self.preparer.submit(lambda: self._fulfil(wish, make))

    def _fulfil(self, wish: int, make: Callable[[], T]) -> None:
        """On the preparer's thread: make what is wanted, unless something else is wanted by now."""
        if wish != self._wish:
            return
        if self.exclusive and self._last_made is not None:
            # it may have been superseded before anybody took it; closing it twice does no harm
            self._last_made.close()
            self._last_made = None
        result = self._run(make)
        if not isinstance(result, EasyVtuberError):
            if wish != self._wish:
                result.close()
                return
            if self.exclusive:
                self._last_made = result
        self._done.put((wish, result))

    def _run(self, make: Callable[[], T]) -> T | EasyVtuberError:
        try:
            return make()
        except EasyVtuberError as problem:
            return problem
        except Exception as problem:  # noqa: BLE001 - the border of the preparer's thread: libraries raise anything
            _log.exception("%s could not be made", self.name)
            return EasyVtuberError(f"{self.name}: {problem!r}")

    def _failed(self, error: EasyVtuberError, now: int) -> None:
        self._retry_ns = now + RETRY_NS
        self._set_error(error)

    def _replace(self, new: T | None) -> None:
        old, self.current = self.current, new
        if old is not None:
            self._dispose(old)

    def _dispose(self, old: T) -> None:
        # closing may take up to two seconds: not on the render loop
        self.preparer.submit(old.close)

    def _set_error(self, error: EasyVtuberError | None) -> None:
        before, self._error = self._error, error
        if str(before) != str(error):
            if error is not None:
                _log.warning("%s: %s", self.name, error)
            self.report(self.name, error)
