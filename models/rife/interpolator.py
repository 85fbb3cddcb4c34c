"""Pictures between two others, drawn by RIFE on any runtime."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from accel.base import Array, DeviceTensor, Network, Progress, Runtime, Session
from models.base import Picture

from .files import FACTORS, PICTURE_SIDE, PLAIN, RifeFile
from .graph import NEWER, OLDER, PICTURE, SHARE, build_graph
from .tiled import TiledPictures, build_tiled

_log = logging.getLogger(__name__)

_SHAPE = (PICTURE_SIDE, PICTURE_SIDE, 4)


class _Drawer(Protocol):
    """What one kind of file can do; pictures are premultiplied BGRA."""

    def draw(self, older: Picture, newer: Picture, share: float, out: Picture) -> None: ...

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture]) -> None: ...


class Rife:
    """RIFE for ``factor`` pictures where there was one. Used from one thread at a time.

    All pictures are 512 x 512 premultiplied BGRA. Colour never lies above its alpha.
    """

    def __init__(
        self, file: RifeFile, runtime: Runtime, precision: str, factor: int, progress: Progress | None = None
    ) -> None:
        """Takes seconds, or minutes where an engine is built. ``precision``: ``full`` or ``half``; ``factor``: 2..4.

        The runtime is not closed with it. Raises ModelFileBad, and what :meth:`accel.base.Runtime.open` raises.
        """
        if factor not in FACTORS:
            raise ValueError(f"expected a factor of {FACTORS}, got {factor}")
        self._factor = factor
        self._bends_alpha = False
        self._session: Session | None = None
        self._drawer: _Drawer | None = None
        try:
            if file.kind == PLAIN:
                made = build_graph(file, precision)
                self._bends_alpha = made.bends_alpha
                if not made.bends_alpha:
                    _log.warning("%s ends in its own way: alpha is interpolated apart from colour", file.relative)
                self._drawer = _PlainPictures(self._open(runtime, made.network, progress), runtime)
            else:
                network, outputs = build_tiled(file, factor)
                self._drawer = TiledPictures(self._open(runtime, network, progress), outputs)
        except BaseException:
            self.close()
            raise

    @property
    def factor(self) -> int:
        """How many pictures there are for one that was there before."""
        return self._factor

    @property
    def bends_alpha(self) -> bool:
        """Whether alpha goes through the colour's own warps; else its edges may tremble against the colour."""
        return self._bends_alpha

    def draw(self, older: Picture, newer: Picture, share: float, out: Picture) -> None:
        """The picture ``share`` (0..1) of the way from one to the other; 0 and 1 are the two themselves.

        EasyVtuber's files know only shares of 1/``factor``: the nearest is drawn. Raises RuntimeFailed, and ValueError
        for pictures of another size or after :meth:`close`.
        """
        drawer = self._ready(older, newer, [out])
        if share <= 0.0:
            np.copyto(out, older)
        elif share >= 1.0:
            np.copyto(out, newer)
        else:
            drawer.draw(older, newer, share, out)

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture]) -> None:
        """All ``factor`` - 1 pictures between two, evenly spaced, oldest first. Raises as :meth:`draw` does."""
        if len(out) != self._factor - 1:
            raise ValueError(f"expected {self._factor - 1} pictures to draw into, got {len(out)}")
        self._ready(older, newer, out).draw_all(older, newer, out)

    def close(self) -> None:
        """Give the device's memory back; safe to call twice."""
        self._drawer = None
        if self._session is not None:
            self._session.close()
            self._session = None

    def _open(self, runtime: Runtime, network: Network, progress: Progress | None) -> Session:
        runtime.prepare([network], progress)
        self._session = runtime.open(network, progress)
        return self._session

    def _ready(self, older: Picture, newer: Picture, out: Sequence[Picture]) -> _Drawer:
        if self._drawer is None:
            raise ValueError("it is closed")
        for picture in (older, newer, *out):
            if picture.shape != _SHAPE or picture.dtype != np.uint8:
                raise ValueError(f"expected pictures of uint8 {_SHAPE}, got {picture.dtype} {picture.shape}")
        return self._drawer


class _PlainPictures:
    """One run for each picture."""

    def __init__(self, session: Session, runtime: Runtime) -> None:
        self._session = session
        self._share = np.zeros(1, np.float32)
        # two pictures that are used several times cross to a graphics card once
        self._places: tuple[DeviceTensor, DeviceTensor] | None = None
        if not runtime.on_host:
            older, newer = (runtime.allocate((1, *_SHAPE), np.dtype(np.uint8)) for _ in range(2))
            self._places = older, newer

    def draw(self, older: Picture, newer: Picture, share: float, out: Picture) -> None:
        self._run(older[None], newer[None], share, out)

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture]) -> None:
        first: Array | DeviceTensor = older[None]
        second: Array | DeviceTensor = newer[None]
        if self._places is not None and len(out) > 1:
            for place, picture in zip(self._places, (older, newer), strict=True):
                place.write(picture[None])
            first, second = self._places
        for number, picture in enumerate(out, start=1):
            self._run(first, second, number / (len(out) + 1), picture)

    def _run(self, older: Array | DeviceTensor, newer: Array | DeviceTensor, share: float, out: Picture) -> None:
        self._share[0] = share
        made = self._session.run({OLDER: older, NEWER: newer, SHARE: self._share})[PICTURE]
        np.copyto(out, made[0])
