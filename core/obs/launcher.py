"""How the worker is started: which Python, with which environment, and where its complaints go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO, Dict, List, Mapping, NamedTuple, Optional

from ..wire.errors import EnvironmentBroken, EnvironmentMissing
from ..wire.folders import PROJECT, default_environment, environment_python, user_logs

EXIT_MISSING_PACKAGE = 3
"""Exit code of a worker whose environment lacks a package (see ``core/worker/__main__.py``)."""

_STDERR_NAME = "worker-stderr.log"
_KEPT_STDERR_BYTES = 1_000_000
_NOT_INHERITED = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "VIRTUAL_ENV", "LD_PRELOAD")


if sys.platform == "win32":
    _NO_WINDOW = subprocess.CREATE_NO_WINDOW
else:
    _NO_WINDOW = 0


class Launch(NamedTuple):
    """A worker process that was just started."""

    process: subprocess.Popen[bytes]
    stderr_path: Path
    stderr_start: int = 0
    """Where in that file this worker's words begin; what stands before are those of earlier ones."""


def worker_python(chosen: str) -> Path:
    """The interpreter to start. Raises EnvironmentMissing, with the path that was looked for."""
    python = Path(chosen) if chosen else environment_python(default_environment())
    try:
        if python.is_dir():
            python = environment_python(python)
        found = python.is_file()
    except OSError as problem:
        # a folder that may not be looked into, or a name that is too long for the disk
        raise EnvironmentMissing(str(problem), path=str(python)) from problem
    if not found:
        raise EnvironmentMissing(f"no file {python}", path=str(python))
    return python


def child_environment(environment: Mapping[str, str]) -> Dict[str, str]:
    """OBS's environment without what would pull the worker's Python into OBS's."""
    kept = {key: value for key, value in environment.items() if key.upper() not in _NOT_INHERITED}
    kept["PYTHONUTF8"] = "1"
    kept["PYTHONUNBUFFERED"] = "1"
    return kept


def command(python: Path) -> List[str]:
    """``-I``: neither the user's site-packages nor the current folder can put anything before our own."""
    return [str(python), "-I", "-X", "utf8", str(PROJECT / "core" / "worker")]


def launch(chosen_python: str) -> Launch:
    """Start a worker. Raises EnvironmentMissing or EnvironmentBroken."""
    python = worker_python(chosen_python)
    stderr_path = user_logs() / _STDERR_NAME
    errors = _open_stderr(stderr_path)
    start = errors.tell() if errors is not None else 0
    try:
        process = subprocess.Popen(
            command(python),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors if errors is not None else subprocess.DEVNULL,
            env=child_environment(os.environ),
            cwd=str(PROJECT),
            bufsize=0,
            close_fds=True,
            creationflags=_NO_WINDOW,
            # Ctrl+C in the terminal that OBS was started from is OBS's business; the worker follows its pipe
            start_new_session=sys.platform != "win32",
        )
    except OSError as problem:
        raise EnvironmentBroken(str(problem), path=str(python), missing="") from problem
    finally:
        if errors is not None:
            errors.close()
    return Launch(process, stderr_path, start)


def what_it_said(stderr_path: Path, start: int = 0, limit: int = 2000) -> str:
    """The end of what a worker wrote to stderr; empty when nothing can be read."""
    try:
        with stderr_path.open("rb") as handle:
            handle.seek(max(start, handle.seek(0, os.SEEK_END) - limit))
            return handle.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def why_it_never_spoke(exit_code: Optional[int], chosen_python: str, said: str) -> EnvironmentBroken:
    """The error for a worker that ended before its first word."""
    missing = said.splitlines()[-1] if exit_code == EXIT_MISSING_PACKAGE and said else ""
    path = chosen_python or str(default_environment())
    return EnvironmentBroken(f"exit code {exit_code}: {said[-500:]}", path=path, missing=missing)


def _open_stderr(path: Path) -> Optional[BinaryIO]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        grown = path.exists() and path.stat().st_size > _KEPT_STDERR_BYTES
        return path.open("wb" if grown else "ab")
    except OSError:
        return None
