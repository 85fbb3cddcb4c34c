"""What the quantiser and the caches spare at each level, how far its pictures are from the exact ones, and what the
worker's own processor time is.

Two traces: the recorded session of somebody who moves on purpose, and a streamer who sits, derived from it
(``benchmarks/_seated.py`` tells how), both at 60 poses a second. For every level:

``cost_avoided``: share of the networks' work that need not be done on the seated trace (the same pose as before, a
picture in memory, a known face), and ``_recorded`` on the recording; ``upstream`` and ``upstream_recorded`` are
EasyVtuber's quantiser and cache, written from their description, on the same poses.
``psnr_db``: mean over poses of the quantised pose's picture against the exact pose's, full network, whole picture.
``ram_cache_ratio``: time of a run without the RAM cache by the time with it, through the whole pipeline, unpaced. The
stand-in network's time (``--network-ms``) is added for each picture it would have drawn instead of being waited for, so
that the machine's hiccups during it do not count; everything else is real. To two digits: more is not repeatable.
``hit_ms``: median time of a hit, 512 x 512.
``worker_cpu_ms``: processor time of a frame from a tracker's sample to the picture in OBS's frame ring, network left
out; every second frame is an in-between frame.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from accel.base import FULL
from core.pose.mapping.direct import VOCABULARY
from core.pose.mixer import PoseMixer, PoseMoment
from core.pose.parameters import PoseVector
from core.pose.quantiser import LEVELS, Quantiser
from core.publish.base import Frame, PublishContext
from core.publish.shared_memory import SharedMemoryPublisher
from core.render.frame_cache import FrameCache
from core.render.pipeline import MOTION, Pace, Pipeline
from core.wire.folders import CHARACTERS
from core.wire.ring import FrameRing
from core.wire.settings import MAXIMUM_PICTURE_BYTES, defaults
from models.base import CharacterModel, Picture
from models.character import load_character, read_picture
from models.motion import Displacement, FaceChange
from models.registry import open_rig
from models.self_check import psnr_db
from models.student.family import StudentFamily
from trackers.base import TrackerSample

from . import _policy, _report, _student, _test_data, _upstream_policy
from ._seated import at_rate, seated_trace
from ._test_data import Poses

_RATE = 60
_RECORDED_RATE = 20
_SIZE = 512
_MEGABYTE = 1_000_000
_PICTURES = 32
"""Different pictures that the stand-in has to show."""
_CHUNK = 120
_BREATHER, _ROUNDS = 4, 6


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--trace", type=Path, metavar="FILE", help="poses at 20 a second: JSON, or NumPy's .npy")
    parser.add_argument("--frames", type=int, default=3600, help="of each trace, for times")
    parser.add_argument("--poses", type=int, default=16, help="pictures that are compared for each level")
    parser.add_argument("--network-ms", type=float, default=10.0)
    _student.add_options(parser)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)  # as in the worker
    poses = _poses(options.trace)
    if poses is None:
        print(f"The recorded session is not in {_test_data.folder()}. Name one with --trace.")
        return 2
    recorded = at_rate(poses, _RECORDED_RATE, _RATE)
    seated = seated_trace(recorded, _RATE)
    figures: dict[str, object] = {"network_ms": options.network_ms, "frames": options.frames}
    pictures = _pictures(seated)
    errors = _errors(options, seated)
    for level in LEVELS:
        ratio, hit_ms, hits = _cache_ratio(level, seated[: options.frames], pictures, options.network_ms)
        figures[level] = {
            "cost_avoided": round(_policy.cost_avoided(level, seated).cost, 4),
            "cost_avoided_recorded": round(_policy.cost_avoided(level, recorded).cost, 4),
            "upstream": round(_upstream_policy.upstream_cost_avoided(level, seated), 4),
            "upstream_recorded": round(_upstream_policy.upstream_cost_avoided(level, recorded), 4),
            "psnr_db": round(errors[level], 2),
            "ram_cache_ratio": round(ratio, 2),
            "hits": hits,
            "hit_ms": round(hit_ms, 4),
            "worker_cpu_ms": round(_worker_cpu_ms(level, seated[: options.frames], pictures), 3),
        }
        print(f"{level:>8}: {figures[level]}")
    _report.give({**figures, **_worst(figures)}, options.json)
    return 0


def _poses(file: Path | None) -> Poses | None:
    if file is None:
        return _test_data.trace()
    if file.suffix == ".npy":
        return np.asarray(np.load(file, allow_pickle=False), np.float32)
    return np.array(json.loads(file.read_text(encoding="utf-8")), np.float32)


def _worst(figures: dict[str, object]) -> dict[str, float]:
    """The figures that must hold at every level."""
    rows = [row for level in LEVELS if isinstance(row := figures[level], dict)]
    hits = [float(row["hit_ms"]) for row in rows if row["hits"]]
    return {
        "ram_cache_ratio_min": min(float(row["ram_cache_ratio"]) for row in rows),
        "hit_ms_max": max(hits, default=0.0),
        "worker_cpu_ms_max": max(float(row["worker_cpu_ms"]) for row in rows),
    }


def _pictures(poses: Poses) -> list[Picture]:
    """Real pictures of a character we ship."""
    rig = open_rig(load_character(sorted(path.name for path in CHARACTERS.iterdir() if path.is_dir())[0]), _SIZE)
    made = []
    for pose in poses[:: len(poses) // _PICTURES][:_PICTURES]:
        out = np.zeros((_SIZE, _SIZE, 4), np.uint8)
        rig.render(pose, out)
        made.append(out)
    return made


class StandIn:
    """Draws by copying a picture, in no time; counts how often."""

    family = "stand-in"
    size = _SIZE

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._pictures = pictures
        self._bent = np.full((64, 64, 2), 0.005, np.float32)
        self.drawn = 0
        self.spent_s = 0.0
        """Processor time of the copies, which a network would not need."""

    def render(self, pose: PoseVector, out: Picture) -> None:
        """One of the pictures, by the pose."""
        started = time.process_time()
        np.copyto(out, self._pictures[hash(pose.tobytes()) % len(self._pictures)])
        self.drawn += 1
        self.spent_s += time.process_time() - started

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement:
        """Always the same."""
        return self._bent

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        """The face stays."""
        return None

    def remember_up_to(self, bytes_: int) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Nothing is held."""


