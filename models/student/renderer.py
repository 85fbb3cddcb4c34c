"""A student on a runtime: its sessions, the picture with the newest face, and fields that stay where they are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel.base import FULL, Array, DeviceTensor, Network, Progress, Runtime, Session
from accel.lanes import Lanes
from models.base import Picture

from .composition import FIELD_CHANNELS, SIZE
from .face import DeviceFace, Face, HostFace
from .graphs import face_network, fields_network, paste_network, pixels_network
from .networks import FACE_INPUTS
from .points import Indices, Mask, bands
from .regions import Regions
from .weights import StudentWeights

_SHARE_POINTS = 25_000
"""On a processor the body is computed in horizontal bands of about so many pixels, which threads share. More of them
are shared more evenly, fewer compute less twice at their borders."""
_CHUNK_QUADS = 512
"""Within a band, quads computed in one go: what they need fits into a core's cache."""
_FACE_SHARES = 8
Fields = Sequence[Array | DeviceTensor]
"""One entry a part, shape (n, 7). On a graphics card they hold until the next ones are made."""


@dataclass(slots=True)
class _Part:
    """One share of the body."""

    body: Session
    pixels: Session
    points: Indices
    places: NDArray[np.int64]
    """The points' numbers in a flat picture."""


class StudentRenderer:
    """Used from one thread at a time. Weights and picture have blue first; ``picture``: (1, 4, 512, 512), linear."""

    def __init__(
        self,
        weights: StudentWeights,
        picture: Array,
        regions: Regions,
        runtime: Runtime,
        precision: str = FULL,
        progress: Progress | None = None,
    ) -> None:
        """Raises what :meth:`accel.base.Runtime.open` raises. ``progress``: of engines that are built."""
        self._runtime = runtime
        self._sessions: list[Session] = []
        self._tensors: list[DeviceTensor] = []
        visible = regions.body.all
        rounds = max(1, round(int(visible.sum()) / _SHARE_POINTS / runtime.lanes))
        count = rounds * runtime.lanes if runtime.on_host else 1
        shares = bands(visible, count)
        self._lanes = Lanes(runtime.lanes)
        try:
            if shares and not runtime.on_host:
                body, points = fields_network(weights.body, regions.body, precision)
                face, _ = face_network(weights.face, regions.face, precision)
                runtime.prepare([face, paste_network(picture), body, pixels_network(points)], progress)
            self._parts = [self._open_part(weights, regions, share, len(shares) == 1, precision) for share in shares]
            self._face = self._open_face(weights, picture, regions, precision)
        except BaseException:
            self.close()
            raise

    @property
    def points(self) -> list[Indices]:
        """For each part of the fields the pixels (row, column) its rows stand for."""
        return [part.points for part in self._parts]

    def picture(self) -> Array:
        """A copy of the picture (1, 4, 512, 512) with the newest face."""
        picture = self._face.picture
        return picture.copy() if isinstance(picture, np.ndarray) else picture.read()

    def show_face(self, pose: NDArray[np.float32]) -> None:
        """Put the face of this pose (1, 45) into the picture."""
        values = _face_values(pose)
        self._lanes.run(self._face.jobs(values))
        self._face.made(values)

    def fields(self, pose: NDArray[np.float32], with_face: bool) -> Fields:
        """The fields of this pose (1, 45); ``with_face`` also puts its face into the picture."""
        inputs = {"pose": pose}
        values = _face_values(pose)
        # the face does not wait for the body nor the body for the face
        face = self._face.jobs(values) if with_face else []
        if self._runtime.on_host:
            body = [partial(part.body.run, inputs) for part in self._parts]
            done: list[Any] = self._lanes.run([*face, *body])
            made: Fields = [result["fields"] for result in done[len(face) :]]
        else:
            for job in face:
                job()
            made = self._room()
            for part, tensor in zip(self._parts, made, strict=True):
                part.body.run(inputs, {"fields": tensor})
        if face:
            self._face.made(values)
        return made

    def draw(self, fields: Fields, out: Picture) -> None:
        """The picture of these fields and the newest face into ``out`` (512 x 512, premultiplied BGRA)."""
        jobs = [
            partial(part.pixels.run, {"picture": self._face.picture, "fields": own})
            for part, own in zip(self._parts, fields, strict=True)
        ]
        self._place(self._run(jobs, "pixels"), out)

    def remember_up_to(self, bytes_: int) -> None:
        """How much memory faces may take that were made before."""
        self._face.remember_up_to(bytes_)

    def close(self) -> None:
        """Give the sessions back; safe to call twice."""
        self._lanes.close()
        while self._sessions:
            self._sessions.pop().close()

    def _open_part(self, weights: StudentWeights, regions: Regions, share: Mask, alone: bool, precision: str) -> _Part:
        chunk = _CHUNK_QUADS if self._runtime.on_host else 0
        network, points = fields_network(weights.body, regions.body.within(share), precision, alone, chunk)
        places = points[:, 0].astype(np.int64) * SIZE + points[:, 1]
        return _Part(self._open(network), self._open(pixels_network(points, alone)), points, places)

    def _open_face(self, weights: StudentWeights, picture: Array, regions: Regions, precision: str) -> Face:
        if self._runtime.on_host:
            return HostFace(weights.face, regions.face, picture, self._open, _FACE_SHARES, precision)
        return DeviceFace(weights.face, regions.face, picture, self._open, self._runtime, precision)

    def _open(self, network: Network) -> Session:
        session = self._runtime.open(network)
        self._sessions.append(session)
        return session

    def _run(self, jobs: Sequence[Callable[[], dict[str, Array]]], output: str) -> list[Array]:
        return [result[output] for result in self._lanes.run(jobs)]

    def _place(self, pixels: list[Array], out: Picture) -> None:
        out[...] = 0
        flat = out.view(np.uint32).reshape(-1)
        for part, own in zip(self._parts, pixels, strict=True):
            flat[part.places] = np.ascontiguousarray(own).view(np.uint32)[:, 0]

    def _room(self) -> list[DeviceTensor]:
        if not self._tensors:
            shapes = [(len(part.points), FIELD_CHANNELS) for part in self._parts]
            self._tensors = [self._runtime.allocate(shape, np.dtype(np.float32)) for shape in shapes]
        return self._tensors


def _face_values(pose: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(pose[:, :FACE_INPUTS])
