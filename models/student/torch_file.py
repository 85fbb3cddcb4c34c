"""PyTorch's ``.pt`` files without PyTorch: weights by name, and nothing of the file is ever executed.

A file is a zip archive with ``<prefix>/data.pkl``, which describes the tensors, and ``<prefix>/data/<key>``, the bytes
of the arrays they are views of. Files of PyTorch before 1.6 (a bare pickle) are refused.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.wire.errors import ModelFileBad

from .torch_pickle import read_tensors
from .torch_reference import MAXIMUM_ELEMENTS, StorageReference, TensorReference
from .torch_zip import MAXIMUM_BYTES, TorchArchive

_DESCRIPTION = b"/data.pkl"


def read_state_dict(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors of a file by name: finite, float32, C-contiguous, whatever device they were saved from.

    Raises ModelFileBad and nothing else. Reasons: ``unreadable``, ``not_a_torch_file``, ``damaged`` (cut off, wrong
    checksums, values that are not finite), ``unsafe`` (it asks for more than weights), ``too_large``, ``not_weights``.
    """
    file = path.name
    archive = TorchArchive(_read(path), file)
    descriptions = [name for name in archive.names if name.endswith(_DESCRIPTION)]
    if len(descriptions) != 1:
        raise ModelFileBad(f"{len(descriptions)} descriptions", file=file, reason="not_a_torch_file")
    folder = descriptions[0].removesuffix(_DESCRIPTION) + b"/"
    if folder + b"byteorder" in archive.names and bytes(archive.read(folder + b"byteorder")) != b"little":
        raise ModelFileBad("not little-endian", file=file, reason="not_weights")
    tensors = read_tensors(archive.read(descriptions[0]), file)
    total = sum(int(np.prod(tensor.shape, dtype=object)) for tensor in tensors.values())
    if total > MAXIMUM_ELEMENTS:
        raise ModelFileBad(f"{total} elements", file=file, reason="too_large")
    return {name: _array(archive, folder, name, tensor, file) for name, tensor in tensors.items()}


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileBad("not a file", file=path.name, reason="unreadable")
        if status.st_size > MAXIMUM_BYTES:
            raise ModelFileBad(f"{status.st_size} bytes", file=path.name, reason="too_large")
        with path.open("rb") as opened:
            # never with the limit: Python would reserve that much at once
            return opened.read(status.st_size)
    except (OSError, ValueError) as problem:
        raise ModelFileBad(str(problem), file=path.name, reason="unreadable") from problem


def _array(archive: TorchArchive, folder: bytes, name: str, tensor: TensorReference, file: str) -> NDArray[np.float32]:
    storage = _storage(archive.read(folder + b"data/" + tensor.storage.key.encode()), tensor.storage, file)
    # a dimension of one may claim any stride, which numpy could not hold
    steps = zip(tensor.shape, tensor.strides, strict=True)
    strides = tuple(stride * storage.itemsize if size > 1 else 0 for size, stride in steps)
    # the reference was checked to lie within the storage, and the storage to have that many elements
    view = np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides, writeable=False)
    with np.errstate(over="ignore"):
        values = np.array(view, np.float32, order="C")
    if not np.isfinite(values).all():
        raise ModelFileBad(f"{name[:100]!r}: values that are not finite", file=file, reason="damaged")
    return values


def _storage(content: memoryview, reference: StorageReference, file: str) -> NDArray[np.floating[Any]]:
    is_brain_float = reference.dtype == "bfloat16"
    dtype = np.dtype("<u2" if is_brain_float else reference.dtype).newbyteorder("<")
    if len(content) != reference.count * dtype.itemsize:
        detail = f"{len(content)} bytes for {reference.count} elements of {reference.dtype}"
        raise ModelFileBad(detail, file=file, reason="damaged")
    values = np.frombuffer(content, dtype)
    # bfloat16 is the upper half of a float32
    return (values.astype(np.uint32) << 16).view(np.float32) if is_brain_float else values
