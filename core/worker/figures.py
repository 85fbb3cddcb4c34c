"""The figures told once a second: for the panel, for benchmarks, for the small picture of the last minute."""

from __future__ import annotations

import logging
from pathlib import Path

from core.wire.clock import now_ns
from core.wire.folders import user_cache
from trackers.base import TrackerStatus

from .audio_delay import SteadyDelay, audio_delay_ms
from .clock import Pacer
from .drawing import Drawing
from .minute import Minute
from .minute_picture import minute_picture, write
from .parts import Parts
from .stats import Stats

_log = logging.getLogger(__name__)

_PICTURES = 2
"""Files that take turns: whoever shows one must not see it change."""


class Figures:
    """Used by the render loop only."""

    def __init__(self, stats: Stats, pacer: Pacer, drawing: Drawing, parts: Parts) -> None:
        self._stats, self._pacer, self._drawing, self._parts = stats, pacer, drawing, parts
        self._minute = Minute()
        self._delay = SteadyDelay()
        self._drawn = 0
        self.minute_picture = ""
        """Path of the newest picture of the last minute; empty before the first."""

    def now(self, tracker: str, status: TrackerStatus | None) -> dict[str, float | str]:
        """Everything. ``tracker``: the setting; ``status``: of the one in use."""
        now = now_ns()
        measured = self._stats.figures(now)
        figures: dict[str, float | str] = dict(measured)
        figures.update(self._pacer.figures())
        figures.update(self._drawing.figures())
        interval_ms = 1000.0 / self._pacer.frame_rate
        self._minute.add(
            now,
            measured,
            frame_interval_ms=interval_ms,
            hit_rate=float(figures["hit_rate"]),
            device_share=measured["device_share"],
        )
        if status is not None:
            figures["tracker_state"] = status.state.value
            figures["tracker_fps"] = round(status.samples_per_second, 1)
            figures["tracker_dropped"] = float(sum(status.dropped.values()))
        microphone = self._parts.microphone.current
        if microphone is not None:
            mouth = microphone.mouth(now)
            figures["microphone_level"] = round(mouth.level, 2) if mouth is not None else 0.0
        if "pose_age_ms" in measured:
            figures["audio_delay_ms"] = self._delay.show(audio_delay_ms(measured["pose_age_ms"], tracker, interval_ms))
        return figures

    def draw_minute(self) -> None:
        """Have the picture of the last minute drawn, beside the render loop."""
        self._drawn += 1
        path = user_cache() / f"minute-{self._drawn % _PICTURES}.png"
        self._parts.submit(lambda: self._write_minute(path))

    def _write_minute(self, path: Path) -> None:
        try:
            write(path, minute_picture(self._minute, {}))
        except OSError as problem:
            _log.warning("the picture of the last minute could not be written: %s", problem)
        else:
            self.minute_picture = path.as_posix()
