"""How long the built-in rig takes for a 512 x 512 frame on one thread, when every pose value changes every frame.

The trace is a recorded session where the test data lie (``EASYVTUBER_TEST_DATA``), else slow waves through every range.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np

from core.pose.parameters import MAXIMUM, MINIMUM, POSE_SIZE
from core.render.compose import Composer
from core.render.visible import visible_bands
from core.wire.folders import CHARACTERS
from models.base import Picture
from models.character import load_character
from models.face_parts import FaceParts, FacePartsGiven, find_face_parts
from models.rig import Rig
from models.rigging.face import FACE_VALUES

from . import _report, _test_data
from ._test_data import Poses

_SIZE = 512
_TRACE_START = 1000
_FRAMES_PER_SECOND = 20.0


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--character", type=Path, default=None, help="a character's folder; the first one we ship")
    options = parser.parse_args(arguments)
    folder = options.character or sorted(path for path in CHARACTERS.iterdir() if path.is_dir())[0]
    character = load_character(folder.name, folder.resolve().parent)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        figures = _measure(character.picture, FaceParts.from_json(character.parts), max(8, options.frames))
    finally:
        cv2.setNumThreads(threads)
    _report.give({"character": folder.name, **figures}, options.json)
    return 0


def _measure(picture: Picture, given: FacePartsGiven, frames: int) -> dict[str, object]:
    started = time.perf_counter()
    rig = Rig(picture, _SIZE, find_face_parts(picture, given))
    prepare_s = time.perf_counter() - started
    out = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    poses, trace = _poses(frames)
    for pose in poses[:20]:
        rig.render(pose, out)
    full = _render_times(rig, poses, out)
    still = poses.copy()
    still[:, FACE_VALUES] = poses[0, FACE_VALUES]
    cached = _render_times(rig, still, out)
    waves = _render_times(rig, _waves(frames), out)
    rig.render(poses[0], out)
    composer, bands = Composer(), visible_bands(out)
    between = []
    for pose in poses:
        started = time.perf_counter()
        composer.compose(out, bands, displacement=rig.motion([poses[0]], pose))
        between.append((time.perf_counter() - started) * 1e3)
    return {
        "trace": trace,
        "frames": frames,
        "ms_per_frame_median": _report.percentile(full, 0.5),
        "ms_per_frame_p95": _report.percentile(full, 0.95),
        "ms_all_extremes_median": _report.percentile(waves, 0.5),
        "ms_face_cached_median": _report.percentile(cached, 0.5),
        "ms_between_median": _report.percentile(between, 0.5),
        "prepare_ms": prepare_s * 1e3,
    }


def _render_times(rig: Rig, poses: Poses, out: Picture) -> list[float]:
    """Milliseconds of each frame."""
    taken = []
    for pose in poses:
        started = time.perf_counter()
        rig.render(pose, out)
        taken.append((time.perf_counter() - started) * 1e3)
    return taken


def _poses(frames: int) -> tuple[Poses, str]:
    """Poses in which every value differs from the frame before, and where they come from."""
    recorded = _test_data.trace()
    if recorded is None:
        return _waves(frames), "waves"
    chosen = recorded[(np.arange(frames) + _TRACE_START) % len(recorded)]
    return _test_data.every_value_changing(chosen), _test_data.TRACE.name


def _waves(frames: int) -> Poses:
    """Every value sweeps its whole range at its own pace."""
    seconds = np.arange(frames)[:, None] / _FRAMES_PER_SECOND
    values = np.arange(POSE_SIZE)[None, :]
    share = 0.5 + 0.5 * np.sin(seconds * (1.0 + 0.13 * values) + values)
    return (MINIMUM + share * (MAXIMUM - MINIMUM)).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
