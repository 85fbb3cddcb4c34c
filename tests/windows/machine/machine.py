"""A Windows machine under Wine that is ready for use: where its parts lie, and how programs are started on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

RUN_LIMIT_S = 300.0
_QUIET = {
    # no Mono or Gecko is wanted, no desktop entries, no crash dialogue; our ucrtbase.dll goes before Wine's
    "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=;winedbg.exe=;ucrtbase=n,b",
    "WINEARCH": "win64",
    "WINEDEBUG": "-all",
}
_NOT_INHERITED = ("PYTHON", "PIP_", "VIRTUAL_ENV", "WINE", "XDG_", "LC_", "LANG")


def windows_path(path: Path) -> str:
    """A path of this machine as programs under Wine see it: drive Z is the root folder."""
    return "Z:" + str(path).replace("/", "\\")


class WindowsMachine(NamedTuple):
    """The folders of a machine. ``preparing`` makes them; nothing in here writes to them."""

    folder: Path
    """Everything lies in here."""
    python_home: Path
    """The Windows Python: ``python.exe``, ``python312.dll``, ``python3.dll``, ``Lib``, ``DLLs``."""
    virtual_environment: Path
    """An environment of that Python with the worker's packages and pytest (``Scripts/python.exe``)."""
    prefix: Path
    """Wine's own folder, with drive C."""

    @property
    def system_folder(self) -> Path:
        """``C:\\windows\\system32``."""
        return self.prefix / "drive_c" / "windows" / "system32"

    @property
    def temporary_folder(self) -> Path:
        """For what tests write: a name with a space, an accent and Chinese, as users have them."""
        return self.folder / "tmp" / "Jörg 用户"

    @property
    def python(self) -> list[str]:
        """The command that runs the environment's Python."""
        return ["wine", str(self.virtual_environment / "Scripts" / "python.exe")]

    @property
    def environment(self) -> dict[str, str]:
        """The environment for a program under Wine, made of this process's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
        run, home, temporary = self.folder / "run", self.folder / "home", self.temporary_folder
        for folder in (run, home, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        run.chmod(0o700)
        own = {
            "HOME": str(home),
            "WINEPREFIX": str(self.prefix),
            "XDG_RUNTIME_DIR": str(run),
            # Wine takes the names of files for what the locale says
            "LC_ALL": "C.UTF-8",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "EASYVTUBER_WINDOWS_MACHINE": windows_path(self.folder),
            "EASYVTUBER_WINDOWS_PYTHON_HOME": windows_path(self.python_home),
        }
        return {**kept, **_QUIET, **own}

    def run(
        self,
        program: Path | str,
        *arguments: str,
        limit_s: float = RUN_LIMIT_S,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a Windows program to its end; stdout holds stderr too.

        ``environment`` is added to the machine's own. Raises OSError when there is no Wine and
        subprocess.TimeoutExpired after ``limit_s``.
        """
        return subprocess.run(
            ["wine", str(program), *arguments],
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # Python under Wine refuses a file
            stderr=subprocess.STDOUT,
            timeout=limit_s,
            check=False,
        )

    def run_python(
        self, *arguments: str, limit_s: float = RUN_LIMIT_S, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the environment's Python; see :meth:`run`."""
        return self.run(self.python[1], *arguments, limit_s=limit_s, environment=environment)
