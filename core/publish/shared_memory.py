"""Frames into the ring that OBS's side made; it pushes them into our own source."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.wire.clock import now_ns
from core.wire.errors import EasyVtuberError, OutputUnavailable
from core.wire.ring import FLAG_IN_BETWEEN, FLAG_TRANSPARENT, FrameHeader, FrameRing
from core.wire.settings import Value

from .base import Frame, PublishContext
from .pixels import straight


class SharedMemoryPublisher:
    """Writes straight-alpha BGRA pictures into the frame ring and announces each."""

    description = ""
    failure: EasyVtuberError | None = None

    def __init__(self, ring: FrameRing, context: PublishContext) -> None:
        self._ring = ring
        self._frame_ready = context.frame_ready

    def publish(self, frame: Frame) -> None:
        """Convert straight into the ring's memory, then make the frame the newest."""
        height, width = frame.picture.shape[:2]
        # the ring numbers its own frames: it outlives this publisher, and sequence numbers must go on rising in it
        sequence = self._ring.newest + 1
        memory = self._ring.begin(sequence, frame.picture.nbytes)
        straight(frame.picture, np.frombuffer(memory, np.uint8).reshape(height, width, 4))
        flags = (FLAG_IN_BETWEEN if frame.in_between else 0) | (0 if frame.visible else FLAG_TRANSPARENT)
        self._ring.finish(
            FrameHeader(sequence, width, height, flags, frame.packet_ns, frame.sampled_ns, frame.rendered_ns, now_ns())
        )
        self._frame_ready(sequence)

    def close(self) -> None:
        """Let go of the mapping; the file belongs to OBS's side."""
        self._ring.close()


def unavailable() -> str | None:
    """Shared memory is there on every system; whether a ring is, the context tells."""
    return None


def open_publisher(settings: Mapping[str, Value], context: PublishContext) -> SharedMemoryPublisher:
    """Attach to the ring. Raises OutputUnavailable when OBS's side made none."""
    if not context.ring_locator:
        raise OutputUnavailable("no ring in the configuration", output="obs_source", reason="obs_not_there")
    return SharedMemoryPublisher(FrameRing.attach(context.ring_locator), context)
