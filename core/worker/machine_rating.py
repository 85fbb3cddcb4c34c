"""The preset "automatic": how fast this machine draws is measured while it draws, and remembered.

The median time of a key frame at the network's own size, in relation to the output's frame interval, decides:

=========  =====================  ==================================================================================
preset     a frame takes          why
=========  =====================  ==================================================================================
``ultra``  less than 30 %         more than twice the pixels still fit beside a game
``high``   less than 60 %         every frame can be rendered, with room for what else a frame costs
``medium`` less than 120 %        every second frame fits for certain
``low``    more                   the smallest network, a third of the frames
=========  =====================  ==================================================================================

A device draws one family of networks as fast tomorrow as today, so what was found out holds until the program's version
changes or the user asks to measure again.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from core.wire.folders import user_cache
from core.wire.json_file import write_json
from core.wire.version import VERSION

_log = logging.getLogger(__name__)

LOW, MEDIUM, HIGH, ULTRA = "low", "medium", "high", "ultra"
RATED_PRESETS = (LOW, MEDIUM, HIGH, ULTRA)
_LIMITS = ((ULTRA, 0.3), (HIGH, 0.6), (MEDIUM, 1.2))
"""A preset and the share of the frame interval below which a frame must stay for it; best first."""

KEY_FRAMES = 40
"""So many are enough."""
LEFT_OUT = 10
"""So many of them come first and do not count: a device raises its clock, memory is touched for the first time."""

_FILE = "ratings.json"
_FORMAT = 1
_MOST_RATINGS = 64
_MOST_BYTES = 1 << 16
_LONGEST_NAME = 120
_LONGEST_KEY = 400


def rating_key(device: str, runtime: str, family: str) -> str:
    """What a rating is kept under: the device as its maker calls it, runtime, family and this program's version."""
    return "|".join(part[:_LONGEST_NAME] for part in (device, runtime, family, VERSION))


def preset_for(milliseconds: float, frame_interval_ms: float) -> str:
    """The preset for a machine on which a key frame takes so long, by the table above."""
    share = milliseconds / frame_interval_ms
    return next((preset for preset, below in _LIMITS if share < below), LOW)


class Rating:
    """One measurement under way. Used by the render loop only."""

    def __init__(self, frame_interval_ms: float) -> None:
        """``frame_interval_ms``: from one output frame to the next, > 0."""
        self._frame_interval_ms = frame_interval_ms
        self._seen = 0
        self._counted: list[float] = []

    def add(self, render_ms: float) -> None:
        """Time of one key frame at the network's own size. What comes after enough is left out, and so is what is no
        time."""
        if not (math.isfinite(render_ms) and render_ms >= 0.0) or self._seen >= KEY_FRAMES:
            return
        self._seen += 1
        if self._seen > LEFT_OUT:
            self._counted.append(render_ms)

    @property
    def milliseconds(self) -> float | None:
        """The median; None until there are enough."""
        return median(self._counted) if self._seen >= KEY_FRAMES else None

    def verdict(self) -> str | None:
        """The preset for this machine; None until ``KEY_FRAMES`` were added."""
        milliseconds = self.milliseconds
        return preset_for(milliseconds, self._frame_interval_ms) if milliseconds is not None else None


class _Known(NamedTuple):
    preset: str
    milliseconds: float


class MachineRatings:
    """What was found out on this machine, in one small JSON file. A damaged file is begun anew."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: where the file lies, by default the user's cache."""
        self._path = (folder or user_cache()) / _FILE
        self._known = self._read()

    def known(self, key: str) -> str | None:
        """The preset kept under this key; None: not measured yet."""
        found = self._known.get(key)
        return found.preset if found is not None else None

    def keep(self, key: str, preset: str, milliseconds: float) -> None:
        """Remember; the oldest are forgotten when there are too many. A disk that refuses costs the memory only.

        Raises ValueError for a preset that no rating gives, for a time that is none, and for a key too long to keep.
        """
        if len(key) > _LONGEST_KEY:
            raise ValueError("the key is too long")
        known = _checked({"preset": preset, "milliseconds": milliseconds})
        self._known.pop(key, None)
        self._known[key] = known
        while len(self._known) > _MOST_RATINGS:
            self._known.pop(next(iter(self._known)))
        self._write()

    def forget(self, key: str) -> None:
        """Measure anew next time."""
        if self._known.pop(key, None) is not None:
            self._write()

    def _write(self) -> None:
        content = {"format": _FORMAT, "ratings": {key: known._asdict() for key, known in self._known.items()}}
        try:
            write_json(self._path, content)
        except OSError as problem:
            _log.warning("ratings could not be kept: %s", problem)

    def _read(self) -> dict[str, _Known]:
        try:
            if self._path.stat().st_size > _MOST_BYTES:
                raise ValueError("too large")
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if content["format"] != _FORMAT:
                return {}
            return {str(key): _checked(value) for key, value in content["ratings"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as problem:
            _log.warning("ratings could not be read and are measured anew: %s", problem)
            return {}


def _checked(value: Mapping[str, object]) -> _Known:
    preset, milliseconds = value["preset"], value["milliseconds"]
    if preset not in RATED_PRESETS:
        raise ValueError(f"no rating gives {preset!r}")
    if not isinstance(milliseconds, (int, float)) or not math.isfinite(milliseconds) or milliseconds < 0.0:
        raise ValueError("not a time")
    return _Known(str(preset), round(float(milliseconds), 3))
