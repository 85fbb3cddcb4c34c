"""A network in the other precision: whichever of the two files is there serves both."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from accel.base import FULL

_TYPES: dict[bool, tuple[int, Any]] = {
    True: (TensorProto.FLOAT, np.float32),
    False: (TensorProto.FLOAT16, np.float16),
}
_ALWAYS_FLOAT32 = {"Resize": (1, 2), "Upsample": (1,)}
"""Inputs that the standard has in float32 whatever the picture is in."""


def in_precision(model: ModelProto, precision: str) -> ModelProto:
    """A copy that computes in float32 (``full``) or float16 (``half``); its float inputs and outputs change with it.

    A model that needs no change, or that has branches or functions of its own, comes back as it is; so does one for
    ``half`` whose maker has chosen already what is computed in float16.
    """
    is_full = precision == FULL
    (wanted, dtype), (other, _) = _TYPES[is_full], _TYPES[not is_full]
    if model.functions or any(attribute.HasField("g") or attribute.graphs for attribute in _attributes(model.graph)):
        return model
    if _has_half(model.graph) != is_full:
        return model
    made = ModelProto()
    made.CopyFrom(model)
    kept = {
        node.input[place]
        for node in made.graph.node
        for place in _ALWAYS_FLOAT32.get(node.op_type, ())
        if place < len(node.input)
    }
    for tensor in made.graph.initializer:
        if tensor.name not in kept:
            _retype(tensor, other, wanted, dtype)
    for node in made.graph.node:
        if kept.isdisjoint(node.output):
            _retype_node(node, other, wanted, dtype)
    for value in (*made.graph.input, *made.graph.output):
        if value.type.tensor_type.elem_type == other:
            value.type.tensor_type.elem_type = wanted
    del made.graph.value_info[:]
    return made


def _attributes(graph: GraphProto) -> list[AttributeProto]:
    return [attribute for node in graph.node for attribute in node.attribute]


def _has_half(graph: GraphProto) -> bool:
    casts = (_cast_target(node) for node in graph.node)
    values = (value.type.tensor_type.elem_type for value in (*graph.input, *graph.output))
    constants = (attribute.t.data_type for attribute in _attributes(graph))
    weights = (tensor.data_type for tensor in graph.initializer)
    return any(TensorProto.FLOAT16 in group for group in (casts, values, constants, weights))


def _cast_target(node: NodeProto) -> int:
    return next((found.i for found in node.attribute if node.op_type == "Cast" and found.name == "to"), 0)


def _retype_node(node: NodeProto, other: int, wanted: int, dtype: Any) -> None:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            _retype(attribute.t, other, wanted, dtype)
        elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == other:
            attribute.i = wanted


def _retype(tensor: TensorProto, other: int, wanted: int, dtype: Any) -> None:
    if tensor.data_type != other:
        return
    with np.errstate(over="ignore"):
        content = numpy_helper.to_array(tensor).astype(dtype)
    tensor.CopyFrom(numpy_helper.from_array(content, tensor.name))
