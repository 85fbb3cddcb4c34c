"""From the frame ring into OBS: hands each announced picture to every source that shows the avatar.

Runs on the thread that reads the worker's pipe. libobs copies the picture before the call returns, and Python's lock is
free meanwhile, so neither OBS's graphics thread nor other scripts wait for it.
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from typing import Deque, Dict, Iterable, List, Optional, Set

from ..wire.clock import now_ns
from ..wire.ring import FrameHeader, FrameRing
from .libobs import VIDEO_FORMAT_BGRA, LibObs, SourceFrame

MOST_SOURCES = 8
_RELEASE_LIMIT_S = 0.25
_DELAYS_KEPT = 120


class FramePusher:
    """Owns strong references to the sources. All methods may be called from any thread."""

    def __init__(self, lib: LibObs) -> None:
        self._lib = lib
        self._lock = threading.Lock()
        self._ring: Optional[FrameRing] = None
        self._memory: Optional[ctypes.Array[ctypes.c_char]] = None
        self._sources: Dict[str, int] = {}
        self._cleared: Set[str] = set()
        self._frame = SourceFrame(format=VIDEO_FORMAT_BGRA, full_range=True)
        self._delays: Deque[int] = deque(maxlen=_DELAYS_KEPT)
        self.pushed = 0

    def set_ring(self, ring: Optional[FrameRing]) -> None:
        """Where pictures come from; None lets go of the ring's memory."""
        with self._lock:
            self._memory = None
            self._ring = ring
            if ring is not None:
                self._memory = (ctypes.c_char * len(ring.memory)).from_buffer(ring.memory)

    def set_sources(self, names: Iterable[str]) -> bool:
        """Show the avatar in the sources of these names. True when that changed anything.

        Called on the UI thread: gives up at once while a picture is being handed over, the caller comes again.
        """
        wanted = list(names)[:MOST_SOURCES]
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if set(wanted) == set(self._sources) and not any(map(self._lib.obs_source_removed, self._sources.values())):
                return False
            for name in [known for known in self._sources if known not in wanted]:
                self._lib.obs_source_release(self._sources.pop(name))
            self._drop_removed()
            for name in wanted:
                if name not in self._sources:
                    self._hold(name)
            newest = self._ring.newest if self._ring is not None else 0
            if newest:
                # a source that was just added shows the picture everybody sees, not an empty box
                self._push(newest)
            return True
        finally:
            self._lock.release()

    def clear_sources(self, names: Iterable[str]) -> None:
        """Another output shows the avatar: these sources show nothing any more, and none is held.

        Called on the UI thread: gives up at once while a picture is being handed over, the caller comes again.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._release_all()
            for name in names:
                if name in self._cleared:
                    continue
                source = self._lib.obs_get_source_by_name(name.encode("utf-8"))
                if source:
                    self._lib.obs_source_output_video(source, None)
                    self._lib.obs_source_release(source)
                    self._cleared.add(name)
        finally:
            self._lock.release()

    @property
    def source_count(self) -> int:
        """How many sources show the avatar."""
        return len(self._sources)

    def push(self, sequence: int) -> None:
        """Hand over the newest picture (at least this one)."""
        with self._lock:
            self._drop_removed()
            self._push(sequence)

    def update_dialogs(self) -> None:
        """Have open properties dialogs of our sources show their text anew."""
        if self._lock.acquire(timeout=_RELEASE_LIMIT_S):
            try:
                for source in self._sources.values():
                    self._lib.obs_source_update_properties(source)
            finally:
                self._lock.release()

    def push_delay_ns(self) -> int:
        """From "published" in the worker to "handed over" here, 95th percentile of the last frames; 0 when unknown."""
        delays = sorted(self._delays)
        return delays[int(len(delays) * 0.95)] if delays else 0

    def release_sources(self) -> None:
        """Let go of every source, before OBS destroys them."""
        held = self._lock.acquire(timeout=_RELEASE_LIMIT_S)
        try:
            self._release_all()
        finally:
            if held:
                self._lock.release()

    def _release_all(self) -> None:
        sources, self._sources = self._sources, {}
        for source in sources.values():
            self._lib.obs_source_release(source)

    def _hold(self, name: str) -> None:
        self._cleared.discard(name)
        source = self._lib.obs_get_source_by_name(name.encode("utf-8"))
        if source:
            # the newest picture at once instead of OBS's own clock; neither flag is kept in the scene collection
            self._lib.obs_source_set_async_unbuffered(source, True)
            self._lib.obs_source_set_async_decoupled(source, True)
            self._sources[name] = source

    def _drop_removed(self) -> None:
        gone: List[str] = [name for name, source in self._sources.items() if self._lib.obs_source_removed(source)]
        for name in gone:
            self._lib.obs_source_release(self._sources.pop(name))

    def _push(self, sequence: int) -> None:
        ring, memory = self._ring, self._memory
        if ring is None or memory is None or not self._sources:
            return
        header = ring.header(max(sequence, ring.newest))
        if header is None:
            return
        self._hand_over(header, ring, memory)
        if not ring.intact(header.sequence):
            # the worker came round the whole ring while we copied: what was shown may be torn, show the newest instead
            header = ring.header(ring.newest) or header
            self._hand_over(header, ring, memory)
        self.pushed += 1
        if header.published_ns:
            self._delays.append(now_ns() - header.published_ns)

    def _hand_over(self, header: FrameHeader, ring: FrameRing, memory: ctypes.Array[ctypes.c_char]) -> None:
        frame = self._frame
        frame.width, frame.height = header.width, header.height
        frame.linesize[0] = header.width * 4
        frame.data[0] = ctypes.addressof(memory) + ring.picture_offset(header.sequence)
        for source in self._sources.values():
            frame.timestamp = self._lib.os_gettime_ns()
            self._lib.obs_source_output_video(source, ctypes.byref(frame))
