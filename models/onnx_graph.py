"""Writing ONNX graphs node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSET = 17
"""The newest operator set for which DirectML (ONNX Runtime 1.24) has a kernel for everything we use."""
_IR_VERSION = 9


class GraphBuilder:
    """Collects nodes and constants; every method gives the name of the tensor it makes."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._renamed: dict[str, str] = {}

    def input(self, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> str:
        """Declare an input."""
        self._inputs.append(_value(name, shape, dtype))
        return name

    def output(self, name: str, tensor: str, shape: tuple[int, ...], dtype: Any = np.float32) -> None:
        """Declare a node's tensor an output under ``name``."""
        self._renamed[tensor] = name
        self._outputs.append(_value(name, shape, dtype))

    def constant(self, content: NDArray[Any]) -> str:
        """A constant; the same content is stored once."""
        content = np.ascontiguousarray(content)
        key = (content.dtype.str, content.shape, content.tobytes())
        if key not in self._known:
            self._known[key] = f"constant_{len(self._known)}"
            self._constants.append(numpy_helper.from_array(content, self._known[key]))
        return self._known[key]

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def number(self, value: float, dtype: Any = np.float32) -> str:
        """A constant scalar."""
        return self.constant(np.array(value, dtype))

    def reshape(self, tensor: str, *shape: int) -> str:
        """Another shape for the same content."""
        return self.node("Reshape", tensor, self.constant(np.array(shape, np.int64)))

    def gather(self, tensor: str, indices: NDArray[Any], axis: int = 0) -> str:
        """Rows (or slices along ``axis``) by number."""
        return self.node("Gather", tensor, self.constant(np.asarray(indices, np.int32)), axis=axis)

    def columns(self, tensor: str, first: int, last: int) -> str:
        """Columns ``first`` to ``last - 1`` of a (rows, columns) tensor."""
        return self._slice(tensor, first, last, 1)

    def rows(self, tensor: str, first: int, last: int) -> str:
        """Rows ``first`` to ``last - 1``."""
        return self._slice(tensor, first, last, 0)

    def _slice(self, tensor: str, first: int, last: int, axis: int) -> str:
        ends = (self.constant(np.array([end], np.int64)) for end in (first, last, axis))
        return self.node("Slice", tensor, *ends)

    def build(self, name: str) -> bytes:
        """The model, serialised."""
        for node in self._nodes:
            for names in (node.input, node.output):
                names[:] = [self._renamed.get(known, known) for known in names]
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR_VERSION)
        return bytes(model.SerializeToString())


def _value(name: str, shape: tuple[int, ...], dtype: Any) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, shape)
