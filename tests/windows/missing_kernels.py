"""Which nodes of a network the DirectML provider has no kernel for, found on any machine.

It looks at a network as ONNX Runtime does before it hands nodes out to its providers: functions that no provider has a
kernel for are taken apart, and what only depends on constants and fixed shapes is computed beforehand. Then every node
that is left must have a kernel for its operator's version and its types; one that has none would run on the processor,
and :class:`accel.onnxruntime.runtime.OrtRuntime` would refuse the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, defs
from onnx.inliner import inline_selected_functions

from tests.windows.kernel_table import KernelTable, kernel_table

_RANDOM = frozenset({"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
                     "RandomUniformLike"})  # fmt: skip
_PASSES = 8
"""A function's body may be made of functions."""


class Missing(NamedTuple):
    """A node without a kernel."""

    node: str
    """Its name, or that of its first output."""
    operator: str
    version: int
    """Since which operator set the operator has been as the network means it; 0 when nobody defines it."""
    types: tuple[str, ...]
    """What it reads and gives: ``float16``; empty for an input that is left out, ``?`` for a type that is not known."""
    reason: str


def missing_kernels(model: ModelProto | bytes, table: KernelTable | None = None) -> list[Missing]:
    """Every node that DirectML could not run, in the order of the graph, those inside of branches and loops included.

    Raises ``onnx.shape_inference.InferenceError`` for a network whose types contradict each other.
    """
    whole = onnx.load_from_string(model) if isinstance(model, bytes) else model
    table = table or kernel_table()
    for _ in range(_PASSES):
        whole = onnx.shape_inference.infer_shapes(whole, data_prop=True)
        apart = _to_take_apart(whole, table)
        if not apart:
            break
        whole = inline_selected_functions(whole, sorted(apart), inline_schema_functions=True)
    versions = {entry.domain if entry.domain != "ai.onnx" else "": entry.version for entry in whole.opset_import}
    return list(_Graph(whole.graph, versions, table, None).missing())


def _to_take_apart(model: ModelProto, table: KernelTable) -> set[tuple[str, str]]:
    local = {(function.domain, function.name) for function in model.functions}
    versions = {entry.domain if entry.domain != "ai.onnx" else "": entry.version for entry in model.opset_import}
    graph = _Graph(model.graph, versions, table, None)
    return {
        (node.domain, node.op_type)
        for part in graph.parts()
        for node in part.graph.node
        if (node.domain, node.op_type) in local or part.is_taken_apart(node)
    }


def is_function(schema: Any) -> bool:
    """Does the standard define this operator by others? (``onnx.defs.OpSchema``, whose types leave that out.)"""
    return bool(schema.has_function or schema.has_context_dependent_function)


