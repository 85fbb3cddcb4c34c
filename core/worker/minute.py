"""The last minute's figures, one entry a second: what the small picture for the panel is drawn from."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

SECONDS = 60
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Second:
    """Figures of one second; None: not measured."""

    frame_interval_ms: float
    """From one output frame to the next, as it is aimed at."""
    fps: float | None = None
    """New pictures a second, key frames and in-between frames."""
    key_fps: float | None = None
    pose_age_ms: float | None = None
    render_ms: float | None = None
    """Time of one key frame."""
    between_ms: float | None = None
    """Time of one in-between frame."""
    publish_ms: float | None = None
    hit_rate: float | None = None
    """0..1 of the key frames: found among those drawn before."""
    device_share: float | None = None
    """0..1 of wall time: the device that draws was busy with our renders."""


_FIGURES = ("fps", "key_fps", "pose_age_ms", "render_ms", "between_ms", "publish_ms")


class Minute:
    """A ring of 60 seconds. Used by the render loop only."""

    def __init__(self) -> None:
        self._seconds: deque[Second | None] = deque([None] * SECONDS, maxlen=SECONDS)
        self._newest_ns: int | None = None

    def add(
        self,
        now_ns: int,
        figures: Mapping[str, float],
        *,
        frame_interval_ms: float,
        hit_rate: float | None = None,
        device_share: float | None = None,
    ) -> None:
        """The figures of now (``Stats.figures``), about once a second. Seconds in which nobody called stay empty; what
        comes within half a second of the last entry takes its place."""
        second = Second(
            frame_interval_ms,
            **{name: _finite(figures.get(name)) for name in _FIGURES},
            hit_rate=_finite(hit_rate),
            device_share=_finite(device_share),
        )
        # counted from entry to entry: the loop is always a little late, and whole seconds of the clock would be missed
        passed = round((now_ns - self._newest_ns) / _SECOND_NS) if self._newest_ns is not None else 1
        if passed < 1:
            self._seconds[-1] = second
            return
        self._seconds.extend([None] * min(passed - 1, SECONDS))
        self._seconds.append(second)
        self._newest_ns = now_ns

    @property
    def seconds(self) -> list[Second | None]:
        """60 entries, the oldest first; the last one is the newest that was added."""
        return list(self._seconds)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
