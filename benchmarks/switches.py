"""Live switches in the real OBS: presets, in-between frames and how they are made, super-resolution, character.

The avatar moves by itself; every picture carries the time at which its pose was taken, and a probe inside OBS reads it
from each frame OBS puts out. ``--switches`` random changes are made at random moments of ``--seconds``, through the
same call that OBS makes when somebody changes something in the panel. Without in-between frames the avatar can move no
faster than it is drawn, so they are switched off only while nothing slow is on (super-resolution).

``black``: frames without a picture. ``repeated_max``: by how many frames in a row the longest standstill was too long
(0: every frame of OBS's showed a new pose); ``standstills`` tells of each longer than one frame when it was and what
had been switched last. ``jitter_ms_p95``: by how much the time between the poses of two frames in a row differs from
OBS's frame interval. ``*_quiet``: the same before the first switch.
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from typing import Any

from core.wire.clock import now_ns
from core.wire.settings import PRESETS
from models.upscale import registry as upscalers

from . import _report
from ._live_obs import LiveObs

_RATE = 30
_SETTLE_S, _QUIET_S = 3.0, 8.0
_CHARACTERS = ("nocti", "mothlight")


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--switches", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args(arguments)
    settings = {"tracker": "debug", "autostart": True, "character": _CHARACTERS[0]}
    with LiveObs(settings, _RATE) as live:
        live.place_avatar()
        time.sleep(_SETTLE_S + _QUIET_S)
        quiet = live.frames(since=-round(_QUIET_S * _RATE))
        worker = live.worker()
        before = len(live.frames())
        done = _switch(live, options.switches, options.seconds, random.Random(options.seed))
        time.sleep(1.0)
        frames = live.frames(since=before)
        survived = worker is not None and worker == live.worker()
    figures: dict[str, object] = {"switches": len(done), "same_worker": survived, "frames": len(frames)}
    figures.update(_evenness(frames))
    figures.update({f"{name}_quiet": value for name, value in _evenness(quiet).items()})
    figures["standstills"] = _standstills(frames, done)
    figures["changes"] = [change for _, change in done]
    _report.give(figures, options.json)
    return 0


def _switch(live: LiveObs, count: int, seconds: float, chance: random.Random) -> list[tuple[int, str]]:
    """Make the changes; gives when each was made and what was changed to what."""
    kinds = [kind for kind, reason in upscalers.availability().items() if reason is None]
    choices: dict[str, tuple[Any, ...]] = {
        "preset": tuple(preset for preset in PRESETS if preset != "custom"),
        "interpolation": (True, False),
        "in_between_method": ("motion", "smooth"),
        "interpolation_factor": (1, 2, 3, 4),
        "character": _CHARACTERS,
        "super_resolution": tuple(kinds),
    }
    now = {"preset": "high", "interpolation": True, "in_between_method": "motion", "interpolation_factor": 1,
           "character": _CHARACTERS[0], "super_resolution": "off"}  # fmt: skip
    keys = [key for key, values in choices.items() if len(values) > 1]
    moments = sorted(chance.uniform(0.0, seconds) for _ in range(count))
    began, done = time.monotonic(), []
    for number, moment in enumerate(moments):
        time.sleep(max(began + moment - time.monotonic(), 0.0))
        while True:
            key = keys[number] if number < len(keys) else chance.choice(keys)
            value = chance.choice([value for value in choices[key] if value != now[key]])
            wanted = {**now, key: value}
            if wanted["interpolation"] or wanted["super_resolution"] == "off":
                break
            number = len(keys)
        now = wanted
        live.change(**{key: value})
        done.append((now_ns(), f"{key}={value}"))
    time.sleep(max(began + seconds - time.monotonic(), 0.0))
    return done


def _standstills(frames: list[tuple[int, int]], done: list[tuple[int, str]]) -> list[str]:
    """Where the same pose was shown for more than two frames in a row."""
    found, run = [], 0
    for (_, last), (tick, stamp) in itertools.pairwise(frames):
        if stamp == last:
            run += 1
            continue
        if run > 1:
            before = [(at, change) for at, change in done if at < tick]
            since = f"{(tick - before[-1][0]) / 1e9:.1f} s after {before[-1][1]}" if before else "before all"
            found.append(f"{run} frames, {since}")
        run = 0
    return found


def _evenness(frames: list[tuple[int, int]]) -> dict[str, float]:
    interval_ms = 1000.0 / _RATE
    stamps = [stamp for _, stamp in frames]
    seen = [stamp for stamp in stamps if stamp]
    run = longest = 0
    for last, stamp in itertools.pairwise(seen):
        run = run + 1 if stamp == last else 0
        longest = max(longest, run)
    steps = [(stamp - last) / 1e6 for last, stamp in itertools.pairwise(seen)]
    return {
        "black": sum(stamp == 0 for stamp in stamps),
        "repeated_max": longest,
        "repeated_share": sum(step == 0 for step in steps) / max(len(steps), 1),
        "jitter_ms_p95": _report.percentile([abs(step - interval_ms) for step in steps], 0.95),
        "longest_ms": max(steps),
    }


if __name__ == "__main__":
    sys.exit(main())
