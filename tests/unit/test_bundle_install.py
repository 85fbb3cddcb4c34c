"""The worker's environment out of a bundle: looked over first, then made of its packages and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.install import environment
from core.install.bundle import contents as bundle_contents
from core.install.bundle.contents import Bundle
from core.install.problem import InstallProblem
from core.install.pythons import Python
from core.wire.folders import environment_python

from .bundle_pieces import Quiet


class Machine:
    """Answers every command, and remembers them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[list[str]] = []
        self.environment = folder / "environment"
        self.python = Python(folder / "python.exe", (3, 12), 64)
        requirements = folder / "requirements.txt"
        requirements.write_text("one==1.0\ntwo==2.0\n", encoding="ascii")
        monkeypatch.setattr(environment, "WORKER_REQUIREMENTS", requirements)
        monkeypatch.setattr(environment, "run_quietly", self.run)
        monkeypatch.setattr(environment, "examine", lambda command: self.python)
        monkeypatch.setattr(environment, "_make", lambda folder, *rest: folder.mkdir())
        for finder in ("find_python", "find_or_install_python"):
            monkeypatch.setattr(environment, finder, lambda *_: self.python, raising=False)

    def run(self, command: Sequence[str], limit_s: float = 1.0) -> subprocess.CompletedProcess[bytes]:
        self.commands.append(list(command))
        return subprocess.CompletedProcess(command, 0, b"", b"")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def bundle_in(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: tuple[int, str]) -> None:
    bundle = Bundle(folder, "0.1.0", (3, 12), 10, {"one==1.0": "one-1.0-py3-none-any.whl"}, files)
    monkeypatch.setattr(bundle_contents, "here", lambda: bundle)


def test_packages_of_the_bundle_come_from_it_and_others_as_ever(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle_in(tmp_path, monkeypatch)
    environment.prepare(machine.environment, Quiet())
    one, two = [command for command in machine.commands if "pip" in command]
    assert one[-4:] == ["--no-index", "--find-links", str(tmp_path / "wheels"), "one==1.0"]
    assert two[-1] == "two==2.0"
    assert "--no-index" not in two


def test_a_bundle_that_is_not_whole_is_told_before_anything_is_made(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle_in(tmp_path, monkeypatch, **{"wheels/one-1.0-py3-none-any.whl": (5, "")})
    with pytest.raises(InstallProblem, match=r"one-1\.0-py3-none-any\.whl is missing"):
        environment.prepare(machine.environment, Quiet())
    assert not machine.environment.exists()
    assert not machine.commands


def test_once_everything_is_installed_nothing_is_looked_over_again(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle_in(tmp_path, monkeypatch)
    made = environment_python(machine.environment)
    environment.prepare(machine.environment, Quiet())
    made.parent.mkdir(parents=True)
    made.write_bytes(b"")
    bundle_in(tmp_path, monkeypatch, gone=(1, ""))
    machine.commands.clear()
    environment.prepare(machine.environment, Quiet())
    assert not machine.commands


def test_an_environment_of_another_python_gets_its_packages_from_the_network(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.python = machine.python._replace(version=(3, 11))
    bundle_in(tmp_path, monkeypatch)
    environment.prepare(machine.environment, Quiet())
    assert not [command for command in machine.commands if "--no-index" in command]
