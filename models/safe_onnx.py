"""ONNX files that users bring: looked through before any runtime sees them.

A runtime may read other files that a model names, and a few bytes of protobuf can become gigabytes of objects. What a
file may hold is therefore checked on its bytes first, then on the parsed model.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import DTypeLike, NDArray

from core.wire.errors import ModelFileBad

MAXIMUM_BYTES = (1 << 31) - 1
"""Protobuf's own limit."""
DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
"""Whose operators ONNX Runtime has."""
MAXIMUM_OPSET = 25
MAXIMUM_IR_VERSION = 13
"""The newest that ONNX Runtime 1.24 loads."""
_MAXIMUM_NESTING = 8
_MAXIMUM_FIELDS = 1_000_000
_MAXIMUM_MESSAGES = 250_000
"""A message is two bytes in the file and about 160 in memory."""

TensorContract: TypeAlias = tuple[DTypeLike, Sequence[int | None] | None]
"""Type and shape that an input or output must have. None matches any size, or any shape."""

_FLOAT_TYPES: dict[int, np.dtype[Any]] = {
    onnx.TensorProto.FLOAT: np.dtype(np.float32),
    onnx.TensorProto.FLOAT16: np.dtype(np.float16),
    onnx.TensorProto.DOUBLE: np.dtype(np.float64),
}


def load_onnx(
    source: Path | bytes, name: str, *, maximum_bytes: int = MAXIMUM_BYTES, domains: AbstractSet[str] = DOMAINS
) -> onnx.ModelProto:
    """Parse a model that is complete in itself. ``name`` is what the user knows the file by.

    ``domains`` are those whose operators may be used; what is only declared does not matter. Raises ModelFileBad.
    Reasons: ``unreadable``, ``too_large``, ``not_onnx``, ``damaged``, ``too_new``, ``external_data``,
    ``custom_operators``, ``unsafe`` (graphs in graphs in graphs).
    """
    content = source if isinstance(source, bytes) else _read(source, name, maximum_bytes)
    if len(content) > maximum_bytes:
        raise ModelFileBad(f"more than {maximum_bytes} bytes", file=name, reason="too_large")
    # every writer puts the version first: without it this was never a model
    broken = "damaged" if content.startswith(b"\x08") else "not_onnx"
    try:
        _check_size_in_memory(content, name)
        model: onnx.ModelProto = onnx.ModelProto.FromString(content)
        if not model.graph.node:
            raise ModelFileBad("no nodes", file=name, reason="not_onnx")
        _check_versions(model, name)
        _check_graphs(model, name, domains)
    except (DecodeError, UnicodeDecodeError, _WireBroken) as problem:
        raise ModelFileBad(str(problem), file=name, reason=broken) from problem
    return model


