"""THA3 and THA4 as families: any picture, posed by weights that lie in the folder of weights."""

from __future__ import annotations

from pathlib import Path

from accel.base import FULL, PRECISIONS, Runtime
from core.wire.errors import ModelMissing
from models.base import Picture
from models.family import Report

from .files import find_variant_files, variant_files
from .model import ThaModel

_NATIVE_SIZE = 512


class ThaFamily:
    """One character in one variant of THA3 or THA4."""

    def __init__(self, picture: Picture, family: str, variant: str, once: Runtime | None, folder: Path | None = None):
        """``picture``: 512 x 512 straight BGRA. ``once``: what computes the parts that are computed a single time.

        Raises ModelMissing when no precision is complete, ModelFileBad when a file is not what its place needs.
        """
        self.name, self.variant = family, variant if family == "tha3" else ""
        self._picture, self._once = picture, once
        there = [name for name in PRECISIONS if not variant_files(family, self.variant, name, folder).missing()]
        if not there:
            missing = variant_files(family, self.variant, FULL, folder).missing()
            raise ModelMissing(model=family, file=missing[0])
        self._files = {name: find_variant_files(family, self.variant, name, folder) for name in there}

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those whose files are all there."""
        return tuple(self._files)

    @property
    def key(self) -> str:
        """By the files' sizes and times: reading them all takes long."""
        paths = [files.path(graph) for files in self._files.values() for graph in files.variant.graphs]
        stamps = [f"{status.st_size}.{int(status.st_mtime)}" for status in map(Path.stat, paths)]
        return f"{self.name}|{self.variant}|{'-'.join(stamps)}"

    def open_for_check(self, runtime: Runtime, precision: str) -> ThaModel:
        """The model itself at its own size."""
        return ThaModel(self._picture, self._files[precision], runtime, _NATIVE_SIZE, once=self._once)

    def is_quick(self) -> bool:
        """Five networks are to be opened."""
        return False

    def open(self, runtime: Runtime, precision: str, size: int, report: Report) -> ThaModel:
        """Opens the networks; where engines are built that takes minutes the first time."""

        def progress(task: str, share: float) -> bool:
            report(task, share)
            return True

        return ThaModel(self._picture, self._files[precision], runtime, size, progress, self._once)


def complete_families(variant: str, folder: Path | None = None) -> list[str]:
    """The families of which every file of some precision is there, the better one first."""
    wanted = (("tha4", ""), ("tha3", variant))
    return [
        family
        for family, name in wanted
        if any(not variant_files(family, name, precision, folder).missing() for precision in PRECISIONS)
    ]
