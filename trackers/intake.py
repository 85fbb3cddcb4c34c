"""What happens to every packet, whatever brought it: recorded, decoded, counted, and the newest sample kept."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from core.wire.clock import now_ns
from core.wire.errors import EasyVtuberError

from .base import Datagram, Decoder, Drop, Hint, TrackerSample, TrackerState, TrackerStatus
from .recording import RecordingWriter

LOST_AFTER_NS = 500_000_000


class Intake:
    """One thread calls ``take`` and ``drop``; any thread may ask the rest.

    Only the newest sample is kept, so a slow reader never finds a queue. Replacing one reference is atomic in Python,
    so no lock is needed.
    """

    def __init__(self, decoder: Decoder, clock: Callable[[], int] = now_ns) -> None:
        self._decoder = decoder
        self._clock = clock
        self._sample: TrackerSample | None = None
        self._dropped: Counter[str] = Counter()
        self._arrivals: deque[int] = deque(maxlen=64)
        self._recording: RecordingWriter | None = None
        self._heard_ns = 0

    @property
    def heard_ns(self) -> int:
        """When the last packet came that was let in, good or not; 0 before the first."""
        return self._heard_ns

    def latest(self) -> TrackerSample | None:
        """The newest sample, or None before the first."""
        return self._sample

    def take(self, packet: Datagram, arrival_ns: int | None = None) -> TrackerSample | Drop | None:
        """One packet. Returns what the decoder made of it."""
        arrival = self._clock() if arrival_ns is None else arrival_ns
        self._heard_ns = arrival
        recording = self._recording
        if recording is not None:
            recording.write(packet, arrival)
        result = self._decoder.feed(packet, arrival)
        if isinstance(result, Drop):
            self._dropped[result.value] += 1
        elif result is not None:
            self._arrivals.append(arrival)
            self._sample = result
        return result

    def use(self, decoder: Decoder) -> None:
        """Decode later packets with this one."""
        self._decoder = decoder

    def drop(self, reason: Drop) -> None:
        """Count a packet that was refused before anybody looked at it."""
        self._dropped[reason.value] += 1

    def record(self, recording: RecordingWriter | None) -> None:
        """Write every later packet there; None ends it. Whoever made the recording closes it."""
        if recording is not None:
            for packet in self._decoder.opening():
                recording.write(packet, self._clock())
        self._recording = recording

    def state(self, now: int) -> TrackerState:
        """``WAITING``, ``TRACKING`` or ``LOST``."""
        sample = self._sample
        if sample is None:
            return TrackerState.WAITING
        return TrackerState.TRACKING if now - sample.arrival_ns < LOST_AFTER_NS else TrackerState.LOST

    def status(self, now: int, error: EasyVtuberError | None = None, hints: tuple[Hint, ...] = ()) -> TrackerStatus:
        """Rate over the last packets and drops by reason; ``FAILED`` when there is an error."""
        recent = [arrival for arrival in tuple(self._arrivals) if now - arrival < 1_000_000_000]
        state = TrackerState.FAILED if error is not None else self.state(now)
        return TrackerStatus(state, rate_of(recent), dict(self._dropped), error, (*hints, *self._decoder.hints(now)))


def rate_of(arrivals: list[int]) -> float:
    """Packets per second from their arrival times; 0 when fewer than two."""
    if len(arrivals) < 2 or arrivals[-1] <= arrivals[0]:
        return 0.0
    return (len(arrivals) - 1) * 1e9 / (arrivals[-1] - arrivals[0])
