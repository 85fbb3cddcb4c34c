"""Networks of a node or two that DirectML cannot run, and their like that it can: what the checker says of them on any
machine and what the real provider says must be the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.onnx_graph import OPSET

FLOAT, HALF = int(TensorProto.FLOAT), int(TensorProto.FLOAT16)
Inputs: TypeAlias = Mapping[str, tuple[int, list[Any]]]
"""Name to type and shape."""


def network(nodes: list[onnx.NodeProto], inputs: Inputs, opset: int = OPSET, **constants: Any) -> onnx.ModelProto:
    """From ``inputs`` to ``y``, whose shape is left open."""
    graph = helper.make_graph(
        nodes,
        "planted",
        [helper.make_tensor_value_info(name, *value) for name, value in inputs.items()],
        [onnx.ValueInfoProto(name="y")],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def node(operator: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
    """A node that gives ``y``."""
    return helper.make_node(operator, list(inputs), ["y"], name="it", **attributes)


PICTURE: Inputs = {"x": (FLOAT, [1, 2, 8, 8])}
SAMPLING: Inputs = {**PICTURE, "grid": (FLOAT, [1, 8, 8, 2])}
CONVOLUTION: dict[str, Any] = {"w": np.ones((2, 2, 3, 3), np.float32)}
TWICE: dict[str, Any] = {"scales": np.array([1, 1, 2, 2], np.float32)}
BRANCH = helper.make_graph(
    [helper.make_node("Sigmoid", ["x"], ["then"])], "then", [], [helper.make_tensor_value_info("then", FLOAT, None)]
)

PLANTED: dict[str, tuple[onnx.ModelProto, list[tuple[str, int]]]] = {
    "an operator it never had": (
        network(
            [node("NonMaxSuppression", "boxes", "scores")],
            {"boxes": (FLOAT, [1, 8, 4]), "scores": (FLOAT, [1, 1, 8])},
        ),
        [("NonMaxSuppression", 11)],
    ),
    "a newer convolution": (network([node("Conv", "x", "w")], PICTURE, 22, **CONVOLUTION), [("Conv", 22)]),
    "newer sampling": (network([node("GridSample", "x", "grid")], SAMPLING, 20), [("GridSample", 20)]),
    "newer scattering": (
        network([node("ScatterND", "x", "places", "x")], PICTURE, 18, places=np.zeros((1, 2, 8, 8, 4), np.int64)),
        [("ScatterND", 18)],
    ),
    "sampling in float16": (
        network([node("GridSample", "x", "grid")], {name: (HALF, shape) for name, (_, shape) in SAMPLING.items()}),
        [("GridSample", 16)],
    ),
    "a type no kernel takes": (
        network([node("Conv", "x", "w")], {"x": (TensorProto.DOUBLE, [1, 2, 8, 8])}, w=np.ones((2, 2, 3, 3))),
        [("Conv", 11)],
    ),
    "cubic interpolation": (
        network([node("Resize", "x", "", "scales", mode="cubic")], PICTURE, **TWICE),
        [("Resize", 13)],
    ),
    "a function that the processor has whole": (network([node("Gelu", "x")], PICTURE, 20), [("Gelu", 20)]),
    "an operator nobody knows": (network([node("Invented", "x")], PICTURE), [("Invented", 0)]),
}
"""With what is missing: operator and the version that the network means."""

FINE = {
    "an older convolution": network([node("Conv", "x", "w")], PICTURE, **CONVOLUTION),
    "linear interpolation": network([node("Resize", "x", "", "scales", mode="linear")], PICTURE, **TWICE),
    "a function that is taken apart": network([node("HardSwish", "x")], {"x": (HALF, [1, 8])}),
    "a function in float16 that the processor lacks too": network([node("Gelu", "x")], {"x": (HALF, [1, 8])}, 20),
    "a branch": network(
        [node("If", "c", then_branch=BRANCH, else_branch=BRANCH)], {**PICTURE, "c": (TensorProto.BOOL, [])}
    ),
    "a size that is known only when it runs": network(
        [node("Resize", "x", "", "s")], {**PICTURE, "s": (FLOAT, [4])}
    ),
    "sizes that are computed beforehand": network(
        [
            helper.make_node("Shape", ["x"], ["shape"]),
            helper.make_node("Gather", ["shape", "three"], ["width"]),
            helper.make_node("NonZero", ["ones"], ["places"]),
            helper.make_node("Range", ["zero", "width", "one"], ["line"]),
            helper.make_node("Cast", ["line"], ["float"], to=FLOAT),
            node("Mul", "x", "float"),
        ],
        PICTURE,
        three=np.int64(3), zero=np.int64(0), one=np.int64(1), ones=np.ones(3, np.float32),
    ),
}  # fmt: skip
"""What the real provider ran, or would, as far as the table tells."""
