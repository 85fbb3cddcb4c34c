"""Does a runtime draw a character as the processor does, and how fast? Asked once, the answer is kept.

Graphics drivers compute some networks wrongly in float16, or at all: colours off, everything distorted, nothing there.
A few poses are rendered on the runtime and on the processor and compared before anybody sees them.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.pose.parameters import POSE_SIZE, PoseVector
from core.wire.folders import user_cache
from core.wire.json_file import write_json

from .base import CharacterModel, Picture

_log = logging.getLogger(__name__)

LOWEST_PSNR_DB = 32.0
"""Float16 stays well above it, a wrong picture well below."""
_COLOUR_OFF = 6.0
"""Levels (of 255) by which a picture's mean colour may differ where both pictures are opaque."""
_FORMAT = 1
_MOST_VERDICTS = 200
_MOST_BYTES = 1 << 20
_TIMED_FRAMES = 6


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out about one runtime with one model. ``reason`` is empty when the picture is right."""

    reason: str = ""
    """``wrong_colours``, ``distorted``, ``nothing_drawn``, or the code of the error it ended with."""
    psnr_db: float = 0.0
    milliseconds: float = 0.0
    """Time for one picture."""

    @property
    def good(self) -> bool:
        """May its pictures be shown?"""
        return not self.reason


def check_poses() -> list[PoseVector]:
    """Neutral; eyes shut, mouth open, head turned; the other way with a smile."""
    neutral = np.zeros(POSE_SIZE, np.float32)
    first, second = neutral.copy(), neutral.copy()
    first[[12, 13, 26, 39, 40, 44]] = 1.0, 1.0, 0.8, 0.5, -0.7, 1.0
    second[[6, 7, 34, 35, 37, 38, 40, 41, 42, 43]] = 0.6, 0.6, 0.8, 0.8, 0.5, -0.5, 0.6, -0.6, 0.4, -0.4
    return [neutral, first, second]


def reference_pictures(model: CharacterModel) -> list[Picture]:
    """What :func:`judge` compares with: the poses drawn on the processor."""
    return [_draw(model, pose) for pose in check_poses()]


def judge(model: CharacterModel, wanted: list[Picture]) -> Verdict:
    """Compare a model's pictures with the processor's and take its time. Raises what the model raises."""
    drawn = [_draw(model, pose) for pose in check_poses()]
    worst = min(map(psnr_db, drawn, wanted))
    reasons = [reason for reason in map(difference, drawn, wanted) if reason]
    return Verdict(reasons[0] if reasons else "", round(worst, 2), round(_milliseconds(model), 3))


def difference(drawn: Picture, wanted: Picture) -> str:
    """The key of what is wrong with a picture; empty when it is near enough."""
    if drawn[:, :, 3].max() == 0 and wanted[:, :, 3].max() > 0:
        return "nothing_drawn"
    opaque = (drawn[:, :, 3] > 250) & (wanted[:, :, 3] > 250)
    if opaque.any():
        off = np.abs(drawn[opaque][:, :3].mean(axis=0) - wanted[opaque][:, :3].mean(axis=0))
        if float(off.max()) > _COLOUR_OFF:
            return "wrong_colours"
    return "distorted" if psnr_db(drawn, wanted) < LOWEST_PSNR_DB else ""


def psnr_db(first: Picture, second: Picture) -> float:
    """Peak signal-to-noise ratio over all pixels and channels, alpha included; 99 for equal pictures."""
    error = float(((first.astype(np.float32) - second) ** 2).mean())
    return min(99.0, 10.0 * math.log10(255.0**2 / error)) if error else 99.0


class Verdicts:
    """What was found out on this machine, by device, driver, model and precision. A damaged file is begun anew."""

    def __init__(self, path: Path | None = None) -> None:
        """``path``: where they are kept, by default in the user's cache."""
        self._path = path or user_cache() / "verdicts.json"
        self._known = self._read()

    def get(self, key: str) -> Verdict | None:
        """What is known under this key."""
        return self._known.get(key)

    def keep(self, key: str, verdict: Verdict) -> None:
        """Remember; the oldest are forgotten when there are too many. A disk that refuses costs the memory only."""
        self._known.pop(key, None)
        self._known[key] = verdict
        while len(self._known) > _MOST_VERDICTS:
            self._known.pop(next(iter(self._known)))
        self._write()

    def _write(self) -> None:
        content = {"format": _FORMAT, "verdicts": {name: asdict(known) for name, known in self._known.items()}}
        try:
            write_json(self._path, content)
        except OSError as problem:
            _log.warning("verdicts could not be kept: %s", problem)

    def forget(self, key: str) -> None:
        """Nothing is known under this key any more."""
        if self._known.pop(key, None) is not None:
            self._write()

    def _read(self) -> dict[str, Verdict]:
        try:
            if self._path.stat().st_size > _MOST_BYTES:
                raise ValueError("too large")
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if content["format"] != _FORMAT:
                return {}
            return {str(key): _verdict(value) for key, value in content["verdicts"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as problem:
            _log.warning("verdicts could not be read and are begun anew: %s", problem)
            return {}


def _verdict(value: Mapping[str, object]) -> Verdict:
    reason, psnr, milliseconds = value["reason"], value["psnr_db"], value["milliseconds"]
    if not (isinstance(reason, str) and isinstance(psnr, (int, float)) and isinstance(milliseconds, (int, float))):
        raise TypeError("not a verdict")
    if not (math.isfinite(psnr) and math.isfinite(milliseconds)):
        # neither can be compared, nor told to OBS
        raise ValueError("not a number")
    return Verdict(reason, float(psnr), float(milliseconds))


def _draw(model: CharacterModel, pose: PoseVector) -> Picture:
    out: Picture = np.zeros((model.size, model.size, 4), np.uint8)
    model.render(pose, out)
    return out


def _milliseconds(model: CharacterModel, clock: Callable[[], float] = time.perf_counter) -> float:
    """The median time of a picture in which everything changed."""
    out: Picture = np.zeros((model.size, model.size, 4), np.uint8)
    first, last = check_poses()[1:]
    taken = []
    for number in range(_TIMED_FRAMES):
        share = np.float32((number + 1) / (_TIMED_FRAMES + 1))
        started = clock()
        model.render(np.asarray(first * (1 - share) + last * share, np.float32), out)
        taken.append((clock() - started) * 1e3)
    return sorted(taken)[len(taken) // 2]
