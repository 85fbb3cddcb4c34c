"""How a student's face changes from pose to pose: its face network, asked at 600 points instead of 16 384.

A picture that is bent keeps its face. What another face would look like there is its face plus the difference of two
looks at the network, one for either pose: where nothing changes the difference is nothing. Where much changes, the new
look is laid over the old face instead. Both are carried from the face's own place to where the picture shows it by the
body network, asked on a grid of 128 x 128 there, once a picture; 64 x 64, as for bending, is half a pixel off, and the
rim of an open eye would stay round a closed one. Everything runs on the processor, as bending does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from accel.base import Network, Runtime
from core.pose.parameters import PoseVector
from models.motion import FaceChange
from models.onnx_graph import GraphBuilder
from models.slots import Slots

from .composition import FACE_LEFT, FACE_SIZE, FACE_TOP, SIZE, encoded
from .graphs import face_network
from .moving import LOOK_SIZE, Moving, find_moving
from .networks import FACE_INPUTS, POSE_INPUTS, PointNetworks
from .regions import Split
from .weights import SineNetwork, StudentWeights

_GRID = 128
_STEP = SIZE // _GRID
_PER_PIXEL = LOOK_SIZE / FACE_SIZE
"""Points of the look to a pixel of the picture."""
_ACROSS, _ALONG = 40, 24
"""Pixels that heads carry a face to the sides, up and down; beyond, the warp at the edge goes on."""
_FACES, _PLACES = 16, 4
"""Looks that are kept: a picture's face is that of a pose of some frames ago, and its place is needed until the next
picture is there."""
_LITTLE, _MUCH = 8.0, 32.0
"""Changes, in 255ths, between which the new face takes over from the old one with the difference added."""
_ALONE = 8.0
"""Power of the face's share in what is seen: where the body network paints over a fifth, only a difference is right."""
_ENCODED_STEPS = 4096
_ENCODED = encoded(np.linspace(0.0, 1.0, _ENCODED_STEPS + 1, dtype=np.float32)) * np.float32(255.0)
_NO_MAP = np.empty((0, 0), np.float32)

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in the face's square; right and bottom are the first points outside."""


