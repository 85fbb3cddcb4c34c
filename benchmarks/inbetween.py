"""In-between frames from the motion field against RIFE's, both against the true renders of a THA4 student.

Triples of the recorded session, 100 ms long, spread evenly over it: the first and the last pose are key frames, the one
in the middle is the truth. ``field`` bends both towards each other, as the setting "smoother movement" does, and knows
what RIFE knows: both pictures, which is why either is shown late; besides, it uses the pose there really was in the
middle, which the worker has sampled. ``ahead`` is the setting "movement": it bends the
first key frame alone, has never seen the last one, and therefore adds no delay. RIFE's weights were trained for these
tests on pictures of such characters, which favours it.

PSNR is over premultiplied BGRA of the whole picture. ``alpha_error``: mean absolute difference (of 255) within 3 pixels
of the true outline. ``cost_ratio``: our processor time by RIFE's for a picture, in turn on the same threads;
``ahead_cost_ratio``: of one picture bent alone; ``time_ratio``: by the clock, where RIFE has several threads and ours
has one. ``wins``: share of triples in which ours has the higher PSNR. ``still_face``: the same without a newer face in
what is bent; ``face_gain_...``: what a newer face gains, where least and most. ``..._ms`` is by the clock,
``..._cpu_ms`` by the processor.
``--pictures FOLDER`` writes the worst, a middle and the best triple side by side.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from accel.base import FULL
from core.pose.parameters import ROTATION, PoseVector
from core.render.bending import BentPictures
from core.render.compose import Composer
from core.render.visible import visible_bands
from models.base import CharacterModel, Picture
from models.character import read_picture
from models.motion import FaceChange
from models.self_check import psnr_db
from models.student.family import StudentFamily
from models.student.model import StudentModel

from . import _report, _student, _test_data
from ._rife import open_rife

_SIZE = 512
_EDGE_PX = 3
_GREEN = (0, 177, 64)
WAYS = ("field", "field_still_face", "ahead", "ahead_still_face", "rife", "blend", "repeat")
TIMED = ("field", "field_still_face", "ahead", "ahead_still_face", "rife")


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--triples", type=int, default=24)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    _student.add_options(parser)
    options = parser.parse_args(arguments)
    trace = _test_data.trace()
    files = _student.files_in((options.character or _student.first()).resolve())
    if files is None or trace is None:
        print(f"The recorded session is not in {_test_data.folder()}." if trace is None else "")
        return 2
    family = StudentFamily(files, read_picture(files.picture), "full")
    model = family.open(_student.processor(options.threads), FULL, _SIZE, lambda task, share: None)
    rife = open_rife("own", options.threads)
    triples = [
        _Triple(model, trace[start], trace[start + 1], trace[start + 2])
        for start in np.linspace(50, len(trace) - 10, options.triples).astype(int)
    ]
    ways = {"": _Bending(model), "_still_face": _Bending(_StillFace(model))}
    made = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    taken = {way: np.zeros(2) for way in TIMED}
    for triple in triples:
        for pose in (triple.older_pose, triple.newer_pose):
            model.motion([pose], pose)  # in use the key frames' own warps and faces are there already
            model.face_change(pose, triple.newer_pose if pose is triple.older_pose else triple.older_pose)
        with _Timed(taken, "rife"):
            rife.draw(triple.older, triple.newer, 0.5, made)
        triple.made["rife"] = made.copy()
        for number, (name, way) in enumerate(ways.items()):
            # poses of which nothing is remembered; a face that does not change costs nothing and stays as it is
            away = [_away(triple, (2 * number + step) * 1e-4) for step in (1, 2)]
            with _Timed(taken, f"field{name}"):
                way.bent.draw_all(triple.older, triple.newer, [made], (triple.older_pose, away[0], triple.newer_pose))
            with _Timed(taken, f"ahead{name}"):
                way.ahead(triple.older, triple.older_pose, away[1])
        for name, way in ways.items():
            way.bent.draw_all(triple.older, triple.newer, [made], triple.poses)
            triple.made[f"field{name}"] = made.copy()
            triple.made[f"ahead{name}"] = way.ahead(triple.older, triple.older_pose, triple.pose)
        triple.made["blend"] = np.asarray(cv2.addWeighted(triple.older, 0.5, triple.newer, 0.5, 0.0), np.uint8)
        triple.made["repeat"] = triple.older
    rife.close()
    model.close()
    _report.give(_figures(triples, taken), options.json)
    if options.pictures is not None:
        _write(triples, options.pictures)
    return 0


class _StillFace:
    """A student that knows nothing of its face while it is bent."""

    def __init__(self, model: StudentModel) -> None:
        self._model = model
        self.family, self.size = model.family, model.size
        self.render, self.motion = model.render, model.motion
        self.remember_up_to, self.close = model.remember_up_to, model.close

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        """The face stays."""
        return None


class _Bending:
    """Both ways to bend a model's pictures."""

    def __init__(self, model: CharacterModel) -> None:
        self._model, self._composer = model, Composer()
        self.bent = BentPictures(model)

    def ahead(self, picture: Picture, at: PoseVector, to: PoseVector) -> Picture:
        """A picture of one pose bent to another one."""
        displacement, change = self._model.motion([at], to), self._model.face_change(at, to)
        bands = visible_bands(picture)
        return self._composer.compose(picture, bands, displacement=displacement, change=change).copy()


