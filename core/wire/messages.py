"""The control pipe's language: one JSON object per line, UTF-8, at most 64 kB.

The worker speaks first (``hello``), OBS answers ``configure``. Later OBS sends ``set``, ``action``, ``clock`` and
``stop``; the worker sends ``reply`` (to every message with an id), ``state``, ``heartbeat``, ``stats``, ``progress``,
``error``, ``cleared`` and ``frame``. Unknown fields are ignored, so that a newer peer may add some; unknown types raise
:class:`MessageUnknown`, which the receiver answers with an error.
"""

from __future__ import annotations

import json
import math
from typing import Any, Dict, List, Mapping, NamedTuple, NoReturn, Tuple, Type, Union

from .errors import MessageMalformed, MessageUnknown

MAXIMUM_LINE_BYTES = 64 * 1024

_Kind = Union[Type[Any], Tuple[Type[Any], ...]]

NUMBER = (int, float)

FROM_WORKER: Dict[str, Dict[str, _Kind]] = {
    "hello": {"protocol": int, "version": str, "pid": int, "capabilities": dict},
    "heartbeat": {"stage": str, "frames": int},
    "stats": {"figures": dict},
    "state": {"stage": str},
    "progress": {"task": str, "fraction": NUMBER},
    "error": {"where": str, "code": str},
    "cleared": {"where": str},
    "frame": {"sequence": int},
    "reply": {"id": int, "ok": bool},
}
"""Messages the worker may send, with the fields that must be there and their types."""

FROM_OBS: Dict[str, Dict[str, _Kind]] = {
    "configure": {"settings": dict, "rung": str},
    "set": {"id": int, "settings": dict},
    "action": {"id": int, "name": str},
    "clock": {"tick_ns": int, "interval_ns": int},
    "stop": {"id": int},
}
"""Messages OBS may send, with the fields that must be there and their types."""

STAGES = ("starting", "warming", "running", "stopping")
"""What a worker can be busy with; only ``running`` is held to the stall limit of an ordinary heartbeat."""


class Message(NamedTuple):
    """One decoded line."""

    type: str
    fields: Dict[str, Any]


def encode(type_: str, **fields: Any) -> bytes:
    """One line, newline included. Raises MessageMalformed when it would be too long or is not JSON."""
    try:
        text = json.dumps({"type": type_, **fields}, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise MessageMalformed(f"{type_}: {problem}", reason="not JSON") from problem
    line = text.encode("utf-8", "replace") + b"\n"
    if len(line) > MAXIMUM_LINE_BYTES:
        raise MessageMalformed(f"{type_}: {len(line)} bytes", reason="too long")
    return line


def decode(line: bytes, expected: Mapping[str, Mapping[str, _Kind]]) -> Message:
    """Read one line against ``FROM_WORKER`` or ``FROM_OBS``. Raises only ProtocolErrors."""
    if len(line) > MAXIMUM_LINE_BYTES:
        raise MessageMalformed(f"{len(line)} bytes", reason="too long")
    try:
        fields = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as problem:
        raise MessageMalformed(str(problem)[:200], reason="not JSON") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise MessageMalformed("no type field", reason="not a message")
    type_ = fields.pop("type")
    needed = expected.get(type_)
    if needed is None:
        raise MessageUnknown(type=type_[:64])
    for name, kind in needed.items():
        value = fields.get(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise MessageMalformed(f"{type_}.{name} is {type(value).__name__}", reason=f"field {name}")
    return Message(type_, fields)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value


class LineSplitter:
    """Cuts a byte stream into lines and never holds more than one line's limit.

    A longer line is thrown away up to its newline and counted in ``overlong``.
    """

    def __init__(self) -> None:
        self._pending = b""
        self._skipping = False
        self.overlong = 0

    def feed(self, chunk: bytes) -> List[bytes]:
        """The complete lines (without newline, empty ones left out) that this chunk finishes."""
        lines: List[bytes] = []
        *complete, self._pending = (self._pending + chunk).split(b"\n")
        for line in complete:
            if self._skipping or len(line) > MAXIMUM_LINE_BYTES:
                self.overlong += 1
                self._skipping = False
            elif line.strip():
                lines.append(line)
        if len(self._pending) > MAXIMUM_LINE_BYTES:
            self._pending, self._skipping = b"", True
        return lines
