"""The character's picture with the newest face in it: an array on the processor, a tensor on a graphics card."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from accel.base import Array, DeviceTensor, Network, Runtime, Session

from .composition import FACE_LEFT, FACE_TOP
from .graphs import face_network, picture_network
from .points import bands
from .regions import Split
from .weights import SineNetwork

Open = Callable[[Network], Session]
Job = Callable[[], object]


class Face(Protocol):
    """What shows a face in the character's picture."""

    @property
    def picture(self) -> Array | DeviceTensor:
        """Shape (1, 4, 512, 512): linear BGRA, premultiplied, -1..1."""
        ...

    def jobs(self, pose: NDArray[np.float32]) -> list[Job]:
        """What puts the face of this pose (1, 39) into it; can be done in any order and at the same time."""
        ...


class HostFace:
    """On the processor: ``shares`` bands of the face, each with a session of its own."""

    def __init__(
        self, network: SineNetwork, split: Split, picture: Array, open_: Open, shares: int, precision: str
    ) -> None:
        self.picture = picture.copy()
        self._parts = []
        for share in bands(split.all, shares):
            made, points = face_network(network, split.within(share), precision, alone=shares == 1)
            self._parts.append((open_(made), points[:, 0] + FACE_TOP, points[:, 1] + FACE_LEFT))

    def jobs(self, pose: NDArray[np.float32]) -> list[Job]:
        """One for each band."""
        return [partial(self._show, *part, pose) for part in self._parts]

    def _show(
        self, session: Session, rows: NDArray[np.int32], columns: NDArray[np.int32], pose: NDArray[np.float32]
    ) -> None:
        self.picture[0][:, rows, columns] = session.run({"pose": pose})["points"].T


class DeviceFace:
    """On a graphics card: one session makes the whole picture, which stays there."""

    def __init__(
        self, network: SineNetwork, split: Split, picture: Array, open_: Open, runtime: Runtime, precision: str
    ) -> None:
        self._session = open_(picture_network(network, split, picture, precision))
        self.picture = runtime.allocate(picture.shape, np.dtype(np.float32))

    def jobs(self, pose: NDArray[np.float32]) -> list[Job]:
        """One."""
        return [partial(self._session.run, {"pose": pose}, {"picture": self.picture})]
