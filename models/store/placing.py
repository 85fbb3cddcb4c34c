"""Putting a file into its place in one step, without losing what was there."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .disk import hash_of

_INCOMING = ".incoming-"
_FORGOTTEN_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a file. ``backup`` is where the one before it went."""

    path: Path
    was_there: bool = False
    backup: Path | None = None


@contextmanager
def incoming(target: Path) -> Iterator[Path]:
    """A name beside the target, with the target's suffix, for writing; what is left there at the end is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_forgotten(target.parent)
    path = target.with_name(f"{_INCOMING}{secrets.token_hex(4)}-{target.name}")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def put(arrived: Path, target: Path) -> Placed:
    """Give an arrived file (beside the target) the target's name.

    An identical file stays as it is; a different one is kept as ``NAME.bak``. Raises OSError, and then nothing changed.
    """
    if not target.exists():
        arrived.replace(target)
        return Placed(target)
    if target.is_file() and _are_equal(arrived, target):
        return Placed(target, was_there=True)
    backup, was_moved = _keep(target)
    try:
        arrived.replace(target)
    except OSError:
        if was_moved:
            backup.replace(target)
        else:
            backup.unlink()
        raise
    return Placed(target, backup=backup)


def _are_equal(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and hash_of(one) == hash_of(other)


def _keep(target: Path) -> tuple[Path, bool]:
    """A second name for what is there; where a file system knows no second names, its only one (True)."""
    for number in range(1, 1000):
        backup = target.with_name(f"{target.name}.bak{number if number > 1 else ''}")
        if backup.exists():
            continue
        try:
            backup.hardlink_to(target)
        except FileExistsError:
            continue
        except OSError:
            target.replace(backup)
            return backup, True
        return backup, False
    raise FileExistsError(f"too many backups of {target}")


def _remove_forgotten(folder: Path) -> None:
    """What a process left behind that died while it wrote."""
    for path in folder.glob(f"{_INCOMING}*"):
        try:
            if time.time() - path.stat().st_mtime > _FORGOTTEN_S:
                path.unlink()
        except OSError:
            continue
