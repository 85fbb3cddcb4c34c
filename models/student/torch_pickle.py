"""The description inside PyTorch's files: a pickle, read by an interpreter that knows data and nothing else.

A pickle is a program for a small stack machine, and Python's own machine lets it import and call whatever it names.
This one knows the opcodes that ``torch.save`` needs for tensors by name (protocols 2 to 5), holds names against a table
of seven, and makes references to bytes of the archive out of them. Nothing is ever imported or called for a file.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from typing import Any

from core.wire.errors import ModelFileBad

from .torch_reference import MAXIMUM_ELEMENTS, STORAGE_TYPES, OutOfBounds, StorageReference, TensorReference

MAXIMUM_PICKLE_BYTES = 4 << 20
MAXIMUM_TENSORS = 1000
_MAXIMUM_KEPT = 1 << 16
"""Values on the stack, and in the memo."""
_MAXIMUM_STEPS = 1 << 18
"""Opcodes; a tensor takes about fifty."""
_MAXIMUM_INTEGER_BYTES = 8

_OPCODES = {opcode.code.encode("latin-1"): opcode.name for opcode in pickletools.opcodes}

_OTHER_STORAGES = frozenset(
    f"{kind}Storage"
    for kind in ("Long", "Int", "Short", "Char", "Byte", "Bool", "ComplexFloat", "ComplexDouble", "Untyped")
)


@dataclass(frozen=True, slots=True)
class _Name:
    """Something of a module that the pickle named. Never looked up anywhere."""

    module: str
    name: str


_ORDERED_DICT = _Name("collections", "OrderedDict")
_REBUILD_TENSOR = _Name("torch._utils", "_rebuild_tensor_v2")
_REBUILD_PARAMETER = _Name("torch._utils", "_rebuild_parameter")
_STORAGES = {_Name("torch", name): dtype for name, dtype in STORAGE_TYPES.items()}
_NAMES = {_ORDERED_DICT, _REBUILD_TENSOR, _REBUILD_PARAMETER, *_STORAGES}


def read_tensors(content: bytes | memoryview, file: str) -> dict[str, TensorReference]:
    """The tensors by name that a ``data.pkl`` describes. Raises ModelFileBad.

    Reasons: ``too_large``, ``unsafe`` (it wants more than data), ``damaged``, ``not_weights`` (data, but not that).
    """
    if len(content) > MAXIMUM_PICKLE_BYTES:
        raise ModelFileBad(f"a pickle of {len(content)} bytes", file=file, reason="too_large")
    found = _Interpreter(bytes(content), file).run()
    if not isinstance(found, dict) or not found:
        raise ModelFileBad("no tensors by name", file=file, reason="not_weights")
    tensors = {name: value for name, value in found.items() if isinstance(value, TensorReference)}
    if len(tensors) != len(found):
        raise ModelFileBad("something beside tensors", file=file, reason="not_weights")
    return tensors


class _Interpreter:
    def __init__(self, content: bytes, file: str) -> None:
        self._content, self._file = content, file
        self._at = 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._tensor_count = 0

    def run(self) -> object:
        for _ in range(_MAXIMUM_STEPS):
            opcode = self._next_opcode()
            if opcode == "STOP":
                return self._result()
            self._step(opcode)
            if max(len(self._stack), len(self._marks), len(self._memo)) > _MAXIMUM_KEPT:
                raise self._bad("more values than weights need", "unsafe")
        raise self._bad("more steps than weights need", "unsafe")

    def _result(self) -> object:
        result = self._pop()
        if self._stack or self._marks or self._at != len(self._content):
            raise self._bad("more than one value", "damaged")
        return result

    def _next_opcode(self) -> str:
        code = self._take(1)
        opcode = _OPCODES.get(code)
        if opcode is None:
            raise self._bad(f"no opcode {code!r}", "damaged")
        return opcode

    def _step(self, opcode: str) -> None:
        match opcode:
            case "PROTO":
                if not 2 <= self._number(1) <= 5:
                    raise self._bad("another protocol", "damaged")
            case "FRAME":
                self._take(8)
            case "NONE":
                self._stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                self._stack.append(opcode == "NEWTRUE")
            case "BININT1" | "BININT2":
                self._stack.append(self._number(int(opcode[-1])))
            case "BININT":
                self._stack.append(self._number(4, signed=True))
            case "LONG1":
                size = self._number(1)
                if size > _MAXIMUM_INTEGER_BYTES:
                    raise self._bad(f"a number of {size} bytes", "unsafe")
                self._stack.append(self._number(size, signed=True))
            case "BINFLOAT":
                # learning rates and the like in training checkpoints; its value is of no use here
                self._take(8)
                self._stack.append(0.0)
            case "SHORT_BINUNICODE" | "BINUNICODE":
                self._stack.append(self._text(self._take(self._number(4 if opcode == "BINUNICODE" else 1))))
            case "MARK":
                self._marks.append(len(self._stack))
            case "EMPTY_TUPLE":
                self._stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self._stack.append(tuple(reversed([self._pop() for _ in range(int(opcode[-1]))])))
            case "TUPLE":
                self._stack.append(tuple(self._pop_to_mark()))
            case "EMPTY_LIST":
                self._stack.append([])
            case "APPEND" | "APPENDS":
                self._append([self._pop()] if opcode == "APPEND" else self._pop_to_mark())
            case "EMPTY_DICT":
                self._stack.append({})
            case "SETITEM" | "SETITEMS":
                self._set_items([self._pop(), self._pop()][::-1] if opcode == "SETITEM" else self._pop_to_mark())
            case "BINPUT" | "LONG_BINPUT":
                self._memo[self._number(1 if opcode == "BINPUT" else 4)] = self._top()
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._top()
            case "BINGET" | "LONG_BINGET":
                self._recall(self._number(1 if opcode == "BINGET" else 4))
            case "GLOBAL":
                module = self._text(self._line())
                self._push_name(module, self._text(self._line()))
            case "STACK_GLOBAL":
                name, module = self._pop(), self._pop()
                self._push_name(module, name)
            case "BINPERSID":
                self._stack.append(self._storage(self._pop()))
            case "REDUCE":
                arguments, called = self._pop(), self._pop()
                self._stack.append(self._reduce(called, arguments))
            case "BUILD":
                # the layers' version numbers, which PyTorch hangs on the dictionary
                if not isinstance(self._pop(), dict) or not isinstance(self._top(), dict):
                    raise self._bad("BUILD", "unsafe")
            case _:
                raise self._bad(opcode, "unsafe")

    # -- bytes --------------------------------------------------------------------------------------------------------

    def _take(self, size: int) -> bytes:
        taken = self._content[self._at : self._at + size]
        if len(taken) != size:
            raise self._bad("it ends too early", "damaged")
        self._at += size
        return taken

    def _number(self, size: int, signed: bool = False) -> int:
        return int.from_bytes(self._take(size), "little", signed=signed)

    def _line(self) -> bytes:
        end = self._content.find(b"\n", self._at)
        if end < 0:
            raise self._bad("a line without end", "damaged")
        return self._take(end + 1 - self._at)[:-1]

    def _text(self, content: bytes) -> str:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise self._bad("no text", "damaged") from problem

    # -- stack --------------------------------------------------------------------------------------------------------

    def _top(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise self._bad("a value is missing", "damaged")
        return self._stack[-1]

    def _pop(self) -> Any:
        value = self._top()
        del self._stack[-1]
        return value

    def _pop_to_mark(self) -> list[Any]:
        if not self._marks:
            raise self._bad("a mark is missing", "damaged")
        mark = self._marks.pop()
        values = self._stack[mark:]
        del self._stack[mark:]
        return values

    def _append(self, values: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise self._bad("no list", "damaged")
        target += values

    def _set_items(self, values: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, dict) or len(values) % 2:
            raise self._bad("no dictionary", "damaged")
        for key, value in zip(values[::2], values[1::2], strict=True):
            # nothing else is hashed: deep tuples would overflow Python's own stack
            if not isinstance(key, str):
                raise self._bad("a key that is no text", "not_weights")
            target[key] = value

    def _recall(self, number: int) -> None:
        if number not in self._memo:
            raise self._bad("nothing to recall", "damaged")
        self._stack.append(self._memo[number])

    # -- what it may name ---------------------------------------------------------------------------------------------

    def _push_name(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise self._bad("a name that is no text", "damaged")
        if module == "torch" and name in _OTHER_STORAGES:
            raise self._bad(f"numbers of another kind: {name}", "not_weights")
        named = _Name(module, name)
        if named not in _NAMES:
            raise self._bad(f"it asks for {module[:100]!r} {name[:100]!r}", "unsafe")
        self._stack.append(named)

    def _storage(self, identity: object) -> StorageReference:
        match identity:
            case ("storage", _Name() as kind, str() as key, str(), int() as count) if kind in _STORAGES:
                if count > MAXIMUM_ELEMENTS:
                    raise self._bad(f"a storage of {count} elements", "too_large")
                return StorageReference(key, _STORAGES[kind], count)
        raise self._bad("no storage", "damaged")

    def _reduce(self, called: object, arguments: object) -> object:
        if not isinstance(called, _Name) or not isinstance(arguments, tuple):
            raise self._bad("a call of something that cannot be called", "unsafe")
        if called == _ORDERED_DICT and not arguments:
            return {}
        if called == _REBUILD_PARAMETER and len(arguments) == 3 and isinstance(arguments[0], TensorReference):
            return arguments[0]
        if called == _REBUILD_TENSOR and 6 <= len(arguments) <= 7:
            return self._tensor(*arguments[:4])
        raise self._bad(f"{called.name} with {len(arguments)} arguments", "unsafe")

    def _tensor(self, storage: object, offset: object, shape: object, strides: object) -> TensorReference:
        self._tensor_count += 1
        if self._tensor_count > MAXIMUM_TENSORS:
            raise self._bad(f"more than {MAXIMUM_TENSORS} tensors", "too_large")
        if not isinstance(storage, StorageReference) or not _is_whole(offset) or not _are_whole(shape, strides):
            raise self._bad("no tensor", "damaged")
        made = TensorReference(storage, offset, shape, strides)  # type: ignore[arg-type]
        try:
            made.check_bounds()
        except OutOfBounds as problem:
            raise self._bad(str(problem), problem.reason) from problem
        return made

    def _bad(self, detail: str, reason: str) -> ModelFileBad:
        return ModelFileBad(f"pickle at byte {self._at}: {detail}", file=self._file, reason=reason)


def _is_whole(value: object) -> bool:
    return type(value) is int


def _are_whole(*values: object) -> bool:
    return all(isinstance(value, tuple) and all(_is_whole(item) for item in value) for value in values)