def _cache_ratio(level: str, poses: Poses, pictures: Sequence[Picture], network_ms: float) -> tuple[float, float, int]:
    """Time without the cache by the time with it, median time of a hit (ms), and the number of hits."""
    cache = FrameCache(512 * _MEGABYTE)
    runs = [_Run(level, pictures, FrameCache(0)), _Run(level, pictures, cache)]
    try:
        for start in range(0, len(poses), _CHUNK):
            for run in runs:
                run.go(poses[start : start + _CHUNK], round(network_ms * 1e6))
        without, with_cache = (run.loop_s + run.model.drawn * network_ms / 1e3 for run in runs)
        hits = runs[0].model.drawn - runs[1].model.drawn
        return without / with_cache, _hit_ms(pictures), hits
    finally:
        for run in runs:
            run.pipeline.close()
        cache.close()


def _hit_ms(pictures: Sequence[Picture]) -> float:
    """Median time of a hit; what else a frame touches lies between two of them."""
    cache = FrameCache(512 * _MEGABYTE)
    out, elsewhere = np.zeros((_SIZE, _SIZE, 4), np.uint8), np.zeros((2, 1 << 21), np.uint8)
    keys = [str(number).encode() for number in range(len(pictures))]
    taken = []
    try:
        for _ in range(2):  # a picture is kept when its pose comes the second time
            for key, picture in zip(keys, pictures, strict=True):
                cache.put(key, picture, 10_000_000)
                time.sleep(0.02)
        for _ in range(_ROUNDS):
            for key in keys:
                np.copyto(elsewhere[0], elsewhere[1])
                started = time.perf_counter()
                if cache.get(key, out):
                    taken.append((time.perf_counter() - started) * 1e3)
    finally:
        cache.close()
    return _report.percentile(taken, 0.5)


