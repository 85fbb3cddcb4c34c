"""The character's picture with the newest face in it: an array on the processor, a tensor on a graphics card."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from accel.base import Array, DeviceTensor, Network, Runtime, Session
from models.slots import Slots

from .composition import FACE_LEFT, FACE_SIZE, FACE_TOP
from .graphs import face_network, paste_network
from .points import bands
from .regions import Split
from .weights import SineNetwork

Open = Callable[[Network], Session]
Job = Callable[[], object]

_FACES = 64
"""Remembered until somebody says how many."""


class Face(Protocol):
    """What shows a face in the character's picture, and remembers faces."""

    @property
    def picture(self) -> Array | DeviceTensor:
        """Shape (1, 4, 512, 512): linear BGRA, premultiplied, -1..1."""
        ...

    def jobs(self, pose: NDArray[np.float32]) -> list[Job]:
        """What puts the face of this pose (1, 39) into it; can be done in any order and at the same time. None are
        left where the face was remembered."""
        ...

    def made(self, pose: NDArray[np.float32]) -> None:
        """All jobs of this pose are done."""
        ...

    def remember_up_to(self, bytes_: int) -> None:
        """How much memory faces may take that were made before."""
        ...


class HostFace:
    """On the processor: ``shares`` bands of the face, each with a session of its own."""

    def __init__(
        self, network: SineNetwork, split: Split, picture: Array, open_: Open, shares: int, precision: str
    ) -> None:
        self.picture = picture.copy()
        bottom, right = FACE_TOP + FACE_SIZE, FACE_LEFT + FACE_SIZE
        self._crop = self.picture[0][:, FACE_TOP:bottom, FACE_LEFT:right]
        self._remembered = Slots(_FACES, lambda: np.empty_like(self._crop))
        self._parts = []
        for share in bands(split.all, shares):
            made, points = face_network(network, split.within(share), precision, alone=shares == 1)
            self._parts.append((open_(made), points[:, 0] + FACE_TOP, points[:, 1] + FACE_LEFT))

    def jobs(self, pose: NDArray[np.float32]) -> list[Job]:
        """One for each band."""
        known = self._remembered.find(pose.tobytes())
        if known is None:
            return [partial(self._show, *part, pose) for part in self._parts]
        np.copyto(self._crop, known)
        return []

    def made(self, pose: NDArray[np.float32]) -> None:
        """Keep it."""
        self._remembered.get(pose.tobytes(), lambda place: np.copyto(place, self._crop))

    def remember_up_to(self, bytes_: int) -> None:
        """A quarter of a megabyte each."""
        self._remembered.capacity = bytes_ // self._crop.nbytes

    def _show(
        self, session: Session, rows: NDArray[np.int32], columns: NDArray[np.int32], pose: NDArray[np.float32]
    ) -> None:
        self.picture[0][:, rows, columns] = session.run({"pose": pose})["points"].T


class DeviceFace:
    """On a graphics card: one session makes the face, another one the picture with it; both stay there."""

    def __init__(
        self, network: SineNetwork, split: Split, picture: Array, open_: Open, runtime: Runtime, precision: str
    ) -> None:
        made, points = face_network(network, split, precision)
        self._face, self._paste = open_(made), open_(paste_network(picture))
        shape = (len(points), 4)
        self._bytes = 4 * shape[0] * shape[1]
        self._remembered = Slots(_FACES, lambda: runtime.allocate(shape, np.dtype(np.float32)))
        self.picture = runtime.allocate(picture.shape, np.dtype(np.float32))

    def jobs(self, pose: NDArray[np.float32]) -> list[Job]:
        """One."""
        return [partial(self._show, pose)]

    def made(self, pose: NDArray[np.float32]) -> None:
        """It is kept where it was made."""

    def remember_up_to(self, bytes_: int) -> None:
        """A quarter of a megabyte each, on the device."""
        self._remembered.capacity = bytes_ // self._bytes

    def _show(self, pose: NDArray[np.float32]) -> None:
        crop = self._remembered.get(pose.tobytes(), lambda place: self._make(pose, place))
        self._paste.run({"points": crop}, {"picture": self.picture})

    def _make(self, pose: NDArray[np.float32], place: DeviceTensor) -> None:
        self._face.run({"pose": pose}, {"points": place})