def check_contract(
    model: onnx.ModelProto, inputs: Mapping[str, TensorContract], outputs: Mapping[str, TensorContract], file: str
) -> None:
    """Hold a model against the inputs and outputs it must have; dynamic sizes match any. More outputs are welcome.

    Raises ModelFileBad, reason ``wrong_contract``; the detail names the first difference.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    # models of before IR version 4 list their weights as inputs
    given = [value for value in model.graph.input if value.name not in weights]
    for value in given:
        if value.name not in inputs:
            raise ModelFileBad(f"an input {value.name[:100]!r} too many", file=file, reason="wrong_contract")
    for kind, values, wanted in (("input", given, inputs), ("output", model.graph.output, outputs)):
        by_name = {value.name: value for value in values}
        for name, contract in wanted.items():
            difference = _difference(by_name[name], contract) if name in by_name else "is not there"
            if difference:
                raise ModelFileBad(f"{kind} {name} {difference}", file=file, reason="wrong_contract")


def float_array(tensor: onnx.TensorProto, file: str) -> NDArray[np.float32]:
    """The finite numbers of a float tensor as float32. Raises ModelFileBad (``damaged`` or ``not_weights``)."""
    dtype = _FLOAT_TYPES.get(tensor.data_type)
    _check_tensor(tensor, file)
    if dtype is None:
        raise ModelFileBad(f"{tensor.name[:100]!r}: type {tensor.data_type}", file=file, reason="not_weights")
    count = math.prod(tensor.dims) if min(tensor.dims, default=1) > 0 else 0
    numbers = max(len(tensor.float_data), len(tensor.int32_data), len(tensor.double_data))
    held = len(tensor.raw_data) // dtype.itemsize if tensor.HasField("raw_data") else numbers
    if not count or count != held:
        raise ModelFileBad(f"{tensor.name[:100]!r}: {held} values for {count}", file=file, reason="damaged")
    try:
        with np.errstate(over="ignore"):
            values = np.array(onnx.numpy_helper.to_array(tensor), np.float32, order="C")
    except (ValueError, TypeError) as problem:
        raise ModelFileBad(f"{tensor.name[:100]!r}: {problem}", file=file, reason="damaged") from problem
    if not np.isfinite(values).all():
        raise ModelFileBad(f"{tensor.name[:100]!r}: not finite", file=file, reason="damaged")
    return values


def _read(path: Path, name: str, maximum_bytes: int) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileBad(f"{path}: not a file", file=name, reason="unreadable")
        if status.st_size > maximum_bytes:
            raise ModelFileBad(f"{status.st_size} bytes", file=name, reason="too_large")
        with path.open("rb") as opened:
            # never with the limit: Python would reserve that much at once
            return opened.read(status.st_size)
    except (OSError, ValueError) as problem:
        raise ModelFileBad(f"{path}: {problem}", file=name, reason="unreadable") from problem


# -- bytes ------------------------------------------------------------------------------------------------------------


class _WireBroken(Exception):
    """The bytes are no protobuf message."""


@cache
def _messages_in(descriptor: Any) -> dict[int, Any]:
    """The fields of a kind of message that hold messages, by number."""
    return {field.number: field.message_type for field in descriptor.fields if field.message_type is not None}


def _check_size_in_memory(content: bytes, file: str) -> None:
    """Count what the parser would make, without making it."""
    fields = messages = at = 0
    inside: list[tuple[int, dict[int, Any]]] = [(len(content), _messages_in(onnx.ModelProto.DESCRIPTOR))]
    while inside:
        end, known = inside[-1]
        if at == end:
            inside.pop()
            continue
        key, at = _variable_length(content, at)
        fields += 1
        match key & 7:
            case 0:
                _, at = _variable_length(content, at)
            case 1:
                at += 8
            case 5:
                at += 4
            case 2:
                size, at = _variable_length(content, at)
                child = known.get(key >> 3)
                if child is None:
                    at += size
                elif at + size <= end:
                    messages += 1
                    inside.append((at + size, _messages_in(child)))
                else:
                    raise _WireBroken("a message is cut off")
            case other:
                raise _WireBroken(f"wire type {other}")
        if at > end:
            raise _WireBroken("a field is cut off")
        if fields > _MAXIMUM_FIELDS or messages > _MAXIMUM_MESSAGES:
            raise ModelFileBad("more parts than any network has", file=file, reason="too_large")


def _variable_length(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise _WireBroken("a number is cut off")


# -- model ------------------------------------------------------------------------------------------------------------


def _check_versions(model: onnx.ModelProto, file: str) -> None:
    opsets = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if model.ir_version < 1 or not opsets or min(opsets) < 1:
        raise ModelFileBad("it does not tell its version", file=file, reason="damaged")
    if model.ir_version > MAXIMUM_IR_VERSION or max(opsets) > MAXIMUM_OPSET:
        detail = f"IR version {model.ir_version}, opset {max(opsets)}"
        raise ModelFileBad(detail, file=file, reason="too_new")


def _check_graphs(model: onnx.ModelProto, file: str, domains: AbstractSet[str]) -> None:
    waiting: list[tuple[Any, int]] = [(model.graph, 1), *((function, 1) for function in model.functions)]
    for training in model.training_info:
        waiting += [(training.initialization, 1), (training.algorithm, 1)]
    used = [function.domain for function in model.functions]
    while waiting:
        graph, depth = waiting.pop()
        if depth > _MAXIMUM_NESTING:
            raise ModelFileBad("graphs in graphs", file=file, reason="unsafe")
        used += (node.domain for node in graph.node)
        attributes = [attribute for node in graph.node for attribute in node.attribute]
        if isinstance(graph, onnx.FunctionProto):
            attributes += graph.attribute_proto
        else:
            _check_tensors(graph.initializer, graph.sparse_initializer, file)
        for attribute in attributes:
            # a field that is not set reads as an empty message, which has nothing to find
            _check_tensors(
                [attribute.t, *attribute.tensors], [attribute.sparse_tensor, *attribute.sparse_tensors], file
            )
            if attribute.HasField("g"):
                waiting.append((attribute.g, depth + 1))
            waiting += ((part, depth + 1) for part in attribute.graphs)
    foreign = sorted(set(used) - domains)
    if foreign:
        raise ModelFileBad(f"operators of {foreign[0][:100]!r}", file=file, reason="custom_operators")


def _check_tensors(tensors: Iterable[onnx.TensorProto], sparse: Iterable[onnx.SparseTensorProto], file: str) -> None:
    for tensor in tensors:
        _check_tensor(tensor, file)
    for pair in sparse:
        _check_tensor(pair.values, file)
        _check_tensor(pair.indices, file)


def _check_tensor(tensor: onnx.TensorProto, file: str) -> None:
    if tensor.data_location != onnx.TensorProto.DEFAULT or tensor.external_data:
        raise ModelFileBad(f"{tensor.name[:100]!r} lies elsewhere", file=file, reason="external_data")


def _difference(value: onnx.ValueInfoProto, contract: TensorContract) -> str:
    dtype, shape = contract
    tensor = value.type.tensor_type
    if tensor.elem_type != onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)):
        return f"is of type {tensor.elem_type}, not {np.dtype(dtype)}"
    if shape is None or not tensor.HasField("shape"):
        return ""
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim]
    fits = len(sizes) == len(shape) and all(
        None in (size, wanted) or size == wanted for size, wanted in zip(sizes, shape, strict=True)
    )
    return "" if fits else f"is {sizes}, not {list(shape)}"