class _Run:
    def __init__(self, level: str, pictures: Sequence[Picture], cache: FrameCache) -> None:
        self.model = StandIn(pictures)
        self.loop_s = 0.0
        self.cache = _Priced(cache)
        self.pipeline = Pipeline(self.model, Pace(frame_rate=_RATE), cache=self.cache)
        self.pipeline.quantiser.level = level

    def go(self, poses: Poses, cost_ns: int) -> None:
        self.cache.cost_ns = cost_ns
        for number, pose in enumerate(poses, 1):
            moment = PoseMoment(pose, number, 1.0)
            started = time.perf_counter()
            self.pipeline.next(lambda: (moment, 1))  # noqa: B023
            self.loop_s += time.perf_counter() - started
            if number % _BREATHER == 0:
                time.sleep(0.002)  # in use the encoder has the time between two frames


class _Priced:
    """The cache, told what a picture would have cost had the network been real."""

    def __init__(self, cache: FrameCache) -> None:
        self._cache = cache
        self.cost_ns = 0

    def get(self, key: bytes, out: Picture) -> bool:
        return self._cache.get(key, out)

    def put(self, key: bytes, picture: Picture, cost_ns: int) -> None:
        self._cache.put(key, picture, self.cost_ns)


def _errors(options: argparse.Namespace, poses: Poses) -> dict[str, float]:
    """Mean PSNR of each level's pictures against the exact pose's."""
    files = _student.files_in((options.character or _student.first()).resolve())
    model: CharacterModel
    if files is None:
        model = open_rig(load_character(sorted(path.name for path in CHARACTERS.iterdir() if path.is_dir())[0]), _SIZE)
    else:
        family = StudentFamily(files, read_picture(files.picture), "full")
        model = family.open(_student.processor(options.threads), FULL, _SIZE, lambda task, share: None)
    chosen = np.linspace(0, len(poses) - 1, options.poses).astype(int)
    exact, out = np.zeros((_SIZE, _SIZE, 4), np.uint8), np.zeros((_SIZE, _SIZE, 4), np.uint8)
    found: dict[str, list[float]] = {level: [] for level in LEVELS}
    rounded = {level: [quantiser(pose) for pose in poses] for level in LEVELS if (quantiser := Quantiser(level))}
    for number in chosen:
        model.render(poses[number], exact)
        for level in LEVELS:
            model.render(rounded[level][number], out)
            found[level].append(psnr_db(out, exact))
    model.close()
    return {level: float(np.mean(values)) for level, values in found.items()}


def _worker_cpu_ms(level: str, poses: Poses, pictures: Sequence[Picture]) -> float:
    """Processor time of a frame with everything but the network."""
    model, mixer, cache = StandIn(pictures), PoseMixer(), FrameCache(512 * _MEGABYTE)
    mixer.configure(defaults())
    pipeline = Pipeline(model, Pace(MOTION, 2, frame_rate=_RATE), cache=cache)
    pipeline.quantiser.level = level
    with tempfile.TemporaryDirectory() as folder:
        ring = FrameRing.create(MAXIMUM_PICTURE_BYTES, folder=Path(folder))
        publisher = SharedMemoryPublisher(FrameRing.attach(ring.locator), PublishContext())
        started, frames = time.process_time(), 0
        try:
            for number, pose in enumerate(poses[: len(poses) // 3], 1):
                now = number * 1_000_000_000 // _RATE
                sample = TrackerSample(now, VOCABULARY, pose)
                rendered = pipeline.next(lambda: (mixer.pose(sample, now), now))  # noqa: B023
                frames += 1
                if rendered is not None:
                    publisher.publish(Frame(rendered.picture, number))
            return (time.process_time() - started - model.spent_s) / frames * 1e3
        finally:
            pipeline.close()
            cache.close()
            publisher.close()
            ring.close()


if __name__ == "__main__":
    sys.exit(main())
