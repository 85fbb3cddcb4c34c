"""The Python inside OBS on Windows: OBS loads the one whose folder its settings name, and none without that.

Linux: OBS brings its own, there is nothing to set.
"""

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path
from typing import List, Optional, Tuple

from .. import pythons
from ..console import Console
from ..install_record import PythonChange, record_python_change, recorded_python_changes
from ..problem import InstallProblem
from ..pythons import Python
from .closed import wait_until_closed
from .config import Version
from .files import ini_value, read_ini, with_ini_value, without_ini_value, write_ini
from .folders import settings_file
from .places import ObsPlace

SECTION, KEY = "Python", "Path64bit"
OLDEST_MINOR = 8
"""Our script is written in Python 3.8."""
_AMD64 = 0x8664
_LOADS_AT_MOST = (((30, 1, 0), 12), ((29, 1, 0), 11))
"""The newest Python 3 by OBS's own version; 3.10 before, 3.12 still in OBS 32.2 (obs-scripting-python.c)."""
_BEFORE_THAT = 10


def newest_minor(version: Optional[Version]) -> int:
    """The newest Python 3 that this OBS for Windows loads."""
    if version is None:
        return _LOADS_AT_MOST[0][1]
    return next((minor for since, minor in _LOADS_AT_MOST if version >= since), _BEFORE_THAT)


def why_obs_cannot(folder: Path, newest: int) -> Optional[str]:
    """Why OBS could not load the Python in this folder; None when it can.

    OBS takes the newest library it knows the name of. Without the standard library Python's start ends OBS itself.
    """
    if not folder.is_dir():
        return "that folder does not exist"
    if "windowsapps" in re.split(r"[\\/]", str(folder).lower()):
        return "it is the Microsoft Store's Python, which other programs cannot load"
    minors = sorted(
        int(match.group(1))
        for match in (re.fullmatch(r"python3(\d+)\.dll", path.name.lower()) for path in folder.glob("python3*.dll"))
        if match
    )
    loadable = [minor for minor in minors if minor <= newest]
    if not loadable:
        holds = f"it holds Python 3.{minors[-1]}" if minors else "there is no Python in it"
        return f"{holds}, and this OBS loads 3.{OLDEST_MINOR} to 3.{newest}"
    minor = loadable[-1]
    if minor < OLDEST_MINOR:
        return f"it holds Python 3.{minor}, and the script needs 3.{OLDEST_MINOR} or newer"
    if _machine(folder / f"python3{minor}.dll") != _AMD64:
        return "it is not a 64-bit Python for Intel and AMD processors"
    if not (folder / "python3.dll").is_file():
        return "its python3.dll is missing, which OBS needs as well"
    has_library = (folder / "Lib/encodings/__init__.py").is_file()
    is_embeddable = any(folder.glob("python3*._pth")) and (folder / f"python3{minor}.zip").is_file()
    if not has_library and not is_embeddable:
        return "its standard library (the folder Lib) is missing, and OBS would close at its start"
    return None


def obs_python_path(place: ObsPlace) -> Optional[str]:
    """The folder that OBS's settings name; None when they name none."""
    return ini_value(read_ini(settings_file(place.config)).text, SECTION, KEY) or None


def prepare_obs_python(console: Console, place: ObsPlace) -> None:
    """Have OBS load a Python that works, after asking; a path that works is left alone. Raises InstallProblem."""
    if sys.platform != "win32":
        return
    newest = newest_minor(place.version())
    known = obs_python_path(place)
    reason = why_obs_cannot(Path(known), newest) if known else None
    if known and reason is None:
        console.say(f"ready: OBS loads the Python in {known}")
        return
    if known:
        console.say(f"OBS is set to the Python in {known}, but cannot load it: {reason}.")
    python = _best_for_obs(newest)
    if python is None:
        why = f"OBS itself needs a 64-bit Python as well, 3.{OLDEST_MINOR} to 3.{newest}, and none was found"
        if newest < 12:
            raise InstallProblem(
                f"{why}. Bring OBS up to date (it then loads 3.12), or install a Python 3.{newest} from python.org."
            )
        pythons.install_python(console, why)
        python = _best_for_obs(newest)
        if python is None:
            raise InstallProblem(f"{why}, even after installing one. {pythons.BY_HAND}")
    by_hand = f"Choose {python.home} yourself in OBS: Tools, Scripts, Python Settings."
    if not console.ask(f"Let OBS load the Python in {python.home}? (Its settings file is backed up first.)"):
        raise InstallProblem(f"OBS loads no Python now, so the script cannot work. {by_hand}")
    wait_until_closed(console, place.config, by_hand)
    console.say(f"OBS loads the Python in {python.home} from now on{_set(place.config, known, python.home.as_posix())}")


def restore_obs_python(console: Console) -> None:
    """Put back what OBS's settings named before us, wherever the path is still ours."""
    for change in recorded_python_changes():
        for file in dict.fromkeys((settings_file(change.config), change.config / "global.ini")):
            ini = read_ini(file)
            if ini_value(ini.text, SECTION, KEY) != change.written:
                continue
            wait_until_closed(console, change.config, "Run this again when OBS is closed.")
            if change.before is None:
                text = without_ini_value(ini.text, SECTION, KEY)
            else:
                text = with_ini_value(ini.text, SECTION, KEY, change.before.replace("\\", "/"))
            write_ini(file, ini._replace(text=text))
            console.say(f"OBS's Python path is again {change.before or 'not set'} ({file})")


def describe_obs_python(place: ObsPlace) -> Tuple[bool, str]:
    """For the doctor: whether OBS on Windows loads a Python, in words."""
    newest = newest_minor(place.version())
    known = obs_python_path(place)
    if not known:
        return False, "OBS loads no Python: no folder is set. Run: install_plugin.py run, or Tools, Scripts in OBS."
    reason = why_obs_cannot(Path(known), newest)
    if reason is not None:
        return False, f"OBS cannot load the Python in {known}: {reason}. Run: install_plugin.py run"
    return True, f"OBS loads the Python in {known}."


def _set(config: Path, before: Optional[str], path: str) -> str:
    """Write the path and remember what was there; gives the end of the sentence that tells it."""
    file = settings_file(config)
    ini = read_ini(file)
    record_python_change(PythonChange(config, before, path))
    backup = write_ini(file, ini._replace(text=with_ini_value(ini.text, SECTION, KEY, path)))
    return f"; the settings before are kept as {backup}" if backup else ""


def _best_for_obs(newest: int) -> Optional[Python]:
    """The newest Python here that OBS can load; a worker's favourite first."""
    found, _ = pythons.pythons_here()
    fitting: List[Python] = [
        python
        for python in found
        if pythons.why_not_any_use(python) is None
        and (3, OLDEST_MINOR) <= python.version <= (3, newest)
        and why_obs_cannot(python.home, newest) is None
    ]
    return max(fitting, key=lambda python: python.version, default=None)


def _machine(library: Path) -> int:
    """The processor a Windows library is for, as its PE header says; 0 when it is none."""
    try:
        with library.open("rb") as file:
            start = file.read(1024)
        at = struct.unpack_from("<I", start, 0x3C)[0]
        return int(struct.unpack_from("<H", start, at + 4)[0]) if start[at : at + 4] == b"PE\0\0" else 0
    except (OSError, struct.error):
        return 0
