"""The networks' result as our pictures: clamped, premultiplied, BGRA, 8 bits, computed where the network is."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from .contract import PICTURE_SIDE
from .graphs import NetworkGraph

PICTURE = "picture"
"""Name of the output that :func:`deliver_picture` adds."""


def deliver_picture(model: ModelProto, result: str) -> None:
    """Replace the output ``result`` by the output ``picture``, in place.

    ``result``: float [1, 4, 512, 512], R, G, B, A in sRGB, 0..1, straight alpha. ``picture``: uint8 [512, 512, 4], B,
    G, R, A, premultiplied in the same gamma-encoded values, rounded. Alpha is clamped here: THA3's own conversion to
    bytes does not do it, and what an overflowing number becomes there is the runtime's choice.
    """
    known = NetworkGraph(model).type_of(result)
    if known is None:
        raise ValueError(f"the type of {result} is not known")
    prefix = "delivered/"
    constants = {
        "zero": np.float32(0.0),
        "one": np.float32(1.0),
        "levels": np.float32(255.0),
        "half": np.float32(0.5),
        "blue_green_red": np.array([2, 1, 0], np.int64),
        "alpha": np.array([3], np.int64),
        "shape": np.array([PICTURE_SIDE, PICTURE_SIDE, 4], np.int64),
    }
    source = result
    steps = []
    if known[0] != TensorProto.FLOAT:
        source = prefix + "float"
        steps.append(helper.make_node("Cast", [result], [source], to=TensorProto.FLOAT))
    # the conversion to bytes comes last and cuts off the fraction: TensorRT allows bytes as an output only
    operations: tuple[tuple[str, list[str], str, dict[str, Any]], ...] = (
        ("Clip", [source, "zero", "one"], "clamped", {}),
        ("Gather", ["clamped", "blue_green_red"], "straight", {"axis": 1}),
        ("Gather", ["clamped", "alpha"], "opacity", {"axis": 1}),
        ("Mul", ["straight", "opacity"], "premultiplied", {}),
        ("Concat", ["premultiplied", "opacity"], "planes", {"axis": 1}),
        ("Transpose", ["planes"], "pixels", {"perm": [0, 2, 3, 1]}),
        ("Reshape", ["pixels", "shape"], "unbatched", {}),
        ("Mul", ["unbatched", "levels"], "scaled", {}),
        ("Add", ["scaled", "half"], "rounded", {}),
    )
    for operator, inputs, output, attributes in operations:
        names = [name if name == source else prefix + name for name in inputs]
        steps.append(helper.make_node(operator, names, [prefix + output], **attributes))
    steps.append(helper.make_node("Cast", [prefix + "rounded"], [PICTURE], to=TensorProto.UINT8))
    model.graph.node.extend(steps)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), prefix + name) for name, value in constants.items()
    )
    kept = [output for output in model.graph.output if output.name != result]
    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, [PICTURE_SIDE, PICTURE_SIDE, 4])
    )
    model.graph.output.extend(kept)
