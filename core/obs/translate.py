"""What the user reads, in the user's language. Tables are JSON files in ``locale/``; English is the base of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Mapping, Optional

from ..wire.errors import EasyVtuberError

FOLDER = Path(__file__).with_name("locale")
BASE = "en"
LANGUAGES = ("en", "zh", "ja")


def read_table(language: str) -> Dict[str, str]:
    """One language's table: key to text. Raises OSError or ValueError when the file is damaged."""
    content = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{language}.json is no table")
    return {str(key): str(value) for key, value in content.items()}


def language_of(locale: Optional[str]) -> str:
    """OBS's locale name (``zh-CN``, ``ja-JP``, ...) as one of our languages; English when we do not have it."""
    language = (locale or "").replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else BASE


class Translator:
    """Looks keys up in one language, then in English; a key that is nowhere is shown as it is."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._tables = []
        for name in dict.fromkeys((language, BASE)):
            try:
                self._tables.append(read_table(name))
            except (OSError, ValueError):
                # a damaged table must not take the panel away
                continue

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its ``{placeholders}`` filled in."""
        for table in self._tables:
            if key in table:
                return _fill(table[key], values)
        return key

    def has(self, key: str) -> bool:
        """Is there a text for this key?"""
        return any(key in table for table in self._tables)

    def error(self, error: EasyVtuberError) -> str:
        """The sentence for an error: what, why, what to do."""
        values: Dict[str, object] = dict(error.parameters)
        for name, value in error.parameters.items():
            # reasons and names of trackers and outputs travel as keys and are shown as words
            for prefix in (f"reason.{value}", f"setting.{name}.choice.{value}"):
                if self.has(prefix):
                    values[name] = self(prefix)
        return self(f"error.{error.code}", **values)


def _fill(text: str, values: Mapping[str, object]) -> str:
    try:
        return text.format_map(_Missing(values))
    except (ValueError, IndexError, KeyError, AttributeError):
        return text


class _Missing(Dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"
