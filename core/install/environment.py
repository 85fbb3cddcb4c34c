"""The worker's environment: made once, brought up to date when the requirements change, examined by importing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from ..wire.folders import PROJECT, environment_python
from .bundle import contents as bundle_contents
from .bundle.contents import Bundle
from .console import Console
from .problem import InstallProblem
from .pythons import Python, examine, find_or_install_python, why_not
from .system_packages import install_packages

WORKER_REQUIREMENTS = PROJECT / "requirements.txt"
TEST_REQUIREMENTS = PROJECT / "tests" / "requirements.txt"
_MARK = "easyvtuber-packages.txt"
"""Inside the environment: what was installed from which files, so that a second run has nothing to do."""
_ONE_PACKAGE_LIMIT_S = 1200


def prepare(folder: Path, console: Console, for_tests: bool = False) -> Path:
    """Make the environment ready and give its interpreter. Raises InstallProblem."""
    files = [WORKER_REQUIREMENTS, TEST_REQUIREMENTS] if for_tests else [WORKER_REQUIREMENTS]
    python = environment_python(folder)
    made = examine((str(python),)) if python.is_file() else None
    is_made = made is not None and why_not(made) is None
    wanted = [line for file in files for line in read_requirements(file)]
    if is_made and _is_installed(folder, wanted):
        return python
    bundle = bundle_contents.here()
    if bundle is not None:
        bundle_contents.check(bundle, console)
    if not is_made:
        _make(folder, find_or_install_python(console), console)
    _install(python, wanted, console, bundle)
    _remember(folder, wanted)
    return python


def _make(folder: Path, python: Python, console: Console) -> None:
    console.say(f"making the worker's environment in {folder} with {python.path}")
    if folder.exists():
        if not (folder / "pyvenv.cfg").is_file() and any(folder.iterdir()):
            raise InstallProblem(
                f"{folder} is no Python environment, so it is left alone. Choose another --environment."
            )
        shutil.rmtree(folder)
    if run_quietly([str(python.path), "-I", "-c", "import ensurepip, venv"]).returncode != 0:
        # Debian and Ubuntu keep these two in a package of their own
        version = ".".join(map(str, python.version))
        install_packages([f"python{version}-venv"], console, f"Python {version} lacks its venv module")
    try:
        made = run_quietly([str(python.path), "-I", "-m", "venv", str(folder)])
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)  # half an environment would pass for somebody else's folder
        raise
    if made.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        said = (made.stderr or made.stdout).decode("utf-8", "replace").strip()[-400:]
        raise InstallProblem(f"The environment could not be made in {folder}: {said}")


def _install(python: Path, requirements: List[str], console: Console, bundle: Optional[Bundle] = None) -> None:
    """One package after another: the list is complete and exact, so nothing has to be resolved.

    What came along in a bundle is taken from there and from nowhere else.
    """
    made = examine((str(python),))
    version = (0, 0) if made is None else made.version
    with console.progress("installing packages") as progress:
        for place, requirement in enumerate(requirements):
            progress.to(place / len(requirements), requirement.split(";")[0])
            done = run_quietly(
                [str(python), "-I", "-m", "pip", "install", "--no-deps", "--disable-pip-version-check",
                 "--no-input", "--quiet", "--prefer-binary",
                 *bundle_contents.pip_options(bundle, requirement, version), requirement],
                limit_s=_ONE_PACKAGE_LIMIT_S,
            )  # fmt: skip
            if done.returncode != 0:
                said = done.stderr.decode("utf-8", "replace").strip()[-600:]
                raise InstallProblem(
                    f"The package {requirement} could not be installed. Is there a network connection and space on the "
                    f"disk? Run this again afterwards; what is done stays done. pip says: {said}"
                )


def install_extra(folder: Path, file: Path, console: Console) -> None:
    """Put the packages of another requirements file into the environment, once. Raises InstallProblem."""
    if not has_extra(folder, file):
        wanted = read_requirements(file)
        _install(environment_python(folder), wanted, console, bundle_contents.here())
        _remember(folder, wanted, file.name)


def has_extra(folder: Path, file: Path) -> bool:
    """Are the packages of this other requirements file in the environment?"""
    return _is_installed(folder, read_requirements(file), file.name)


def broken_imports(python: Path) -> str:
    """The first of the worker's packages that cannot be imported and why; empty when all can."""
    names = "numpy, cv2, onnx, onnxruntime, yaml, pyvirtualcam" + (", SpoutGL" if sys.platform == "win32" else "")
    done = run_quietly([str(python), "-I", "-c", f"import {names}"])
    return "" if done.returncode == 0 else done.stderr.decode("utf-8", "replace").strip().splitlines()[-1]


def read_requirements(file: Path) -> List[str]:
    """The requirements of a file, without comments."""
    lines = (line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _digest(requirements: Sequence[str]) -> List[str]:
    return [hashlib.sha256(line.encode()).hexdigest()[:16] for line in requirements]


def _is_installed(folder: Path, requirements: Sequence[str], mark: str = _MARK) -> bool:
    try:
        known = (folder / mark).read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return False
    return set(_digest(requirements)) <= set(known)


def _remember(folder: Path, requirements: Sequence[str], mark: str = _MARK) -> None:
    (folder / mark).write_text("\n".join(_digest(requirements)) + "\n", encoding="ascii")


def run_quietly(command: Sequence[str], limit_s: float = 300.0) -> subprocess.CompletedProcess[bytes]:
    """Run a program quietly; a program that cannot be run or does not end counts as failed."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        return subprocess.run(
            list(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, check=False, env=environment,
            cwd=str(PROJECT),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        return subprocess.CompletedProcess(list(command), 127, b"", str(problem).encode())
