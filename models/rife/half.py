"""Letting a network's convolutions compute in float16, in memory only.

They are nearly all of its work. What lies between them stays float32: the flow is a sum over several sizes, and half a
float cannot tell neighbouring pixels' coordinates apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from models.tha.graphs import NetworkGraph

_CONVOLUTIONS = {"Conv", "ConvTranspose"}
_FOLLOWERS = {"LeakyRelu", "PRelu", "Relu", "DepthToSpace", "Add", "Mul"}
"""What is computed in float16 where everything it reads is."""


def convolve_in_half(model: ModelProto) -> None:
    """Change a network in place; inputs and outputs keep their types. What computes in float16 already stays."""
    change = _Change(NetworkGraph(model), {value.name for value in model.graph.output})
    for node in list(model.graph.node):
        change.take(node)
    del model.graph.node[:]
    model.graph.node.extend(change.nodes)
    model.graph.initializer.extend(change.weights)
    # their types were those of before
    del model.graph.value_info[:]


class _Change:
    """The nodes of the new graph, in order. A tensor that became float16 keeps its name."""

    def __init__(self, graph: NetworkGraph, kept: set[str]) -> None:
        self._graph, self._kept = graph, kept
        self._halves: set[str] = set()
        self._cast: dict[tuple[str, int], str] = {}
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def take(self, original: NodeProto) -> None:
        """Add a node, in float16 if it belongs there."""
        node = NodeProto()
        node.CopyFrom(original)
        if self._belongs(original):
            node.input[:] = [self._as_half(name) if name else name for name in original.input]
            self._halves.update(original.output)
        else:
            node.input[:] = [self._as_full(name) if name in self._halves else name for name in original.input]
        self.nodes.append(node)

    def _belongs(self, node: NodeProto) -> bool:
        if self._kept.intersection(node.output):
            return False
        if node.op_type in _CONVOLUTIONS:
            return (self._graph.type_of(node.input[0]) or (0, ()))[0] == TensorProto.FLOAT
        return node.op_type in _FOLLOWERS and self._are_half(node.input)

    def _are_half(self, names: Sequence[str]) -> bool:
        known = [name in self._halves for name in names]
        constant = [
            not half and self._graph.constant(name) is not None for name, half in zip(names, known, strict=True)
        ]
        return any(known) and all(half or fixed for half, fixed in zip(known, constant, strict=True))

    def _as_half(self, name: str) -> str:
        if name in self._halves:
            return name
        key = name, int(TensorProto.FLOAT16)
        if key not in self._cast:
            self._cast[key] = f"{name}/half"
            content = self._graph.constant(name)
            if content is not None:
                self.weights.append(numpy_helper.from_array(content.astype(np.float16), self._cast[key]))
            else:
                self.nodes.append(helper.make_node("Cast", [name], [self._cast[key]], to=TensorProto.FLOAT16))
        return self._cast[key]

    def _as_full(self, name: str) -> str:
        key = name, int(TensorProto.FLOAT)
        if key not in self._cast:
            self._cast[key] = f"{name}/full"
            self.nodes.append(helper.make_node("Cast", [name], [self._cast[key]], to=TensorProto.FLOAT))
        return self._cast[key]
