"""One process at a time: a lock that the system itself takes back when its holder dies."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)


class LockTaken(Exception):
    """Somebody else holds it."""


@contextmanager
def file_lock(path: Path, wait: Callable[[int], bool]) -> Iterator[None]:
    """Hold the lock at ``path`` (an empty file that stays there).

    While somebody else holds it, ``wait`` is called with the number of tries so far; LockTaken when it answers False.
    Raises OSError when the file cannot be made. Where a file system knows no locks, everybody gets it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        tries = 0
        while not _take(descriptor):
            tries += 1
            if not wait(tries):
                raise LockTaken(str(path))
        try:
            yield
        finally:
            _give_back(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as problem:
            return problem.errno not in _TAKEN
        return True

    def _give_back(descriptor: int) -> None:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        except OSError:
            # closing the file gives it back as well
            pass

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            return problem.errno not in _TAKEN
        return True

    def _give_back(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        except OSError:
            # closing the file gives it back as well
            pass
