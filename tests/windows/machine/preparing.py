"""Setting the Windows machine up: parts that are there already stay, the others are made, side by side where they can.

Packages are unpacked by pip while the system's own packages are installed; then Wine fills its folder while Python is
put together.
"""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

from core.install.console import Console
from models.store.lock import file_lock
from tests.windows.machine import beforehand, packages, python_home, virtual_environment, wine
from tests.windows.machine.libraries import SOURCES
from tests.windows.machine.machine import WindowsMachine
from tests.windows.machine.parts import digest, is_made, made

_HERE = Path(__file__).parent
_LOOK_S = 0.2


def default_folder() -> Path:
    """Where the machine lies: outside of the checkout, so that every checkout of the project shares it."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "easyvtuber-obs" / "windows"


def ready_machine(folder: Path | None = None) -> WindowsMachine | None:
    """The machine as it was set up; None where it was not, or where what it depends on has changed since."""
    folder = folder or default_folder()
    keys = _Keys()
    if not all(is_made(folder, name, key) for name, key in keys.before_wine().items()):
        return None
    found = sorted(folder.glob("prefix-*/.complete"), key=lambda mark: mark.stat().st_mtime)
    return _machine(folder, keys, found[-1].parent) if found else None


def prepare(console: Console, folder: Path | None = None) -> WindowsMachine:
    """Set up what is missing and give the machine.

    Raises SetUpFailed or InstallProblem (a package that is missing and is not to be installed), each with one sentence.
    """
    folder = folder or default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    library = python_home.find_library()
    began_s = time.monotonic()
    with _alone(folder, console), ThreadPoolExecutor() as helpers, tempfile.TemporaryDirectory() as downloads:
        keys = _Keys()
        unpacking = helpers.submit(_make_packages, folder, keys)
        carrier: Future[Path] | None = None
        if not is_made(folder, "python", keys.python):
            carrier = helpers.submit(python_home.fetch_carrier, Path(downloads))
        wine.install_programs(console)
        prefix_key = keys.prefix()
        booting = helpers.submit(_make_prefix, folder, keys, prefix_key)
        python = made(folder, "python", keys.python, lambda place: _make_python(place, library, carrier))
        environment, prefix = unpacking.result(), booting.result()
        virtual_environment.equip(environment, python)
        machine = WindowsMachine(folder, python, environment, prefix)
        beforehand.make_all(machine)
    console.say(f"ready after {time.monotonic() - began_s:.0f} s: {machine.folder}")
    return machine


class _Keys:
    """What each part depends on."""

    def __init__(self) -> None:
        self.requirements = packages.requirements()
        self.environment = digest(self.requirements, _HERE / "packages.py")
        sources = [SOURCES / name for name in ("python.c", "launcher.c", "python.manifest", "nothing.c")]
        programs = [_HERE / name for name in ("python_home.py", "libraries.py", "exports.py", "mingw.py")]
        self.python = digest(*sources, *programs)

    def prefix(self) -> str:
        """Wine's folder depends on the Wine that is installed."""
        return digest(
            wine.own_c_library(), SOURCES / "complex.c", _HERE / "wine.py", _HERE / "libraries.py", _HERE / "exports.py"
        )

    def before_wine(self) -> dict[str, str]:
        """Name and key of the parts that do not need Wine."""
        return {"environment": self.environment, "python": self.python}


def _machine(folder: Path, keys: _Keys, prefix: Path) -> WindowsMachine:
    return WindowsMachine(folder, folder / f"python-{keys.python}", folder / f"environment-{keys.environment}", prefix)


def _make_packages(folder: Path, keys: _Keys) -> Path:
    def build(place: Path) -> None:
        packages.install(keys.requirements, place / "Lib" / "site-packages")

    return made(folder, "environment", keys.environment, build)


def _make_prefix(folder: Path, keys: _Keys, key: str) -> Path:
    return made(folder, "prefix", key, lambda place: wine.make_prefix(_machine(folder, keys, place)))


def _make_python(place: Path, library: Path, carrier: Future[Path] | None) -> None:
    assert carrier is not None, "it is fetched when Python is not there"
    python_home.make(place, library, carrier.result())


def _alone(folder: Path, console: Console) -> AbstractContextManager[None]:
    """One set-up at a time: a second one waits for the first, and then finds everything there."""

    def wait(tries: int) -> bool:
        if tries == 1:
            console.say("another set-up is at work; waiting for it")
        time.sleep(_LOOK_S)
        return True

    return file_lock(folder / "lock", wait)
