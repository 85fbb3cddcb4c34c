"""How old the pose on screen is, with a stand-in network that takes a given time and nothing else.

The worker's own pacing and pipeline run in real time; a pose's age is the time from its sample until its frame is
handed over. Each row of the table is a render time, an output rate and a factor (1: no in-between frames; 2, 4: the
newest picture is bent to the pose of now). ``age_ms`` is the median, ``age_ms_p95`` what 95 in 100 frames stay below,
``limit_ms`` the render time plus one output frame, ``spacing_ms_p95`` by how much the time between two frames differs
from a whole number of output frames, and ``upstream_ms`` what EasyVtuber's design gives: twice the factor in output
frames, or in render times where those are longer.

``age_over_render_ms_max``: the largest median age above the row's render time; one output frame is allowed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from core.pose.mixer import PoseMoment
from core.pose.parameters import Pose, PoseVector, neutral
from core.render.pipeline import MOTION, Pace, Pipeline
from core.wire.clock import now_ns
from core.worker.clock import KEY, OTHER, Pacer
from models.base import Picture
from models.motion import CELLS, Displacement, FaceChange

from . import _report

RENDER_MS = (10, 30, 80)
RATES = (30, 60)
FACTORS = (1, 2, 4)
_SETTLE_S = 0.7


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row of the table")
    options = parser.parse_args(arguments)
    rows = [
        _measure(render_ms, rate, factor, options.seconds)
        for render_ms in RENDER_MS
        for rate in RATES
        for factor in FACTORS
    ]
    for row in rows:
        print("  ".join(f"{name} {value:g}" for name, value in row.items()))
    figures = {
        "age_over_render_ms_max": max(row["age_ms"] - row["render_ms"] for row in rows),
        "rows_over_limit": sum(row["age_ms"] > row["limit_ms"] for row in rows),
        "least_gain_over_upstream": min(row["upstream_ms"] / row["age_ms"] for row in rows),
        "table": rows,
    }
    _report.give(figures, options.json)
    return 0


class StandIn:
    """Takes its time and leaves the picture as it is; bends by a fixed grid."""

    family = "stand-in"
    size = 512

    def __init__(self, render_ms: float) -> None:
        self._seconds = render_ms / 1000.0
        self._displacement: Displacement = np.full((CELLS, CELLS, 2), 0.01, np.float32)

    def render(self, pose: PoseVector, out: Picture) -> None:
        """As long as a graphics card would take, with the processor free."""
        time.sleep(self._seconds)

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement:
        """Always the same."""
        return self._displacement

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        """The face stays."""
        return None

    def remember_up_to(self, bytes_: int) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Nothing is held."""


def _measure(render_ms: int, rate: int, factor: int, seconds: float) -> dict[str, float]:
    pipeline = Pipeline(StandIn(render_ms), Pace(MOTION if factor > 1 else "", factor, frame_rate=rate))
    pacer = Pacer(rate)
    began = now_ns()
    ages: list[float] = []
    out_ns: list[int] = []

    def sample() -> tuple[PoseMoment, int]:
        now = now_ns()
        pose = neutral()
        pose[Pose.HEAD_Y] = np.sin((now - began) / 4e8)
        return PoseMoment(pose, now, 1.0), now

    try:
        while now_ns() - began < (_SETTLE_S + seconds) * 1e9:
            pacer.expect(KEY if pipeline.draws_next else OTHER)
            wait_ns = pacer.start_of_work(pacer.next_deadline(now_ns())) - now_ns()
            if wait_ns > 0:
                time.sleep(wait_ns / 1e9)
            kind, started = KEY if pipeline.draws_next else OTHER, now_ns()
            rendered = pipeline.next(sample)
            done = now_ns()
            if rendered is None:
                continue
            pacer.worked(done - started, kind)
            if done - began > _SETTLE_S * 1e9:
                ages.append((done - rendered.sampled_ns) / 1e6)
                out_ns.append(done)
    finally:
        pipeline.close()
    frame_ms = 1000.0 / rate
    spacing = np.diff(out_ns) / 1e6
    return {
        "render_ms": float(render_ms),
        "fps_limit": float(rate),
        "factor": float(factor),
        "age_ms": round(_report.percentile(ages, 0.5), 2),
        "age_ms_p95": round(_report.percentile(ages, 0.95), 2),
        "limit_ms": round(render_ms + frame_ms, 2),
        "upstream_ms": round(2.0 * max(factor * frame_ms, float(render_ms)), 2),
        "fps": round(len(ages) / seconds, 1),
        "spacing_ms_p95": round(_report.percentile(_unevenness(spacing, frame_ms), 0.95), 2),
    }


def _unevenness(spacing: np.ndarray[tuple[int, ...], np.dtype[np.float64]], frame_ms: float) -> list[float]:
    return [float(value) for value in np.abs(spacing - np.maximum(np.rint(spacing / frame_ms), 1) * frame_ms)]


if __name__ == "__main__":
    sys.exit(main())
