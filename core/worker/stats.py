"""Figures of the last seconds: what the panel shows, the benchmarks read and the governor will steer by."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

_WINDOW_NS = 2_000_000_000
_MOST = 512


class Series:
    """Values of the last two seconds."""

    def __init__(self) -> None:
        self._entries: deque[tuple[int, float]] = deque(maxlen=_MOST)

    def add(self, now: int, value: float) -> None:
        """One more value."""
        self._entries.append((now, value))

    def values(self, now: int) -> list[float]:
        """What is not older than the window, in order of size."""
        return sorted(value for at, value in self._entries if now - at <= _WINDOW_NS)

    def rate(self, now: int) -> float:
        """Entries per second over the window."""
        times = [at for at, _ in self._entries if now - at <= _WINDOW_NS]
        return (len(times) - 1) * 1e9 / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0


class Stats:
    """Collects per frame, answers once a second."""

    def __init__(self) -> None:
        self.frames = 0
        self._frame = Series()
        self._key = Series()
        self._between = Series()
        self._publish = Series()
        self._age = Series()

    def frame(self, now: int, *, render_ns: int, publish_ns: int, in_between: bool, packet_ns: int) -> None:
        """One frame went out at ``now``."""
        self.frames += 1
        self._frame.add(now, 0.0)
        (self._between if in_between else self._key).add(now, render_ns / 1e6)
        self._publish.add(now, publish_ns / 1e6)
        if packet_ns > 0:
            self._age.add(now, (now - packet_ns) / 1e6)

    def figures(self, now: int) -> Mapping[str, float]:
        """Rates per second and milliseconds over the last two seconds; what did not happen is left out."""
        figures = {"fps": self._frame.rate(now), "key_fps": self._key.rate(now), "frames": float(self.frames)}
        for name, series in (
            ("render_ms", self._key),
            ("between_ms", self._between),
            ("publish_ms", self._publish),
            ("pose_age_ms", self._age),
        ):
            values = series.values(now)
            if values:
                figures[name] = values[len(values) // 2]
                figures[f"{name}_p95"] = values[int(len(values) * 0.95)]
        return {name: round(value, 3) for name, value in figures.items()}
