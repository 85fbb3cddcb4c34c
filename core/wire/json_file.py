"""Small JSON files that are swapped in one step: who reads one finds the old content or the new, never half of it."""

from __future__ import annotations

import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any, Mapping

_TRIES, _PAUSE_S = 4, 0.02


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Make a file, and its folder, hold this object. Raises OSError, and then the old file is still there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        fresh.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        _swap(fresh, path)
    except BaseException:
        _remove(fresh)
        raise


def _swap(fresh: Path, path: Path) -> None:
    for left in reversed(range(_TRIES)):
        try:
            fresh.replace(path)
        except PermissionError:
            # Windows swaps no file that somebody reads: a virus scanner, or our other process
            if sys.platform != "win32" or not left:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _remove(fresh: Path) -> None:
    try:
        fresh.unlink()
    except OSError:
        pass
