"""An unpacked bundle on the user's machine: its list of contents, whether all of it arrived, and its packages."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import IO, Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ...wire.folders import PROJECT
from ..console import Console
from ..problem import InstallProblem
from .pins import pin_of

MANIFEST = "bundle.json"
WHEELS = "wheels"
PYTHON = "python"
"""Folder of the interpreter that comes along; OBS and the worker's environment may both use it."""
FORMAT = 1
_USERS_OWN = ("characters/", "docs/", "models/weights/")
"""What people may change or take away without anything of the program missing."""
_LONGEST_PATH = 259
"""MAX_PATH of the Windows interface without its closing zero ("Maximum Path Length Limitation")."""
_PIECE = 1 << 20


class Bundle(NamedTuple):
    """What ``bundle.json`` says."""

    folder: Path
    product: str
    """Version of the program it was made of."""
    python: Tuple[int, int]
    """The Python that its packages are for."""
    longest_name: int
    """Letters of the longest path below the folder once everything is installed."""
    wheels: Mapping[str, str]
    """Package (``name==version``) to the name of its file in ``wheels``."""
    files: Mapping[str, Tuple[int, str]]
    """Path below the folder, with forward slashes, to its size in bytes and SHA-256 (hexadecimal)."""


def here(folder: Path = PROJECT, platform: str = sys.platform) -> Optional[Bundle]:
    """The bundle that this program came in; None for a clone, and wherever its Windows packages are of no use.

    Raises InstallProblem when its list of contents cannot be read.
    """
    manifest = folder / MANIFEST
    if platform != "win32" or not manifest.is_file():
        return None
    try:
        return _parsed(folder, json.loads(manifest.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as problem:
        raise InstallProblem(f"{manifest} cannot be read ({problem}). {_AGAIN}") from problem


def check(bundle: Bundle, console: Console) -> None:
    """Raise InstallProblem with the first file that did not arrive as it was packed, or when the path is too long."""
    room = _LONGEST_PATH - len(str(bundle.folder)) - 1
    if bundle.longest_name > room:
        raise InstallProblem(
            f"{bundle.folder} lies too deep: Windows allows {_LONGEST_PATH} letters for a file's whole path, and this "
            f"needs {bundle.longest_name - room} more. Move the folder to a shorter place, C:\\EasyVtuber for example."
        )
    watched = {name: facts for name, facts in bundle.files.items() if not name.startswith(_USERS_OWN)}
    for name, (byte_count, _) in watched.items():
        path = bundle.folder / name
        if not path.is_file():
            raise InstallProblem(f"{path} is missing: the bundle was not unpacked to the end. {_AGAIN}")
        if path.stat().st_size != byte_count:
            raise InstallProblem(
                f"{path} has {path.stat().st_size} bytes instead of {byte_count}: it did not arrive whole. {_AGAIN}"
            )
    done, total = 0, sum(byte_count for byte_count, _ in watched.values()) or 1
    with console.progress("checking the bundle") as progress:
        for name, (byte_count, sha256) in watched.items():
            progress.to(done / total, name.rpartition("/")[2])
            if hash_of(bundle.folder / name) != sha256:
                raise InstallProblem(f"{bundle.folder / name} is damaged or was changed. {_AGAIN}")
            done += byte_count


def pip_options(bundle: Optional[Bundle], requirement: str, python: Tuple[int, int]) -> List[str]:
    """Options that have pip take a requirement from the bundle and nowhere else; none when it is not in there."""
    pin = pin_of(requirement)
    if bundle is None or pin is None or pin.key not in bundle.wheels or python != bundle.python:
        return []
    return ["--no-index", "--find-links", str(bundle.folder / WHEELS)]


def hash_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return digest_of(file)


def digest_of(file: IO[bytes]) -> str:
    """SHA-256 of what is left to read, hexadecimal. Raises what reading raises."""
    digest = hashlib.sha256()
    for piece in iter(lambda: file.read(_PIECE), b""):
        digest.update(piece)
    return digest.hexdigest()


_AGAIN = "Download the zip again if need be, unpack all of it over this folder (your characters stay), and try again."


def _parsed(folder: Path, content: Mapping[str, Any]) -> Bundle:
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']}, this program knows {FORMAT}")
    major, minor = str(content["python"]).split(".")
    files: Dict[str, Tuple[int, str]] = {
        str(name): (int(facts[0]), str(facts[1])) for name, facts in content["files"].items()
    }
    wheels = {str(key): str(name) for key, name in content["wheels"].items()}
    version, longest = str(content["product"]), int(content["longest_name"])
    return Bundle(folder, version, (int(major), int(minor)), longest, wheels, files)
