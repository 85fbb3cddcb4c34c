"""Where OBS Studio itself is, installed or portable, which version, and which settings folder it uses."""

from __future__ import annotations

import os
import re
import shutil
import struct
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional

from ...wire.folders import PROJECT
from ..problem import InstallProblem
from ..windows.processes import running_programs
from ..windows.registry import MACHINE, USER, Registry, open_registry
from .config import Version
from .folders import WINDOWS_PROGRAM, obs_config_folder, portable_config_folder
from .process import obs_version

_INSTALLED = (r"SOFTWARE\OBS Studio", r"SOFTWARE\WOW6432Node\OBS Studio")
"""The installer writes its folder as the key's own value; older installers wrote it where 32-bit programs do."""
_VERSION_MARK = struct.pack("<II", 0xFEEF04BD, 0x00010000)
"""How a VS_FIXEDFILEINFO begins: its signature and its own version."""


class ObsPlace(NamedTuple):
    """One OBS Studio."""

    program: Path
    config: Path
    """Its settings folder, ``obs-studio``; OBS makes it at its first start."""
    portable_switch: bool = False
    """It is portable only when it is started with ``--portable``."""

    @property
    def root(self) -> Path:
        """Windows: the folder with ``bin``, ``data`` and ``obs-plugins``."""
        return self.program.parent.parent.parent

    @property
    def is_portable(self) -> bool:
        """Does it keep its settings in its own folder?"""
        return self.config.parent == self.root / "config"

    @property
    def arguments(self) -> List[str]:
        """What it must be started with."""
        return ["--portable"] if self.portable_switch else []

    def version(self) -> Optional[Version]:
        """Its version; None when it cannot be found out. Raises ObsProcessError when it does not answer (Linux)."""
        if sys.platform.startswith("linux"):
            return obs_version(str(self.program))
        return file_version(self.program)


def find_obs(given: str = "") -> Optional[ObsPlace]:
    """The OBS in the folder ``given``, else the likeliest one; None if there is none.

    Raises InstallProblem when there is none in the folder given.
    """
    if given:
        return obs_in_folder(Path(given))
    return next(iter(all_obs()), None)


def all_obs(registry: Optional[Registry] = None, environment: Optional[Mapping[str, str]] = None) -> List[ObsPlace]:
    """Every OBS Studio found here, the likeliest first."""
    environment = os.environ if environment is None else environment
    if sys.platform == "win32":
        found: Dict[str, Path] = {}
        for program in _windows_programs(registry or open_registry(), environment):
            if program.is_file():
                found.setdefault(os.path.normcase(os.path.normpath(str(program.absolute()))), program)
        return [_place(program) for program in found.values()]
    if sys.platform == "darwin":
        programs = [Path("/Applications/OBS.app/Contents/MacOS/OBS")]
    else:
        programs = [Path(shutil.which("obs") or "")]
    return [ObsPlace(program, obs_config_folder()) for program in programs if program.is_file()]


def obs_in_folder(folder: Path) -> ObsPlace:
    """The OBS that the user names by its folder, or by its program. Raises InstallProblem if there is none."""
    folder = folder.expanduser().absolute()
    names = (WINDOWS_PROGRAM, "obs64.exe", "bin/64bit/obs", "bin/obs", "obs")
    for program in [folder, *(folder / name for name in names)]:
        if program.is_file():
            return _place(program, by_hand=True)
    raise InstallProblem(
        f"There is no OBS Studio in {folder}. Name the folder that has bin, data and obs-plugins in it: --obs FOLDER."
    )


def file_version(program: Path) -> Optional[Version]:
    """The version that a Windows program carries in its resources; None if it carries none."""
    try:
        data = program.read_bytes()
    except OSError:
        return None
    at = data.find(_VERSION_MARK)
    if at < 0 or len(data) < at + 16:
        return None
    upper, lower = struct.unpack_from("<II", data, at + 8)
    return (upper >> 16, upper & 0xFFFF, lower >> 16)


def steam_libraries(text: str) -> List[Path]:
    """The folders in Steam's ``libraryfolders.vdf``."""
    return [Path(path.replace("\\\\", "\\")) for path in re.findall(r'"path"\s+"([^"]+)"', text)]


def _place(program: Path, by_hand: bool = False) -> ObsPlace:
    """``by_hand``: the user named it, so settings in its folder count even without the mark that makes it portable."""
    root = program.parent.parent.parent
    portable = portable_config_folder(root)
    if portable is not None:
        return ObsPlace(program, portable)
    inside = root / "config/obs-studio"
    if by_hand and any((inside / name).is_file() for name in ("user.ini", "global.ini")):
        return ObsPlace(program, inside, portable_switch=True)
    return ObsPlace(program, obs_config_folder())


def _windows_programs(registry: Registry, environment: Mapping[str, str]) -> Iterator[Path]:
    yield from running_programs("obs64.exe")
    # a project folder that was put into a portable OBS belongs to that one
    yield from (folder / WINDOWS_PROGRAM for folder in PROJECT.parents)
    for hive in (MACHINE, USER):
        for key in _INSTALLED:
            folder = registry.value(hive, key)
            if folder:
                yield Path(folder) / WINDOWS_PROGRAM
    for name in ("ProgramW6432", "ProgramFiles"):
        if environment.get(name):
            yield Path(environment[name]) / "obs-studio" / WINDOWS_PROGRAM
    for library in _steam(registry):
        yield library / "steamapps/common/OBS Studio" / WINDOWS_PROGRAM
    scoop = Path(environment.get("SCOOP") or Path(environment.get("USERPROFILE", "")) / "scoop")
    yield scoop / "apps/obs-studio/current" / WINDOWS_PROGRAM
    for beside in ("obs-studio", "OBS-Studio", "OBS Studio"):
        yield PROJECT.parent / beside / WINDOWS_PROGRAM


def _steam(registry: Registry) -> List[Path]:
    home = registry.value(USER, r"Software\Valve\Steam", "SteamPath")
    if not home:
        return []
    try:
        listed = (Path(home) / "steamapps/libraryfolders.vdf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        listed = ""
    return [Path(home), *steam_libraries(listed)]
