"""Finding a variant's files and checking each against its contract, without any runtime."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from accel.base import PRECISIONS
from core.wire.errors import ModelFileBad, ModelMissing
from core.wire.folders import model_weights
from models.safe_onnx import load_onnx

from .contract import PRECISION_FOLDERS, VARIANTS, GraphContract, TensorContract, Variant
from .graphs import OLDEST_OPSET, declared_tensors, opset

_Tensors: TypeAlias = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]


@dataclass(frozen=True, slots=True)
class ThaFiles:
    """The five files of a variant in one precision (``full`` or ``half``) below ``weights``."""

    variant: Variant
    precision: str
    weights: Path

    @property
    def name(self) -> str:
        """For people: ``THA3 separable half``."""
        return " ".join(part for part in (self.variant.family.upper(), self.variant.name, self.precision) if part)

    def relative(self, graph: GraphContract) -> str:
        """A network's file below the folder of weights, with slashes: ``tha3/seperable/fp32/editor.onnx``."""
        return f"{self.variant.folder}/{PRECISION_FOLDERS[self.precision]}/{graph.name}.onnx"

    def path(self, graph: GraphContract) -> Path:
        """A network's file."""
        return self.weights / self.relative(graph)

    def missing(self) -> tuple[str, ...]:
        """Those that are not there, below the folder of weights. Opens nothing."""
        return tuple(self.relative(graph) for graph in self.variant.graphs if not self.path(graph).is_file())


def variant_files(family: str, variant: str, precision: str, folder: Path | None = None) -> ThaFiles:
    """Where a variant's files belong, whether they are there or not.

    ``variant``: ``separable`` or ``standard`` of ``tha3``, empty for ``tha4``. ``precision``: ``full`` or ``half``.
    ``folder``: the folder of weights, :func:`core.wire.folders.model_weights` if none is named. Raises ValueError for
    what does not exist.
    """
    found = VARIANTS.get((family, variant))
    if found is None or precision not in PRECISIONS:
        raise ValueError(f"there is no {family} {variant} {precision}")
    return ThaFiles(found, precision, model_weights() if folder is None else folder)


def find_variant_files(family: str, variant: str, precision: str, folder: Path | None = None) -> ThaFiles:
    """A variant's files, each there and checked; parameters as of :func:`variant_files`.

    Other files beside them (``merge.onnx`` and its kin) are left alone. Raises ModelMissing, ModelFileBad, and
    ValueError for what does not exist.
    """
    files = variant_files(family, variant, precision, folder)
    missing = files.missing()
    if missing:
        raise ModelMissing(f"missing: {', '.join(missing)}", model=files.name, file=missing[0])
    for graph in files.variant.graphs:
        _check(files, graph)
    return files


def check_graph(path: Path, family: str, name: str) -> None:
    """Is a single file the network of that name (``editor``) in some variant and precision? Raises ModelFileBad."""
    model = load_onnx(path, path.name)
    inputs, outputs = declared_tensors(model)
    graphs = [graph for variant in VARIANTS.values() if variant.family == family for graph in variant.graphs]
    wanted = [graph for graph in graphs if graph.name == name]
    problems = [list(_differences(graph, kind, inputs, outputs)) for graph in wanted for kind in PRECISIONS]
    if wanted and all(problems):
        known = [f"this is the {found}" for found in _recognise(inputs, outputs)]
        raise ModelFileBad("; ".join([*known, *problems[0]]), file=path.name, reason="wrong_contract")


def _check(files: ThaFiles, graph: GraphContract) -> None:
    file = files.relative(graph)
    model = load_onnx(files.path(graph), file)
    inputs, outputs = declared_tensors(model)
    differences = list(_differences(graph, files.precision, inputs, outputs))
    if opset(model) < OLDEST_OPSET:
        differences.append(f"its operator set {opset(model)} is older than {OLDEST_OPSET}")
    if differences:
        known = [f"this is the {name}" for name in _recognise(inputs, outputs)]
        detail = "; ".join([*known, *differences])
        raise ModelFileBad(f"{file}: {detail}", file=file, reason="wrong_contract")


def _differences(graph: GraphContract, precision: str, inputs: _Tensors, outputs: _Tensors) -> Iterator[str]:
    yield from _compare("input", graph.inputs, precision, inputs)
    yield from _compare("output", graph.outputs, precision, outputs)


def _compare(kind: str, wanted: Iterable[TensorContract], precision: str, found: _Tensors) -> Iterator[str]:
    expected = {tensor.name: tensor for tensor in wanted}
    for name, tensor in expected.items():
        if name not in found:
            yield f"{kind} {name} is missing"
        elif not tensor.accepts(*found[name], precision):
            types = " or ".join(sorted({dtype.name for dtype in tensor.dtypes(precision)}))
            yield f"{kind} {name} is {_described(*found[name])} instead of {types} {list(tensor.shape)}"
    for name in found:
        if name not in expected:
            yield f"{kind} {name} is not expected"


def _described(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    return f"{dtype.name} {[size if size >= 0 else '?' for size in shape]}"


def _recognise(inputs: _Tensors, outputs: _Tensors) -> list[str]:
    """Which network of which set has these inputs and outputs; some are the same in several."""
    names = [
        f"{graph.name} of {ThaFiles(variant, precision, Path()).name}"
        for variant in VARIANTS.values()
        for precision in PRECISIONS
        for graph in variant.graphs
        if not any(_differences(graph, precision, inputs, outputs))
    ]
    return [" or ".join(names)] if names else []
