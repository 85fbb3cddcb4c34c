"""Which device in which precision shall draw: the order to try, and the choice among what was found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accel.base import FULL, HALF, Device
from core.wire.rungs import CPU, allows

from .self_check import Verdict
from .wish import AUTOMATIC, ModelWish


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device and what to compute in on it."""

    device: Device
    precision: str
    rung: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen one and the key of the reason."""

    candidate: Candidate
    reason: str
    verdict: Verdict | None = None


Judge = Callable[[Candidate], Verdict]


def candidates(
    devices: Sequence[Device], rung_of: Callable[[str], str], wish: ModelWish, precisions: Sequence[str]
) -> tuple[list[Candidate], list[Candidate]]:
    """Those that are what the user wants, and those that could stand in for them; each in the order to try.

    ``precisions``: what the model has weights for. On the processor float16 gains nothing, so it runs in float32 where
    it can.
    """
    wanted: list[Candidate] = []
    others: list[Candidate] = []
    for device in devices:
        rung = rung_of(device.runtime)
        if not allows(wish.rung, rung):
            continue
        for precision in _precisions(rung, precisions):
            candidate = Candidate(device, precision, rung)
            (wanted if _is_wanted(candidate, wish, precisions) else others).append(candidate)
    return wanted, others


def choose(wanted: Sequence[Candidate], others: Sequence[Candidate], judge: Judge) -> Choice | None:
    """The fastest of the wanted ones whose pictures are right, else the first right one of the others."""
    if len(wanted) == 1 and not others and wanted[0].rung == CPU:
        # nothing to compare it with, and nothing to choose
        return Choice(wanted[0], "only_one")
    good = [(candidate, verdict) for candidate in wanted if (verdict := judge(candidate)).good]
    if good:
        candidate, verdict = min(good, key=lambda pair: pair[1].milliseconds)
        return Choice(candidate, "fastest_correct" if len(wanted) > 1 else "as_wished", verdict)
    for candidate in others:
        verdict = judge(candidate)
        if verdict.good:
            return Choice(candidate, "next_best", verdict)
    return None


def _precisions(rung: str, offered: Sequence[str]) -> list[str]:
    if rung == CPU and FULL in offered:
        return [FULL]
    return [precision for precision in (HALF, FULL) if precision in offered]


def _is_wanted(candidate: Candidate, wish: ModelWish, offered: Sequence[str]) -> bool:
    if wish.runtime not in (AUTOMATIC, candidate.device.runtime):
        return False
    if wish.device not in (AUTOMATIC, candidate.device.name):
        return False
    return wish.precision in (AUTOMATIC, candidate.precision) or _precisions(candidate.rung, offered) == [FULL]
