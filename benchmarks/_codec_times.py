"""What each codec makes of a finished picture: bytes, milliseconds in and out; and how long a hit of the cache takes.

The pictures are the built-in rig's of a character we ship and, where the test data lie (``EASYVTUBER_TEST_DATA``), a
student's; 512 x 512 and 1024 x 1024. ``whole`` is the codec without looking for the visible box.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from accel.base import FULL
from core.pose.parameters import Pose, PoseVector, neutral
from core.render.codecs import CODECS, fastest, measure, open_codec, unavailable
from core.render.frame_cache import FrameCache
from core.wire.folders import CHARACTERS
from models.base import Picture
from models.character import load_character, read_picture
from models.face_parts import FaceParts, find_face_parts
from models.rig import Rig
from models.student.family import StudentFamily
from models.student.folder import student_files
from models.student.preparation import FULL_TIER

from . import _report, _student

_SIZES = (512, 1024)
_RENDER_NS = 20_000_000
_RUNS = 7
_STORE_LIMIT_S = 10.0
_LIMIT_BYTES = 1 << 28


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--hits", type=int, default=300)
    _student.add_options(parser)
    options = parser.parse_args(arguments)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        figures = _measure(options.character or _student.first(), options.threads, options.hits)
    finally:
        cv2.setNumThreads(threads)
    _report.give(figures, options.json)
    return 0


def _measure(student: Path, threads: int, hits: int) -> dict[str, object]:
    figures: dict[str, object] = {}
    for size in _SIZES:
        for name, picture in _pictures(student, threads, size):
            at = f"{name}_{size}"
            whole = picture.copy()
            # one barely visible pixel in each corner: the box is all of the picture
            whole[[0, -1], [0, -1], 3] = 1
            for codec in CODECS:
                reason = unavailable(codec)
                if reason is not None:
                    figures[f"{at}_{codec}"] = reason
                    continue
                figures[f"{at}_{codec}"] = _row(codec, picture)
                figures[f"{at}_{codec}_whole"] = _row(codec, whole)
            figures[f"{at}_automatic"] = fastest(picture, _RENDER_NS)
            figures[f"{at}_hit_ms_median"], figures[f"{at}_put_ms_median"] = _hits(picture, hits)
    return figures


def _row(codec: str, picture: Picture) -> str:
    runs = [measure(open_codec(codec), picture) for _ in range(_RUNS)]
    encode_ms = _report.percentile([run.encode_ns / 1e6 for run in runs], 0.5)
    decode_ms = _report.percentile([run.decode_ns / 1e6 for run in runs], 0.5)
    return f"{runs[0].nbytes:>8} bytes, in {encode_ms:.3f} ms, out {decode_ms:.3f} ms"


def _hits(picture: Picture, hits: int) -> tuple[float, float]:
    """Medians of what ``get`` (a hit) and ``put`` take, with the codec that is chosen by itself."""
    cache, out = FrameCache(_LIMIT_BYTES), np.empty_like(picture)
    found: list[float] = []
    kept: list[float] = []
    try:
        for number in range(16):
            started = time.perf_counter()
            cache.put(bytes([number]), picture, _RENDER_NS)
            kept.append((time.perf_counter() - started) * 1e3)
            end = time.monotonic() + _STORE_LIMIT_S
            while cache.figures()["stored"] <= number and time.monotonic() < end:
                time.sleep(0.001)
        for number in range(hits):
            started = time.perf_counter()
            if not cache.get(bytes([number % 16]), out):
                raise RuntimeError("a picture that was kept is not found")
            found.append((time.perf_counter() - started) * 1e3)
    finally:
        cache.close()
    return _report.percentile(found, 0.5), _report.percentile(kept, 0.5)


def _pictures(student: Path, threads: int, size: int) -> Iterator[tuple[str, Picture]]:
    """Rendered pictures and whose they are."""
    pose = _pose()
    folder = sorted(path for path in CHARACTERS.iterdir() if path.is_dir())[0]
    character = load_character(folder.name, CHARACTERS)
    parts = find_face_parts(character.picture, FaceParts.from_json(character.parts))
    out: Picture = np.zeros((size, size, 4), np.uint8)
    Rig(character.picture, size, parts).render(pose, out)
    yield "rig", out
    files = student_files(student.resolve())
    if files is None:
        return
    family = StudentFamily(files, read_picture(files.picture), FULL_TIER)
    model = family.open(_student.processor(threads), FULL, size, lambda task, share: None)
    try:
        model.render(pose, out)
    finally:
        model.close()
    yield "student", out


def _pose() -> PoseVector:
    """Somebody looking aside and speaking."""
    pose = neutral()
    pose[Pose.HEAD_Y], pose[Pose.NECK_Z], pose[Pose.MOUTH_AAA] = 0.3, 0.2, 0.5
    return pose


if __name__ == "__main__":
    sys.exit(main())