class _Triple:
    """Two key frames, the true picture between them, and what was made in its place."""

    def __init__(self, model: StudentModel, older: PoseVector, pose: PoseVector, newer: PoseVector) -> None:
        self.older_pose, self.pose, self.newer_pose = older, pose, newer
        self.older, self.true, self.newer = (_rendered(model, each) for each in (older, pose, newer))
        self.poses = older, pose, newer
        self.made: dict[str, Picture] = {}

    def psnr(self, way: str) -> float:
        return psnr_db(self.made[way], self.true)

    def alpha_error(self, way: str) -> float:
        alpha = self.true[:, :, 3]
        outline = ((alpha > 0) & (alpha < 255)).astype(np.uint8)
        near = cv2.dilate(outline, np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8)) > 0
        return float(np.abs(self.made[way][:, :, 3].astype(np.float32) - alpha)[near].mean())


class _Timed:
    """Adds what the block takes: seconds of the processor, and of the clock."""

    def __init__(self, taken: dict[str, NDArray[np.float64]], way: str) -> None:
        self._sum = taken[way]

    def __enter__(self) -> None:
        self._began = time.process_time(), time.perf_counter()

    def __exit__(self, *problem: object) -> None:
        self._sum += time.process_time() - self._began[0], time.perf_counter() - self._began[1]


def _rendered(model: StudentModel, pose: PoseVector) -> Picture:
    out = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    model.render(pose, out)
    return out


def _away(triple: _Triple, step: float) -> PoseVector:
    """Hardly another pose than the triple's; what its key frames agree on stays as it is."""
    moving = (triple.older_pose != triple.pose) | (triple.newer_pose != triple.pose)
    moving[ROTATION] = True
    return np.asarray(triple.pose + np.float32(step) * moving, np.float32)


def _figures(triples: list[_Triple], taken: dict[str, NDArray[np.float64]]) -> dict[str, object]:
    figures: dict[str, object] = {
        "triples": len(triples),
        "cost_ratio": float(taken["field"][0] / taken["rife"][0]),
        "ahead_cost_ratio": float(taken["ahead"][0] / taken["rife"][0]),
        "time_ratio": float(taken["field"][1] / taken["rife"][1]),
        "wins": sum(triple.psnr("field") > triple.psnr("rife") for triple in triples) / len(triples),
    }
    for way in TIMED:
        figures[f"{way}_cpu_ms"], figures[f"{way}_ms"] = (float(part / len(triples) * 1e3) for part in taken[way])
    for way in ("field", "ahead"):
        gains = [triple.psnr(way) - triple.psnr(f"{way}_still_face") for triple in triples]
        figures[f"face_gain_{way}_db_min"], figures[f"face_gain_{way}_db_max"] = min(gains), max(gains)
    for way in WAYS:
        each = [triple.psnr(way) for triple in triples]
        figures[f"psnr_{way}_db"] = float(np.mean(each))
        figures[f"psnr_{way}_db_min"] = min(each)
        figures[f"alpha_error_{way}"] = float(np.mean([triple.alpha_error(way) for triple in triples]))
    return figures


def _write(triples: list[_Triple], folder: Path) -> None:
    """Truth, ours and RIFE's beside each other over green, and below how far they are from the truth, eightfold."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(triples, key=lambda triple: triple.psnr("field"))
    for name, triple in (("worst", ordered[0]), ("middle", ordered[len(ordered) // 2]), ("best", ordered[-1])):
        shown = [_over_green(picture) for picture in (triple.true, triple.made["field"], triple.made["rife"])]
        errors = [np.clip(np.abs(each.astype(np.int16) - shown[0]) * 8, 0, 255).astype(np.uint8) for each in shown]
        cv2.imwrite(str(folder / f"{name}.png"), np.vstack([np.hstack(shown), np.hstack(errors)]))


def _over_green(picture: Picture) -> Picture:
    alpha = picture[:, :, 3:].astype(np.float32) / 255.0
    return np.asarray(picture[:, :, :3] + np.array(_GREEN[::-1], np.float32) * (1.0 - alpha), np.float32).astype(
        np.uint8
    )


if __name__ == "__main__":
    sys.exit(main())
