"""A THA4 student network's weights out of an ONNX graph, as EasyVtuber keeps them: its Conv nodes in order."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from core.wire.errors import ModelFileBad
from models.safe_onnx import float_array

from .contract import NetworkContract, layer_of, network_from_layers, times
from .weights import Layer, SineNetwork

_MAXIMUM_LAYERS = 400
_MAXIMUM_FACTORS = 4
_NEUTRAL = {"strides": {1}, "dilations": {1}, "kernel_shape": {1}, "pads": {0}}


def network_from_graph(model: onnx.ModelProto, wanted: NetworkContract, file: str) -> SineNetwork:
    """A network from a graph of Conv, perhaps Mul by a number, and Sin. Raises ModelFileBad.

    Only the weights are taken; that positions and pose are joined as PyTorch's files have it is taken for granted.
    """
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    if not 2 <= len(convolutions) <= _MAXIMUM_LAYERS:
        detail = f"{wanted.name}: {len(convolutions)} convolutions"
        raise ModelFileBad(detail, file=file, reason="wrong_contract")
    constants = _constants(model.graph)
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    layers: list[Layer] = []
    for convolution in convolutions:
        layer = _layer(convolution, constants, file)
        factor, is_sine = _what_follows(convolution.output[0], users, constants, file)
        is_last = convolution is convolutions[-1]
        if is_sine is is_last or (is_last and factor != 1.0):
            detail = f"{wanted.name}: {convolution.name[:100]!r} is not followed by what it should be"
            raise ModelFileBad(detail, file=file, reason="wrong_contract")
        layers.append(times(layer, factor) if factor != 1.0 else layer)
    return network_from_layers(layers[:-1], layers[-1], wanted, file)


def _constants(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    found = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and len(node.output) == 1:
            found |= {
                name: attribute.t for name in node.output for attribute in node.attribute if attribute.name == "value"
            }
    return found


def _layer(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto], file: str) -> Layer:
    plain = all(
        attribute.i == 1
        if attribute.name == "group"
        else attribute.name == "auto_pad" or set(attribute.ints) <= _NEUTRAL.get(attribute.name, set())
        for attribute in node.attribute
    )
    if (
        not plain
        or len(node.output) != 1
        or len(node.input) != 3
        or not all(name in constants for name in node.input[1:])
    ):
        raise ModelFileBad(f"{node.name[:100]!r}: another convolution", file=file, reason="wrong_contract")
    weight, bias = (float_array(constants[name], file) for name in node.input[1:])
    return layer_of(weight, bias, node.name, file)


def _what_follows(
    name: str, users: Mapping[str, list[onnx.NodeProto]], constants: Mapping[str, onnx.TensorProto], file: str
) -> tuple[float, bool]:
    """By which number an output is multiplied, and whether its sine is taken then."""
    factor = 1.0
    for _ in range(_MAXIMUM_FACTORS):
        using = users.get(name, [])
        if len(using) != 1:
            return factor, False
        if using[0].op_type != "Mul":
            return factor, using[0].op_type == "Sin"
        numbers = [float_array(constants[other], file) for other in using[0].input if other in constants]
        if len(numbers) != 1 or numbers[0].size != 1 or len(using[0].output) != 1:
            return factor, False
        factor *= float(numbers[0].item())
        name = using[0].output[0]
    return factor, False