class FaceChanges:
    """Used from one thread at a time."""

    def __init__(self, weights: StudentWeights, processor: Runtime) -> None:
        """Networks with blue first. Raises what :meth:`accel.base.Runtime.open` raises."""
        self._parts: list[_Part] = []
        self._place: _Place | None = None
        found = find_moving(weights.face, processor)
        try:
            for moving in found.parts:
                self._parts.append(_Part(weights.face, moving, processor))
            if self._parts:
                boxes = [part.box for part in self._parts]
                self._place = _Place(weights.body, _union(boxes), processor)
        except BaseException:
            self.close()
            raise
        self._rest = np.dstack([found.rest, np.zeros_like(found.rest[..., 0])])
        self._before, self._after = np.empty_like(self._rest), np.empty_like(self._rest)

    def between(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        """What the picture of one pose lacks of the face of another; None where that is nothing. Both clamped."""
        older, newer = (np.ascontiguousarray(each[None, :FACE_INPUTS], np.float32) for each in (rendered, pose))
        moved = older[0] != newer[0]
        changed = [part for part in self._parts if moved[part.values].any()]
        if not changed or self._place is None:
            return None
        np.copyto(self._before, self._rest)
        np.copyto(self._after, self._rest)
        for part in changed:
            part.put(older, newer, self._before, self._after)
        return self._place.carry(rendered, self._before, self._after, _union([part.box for part in changed]))

    def close(self) -> None:
        """Give the sessions back; safe to call twice."""
        for part in self._parts:
            part.close()
        if self._place is not None:
            self._place.close()


class _Part:
    """The look at one part of the face."""

    def __init__(self, network: SineNetwork, moving: Moving, processor: Runtime) -> None:
        self.values = moving.values
        points = moving.points.astype(np.uint8)
        left, top, width, height = cv2.boundingRect(points)
        self.box: Box = (left, top, left + width, top + height)
        made, order = face_network(network, Split.exactly(moving.points), alone=False)
        self._points = order[:, 0], order[:, 1]
        # towards its edge the part fades, so that what the outermost points cut off shows no step
        inside = cv2.blur(points.astype(np.float32), (3, 3), borderType=cv2.BORDER_CONSTANT)
        self._weights = inside[self._points]
        self._looks = Slots(_FACES, lambda: np.zeros((len(order), 4), np.float32))
        self._session = processor.open(replace(made, name="student face change"))

    def put(
        self,
        older: NDArray[np.float32],
        newer: NDArray[np.float32],
        before: NDArray[np.float32],
        after: NDArray[np.float32],
    ) -> None:
        """The part of one face and of another (poses: (1, 39)) into a square for each, (80, 80, 4): linear B, G, R and,
        in the second one, how far it may be laid over a picture."""
        first, second = self._look(older), self._look(newer)
        before[self._points] = first
        after[self._points] = first + (second - first) * self._weights[:, None]
        after[(*self._points, 3)] = self._weights

    def close(self) -> None:
        """Give the session back."""
        self._session.close()

    def _look(self, pose: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._looks.get(
            pose.tobytes(), lambda room: np.copyto(room[:, :3], self._session.run({"pose": pose})["points"][:, :3])
        )


class _Place:
    """Where the face is in a picture: for the pixels of a box round it, their places in the face's own square."""

    def __init__(self, body: SineNetwork, box: Box, processor: Runtime) -> None:
        left, top, right, bottom = (round(edge / _PER_PIXEL) for edge in box)
        first_column = max(FACE_LEFT + left - _ACROSS, 0) // _STEP
        first_row = max(FACE_TOP + top - _ALONG, 0) // _STEP
        last_column = -(-min(FACE_LEFT + right + _ACROSS, SIZE) // _STEP)
        last_row = -(-min(FACE_TOP + bottom + _ALONG, SIZE) // _STEP)
        self._left, self._top = first_column * _STEP, first_row * _STEP
        self._cells = last_row - first_row, last_column - first_column
        height, width = self._cells[0] * _STEP, self._cells[1] * _STEP
        columns = (np.arange(width, dtype=np.float32) + (self._left - FACE_LEFT + 0.5)) * _PER_PIXEL - 0.5
        rows = (np.arange(height, dtype=np.float32) + (self._top - FACE_TOP + 0.5)) * _PER_PIXEL - 0.5
        self._own = np.stack(np.meshgrid(columns, rows), axis=-1)
        wanted = np.zeros((_GRID, _GRID), np.bool_)
        wanted[first_row:last_row, first_column:last_column] = True
        graph = GraphBuilder()
        fields, found = PointNetworks(graph, graph.input("pose", (1, POSE_INPUTS)), body).exact(wanted)
        graph.output("warp", graph.columns(fields, 0, 3), (len(found), 3))
        self._session = processor.open(Network("student face place", graph.build("place"), alone=False))
        self._known = Slots(
            _PLACES, lambda: tuple(np.empty((height, width, *rest), np.float32) for rest in ((2,), (4,), ()))
        )

    def carry(
        self, pose: PoseVector, before: NDArray[np.float32], after: NDArray[np.float32], box: Box
    ) -> FaceChange | None:
        """What differs between two faces inside a box of their square, where the picture of a pose shows it."""
        places, shares, trust = self._known.get(pose.tobytes(), lambda room: self._find(pose, *room))
        left, top, right, bottom = box
        # a point more all round, which no longer changes
        shown = cv2.inRange(places, np.array((left - 2.0, top - 2.0)), np.array((right + 1.0, bottom + 1.0)))
        column, row, width, height = cv2.boundingRect(shown)
        if not width:
            return None
        inner = slice(row, row + height), slice(column, column + width)
        older, newer = (_sampled(face, places[inner]) for face in (before, after))
        first, second = _encoded(older), _encoded(newer)
        change = np.asarray(cv2.multiply(cv2.subtract(second, first), shares[inner]), np.float32)
        cover = _cover(change) * trust[inner] * newer[..., 3]
        laid = cv2.multiply(cv2.subtract(second, change), cv2.merge([cover] * 4))
        painted = cv2.insertChannel(cover * np.float32(255.0), cv2.add(change, laid), 3)
        paint = np.asarray(cv2.addWeighted(painted, 1.0, painted, 0.0, 0.0, dtype=cv2.CV_16S), np.int16)
        return FaceChange(paint, self._left + column, self._top + row, SIZE)

    def close(self) -> None:
        """Give the session back."""
        self._session.close()

    def _find(
        self,
        pose: PoseVector,
        places: NDArray[np.float32],
        shares: NDArray[np.float32],
        trust: NDArray[np.float32],
    ) -> None:
        """Places in the face's square; the face's shares in what is seen there; how far it can be laid over it."""
        warp = self._session.run({"pose": np.ascontiguousarray(pose[None], np.float32)})["warp"]
        size = places.shape[1], places.shape[0]
        dense = cv2.resize(warp.reshape(*self._cells, 3), size, interpolation=cv2.INTER_LINEAR)
        # the network's coordinates go from -1 to 1
        np.multiply(dense[..., :2], SIZE / 2.0 * _PER_PIXEL, out=places)
        np.add(places, self._own, out=places)
        # where the body network paints, it paints over the face
        shares[...] = np.clip(1.0 - dense[..., 2:], 0.0, 1.0)
        np.power(shares[..., 0], _ALONE, out=trust)


def _sampled(face: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    """As the picture was: in linear light. A thin dark line that falls between two pixels is brighter so than in
    encoded values, and taking away a darker one than there is would leave a bright one."""
    return np.asarray(cv2.remap(face, places, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _cover(change: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shape (height, width), 0..1: how far the new face is laid over the picture's instead of the difference being
    added. Where much changes, a difference that is a fifth of a pixel off would leave the old eyelid's rim."""
    blue, green, red, _ = cv2.split(np.abs(change))
    strength = cv2.blur(cv2.max(cv2.max(blue, green), red), (5, 5))
    ramp = (strength - np.float32(_LITTLE)) * np.float32(1.0 / (_MUCH - _LITTLE))
    return np.asarray(np.clip(ramp, 0.0, 1.0, out=ramp), np.float32)


def _encoded(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """-1..1, linear, to 0..255, gamma-encoded; every channel, of which the last one means nothing."""
    steps = cv2.addWeighted(linear, _ENCODED_STEPS / 2, linear, 0.0, _ENCODED_STEPS / 2, dtype=cv2.CV_16U)
    return np.asarray(np.take(_ENCODED, np.asarray(steps, np.uint16), mode="clip"), np.float32)


def _union(boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
