"""Writes down which operators the real DirectML provider has a kernel for. For Windows, in the worker's environment.

    python tests\\windows\\read_kernels.py tests\\windows\\directml_kernels_1.24.4.json

The answer is ONNX Runtime's own (``get_all_opkernel_def``): the kernels that its providers register when the library is
loaded. Of the processor's kernels only those are kept that keep an operator away from DirectML: an operator that the
standard defines as a function of others is taken apart only where no provider has a kernel for it whole. DXGI must be
there (under Wine: version 10 with Vulkan), or ONNX Runtime cannot ask DirectML.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from onnx import defs

_DIRECTML, _PROCESSOR = "DmlExecutionProvider", "CPUExecutionProvider"
_OPEN_END = 2**31 - 1
"""What stands for "no last version" there."""


class Kernel(Protocol):
    """What ONNX Runtime tells of one kernel."""

    domain: str
    op_name: str
    provider: str
    version_range: tuple[int, int]
    type_constraints: Mapping[str, Iterable[str]]


def table(kernels: Iterable[Kernel], package: str) -> dict[str, Any]:
    """The kernels by provider, domain and operator; a list of types is written once and meant by its number."""
    lists: dict[str, int] = {}
    found: dict[str, dict[str, dict[str, list[Any]]]] = {"directml": {}, "processor": {}}
    for kernel in kernels:
        if kernel.provider not in (_DIRECTML, _PROCESSOR):
            continue
        if kernel.provider == _PROCESSOR and not _is_function(kernel):
            continue
        first, last = kernel.version_range
        types = {name: " ".join(sorted(map(_short, allowed))) for name, allowed in kernel.type_constraints.items()}
        entry = [
            first,
            None if last >= _OPEN_END else last,
            {name: lists.setdefault(allowed, len(lists)) for name, allowed in sorted(types.items())},
        ]
        of_provider = found["directml" if kernel.provider == _DIRECTML else "processor"]
        of_operator = of_provider.setdefault(kernel.domain, {}).setdefault(kernel.op_name, [])
        if entry not in of_operator:
            of_operator.append(entry)
    for operators in (operators for domains in found.values() for operators in domains.values()):
        for entries in operators.values():
            entries.sort(key=json.dumps)
    return {"package": package, "types": list(lists), **found}


def _is_function(kernel: Kernel) -> bool:
    if kernel.domain not in ("", "ai.onnx") or not defs.has(kernel.op_name):
        return False
    # its types leave out what is asked here
    schema: Any = defs.get_schema(kernel.op_name)
    return bool(schema.has_function or schema.has_context_dependent_function)


def _short(name: str) -> str:
    """``tensor(float)`` without its frame."""
    return name.removeprefix("tensor(").removesuffix(")") if name.startswith("tensor(") else name


def as_text(content: Mapping[str, Any]) -> str:
    """JSON with one operator on a line, so that what a new version changes can be read."""
    lines = ["{", f' "package": {json.dumps(content["package"])},', ' "types": [']
    lines += [",\n".join(f"  {json.dumps(types)}" for types in content["types"]), " ],"]
    providers = []
    for provider in ("directml", "processor"):
        domains = []
        for domain, operators in sorted(content[provider].items()):
            rows = [f"   {json.dumps(name)}: {json.dumps(kernels)}" for name, kernels in sorted(operators.items())]
            domains.append(f"  {json.dumps(domain)}: {{\n" + ",\n".join(rows) + "\n  }")
        providers.append(f" {json.dumps(provider)}: {{\n" + ",\n".join(domains) + "\n }")
    lines.append(",\n".join(providers))
    return "\n".join([*lines, "}", ""])


def main() -> int:
    """Exit status 0: written."""
    parser = argparse.ArgumentParser(description="Write down the DirectML provider's kernels.")
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    content = table(native.get_all_opkernel_def(), f"onnxruntime-directml {version('onnxruntime-directml')}")
    if not content["directml"]:
        raise SystemExit("this onnxruntime has no DirectML")
    file.write_text(as_text(content), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
