"""Verbs that run in the environment: people's tools, and what developers and CI do (lint, types, test, bench, ...)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

from ..wire.folders import PROJECT
from . import environment
from .console import Console
from .problem import InstallProblem
from .system_packages import install_packages, package_manager
from .virtual_screen import PACKAGES, missing_programs
from .windows import sources as windows_sources
from .windows import suite as windows_suite

_ALONE = ("tests/crash", "tests/obs")
_MOST_TEST_PROCESSES = 8
_TEST_PROGRAMS = ("obs", "Xvfb", "openbox", "wmctrl", "xdotool", "import")


def test(console: Console, environment_folder: Path, arguments: Sequence[str], assume_yes: bool = False) -> int:
    """Set up what the tests need, OBS and a virtual screen included, and run them all. Gives pytest's exit code.

    With ``--windows`` among the arguments they run as Windows runs them.
    """
    as_windows, arguments = windows_suite.wanted(arguments)
    if as_windows and not windows_suite.is_windows():
        windows_suite.check_system()
        python = _prepared(console, environment_folder)
        return _call(windows_suite.command(str(python), arguments, assume_yes))
    python = _prepared(console, environment_folder)
    missing = missing_programs(_TEST_PROGRAMS) if sys.platform.startswith("linux") else []
    if missing and package_manager() == "apt-get":
        console.step("Programs for the tests with a real OBS")
        install_packages(sorted({PACKAGES[name] for name in missing}), console, "not installed: " + ", ".join(missing))
    wheels = windows_sources.download(python, "SpoutGL")
    console.step("Tests")
    runs = [list(arguments)] if arguments else _two_runs()
    codes = [_call([str(python), "-m", "pytest", *run], {"EASYVTUBER_WINDOWS_WHEELS": str(wheels)}) for run in runs]
    return max(codes)


def _two_runs() -> List[List[str]]:
    """Arguments for pytest: what may share the machine is spread over its cores, what watches a real OBS or kills
    processes runs by itself afterwards."""
    processes = min(os.cpu_count() or 1, _MOST_TEST_PROCESSES)
    left_out = [f"--ignore={folder}" for folder in _ALONE]
    return [["-q", "-n", str(processes), "--dist", "loadfile", "tests", *left_out], list(_ALONE)]


TOOLS = {"models": "models", "picture": "models.picture_import", "devices": "accel"}
"""Commands that run in the worker's environment, by the module that has them."""


def tool(console: Console, environment_folder: Path, name: str, arguments: Sequence[str], assume_yes: bool) -> int:
    """Run one of :data:`TOOLS` with the user's arguments and give its exit code."""
    python = environment.prepare(environment_folder, console)
    agreed = ["--yes"] if assume_yes and name == "models" else []
    return _call([str(python), "-m", TOOLS[name], *agreed, *arguments])


def bench(console: Console, environment_folder: Path, arguments: Sequence[str]) -> int:
    """Run one benchmark by name; without a name, list them."""
    names = sorted(path.stem for path in (PROJECT / "benchmarks").glob("*.py") if not path.stem.startswith("_"))
    if not arguments or arguments[0] not in names:
        console.say("usage: install_plugin.py bench NAME [--json FILE] ...\nbenchmarks: " + ", ".join(names))
        return 0 if not arguments else 2
    python = _prepared(console, environment_folder)
    return _call([str(python), "-m", f"benchmarks.{arguments[0]}", *arguments[1:]])


def lint(console: Console, environment_folder: Path, fix: bool) -> int:
    """Style: ruff's linter and formatter. ``fix`` lets them change files."""
    python = _prepared(console, environment_folder)
    check = [str(python), "-m", "ruff", "check", *(["--fix"] if fix else []), "."]
    layout = [str(python), "-m", "ruff", "format", *([] if fix else ["--check"]), "."]
    return _call(check) or _call(layout)


def types(console: Console, environment_folder: Path) -> int:
    """Strict types, as Linux sees the code and as Windows does; the latter by a second checker too, which reasons
    differently."""
    python = _prepared(console, environment_folder)
    if not windows_sources.unpack(python):
        console.say("ONNX Runtime's Windows package could not be had: its calls are checked against our stub alone")
    for platform in ("linux", "win32"):
        console.say(f"types as {platform}")
        code = _call([str(python), "-m", "mypy", "--platform", platform, "--cache-dir", f".mypy_cache/{platform}"])
        if code:
            return code
    console.say("types as win32, by the second checker")
    return _call([str(python), "-m", "basedpyright", "--pythonplatform", "Windows", "--pythonpath", str(python)])


def _prepared(console: Console, environment_folder: Path) -> Path:
    console.step("The environment")
    python = environment.prepare(environment_folder, console, for_tests=True)
    console.say(f"ready: {python}")
    return python


def _call(command: List[str], extra: Optional[Mapping[str, str]] = None) -> int:
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        return subprocess.run(command, cwd=str(PROJECT), env={**(extra or {}), **inherited}, check=False).returncode
    except OSError as problem:
        raise InstallProblem(
            f"{command[0]} cannot be run ({problem}). Delete the environment and run this again."
        ) from problem
