"""How the worker is started: which Python, which environment, and what is told when it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from core.obs import launcher
from core.wire.errors import EnvironmentBroken, EnvironmentMissing
from core.wire.folders import PROJECT, environment_python


@pytest.fixture
def program(home: Path, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """What the started Python runs in place of the worker; a test fills it in."""
    text: List[str] = []
    monkeypatch.setattr(launcher, "command", lambda python: [str(python), "-I", "-c", text[0]])
    return text


def output_of(program: List[str], text: str) -> str:
    program.append(text)
    process = launcher.launch(sys.executable).process
    out, _ = process.communicate(timeout=60)
    return out.decode()


def test_a_python_that_is_named_is_used() -> None:
    assert launcher.worker_python(sys.executable) == Path(sys.executable)


def test_a_folder_means_the_python_in_it(tmp_path: Path) -> None:
    python = environment_python(tmp_path / "venv")
    python.parent.mkdir(parents=True)
    python.touch()
    assert launcher.worker_python(str(tmp_path / "venv")) == python


def test_without_a_name_the_projects_own_environment_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(launcher, "default_environment", lambda: tmp_path)
    with pytest.raises(EnvironmentMissing) as caught:
        launcher.worker_python("")
    assert caught.value.parameters == {"path": str(environment_python(tmp_path))}


@pytest.mark.parametrize("name", ["nowhere/python", "", "x" * 1000, "a\0b"], ids=["gone", "empty", "too long", "null"])
def test_a_python_that_is_not_there_is_told_with_its_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing) as caught:
        launcher.worker_python(str(tmp_path / name))
    assert str(caught.value.parameters["path"]).startswith(str(tmp_path))


def test_a_folder_that_may_not_be_looked_into_has_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(EnvironmentMissing):
        launcher.worker_python("/somebody/elses/python")


def test_a_file_that_is_no_program_is_a_broken_environment(home: Path, tmp_path: Path) -> None:
    (tmp_path / "python").write_text("not a program", encoding="utf-8")
    with pytest.raises(EnvironmentBroken) as caught:
        launcher.launch(str(tmp_path / "python"))
    assert caught.value.parameters == {"path": str(tmp_path / "python"), "missing": ""}


def test_the_worker_is_isolated_from_the_users_own_packages() -> None:
    command = launcher.command(Path("python"))
    assert command[:2] == ["python", "-I"]
    assert Path(command[-1]) == PROJECT / "core" / "worker"


@pytest.mark.parametrize(
    "name", ["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "VIRTUAL_ENV", "LD_PRELOAD", "PythonHome"]
)
def test_what_would_pull_the_worker_into_obss_python_is_not_passed_on(name: str) -> None:
    assert name not in launcher.child_environment({name: "x", "PATH": "/bin"})


def test_the_rest_of_the_environment_is_passed_on() -> None:
    environment: Dict[str, str] = {"PATH": "/bin", "DISPLAY": ":0", "EASYVTUBER_HOME": "/tmp/x"}
    assert {**launcher.child_environment(environment), **environment} == launcher.child_environment(environment)


def test_the_started_python_sees_the_cleaned_environment(program: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/of/obs")
    monkeypatch.setenv("KEPT", "yes")
    said = output_of(program, "import os; print(os.environ.get('VIRTUAL_ENV'), os.environ.get('KEPT'))")
    assert said.split() == ["None", "yes"]


def test_the_worker_starts_in_the_project_folder(program: List[str]) -> None:
    assert Path(output_of(program, "import os; print(os.getcwd())").strip()) == PROJECT


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sessions of processes")
def test_ctrl_c_in_obss_terminal_does_not_reach_the_worker(program: List[str]) -> None:
    if sys.platform == "win32":
        return
    assert int(output_of(program, "import os; print(os.getsid(0))")) != os.getsid(0)


def test_what_the_worker_complains_about_can_be_read_afterwards(program: List[str], home: Path) -> None:
    program.append("import sys; sys.stderr.write('first\\nlast words')")
    launched = launcher.launch(sys.executable)
    launched.process.communicate(timeout=60)
    assert launcher.what_it_said(launched.stderr_path).splitlines() == ["first", "last words"]
    assert home in launched.stderr_path.parents


def test_only_the_end_of_a_long_complaint_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("a" * 9000 + "end", encoding="utf-8")
    assert launcher.what_it_said(log, limit=10) == "aaaaaaaend"


def test_without_a_log_nothing_was_said(tmp_path: Path) -> None:
    assert launcher.what_it_said(tmp_path / "none") == ""


def test_a_log_that_has_grown_begins_anew(program: List[str], home: Path) -> None:
    log = home / "logs" / "worker-stderr.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"x" * 1_000_001)
    output_of(program, "")
    assert log.stat().st_size == 0


def test_a_disk_that_takes_no_log_costs_the_log_only(program: List[str], home: Path) -> None:
    home.write_text("a file where the folder should be", encoding="utf-8")
    assert output_of(program, "import sys; sys.stderr.write('x'); print('works')").strip() == "works"


def test_a_worker_without_a_package_is_told_with_the_packages_name() -> None:
    error = launcher.why_it_never_spoke(launcher.EXIT_MISSING_PACKAGE, "/py", "No module named 'cv2'\ncv2")
    assert error.parameters == {"path": "/py", "missing": "cv2"}


@pytest.mark.parametrize("exit_code,said", [(1, "Traceback\ncv2"), (None, ""), (-9, "x"), (3, "")])
def test_any_other_early_end_names_no_package(exit_code: Any, said: str) -> None:
    error = launcher.why_it_never_spoke(exit_code, "", said)
    assert error.parameters["missing"] == ""
    assert str(exit_code) in error.detail


def test_a_failed_start_leaves_no_process_and_no_open_file(program: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    program.append("")
    opened: List[Any] = []
    open_stderr = launcher._open_stderr

    def remember(path: Path) -> Any:
        opened.append(open_stderr(path))
        return opened[-1]

    def refuse(*arguments: Any, **options: Any) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(launcher, "_open_stderr", remember)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(EnvironmentBroken):
        launcher.launch(sys.executable)
    assert [file.closed for file in opened] == [True]
