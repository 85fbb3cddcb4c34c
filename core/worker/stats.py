"""Figures of the last seconds: what the panel shows, the benchmarks read and the governor steers by."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

_WINDOW_NS = 2_000_000_000
_MOST = 512
_STAGES = {
    "key": "render_ms", "between": "between_ms", "smooth": "smooth_ms", "rife": "rife_ms", "upscale": "upscale_ms",
    "hit": "hit_ms",
}  # fmt: skip
"""What is done for pictures, and the figure's name."""
_ON_DEVICE = ("key", "upscale", "rife")


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
        self._stages: defaultdict[str, Series] = defaultdict(Series)
        self._publish = Series()
        self._age = Series()
        self._sample_age = Series()

    def work(self, now: int, times: Iterable[tuple[str, int]]) -> None:
        """What was done for pictures and how long it took (ns); the names are those of ``_STAGES``."""
        for what, taken_ns in times:
            self._stages[what].add(now, taken_ns / 1e6)

    def frame(self, now: int, *, publish_ns: int, packet_ns: int, sampled_ns: int) -> None:
        """One frame went out at ``now``."""
        self.frames += 1
        self._frame.add(now, 0.0)
        self._publish.add(now, publish_ns / 1e6)
        self._sample_age.add(now, (now - sampled_ns) / 1e6)
        if packet_ns > 0:
            self._age.add(now, (now - packet_ns) / 1e6)

    def device_share(self, now: int) -> float:
        """Share of wall time (0..1) that went into drawing over the last two seconds."""
        busy_ms = sum(sum(self._stages[what].values(now)) for what in _ON_DEVICE)
        return min(busy_ms * 1e6 / _WINDOW_NS, 1.0)

    def figures(self, now: int) -> dict[str, float]:
        """Rates per second and milliseconds over the last two seconds; what did not happen is left out."""
        figures = {
            "fps": self._frame.rate(now),
            "key_fps": self._stages["key"].rate(now),
            "frames": float(self.frames),
            "device_share": self.device_share(now),
        }
        named = [(name, self._stages[what]) for what, name in _STAGES.items()]
        for name, series in (
            *named,
            ("publish_ms", self._publish),
            ("pose_age_ms", self._age),
            ("sample_age_ms", self._sample_age),
        ):
            values = series.values(now)
            if values:
                figures[name] = values[len(values) // 2]
                figures[f"{name}_p95"] = values[int(len(values) * 0.95)]
        return {name: round(value, 3) for name, value in figures.items()}
