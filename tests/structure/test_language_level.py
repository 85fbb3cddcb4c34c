"""OBS loads any Python from 3.8 on: its side of the code must be written in that language, and run in it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from core.wire.folders import PROJECT
from tests.windows.wine_detection import under_wine

OBS_SIDE = [
    PROJECT / "obs_easyvtuber.py",
    PROJECT / "install_plugin.py",
    PROJECT / "core" / "__init__.py",
    *sorted((PROJECT / "core" / "wire").glob("*.py")),
    *sorted((PROJECT / "core" / "obs").glob("*.py")),
    *sorted((PROJECT / "core" / "install").rglob("*.py")),
]

IMPORT_ALL = """
import importlib, pathlib, sys, types
sys.path.insert(0, sys.argv[1])
sys.modules["obspython"] = types.ModuleType("obspython")
root = pathlib.Path(sys.argv[1])
for folder in ("core/wire", "core/obs", "core/install"):
    for path in sorted((root / folder).rglob("*.py")):
        importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
"""


def _find(version: str) -> str | None:
    """An interpreter of that version: on the PATH, or among pyenv's."""
    if under_wine():
        # Wine finds Linux's interpreters, and starts them, but cannot hear them
        return None
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for candidate in (shutil.which(f"python{version}"), *candidates):
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


@pytest.mark.parametrize("path", OBS_SIDE, ids=lambda path: path.name)
def test_its_syntax_is_that_of_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_it_imports_in_every_python_that_is_here(version: str) -> None:
    python = _find(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    done = subprocess.run([python, "-I", "-c", IMPORT_ALL, str(PROJECT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_script_itself_is_understood_by_python_3_6_so_that_it_can_say_it_is_too_old() -> None:
    ast.parse((PROJECT / "obs_easyvtuber.py").read_text(encoding="utf-8"), feature_version=(3, 6))
