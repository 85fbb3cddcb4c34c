"""Python sources out of Windows wheels, for checkers that look at them on any system."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import List

from ...wire.folders import PROJECT
from .. import environment
from ..bundle.wheels import WINDOWS_TARGET

SOURCES = PROJECT / "build" / "windows-packages"
"""Where ``pyproject.toml`` has the second checker look before it takes a stub."""
_PACKAGE = "onnxruntime-directml"
_PARTS = ("onnxruntime/__init__.py", "onnxruntime/capi/")
"""Of that wheel: what the product calls. The rest is tools of its makers."""
_DOWNLOAD_LIMIT_S = 300


def download(python: Path, package: str) -> Path:
    """The folder beside the environment with the Windows wheel of a package of ``requirements.txt``.

    Without a network the wheel is not there afterwards; who looks for it says so.
    """
    folder = python.parent.parent / "windows-wheels"
    if not wheels(folder, package):
        command = [str(python), "-I", "-m", "pip", "download", "--quiet", "--no-deps", *WINDOWS_TARGET]
        environment.run_quietly([*command, "--dest", str(folder), _pinned(package)], limit_s=_DOWNLOAD_LIMIT_S)
    return folder


def unpack(python: Path) -> bool:
    """Bring ONNX Runtime's sources, as Windows has them, to :data:`SOURCES`. False: they could not be had."""
    mark = SOURCES / "unpacked.txt"
    wanted = _pinned(_PACKAGE)
    if mark.is_file() and mark.read_text(encoding="ascii") == wanted:
        return True
    try:
        found = wheels(download(python, _PACKAGE), _PACKAGE)
        if not found:
            return False
        shutil.rmtree(str(SOURCES), ignore_errors=True)
        with zipfile.ZipFile(str(found[-1])) as wheel:
            names = [name for name in wheel.namelist() if name.endswith((".py", ".pyi")) and name.startswith(_PARTS)]
            wheel.extractall(str(SOURCES), names)
        mark.write_text(wanted, encoding="ascii")
    except (OSError, zipfile.BadZipFile):
        shutil.rmtree(str(SOURCES), ignore_errors=True)
        return False
    return True


def wheels(folder: Path, package: str) -> List[Path]:
    """The wheels of exactly the pinned version in a folder; their names are spelled in more than one way."""
    name, version = _pinned(package).split("==")
    begins = f"{name}-{version}-".replace("-", "_").lower()
    return sorted(file for file in folder.glob("*.whl") if file.name.replace("-", "_").lower().startswith(begins))


def _pinned(package: str) -> str:
    lines = environment.read_requirements(environment.WORKER_REQUIREMENTS)
    return next(line.split(";")[0].strip() for line in lines if line.lower().startswith(package.lower() + "=="))
