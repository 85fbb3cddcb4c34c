"""The last network's own motion fields, found by the structure of its graph, and how they move a picture on.

THA3's editor and THA4's upscaler end alike: ``(1 - blend) * GridSample(face, grid) + blend * colour``, then the
conversion of the result to sRGB. ``grid`` is where each pixel comes from, ``blend`` a sigmoid of one channel (THA4) or
one for each colour (THA3), ``colour`` what the network paints itself.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from accel.base import Network
from core.pose.parameters import PoseVector
from models.motion import CELLS, Displacement, Warp, continued, displacement, share_ahead, smoothed
from models.onnx_graph import GraphBuilder

from .contract import PICTURE_SIDE
from .graphs import NetworkGraph, attribute

WARP = "warp"
"""Name of the output of :func:`coarse_network`."""
_LEAST_SHARE = np.float32(1e-3)
_REMEMBERED = 256
"""Pictures whose warps are kept, 32 kB each."""


@dataclass(frozen=True, slots=True)
class FieldNames:
    """Which tensors of a graph its motion fields are."""

    grid: str
    """[1, 512, 512, 2]: coordinates (x, y) from -1 to 1, as GridSample takes them."""
    blend: str
    """[1, 1 or 4, 512, 512]."""
    colour: str
    """[1, 4, 512, 512]: R, G, B, A in linear light, -1..1."""

    @property
    def all(self) -> tuple[str, str, str]:
        """The three of them."""
        return self.grid, self.blend, self.colour


def find_fields(graph: NetworkGraph, warped: str, result: str) -> FieldNames | None:
    """The fields of a network that bends its input ``warped`` into ``result``; None where its end looks different."""
    needed = graph.needed([result])
    for node in reversed(graph.model.graph.node):
        if node.op_type == "Add" and node.output[0] in needed:
            for painted, bent in permutations(node.input, 2):
                names = _match(graph, painted, bent, warped)
                if names is not None and _fits(graph, names) and _suffice(graph, names, warped, result):
                    return names
    return None


def _match(graph: NetworkGraph, painted: str, bent: str, warped: str) -> FieldNames | None:
    """The names if ``painted`` is blend * colour and ``bent`` is (1 - blend) * sampled."""
    for sampled, rest in _factors(graph, bent):
        sample, difference = graph.producer(sampled, "GridSample"), graph.producer(rest, "Sub")
        if sample is None or difference is None or not _is_one(graph, difference.input[0]):
            continue
        if graph.origin(sample.input[0]) != warped or attribute(sample, "align_corners", 0):
            continue
        blend = graph.origin(difference.input[1])
        for colour, share in _factors(graph, painted):
            if graph.origin(share) == blend:
                return FieldNames(sample.input[1], blend, graph.origin(colour))
    return None


def _factors(graph: NetworkGraph, name: str) -> Iterator[tuple[str, str]]:
    product: NodeProto | None = graph.producer(name, "Mul")
    if product is not None:
        first, second = product.input
        yield first, second
        yield second, first


def _is_one(graph: NetworkGraph, name: str) -> bool:
    value = graph.constant(name)
    return value is not None and bool(np.all(value == 1))


def _fits(graph: NetworkGraph, names: FieldNames) -> bool:
    side = PICTURE_SIDE
    shapes = [(graph.type_of(name) or (0, ()))[1] for name in names.all]
    return (
        shapes[0] == (1, side, side, 2)
        and shapes[1] in ((1, 1, side, side), (1, 4, side, side))
        and shapes[2] == (1, 4, side, side)
        and not set(names.all) & set(graph.inputs)
        and all(graph.constant(name) is None for name in names.all)
    )


def _suffice(graph: NetworkGraph, names: FieldNames, warped: str, result: str) -> bool:
    """Whether the result depends on nothing but the fields and what they bend."""
    return set(graph.inputs) & graph.needed([result], names.all) <= {warped}


def coarse_network(graph: NetworkGraph, fields: FieldNames) -> Network:
    """From a picture's fields to ``warp``, float32 [1, 3, 64, 64]: for each cell the mean offset (x, y in -1..1
    coordinates) of the pixels that were moved rather than painted, times their share, and that share. Only this leaves
    the device."""
    made = GraphBuilder()
    grid, blend = (
        made.node("Cast", made.input(name, shape, helper.tensor_dtype_to_np_dtype(kind)), to=TensorProto.FLOAT)
        for name, (kind, shape) in ((name, graph.type_of(name) or (0, ())) for name in (fields.grid, fields.blend))
    )
    painted = made.node("ReduceMean", blend, axes=[1], keepdims=1)
    moved = made.node("Clip", made.node("Sub", made.number(1.0), painted), made.number(0.0), made.number(1.0))
    centres = ((2.0 * np.arange(PICTURE_SIDE) + 1.0) / PICTURE_SIDE - 1.0).astype(np.float32)
    nothing = np.zeros_like(centres)
    columns = made.constant(np.stack([centres, nothing]).reshape(1, 2, 1, PICTURE_SIDE))
    rows = made.constant(np.stack([nothing, centres]).reshape(1, 2, PICTURE_SIDE, 1))
    planes = made.node("Transpose", grid, perm=[0, 3, 1, 2])
    offsets = made.node("Sub", made.node("Sub", planes, columns), rows)
    both = made.node("Concat", made.node("Mul", offsets, moved), moved, axis=1)
    step = PICTURE_SIDE // CELLS
    cells = made.node("AveragePool", both, kernel_shape=[step, step], strides=[step, step])
    made.output(WARP, cells, (1, 3, CELLS, CELLS))
    return Network("THA motion", made.build("motion"))


def warp_of(cells: NDArray[np.float32]) -> Warp:
    """The warp out of what :func:`coarse_network` made."""
    weights = np.ascontiguousarray(cells[0, 2])
    offsets = np.moveaxis(cells[0, :2], 0, -1) / np.maximum(weights, _LEAST_SHARE)[..., None]
    return smoothed(np.ascontiguousarray(offsets * np.float32(0.5), np.float32), weights)


class KnownWarps:
    """The warps of the last pictures. Written by the thread that draws, read by the one that bends."""

    def __init__(self) -> None:
        self._warps: OrderedDict[bytes, Warp] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, pose: PoseVector, warp: Warp) -> None:
        """Remember; the oldest is forgotten."""
        with self._lock:
            self._warps[pose.tobytes()] = warp
            self._warps.move_to_end(pose.tobytes())
            if len(self._warps) > _REMEMBERED:
                self._warps.popitem(last=False)

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        """The motion that led from one picture to the next goes on in the direction of ``pose``; None where it is not
        known."""
        with self._lock:
            known = [self._warps.get(earlier.tobytes()) for earlier in rendered[-2:]]
        if len(known) < 2 or known[0] is None or known[1] is None:
            return None
        share = share_ahead(rendered[-2], rendered[-1], pose)
        return displacement(known[1], continued(known[0], known[1], share)) if share else None
