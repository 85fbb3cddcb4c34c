"""What a tracker is, and what travels from it to the pose."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.pose.sample import TrackerSample
from core.wire.errors import EasyVtuberError
from core.wire.settings import Value

if TYPE_CHECKING:
    from .recording import RecordingWriter

__all__ = [
    "Adjustable", "Datagram", "Decoder", "Drop", "Hint", "Packetless", "Tracker", "TrackerSample", "TrackerState",
    "TrackerStatus",
]  # fmt: skip

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


@dataclass(frozen=True, slots=True)
class Hint:
    """Something the user should know about an input: the text ``hint.<key>`` of the locale tables, filled in."""

    key: str
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)
    """Plain strings and numbers; floats are shown without decimals."""
    warning: bool = False
    """True when the user has to do something about it."""

    def as_message(self) -> dict[str, object]:
        """The form that travels in ``state`` messages."""
        return {"key": self.key, "parameters": dict(self.parameters), "warning": self.warning}


class Decoder(ABC):
    """Turns one protocol's packets into samples. Never raises, whatever the bytes; keeps at most a few kilobytes."""

    @abstractmethod
    def feed(self, datagram: Datagram, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet as it came from the network or from a recording.

        None when it was good but there is no new face yet: part of a frame, or not about the face at all.
        """

    def opening(self) -> tuple[Datagram, ...]:
        """Packets that a recording must begin with to be understood: what was agreed before it began."""
        return ()

    def hints(self, now_ns: int) -> tuple[Hint, ...]:
        """What the packets tell about the sender: which face is followed, that half of the face is switched off."""
        return ()


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
    hints: tuple[Hint, ...] = ()


class Tracker(Protocol):
    """An input. Opened and closed by the worker; everything may be called from any thread."""

    @property
    def recording_prefix(self) -> str:
        """How the name of a recording of its packets begins; empty when it has no packets."""
        ...

    def latest(self, now_ns: int, /) -> TrackerSample | None:
        """The newest sample, however old; None before the first."""
        ...

    def status(self, now_ns: int, /) -> TrackerStatus:
        """How the input is doing."""
        ...

    def record(self, recording: RecordingWriter | None) -> None:
        """From now on write every packet there as it came, before anything is decoded; None ends it."""
        ...

    def close(self) -> None:
        """Stop listening and end every thread, within a second. Safe to call twice."""
        ...


class Packetless:
    """What an input without packets and without a thread answers: nothing to record, nothing to end."""

    @property
    def recording_prefix(self) -> str:
        """Empty: it has no packets."""
        return ""

    def record(self, recording: RecordingWriter | None) -> None:
        """Nothing to record."""

    def close(self) -> None:
        """Nothing to end."""


@runtime_checkable
class Adjustable(Protocol):
    """An input that takes over settings while it runs, so that it need not be opened anew for them."""

    def adjust(self, settings: Mapping[str, Value]) -> None:
        """These settings hold from now on."""
        ...
