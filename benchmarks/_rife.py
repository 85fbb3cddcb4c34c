"""RIFE from the test data, on the processor."""

from __future__ import annotations

from typing import Protocol

from accel.base import FULL
from models.base import Picture
from models.rife.files import PLAIN, TILED, RifeFile
from models.rife.interpolator import Rife

from . import _student, _test_data

OWN, UPSTREAM = "own", "upstream"
_FILES = {
    OWN: (PLAIN, "ifnet425lite_f32w16_dyn.onnx"),
    UPSTREAM: (TILED, "rife_x2_fp32w16.onnx"),
}


class Interpolator(Protocol):
    """What a benchmark draws with; pictures are 512 x 512 premultiplied BGRA."""

    def draw(self, older: Picture, newer: Picture, share: float, out: Picture) -> None:
        """The picture ``share`` (0..1) of the way from one to the other; ``upstream`` knows the middle only."""
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...


def file_of(kind: str) -> RifeFile:
    """The test data's file of a kind: ``own``, the plain network, or ``upstream``, EasyVtuber's x2."""
    form, name = _FILES[kind]
    return RifeFile(form, _test_data.folder() / "models" / "rife" / name, f"rife/{name}")


def open_rife(kind: str, threads: int) -> Interpolator:
    """``own`` or ``upstream`` with so many threads. Raises ModelFileBad where the test data are not here."""
    return Rife(file_of(kind), _student.processor(threads), FULL, 2)
