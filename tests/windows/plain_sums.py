"""For DirectX 12 in Wine, whose shader translator cannot build DirectML's kernel for two equal float32 tensors.

Adding, subtracting, multiplying, dividing and comparing such tensors fails there (an error when a session is made);
with one of the two repeated DirectML takes another kernel, which works. Networks are rewritten that way where it is
needed, and nowhere else: real graphics cards get them as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from accel.base import Network, Progress, Runtime
from accel.onnxruntime.runtime import OrtRuntime
from accel.onnxruntime.session import OrtSession
from core.wire.errors import RuntimeFailed
from models.onnx_graph import GraphBuilder

_OPERATORS = frozenset({"Add", "Sub", "Mul", "Div", "Max", "Min"})
_FRONT, _FIRST = "repeated/front", "repeated/first"

Type: TypeAlias = tuple[int, list[int]]
"""What a tensor holds, and its shape."""


def can_add(runtime: Runtime) -> bool:
    """Can it add two float32 tensors of the same shape?"""
    graph = GraphBuilder()
    shape = (4, 4096)
    graph.output("sum", graph.node("Add", graph.input("first", shape), graph.input("second", shape)), shape)
    try:
        runtime.open(Network("sum of two tensors", graph.build("sum"))).close()
    except RuntimeFailed:
        return False
    return True


class WithoutPlainSums(OrtRuntime):
    """Opens networks rewritten; all else is the real runtime's."""

    def open(self, network: Network, progress: Progress | None = None) -> OrtSession:
        """See :meth:`accel.base.Runtime.open`."""
        return super().open(Network(network.name, rewritten(network.content), network.alone), progress)


def rewritten(content: bytes) -> bytes:
    """The network with one side of every such operation repeated and the first half of the result taken."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(content), data_prop=True)
    types = {value.name: value.type.tensor_type for value in (*model.graph.value_info, *model.graph.input)}
    known = {name: (kind.elem_type, [size.dim_value for size in kind.shape.dim]) for name, kind in types.items()}
    known |= {tensor.name: (tensor.data_type, list(tensor.dims)) for tensor in model.graph.initializer}
    nodes = [made for node in model.graph.node for made in _without(node, known)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), _FRONT))
    model.graph.initializer.append(numpy_helper.from_array(np.array(0, np.int64), _FIRST))
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())


def _is_plain(node: onnx.NodeProto, known: dict[str, Type]) -> bool:
    """Two float32 tensors of one shape, as far as that is known."""
    if node.op_type not in _OPERATORS or len(node.input) != 2:
        return False
    first, second = (known.get(name) for name in node.input)
    if first is None or second is None:
        return first is second
    # 0 is a size that is known only when it runs; of as many dimensions the operation stays the same rewritten
    same = len(first[1]) == len(second[1]) and all(
        one == other or 0 in (one, other) for one, other in zip(first[1], second[1], strict=True)
    )
    return same and first[0] == second[0] == TensorProto.FLOAT and math.prod(first[1]) != 1


def _without(node: onnx.NodeProto, known: dict[str, Type]) -> Iterator[onnx.NodeProto]:
    if not _is_plain(node, known):
        yield node
        return
    name = f"repeated/{node.output[0]}"
    for side, given in zip("ab", node.input, strict=True):
        yield helper.make_node("Unsqueeze", [given, _FRONT], [f"{name}/{side}"])
    yield helper.make_node("Concat", [f"{name}/a", f"{name}/a"], [f"{name}/twice"], axis=0)
    yield helper.make_node(node.op_type, [f"{name}/twice", f"{name}/b"], [f"{name}/both"])
    yield helper.make_node("Gather", [f"{name}/both", _FIRST], list(node.output), axis=0)
