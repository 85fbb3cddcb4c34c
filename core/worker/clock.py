"""When the next frame is due: absolute deadlines, in step with OBS's own frames when OBS tells them."""

from __future__ import annotations

from collections import deque

DEFAULT_LEAD_NS = 3_000_000
"""A frame should be out this long before OBS's tick: the pipe, a thread that wakes up and a copy lie between."""
_SHORTEST_LEAD_NS, _LONGEST_LEAD_NS = 1_500_000, 8_000_000
_LEAD_MARGIN_NS = 700_000
_TICK_BELIEVED_NS = 5_000_000_000
"""OBS sends its tick about once a second; without one for this long we pace ourselves."""
_WORK_WINDOW = 90
_FIRST_GUESS_NS = 4_000_000
_IN_TIME = 0.95
_FEW = 4
_WORK_MARGIN_NS = 300_000
KEY, OTHER = "key", "other"
"""Frames for which a picture is rendered, and all others."""


class _Work:
    """How long one kind of frames took lately (ns)."""

    def __init__(self, guess_ns: int) -> None:
        """``guess_ns`` stands until something was measured."""
        self._guess_ns = guess_ns
        self._taken: deque[int] = deque(maxlen=_WORK_WINDOW)
        self.expected_ns = self.at_best_ns = guess_ns
        """Begun so long before its deadline a frame is in time: nearly always; with luck."""

    def add(self, duration_ns: int) -> None:
        """One more. A frame that took longer than the others makes the next begin earlier already."""
        self._taken.append(duration_ns)
        ordered = sorted(self._taken)
        self.at_best_ns = ordered[len(ordered) // 4]
        if len(ordered) < _FEW:
            # one slow picture behind a switch is no reason to leave out the next
            self.at_best_ns = min(self.at_best_ns, self._guess_ns)
        self.expected_ns = max(ordered[int(len(ordered) * _IN_TIME)], duration_ns) + _WORK_MARGIN_NS


class Pacer:
    """Chooses deadlines and how long before each the work must begin. Used by the render loop only."""

    def __init__(self, frame_rate: float = 60.0) -> None:
        self._frame_rate = frame_rate
        self._tick_ns = 0
        self._tick_interval_ns = 0
        self._tick_told_ns = 0
        self._lead_ns = DEFAULT_LEAD_NS
        self._last_deadline = 0
        self._work = {kind: _Work(_FIRST_GUESS_NS) for kind in (KEY, OTHER)}
        self._next = self._work[KEY]
        self.late = 0
        """Frames that were left out because their time had passed."""

    @property
    def frame_rate(self) -> float:
        """Output frames per second that are really aimed at."""
        return round(1e9 / self._interval_ns(self._last_deadline), 2)

    def set_frame_rate(self, wanted: float) -> None:
        """The user's limit; 0 means as fast as OBS (60 without OBS)."""
        self._frame_rate = wanted

    def follow(self, tick_ns: int, interval_ns: int, push_delay_ns: int, now: int) -> None:
        """OBS's newest frame time, the time between its frames, and how long our frames took to reach it."""
        if not 1_000_000 <= interval_ns <= 1_000_000_000:
            return
        self._tick_ns, self._tick_interval_ns, self._tick_told_ns = tick_ns, interval_ns, now
        if push_delay_ns > 0:
            self._lead_ns = min(max(push_delay_ns + _LEAD_MARGIN_NS, _SHORTEST_LEAD_NS), _LONGEST_LEAD_NS)

    def next_deadline(self, now: int) -> int:
        """The next moment a frame should be out that the expected work can still meet. Lost ones are never made up."""
        interval = self._interval_ns(now)
        if self._follows(now):
            grid, base = self._tick_interval_ns, self._tick_ns - self._lead_ns
        else:
            grid, base = interval, self._last_deadline or now
        # half a grid step of tolerance: OBS's ticks are told anew every second and never fall exactly where they did
        earliest = max(now + self._next.at_best_ns, self._last_deadline + interval - grid // 2)
        deadline = base - (base - earliest) // grid * grid
        if self._last_deadline:
            self.late += max(round((deadline - self._last_deadline) / interval) - 1, 0)
        self._last_deadline = deadline
        return deadline

    def start_of_work(self, deadline: int) -> int:
        """When to sample the pose, just in time: as late as the measured work allows."""
        return deadline - self._next.expected_ns

    def expect(self, kind: str) -> None:
        """What the next frame will be."""
        self._next = self._work[kind]

    def restart(self, expected_ns: int) -> None:
        """Something else draws from now on, and a picture takes it about so long: what was measured counts no more."""
        for kind in self._work:
            self._work[kind] = _Work(max(expected_ns if kind == KEY else 0, _FIRST_GUESS_NS))

    def worked(self, duration_ns: int, kind: str = KEY) -> None:
        """How long one frame took from sampling to published."""
        self._work[kind].add(duration_ns)

    def figures(self) -> dict[str, float]:
        """How many frames were left out, and what is allowed for the work and for the way into OBS (ms)."""
        return {
            "late": float(self.late),
            "work_ms": round(self._next.expected_ns / 1e6, 2),
            "lead_ms": round(self._lead_ns / 1e6, 2),
        }

    def _follows(self, now: int) -> bool:
        return self._tick_interval_ns > 0 and now - self._tick_told_ns < _TICK_BELIEVED_NS

    def _interval_ns(self, now: int) -> int:
        wanted = round(1e9 / self._frame_rate) if self._frame_rate > 0 else 0
        if not self._follows(now):
            return wanted or 16_666_667
        if not wanted:
            return self._tick_interval_ns
        # a whole number of OBS's frames, so that the pictures stay even
        return self._tick_interval_ns * max(1, round(wanted / self._tick_interval_ns))
