"""Wine: which packages bring it, where its own files are, and a fresh folder of its own with drive C."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from core.install.console import Console
from core.install.problem import InstallProblem
from core.install.system_packages import install_packages, package_manager
from core.install.virtual_screen import PACKAGES, SCREEN_PROGRAMS
from tests.windows.machine.libraries import WINES_COPY, make_c_library
from tests.windows.machine.machine import WindowsMachine
from tests.windows.machine.problem import SetUpFailed

_SCREEN = {name: PACKAGES[name] for name in SCREEN_PROGRAMS}
PROGRAMS = {"wine": "wine", "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64-posix", **_SCREEN}
"""Programs that are needed, and the Debian or Ubuntu packages that bring them."""
_ALONG_WITH_THEM = (
    "wine64", "libgl1", "libgl1-mesa-dri", "libglx-mesa0", "libvulkan1", "mesa-vulkan-drivers",
)  # fmt: skip
"""OpenGL and Vulkan on the processor; 32-bit programs are not wanted."""
_LIBRARY_FOLDERS = ("/usr/lib/x86_64-linux-gnu/wine", "/usr/lib64/wine", "/usr/lib/wine", "/opt/wine-stable/lib64/wine")
_C_LIBRARY = "x86_64-windows/ucrtbase.dll"
_BOOT_LIMIT_S = 250
WINDOWS_VERSION = "win10"


def install_programs(console: Console) -> None:
    """Install what is missing with the system's packages, after asking. Raises InstallProblem."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if not missing:
        return
    if package_manager() != "apt-get":
        raise InstallProblem(
            f"The tests as Windows need {', '.join(missing)}, and are set up by themselves on Debian and Ubuntu only. "
            "Install them with your system's packages and run this again."
        )
    packages = [*(PROGRAMS[program] for program in missing), *_ALONG_WITH_THEM]
    install_packages(packages, console, "not installed: " + ", ".join(missing))


def own_c_library() -> Path:
    """Wine's ``ucrtbase.dll``. Raises SetUpFailed when it is in none of the usual folders."""
    for folder in _LIBRARY_FOLDERS:
        if (Path(folder) / _C_LIBRARY).is_file():
            return Path(folder) / _C_LIBRARY
    raise SetUpFailed(f"Wine is installed, but {_C_LIBRARY} is in none of {', '.join(_LIBRARY_FOLDERS)}.")


def make_prefix(machine: WindowsMachine) -> None:
    """Let Wine fill ``machine.prefix``, and put our C library into it. Raises SetUpFailed."""
    # Wine 8 says that it is Windows 7; what it keeps in memory is on the disk only when its server has ended
    commands = (["wineboot", "--init"], ["winecfg", "-v", WINDOWS_VERSION], ["wineserver", "--wait"])
    try:
        done, *_ = [
            subprocess.run(
                command, env=machine.environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_BOOT_LIMIT_S,
                check=False,
            )
            for command in commands
        ]  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SetUpFailed(f"Wine could not make its folder {machine.prefix}: {problem}") from problem
    if not machine.system_folder.is_dir():
        said = done.stderr.decode("utf-8", "replace").strip()[-400:]
        raise SetUpFailed(f"Wine made no Windows in {machine.prefix} (exit status {done.returncode}): {said}")
    put_c_library(machine)


def put_c_library(machine: WindowsMachine) -> None:
    """Put our ``ucrtbase.dll``, and Wine's beside it, where programs find them. Raises SetUpFailed."""
    made = machine.prefix / "libraries"
    made.mkdir(exist_ok=True)
    make_c_library(own_c_library(), made)
    for name in ("ucrtbase.dll", WINES_COPY):
        # Wine's folder may have links to its own files here: those are to be replaced, not written through
        (machine.system_folder / name).unlink(missing_ok=True)
        shutil.copyfile(made / name, machine.system_folder / name)
