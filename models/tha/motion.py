"""The last network's own motion fields, found by the structure of its graph, and pictures made from fields again.

THA3's editor and THA4's upscaler end alike: ``(1 - blend) * GridSample(face, grid) + blend * colour``, then the
conversion of the result to sRGB. ``grid`` is where each pixel comes from, ``blend`` a sigmoid of one channel (THA4) or
one for each colour (THA3), ``colour`` what the network paints itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from models.base import MotionFields

from .contract import PICTURE_SIDE
from .graphs import NetworkGraph, attribute

OLDER, NEWER = "older/", "newer/"
"""In front of a field's name: the inputs of :func:`between_network`."""
FRACTION = "fraction"


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


def between_network(graph: NetworkGraph, fields: FieldNames, warped: str, result: str) -> ModelProto:
    """A network that makes ``result`` from ``warped`` and fields between two others.

    Inputs: ``warped``, each field's name behind ``older/`` and behind ``newer/``, and ``fraction``, float32 [1]: 0 is
    older, 1 is newer. All that follows the fields is the original's own nodes.
    """
    model = graph.cut([warped, *fields.all], [result])
    steps = [helper.make_node("Sub", ["whole", FRACTION], ["remainder"])]
    inputs = [helper.make_tensor_value_info(FRACTION, TensorProto.FLOAT, [1])]
    types = {name: graph.type_of(name) or (0, ()) for name in fields.all}
    for kind in sorted({kind for kind, _ in types.values()}):
        steps.append(helper.make_node("Cast", [FRACTION], [f"{NEWER}share_{kind}"], to=kind))
        steps.append(helper.make_node("Cast", ["remainder"], [f"{OLDER}share_{kind}"], to=kind))
    for name, (kind, shape) in types.items():
        for age in (OLDER, NEWER):
            inputs.append(helper.make_tensor_value_info(age + name, kind, shape))
            steps.append(helper.make_node("Mul", [age + name, f"{age}share_{kind}"], [f"{age}part_of/{name}"]))
        steps.append(helper.make_node("Add", [f"{OLDER}part_of/{name}", f"{NEWER}part_of/{name}"], [name]))
    steps.extend(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(steps)
    kept = [value for value in model.graph.input if value.name not in types]
    del model.graph.input[:]
    model.graph.input.extend([*kept, *inputs])
    model.graph.initializer.append(numpy_helper.from_array(np.array([1.0], np.float32), "whole"))
    return model


def dense(grid: NDArray[np.floating], blend: NDArray[np.floating], colour: NDArray[np.floating]) -> MotionFields:
    """Fields as they came from the device, in the form and type that :class:`MotionFields` has.

    ``blend`` keeps its channel dimension where there is one for each colour: (512, 512) or (512, 512, 4).
    """
    centres = (2.0 * np.arange(PICTURE_SIDE) + 1.0) / PICTURE_SIDE - 1.0
    identity = np.stack(np.meshgrid(centres, centres), axis=-1)
    shares = np.moveaxis(blend[0], 0, -1).astype(np.float32)
    return MotionFields(
        warp=(grid[0].astype(np.float64) - identity).astype(np.float32),
        blend=np.ascontiguousarray(shares[..., 0] if shares.shape[-1] == 1 else shares),
        colour=np.ascontiguousarray(np.moveaxis(colour[0], 0, -1).astype(np.float32)),
    )
