"""Is a network what its place needs? What the store asks before it puts a file there."""

from __future__ import annotations

from pathlib import Path

from .store.check import check_content

_STUDENT_PARTS = ("face", "body")


def check_contract(contract: str, path: Path) -> None:
    """Raises ModelFileBad. ``contract``: ``tha3.editor``, ``tha4_student.face``, ``rife``, ... (`store.layout`)."""
    check_content(contract, path)
    family, _, part = contract.partition(".")
    if family == "tha4_student" and part in _STUDENT_PARTS:
        from .student.folder import check_network

        check_network(path, part)
    elif path.suffix.lower() == ".onnx" and family in ("tha3", "tha4"):
        from .tha.files import check_graph

        check_graph(path, family, part)
    elif path.suffix.lower() == ".onnx" and family == "rife":
        from .rife.files import PLAIN, TILED, check_file

        check_file(path, PLAIN if part == "plain" else TILED)
    elif path.suffix.lower() == ".onnx" and family == "upscale":
        from .upscale.files import check_network as check_upscaling

        check_upscaling(path)
