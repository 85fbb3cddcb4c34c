"""PyTorch's files, written as ``torch.save`` does, from their layout and from nothing of ours.

The pickle is put together from opcodes, so that it can also say what PyTorch never would.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "float64": "DoubleStorage", "int64": "LongStorage"}
_ALIGNMENT = 64

# -- pickle -----------------------------------------------------------------------------------------------------------

EMPTY_DICT, NONE, TRUE, FALSE, REDUCE, BUILD, STOP = b"}", b"N", b"\x88", b"\x89", b"R", b"b", b"."


def text(value: str) -> bytes:
    """A string."""
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value: int) -> bytes:
    """A whole number, in the shortest way."""
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if 0 <= value < 65536:
        return b"M" + struct.pack("<H", value)
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    encoded = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(encoded)]) + encoded


def tuple_of(*parts: bytes) -> bytes:
    """A tuple of what these make."""
    return b"(" + b"".join(parts) + b"t"


def numbers(values: Iterable[int]) -> bytes:
    """A tuple of whole numbers."""
    return tuple_of(*(number(value) for value in values))


def named(module: str, name: str) -> bytes:
    """Something of a module."""
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def call(function: bytes, *arguments: bytes) -> bytes:
    """What a function gives."""
    return function + tuple_of(*arguments) + REDUCE


ORDERED_DICT = call(named("collections", "OrderedDict"))
REBUILD = named("torch._utils", "_rebuild_tensor_v2")


def storage(kind: str, key: str, count: int, device: str = "cuda:0") -> bytes:
    """A reference to an entry ``data/<key>``."""
    return tuple_of(text("storage"), named("torch", kind), text(key), text(device), number(count)) + b"Q"


def tensor(
    storage_: bytes, shape: Iterable[int], strides: Iterable[int], offset: int = 0, parameter: bool = False
) -> bytes:
    """A view into a storage, perhaps as a module's parameter."""
    made = call(REBUILD, storage_, number(offset), numbers(shape), numbers(strides), FALSE, ORDERED_DICT)
    return call(named("torch._utils", "_rebuild_parameter"), made, TRUE, ORDERED_DICT) if parameter else made


def dictionary(items: Mapping[str, bytes], into: bytes = ORDERED_DICT) -> bytes:
    """Values by name, in an OrderedDict unless told otherwise."""
    return into + b"(" + b"".join(text(name) + value for name, value in items.items()) + b"u"


def program(body: bytes, protocol: int = 2) -> bytes:
    """A whole pickle."""
    return b"\x80" + bytes([protocol]) + body + STOP


# -- archive ----------------------------------------------------------------------------------------------------------


def archive(
    entries: Iterable[tuple[str, bytes]],
    prefix: str = "archive",
    deflate: bool = False,
    announced: Mapping[str, int] | None = None,
) -> bytes:
    """A zip file as PyTorch writes it: contents on multiples of 64 bytes, sizes behind them, 64-bit end records too.

    ``announced`` gives other sizes than the true ones in the directory.
    """
    body, directory, count = bytearray(), bytearray(), 0
    for name, content in entries:
        encoded = f"{prefix}/{name}".encode()
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(content) + packer.flush() if deflate else content
        padding = -(len(body) + 30 + len(encoded) + 4) % _ALIGNMENT
        method, checksum = 8 if deflate else 0, zlib.crc32(content)
        at = len(body)
        body += struct.pack("<4s5H3L2H", b"PK\x03\x04", 0, 0x808, method, 0, 0, 0, 0, 0, len(encoded), padding + 4)
        body += encoded + b"FB" + struct.pack("<H", padding) + b"Z" * padding + packed
        body += struct.pack("<4s3L", b"PK\x07\x08", checksum, len(packed), len(content))
        size = (announced or {}).get(name, len(content))
        directory += struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02", 0, 0, 0x808, method, 0, 0, checksum, len(packed), size, len(encoded), 0, 0, 0, 0, 0, at,
        )  # fmt: skip
        directory += encoded
        count += 1
    start, size, end = len(body), len(directory), len(body) + len(directory)
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 0x31E, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    return bytes(body + directory + end_64 + locator) + struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, min(count, 0xFFFF), min(count, 0xFFFF), size, start, 0
    )


def file_of(pickle: bytes, storages: Mapping[str, bytes] | None = None, **options: Any) -> bytes:
    """A file with this description and these storages."""
    contents = [(f"data/{key}", content) for key, content in (storages or {}).items()]
    return archive([("data.pkl", pickle), ("byteorder", b"little"), *contents, ("version", b"3\n")], **options)


def torch_file(arrays: Mapping[str, Array], parameter: bool = False, **options: Any) -> bytes:
    """A state_dict of arrays, each with a storage of its own; views into larger arrays are saved as such."""
    keys = itertools.count()
    items, storages = {}, {}
    metadata = dictionary({"version": number(1)}, EMPTY_DICT)
    for name, array in arrays.items():
        base = np.ascontiguousarray(array) if array.base is None else array.base
        flat = np.ascontiguousarray(base).reshape(-1)
        offset = (array.ctypes.data - base.ctypes.data) // array.itemsize if base is array.base else 0
        strides = [stride // array.itemsize for stride in array.strides]
        key = str(next(keys))
        storages[key] = flat.tobytes()
        items[name] = tensor(
            storage(STORAGES[str(array.dtype)], key, flat.size), array.shape, strides, offset, parameter
        )
    hung_on = dictionary({"_metadata": dictionary({"": metadata})}, EMPTY_DICT) + BUILD
    return file_of(program(dictionary(items) + hung_on), storages, **options)
