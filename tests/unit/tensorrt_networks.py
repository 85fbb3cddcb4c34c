"""Small ONNX models for the real builder."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from accel.base import Network


def convolutions(
    name: str = "small",
    layers: int = 2,
    seed: int = 0,
    half: bool = False,
    operator: str = "Relu",
    open_size: bool = False,
) -> Network:
    """``layers`` convolutions of a (1, 3, 16, 16) picture named x, each followed by ``operator``, giving y."""
    kind, dtype = (TensorProto.FLOAT16, np.float16) if half else (TensorProto.FLOAT, np.float32)
    random = np.random.default_rng(seed)
    nodes, weights, before = [], [], "x"
    for number in range(layers):
        shape = (3, 3, 3, 3)
        weights.append(numpy_helper.from_array((random.random(shape) - 0.5).astype(dtype), f"w{number}"))
        after = "y" if number == layers - 1 else f"a{number}"
        nodes.append(helper.make_node("Conv", [before, f"w{number}"], [f"c{number}"], f"conv{number}", pads=[1] * 4))
        nodes.append(helper.make_node(operator, [f"c{number}"], [after], f"act{number}"))
        before = after
    size: int | str = "size" if open_size else 16
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", kind, [1, 3, size, size])],
        [helper.make_tensor_value_info("y", kind, [1, 3, size, size])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return Network(name, model.SerializeToString())
