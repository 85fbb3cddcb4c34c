"""What bundles are made of, small: wheels, a Windows Python, a project, and a pip that brings what it is told to."""

from __future__ import annotations

import struct
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.install.console import Console

AMD64, ARM64, I386 = 0x8664, 0xAA64, 0x14C


class Quiet(Console):
    """Keeps what it was told instead of printing it."""

    def __init__(self) -> None:
        super().__init__(assume_yes=True)
        self.said: list[str] = []

    def say(self, text: str = "") -> None:
        self.said.append(text)

    def step(self, text: str) -> None:
        self.said.append(text)

    @property
    def all(self) -> str:
        return "\n".join(self.said)


def write_wheel(path: Path, licence: str = "MIT", files: Mapping[str, bytes] | None = None) -> Path:
    """A wheel whose inside agrees with its name."""
    name, version = path.name.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", f"name = {name!r}\n")
        described = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: {licence}\n"
        archive.writestr(f"{info}/METADATA", described + f"Home-page: https://example.invalid/{name}\n\nwords\n")
        for below, content in (files or {f"{info}/LICENSE": f"the text of {name}\n".encode()}).items():
            archive.writestr(below, content)
    return path


class FakePip:
    """Stands for pip: ``offers`` are the names of wheels that can be downloaded, ``builds`` those made of sources."""

    def __init__(self, offers: Sequence[str] = (), builds: Sequence[str] = ()) -> None:
        self.offers, self.builds = list(offers), list(builds)
        self.make: Callable[[Path], object] = write_wheel
        self.commands: list[list[str]] = []
        self.on_command: Callable[[Sequence[str]], subprocess.CompletedProcess[bytes] | None] = lambda command: None

    def __call__(self, command: Sequence[str], limit_s: float) -> subprocess.CompletedProcess[bytes]:
        assert limit_s > 0
        self.commands.append(list(command))
        answered = self.on_command(command)
        if answered is not None:
            return answered
        verb = command[command.index("pip") + 1]
        place = Path(command[command.index("--dest" if verb == "download" else "--wheel-dir") + 1])
        name, _, version = command[-1].partition("==")
        for wheel in self.offers if verb == "download" else self.builds:
            if wheel.lower().startswith(f"{name.replace('-', '_').lower()}-{version}-"):
                self.make(place / wheel)
                return subprocess.CompletedProcess(command, 0, b"", b"")
        return subprocess.CompletedProcess(command, 1, b"", b"WARNING: slow\nERROR: No matching distribution found\n")


def program(machine: int = AMD64, more: bytes = b"") -> bytes:
    """The beginning of a Windows program for a processor."""
    head = b"MZ" + bytes(58) + struct.pack("<I", 128)
    return head.ljust(128, b"\0") + b"PE\0\0" + struct.pack("<H", machine) + more


def write_python(folder: Path, **replaced: bytes | None) -> Path:
    """A folder that looks like a Windows installation. ``replaced`` changes files by name; None leaves one out."""
    version = "ProductVersion\0".encode("utf-16-le") + "3.12.10\0".encode("utf-16-le")
    files: dict[str, bytes | None] = {
        "python.exe": program(),
        "python312.dll": program(more=version),
        "python3.dll": program(),
        "LICENSE.txt": b"PSF",
        "NEWS.txt": b"news",
        "DLLs/_socket.pyd": b"s",
        "DLLs/_ssl.pyd": b"s",
        "DLLs/_ctypes.pyd": b"c",
        "DLLs/_tkinter.pyd": b"t",
        "Lib/os.py": b"",
        "Lib/sitecustomize.py": b"the maker's own",
        "Lib/encodings/__init__.py": b"",
        "Lib/encodings/__pycache__/__init__.cpython-312.pyc": b"cache",
        "Lib/venv/__init__.py": b"",
        "Lib/venv/scripts/nt/python.exe": program(),
        "Lib/ensurepip/__init__.py": b"",
        "Lib/ensurepip/_bundled/pip-24.0-py3-none-any.whl": b"pip",
        "Lib/site-packages/secret.py": b"the maker's own",
        "Lib/test/test_os.py": b"",
        **replaced,
    }
    for name, content in files.items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def write_project(folder: Path) -> Path:
    """A folder with what every bundle needs, and some of what must stay out."""
    files = {
        "LICENSE": "MIT\n",
        "README.md": "# EasyVtuber\r\n",
        "install.bat": "@echo off\n",
        "uninstall.bat": "@echo off\n",
        "install_plugin.py": "",
        "obs_easyvtuber.py": "",
        "requirements.txt": 'one==1.0\ntwo==2.0; sys_platform == "win32"\nthree==3.0; sys_platform != "win32"\n',
        "requirements-nvidia.txt": "fast==4.0\n",
        "core/wire/version.py": 'VERSION = "0"\n',
        "core/__pycache__/x.cpython-312.pyc": "",
        "models/family.py": "",
        "models/weights/tha4/fp16/editor.onnx": "not ours",
        "models/weights/notes.txt": "not ours",
        "docs/settings.md": "",
        "characters/README.md": "",
        "characters/nocti/character.png": "png",
        "characters/nocti/source/draw_character.py": "",
        "characters/用户/character.png": "the maker's own",
        "tests/unit/test_x.py": "",
        "benchmarks/rig.py": "",
        "build/other.zip": "",
        ".venv/pyvenv.cfg": "",
        ".git-like/config": "",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())
    return folder
