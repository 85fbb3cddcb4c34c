"""Which licences this user has agreed to: asked once, and again when the text has changed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from core.wire.errors import LicenceNeeded
from core.wire.json_file import write_json

from .disk import read_json
from .entry import Entry, Licence

FILE_NAME = "licences.json"
_AGREED = "agreed"


class Agreements:
    """The file ``licences.json`` in the user's data folder, read anew at every question."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def has(self, licence: Licence) -> bool:
        """Has the user agreed to exactly this text?"""
        entry = self._agreed(read_json(self._path) or {}).get(licence.key)
        return isinstance(entry, dict) and entry.get("text_sha256") == licence.digest

    def agree(self, licence: Licence) -> None:
        """The user read it and agreed. Raises OSError when that cannot be remembered."""
        content = read_json(self._path)
        if content is None and self._path.exists():
            # what a user or a newer version wrote there is not ours to throw away
            self._path.replace(self._path.with_name(f"{FILE_NAME}.damaged"))
        content = content or {}
        today = time.strftime("%Y-%m-%d", time.gmtime())
        entry = {"name": licence.name, "text_sha256": licence.digest, "agreed_on": today}
        content[_AGREED] = {**self._agreed(content), licence.key: entry}
        write_json(self._path, content)

    def require(self, entry: Entry) -> None:
        """Raise LicenceNeeded unless the user has agreed to the entry's licence."""
        if not self.has(entry.licence):
            raise LicenceNeeded(entry.key, model=entry.title, licence=entry.licence.name)

    @staticmethod
    def _agreed(content: dict[str, Any]) -> dict[str, Any]:
        agreed = content.get(_AGREED)
        return agreed if isinstance(agreed, dict) else {}
