"""Writing a zip that is the same byte for byte when its contents are, and that takes its name only once it is whole."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Union

from ..console import Console
from ..problem import InstallProblem
from .contents import digest_of

LONGEST_NAME = 200
"""Letters of a path in the zip: with that much, a folder on the desktop is no problem for Windows' 260."""
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest a zip can tell: when something was packed shall not make two packages differ."""
_PACKED_ALREADY = (".whl", ".png", ".task", ".zip", ".onnx")
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?")
_PIECE = 1 << 20
_SPARE_BYTES = 16 << 20
Source = Union[Path, bytes]


class Fingerprint(NamedTuple):
    """Size in bytes and SHA-256 (hexadecimal) of a file that goes in."""

    byte_count: int
    sha256: str


def fingerprints(sources: Mapping[str, Source]) -> Dict[str, Fingerprint]:
    """Size and hash of everything. Raises InstallProblem for names that Windows could not keep apart or not have."""
    _refuse_names(list(sources))
    found = {}
    for name in sorted(sources):
        digest, byte_count = hashlib.sha256(), 0
        for piece in _pieces(sources[name]):
            digest.update(piece)
            byte_count += len(piece)
        found[name] = Fingerprint(byte_count, digest.hexdigest())
    return found


def write(
    output: Path, top: str, sources: Mapping[str, Source], known: Mapping[str, Fingerprint], console: Console
) -> int:
    """Write the zip beside its place, read it back, and put it there; gives its size in bytes.

    Everything lies in one folder ``top``. Raises InstallProblem; the zip that was there before stays then.
    """
    total = sum(known[name].byte_count for name in sources)
    output.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(str(output.parent)).free
    if free < total + _SPARE_BYTES:
        raise InstallProblem(
            f"{output.parent} has {megabytes(free)} MB free and the zip may need {megabytes(total + _SPARE_BYTES)} MB. "
            "Make room, or name another place with --output."
        )
    fresh = output.with_name(f"{output.name}.{os.getpid()}.new")
    try:
        _write(fresh, top, sources, known, total, console)
        _read_back(fresh, top, known, total, console)
        fresh.replace(output)
    except OSError as problem:
        full = problem.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        what = "the disk is full" if full else str(problem)
        raise InstallProblem(f"{output} could not be written: {what}. Nothing was left behind.") from problem
    finally:
        if fresh.exists():
            fresh.unlink()
    return output.stat().st_size


def megabytes(byte_count: int) -> int:
    """Whole megabytes (10^6), rounded up."""
    return -(-byte_count // 1_000_000)


def _write(
    fresh: Path, top: str, sources: Mapping[str, Source], known: Mapping[str, Fingerprint], total: int, console: Console
) -> None:
    done = 0
    with console.progress("writing the zip") as progress, zipfile.ZipFile(str(fresh), "w") as archive:
        for name in sorted(sources):
            progress.to(done / max(total, 1), name.rpartition("/")[2])
            info = zipfile.ZipInfo(f"{top}/{name}", _TIME)
            info.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED_ALREADY) else zipfile.ZIP_DEFLATED
            # plain files for whoever unpacks, made as if on one system wherever this runs
            info.create_system, info.external_attr = 3, 0o100644 << 16
            info.file_size = known[name].byte_count
            digest = hashlib.sha256()
            with archive.open(info, "w") as member:
                for piece in _pieces(sources[name]):
                    digest.update(piece)
                    member.write(piece)
            if digest.hexdigest() != known[name].sha256:
                raise InstallProblem(f"{name} was changed while it was being packed. Run this again.")
            done += known[name].byte_count


def _read_back(fresh: Path, top: str, known: Mapping[str, Fingerprint], total: int, console: Console) -> None:
    done = 0
    with console.progress("reading it back") as progress, zipfile.ZipFile(str(fresh)) as archive:
        if archive.namelist() != [f"{top}/{name}" for name in sorted(known)]:
            raise InstallProblem("The zip that was written lists other files than were packed. Run this again.")
        for name in sorted(known):
            progress.to(done / max(total, 1), name.rpartition("/")[2])
            try:
                with archive.open(f"{top}/{name}") as member:
                    sha256 = digest_of(member)
            except zipfile.BadZipFile:
                sha256 = ""
            if sha256 != known[name].sha256:
                raise InstallProblem(f"{name} came back from the disk changed. Is the disk sound? Run this again.")
            done += known[name].byte_count


def _pieces(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        yield from iter(lambda: file.read(_PIECE), b"")


def _refuse_names(names: List[str]) -> None:
    seen: Dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if len(name) > LONGEST_NAME:
            raise InstallProblem(f"The path {name} is longer than {LONGEST_NAME} letters: Windows could not unpack it.")
        if any(_is_refused(part) for part in parts):
            raise InstallProblem(f"Windows cannot have a file called {name}. Rename it.")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise InstallProblem(f"{other} and {name} are one file on Windows. Rename one of them.")


def _is_refused(part: str) -> bool:
    if part in ("", ".", "..") or part.endswith((".", " ")):
        return True
    return _FORBIDDEN.search(part) is not None or _RESERVED.fullmatch(part) is not None
