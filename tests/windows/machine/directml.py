"""A system beside the Windows machine in which the real DirectML computes, on the processor: Debian 13 with its Wine,
vkd3d and Mesa's Vulkan driver lavapipe, in a folder of its own. Linux only, and only for root, who may change the root
folder of a process.

Nothing is mounted that other processes see: every command gets mount and process namespaces of its own, which end with
it, and so does everything it started. There is nothing to undo, even after SIGKILL, and no removal of the folder can
follow a mount into somebody's files. The Windows Python and its packages are the machine's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.install.console import Console
from core.install.system_packages import install_packages
from core.wire.folders import PROJECT
from tests.windows.card_errors import RESULT_VARIABLE
from tests.windows.machine.exports import exported_names
from tests.windows.machine.libraries import SOURCES, WINES_COPY, make_c_library
from tests.windows.machine.machine import RUN_LIMIT_S, WindowsMachine, windows_path
from tests.windows.machine.mingw import COMPILER, run_tool
from tests.windows.machine.parts import digest
from tests.windows.machine.problem import SetUpFailed

SUITE = "trixie"
"""Debian 13: the first whose Wine has a DirectX 12 that computes rightly (Wine 8's gives wrong numbers)."""
PACKAGES = (
    "wine", "wine64", "xvfb", "libgl1", "libgl1-mesa-dri", "libglx-mesa0", "libvulkan1", "mesa-vulkan-drivers",
)  # fmt: skip
MIRROR_VARIABLE = "EASYVTUBER_DEBIAN_MIRROR"
"""Names a Debian mirror where this system's own packages come from another distribution."""
SUITE_FILES = ("tests/windows/test_directml.py", "tests/windows/test_directml_networks.py")
"""What runs in there."""
RESULT_NAME = "directml.json"
"""How far the card is from the processor."""
_COMPLETE = "complete"
_LIBRARIES = Path("usr/lib/x86_64-linux-gnu/wine/x86_64-windows")
_BUILT_IN, _COPIED = b"Wine builtin DLL", b"a copy of Wine's"
_ORDINALS = {"D3D12CreateDevice": 101, "D3D12GetDebugInterface": 102}
"""Numbers by which programs ask for functions, as Microsoft's import library d3d12.lib has them."""
_DRIVER = "/usr/share/vulkan/icd.d/lvp_icd.json"
_NAMESPACES = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child")
_UNPACK_LIMIT_S, _INSTALL_LIMIT_S, _BOOT_LIMIT_S = 900.0, 900.0, 300.0


@dataclass(frozen=True, slots=True)
class DirectMLMachine:
    """The system, ready for use."""

    machine: WindowsMachine
    folder: Path
    """``system``: its root folder. ``prefix``: Wine's own folder."""

    @property
    def python(self) -> list[str]:
        """The command that runs the Windows Python there; append its arguments. Its output must be a pipe, and its
        environment :attr:`environment`."""
        return self.command(str(SOURCES / "screen.sh"), *self.machine.python)

    @property
    def environment(self) -> dict[str, str]:
        """The environment for a program in there."""
        overrides = self.machine.environment["WINEDLLOVERRIDES"]
        return {
            **self.machine.environment,
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEDLLOVERRIDES": f"{overrides};d3d12=n,b",
            "VK_DRIVER_FILES": _DRIVER,
            "PYTHONDONTWRITEBYTECODE": "1",
            RESULT_VARIABLE: windows_path(self.result),
        }

    @property
    def result(self) -> Path:
        """Where tests in there write how far the card is from the processor (:mod:`tests.windows.card_errors`)."""
        return self.machine.folder / RESULT_NAME

    def command(self, *arguments: str) -> list[str]:
        """What runs a program of that system in namespaces of its own.

        It sees the Windows machine's folder, may read the checkout and the test data, and sees nothing else of this
        system's files.
        """
        given = os.environ.get("EASYVTUBER_TEST_DATA")
        data = Path(given) if given else PROJECT.parent / "shared" / "data"
        shown = [f"rw={self.machine.folder}", f"ro={PROJECT}", *([f"ro={data.resolve()}"] if data.is_dir() else [])]
        script = str(SOURCES / "inside.sh")
        return [*_NAMESPACES, "sh", script, str(self.folder / "system"), *shown, "--", *arguments]

    def run_python(
        self, *arguments: str, limit_s: float = RUN_LIMIT_S, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the Windows Python in there to its end; stdout holds stderr too. Raises subprocess.TimeoutExpired."""
        return subprocess.run(
            [*self.python, *arguments],
            cwd="/",
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit_s,
            check=False,
        )


def ready_directml(machine: WindowsMachine) -> DirectMLMachine | None:
    """The system as it was set up; None where it was not, or where what it depends on has changed since."""
    found = DirectMLMachine(machine, _folder(machine))
    return found if (found.folder / _COMPLETE).is_file() else None


def prepare(console: Console, machine: WindowsMachine) -> DirectMLMachine:
    """Set up what is missing and give the system: about three minutes the first time, nothing afterwards.

    Raises SetUpFailed, or InstallProblem when a package is missing and is not to be installed.
    """
    ready = ready_directml(machine)
    if ready is not None:
        return ready
    if sys.platform == "win32" or os.geteuid() != 0:
        raise SetUpFailed(
            "DirectML is tried in a small Debian system of its own, and only root may make one. Run this as root, for "
            "example in a container, or leave --directml out."
        )
    if shutil.which("debootstrap") is None:
        install_packages(["debootstrap"], console, "not installed: debootstrap")
    began_s = time.monotonic()
    made = DirectMLMachine(machine, _folder(machine))
    for other in machine.folder.glob("directml-*"):
        remove(other)
    (made.folder / "system").mkdir(parents=True)
    console.say(f"a Debian system with Wine 10, in {made.folder}")
    _unpack(made.folder / "system")
    _install(made)
    _make_prefix(made)
    (made.folder / _COMPLETE).touch()
    console.say(f"DirectML is ready after {time.monotonic() - began_s:.0f} s")
    return made


def remove(folder: Path) -> None:
    """Remove a system. Raises SetUpFailed, and removes nothing, while anything is mounted below its folder."""
    inside = mounted_below(folder, Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))
    if inside:
        raise SetUpFailed(f"{folder} is not removed, because {inside[0]} is mounted in it. Unmount that first.")
    shutil.rmtree(folder)


def mounted_below(folder: Path, mounts: str) -> list[Path]:
    """The places below a folder on which something is mounted. ``mounts``: as /proc/self/mountinfo has it (proc(5):
    the fifth field, with blanks as octal numbers)."""
    whole = folder.resolve()
    places = (line.split()[4].encode().decode("unicode_escape") for line in mounts.splitlines() if line.strip())
    return [Path(place) for place in places if whole in (Path(place), *Path(place).parents)]


def _folder(machine: WindowsMachine) -> Path:
    scripts = [SOURCES / name for name in ("d3d12.c", "complex.c")]
    return machine.folder / f"directml-{digest(SUITE, PACKAGES, *scripts, Path(__file__))}"


def _unpack(system: Path) -> None:
    mirror = os.environ.get(MIRROR_VARIABLE) or _own_mirror()
    options = ["--variant=minbase", "--include=ca-certificates"]
    # debootstrap mounts too, and forgets it when it is killed
    _do([*_NAMESPACES, "debootstrap", *options, SUITE, str(system), mirror], _UNPACK_LIMIT_S, "unpacked")


def _own_mirror() -> str:
    """Where this system's packages come from, security updates left out. Raises SetUpFailed."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        told = []
    found = [place for place in told if "security" not in place]
    if not found:
        raise SetUpFailed(
            "DirectML is tried in a Debian system, and this system's packages come from elsewhere. Name a Debian "
            f"mirror in {MIRROR_VARIABLE}."
        )
    return found[0]


def _install(made: DirectMLMachine) -> None:
    system = made.folder / "system"
    # names are looked up as this system does
    shutil.copyfile("/etc/resolv.conf", system / "etc" / "resolv.conf")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    for arguments in (("update",), ("install", "--yes", "--no-install-recommends", *PACKAGES), ("clean",)):
        _do(made.command("apt-get", "--quiet", *arguments), _INSTALL_LIMIT_S, "given its packages", environment)


def _make_prefix(made: DirectMLMachine) -> None:
    screen = str(SOURCES / "screen.sh")
    boot = made.command(screen, "sh", "-c", "wineboot --init && wineserver --wait")
    libraries = made.folder / "libraries"
    libraries.mkdir()
    wines = made.folder / "system" / _LIBRARIES
    make_c_library(wines / "ucrtbase.dll", libraries)
    make_direct3d(wines / "d3d12.dll", libraries)
    overrides = made.machine.environment["WINEDLLOVERRIDES"].replace("ucrtbase=n,b", "ucrtbase=b")
    _do(boot, _BOOT_LIMIT_S, "started", {**made.environment, "WINEDLLOVERRIDES": overrides})
    target = made.folder / "prefix" / "drive_c" / "windows" / "system32"
    for name in ("ucrtbase.dll", WINES_COPY, "d3d12.dll", "wined3d12.dll"):
        # Wine may have put a link to its own file there
        (target / name).unlink(missing_ok=True)
        shutil.copyfile(libraries / name, target / name)


def make_direct3d(wines: Path, folder: Path) -> None:
    """Make ``d3d12.dll`` in ``folder``, with Wine's beside it (see ``d3d12.c``). Raises SetUpFailed."""
    content = wines.read_bytes()
    if _BUILT_IN not in content[:512]:
        raise SetUpFailed(f"{wines} is not marked as a library of Wine, so it cannot be stood in for.")
    # with the mark Wine would put its own library of that name in the copy's place
    (folder / "wined3d12.dll").write_bytes(content.replace(_BUILT_IN, _COPIED, 1))
    ours = "D3D12CreateDevice"
    lines = []
    for name in exported_names(wines):
        target = f"our_{name}" if name == ours else f"wined3d12.{name}"
        lines.append(f"  {name} = {target}" + (f" @{_ORDINALS[name]}" if name in _ORDINALS else ""))
    definition = folder / "d3d12.def"
    definition.write_text("\n".join(["LIBRARY d3d12.dll", "EXPORTS", *lines]) + "\n", encoding="ascii")
    sources = [str(SOURCES / "d3d12.c"), str(definition)]
    run_tool([COMPILER, "-O2", "-Wall", "-shared", "-o", "d3d12.dll", *sources, "-luuid", "-static-libgcc"], folder)


def _do(command: Sequence[str], limit_s: float, what: str, environment: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=limit_s, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SetUpFailed(f"The system for DirectML could not be {what}: {problem}") from problem
    if done.returncode != 0:
        said = done.stdout.decode("utf-8", "replace").strip()[-600:]
        raise SetUpFailed(f"The system for DirectML could not be {what} (exit status {done.returncode}): {said}")
