"""What the frame cache saved and cost, and which keys came before: how it finds out whether it pays."""

from __future__ import annotations

from collections import OrderedDict, deque

OFF, DOES_NOT_PAY, TOO_CHEAP = "off", "does_not_pay", "too_cheap"
"""Why the cache stands aside."""

ASIDE_NS, LONGEST_ASIDE_NS = 20_000_000_000, 320_000_000_000
"""The time aside doubles, from the one to the other, with every trial in vain."""
WINDOW_FRAMES = 300
"""So many frames are looked at before the cache stands aside, and as many at every new trial."""

REMEMBERED_TIMES = 65
_MOST_TYPICAL = 4
"""A picture's cost counts as at most so many typical ones: the first of a network may take seconds."""
_MOST_KEYS = 1 << 16


class SeenKeys:
    """Keys that came before, the oldest forgotten first; 100 bytes each instead of a picture.

    A picture whose pose never comes again would be copied and packed for nothing. As long as the cache does not pay for
    itself, a picture is kept only when its key comes a second time.
    """

    def __init__(self) -> None:
        self._hashes: OrderedDict[int, None] = OrderedDict()

    def again(self, key: bytes) -> bool:
        """Did this key come before? From now on it did."""
        number = hash(key)
        if number in self._hashes:
            self._hashes.move_to_end(number)
            return True
        self._hashes[number] = None
        if len(self._hashes) > _MOST_KEYS:
            self._hashes.popitem(last=False)
        return False


class Books:
    """What the cache saved and cost, frame by frame, and whether that pays. Times are the caller's, in nanoseconds."""

    def __init__(self) -> None:
        self._frames: deque[int] = deque()
        self._sum_ns = 0
        self._costs: deque[int] = deque(maxlen=REMEMBERED_TIMES)
        self._typical_ns = 0
        self._cheap = self._dear = 0
        self._reason = ""
        self._aside_ns, self._aside_until_ns = ASIDE_NS, 0

    @property
    def pays(self) -> bool:
        """Did hits of the last frames save more than everything cost?"""
        return self._sum_ns > 0

    def reason(self, now: int) -> str:
        """Why the cache stands aside; empty while it works."""
        return self._reason if now < self._aside_until_ns else ""

    def frame(self, found_cost_ns: int, taken_ns: int, now: int) -> bool:
        """A frame was looked up: what making it had cost (0 where it was not found), what looking cost. True when the
        cache is to stand aside from now on."""
        saved = min(found_cost_ns, _MOST_TYPICAL * self._typical_ns) if self._typical_ns else found_cost_ns
        if len(self._frames) >= WINDOW_FRAMES:
            self._sum_ns -= self._frames.popleft()
        self._frames.append(saved - taken_ns)
        self._sum_ns += saved - taken_ns
        if len(self._frames) < WINDOW_FRAMES or self._sum_ns > 0:
            self._aside_ns = ASIDE_NS if len(self._frames) == WINDOW_FRAMES else self._aside_ns
            return False
        self._reason = TOO_CHEAP if self._cheap > self._dear else DOES_NOT_PAY
        self._aside_until_ns = now + self._aside_ns
        self._aside_ns = min(2 * self._aside_ns, LONGEST_ASIDE_NS)
        self._frames.clear()
        self._sum_ns = self._cheap = self._dear = 0
        return True

    def offered(self, cost_ns: int, *, cheap: bool) -> None:
        """A new picture, and whether it was too cheap to be worth anything."""
        self._cheap, self._dear = self._cheap + cheap, self._dear + (not cheap)
        self._costs.append(cost_ns)
        self._typical_ns = median(self._costs)

    def paid(self, taken_ns: int) -> None:
        """The newest frame cost this much more."""
        if self._frames:
            self._frames[-1] -= taken_ns
            self._sum_ns -= taken_ns


def median(values: deque[int]) -> int:
    """0 for none."""
    return sorted(values)[len(values) // 2] if values else 0
