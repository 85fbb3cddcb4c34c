"""How far each value of a pose may be rounded: what the picture of a real student changes by.

    python -m benchmarks._quantiser_steps [--poses N] [--groups NAME ...] [--json FILE]

The measure is the root mean square over premultiplied BGRA in the worst square of 32 x 32 pixels (of 512 x 512), about
the size of an eye or a mouth: over the whole picture a mouth that opens half way is off by 0.5 of 255, and the body's
fields shimmer by 0.7 whatever is changed and however little. Around poses of the recording each value, left and right
together and the body with its head, is nudged by more and more until that square is off by ``_REFERENCE`` of 255; a
face's values move the face alone, which leaves the shimmer out. To there the error is taken as proportional. Rounding
with step s leaves s / sqrt(12); a level's step for a group is the one at which the group's most visible value is off by
the level's target. ``_AT_LEAST_FACE`` and the others bound it where this one character hardly shows what
another may.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import FACE, MAXIMUM, Pose, PoseVector, clamp
from core.pose.quantiser import GROUPS, STEPS_PER_UNIT
from models.character import read_picture
from models.student.composition import blue_first, linear_picture
from models.student.folder import StudentFiles, load_student_weights
from models.student.preparation import FAST_TIER, prepare
from models.student.renderer import Fields, StudentRenderer
from models.student.weights import StudentWeights

from . import _report, _student, _test_data

_SIZE, _SQUARE = 512, 32
_REFERENCE = 16.0
_NUDGES = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.5)
TARGETS_DB = (40.0, 36.0, 33.0, 30.0, 27.0, 24.0)
"""Of the worst square, for low to gaming."""
_AT_LEAST_FACE, _AT_LEAST_HEAD = (12, 10, 8, 6, 5, 4), (100, 60, 40, 28, 20, 12)
_AT_LEAST_BREATH = (24, 20, 16, 12, 12, 12)

Move = tuple[Pose, ...]
"""Values that are nudged together."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print the exact steps beside those in force."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--poses", type=int, default=8)
    parser.add_argument("--groups", nargs="+", choices=list(GROUPS), default=list(GROUPS), metavar="NAME")
    _student.add_options(parser)
    options = parser.parse_args(arguments)
    files = _student.files_in((options.character or _student.first()).resolve())
    trace = _test_data.trace()
    if files is None or trace is None:
        print("This needs the test data: a student and the recorded poses.")
        return 2
    poses = clamp(trace[:: max(1, len(trace) // options.poses)])[: options.poses]
    renderer = _renderer(files, options.threads)
    nudges = {
        name: min(_reference_nudge(_errors(renderer, poses, move)) for move in moves(name)) for name in options.groups
    }
    renderer.close()
    figures: dict[str, object] = {}
    for name, nudge in nudges.items():
        figures[f"{name}_per_unit"] = _REFERENCE / nudge
        figures[f"{name}_exact"] = " ".join(f"{steps:.1f}" for steps in exact_steps(name, nudge))
        figures[f"{name}_in_force"] = " ".join(str(steps) for steps in STEPS_PER_UNIT[name])
    _report.give(figures, options.json)
    return 0


def moves(group: str) -> list[Move]:
    """What of a group is nudged at a time: left and right of one kind, the body with the head."""
    values = GROUPS[group]
    if values[-1] in (Pose.BODY_Y, Pose.BODY_Z):
        return [values]
    stems = dict.fromkeys(_stem(value) for value in values)
    return [tuple(value for value in values if _stem(value) == stem) for stem in stems]


def exact_steps(group: str, nudge: float) -> list[float]:
    """Steps per unit for low to gaming, before they are rounded to handsome numbers."""
    face = GROUPS[group][0] < FACE.stop
    least = _AT_LEAST_FACE if face else _AT_LEAST_BREATH if group == "breathing" else _AT_LEAST_HEAD
    allowed = [255.0 / 10.0 ** (target / 20.0) / _REFERENCE * nudge * math.sqrt(12.0) for target in TARGETS_DB]
    return [max(float(fewest), 1.0 / step) for fewest, step in zip(least, allowed, strict=True)]


def _renderer(files: StudentFiles, threads: int) -> StudentRenderer:
    runtime, picture, loaded = _student.processor(threads), read_picture(files.picture), load_student_weights(files)
    weights = StudentWeights(blue_first(loaded.face), blue_first(loaded.body))
    prepared = prepare(weights, linear_picture(picture), runtime, lambda share: None)
    return StudentRenderer(weights, linear_picture(picture), prepared.regions(FAST_TIER), runtime)


def _stem(value: Pose) -> str:
    return value.name.removesuffix("_LEFT").removesuffix("_RIGHT")


def _errors(renderer: StudentRenderer, poses: NDArray[np.float32], move: Move) -> list[float]:
    """The worst square's error for each nudge: root mean square over the poses."""
    squares = np.zeros(len(_NUDGES))
    for pose in poses:
        fields = renderer.fields(pose[None], with_face=True)
        before = _picture(renderer, fields)
        for place, nudge in enumerate(_NUDGES):
            moved = _nudged(pose, move, nudge)
            if move[0] < FACE.stop:
                renderer.show_face(moved[None])
                after = _picture(renderer, fields)
            else:
                after = _picture(renderer, renderer.fields(moved[None], with_face=False))
            squares[place] += _worst_square(before, after)
    return [float(error) for error in np.sqrt(squares / len(poses))]


def _nudged(pose: PoseVector, move: Move, nudge: float) -> PoseVector:
    """Upward, or downward where there is no room."""
    moved = pose.copy()
    for value in move:
        moved[value] += nudge if moved[value] + nudge <= MAXIMUM[value] else -nudge
    return moved


def _picture(renderer: StudentRenderer, fields: Fields) -> NDArray[np.float32]:
    out = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    renderer.draw(fields, out)
    return out.astype(np.float32)


def _worst_square(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Mean square of the difference where it is largest."""
    return float(cv2.boxFilter(((first - second) ** 2).mean(axis=2), -1, (_SQUARE, _SQUARE)).max())


def _reference_nudge(errors: Sequence[float]) -> float:
    """The nudge that makes ``_REFERENCE``: between two that were made, else in proportion to the nearest."""
    if errors[0] >= _REFERENCE:
        return _NUDGES[0] * _REFERENCE / errors[0]
    if max(errors) < _REFERENCE:
        return _NUDGES[-1] * _REFERENCE / errors[-1]
    above = next(place for place, error in enumerate(errors) if error >= _REFERENCE)
    ends = np.log(errors[above - 1 : above + 1])
    return float(np.exp(np.interp(math.log(_REFERENCE), ends, np.log(_NUDGES[above - 1 : above + 1]))))


if __name__ == "__main__":
    sys.exit(main())
