"""Finding RIFE's networks in the folder of weights and checking each against its contract, without any runtime.

Preferred is the plain network as one file for every factor, ``rife/ifnet_fp32.onnx`` or ``rife/ifnet_fp16.onnx``:
inputs ``img0``, ``img1`` float [n, 3, h, w], R, G, B, 0..1, and ``timestep`` float [n, 1, 1, 1], 0..1; one output
[n, 3, h, w], R, G, B, 0..1. Sizes are left open, or n is 1 and h and w are 512.

Taken too are EasyVtuber's ``rife/rife_<x2|x3|x4>_<fp32|fp16>.onnx``: inputs ``tha_img_0``, ``tha_img_1`` uint8,
512 x 512 BGRA with straight alpha, to one output [factor, 512, 512, 4], or (its first package) to as many outputs as
the factor says. The last picture is ``tha_img_1`` itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from accel.base import FULL, HALF, PRECISIONS
from core.wire.errors import ModelFileBad, ModelMissing
from core.wire.folders import model_weights
from models.safe_onnx import load_onnx
from models.tha.graphs import OLDEST_OPSET, declared_tensors, opset

PLAIN, TILED = "plain", "tiled"
"""The network itself; EasyVtuber's files, which cut the picture into tiles and give all pictures at once."""
FACTORS = (2, 3, 4)
PICTURE_SIDE = 512
OLDER_IMAGE, NEWER_IMAGE, TIMESTEP = "img0", "img1", "timestep"
OLDER_BYTES, NEWER_BYTES = "tha_img_0", "tha_img_1"
_LAST_PICTURE = "tha_res"
_SUFFIXES = {FULL: "fp32", HALF: "fp16"}
_MAXIMUM_BYTES = 128 << 20
_MAXIMUM_NODES = 20_000
_OPEN = -1

Model: TypeAlias = Any
"""An ``onnx.ModelProto``."""
_Tensors: TypeAlias = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]
_Shape: TypeAlias = Sequence[int]
_FLOATS = (np.dtype(np.float32), np.dtype(np.float16))
_BYTES = (np.dtype(np.uint8),)


@dataclass(frozen=True, slots=True)
class RifeFile:
    """One network's file."""

    kind: str
    """``plain`` or ``tiled``."""
    path: Path
    relative: str
    """What people know it by: its path below the folder of weights, with slashes."""


def find_rife(precision: str, factor: int, folder: Path | None = None) -> RifeFile:
    """The file to take for ``factor`` - 1 pictures between two (factor 2..4); opens nothing.

    ``precision``: ``full`` or ``half``. ``folder``: the folder of weights, :func:`core.wire.folders.model_weights` if
    none is named. Raises ModelMissing, and ValueError for what does not exist.
    """
    files = _candidates(precision, factor, folder)
    for file in files:
        if file.path.is_file():
            return file
    names = [file.relative for file in files]
    raise ModelMissing(f"none of {', '.join(names)}", model=f"RIFE x{factor} {precision}", file=names[-1])


def rife_precisions(factor: int, folder: Path | None = None) -> tuple[str, ...]:
    """The precisions for which there is a file; opens nothing. Raises ValueError for a factor that does not exist."""
    return tuple(
        precision
        for precision in PRECISIONS
        if any(file.path.is_file() for file in _candidates(precision, factor, folder))
    )


def _candidates(precision: str, factor: int, folder: Path | None) -> list[RifeFile]:
    if precision not in PRECISIONS or factor not in FACTORS:
        raise ValueError(f"there is no RIFE x{factor} {precision}")
    weights = model_weights() if folder is None else folder
    # the plain network of full precision serves for half too: it is made to compute in float16 when it is loaded
    plain = [_SUFFIXES[precision], _SUFFIXES[FULL]] if precision == HALF else [_SUFFIXES[FULL]]
    named = [(PLAIN, f"rife/ifnet_{suffix}.onnx") for suffix in plain]
    named.append((TILED, f"rife/rife_x{factor}_{_SUFFIXES[precision]}.onnx"))
    return [RifeFile(kind, weights / relative, relative) for kind, relative in named]


def load_plain(file: RifeFile) -> Model:
    """A plain network, checked. Raises ModelFileBad."""
    model = _load(file)
    _refuse(file.relative, list(_plain_differences(model)))
    return model


