"""What a picture shows: a pose that was taken at some time, and where the avatar stands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.pose.parameters import PoseVector

from .movement import IN_PLACE, Placement, blend


@dataclass(frozen=True, slots=True)
class Moment:
    """One sample of the pose."""

    pose: PoseVector
    """Rounded: what pictures are rendered at."""
    bent: PoseVector
    """What pictures are bent to: turned as finely as can be seen."""
    packet_ns: int
    sampled_ns: int
    presence: float
    placement: Placement = IN_PLACE


def between(older: Moment, newer: Moment, share: float) -> Moment:
    """Times and place ``share`` (0..1) of the way from one to the other."""
    return Moment(
        newer.pose,
        newer.bent,
        _time_between(older.packet_ns, newer.packet_ns, share),
        _time_between(older.sampled_ns, newer.sampled_ns, share),
        newer.presence,
        blend(older.placement, newer.placement, share),
    )


def at(history: Sequence[Moment], wanted_ns: int) -> Moment:
    """What there was at a time: between the two samples round it; the first or the last one outside of them.
    ``history`` holds at least one."""
    times = [moment.sampled_ns for moment in history]
    later = min(bisect_left(times, wanted_ns), len(times) - 1)
    earlier = max(later - 1, 0)
    first, second = history[earlier], history[later]
    span = second.sampled_ns - first.sampled_ns
    share = min(max((wanted_ns - first.sampled_ns) / span, 0.0), 1.0) if span > 0 else 1.0
    bent = first.bent + (second.bent - first.bent) * np.float32(share)
    return replace(between(first, second, share), pose=bent, bent=bent)


def path(
    history: Sequence[Moment], older: Moment | None, newer: Moment, start: PoseVector, steps: int
) -> list[PoseVector]:
    """The ``steps`` - 1 poses there really were at even distances in time between two moments; straight from ``start``
    where the history does not reach back."""
    if older is None or not history or history[0].sampled_ns > older.sampled_ns:
        way = newer.bent - start
        return [np.asarray(start + way * np.float32(number / steps), np.float32) for number in range(1, steps)]
    times = (older.sampled_ns + (newer.sampled_ns - older.sampled_ns) * number // steps for number in range(1, steps))
    return [at(history, wanted_ns).bent for wanted_ns in times]


def _time_between(older_ns: int, newer_ns: int, share: float) -> int:
    if older_ns == 0 or newer_ns == 0:
        return newer_ns
    return older_ns + int((newer_ns - older_ns) * share)
