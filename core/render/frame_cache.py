"""Finished pictures kept in memory, for poses that come again; on is never slower than off.

The render loop pays for a hit with one decoding and for a new picture with one copy; a thread encodes. The cache keeps
books on what it saved and what it cost, and stands aside while it does not pay.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.wire.clock import now_ns
from models.base import Picture

from .cache_books import OFF, REMEMBERED_TIMES, Books, SeenKeys, median
from .codecs import CODECS, DEAREST_SHARE, RAW, Codec, Encoded, fastest, measure, open_codec, unavailable

_log = logging.getLogger(__name__)

AUTOMATIC = "automatic"
"""The codec that is fast enough and smallest, measured on the first picture."""

ENTRY_BYTES = 1024
"""What an entry takes beside its payload and its key: its place in the table and the objects around the payload."""
_MOST_WAITING = 2
_RECENT_NS = 2_000_000_000
_RECENT_FRAMES = 1024
_ENOUGH_HITS = 9
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.008, 0.1
_CLOSE_LIMIT_S = 1.0


_Kind = tuple[int, tuple[int, ...]]
"""Era and shape: pictures of one kind share a codec."""


@dataclass(frozen=True, slots=True)
class _Entry:
    encoded: Encoded
    codec: Codec
    cost_ns: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    key: bytes
    picture: Picture
    cost_ns: int
    era: int

    @property
    def kind(self) -> _Kind:
        return self.era, self.picture.shape


class FrameCache:
    """Pictures by key, the least recently wanted forgotten first.

    ``get`` and ``put`` are the render loop's; everything else may be called from any thread. The limit holds for what
    is kept, keys and bookkeeping included; two pictures on their way to the encoder come on top.
    """

    def __init__(self, limit_bytes: int, codec: str = AUTOMATIC, clock: Callable[[], int] = now_ns) -> None:
        """``limit_bytes`` 0 is off. Raises ValueError for a codec that is none."""
        self._clock = clock
        self._condition = threading.Condition()
        self._limit_bytes = max(limit_bytes, 0)
        self._wanted = _checked(codec)
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._used_bytes = 0
        self._waiting: deque[_Waiting] = deque()
        self._spare: list[Picture] = []
        self._busy = 0
        self._closing = False
        self._thread: threading.Thread | None = None
        self._rubbish: deque[OrderedDict[bytes, _Entry]] = deque()
        self._era = 0
        """Counts up whenever everything is forgotten: what was begun before must not come in after."""
        self._shape: tuple[int, ...] = ()
        self._codec: Codec | None = None
        self._chosen_for: _Kind | None = None
        self._books = Books()
        self._seen = SeenKeys()
        self._hit_times: deque[int] = deque(maxlen=REMEMBERED_TIMES)
        self._decode_ns = 0
        self._recent: deque[tuple[int, bool]] = deque(maxlen=_RECENT_FRAMES)
        self._hits = self._looked_up = self._stored = self._skipped = self._evicted = 0

    @property
    def limit_bytes(self) -> int:
        """How much may be kept; 0 is off. A smaller limit holds at once."""
        return self._limit_bytes

    @limit_bytes.setter
    def limit_bytes(self, limit_bytes: int) -> None:
        with self._condition:
            self._limit_bytes = max(limit_bytes, 0)
            if self._limit_bytes == 0:
                self._forget_all()
                self._spare.clear()
            self._make_room(0)

    @property
    def codec(self) -> str:
        """The codec that is wanted. One that cannot work here is as ``automatic``. A new one forgets everything."""
        return self._wanted

    @codec.setter
    def codec(self, name: str) -> None:
        with self._condition:
            if _checked(name) != self._wanted:
                self._wanted = name
                self._forget_all()

    @property
    def codec_in_use(self) -> str:
        """The name of the codec at work; empty before the first picture."""
        return self._codec.name if self._codec is not None else ""

    @property
    def aside(self) -> str:
        """Empty while the cache works, else the key of the reason: ``off``, ``does_not_pay``, ``too_cheap``."""
        return self._aside(self._clock())

    def should_store(self, cost_ns: int) -> bool:
        """Would a picture that took ``cost_ns`` to make be kept now?"""
        with self._condition:
            return not self._closing and not self._aside(self._clock()) and not self._is_cheap(cost_ns)

    def get(self, key: bytes, out: Picture) -> bool:
        """Write the picture of ``key`` (premultiplied) into ``out``. False if it is not here in this size; what is in
        ``out`` then is of no use."""
        started = self._clock()
        with self._condition:
            if self._closing or self._aside(started):
                return False
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
        found = entry is not None and self._decode(key, entry, out)
        with self._condition:
            now = self._clock()
            self._looked_up += 1
            self._recent.append((now, found))
            if found:
                self._hits += 1
                self._hit_times.append(now - started)
                if len(self._hit_times) >= _ENOUGH_HITS:  # counts for more than what was measured once
                    self._decode_ns = median(self._hit_times)
            if self._books.frame(entry.cost_ns if entry is not None and found else 0, now - started, now):
                # the next trial measures anew: perhaps a busy moment was measured
                self._chosen_for = None
                self._forget_times()
        return found

    def put(self, key: bytes, picture: Picture, cost_ns: int) -> None:
        """Keep a copy of ``picture`` (premultiplied), which took ``cost_ns`` to make; the copy is encoded elsewhere.

        Nothing happens while the cache stands aside. A picture is left out when its key never came before, as long as
        hits do not pay for such trials; when it is too cheap; when two are on their way already; and when it is larger
        than the limit.
        """
        started = self._clock()
        with self._condition:
            if self._closing or self._aside(started):
                return
            if picture.shape != self._shape:
                self._shape = picture.shape
                self._forget_times()
            cheap = self._is_cheap(cost_ns)
            self._books.offered(cost_ns, cheap=cheap)
            if not self._books.pays and not self._seen.again(key):
                return
            if cheap or self._busy >= _MOST_WAITING:
                self._skipped += 1
                return
            self._busy += 1
            buffer, era = self._spare.pop() if self._spare else None, self._era
        if buffer is None or buffer.shape != picture.shape:
            buffer = np.empty(picture.shape, np.uint8)
        np.copyto(buffer, picture)
        with self._condition:
            self._books.paid(self._clock() - started)
            if era != self._era:
                self._busy -= 1
                return
            self._waiting.append(_Waiting(key, buffer, cost_ns, era))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="frame-cache", daemon=True)
                self._thread.start()

    def clear(self) -> None:
        """Forget every picture, those on their way included. The cache's own thread gives the memory back."""
        with self._condition:
            self._forget_all()

    def figures(self) -> dict[str, float]:
        """``hit_rate`` (0..1, of the last two seconds) and ``hit_rate_total``; ``entries``; ``megabytes`` (10^6 bytes);
        ``hit_ms`` (median); ``stored``, ``skipped`` and ``evicted`` pictures since the start."""
        with self._condition:
            since = self._clock() - _RECENT_NS
            recent = [found for when, found in self._recent if when >= since]
            return {
                "hit_rate": sum(recent) / len(recent) if recent else 0.0,
                "hit_rate_total": self._hits / self._looked_up if self._looked_up else 0.0,
                "entries": float(len(self._entries)),
                "megabytes": self._used_bytes / 1e6,
                "hit_ms": median(self._hit_times) / 1e6,
                "stored": float(self._stored),
                "skipped": float(self._skipped),
                "evicted": float(self._evicted),
            }

    def close(self) -> None:
        """End the thread and forget everything; safe to call twice. From then on nothing is found and nothing kept."""
        with self._condition:
            self._closing = True
            self._forget_all()
            self._spare.clear()
        if self._thread is not None:
            self._thread.join(_CLOSE_LIMIT_S)

    def _decode(self, key: bytes, entry: _Entry, out: Picture) -> bool:
        """An entry of another size, or one that cannot be decoded, is forgotten."""
        try:
            entry.codec.decode(entry.encoded, out)
        except Exception:  # noqa: BLE001 - whatever a codec's library raises, the picture can be made anew
            _log.debug("a kept picture cannot be decoded", exc_info=True)
            with self._condition:
                if self._entries.get(key) is entry:
                    self._remove(key)
            return False
        return True

    def _run(self) -> None:
        """Looks for pictures by itself: to be woken by ``put`` would cost the render loop its core on a busy machine
        (measured at 5 runnable threads on 2 cores: 1.1 to 2.2 ms for a ``put`` on average instead of 0.3 to 0.5)."""
        pause_s = _SHORTEST_PAUSE_S
        while not self._closing:
            with self._condition:
                if not self._waiting and not self._rubbish and not self._closing:
                    self._condition.wait(pause_s)
                waiting = self._waiting.popleft() if self._waiting else None
            self._give_memory_back()
            pause_s = _SHORTEST_PAUSE_S if waiting is not None else min(2 * pause_s, _LONGEST_PAUSE_S)
            if waiting is None:
                continue
            entry = self._encode(waiting)
            with self._condition:
                self._busy -= 1
                if self._limit_bytes > 0 and not self._closing:
                    self._spare.append(waiting.picture)
                if waiting.era == self._era:
                    self._insert(waiting.key, entry)
        self._give_memory_back()

    def _give_memory_back(self) -> None:
        """One by one: to free gigabytes at once would hold Python's lock for as long as that takes."""
        while self._rubbish:
            forgotten = self._rubbish.popleft()
            while forgotten:
                forgotten.popitem()

    def _encode(self, waiting: _Waiting) -> _Entry | None:
        """None when the picture is not worth keeping, or cannot be kept."""
        try:
            if self._chosen_for != waiting.kind:
                self._choose(waiting)
            if self._codec is None or self._is_cheap(waiting.cost_ns):
                return None
            encoded = self._codec.encode(waiting.picture)
        except Exception:  # noqa: BLE001 - the border of this thread: whatever a codec's library raises
            if self.codec_in_use != RAW:
                _log.warning("the frame cache goes on without its codec", exc_info=True)
            self._codec, self._chosen_for = open_codec(RAW), waiting.kind
            self._decode_ns = 0
            return None
        return _Entry(encoded, self._codec, waiting.cost_ns, encoded.nbytes + len(waiting.key) + ENTRY_BYTES)

    def _choose(self, waiting: _Waiting) -> None:
        wanted = self._wanted
        if wanted == AUTOMATIC or unavailable(wanted) is not None:
            wanted = fastest(waiting.picture, waiting.cost_ns)
        # a codec of its own for every kind: the render loop may be decoding with the older one
        codec = open_codec(wanted)
        measured = measure(codec, waiting.picture, self._clock)
        with self._condition:
            self._codec, self._chosen_for = codec, waiting.kind
            if waiting.kind == (self._era, self._shape):
                self._decode_ns = measured.decode_ns

    def _insert(self, key: bytes, entry: _Entry | None) -> None:
        if entry is None or entry.nbytes > self._limit_bytes:
            self._skipped += 1
            return
        if key in self._entries:
            self._remove(key)
        self._make_room(entry.nbytes)
        self._entries[key] = entry
        self._used_bytes += entry.nbytes
        self._stored += 1

    def _make_room(self, nbytes: int) -> None:
        """Room comes first, so that the limit holds at every moment."""
        while self._entries and self._used_bytes + nbytes > self._limit_bytes:
            _, entry = self._entries.popitem(last=False)
            self._used_bytes -= entry.nbytes
            self._evicted += 1

    def _remove(self, key: bytes) -> None:
        self._used_bytes -= self._entries.pop(key).nbytes

    def _forget_all(self) -> None:
        self._era += 1
        if self._entries:
            self._rubbish.append(self._entries)
            self._entries = OrderedDict()
        self._used_bytes = 0
        self._busy -= len(self._waiting)
        self._waiting.clear()
        self._forget_times()
        self._condition.notify()

    def _forget_times(self) -> None:
        self._decode_ns = 0
        self._hit_times.clear()

    def _aside(self, now: int) -> str:
        return OFF if self._limit_bytes == 0 else self._books.reason(now)

    def _is_cheap(self, cost_ns: int) -> bool:
        return cost_ns < DEAREST_SHARE * self._decode_ns


def _checked(codec: str) -> str:
    if codec not in (AUTOMATIC, *CODECS):
        raise ValueError(f"no codec is named {codec!r}")
    return codec
