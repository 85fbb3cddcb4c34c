"""Several pytest processes at once: their dots are shown as they come, all else they say is kept for the end."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.windows.machine.machine import windows_path
from tests.windows.machine.problem import SetUpFailed

LIMIT_S = 1800.0
_ONE_TEST_LIMIT_S = 120
"""After that long a test's threads are printed; the limit for all of them ends it."""
_GRACE_S = 10.0
_PROGRESS = re.compile(r"^[.FEsxX]+( *\[ *\d+%\])?$")


class Share(NamedTuple):
    """What one process does."""

    python: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    """Where it starts."""
    files: Sequence[str]
    results: Path
    """Where it writes what came of its tests."""
    temporary: Path
    """Where its tests write."""

    def command(self, extra: Sequence[str]) -> list[str]:
        """The command line; ``extra`` are the user's arguments for pytest."""
        options = ["-p", "no:cacheprovider", "-o", "addopts=", "-o", f"faulthandler_timeout={_ONE_TEST_LIMIT_S}"]
        places = [f"--basetemp={windows_path(self.temporary)}", f"--junitxml={windows_path(self.results)}"]
        return [*self.python, "-m", "pytest", "-q", "--tb=short", "-rfE", *options, *places, *self.files, *extra]


def run(
    shares: Sequence[Share], extra: Sequence[str], show: Callable[[str], None], end_all: Callable[[], None]
) -> list[str]:
    """Run every share to its end, 30 minutes at most, and give what each said.

    ``end_all`` is called when something that a test started still holds a pipe. Raises SetUpFailed when a process
    cannot be started.
    """
    said: list[list[str]] = [[] for _ in shares]
    processes: list[subprocess.Popen[bytes]] = []
    readers: list[threading.Thread] = []
    end_s = time.monotonic() + LIMIT_S
    try:
        for share, lines in zip(shares, said, strict=True):
            process = _start(share.command(extra), share)
            processes.append(process)
            readers.append(threading.Thread(target=_listen, args=(process, lines, show), daemon=True))
            readers[-1].start()
        for process, lines in zip(processes, said, strict=True):
            try:
                process.wait(max(0.0, end_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                lines.append(f"ended after {LIMIT_S:.0f} s")
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for reader in readers:
        reader.join(_GRACE_S)
    if any(reader.is_alive() for reader in readers):
        end_all()
        for reader in readers:
            reader.join(_GRACE_S)
    return ["\n".join(lines).strip() for lines in said]


def _start(command: Sequence[str], share: Share) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command, cwd=share.folder, env=dict(share.environment), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # Python under Wine refuses a file
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    except OSError as problem:
        raise SetUpFailed(f"{command[0]} could not be started: {problem}") from problem


def _listen(process: subprocess.Popen[bytes], lines: list[str], show: Callable[[str], None]) -> None:
    assert process.stdout is not None
    for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip()
        if _PROGRESS.match(line):
            show(line)
        else:
            lines.append(line)
