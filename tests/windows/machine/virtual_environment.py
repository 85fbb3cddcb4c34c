"""The Windows environment that the tests run in, as the module venv would make it, without starting Windows for it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.windows.machine.machine import windows_path


def equip(environment: Path, python_home: Path) -> None:
    """Make an environment of a folder that has the packages already: its launchers and its ``pyvenv.cfg``."""
    scripts = environment / "Scripts"
    scripts.mkdir(exist_ok=True)
    for name in ("python.exe", "pythonw.exe"):
        shutil.copyfile(python_home / "Lib" / "venv" / "scripts" / "nt" / name, scripts / name)
        (scripts / name).chmod(0o755)
    home = windows_path(python_home)
    lines = [f"home = {home}", "include-system-site-packages = false", "version = 3.12.10"]
    lines += [f"executable = {home}\\python.exe"]
    (environment / "pyvenv.cfg").write_text("\n".join(lines) + "\n", encoding="utf-8")
