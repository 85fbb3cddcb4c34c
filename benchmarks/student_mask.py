"""Is the mask of a student's visible pixels safe? Poses that were not used to find it are held against it: anywhere in
the range, sparse ones as people have them, and the recorded session; and for the pixels nearest outside, the search is
turned round: from many starts, one value after the other is changed to whatever makes them most opaque.

``outside_pixels``: pixels outside the mask that were ever more opaque than its threshold, over all poses;
``worst_outside``: the highest opacity outside, of 255.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import MAXIMUM, MINIMUM
from models.character import read_picture
from models.student.composition import blue_first, linear_picture
from models.student.folder import load_student_weights
from models.student.preparation import most_opaque, prepare
from models.student.visible import THRESHOLD, OpacityScan, random_poses
from models.student.weights import StudentWeights

from . import _report, _student, _test_data
from ._test_data import Poses

_SEED = 2024
_STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--poses", type=int, default=60, help="of each kind")
    parser.add_argument("--climbs", type=int, default=1, help="searches for the pose that is worst")
    _student.add_options(parser)
    options = parser.parse_args(arguments)
    folder = (options.character or _student.first()).resolve()
    files = _student.files_in(folder)
    if files is None:
        return 2
    read = load_student_weights(files)
    weights = StudentWeights(blue_first(read.face), blue_first(read.body))
    picture = linear_picture(read_picture(files.picture))
    runtime = _student.processor(options.threads)
    visible = prepare(weights, picture, runtime, lambda share: None).visible
    random = np.random.default_rng(_SEED)
    kinds: dict[str, Poses] = {
        "anywhere": random_poses(random, options.poses, sparse=False),
        "sparse": random_poses(random, options.poses, sparse=True),
    }
    trace = _test_data.trace()
    if trace is not None:
        kinds["recorded"] = trace[:: max(1, len(trace) // options.poses)]
    figures: dict[str, object] = {"character": folder.name, "visible_share": float(visible.mean())}
    with OpacityScan(weights, most_opaque(weights, picture, runtime), runtime, ~visible) as scan:
        outside = np.zeros_like(visible)
        worst = 0.0
        for kind, poses in kinds.items():
            found = [scan.opacity(pose) for pose in poses]
            outside |= np.any([opacity > THRESHOLD for opacity in found], axis=0)
            highest = max(float(opacity.max()) for opacity in found) * 255.0
            figures[f"worst_{kind}"] = highest
            worst = max(worst, highest)
        climbed = [_climb(scan, start) for start in random_poses(random, options.climbs, sparse=True)]
        figures["worst_searched"] = max(climbed, default=0.0) * 255.0
    figures["poses"] = sum(map(len, kinds.values()))
    figures["outside_pixels"] = int(outside.sum())
    figures["worst_outside"] = worst
    _report.give(figures, options.json)
    return 0


def _climb(scan: OpacityScan, start: NDArray[np.float32]) -> float:
    """The highest opacity outside that changing one value after the other leads to."""
    pose, best = start.copy(), float(scan.opacity(start).max())
    for value in (*range(39, 45), 26, 12, 13, 37, 38):
        for step in _STEPS:
            tried = pose.copy()
            tried[value] = np.clip(step, MINIMUM[value], MAXIMUM[value])
            found = float(scan.opacity(tried).max())
            if found > best:
                best, pose = found, tried
    return best


if __name__ == "__main__":
    sys.exit(main())
