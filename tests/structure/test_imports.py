"""Who may import whom: the table of docs/architecture.md, held against every file's syntax tree."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from core.wire.folders import PROJECT

NUMERIC = {"numpy", "cv2"}
ALLOWED: dict[str, set[str]] = {
    "core.wire": {"core.wire"},
    "core.obs": {"core.wire", "core.obs", "obspython"},
    "core.install": {"core.wire", "core.install", "core.obs.translate"},
    "core.pose": {"core.wire", "core.pose", "numpy"},
    "trackers": {"core.wire", "core.pose", "trackers", "numpy"},
    "accel": {"core.wire", "accel", "numpy"},
    "models": {"core.wire", "core.pose", "accel", "models", *NUMERIC},
    "core.render": {"core.wire", "core.pose", "models", "core.render", *NUMERIC},
    "core.publish": {"core.wire", "core.publish", *NUMERIC},
    "core.worker": {
        "core.wire", "core.pose", "core.render", "core.publish", "core.worker", "trackers", "models", "accel", *NUMERIC,
    },
    "obs_easyvtuber": set(),
    "install_plugin": {"core.install"},
}  # fmt: skip
HEAVY: dict[str, set[str]] = {
    "accel/onnxruntime/binding.py": {"onnxruntime"},
    "core/render/codecs.py": {"lz4", "turbojpeg"},
    "models/onnx_graph.py": {"onnx"},
    "models/rife/ending.py": {"onnx"},
    "models/rife/graph.py": {"onnx"},
    "models/rife/half.py": {"onnx"},
    "models/rife/tiled.py": {"onnx"},
    "models/safe_onnx.py": {"onnx", "google"},
    "models/student/folder.py": {"yaml"},
    "models/upscale/graphs.py": {"onnx"},
    "models/upscale/precision.py": {"onnx"},
    "models/student/graph_weights.py": {"onnx"},
    "models/tha/colour.py": {"onnx"},
    "models/tha/graphs.py": {"onnx"},
    "models/tha/motion.py": {"onnx"},
    "models/tha/prepare.py": {"onnx"},
    "trackers/webcam_capture.py": {"cv2"},
    "core/publish/spout.py": {"SpoutGL"},
    "core/publish/virtual_camera.py": {"pyvirtualcam"},
}
"""Libraries that only these files may use."""


def _owner(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "core" and len(parts) > 1 else parts[0]


def _files() -> list[Path]:
    found = [PROJECT / "obs_easyvtuber.py", PROJECT / "install_plugin.py"]
    for folder in ("core", "trackers", "accel", "models"):
        found += sorted((PROJECT / folder).rglob("*.py"))
    return found


def _module(path: Path) -> str:
    parts = list(path.relative_to(PROJECT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> set[str]:
    """Absolute names of everything a file imports, wherever in it."""
    module = _module(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *([node.module] if node.module else [])])
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def _is_allowed(name: str, allowed: set[str]) -> bool:
    return any(name == entry or name.startswith(f"{entry}.") for entry in allowed)


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_file_imports_only_what_its_package_may(path: Path) -> None:
    module = _module(path)
    if module in ("core", ""):
        return
    allowed = ALLOWED[_owner(module)] | HEAVY.get(path.relative_to(PROJECT).as_posix(), set())
    wrong = {
        name
        for name in _imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not _is_allowed(name, allowed)
    }
    assert not wrong, f"{module} imports {sorted(wrong)}"


def test_nobody_imports_the_worker() -> None:
    users = [path for path in _files() if any(_owner(name) == "core.worker" for name in _imports(path))]
    assert {path.parent.name for path in users} <= {"worker"}


@pytest.mark.parametrize("package", ["core/wire", "core/obs", "core/install"])
def test_what_obs_loads_under_a_private_name_imports_only_relatively(package: str) -> None:
    for path in sorted((PROJECT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert not (node.module or "").startswith("core"), f"{path.name}: from {node.module}"
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("core") for alias in node.names), path.name
