"""Super-resolution and RIFE as parts that come and go beside the running picture.

A picture may be in the making on another thread when one of them is taken away or fails: then the picture is enlarged
plainly, or shown without pictures before it, and what went wrong is told by the part.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import cv2
import numpy as np

from core.pose.parameters import PoseVector
from core.wire.errors import AccelError
from models.base import Picture
from models.rife.interpolator import Rife
from models.upscale.base import SIZE
from models.upscale.base import Upscaler as Network

_log = logging.getLogger(__name__)


class PlainUpscaler:
    """Enlarges without a network: what stands in when super-resolution is given up for a while, so that the picture's
    size stays."""

    name = "plain"
    size = SIZE

    def apply(self, picture: Picture, out: Picture) -> None:
        """Cubic; no colour of ``out`` is larger than its alpha."""
        cv2.resize(picture, (SIZE, SIZE), dst=out, interpolation=cv2.INTER_CUBIC)
        np.minimum(out[:, :, :3], out[:, :, 3:], out=out[:, :, :3])


class SharedUpscaler:
    """A network that enlarges."""

    size = SIZE

    def __init__(self, name: str, network: Network) -> None:
        self._name = name
        self.failure: AccelError | None = None
        """Why it does nothing any more."""
        self._network: Network | None = network
        self._plain = PlainUpscaler()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The network's, or the plain one's once that stands in for it."""
        return self._name if self.failure is None and self._network is not None else PlainUpscaler.name

    def apply(self, picture: Picture, out: Picture) -> None:
        """A premultiplied picture, 512 x 512, into one of 1024 x 1024."""
        with self._lock:
            if self._network is not None and self.failure is None:
                try:
                    self._network.apply(picture, out)
                except AccelError as problem:
                    _log.warning("%s: %s", self._name, problem)
                    self.failure = problem
                else:
                    return
        self._plain.apply(picture, out)

    def close(self) -> None:
        """Give the network back when the picture at hand is done; safe to call twice."""
        with self._lock:
            network, self._network = self._network, None
        if network is not None:
            network.close()


class SharedRife:
    """RIFE, made for a number of pictures; others it draws one by one."""

    name = "rife"
    any_size = False

    def __init__(self, rife: Rife) -> None:
        self.steps = rife.factor
        self.failure: AccelError | None = None
        """Why it does nothing any more."""
        self._rife: Rife | None = rife
        self._lock = threading.Lock()

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture], poses: Sequence[PoseVector]) -> None:
        """Pictures at even distances between two, oldest first; copies of the newer one when it cannot."""
        with self._lock:
            if self._rife is not None and self.failure is None:
                try:
                    self._draw(self._rife, older, newer, out)
                except AccelError as problem:
                    _log.warning("RIFE: %s", problem)
                    self.failure = problem
                else:
                    return
        for picture in out:
            np.copyto(picture, newer)

    def _draw(self, rife: Rife, older: Picture, newer: Picture, out: Sequence[Picture]) -> None:
        if len(out) == rife.factor - 1:
            rife.draw_all(older, newer, out)
            return
        # the governor renders less often than the settings say
        for number, picture in enumerate(out, 1):
            rife.draw(older, newer, number / (len(out) + 1), picture)

    def close(self) -> None:
        """Give the network back when the pictures at hand are done; safe to call twice."""
        with self._lock:
            rife, self._rife = self._rife, None
        if rife is not None:
            rife.close()
