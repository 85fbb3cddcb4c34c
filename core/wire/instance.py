"""A small file that says "this OBS shows an avatar now": for the installer, the doctor and whoever looks for us.

One file per OBS process in the user's data folder; a file whose time is older than ten seconds belongs to the dead.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from .folders import user_data
from .json_file import write_json

STALE_AFTER_S = 10.0
WRITE_EVERY_S = 3.0


def folder(environment: Optional[Mapping[str, str]] = None) -> Path:
    """Where the files lie."""
    return user_data(environment) / "instances"


class Instance:
    """This process's file. Disk errors are no concern of the stream and are passed over."""

    def __init__(self) -> None:
        self._path = folder() / f"{os.getpid()}.json"
        self._written: Dict[str, Any] = {}
        self._written_s = 0.0

    def tell(self, facts: Dict[str, Any], figures: Optional[Mapping[str, Any]] = None) -> None:
        """Write the facts when they changed or the file is about to look dead; the newest figures go along."""
        now = time.time()
        if facts == self._written and 0 <= now - self._written_s < WRITE_EVERY_S:
            return
        self._written, self._written_s = facts, now
        try:
            write_json(self._path, {**facts, "figures": dict(figures or {}), "pid": os.getpid(), "time": now})
        except OSError:
            pass

    def remove(self) -> None:
        """This process shows no avatar any more."""
        self._written = {}
        try:
            self._path.unlink()
        except OSError:
            pass


def living(environment: Optional[Mapping[str, str]] = None) -> List[Dict[str, Any]]:
    """The facts of every instance that is alive."""
    found = []
    for path in sorted(folder(environment).glob("*.json")):
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            if time.time() - float(facts["time"]) <= STALE_AFTER_S:
                found.append(dict(facts))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found
