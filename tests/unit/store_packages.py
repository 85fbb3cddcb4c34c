"""Packages as users download them, and what became of them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.wire.errors import ArchiveBad
from models.store.importer import ImportReport, import_from
from models.store.places import Places

from .store_server import go_on, make_zip

EDITOR = "tha3/seperable/fp16/editor.onnx"
ROTATOR = "tha3/seperable/fp16/rotator.onnx"


def write(package: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    package.write_bytes(make_zip(members, compression))
    return package


def refusal(package: Path, places: Places) -> str:
    with pytest.raises(ArchiveBad) as caught:
        import_from(package, places, go_on)
    assert not list_files(places.weights)
    return str(caught.value.parameters["reason"])


def list_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def taken(report: ImportReport) -> dict[str, str]:
    return {one.source: one.place.path for one in report.taken}


def skipped(report: ImportReport) -> dict[str, str]:
    return {one.source: one.reason for one in report.skipped}


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    assert old in content
    return content.replace(old, new)
