"""Small questions to the disk."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

_PIECE = 1 << 20
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def hash_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def is_it(path: Path, sha256: str, byte_count: int) -> bool:
    """Has the file this size and hash, as far as they are known? Raises OSError."""
    if byte_count and path.stat().st_size != byte_count:
        return False
    return not sha256 or hash_of(path) == sha256


def free_bytes(folder: Path) -> int:
    """Room on the disk that will hold this folder, which need not be there yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def is_no_room(problem: OSError) -> bool:
    """Is it the disk that is full?"""
    return problem.errno in _NO_ROOM


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None when there is none or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
