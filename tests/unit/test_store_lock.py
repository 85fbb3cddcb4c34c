"""The lock: one at a time, and none that outlives its holder."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.wire.folders import PROJECT
from models.store.lock import LockTaken, file_lock

HOLD = """
import sys
from pathlib import Path
from models.store.lock import file_lock
with file_lock(Path(sys.argv[1]), lambda tries: False):
    print("held", flush=True)
    sys.stdin.read()
"""


def never(tries: int) -> bool:
    return False


def test_a_second_holder_has_to_wait(tmp_path: Path) -> None:
    path = tmp_path / "锁.lock"
    tries: list[int] = []

    def three_times(tried: int) -> bool:
        tries.append(tried)
        return tried < 3

    with file_lock(path, never), pytest.raises(LockTaken), file_lock(path, three_times):
        raise AssertionError("two hold it")
    assert tries == [1, 2, 3]
    with file_lock(path, never):
        pass


def test_it_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), file_lock(tmp_path / "a.lock", never):
        raise ZeroDivisionError
    with file_lock(tmp_path / "a.lock", never):
        pass


def test_the_one_that_waits_gets_it_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with file_lock(path, never):
            held.set()
            free.wait(30.0)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30.0)

    def wait(tries: int) -> bool:
        free.set()
        thread.join(30.0)
        return tries == 1

    with file_lock(path, wait):
        assert free.is_set()


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None and holder.stdout is not None
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(LockTaken), file_lock(path, never):
            raise AssertionError("two hold it")
        holder.kill()
        holder.wait(30.0)
    assert path.exists()
    with file_lock(path, never):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="this system's call")
def test_a_file_system_without_locks_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr("fcntl.flock", refuse)
    with file_lock(tmp_path / "a.lock", never):
        pass
