"""The system that DirectML is tried in: what its commands may see, and that removing it never follows a mount."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("it is set up on Linux", allow_module_level=True)

from core.install.console import Console
from core.wire.folders import PROJECT
from tests.windows.machine import directml
from tests.windows.machine.directml import DirectMLMachine, mounted_below, ready_directml, remove
from tests.windows.machine.libraries import SOURCES
from tests.windows.machine.machine import WindowsMachine
from tests.windows.machine.problem import SetUpFailed

MOUNTS = (
    "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "30 22 8:1 /home/me/project /cache/directml-1/system/home/me/project ro - ext4 /dev/sda1 rw\n"
    "31 22 0:5 / /cache/directml-1/a\\040blank rw - proc proc rw\n"
    "32 22 0:5 / /cache/directml-12 rw - proc proc rw\n"
)


@pytest.fixture
def machine(tmp_path: Path) -> WindowsMachine:
    """A machine with nothing in it."""
    names = ("python", "environment", "prefix")
    return WindowsMachine(tmp_path, *(tmp_path / name for name in names))


def test_what_is_mounted_below_a_folder_is_found() -> None:
    found = mounted_below(Path("/cache/directml-1"), MOUNTS)
    assert found == [Path("/cache/directml-1/system/home/me/project"), Path("/cache/directml-1/a blank")]
    assert mounted_below(Path("/cache/directml-2"), MOUNTS) == []


def test_nothing_is_removed_while_something_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(directml, "mounted_below", lambda folder, mounts: [tmp_path / "system" / "home"])
    with pytest.raises(SetUpFailed, match="system/home"):
        remove(tmp_path)
    assert (tmp_path / "file").is_file()


def test_a_system_without_mounts_is_removed(tmp_path: Path) -> None:
    (tmp_path / "system" / "usr").mkdir(parents=True)
    remove(tmp_path / "system")
    assert list(tmp_path.iterdir()) == []


def test_a_command_may_write_to_the_machine_and_only_read_the_checkout(machine: WindowsMachine) -> None:
    command = DirectMLMachine(machine, machine.folder / "directml-1").python
    shown = [part for part in command if part.startswith(("rw=", "ro="))]
    assert f"rw={machine.folder}" in shown and f"ro={PROJECT}" in shown
    assert [part for part in shown if part.startswith("rw=")] == [f"rw={machine.folder}"]
    assert {"--mount", "--pid", "--kill-child", "private"} <= set(command)
    assert command[-2:] == machine.python


def test_a_half_made_system_is_none(machine: WindowsMachine) -> None:
    assert ready_directml(machine) is None
    folder = directml._folder(machine)
    (folder / "system").mkdir(parents=True)
    assert ready_directml(machine) is None
    (folder / "complete").touch()
    ready = ready_directml(machine)
    assert ready is not None and directml.prepare(Console(assume_yes=True), machine) == ready


def test_only_root_may_set_it_up(machine: WindowsMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetUpFailed, match="root"):
        directml.prepare(Console(assume_yes=True), machine)
    assert not list(machine.folder.glob("directml-*"))


def test_another_distribution_is_told_what_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = subprocess.CompletedProcess([], 0, stdout="")
    monkeypatch.setattr(subprocess, "run", lambda *command, **options: answer)
    with pytest.raises(SetUpFailed, match=directml.MIRROR_VARIABLE):
        directml._own_mirror()


def may_mount() -> bool:
    """Is this root, with leave to make namespaces and to mount in them?"""
    if shutil.which("unshare") is None:
        return False
    command = [*directml._NAMESPACES, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


def test_mounts_and_processes_end_with_the_command(tmp_path: Path) -> None:
    if not may_mount():
        pytest.skip("this user may not mount, even in a namespace of its own")
    root, seen = tmp_path / "root", tmp_path / "seen"
    seen.mkdir()
    (seen / "file").write_text("kept")
    for folder in ("proc", "dev", "sys"):
        (root / folder).mkdir(parents=True)
    for folder in ("bin", "lib", "lib64", "usr"):
        # the root folder's own programs, through the very script
        (root / folder).mkdir()
    shown = [f"ro={place}" for place in ("/bin", "/lib", "/lib64", "/usr") if Path(place).is_dir()]
    script = f"cat {seen}/file; touch {seen}/new 2>/dev/null || echo refused; sleep 300 & echo done"
    command = [
        *directml._NAMESPACES, "sh", str(SOURCES / "inside.sh"), str(root), *shown, f"ro={seen}", "--", "/bin/sh", "-c",
        script,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    # the pipe is at its end, so the sleeping process has ended too
    assert done.stdout.split() == ["keptrefused", "done"], done.stderr
    assert mounted_below(root, Path("/proc/self/mountinfo").read_text(encoding="utf-8")) == []
    remove(root)
    assert (seen / "file").read_text() == "kept" and not (seen / "new").exists()
