"""The kernels of the DirectML provider, as :mod:`tests.windows.read_kernels` wrote them down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("directml_kernels_1.24.4.json")


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel: which versions of an operator it serves, and for which types."""

    first: int
    last: int | None
    types: Mapping[str, frozenset[str]]
    """By the name of a type in the operator's definition (``T``): the element types (``float16``)."""

    def serves(self, since: int) -> bool:
        """Does it serve the operator as it has been since this operator set?

        ONNX Runtime's rule: a kernel without a last version is for the definition it was written for and for no later
        one, because nobody knows what a later one changes.
        """
        return since == self.first or (self.last is not None and self.first <= since <= self.last)

    def takes(self, used: Mapping[str, str]) -> bool:
        """Does it take these element types? ``used``: by the name of the type in the operator's definition."""
        return all(name not in self.types or kind in self.types[name] for name, kind in used.items())


@dataclass(frozen=True, slots=True)
class KernelTable:
    """What a version of the package has."""

    package: str
    directml: Mapping[tuple[str, str], tuple[Kernel, ...]]
    """By domain and operator."""
    processor: Mapping[tuple[str, str], tuple[Kernel, ...]]
    """Of operators that the standard defines as functions only."""


@cache
def kernel_table(file: Path = FILE) -> KernelTable:
    """Read the table."""
    content = json.loads(file.read_text(encoding="utf-8"))
    lists = [frozenset(types.split()) for types in content["types"]]

    def provider(domains: Mapping[str, Mapping[str, list[Any]]]) -> dict[tuple[str, str], tuple[Kernel, ...]]:
        return {
            (domain, operator): tuple(
                Kernel(first, last, {name: lists[number] for name, number in types.items()})
                for first, last, types in kernels
            )
            for domain, operators in domains.items()
            for operator, kernels in operators.items()
        }

    return KernelTable(content["package"], provider(content["directml"]), provider(content["processor"]))
