"""What a publisher is: the last station of a frame inside the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.wire.errors import EasyVtuberError
from core.wire.settings import Value

Picture: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 4), uint8, C-contiguous, channels B, G, R, A in sRGB."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One finished frame. Times come from ``core.wire.clock.now_ns``; 0 means none.

    ``picture`` is premultiplied and belongs to the render loop: it may be overwritten as soon as ``publish`` returned.
    """

    picture: Picture
    sequence: int
    in_between: bool = False
    visible: bool = True
    packet_ns: int = 0
    sampled_ns: int = 0
    rendered_ns: int = 0


@dataclass(frozen=True, slots=True)
class PublishContext:
    """What a publisher may need besides the settings."""

    ring_locator: str = ""
    """Where OBS's side made the frame ring; empty when there is none."""
    frame_ready: Callable[[int], None] = lambda sequence: None
    """Tells OBS's side that the frame with this sequence number is in the ring."""
    frames_per_second: float = 60.0
    """The rate that frames will come at, for sinks that must announce one."""
    figures: Callable[[], Mapping[str, float | str]] = dict
    """The newest figures (frames per second, pose age, ...) for sinks that show them."""


class Publisher(Protocol):
    """Shows frames somewhere. Created, fed and closed by one thread."""

    @property
    def description(self) -> str:
        """Where the frames go, for the status line: a sender's name, a camera, a path. May be empty."""
        ...

    @property
    def failure(self) -> EasyVtuberError | None:
        """Why nothing can be shown any more; None while all is well."""
        ...

    def publish(self, frame: Frame) -> None:
        """Show one frame. Returns within a millisecond or two; a slow sink shows the newest frame it can."""
        ...

    def close(self) -> None:
        """Stop showing and give everything back, within two seconds. Safe to call twice."""
        ...


Opener: TypeAlias = Callable[[Mapping[str, Value], PublishContext], Publisher]
"""Makes a publisher from the effective settings. Raises an OutputError when it cannot."""
