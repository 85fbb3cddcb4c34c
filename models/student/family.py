"""THA4 students as a family."""

from __future__ import annotations

from accel.base import PRECISIONS, Runtime
from models.base import Picture
from models.family import Report

from .composition import SIZE, blue_first, linear_picture
from .folder import FAMILY, StudentFiles, load_student_weights
from .model import StudentModel
from .preparation import content_digest, find_known, prepare
from .regions import everywhere
from .weights import StudentWeights


class StudentFamily:
    """One student character."""

    name = FAMILY
    precisions = PRECISIONS

    def __init__(self, files: StudentFiles, picture: Picture, quality: str, processor: Runtime | None = None) -> None:
        """``picture``: the student's own, 512 x 512 straight BGRA. ``processor``: examines the character where engines
        would have to be built for that. Raises ModelFileBad."""
        self._processor = processor
        weights = load_student_weights(files)
        self._weights = StudentWeights(blue_first(weights.face), blue_first(weights.body))
        self._picture = linear_picture(picture)
        self.variant = quality
        self.key = f"{FAMILY}|{content_digest(self._weights, self._picture)[:32]}"
        """By the networks' and the picture's content."""

    def open_for_check(self, runtime: Runtime, precision: str) -> StudentModel:
        """Every pixel at full size: what need not be computed may only be found out on a runtime that is right."""
        return StudentModel(
            self._weights, self._picture, everywhere(), runtime, SIZE, precision, processor=self._processor
        )

    def is_quick(self) -> bool:
        """When it was examined before."""
        return find_known(self._weights, self._picture) is not None

    def open(self, runtime: Runtime, precision: str, size: int, report: Report) -> StudentModel:
        """Examines the character the first time."""
        examiner = runtime
        if self._processor is not None and runtime.builds_engines:
            examiner = self._processor
        prepared = prepare(self._weights, self._picture, examiner, lambda share: report("examining", share))

        def progress(task: str, share: float) -> bool:
            report(task, share)
            return True

        regions = prepared.regions(self.variant)
        return StudentModel(self._weights, self._picture, regions, runtime, size, precision, progress, self._processor)
