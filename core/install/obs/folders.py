"""Where the user's OBS keeps its files, and whether it is running. Nothing is changed here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List, Mapping, NamedTuple, Optional

from ..windows.processes import mutex_exists, running_programs
from .files import ini_value, read_ini

NATIVE, FLATPAK = "native", "flatpak"
FLATPAK_CONFIG = ".var/app/com.obsproject.Studio/config"
PORTABLE_MARKS = ("portable_mode", "portable_mode.txt", "obs_portable_mode", "obs_portable_mode.txt")
_LINUX_NAMES = {"obs", ".obs-wrapped"}
WINDOWS_PROGRAM = "bin/64bit/obs64.exe"
"""OBS inside its folder."""
_MUTEX, _PORTABLE_MUTEX = "OBSStudioCore", "OBSStudioPortable"


class ConfigFolder(NamedTuple):
    """An ``obs-studio`` folder with OBS's settings, and which kind of OBS it belongs to."""

    path: Path
    kind: str = NATIVE


def obs_config_folders(environment: Optional[Mapping[str, str]] = None, system: str = "") -> List[ConfigFolder]:
    """The settings folders of this user's OBS programs that exist, the one used last first."""
    places = _places(os.environ if environment is None else environment, system or sys.platform)
    return sorted((place for place in places if place.path.is_dir()), key=lambda place: -_last_used(place.path))


def obs_config_folder(environment: Optional[Mapping[str, str]] = None, system: str = "") -> Path:
    """The settings folder of the OBS used last; where OBS would make it if there is none yet."""
    found = obs_config_folders(environment, system)
    if found:
        return found[0].path
    return _places(os.environ if environment is None else environment, system or sys.platform)[0].path


def portable_config_folder(obs_folder: Path) -> Optional[Path]:
    """The settings folder inside a portable OBS; None if OBS in this folder is not portable."""
    if any((obs_folder / mark).exists() for mark in PORTABLE_MARKS):
        return obs_folder / "config/obs-studio"
    return None


def settings_file(config_folder: Path) -> Path:
    """The file with [Python] and [Basic]: ``user.ini`` since OBS 31, wherever ``global.ini`` says it lies."""
    moved = _location(config_folder, "Configuration") / "user.ini"
    return moved if moved.is_file() else config_folder / "global.ini"


def scenes_folder(config_folder: Path) -> Path:
    """The folder with the scene collections' JSON files."""
    return _location(config_folder, "SceneCollections") / "basic/scenes"


def portable_root(config_folder: Path) -> Optional[Path]:
    """The folder of the portable OBS that keeps its settings here; None if they belong to an installed one."""
    if config_folder.parent.name.lower() != "config":
        return None
    root = config_folder.parent.parent
    return root if (root / WINDOWS_PROGRAM).is_file() else None


def portable_mutexes(root: Path) -> List[str]:
    """What a running portable OBS may be seen by: its settings folder, whatever is no letter or digit replaced.

    Which letters count beyond ASCII depends on the C library, so both are given.
    """
    place = os.path.normpath(str((root / "config").absolute()))
    kept = "".join(letter if letter.isalnum() else "_" for letter in place)
    ascii_only = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in place)
    return list(dict.fromkeys(_PORTABLE_MUTEX + name for name in (kept, ascii_only)))


def is_obs_running(config_folder: Optional[Path] = None) -> bool:
    """Whether an OBS of this user runs now: when it ends it overwrites what was written to its files.

    On Windows it is the one with the settings in ``config_folder``, else the installed one.
    """
    if sys.platform == "win32":
        root = portable_root(config_folder) if config_folder is not None else None
        if root is None:
            return mutex_exists(_MUTEX)
        inside = os.path.normcase(os.path.normpath(str(root.absolute()))) + os.sep
        programs = (os.path.normcase(str(path)) for path in running_programs("obs64.exe"))
        # started through a folder written in other letters its mutex has another name
        return any(map(mutex_exists, portable_mutexes(root))) or any(path.startswith(inside) for path in programs)
    if sys.platform == "darwin":
        command = ["pgrep", "-x", "-U", str(os.getuid()), "OBS"]
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    return any(_is_obs(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _places(environment: Mapping[str, str], system: str) -> List[ConfigFolder]:
    home = Path(environment.get("HOME") or Path.home())
    if system == "win32":
        roaming = environment.get("APPDATA")
        return [ConfigFolder((Path(roaming) if roaming else Path.home() / "AppData/Roaming") / "obs-studio")]
    if system == "darwin":
        return [ConfigFolder(home / "Library/Application Support/obs-studio")]
    base = environment.get("XDG_CONFIG_HOME")
    return [
        ConfigFolder((Path(base) if base else home / ".config") / "obs-studio"),
        ConfigFolder(home / FLATPAK_CONFIG / "obs-studio", FLATPAK),
    ]


def _last_used(folder: Path) -> float:
    times = [0.0]
    for name in ("global.ini", "user.ini"):
        try:
            times.append((folder / name).stat().st_mtime)
        except OSError:
            continue
    return max(times)


def _location(config_folder: Path, name: str) -> Path:
    """A folder that the user moved elsewhere; OBS falls back to its own when that place does not exist."""
    place = ini_value(read_ini(config_folder / "global.ini").text, "Locations", name)
    if place and Path(place).is_dir():
        return Path(place) / "obs-studio"
    return config_folder


def _is_obs(process: Path) -> bool:
    """Whether a folder of /proc belongs to a living OBS of this user."""
    if sys.platform == "win32":
        return False
    try:
        if process.stat().st_uid != os.getuid():
            return False
        record = (process / "stat").read_text("utf-8", "replace")  # number (name) state ...
        name, _, state = record.partition("(")[2].rpartition(") ")
        return name in _LINUX_NAMES and not state.startswith("Z")
    except OSError:  # it ended while we looked
        return False
