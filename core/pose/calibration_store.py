"""Calibrations on disk, by input and character. A file that cannot be read is set aside, never overwritten."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np

from core.wire.json_file import write_json

from .calibration import Neutral

_log = logging.getLogger(__name__)

_FORMAT = 1
_LARGEST = 1e6
"""No tracker has a larger value, and no sum of these overflows."""
_Entry = dict[str, list[float]]


class CalibrationStore:
    """One small JSON file. Without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._entries: dict[str, _Entry] = {}
        if path is not None:
            self._entries = _read(path)

    def get(self, source: str, character: str) -> Neutral | None:
        """The neutral kept for this input and character, or None."""
        entry = self._entries.get(f"{source}/{character}")
        if entry is None:
            return None
        w, x, y, z = entry["rotation"]
        reach = entry.get("reach")
        return Neutral(
            (w, x, y, z),
            np.asarray(entry["values"], np.float32),
            _triple(entry.get("position")),
            _triple(entry.get("body")),
            np.asarray(reach, np.float32) if reach is not None else None,
        )

    def put(self, source: str, character: str, neutral: Neutral) -> None:
        """Keep a neutral. A disk that refuses costs the calibration after the next start, not the stream."""
        entry = {
            "rotation": [float(part) for part in neutral.rotation],
            "values": [round(float(value), 6) for value in neutral.values],
        }
        for name, numbers in (("position", neutral.position), ("body", neutral.body), ("reach", neutral.reach)):
            if numbers is not None:
                entry[name] = [round(float(value), 6) for value in numbers]
        self._entries[f"{source}/{character}"] = entry
        if self._path is None:
            return
        try:
            write_json(self._path, {"format": _FORMAT, "neutral": self._entries})
        except OSError as problem:
            _log.warning("calibration could not be kept in %s: %s", self._path, problem)


def _triple(numbers: list[float] | None) -> tuple[float, float, float] | None:
    return (numbers[0], numbers[1], numbers[2]) if numbers is not None else None


def _checked(key: str, entry: dict[str, Any]) -> _Entry:
    checked = {name: [float(value) for value in entry[name]] for name in ("rotation", "values")}
    # versions before did not write these
    checked.update({n: [float(value) for value in entry[n]] for n in ("position", "body", "reach") if n in entry})
    if len(checked["rotation"]) != 4 or not 0.99 < math.hypot(*checked["rotation"]) < 1.01:
        raise ValueError(f"{key}: not a rotation")
    if not all(abs(value) <= _LARGEST for numbers in checked.values() for value in numbers):
        raise ValueError(f"{key}: not a face")
    if any(len(checked[name]) != 3 for name in ("position", "body") if name in checked):
        raise ValueError(f"{key}: not a place")
    if "reach" in checked and len(checked["reach"]) != len(checked["values"]):
        raise ValueError(f"{key}: not a face's reach")
    return checked


def _read(path: Path) -> dict[str, _Entry]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']}")
        return {str(key): _checked(key, entry) for key, entry in content["neutral"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, OverflowError, RecursionError, KeyError, TypeError, AttributeError) as problem:
        aside = path.with_suffix(".unreadable")
        _log.warning("calibration %s is unreadable (%s); it is set aside as %s", path, problem, aside)
        try:
            path.replace(aside)
        except OSError:
            pass
        return {}
