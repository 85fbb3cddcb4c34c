"""Calibrations on disk, by input and character. A file that cannot be read is set aside, never overwritten."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import numpy as np

from .calibration import Neutral

_log = logging.getLogger(__name__)

_FORMAT = 1
_LARGEST = 1e6
"""No tracker has a larger value, and no sum of these overflows."""


class CalibrationStore:
    """One small JSON file. Without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._entries: dict[str, dict[str, list[float]]] = {}
        if path is not None:
            self._entries = _read(path)

    def get(self, source: str, character: str) -> Neutral | None:
        """The neutral kept for this input and character, or None."""
        entry = self._entries.get(f"{source}/{character}")
        if entry is None:
            return None
        w, x, y, z = entry["rotation"]
        return Neutral((w, x, y, z), np.asarray(entry["values"], np.float32))

    def put(self, source: str, character: str, neutral: Neutral) -> None:
        """Keep a neutral. A disk that refuses costs the calibration after the next start, not the stream."""
        self._entries[f"{source}/{character}"] = {
            "rotation": [float(part) for part in neutral.rotation],
            "values": [round(float(value), 6) for value in neutral.values],
        }
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps({"format": _FORMAT, "neutral": self._entries}, indent=1), encoding="utf-8")
            new.replace(self._path)
        except OSError as problem:
            _log.warning("calibration could not be kept in %s: %s", self._path, problem)


def _read(path: Path) -> dict[str, dict[str, list[float]]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']}")
        entries: dict[str, dict[str, list[float]]] = {}
        for key, entry in content["neutral"].items():
            rotation = [float(part) for part in entry["rotation"]]
            values = [float(value) for value in entry["values"]]
            if len(rotation) != 4 or not 0.99 < math.hypot(*rotation) < 1.01:
                raise ValueError(f"{key}: not a rotation")
            if not all(abs(value) <= _LARGEST for value in values):
                raise ValueError(f"{key}: not a face")
            entries[str(key)] = {"rotation": rotation, "values": values}
        return entries
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
