"""Sources out of Windows wheels: what is unpacked, when, and what happens without a network."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.install import environment
from core.install.windows import sources as windows_sources


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pip is asked for; it never gets anything."""
    commands: list[list[str]] = []

    def refuse(command: Sequence[str], limit_s: float = 0.0) -> subprocess.CompletedProcess[bytes]:
        commands.append(list(command))
        return subprocess.CompletedProcess(list(command), 1, b"", b"no network")

    monkeypatch.setattr(environment, "run_quietly", refuse)
    monkeypatch.setattr(windows_sources, "SOURCES", tmp_path / "sources")
    return commands


def python_in(folder: Path) -> Path:
    return folder / "env" / "bin" / "python"


def put_wheel(folder: Path, name: str, *files: str) -> None:
    (folder / "env" / "windows-wheels").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "env" / "windows-wheels" / name, "w") as wheel:
        for file in files:
            wheel.writestr(file, f"# {file}")


def pinned(package: str) -> str:
    lines = environment.read_requirements(environment.WORKER_REQUIREMENTS)
    return next(line for line in lines if line.startswith(package)).split(";")[0].split("==")[1].strip()


def test_without_a_network_it_is_told_and_nothing_half_done_is_left(tmp_path: Path, asked: list[list[str]]) -> None:
    assert not windows_sources.unpack(python_in(tmp_path))
    assert f"onnxruntime-directml=={pinned('onnxruntime-directml')}" in asked[0]
    assert not windows_sources.SOURCES.exists()


def test_what_the_product_calls_is_unpacked_once(tmp_path: Path, asked: list[list[str]]) -> None:
    wanted = ["onnxruntime/__init__.py", "onnxruntime/capi/inference.py"]
    others = ["onnxruntime/capi/DirectML.dll", "onnxruntime/tools/logger.py"]
    wheel = f"onnxruntime_directml-{pinned('onnxruntime-directml')}-cp312-cp312-win_amd64.whl"
    put_wheel(tmp_path, wheel, *wanted, *others)
    assert windows_sources.unpack(python_in(tmp_path))
    (tmp_path / "env" / "windows-wheels" / wheel).unlink()
    assert windows_sources.unpack(python_in(tmp_path))
    found = [
        str(file.relative_to(windows_sources.SOURCES).as_posix()) for file in windows_sources.SOURCES.rglob("*.py")
    ]
    assert sorted(found) == wanted
    assert asked == []


def test_a_damaged_wheel_is_as_good_as_none(tmp_path: Path, asked: list[list[str]]) -> None:
    put_wheel(tmp_path, "x.whl")
    wheel = f"onnxruntime_directml-{pinned('onnxruntime-directml')}-cp312-cp312-win_amd64.whl"
    (tmp_path / "env" / "windows-wheels" / wheel).write_bytes(b"half a download")
    assert not windows_sources.unpack(python_in(tmp_path))


def test_a_wheel_of_another_version_is_not_taken(tmp_path: Path, asked: list[list[str]]) -> None:
    put_wheel(tmp_path, "spoutgl-0.0.1-cp312-cp312-win_amd64.whl")
    windows_sources.download(python_in(tmp_path), "SpoutGL")
    assert len(asked) == 1
    put_wheel(tmp_path, f"SpoutGL-{pinned('SpoutGL')}-cp312-cp312-win_amd64.whl")
    windows_sources.download(python_in(tmp_path), "SpoutGL")
    assert len(asked) == 1
