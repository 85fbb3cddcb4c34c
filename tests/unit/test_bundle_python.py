"""The Python that comes along: looked at without running it, and only what users need of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.install.bundle.python import examine
from core.install.problem import InstallProblem

from .bundle_pieces import ARM64, I386, program, write_python


def test_an_installation_comes_along_with_its_licence_and_pip_but_nothing_of_the_makers(tmp_path: Path) -> None:
    found = examine(write_python(tmp_path / "Python 3.12 用户"))
    assert found.version == "3.12.10"
    assert found.licence == "LICENSE.txt"
    assert {"python.exe", "python3.dll", "Lib/ensurepip/_bundled/pip-24.0-py3-none-any.whl"} <= set(found.files)
    left_out = ("site-packages", "sitecustomize", "__pycache__", "Lib/test", "_tkinter", "NEWS")
    assert not [name for name in found.files if any(word in name for word in left_out)]
    assert all(path.is_file() for path in found.files.values())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"python312._pth": b""}, "embeddable"),
        ({"pyvenv.cfg": b""}, "virtual environment"),
        ({"python312.dll": None, "python313.dll": program()}, "it is Python 3.13"),
        ({"python312.dll": None, "python311.dll": program()}, "it is Python 3.11"),
        ({"python312.dll": None}, "it has no python312.dll"),
        ({"python3.dll": None}, "it has no python3.dll"),
        ({"python.exe": None}, "it has no python.exe"),
        ({"python.exe": b""}, "its python.exe is no 64-bit program"),
        ({"python.exe": b"#!/bin/sh\n" * 20}, "its python.exe is no 64-bit program"),
        ({"python.exe": program(I386)}, "its python.exe is no 64-bit program"),
        ({"python312.dll": program(ARM64)}, "its python312.dll is no 64-bit program"),
        ({"Lib/venv/__init__.py": None}, "it has no Lib/venv/__init__.py"),
        ({"Lib/ensurepip/_bundled/pip-24.0-py3-none-any.whl": None}, "pip's own package"),
        ({"LICENSE.txt": None}, "its licence"),
    ],
)
def test_what_would_not_work_elsewhere_is_refused_saying_why(
    tmp_path: Path, changed: dict[str, bytes | None], reason: str
) -> None:
    folder = write_python(tmp_path / "python", **changed)
    with pytest.raises(InstallProblem) as caught:
        examine(folder)
    assert reason in str(caught.value)
    assert str(folder) in str(caught.value)


def test_the_stores_python_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InstallProblem, match="Store"):
        examine(write_python(tmp_path / "WindowsApps" / "PythonSoftwareFoundation.Python.3.12"))
    with pytest.raises(InstallProblem, match=r"it has no python\.exe"):
        examine(tmp_path / "nothing")


def test_the_program_inside_a_virtual_environment_is_told_by_the_folder_above(tmp_path: Path) -> None:
    folder = write_python(tmp_path / "venv" / "Scripts")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("", encoding="ascii")
    with pytest.raises(InstallProblem, match="virtual environment"):
        examine(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
@pytest.mark.parametrize("name", ["Lib/linked.py", "Lib/linked_folder"])
def test_links_are_refused_instead_of_followed(tmp_path: Path, name: str) -> None:
    folder = write_python(tmp_path / "python")
    (folder / name).symlink_to(tmp_path)
    with pytest.raises(InstallProblem, match="is a link"):
        examine(folder)
