"""What a tracker is, and what travels from it to the pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.pose.sample import TrackerSample
from core.wire.errors import EasyVtuberError

__all__ = ["Datagram", "Decoder", "Drop", "LatestSlot", "Tracker", "TrackerSample", "TrackerState", "TrackerStatus"]

Datagram = bytes
Values = NDArray[np.float32]


class Drop(StrEnum):
    """Why a packet was not used. Counted, shown in the figures, never logged one by one."""

    WRONG_SIZE = "wrong_size"
    WRONG_FORMAT = "wrong_format"
    NOT_FINITE = "not_finite"
    NO_FACE = "no_face"
    POOR_FIT = "poor_fit"
    OTHER_FACE = "other_face"
    OUTLIER = "outlier"
    OUT_OF_ORDER = "out_of_order"
    OTHER_PEER = "other_peer"
    TOO_MANY = "too_many"


class Decoder(Protocol):
    """Turns one protocol's packets into samples. Never raises, whatever the bytes; keeps at most a few kilobytes."""

    def feed(self, datagram: Datagram, arrival_ns: int) -> TrackerSample | Drop:
        """One packet as it came from the network or from a recording."""
        ...


class TrackerState(StrEnum):
    """What the panel says about the input."""

    IDLE = "idle"
    """No input is wanted."""
    WAITING = "waiting"
    """Listening; nothing came yet."""
    TRACKING = "tracking"
    LOST = "lost"
    """Samples came, but the last one is too old."""
    FAILED = "failed"
    """Cannot listen; ``error`` tells why. It is tried again by itself."""


@dataclass(frozen=True, slots=True)
class TrackerStatus:
    """One look at a tracker, for the panel."""

    state: TrackerState
    samples_per_second: float = 0.0
    dropped: Mapping[str, int] = field(default_factory=dict)
    """How many packets were not used, by :class:`Drop` reason."""
    error: EasyVtuberError | None = None


class Tracker(Protocol):
    """An input. Opened and closed by the worker; ``latest`` and ``status`` may be called from any thread."""

    def latest(self, now_ns: int) -> TrackerSample | None:
        """The newest sample, however old; None before the first."""
        ...

    def status(self, now_ns: int) -> TrackerStatus:
        """How the input is doing."""
        ...

    def close(self) -> None:
        """Stop listening and end every thread, within a second. Safe to call twice."""
        ...


class LatestSlot:
    """Holds the newest sample only: a slow reader never finds a queue, and a silent phone never blocks anybody.

    Replacing one reference is atomic in Python, so no lock is needed.
    """

    def __init__(self) -> None:
        self._sample: TrackerSample | None = None

    def put(self, sample: TrackerSample) -> None:
        """Replace what is there."""
        self._sample = sample

    def get(self) -> TrackerSample | None:
        """The newest sample, or None before the first."""
        return self._sample
