"""Every network the project makes has a DirectML kernel for every node, and a network that has not is found out.

The kernels are those of the real package, read on Windows (``tests/windows/read_kernels.py``)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from accel.onnxruntime.options import DIRECTML_NAME
from core.wire.folders import PROJECT
from models.onnx_graph import OPSET
from tests.data import data
from tests.windows import read_kernels
from tests.windows.every_network import REAL, REAL_FILES, SMALL, Named
from tests.windows.kernel_table import FILE, Kernel, kernel_table
from tests.windows.missing_kernels import missing_kernels
from tests.windows.planted import FINE, PICTURE, PLANTED, network

NEWEST_IR, OLDEST_OPSET = 13, 13
"""What ONNX Runtime 1.24 reads, and what our own nodes mean the same from on."""
MAKES_NETWORKS = {"GraphBuilder", "make_graph", "make_model", "Network", "RifeGraph"}
"""Who calls one of these builds a graph or gives one out."""


def all_have_kernels(networks: Named) -> int:
    """How many there were."""
    count = 0
    for name, made in networks:
        model = onnx.load_from_string(made.content)
        versions = {entry.domain: entry.version for entry in model.opset_import}
        assert set(versions) == {""} and OLDEST_OPSET <= versions[""] <= OPSET, (name, versions)
        assert model.ir_version <= NEWEST_IR, name
        assert missing_kernels(model) == [], name
        count += 1
    return count


@pytest.mark.parametrize("kind", SMALL)
def test_every_node_of_every_network_has_a_kernel(kind: str, tmp_path: Path) -> None:
    assert all_have_kernels(SMALL[kind](tmp_path)) >= 20


@pytest.mark.parametrize("kind", REAL)
def test_every_node_of_the_real_networks_has_one(kind: str, tmp_path: Path) -> None:
    assert all_have_kernels(REAL[kind](tmp_path, data(REAL_FILES[kind]))) >= 1


# -- nothing is built that is not looked at here ---------------------------------------------------------------------


def makers(path: Path) -> set[str]:
    """The functions of a file that build networks or give them out, by qualified name."""
    found = set()

    def visit(node: ast.AST, names: tuple[str, ...], function: str) -> None:
        if isinstance(node, ast.ClassDef):
            names, function = (*names, node.name), ""
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = ".".join((*names, node.name))
            names = (*names, node.name, "<locals>")
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in MAKES_NETWORKS:
                found.add(function or "<module>")
        for child in ast.iter_child_nodes(node):
            visit(child, names, function)

    visit(ast.parse(path.read_text(encoding="utf-8")), (), "")
    return found


def test_no_network_is_built_that_is_not_looked_at(tmp_path: Path) -> None:
    wanted = {
        (str(path), name)
        for folder in ("accel", "models", "core")
        for path in (PROJECT / folder).rglob("*.py")
        for name in makers(path)
    }
    assert len(wanted) >= 15
    called: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            called.add((frame.f_code.co_filename, frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for number, networks in enumerate(SMALL.values()):
            for _ in networks(tmp_path / str(number)):
                pass
    finally:
        sys.setprofile(before)
    assert wanted - called == set(), "a builder of networks that tests/windows/every_network.py does not call"


def test_a_builder_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text("class A:\n    def b(self):\n        g = onnx.helper.make_graph()\ndef c():\n    return 1\n")
    assert makers(path) == {"A.b"}


# -- a network without one is found out ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_operator_is_found(name: str) -> None:
    model, wanted = PLANTED[name]
    found = missing_kernels(model)
    assert [(entry.operator, entry.version) for entry in found] == wanted
    assert all(entry.node == "it" and entry.reason and entry.types for entry in found)


@pytest.mark.parametrize("name", FINE)
def test_what_it_can_run_is_let_through(name: str) -> None:
    assert missing_kernels(FINE[name]) == []


def test_a_function_of_the_file_itself_is_looked_into() -> None:
    body = [helper.make_node("Gelu", ["a"], ["b"])]
    function = helper.make_function("own", "Soft", ["a"], ["b"], body, [helper.make_opsetid("", 20)])
    model = network([helper.make_node("Soft", ["x"], ["y"], domain="own")], PICTURE, 20)
    model.opset_import.append(helper.make_opsetid("own", 1))
    model.functions.append(function)
    assert [entry.operator for entry in missing_kernels(model)] == ["Gelu"]


def test_nodes_inside_of_branches_are_looked_at() -> None:
    branch = helper.make_graph(
        [helper.make_node("Det", ["x"], ["volume"])], "b", [], [onnx.ValueInfoProto(name="volume")]
    )
    choice = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    model = network([choice], {**PICTURE, "c": (TensorProto.BOOL, [])})
    assert [entry.operator for entry in missing_kernels(model)] == ["Det", "Det"]


# -- the table -------------------------------------------------------------------------------------------------------


def test_the_table_is_of_the_package_that_is_installed_on_windows() -> None:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = next(line for line in lines if line.startswith("onnxruntime-directml"))
    assert pinned.split(";")[0].strip() == kernel_table().package.replace(" ", "==")
    assert DIRECTML_NAME.removeprefix("onnxruntime_") in pinned


def test_the_table_has_what_the_package_has() -> None:
    table = kernel_table()
    assert sum(map(len, table.directml.values())) == 423 and len(table.directml) == 205
    assert ("", "Gelu") in table.processor and ("", "Conv") not in table.processor


def test_a_kernel_without_a_last_version_is_for_its_own_only() -> None:
    floats = frozenset({"float"})
    assert [Kernel(11, None, {}).serves(since) for since in (10, 11, 12)] == [False, True, False]
    assert [Kernel(11, 13, {}).serves(since) for since in (10, 11, 13, 14)] == [False, True, True, False]
    assert Kernel(1, None, {"T": floats}).takes({"T": "float", "Tind": "int32"})
    assert not Kernel(1, None, {"T": floats}).takes({"T": "float16"})


def kernel(provider: str, operator: str, last: int = 2**31 - 1, **types: list[str]) -> Any:
    return SimpleNamespace(
        domain="", op_name=operator, provider=provider, version_range=(7, last), type_constraints=types
    )


def test_the_table_is_written_as_it_is_read(tmp_path: Path) -> None:
    told = [
        kernel("DmlExecutionProvider", "Add", T=["tensor(float)", "tensor(float16)"]),
        kernel("DmlExecutionProvider", "Add", 12, T=["tensor(float)"]),
        kernel("CPUExecutionProvider", "Gelu", T=["tensor(float)"]),
        kernel("CPUExecutionProvider", "Add", T=["tensor(float)"]),
        kernel("OtherExecutionProvider", "Mul", T=["tensor(float)"]),
    ]
    file = tmp_path / "kernels.json"
    file.write_text(read_kernels.as_text(read_kernels.table(told, "package 1")), encoding="utf-8")
    table = kernel_table(file)
    both, floats = frozenset({"float", "float16"}), frozenset({"float"})
    assert table.package == "package 1"
    assert table.directml == {("", "Add"): (Kernel(7, 12, {"T": floats}), Kernel(7, None, {"T": both}))}
    assert table.processor == {("", "Gelu"): (Kernel(7, None, {"T": floats}),)}
    assert FILE.stat().st_size < 100_000
