"""Sessions of the C library: made as settings say, and asked what they take and give."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from accel.base import TensorSpec

from ..options import CPU_NAME
from ..settings import FATAL, PROVIDERS, Provider, SessionSettings
from ..tensors import tensor_spec
from .api import TEXT, Api, Function, counted, listed, made, text_at
from .handle import Handle
from .tensors import type_and_shape

_TYPE_NAMES = {
    1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "double", 12: "uint32", 13: "uint64", 16: "bfloat16",
}  # fmt: skip
"""``ONNXTensorElementDataType``, as ONNX Runtime's Python module calls them."""
_SUFFIX = "ExecutionProvider"
_SHORT_NAMES = {"DmlExecutionProvider": "DML"}
"""What the C API calls providers that it knows by another name than ONNX Runtime's lists do."""
_SEQUENTIAL = 0


class NativeSession:
    """An ``OrtSession``."""

    def __init__(self, api: Api, environment: int, content: bytes, settings: SessionSettings) -> None:
        """Other threads go on meanwhile. Raises OrtError."""
        self.api = api
        options = _session_options(api, settings)
        pointer = made(api.create_session, environment, content, len(content), options.pointer)
        self.handle = Handle(pointer, api.release_session)
        options.close()

    def specs(self) -> tuple[dict[str, TensorSpec], dict[str, TensorSpec]]:
        """Inputs and outputs by name. Raises OrtError, ValueError for a type that we do not handle."""
        api = self.api
        inputs = self._specs(api.input_count, api.input_name, api.input_type)
        return inputs, self._specs(api.output_count, api.output_name, api.output_type)

    def operators_of(self, provider: str) -> set[str]:
        """Operators that a provider of that name got, where the settings had nodes listed. Raises OrtError."""
        api = self.api
        graphs = listed(api.assigned_graphs, self.handle.pointer)
        mine = [graph for graph in graphs if text_at(made(api.assigned_provider, graph)) == provider]
        nodes = [node for graph in mine for node in listed(api.assigned_nodes, graph)]
        return {text_at(made(api.assigned_operator, node)) for node in nodes}

    def _specs(self, count: Function, name: Function, kind: Function) -> dict[str, TensorSpec]:
        session = self.handle.pointer
        found = {}
        for index in range(counted(count, session)):
            spec = self._spec(self._name(name, index), kind, index)
            found[spec.name] = spec
        return found

    def _name(self, name: Function, index: int) -> str:
        api, allocator = self.api, made(self.api.default_allocator)
        address = made(name, self.handle.pointer, index, allocator)
        text = text_at(address)
        api.free(allocator, address)
        return text

    def _spec(self, name: str, kind: Function, index: int) -> TensorSpec:
        described = Handle(made(kind, self.handle.pointer, index), self.api.release_type)
        element, shape = type_and_shape(self.api, described.pointer)
        described.close()
        return tensor_spec(name, f"tensor({_TYPE_NAMES.get(element, 'unknown')})", shape)


def names_of(specs: dict[str, TensorSpec]) -> tuple[list[bytes], ctypes.Array[ctypes.c_char_p]]:
    """Names as the C API wants them, one by one and as a list."""
    encoded = [name.encode("utf-8") for name in specs]
    return encoded, texts(encoded)


def texts(encoded: Sequence[bytes]) -> ctypes.Array[ctypes.c_char_p]:
    """A list of texts as the C API wants it."""
    return (TEXT * len(encoded))(*encoded)


def _session_options(api: Api, settings: SessionSettings) -> Handle:
    handle = Handle(made(api.create_session_options), api.release_session_options)
    options = handle.pointer
    api.set_log_severity(options, FATAL)
    api.set_inter_op_threads(options, 1)
    api.set_intra_op_threads(options, settings.threads)
    api.set_execution_mode(options, _SEQUENTIAL)
    if not settings.memory_pattern:
        api.disable_memory_pattern(options)
    for key, value in settings.entries.items():
        api.add_config_entry(options, key.encode(), value.encode())
    for provider in settings.providers:
        _append(api, options, provider)
    return handle


def _append(api: Api, options: int, provider: Provider) -> None:
    name, given = provider
    if name == PROVIDERS[CPU_NAME]:
        return  # is always there, as the last
    short = _SHORT_NAMES.get(name, name.removesuffix(_SUFFIX))
    keys, values = texts([key.encode() for key in given]), texts([value.encode() for value in given.values()])
    api.append_provider(options, short.encode(), keys, values, len(given))
