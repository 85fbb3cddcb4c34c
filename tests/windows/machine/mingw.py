"""Compiling small Windows programs on Linux."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.windows.machine.problem import SetUpFailed

COMPILER = "x86_64-w64-mingw32-gcc"
RESOURCE_COMPILER = "x86_64-w64-mingw32-windres"
_LIMIT_S = 120


def compile_program(sources: Sequence[Path], output: Path, *options: str) -> None:
    """Compile C sources (and .def, .res files) into a program that needs no library beside Windows' own.

    ``options`` follow the sources, so that libraries can be named in them; ``-shared`` makes a DLL. Raises SetUpFailed
    with what the compiler says.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    run_tool([COMPILER, "-O2", "-Wall", "-o", str(output), *map(str, sources), "-static", *options], output.parent)


def run_tool(command: Sequence[str], folder: Path) -> None:
    """Run one tool of the compiler to its end. Raises SetUpFailed."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SetUpFailed(f"{command[0]} could not be run: {problem}") from problem
    if done.returncode != 0:
        raise SetUpFailed(f"{' '.join(command)} failed: {done.stderr.decode('utf-8', 'replace').strip()[-600:]}")
