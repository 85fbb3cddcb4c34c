"""Looking at networks and cutting parts out of them, in memory only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from core.wire.errors import ModelFileBad

OLDEST_OPSET = 13
"""The nodes we add mean the same from this operator set on. A file's own is never raised: DirectML has no kernels for
many operators of newer ones."""

TensorType: TypeAlias = tuple[int, tuple[int, ...]]
"""ONNX element type and shape."""


def opset(model: ModelProto) -> int:
    """The version of the standard operators that a file uses; 0 if it does not say."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)


def declared_tensors(
    model: ModelProto,
) -> tuple[dict[str, tuple[tuple[int, ...], np.dtype[Any]]], dict[str, tuple[tuple[int, ...], np.dtype[Any]]]]:
    """Shape and type of all inputs and of all outputs by name; a size that is not fixed is -1."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return (
        {value.name: _shape_and_dtype(value) for value in model.graph.input if value.name not in weights},
        {value.name: _shape_and_dtype(value) for value in model.graph.output},
    )


def _shape_and_dtype(value: ValueInfoProto) -> tuple[tuple[int, ...], np.dtype[Any]]:
    tensor = value.type.tensor_type
    shape = tuple(size.dim_value if size.HasField("dim_value") else -1 for size in tensor.shape.dim)
    known = tensor.elem_type in helper.get_all_tensor_dtypes()
    return shape, np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type) if known else np.void)


class NetworkGraph:
    """A network whose nodes can be looked at from their outputs, and parts of it cut out."""

    def __init__(self, model: ModelProto) -> None:
        """``model`` must not be changed afterwards. Raises ModelFileBad when its shapes contradict each other."""
        self.model = model
        try:
            inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
        except onnx.shape_inference.InferenceError as problem:
            raise ModelFileBad(str(problem), file=model.graph.name, reason="damaged") from problem
        self._producers = {output: node for node in model.graph.node for output in node.output if output}
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        values = (inferred.graph.input, inferred.graph.output, inferred.graph.value_info)
        self._types = {value.name: _tensor_type(value) for group in values for value in group}

    @property
    def inputs(self) -> list[str]:
        """Names of the network's inputs, weights left out."""
        return [value.name for value in self.model.graph.input if value.name not in self._weights]

    def type_of(self, name: str) -> TensorType | None:
        """Element type and shape of a tensor where both are known and fixed."""
        return self._types.get(name)

    def producer(self, name: str, operator: str) -> NodeProto | None:
        """The node that makes a tensor, if it is of this operator; changes of type in between are looked through."""
        node = self._producers.get(self.origin(name))
        return node if node is not None and node.op_type == operator else None

    def origin(self, name: str) -> str:
        """Where a tensor comes from before any change of its type."""
        node, seen = self._producers.get(name), {name}
        while node is not None and node.op_type in ("Cast", "Identity") and node.input[0] not in seen:
            name = node.input[0]
            seen.add(name)
            node = self._producers.get(name)
        return name

    def constant(self, name: str) -> NDArray[Any] | None:
        """The value of a tensor that is a constant, else None."""
        name = self.origin(name)
        if name in self._weights:
            return np.asarray(numpy_helper.to_array(self._weights[name]))
        node = self._producers.get(name)
        if node is not None and node.op_type == "Constant" and node.attribute[0].name == "value":
            return np.asarray(numpy_helper.to_array(node.attribute[0].t))
        return None

    def needed(self, outputs: Iterable[str], given: Collection[str] = ()) -> set[str]:
        """Every tensor the outputs are made from; those in ``given`` are taken as they are."""
        seen: set[str] = set()
        waiting = list(outputs)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            node = self._producers.get(name) if name not in given else None
            waiting.extend(used for used in (node.input if node is not None else ()) if used)
        return seen

    def cut(self, inputs: Sequence[str], outputs: Sequence[str]) -> ModelProto:
        """The part of the network between tensors; inputs that nothing in it reads are left out.

        Raises ValueError when the type of one of them is not known or when more inputs would be needed.
        """
        needed = self.needed(outputs, inputs)
        missing = (needed & set(self.inputs)) - set(inputs)
        if missing:
            raise ValueError(f"{sorted(missing)} are needed too")
        made = needed - set(inputs)
        graph = helper.make_graph(
            [node for node in self.model.graph.node if any(output in made for output in node.output)],
            self.model.graph.name,
            [self._value(name) for name in inputs if name in needed],
            [self._value(name) for name in outputs],
            [tensor for name, tensor in self._weights.items() if name in needed],
        )
        part = ModelProto()
        part.ir_version = self.model.ir_version
        part.opset_import.extend(self.model.opset_import)
        part.functions.extend(self.model.functions)
        part.graph.CopyFrom(graph)
        return part

    def _value(self, name: str) -> ValueInfoProto:
        known = self._types.get(name)
        if known is None:
            raise ValueError(f"the type of {name} is not known")
        return helper.make_tensor_value_info(name, *known)


def _tensor_type(value: ValueInfoProto) -> TensorType | None:
    tensor = value.type.tensor_type
    shape = tuple(size.dim_value for size in tensor.shape.dim if size.HasField("dim_value"))
    fixed = tensor.HasField("shape") and len(shape) == len(tensor.shape.dim)
    return (tensor.elem_type, shape) if fixed and tensor.elem_type else None


def attribute(node: NodeProto, name: str, default: int) -> int:
    """An integer attribute of a node."""
    return next(
        (found.i for found in node.attribute if found.name == name and found.type == AttributeProto.INT), default
    )


def sample_in_float32(model: ModelProto) -> None:
    """Let every GridSample of a half-precision network compute in float32, in place.

    DirectML has no float16 kernel for it, and half a float cannot tell neighbouring pixels' coordinates apart.
    """
    graph = NetworkGraph(model)
    half_inputs = {
        name
        for node in model.graph.node
        if node.op_type == "GridSample"
        for name in node.input
        if (graph.type_of(name) or (0, ()))[0] == TensorProto.FLOAT16
    }
    if not half_inputs:
        return
    nodes: list[NodeProto] = []
    for index, original in enumerate(model.graph.node):
        node = NodeProto()
        node.CopyFrom(original)
        if node.op_type != "GridSample" or not half_inputs.intersection(node.input):
            nodes.append(node)
            continue
        for position, name in enumerate(original.input):
            if name in half_inputs:
                node.input[position] = f"sampled_{index}_{position}"
                nodes.append(helper.make_node("Cast", [name], [node.input[position]], to=TensorProto.FLOAT))
        returned = original.input[0] in half_inputs
        if returned:
            node.output[0] = f"sampled_{index}"
        nodes.append(node)
        if returned:
            nodes.append(helper.make_node("Cast", [node.output[0]], [original.output[0]], to=TensorProto.FLOAT16))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