class _Graph:
    """A graph, or a branch of one, with what is known of its tensors."""

    def __init__(
        self, graph: GraphProto, versions: Mapping[str, int], table: KernelTable, outer: _Graph | None
    ) -> None:
        self.graph, self._versions, self._table = graph, versions, table
        self._types: dict[str, str] = dict(outer._types) if outer is not None else {}
        self._fixed: set[str] = set(outer._fixed) if outer is not None else set()
        self._shaped: set[str] = set(outer._shaped) if outer is not None else set()
        for value in (*graph.input, *graph.output, *graph.value_info):
            self._types[value.name] = _element_type(value.type.tensor_type.elem_type)
            if _has_fixed_shape(value):
                self._shaped.add(value.name)
        for tensor in graph.initializer:
            self._types[tensor.name] = _element_type(tensor.data_type)
            self._shaped.add(tensor.name)
        self._fixed |= {tensor.name for tensor in graph.initializer} - {value.name for value in graph.input}
        for node in graph.node:
            if self._is_computed_beforehand(node):
                self._fixed.update(node.output)

    def parts(self) -> Iterator[_Graph]:
        """This graph and every branch in it."""
        yield self
        for node in self.graph.node:
            for branch in _branches(node):
                yield from _Graph(branch, self._versions, self._table, self).parts()

    def missing(self) -> Iterator[Missing]:
        """The nodes without a kernel."""
        for node in self.graph.node:
            if self._is_computed_beforehand(node):
                continue
            reason = self._reason(node)
            if reason:
                since = self._schema(node)
                types = tuple(self._types.get(name, "?") if name else "" for name in (*node.input, *node.output))
                name = node.name or next(iter(node.output), "")
                yield Missing(name, node.op_type, since.since_version if since is not None else 0, types, reason)
            for branch in _branches(node):
                yield from _Graph(branch, self._versions, self._table, self).missing()

    def is_taken_apart(self, node: NodeProto) -> bool:
        """Is it a function of the standard that no provider has a kernel for?"""
        schema = self._schema(node)
        if schema is None or not is_function(schema):
            return False
        used = self._used_types(node, schema)
        return not any(
            used is not None and kernel.serves(schema.since_version) and kernel.takes(used)
            for provider in (self._table.directml, self._table.processor)
            for kernel in provider.get((_domain(node), node.op_type), ())
        )

    def _reason(self, node: NodeProto) -> str:
        schema = self._schema(node)
        if schema is None:
            return "nobody defines this operator"
        kernels = self._table.directml.get((_domain(node), node.op_type), ())
        serving = [kernel for kernel in kernels if kernel.serves(schema.since_version)]
        if not serving:
            return "no kernel for this version" if kernels else "no kernel for this operator"
        used = self._used_types(node, schema)
        if used is None:
            return "its types are not known"
        if not any(kernel.takes(used) for kernel in serving):
            return "no kernel for these types"
        return _refused_beyond_the_table(node, used)

    def _used_types(self, node: NodeProto, schema: defs.OpSchema) -> dict[str, str] | None:
        """Element types by the names they have in the operator's definition; None when one is not known."""
        used: dict[str, str] = {}
        for names, formal in ((node.input, schema.inputs), (node.output, schema.outputs)):
            for place, name in enumerate(names):
                if not name or not formal:
                    continue
                parameter = formal[min(place, len(formal) - 1)]
                kind = self._types.get(name, "")
                if not kind:
                    return None
                used[parameter.type_str] = used[parameter.name] = kind
        return used

    def _schema(self, node: NodeProto) -> defs.OpSchema | None:
        domain = _domain(node)
        try:
            return defs.get_schema(node.op_type, self._versions.get(domain, 1), domain)
        except defs.SchemaError:
            return None

    def _is_computed_beforehand(self, node: NodeProto) -> bool:
        if node.op_type in _RANDOM or any(True for _ in _branches(node)):
            return False
        if node.op_type in ("Shape", "Size") and node.input[0] in self._shaped:
            return True
        return all(not name or name in self._fixed for name in node.input)


def _refused_beyond_the_table(node: NodeProto, used: Mapping[str, str]) -> str:
    """What the provider registers a kernel for and does not take all the same, seen with the real one."""
    if node.op_type == "GridSample" and "float16" in used.values():
        return "its float16 kernel is not taken"
    modes = {entry.name: entry.s for entry in node.attribute if entry.type == AttributeProto.STRING}
    if node.op_type == "Resize" and modes.get("mode") == b"cubic":
        return "no cubic interpolation"
    return ""


def _branches(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == AttributeProto.GRAPHS:
            yield from attribute.graphs


def _domain(node: NodeProto) -> str:
    return "" if node.domain == "ai.onnx" else node.domain


def _element_type(kind: int) -> str:
    """ONNX Runtime's name of a type: ``float``, ``float16``, ``int64``; empty when it is none."""
    return TensorProto.DataType.Name(kind).lower() if kind else ""


def _has_fixed_shape(value: ValueInfoProto) -> bool:
    tensor = value.type.tensor_type
    return tensor.HasField("shape") and all(size.HasField("dim_value") for size in tensor.shape.dim)