def load_tiled(file: RifeFile, factor: int) -> tuple[Model, tuple[str, ...]]:
    """EasyVtuber's network for this factor, checked, and the names of its outputs in the order of their pictures, the
    newer picture last. Raises ModelFileBad."""
    model = _load(file)
    _refuse(file.relative, list(_tiled_differences(model, (factor,))))
    names = [value.name for value in model.graph.output]
    names.sort(key=lambda name: name == _LAST_PICTURE)
    return model, tuple(names)


def check_file(path: Path, kind: str) -> None:
    """Is a single file such a network (``plain``; ``tiled`` of any factor)? Raises ModelFileBad."""
    file = RifeFile(kind, path, path.name)
    model = _load(file)
    _refuse(path.name, list(_plain_differences(model) if kind == PLAIN else _tiled_differences(model, FACTORS)))


def _load(file: RifeFile) -> Model:
    model = load_onnx(file.path, file.relative, maximum_bytes=_MAXIMUM_BYTES)
    if len(model.graph.node) > _MAXIMUM_NODES:
        raise ModelFileBad(f"{len(model.graph.node)} nodes", file=file.relative, reason="too_large")
    if opset(model) < OLDEST_OPSET:
        _refuse(file.relative, [f"its operator set {opset(model)} is older than {OLDEST_OPSET}"])
    return model


def _refuse(file: str, differences: list[str]) -> None:
    if differences:
        raise ModelFileBad(f"{file}: {'; '.join(differences)}", file=file, reason="wrong_contract")


def _plain_differences(model: Model) -> Iterator[str]:
    inputs, outputs = declared_tensors(model)
    side = PICTURE_SIDE
    image = (1, 3, side, side)
    yield from _missing_or_more(inputs, (OLDER_IMAGE, NEWER_IMAGE, TIMESTEP))
    for name, shape in ((OLDER_IMAGE, image), (NEWER_IMAGE, image), (TIMESTEP, (1, 1, 1, 1))):
        if name in inputs:
            yield from _difference(f"input {name}", inputs[name], _FLOATS, [shape], (0, 2, 3))
    if len({inputs[name][1] for name in inputs}) > 1:
        yield "its inputs are of different types"
    if len(outputs) != 1:
        yield f"it has {len(outputs)} outputs instead of 1"
    for name, found in outputs.items():
        yield from _difference(f"output {name}", found, _FLOATS, [image], (0, 2, 3))
    if any(attribute.HasField("g") or attribute.graphs for node in model.graph.node for attribute in node.attribute):
        yield "it branches"


def _tiled_differences(model: Model, factors: Sequence[int]) -> Iterator[str]:
    inputs, outputs = declared_tensors(model)
    picture = (PICTURE_SIDE, PICTURE_SIDE, 4)
    single: list[_Shape] = [picture, (1, *picture)]
    yield from _missing_or_more(inputs, (OLDER_BYTES, NEWER_BYTES))
    for name in (OLDER_BYTES, NEWER_BYTES):
        if name in inputs:
            yield from _difference(f"input {name}", inputs[name], _BYTES, single, (0,))
    if len(outputs) == 1:
        shapes: list[_Shape] = [(factor, *picture) for factor in factors]
    elif len(outputs) in factors:
        shapes = single
    else:
        yield f"it has {len(outputs)} outputs instead of {' or '.join(str(count) for count in (1, *factors))}"
        return
    for name, found in outputs.items():
        yield from _difference(f"output {name}", found, _BYTES, shapes, (0,))


def _missing_or_more(found: _Tensors, wanted: Sequence[str]) -> Iterator[str]:
    yield from (f"input {name} is missing" for name in wanted if name not in found)
    yield from (f"input {name[:100]} is not expected" for name in found if name not in wanted)


def _difference(
    name: str,
    found: tuple[tuple[int, ...], np.dtype[Any]],
    types: Sequence[np.dtype[Any]],
    shapes: Sequence[_Shape],
    may_be_open: Sequence[int],
) -> Iterator[str]:
    """``may_be_open``: dimensions of four whose size a file may leave open."""
    shape, dtype = found
    if dtype in types and any(_fits(shape, wanted, may_be_open) for wanted in shapes):
        return
    wanted = " or ".join(f"{list(each)}" for each in shapes)
    described = [size if size >= 0 else "?" for size in shape]
    yield f"{name[:100]} is {dtype.name} {described} instead of {' or '.join(each.name for each in types)} {wanted}"


def _fits(shape: _Shape, wanted: _Shape, may_be_open: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(
        size == needed or (size == _OPEN and place in may_be_open and len(wanted) == 4)
        for place, (size, needed) in enumerate(zip(shape, wanted, strict=True))
    )
