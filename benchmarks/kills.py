"""The worker is killed again and again while OBS streams: how soon the avatar moves again, and what OBS notices.

A round is over when OBS puts out a frame with a packet in it that arrived after the kill. Then the worker is left alone
until it counts as stable, so that every round stands for a single accident; ``--gap`` 0 kills it again at once. Frames
that OBS skips in the seconds after a kill are compared with those it skips in as many quiet seconds before it.
"""

from __future__ import annotations

import sys
import time

import psutil

from core.wire.clock import now_ns

from . import _report
from ._live_obs import LiveObs
from ._packets import Sender, packets

_BACK_LIMIT_S = 30.0
_WATCHED_S = 3.0
_SETTLE_S = 2.0
_ORPHAN_LIMIT_S = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Measure and report; exit code 1 when the avatar did not come back."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--gap", type=float, default=10.5, help="seconds between coming back and the next kill")
    options = parser.parse_args(arguments)
    recoveries: list[float] = []
    pids: list[int] = []
    with LiveObs() as live:
        sender = Sender(live.port, packets())
        try:
            live.place_avatar()
            time.sleep(_SETTLE_S)
            frames_before = len(live.frames())
            quiet = after = 0
            for _ in range(options.rounds):
                time.sleep(max(0.0, options.gap - _WATCHED_S))
                before = live.skipped()
                time.sleep(min(options.gap, _WATCHED_S))
                killed = live.skipped()
                quiet += killed - before
                seconds = _kill(live, pids)
                if seconds is None:
                    break
                recoveries.append(seconds)
                time.sleep(min(options.gap, max(0.0, _WATCHED_S - seconds)))
                after += live.skipped() - killed
            empty = sum(1 for _, stamp in live.frames(since=frames_before) if stamp == 0)
            worker = live.worker()
            pids += [worker.pid] if worker is not None else []
        finally:
            sender.close()
        exit_code = live.close()
    time.sleep(_ORPHAN_LIMIT_S)
    figures: dict[str, object] = {
        "recovered": len(recoveries),
        "recover_s_max": max(recoveries, default=0.0),
        "recover_s_median": _report.percentile(recoveries, 0.5) if recoveries else 0.0,
        "skipped_by_us": max(0, after - quiet),
        "skipped_after_kills": after,
        "skipped_in_quiet": quiet,
        "frames_without_avatar": empty,
        "orphans": sum(1 for pid in pids if _alive(pid)),
        "obs_exit_code": exit_code,
    }
    _report.give(figures, options.json)
    return 0 if len(recoveries) == options.rounds else 1


def _kill(live: LiveObs, pids: list[int]) -> float | None:
    """Kill the worker; seconds until OBS shows a newer packet, None when it does not."""
    worker = live.worker()
    if worker is None:
        return None
    pids.append(worker.pid)
    killed_ns = now_ns()
    worker.kill()
    deadline = time.monotonic() + _BACK_LIMIT_S
    while time.monotonic() < deadline:
        for tick, stamp in live.frames(since=-30):
            if stamp > killed_ns:
                return (tick - killed_ns) / 1e9
        time.sleep(0.05)
    return None


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    sys.exit(main())
