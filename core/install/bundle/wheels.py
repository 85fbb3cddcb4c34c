"""Every pinned package as a file that a Windows user's pip takes without a network; fetched once, kept in the cache."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ...wire.json_file import write_json
from ..console import Console
from ..problem import InstallProblem
from .contents import hash_of
from .pins import Pin, normal

Runner = Callable[[Sequence[str], float], "subprocess.CompletedProcess[bytes]"]
"""Runs a command, given a limit in seconds."""
PLATFORM = "win_amd64"
_MINOR = 12
_KNOWN = "hashes.json"
_LIMIT_S = 1200.0
WINDOWS_TARGET = (
    "--platform", PLATFORM, "--python-version", f"3.{_MINOR}", "--implementation", "cp",
    "--abi", f"cp3{_MINOR}", "--abi", "abi3", "--abi", "none", "--only-binary=:all:",
)  # fmt: skip
"""What has pip on any system take wheels for CPython 3.12 on 64-bit Windows; it still judges markers by its own."""
_QUIET = ("--no-deps", "--disable-pip-version-check", "--no-input", "--quiet")
_NAME = re.compile(
    r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<on>[^-]+)\.whl"
)


class Wheel(NamedTuple):
    """A package's file for Windows."""

    pin: Pin
    path: Path
    sha256: str
    """Hexadecimal."""


def fetch(pins: Sequence[Pin], python: Path, folder: Path, console: Console, run: Runner) -> List[Wheel]:
    """The wheels of these packages, those not in ``folder`` yet fetched by ``python``'s pip. Raises InstallProblem."""
    folder.mkdir(parents=True, exist_ok=True)
    known = _known(folder)
    wheels = []
    with console.progress("fetching Windows packages") as progress:
        for place, pin in enumerate(pins):
            progress.to(place / len(pins), pin.key)
            wheel = _kept(pin, folder, known) or _fetched(pin, python, folder, run)
            known[wheel.path.name] = wheel.sha256
            _remember(folder, known)
            wheels.append(wheel)
    return wheels


def fits(name: str, pin: Pin) -> bool:
    """Is a file of this name the package, for CPython 3.12 on 64-bit Windows? (PEP 427 and 425)"""
    match = _NAME.fullmatch(name)
    if match is None or normal(match.group("name")) != normal(pin.name) or match.group("version") != pin.version:
        return False
    abis = match.group("abi").split(".")
    if PLATFORM not in match.group("on").split(".") and "any" not in match.group("on").split("."):
        return False
    return any(_runs(tag, abis) for tag in match.group("python").split("."))


def _runs(tag: str, abis: Sequence[str]) -> bool:
    if tag == f"cp3{_MINOR}":
        return bool({f"cp3{_MINOR}", "abi3", "none"} & set(abis))
    older = re.fullmatch(r"cp3(\d+)", tag)
    if older is not None:
        return "abi3" in abis and int(older.group(1)) <= _MINOR
    return "none" in abis and tag in ("py3", f"py3{_MINOR}")


def problem_with(path: Path, pin: Pin) -> Optional[str]:
    """What is wrong with a wheel's inside; None when it is whole and the package it should be."""
    try:
        with zipfile.ZipFile(path) as wheel:
            damaged = wheel.testzip()
            if damaged is not None:
                return f"{damaged} in it is damaged"
            said = metadata(wheel)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as problem:
        return f"it is no whole package ({problem})"
    found = f"{normal(said.get('Name', ''))}=={said.get('Version', '')}"
    return None if found == pin.key else f"it is {found}"


def metadata(wheel: zipfile.ZipFile) -> Mapping[str, str]:
    """The package's description of itself; of a field that stands there several times the first. Empty without one."""
    name = next((name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)), "")
    if not name:
        return {}
    message = Parser().parsestr(wheel.read(name).decode("utf-8", "replace"), headersonly=True)
    found: Dict[str, str] = {}
    for key, value in message.items():
        found.setdefault(key, str(value))
    licences = [line for line in message.get_all("Classifier", []) if line.startswith("License ::")]
    found["Licence classifiers"] = ", ".join(line.split(" :: ")[-1] for line in licences)
    found["Addresses"] = "\n".join(str(line) for line in message.get_all("Project-URL", []))
    return found


def _kept(pin: Pin, folder: Path, known: Mapping[str, str]) -> Optional[Wheel]:
    """A wheel from an earlier run, if it is still what it was."""
    for path in sorted(folder.glob("*.whl")):
        if path.name in known and fits(path.name, pin) and hash_of(path) == known[path.name]:
            return Wheel(pin, path, known[path.name])
    return None


def _fetched(pin: Pin, python: Path, folder: Path, run: Runner) -> Wheel:
    with tempfile.TemporaryDirectory(prefix="incoming-", dir=str(folder)) as incoming:
        pip = [str(python), "-I", "-m", "pip"]
        ask = f"{pin.name}=={pin.version}"
        done = run([*pip, "download", *_QUIET, *WINDOWS_TARGET, "--dest", incoming, ask], _LIMIT_S)
        if done.returncode != 0:
            # a package of Python alone may be published as source only: what is built of it here runs there as well
            built = run([*pip, "wheel", *_QUIET, "--wheel-dir", incoming, ask], _LIMIT_S)
            if built.returncode != 0:
                raise InstallProblem(
                    f"The Windows package {ask} could not be fetched. Is there a network connection and space on the "
                    f"disk? Run this again afterwards; what is done stays done. pip says: {_said(done.stderr)}"
                )
        arrived = sorted(Path(incoming).glob("*.whl"))
        chosen = next((path for path in arrived if fits(path.name, pin)), None)
        if chosen is None:
            names = ", ".join(path.name for path in arrived) or "nothing"
            raise InstallProblem(f"There is no {ask} for Python 3.{_MINOR} on 64-bit Windows: pip brought {names}.")
        wrong = problem_with(chosen, pin)
        if wrong is not None:
            raise InstallProblem(f"{chosen.name} cannot go in: {wrong}. Run this again to fetch it anew.")
        target = folder / chosen.name
        shutil.move(str(chosen), str(target))
    return Wheel(pin, target, hash_of(target))


def _said(words: bytes) -> str:
    lines = [line for line in words.decode("utf-8", "replace").splitlines() if not line.startswith("WARNING")]
    return " / ".join(line.strip() for line in lines if line.strip())[-500:]


def _known(folder: Path) -> Dict[str, str]:
    try:
        content = json.loads((folder / _KNOWN).read_text(encoding="utf-8"))
        return {str(name): str(sha256) for name, sha256 in content.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _remember(folder: Path, known: Mapping[str, str]) -> None:
    write_json(folder / _KNOWN, dict(sorted(known.items())))
