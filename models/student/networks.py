"""The student's coordinate networks (SIREN) as graphs that compute a list of points instead of a whole canvas.

What makes them cheaper than the networks as exported, with the same result:

- only wanted points are rows of the matrices; every layer is a matrix product over rows;
- the pose is the same at every point, so its part of a first layer is one bias vector a frame;
- the position's part of a first layer is a product with two columns, the points' coordinates are constants;
- a matrix product commutes with upsampling, so the first one of a level runs on the coarser level's points.

And nearly the same result for less: a network is a function of coordinates, so levels can be evaluated on a grid of
half the size. ``sharp`` points have all but the last level at half size, ``soft`` ones that too (they are upsampled at
the end).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from accel.base import FULL, HALF, Array
from models.onnx_graph import GraphBuilder

from .points import (
    BICUBIC,
    BILINEAR,
    WEIGHTS,
    Indices,
    Level,
    Mask,
    coarser_mask,
    finer_level,
    levels_for,
    points_of,
    position,
)
from .weights import SineNetwork

POSE_INPUTS = 45
FACE_INPUTS = 39
"""The face network reads the first 39 values of the pose."""
_FLOAT, _FLOAT16 = 1, 10
"""TensorProto's numbers of the two types."""


class PointNetworks:
    """Adds one coordinate network to a graph. ``precision``: what the products between hidden layers run in; positions
    and outputs are float32 always, because positions times large weights need the digits."""

    def __init__(
        self, graph: GraphBuilder, pose: str, network: SineNetwork, precision: str = FULL, chunk: int = 0
    ) -> None:
        """``pose``: a (1, m) input of the graph. ``chunk``: quads of a level that are computed one lot after the other,
        so that a lot stays in a processor's cache; 0 is all at once."""
        self._graph, self._pose, self._network = graph, pose, network
        self._given = network.levels[0][0].weight.shape[1]
        self._half = precision == HALF
        self._type = np.float16 if self._half else np.float32
        self._chunk = chunk

    def exact(self, wanted: Mask) -> tuple[str, Indices]:
        """Shape (n, outputs): the network's output at the n points of a mask of its finest level."""
        levels = levels_for(wanted, len(self._network.levels), self._chunk)
        return self._at(levels[-1], self._outputs(levels), wanted)

    def mixed(self, sharp: Mask, soft: Mask) -> tuple[str, Indices]:
        """The output at the points of two disjoint masks, in the picture's order. Where the network has one level, its
        sharp points are exact."""
        parts = [part for part in self._mixed(sharp, soft) if len(part[1])]
        if len(parts) == 1:
            return parts[0]
        points = np.concatenate([part[1] for part in parts])
        order = np.lexsort((points[:, 1], points[:, 0]))
        together = self._graph.node("Concat", *(part[0] for part in parts), axis=0)
        return self._graph.gather(together, order), points[order]

    def _mixed(self, sharp: Mask, soft: Mask) -> list[tuple[str, Indices]]:
        count = len(self._network.levels)
        if count == 1:
            made = [self.exact(sharp)] if sharp.any() else []
            if soft.any():
                level = Level(soft.shape[0] // 2, points_of(coarser_mask(soft, BICUBIC)))
                made.append(self._soft(level, self._outputs((level,)), soft))
            return made
        # what the last level reads, on a quarter of the finest level's size, for both kinds of points
        sharp_above, soft_above = coarser_mask(sharp, BILINEAR), coarser_mask(soft, BICUBIC)
        below = coarser_mask(sharp_above, BICUBIC) | coarser_mask(soft_above, BILINEAR)
        levels = levels_for(below, count - 1, self._chunk)
        spread = self._to_next(self._hidden(levels), count - 1)
        made = []
        if sharp.any():
            middle = finer_level(levels[-1], sharp_above, BICUBIC)
            last = finer_level(middle, sharp, BILINEAR, self._chunk)
            assert middle.corners is not None
            between = self._narrow(self._upsample(spread, middle.corners, BICUBIC))
            made.append(self._at(last, self._joined(self._chunks(last, between, count - 1, self._output)), sharp))
        if soft.any():
            last = finer_level(levels[-1], soft_above, BILINEAR, self._chunk)
            values = self._joined(self._chunks(last, spread, count - 1, self._output))
            made.append(self._soft(last, values, soft))
        return made

    def _soft(self, level: Level, values: str, wanted: Mask) -> tuple[str, Indices]:
        """Outputs on a grid of half the size, upsampled."""
        fine = finer_level(level, wanted, BICUBIC)
        assert fine.corners is not None
        return self._at(fine, self._upsample(values, fine.corners, BICUBIC, np.float32), wanted)

    def _at(self, level: Level, values: str, wanted: Mask) -> tuple[str, Indices]:
        """Those of a level's values that are wanted, and their points."""
        points = points_of(wanted)
        return self._graph.gather(values, level.rows_of(points)), points

    def _outputs(self, levels: Sequence[Level]) -> str:
        """The network's output at the points of the last of its levels."""
        if len(levels) == 1:
            return self._output(self._level(levels[0].points, levels[0].size, self._from_pose(0), 0))
        spread = self._to_next(self._hidden(levels[:-1]), len(levels) - 1)
        return self._joined(self._chunks(levels[-1], spread, len(levels) - 1, self._output))

    def _hidden(self, levels: Sequence[Level]) -> str:
        """The last hidden layer at the points of the last of the levels, which are the network's first ones."""
        hidden = self._level(levels[0].points, levels[0].size, self._from_pose(0), 0)
        for number, level in enumerate(levels[1:], 1):
            hidden = self._joined(self._chunks(level, self._to_next(hidden, number), number, lambda made: made))
        return hidden

    def _chunks(self, level: Level, spread: str, number: int, finish: Callable[[str], str]) -> list[str]:
        """A level's hidden layers, ``finish``ed, one tensor a chunk. ``spread``: what :meth:`_to_next` gives, at the
        coarser level's points, linear where the level's quads read four of them and bicubic where they read 16."""
        made = []
        for points, corners in level.chunks():
            rest = self._upsample(spread, corners, BILINEAR if len(corners) == 4 else BICUBIC)
            made.append(finish(self._level(points, level.size, rest, number)))
        return made

    def _joined(self, parts: list[str]) -> str:
        return parts[0] if len(parts) == 1 else self._graph.node("Concat", *parts, axis=0)

    def _level(self, points: Indices, size: int, rest: str, number: int) -> str:
        """The layers of one level; ``rest``: what adds to the position's part of the first one, float32."""
        layers = self._network.levels[number]
        column = layers[0].weight.shape[1] - self._given
        columns = self._turned(layers[0].weight[:, column : column + 2], np.float32)
        graph = self._graph
        sum_ = graph.node("Gemm", graph.constant(position(points, size)), columns, rest)
        hidden = self._narrow(graph.node("Sin", sum_))
        for layer in layers[1:]:
            bias = graph.constant(layer.bias.astype(self._type))
            hidden = graph.node("Sin", graph.node("Gemm", hidden, self._turned(layer.weight, self._type), bias))
        return hidden

    def _to_next(self, hidden: str, number: int) -> str:
        """What the features of a level give to the first layer of the next one, ``number``, with the pose's part and
        the bias: those pass through upsampling, whose weights sum to one."""
        first = self._network.levels[number][0]
        features = self._turned(first.weight[:, : -self._given], self._type)
        return self._graph.node("Gemm", hidden, features, self._narrow(self._from_pose(number)))

    def _from_pose(self, number: int) -> str:
        """Shape (1, channels): the pose's part of a level's first layer and its bias, float32."""
        first = self._network.levels[number][0]
        columns = self._turned(first.weight[:, 2 - self._given :], np.float32)
        return self._graph.node("Gemm", self._pose, columns, self._graph.constant(first.bias))

    def _output(self, hidden: str) -> str:
        last = self._network.output
        columns = self._turned(last.weight, np.float32)
        return self._graph.node("Gemm", self._wide(hidden), columns, self._graph.constant(last.bias))

    def _upsample(self, coarse: str, corners: Indices, kind: int, dtype: type[np.floating] | None = None) -> str:
        """Rows of the coarser level to four rows for each column of ``corners``, as float32. ``dtype``: what ``coarse``
        is, if not the precision's."""
        reads, quads = corners.shape
        graph = self._graph
        around = graph.reshape(graph.gather(coarse, corners.reshape(-1)), reads, -1)
        spread = graph.node("MatMul", graph.constant(WEIGHTS[kind].astype(dtype or self._type)), around)
        spread = graph.reshape(spread, 4 * quads, -1)
        return spread if dtype is np.float32 else self._wide(spread)

    def _turned(self, weight: Array, dtype: type[np.floating]) -> str:
        return self._graph.constant(weight.T.astype(dtype))

    def _narrow(self, tensor: str) -> str:
        return self._graph.node("Cast", tensor, to=_FLOAT16) if self._half else tensor

    def _wide(self, tensor: str) -> str:
        return self._graph.node("Cast", tensor, to=_FLOAT) if self._half else tensor
