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

_DOWNLOAD_LIMIT_S = 120
_TEST_PROGRAMS = ("obs", "Xvfb", "openbox", "wmctrl", "xdotool", "import")


def test(console: Console, environment_folder: Path, arguments: Sequence[str]) -> int:
    """Set up what the tests need, OBS and a virtual screen included, and run them all. Gives pytest's exit code."""
    python = _prepared(console, environment_folder)
    missing = missing_programs(_TEST_PROGRAMS) if sys.platform.startswith("linux") else []
    if missing and package_manager() == "apt-get":
        console.step("Programs for the tests with a real OBS")
        install_packages(sorted({PACKAGES[name] for name in missing}), console, "not installed: " + ", ".join(missing))
    wheels = _windows_wheels(python)
    console.step("Tests")
    return _call([str(python), "-m", "pytest", *arguments], {"EASYVTUBER_WINDOWS_WHEELS": str(wheels)})


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
    """Strict types, as Linux sees the code and as Windows does."""
    python = _prepared(console, environment_folder)
    for platform in ("linux", "win32"):
        console.say(f"types as {platform}")
        code = _call([str(python), "-m", "mypy", "--platform", platform, "--cache-dir", f".mypy_cache/{platform}"])
        if code:
            return code
    return 0


def _prepared(console: Console, environment_folder: Path) -> Path:
    console.step("The environment")
    python = environment.prepare(environment_folder, console, for_tests=True)
    console.say(f"ready: {python}")
    return python


def _windows_wheels(python: Path) -> Path:
    """Windows packages whose insides some tests look at, beside the environment; without a network those skip."""
    folder = python.parent.parent / "windows-wheels"
    spout = next(line for line in environment.read_requirements(environment.WORKER_REQUIREMENTS) if "SpoutGL" in line)
    name = spout.split(";")[0].strip()
    if not any(folder.glob("SpoutGL*")):
        command = [str(python), "-I", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        target = ["--platform", "win_amd64", "--python-version", "3.12", "--dest", str(folder), name]
        subprocess.run([*command, *target], capture_output=True, check=False, timeout=_DOWNLOAD_LIMIT_S)
    return folder


def _call(command: List[str], extra: Optional[Mapping[str, str]] = None) -> int:
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        return subprocess.run(command, cwd=str(PROJECT), env={**(extra or {}), **inherited}, check=False).returncode
    except OSError as problem:
        raise InstallProblem(
            f"{command[0]} cannot be run ({problem}). Delete the environment and run this again."
        ) from problem
