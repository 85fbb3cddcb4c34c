"""Stand-ins for what the installer meets on Windows: a registry, a console with a user at it, folders with Pythons."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from core.install.console import Console
from core.install.windows.registry import Registry


class FakeRegistry(Registry):
    """Values by ``HIVE\\key`` and name."""

    def __init__(self, values: dict[str, dict[str, str]]) -> None:
        self._values = values

    def value(self, hive: str, key: str, name: str = "") -> str | None:
        return self._values.get(f"{hive}\\{key}", {}).get(name)

    def keys(self, hive: str, key: str) -> list[str]:
        start = f"{hive}\\{key}\\"
        return list(dict.fromkeys(name[len(start) :].split("\\")[0] for name in self._values if name.startswith(start)))


class FakeConsole(Console):
    """Notes what is said and asked. Answers yes and the first choice unless told otherwise."""

    def __init__(self, answers: Sequence[bool | int] = (), attended: bool = True) -> None:
        super().__init__()
        self.interactive = attended
        self.said: list[str] = []
        self.asked: list[str] = []
        self.offered: list[str] = []
        self._answers = list(answers)

    def say(self, text: str = "") -> None:
        self.said.append(text)

    def step(self, text: str) -> None:
        self.said.append(f"== {text}")

    def ask(self, question: str) -> bool:
        self.asked.append(question)
        return bool(self._answers.pop(0)) if self._answers else True

    def choose(self, question: str, answers: Sequence[str]) -> int:
        if len(answers) < 2:
            return 0
        self.asked.append(question)
        self.offered = list(answers)
        return int(self._answers.pop(0)) if self._answers else 0

    @property
    def text(self) -> str:
        """All that was said."""
        return "\n".join(self.said)


def windows_library(file: Path, machine: int = 0x8664) -> None:
    """A file that says in its header which processor it is for."""
    file.parent.mkdir(parents=True, exist_ok=True)
    start = bytearray(128)
    start[0:2] = b"MZ"
    struct.pack_into("<I", start, 0x3C, 64)
    start[64:68] = b"PE\0\0"
    struct.pack_into("<H", start, 68, machine)
    file.write_bytes(bytes(start))


def python_folder(folder: Path, minor: int = 12, machine: int = 0x8664) -> Path:
    """What OBS looks for in a Python's folder."""
    windows_library(folder / f"python3{minor}.dll", machine)
    windows_library(folder / "python3.dll", machine)
    (folder / "Lib/encodings").mkdir(parents=True)
    (folder / "Lib/encodings/__init__.py").touch()
    (folder / "python.exe").touch()
    return folder


def obs_program(root: Path, version: tuple[int, int, int] = (32, 2, 2)) -> Path:
    """OBS for Windows with its version in its resources."""
    program = root / "bin/64bit/obs64.exe"
    program.parent.mkdir(parents=True, exist_ok=True)
    major, minor, patch = version
    program.write_bytes(b"MZ" + bytes(50) + struct.pack("<IIII", 0xFEEF04BD, 0x10000, major << 16 | minor, patch << 16))
    return program
