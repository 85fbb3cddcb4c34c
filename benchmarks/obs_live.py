"""From a tracker's packet to a pixel in a real OBS, and what it costs OBS.

Packets are sent at 60 a second. The worker draws the arrival time of the packet that is in a picture into that
picture; a probe inside OBS reads it from every frame OBS puts out. Latency is measured to the frame's own time stamp:
the moment OBS gives that frame in the stream, to which sound is aligned. ``composed_ms_median`` adds OBS's average
time to compose a frame, which on a machine without a graphics card is most of the way. A frame that shows no newer
packet than the one before is not a new pixel and does not count. Stretches with and without the avatar alternate, so
that the machine's own hiccups do not count as ours.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from . import _report
from ._live_obs import LiveObs
from ._packets import Sender, packets

_SETTLE_S = 2.0


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=60.0, help="time with the avatar; as long again without")
    parser.add_argument("--stream", type=Path, help="recorded OpenSeeFace packets to send")
    options = parser.parse_args(arguments)
    stretch = min(10.0, options.seconds)
    with LiveObs() as live:
        sender = Sender(live.port, packets(options.stream))
        try:
            figures = _measure(live, options.seconds, stretch)
        finally:
            sender.close()
    _report.give(figures, options.json)
    return 0


def _measure(live: LiveObs, seconds: float, stretch: float) -> dict[str, object]:
    live.place_avatar()
    time.sleep(_SETTLE_S)
    latencies: list[float] = []
    skipped_with = skipped_without = shown = 0
    worker_cpu = frame_time = 0.0
    rounds = max(1, round(seconds / stretch))
    for _ in range(rounds):
        worker = live.worker()
        assert worker is not None
        before, cpu_before, frames_before = live.skipped(), _cpu(worker), len(live.frames())
        time.sleep(stretch)
        worker_cpu += _cpu(worker) - cpu_before
        skipped_with += live.skipped() - before
        frames = live.frames(since=frames_before)
        new = [pair for pair, last in zip(frames[1:], frames, strict=False) if pair[1] > last[1] > 0]
        shown += len(new)
        latencies += [(tick - stamp) / 1e6 for tick, stamp in new]
        frame_time += float(live.obs.websocket.request("GetStats")["averageFrameRenderTime"])
        live.press("start_stop")
        live.wait_for(lambda: live.worker() is None, "the worker's end")
        time.sleep(_SETTLE_S)
        before = live.skipped()
        time.sleep(stretch)
        skipped_without += live.skipped() - before
        live.press("start_stop")
        live.wait_for(lambda: live.worker() is not None and live.frames(since=-1)[0][1] > 0, "the avatar's return")
        time.sleep(_SETTLE_S)
    median = _report.percentile(latencies, 0.5)
    return {
        "latency_ms_median": median,
        "latency_ms_p95": _report.percentile(latencies, 0.95),
        "latency_ms_max": max(latencies),
        "composed_ms_median": median + frame_time / rounds,
        "skipped_by_us": max(0, skipped_with - skipped_without),
        "skipped_with": skipped_with,
        "skipped_without": skipped_without,
        "frames": shown,
        "fps": shown / (rounds * stretch),
        "obs_render_ms": frame_time / rounds,
        "worker_cpu_ms_per_frame": worker_cpu * 1000.0 / max(shown, 1),
    }


def _cpu(process: object) -> float:
    times = process.cpu_times()  # type: ignore[attr-defined]
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
