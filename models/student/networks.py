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

from collections.abc import Sequence

import numpy as np

from accel.base import FULL, HALF, Array
from models.onnx_graph import GraphBuilder

from .points import BICUBIC, BILINEAR, WEIGHTS, Indices, Level, Mask, coarser_mask, finer_level, levels_for, points_of
from .weights import SineNetwork

POSE_INPUTS = 45
FACE_INPUTS = 39
"""The face network reads the first 39 values of the pose."""
_FLOAT, _FLOAT16 = 1, 10
"""TensorProto's numbers of the two types."""


class PointNetworks:
    """Adds one coordinate network to a graph. ``precision``: what the products between hidden layers run in; positions
    and outputs are float32 always, because positions times large weights need the digits."""

    def __init__(self, graph: GraphBuilder, pose: str, network: SineNetwork, precision: str = FULL) -> None:
        """``pose``: a (1, m) input of the graph."""
        self._graph, self._pose, self._network = graph, pose, network
        self._given = network.levels[0][0].weight.shape[1]
        self._half = precision == HALF
        self._type = np.float16 if self._half else np.float32

    def exact(self, wanted: Mask) -> tuple[str, Indices]:
        """Shape (n, outputs): the network's output at the n points of a mask of its finest level."""
        levels = levels_for(wanted, len(self._network.levels))
        values = self._output(self._hidden(levels))
        points = points_of(wanted)
        return self._graph.gather(values, levels[-1].rows_of(points)), points

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
        graph, count = self._graph, len(self._network.levels)
        if count == 1:
            made = [self.exact(sharp)] if sharp.any() else []
            if soft.any():
                made.append(self._soft(Level(soft.shape[0] // 2, points_of(coarser_mask(soft, BICUBIC))), "", soft))
            return made
        # what the last level reads, on a quarter of the finest level's size, for both kinds of points
        sharp_above, soft_above = coarser_mask(sharp, BILINEAR), coarser_mask(soft, BICUBIC)
        below = coarser_mask(sharp_above, BICUBIC) | coarser_mask(soft_above, BILINEAR)
        levels = levels_for(below, count - 1)
        spread = self._to_next(self._hidden(levels), count - 1)
        made = []
        if sharp.any():
            middle = finer_level(levels[-1], sharp_above, BICUBIC)
            last = finer_level(middle, sharp, BILINEAR)
            up = self._upsample(self._narrow(self._upsample(spread, middle, BICUBIC)), last, BILINEAR)
            points = points_of(sharp)
            values = self._output(self._level(last, up, count - 1))
            made.append((graph.gather(values, last.rows_of(points)), points))
        if soft.any():
            last = finer_level(levels[-1], soft_above, BILINEAR)
            made.append(self._soft(last, self._upsample(spread, last, BILINEAR), soft))
        return made

    def _soft(self, level: Level, rest: str, wanted: Mask) -> tuple[str, Indices]:
        """Outputs on a grid of half the size, upsampled."""
        fine, points = finer_level(level, wanted, BICUBIC), points_of(wanted)
        last = len(self._network.levels) - 1
        values = self._output(self._level(level, rest or self._from_pose(last), last))
        return self._graph.gather(self._upsample(values, fine, BICUBIC, np.float32), fine.rows_of(points)), points

    def _hidden(self, levels: Sequence[Level]) -> str:
        """The last hidden layer at the points of the last of the levels, which are the network's first ones."""
        hidden = self._level(levels[0], self._from_pose(0), 0)
        for number, level in enumerate(levels[1:], 1):
            hidden = self._level(level, self._upsample(self._to_next(hidden, number), level, BILINEAR), number)
        return hidden

    def _level(self, level: Level, rest: str, number: int) -> str:
        """The layers of one level; ``rest``: what adds to the position's part of the first one, float32."""
        layers = self._network.levels[number]
        column = layers[0].weight.shape[1] - self._given
        position = self._turned(layers[0].weight[:, column : column + 2], np.float32)
        graph = self._graph
        sum_ = graph.node("Gemm", graph.constant(level.coordinates()), position, rest)
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

    def _upsample(self, coarse: str, level: Level, kind: int, dtype: type[np.floating] | None = None) -> str:
        """Rows of the coarser level to rows of ``level``, as float32. ``dtype``: what ``coarse`` is, if not the
        precision's."""
        assert level.corners is not None
        reads, quads = level.corners.shape
        graph = self._graph
        around = graph.reshape(graph.gather(coarse, level.corners.reshape(-1)), reads, -1)
        spread = graph.node("MatMul", graph.constant(WEIGHTS[kind].astype(dtype or self._type)), around)
        spread = graph.reshape(spread, 4 * quads, -1)
        return spread if dtype is np.float32 else self._wide(spread)

    def _turned(self, weight: Array, dtype: type[np.floating]) -> str:
        return self._graph.constant(weight.T.astype(dtype))

    def _narrow(self, tensor: str) -> str:
        return self._graph.node("Cast", tensor, to=_FLOAT16) if self._half else tensor

    def _wide(self, tensor: str) -> str:
        return self._graph.node("Cast", tensor, to=_FLOAT) if self._half else tensor
