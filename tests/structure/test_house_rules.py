"""Habits that a machine can watch: names, docstrings, sizes, and what must never get into the project."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.wire.folders import PROJECT

LONGEST_FILE = 400
PRODUCT = ("core", "trackers", "accel", "models", "benchmarks")
FORBIDDEN = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _product_files() -> list[Path]:
    files = [path for folder in PRODUCT for path in sorted((PROJECT / folder).rglob("*.py"))]
    return [PROJECT / "obs_easyvtuber.py", PROJECT / "install_plugin.py", *files]


def _tracked() -> list[Path]:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [PROJECT / name for name in listed.stdout.decode().split("\0") if name]


def _public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            # an override says the same as what it overrides, or it is wrong
            if isinstance(node, ast.ClassDef) and not _inherits(node):
                yield from (
                    member
                    for member in node.body
                    if isinstance(member, ast.FunctionDef)
                    and not member.name.startswith("_")
                    and not _is_setter(member)
                )


def _inherits(node: ast.ClassDef) -> bool:
    plain = {"ABC", "Protocol", "NamedTuple", "Generic", "Exception", "StrEnum", "IntEnum"}
    return any(isinstance(base, ast.Name) and base.id not in plain for base in node.bases)


def _is_setter(function: ast.FunctionDef) -> bool:
    return any(isinstance(decorator, ast.Attribute) for decorator in function.decorator_list)


@pytest.mark.parametrize("path", _product_files(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_module_and_public_name_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module"
    silent = [node.name for node in _public(tree) if not ast.get_docstring(node) and not _is_plain_error(node)]
    assert not silent


def _is_plain_error(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Leaves of the error tree are described in the tree's drawing."""
    return isinstance(node, ast.ClassDef) and len(node.body) == 1 and isinstance(node.body[0], ast.Assign)


@pytest.mark.parametrize("path", _product_files(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_no_module_imports_another_modules_private_names() -> None:
    for path in _product_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.ImportFrom)
                and node.level + len(node.module or "")
                and "benchmarks" not in path.parts
            ):
                private = [alias.name for alias in node.names if re.match(r"_(?!_)", alias.name)]
                assert not private, f"{path.name}: {private}"


def test_nothing_is_left_for_later_and_no_bare_except_is_there() -> None:
    for path in _product_files():
        text = path.read_text(encoding="utf-8")
        assert not FORBIDDEN.search(text), path
        assert not re.search(r"except\s*:", text), path


def test_no_weights_recordings_or_large_files_are_tracked() -> None:
    for path in _tracked():
        if path.is_file():
            assert path.suffix not in {".onnx", ".pt", ".rec", ".task", ".trt", ".engine"}, path
            assert path.stat().st_size < 1_500_000, path


def test_text_files_end_lines_the_same_way_everywhere() -> None:
    for path in _tracked():
        if path.suffix in {".py", ".pyi", ".md", ".json", ".toml", ".txt", ".sh"} and path.is_file():
            assert b"\r" not in path.read_bytes(), path
