"""What enlarges one box of the picture: a network of either contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from accel.base import Network, Progress, Runtime, Session
from core.wire.errors import ModelFileBad, PictureWrong
from models.base import Picture

from .base import FACTOR, REAL_ESRGAN, REAL_ESRGAN_HEAD, SIDE, SIZE
from .box import HEAD, WHOLE, Box, part, shared
from .colour import Bleeding, Cutting
from .files import UpscaleNetwork
from .graphs import PICTURE, RESULT, Contract, bytes_network, region_network
from .precision import in_precision
from .trial import trial_picture

_LEAST_LIKENESS = 0.97
_TRIMMED = 16


class Engine(Protocol):
    """Enlarges one box, always the same."""

    def draw(self, picture: Picture) -> Picture:
        """The box of ``picture`` (512 x 512, premultiplied BGRA) twice as wide and high, premultiplied; the next call
        may overwrite it. Raises RuntimeFailed."""
        ...

    def close(self) -> None:
        """Safe to call twice."""
        ...


def region_of(found: UpscaleNetwork, kind: str, box: Box) -> Box:
    """What of the picture the network sees when the avatar stays in ``box``."""
    frame = HEAD if kind == REAL_ESRGAN_HEAD else WHOLE
    # a file of EasyVtuber's contract takes as long for less
    return frame if found.contract is Contract.BYTES else shared(box, frame) or frame


def open_engine(
    found: UpscaleNetwork, runtime: Runtime, precision: str, kind: str, region: Box, progress: Progress | None
) -> Engine:
    """The engine that suits a file. Raises what :meth:`accel.base.Runtime.open` raises, and PictureWrong."""
    kind_of_engine = PlainEngine if found.contract is Contract.PLAIN else BytesEngine
    return kind_of_engine(found, runtime, precision, kind, region, progress)


class PlainEngine:
    """Computes the region only. Bytes go to the device, bytes come back; everything else happens there."""

    def __init__(
        self,
        found: UpscaleNetwork,
        runtime: Runtime,
        precision: str,
        kind: str,
        region: Box,
        progress: Progress | None = None,
    ) -> None:
        """Makes the graph for the region's size and opens it."""
        _, _, height, width = region
        network = region_network(
            in_precision(found.model, precision),
            found.name,
            height,
            width,
            halve_first=kind == REAL_ESRGAN,
            halve_last=kind == REAL_ESRGAN_HEAD,
        )
        self._region = region
        self._bleeding = Bleeding(height, width)
        self._session = _opened(network, runtime, progress)

    def draw(self, picture: Picture) -> Picture:
        """See :class:`Engine`."""
        given = self._bleeding(part(picture, self._region))
        cv2.insertChannel(self._bleeding.alpha, given, 3)
        return np.asarray(self._session.run({PICTURE: given})[RESULT], np.uint8)

    def close(self) -> None:
        """See :class:`Engine`."""
        self._session.close()


@dataclass(frozen=True, slots=True)
class Sight:
    """The square that a network of EasyVtuber's contract looks at: the whole picture, or a quarter of it."""

    top: int
    left: int
    side: int

    @property
    def box(self) -> Box:
        """As a box; its corner may be anywhere."""
        return self.top, self.left, self.side, self.side


class BytesEngine:
    """A file of EasyVtuber's contract, which computes 1024 x 1024 pixels whatever is visible.

    Nobody tells what such a file does with alpha, so it is given an opaque picture, and only its colours are taken.
    Nor does anybody tell whether Real-ESRGAN's looks at the whole picture or at a quarter of it: that is found out.
    """

    def __init__(
        self,
        found: UpscaleNetwork,
        runtime: Runtime,
        precision: str,
        kind: str,
        region: Box,
        progress: Progress | None = None,
    ) -> None:
        """Opens the network and runs it once. ``region`` is a square: the whole picture, or half as wide and high."""
        self._file, self._region = found.file, region
        self._given = np.full((1, SIDE, SIDE, 4), 255, np.uint8)
        self._halved = np.empty((SIDE, SIDE, 4), np.uint8)
        self._bleeding, self._cutting = Bleeding(*region[2:]), Cutting(*region[2:])
        self._sight = Sight(0, 0, SIDE)
        self._session = _opened(bytes_network(in_precision(found.model, precision), found.name), runtime, progress)
        try:
            self._input, self._output = next(iter(self._session.inputs)), next(iter(self._session.outputs))
            self._sight = self._find_sight(runtime)
        except BaseException:
            self.close()
            raise

    def draw(self, picture: Picture) -> Picture:
        """See :class:`Engine`."""
        self._put(self._bleeding(part(picture, self._region)))
        made = self._run()
        wanted = self._region[2] * FACTOR
        if wanted < SIZE:
            made = np.asarray(cv2.resize(made, (wanted, wanted), self._halved, interpolation=cv2.INTER_AREA), np.uint8)
        return self._cutting(made, self._bleeding.alpha)

    def close(self) -> None:
        """See :class:`Engine`."""
        self._session.close()

    def _put(self, picture: Picture) -> None:
        """Show the network this square and nothing else."""
        side = self._sight.side
        target = part(self._given[0], self._sight.box)
        if len(picture) == side:
            np.copyto(target, picture)
            return
        # the network takes the mean of 2 x 2 pixels that were one: nothing is lost
        kind = cv2.INTER_AREA if len(picture) > side else cv2.INTER_NEAREST
        target[:] = cv2.resize(picture, (side, side), interpolation=kind)

    def _run(self) -> Picture:
        made = self._session.run({self._input: self._given})[self._output]
        if made.shape != (1, SIZE, SIZE, 4) or made.dtype != np.uint8:
            raise ModelFileBad(f"it gives {made.dtype} {made.shape}", file=self._file, reason="wrong_contract")
        return np.asarray(made[0], np.uint8)

    def _find_sight(self, runtime: Runtime) -> Sight:
        pattern = trial_picture()
        np.copyto(self._given[0], pattern)
        made = self._run()
        grey = cv2.cvtColor(pattern, cv2.COLOR_BGRA2GRAY)
        best = 0.0
        for side in (SIDE, SIDE // 2):
            seen = cv2.cvtColor(cv2.resize(made, (side, side), interpolation=cv2.INTER_AREA), cv2.COLOR_BGRA2GRAY)
            inner = seen[_TRIMMED:-_TRIMMED, _TRIMMED:-_TRIMMED]
            _, likeness, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(grey, inner, cv2.TM_CCOEFF_NORMED))
            best = max(best, likeness)
            sight = Sight(top - _TRIMMED, left - _TRIMMED, side)
            if likeness >= _LEAST_LIKENESS and min(sight.top, sight.left) >= 0:
                self._given[:] = 255
                return sight
        raise PictureWrong(f"{self._file}: likeness {best:.2f}", runtime=runtime.name, reason="distorted")


def _opened(network: Network, runtime: Runtime, progress: Progress | None) -> Session:
    runtime.prepare([network], progress)
    return runtime.open(network, progress)
