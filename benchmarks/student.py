"""A THA4 student on the processor against the networks as EasyVtuber runs them: same ONNX Runtime, same threads, in
turn, on recorded poses; and how far its pictures are from the original code's.

``speedup_trace``: frames per second over the recording as ours runs it (nothing for an unchanged pose, no face for an
unchanged face) divided by the dense graphs'. ``speedup_all_changing``: the same when every value changes every frame.
PSNR is over premultiplied BGRA, alpha included: of *full* against the golden pictures in the character's ``reference``
folder, of the cheaper tiers against those and against *full* over the recording.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from accel.base import FULL
from models.base import Picture
from models.character import read_picture
from models.self_check import psnr_db
from models.student.family import StudentFamily
from models.student.folder import load_student_weights
from models.student.model import StudentModel
from models.student.preparation import BALANCED_TIER, FAST_TIER, FULL_TIER, TIERS

from . import _report, _student, _test_data
from ._dense_student import DenseStudent
from ._golden import golden_pictures
from ._test_data import Poses

_SIZE = 512
_SEGMENTS = 8
"""Places of the recording that are looked at; each gives ``--frames`` / 8 poses in a row."""


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--frames", type=int, default=64)
    _student.add_options(parser)
    options = parser.parse_args(arguments)
    folder = (options.character or _student.first()).resolve()
    files = _student.files_in(folder)
    if files is None:
        return 2
    picture = read_picture(files.picture)
    runtime = _student.processor(options.threads)
    started = time.perf_counter()
    tiers = {
        tier: StudentFamily(files, picture, tier).open(runtime, FULL, _SIZE, lambda task, share: None) for tier in TIERS
    }
    figures: dict[str, object] = {"character": folder.name, "threads": options.threads}
    figures["prepare_s"] = time.perf_counter() - started
    dense = DenseStudent(files, load_student_weights(files), options.threads)
    recorded, source = _recorded(max(options.frames, _SEGMENTS))
    figures["trace"], figures["frames"] = source, len(recorded)
    times = _interleaved(dense, tiers, recorded)
    changing = _interleaved(dense, {FULL_TIER: tiers[FULL_TIER]}, _test_data.every_value_changing(recorded))
    for tier in TIERS:
        figures[f"ms_{tier}"] = times[tier] / len(recorded) * 1e3
    figures["ms_dense"] = times["dense"] / len(recorded) * 1e3
    figures["speedup_trace"] = times["dense"] / times[FULL_TIER]
    figures["speedup_all_changing"] = changing["dense"] / changing[FULL_TIER]
    figures["speedup_balanced"] = times["dense"] / times[BALANCED_TIER]
    figures["speedup_fast"] = times["dense"] / times[FAST_TIER]
    figures.update(_quality(tiers, folder, recorded))
    _report.give(figures, options.json)
    return 0


def _recorded(frames: int) -> tuple[Poses, str]:
    """Poses in a row from several places of the recording; without the test data random ones."""
    trace = _test_data.trace()
    if trace is None:
        return np.random.default_rng(0).random((frames, 45), np.float32), "random"
    starts = np.arange(_SEGMENTS) * (len(trace) // _SEGMENTS) + 100
    return np.concatenate([trace[start : start + frames // _SEGMENTS] for start in starts]), _test_data.TRACE.name


def _interleaved(dense: DenseStudent, tiers: dict[str, StudentModel], poses: Poses) -> dict[str, float]:
    """Seconds each variant took for all poses, taking turns segment by segment.

    Before its turn each draws the pose that came before, untimed: in use a variant runs alone, with its memory warm.
    """
    out = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    variants: dict[str, Callable[[Poses], object]] = {"dense": dense.render}
    for name, model in tiers.items():
        variants[name] = _as_the_pipeline_does(model, out)
    taken = dict.fromkeys(variants, 0.0)
    for segment in np.array_split(poses, _SEGMENTS):
        for name, draw in variants.items():
            draw(segment[-1])
            draw(segment[0] * np.float32(0.99))
            started = time.perf_counter()
            for pose in segment:
                draw(pose)
            taken[name] += time.perf_counter() - started
    return taken


def _as_the_pipeline_does(model: StudentModel, out: Picture) -> Callable[[Poses], None]:
    last: list[bytes] = [b""]

    def draw(pose: Poses) -> None:
        if pose.tobytes() != last[0]:
            model.render(pose, out)
            last[0] = pose.tobytes()

    return draw


def _quality(tiers: dict[str, StudentModel], folder: Path, recorded: Poses) -> dict[str, float]:
    golden = golden_pictures(folder / "reference")
    nearest: dict[str, list[float]] = {tier: [] for tier in TIERS}
    for pose, wanted in golden.values():
        for tier in TIERS:
            nearest[tier].append(psnr_db(_draw(tiers[tier], pose), wanted))
    for pose in recorded[:: max(1, len(recorded) // 16)]:
        full = _draw(tiers[FULL_TIER], pose)
        for tier in (BALANCED_TIER, FAST_TIER):
            nearest[tier].append(psnr_db(_draw(tiers[tier], pose), full))
    names = {FULL_TIER: "psnr_db_min", BALANCED_TIER: "psnr_balanced_db_min", FAST_TIER: "psnr_fast_db_min"}
    return {names[tier]: min(values) for tier, values in nearest.items() if values}


def _draw(model: StudentModel, pose: Poses) -> Picture:
    out = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    model.render(pose, out)
    return out


if __name__ == "__main__":
    sys.exit(main())
