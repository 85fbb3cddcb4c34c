"""The way through ``run``, ``doctor`` and ``uninstall``: order, choices, nobody at the keyboard, and the same words in
``install.bat``.
"""

from __future__ import annotations

import builtins
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.install import (
    console,
    doctor,
    environment,
    install_record,
    main,
    pythons,
    registration,
    running,
    system_packages,
)
from core.install.console import Console
from core.install.graphics_card import GraphicsCard
from core.install.obs import closed as obs_closed
from core.install.obs.places import ObsPlace
from core.install.problem import InstallProblem
from core.install.registration import Choice
from core.install.running import Wishes
from core.wire import instance
from core.wire.folders import PROJECT

from .install_stand_ins import FakeConsole, obs_program


@pytest.fixture
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObsPlace:
    """A portable OBS that is closed; what would be started or fetched is noted in ``started``."""
    program = obs_program(tmp_path / "OBS")
    (tmp_path / "OBS/portable_mode.txt").touch()
    found = ObsPlace(program, tmp_path / "OBS/config/obs-studio")
    monkeypatch.setattr(environment, "prepare", lambda folder, console: folder / "python")
    monkeypatch.setattr(environment, "broken_imports", lambda python: "")
    monkeypatch.setattr(running, "prepare_graphics", lambda console, folder: None)
    monkeypatch.setattr(running, "prepare_obs_python", lambda console, place: None)
    monkeypatch.setattr(running, "offer_spout_plugin", lambda console, place: None)
    monkeypatch.setattr(running, "has_display", lambda: True)
    monkeypatch.setattr(running, "all_obs", lambda: [found])
    for module in (running, obs_closed):
        monkeypatch.setattr(module, "is_obs_running", lambda config: False)
    monkeypatch.setattr(instance, "living", lambda: [{"phase": "running"}])
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: started.append(command))
    started.clear()
    return found


started: list[list[str]] = []


def test_run_ends_with_the_avatar_in_a_portable_obs(place: ObsPlace, tmp_path: Path) -> None:
    console = FakeConsole()
    running.run(console, tmp_path / "venv", Wishes())
    assert started == [[str(place.program), "--collection", "EasyVtuber"]]
    assert (place.config / "basic/scenes/EasyVtuber.json").is_file()
    assert "(portable)" in console.text
    assert "The avatar is in the scene and moves" in console.text


def test_by_hand_starts_obs_as_it_is_and_names_the_one_step(place: ObsPlace, tmp_path: Path) -> None:
    console = FakeConsole()
    running.run(console, tmp_path / "venv", Wishes(choice=Choice(keep_scenes=True)))
    assert started == [[str(place.program)]]
    assert registration.MENU_STEP in console.text
    assert not place.config.exists()


def test_the_folder_named_once_is_meant_later_too(place: ObsPlace, tmp_path: Path) -> None:
    obs_program(tmp_path / "Other")
    running.run(FakeConsole(), tmp_path / "venv", Wishes(obs=str(tmp_path / "Other"), choice=Choice(keep_scenes=True)))
    running.run(FakeConsole(), tmp_path / "venv", Wishes(choice=Choice(keep_scenes=True)))
    assert started == [[str(tmp_path / "Other/bin/64bit/obs64.exe")]] * 2
    assert running.named_obs("") == str(tmp_path / "Other")
    assert running.named_obs("x") == "x"
    install_record.record_obs(str(tmp_path / "gone"))
    assert running.named_obs("") == ""


def test_of_several_obs_one_is_chosen(place: ObsPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ObsPlace(obs_program(tmp_path / "Other"), tmp_path / "config")
    monkeypatch.setattr(running, "all_obs", lambda: [place, other])
    running.run(FakeConsole([1]), tmp_path / "venv", Wishes(choice=Choice(keep_scenes=True)))
    assert started == [[str(other.program)]]
    assert running.named_obs("") == str(other.program)


def test_without_obs_it_is_installed_or_told(place: ObsPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here: list[ObsPlace] = []
    monkeypatch.setattr(running, "all_obs", lambda: here)
    monkeypatch.setattr(running, "install_obs", lambda console: None)
    with pytest.raises(InstallProblem, match="cannot be found"):
        running.run(FakeConsole(), tmp_path / "venv", Wishes())
    monkeypatch.setattr(running, "install_obs", lambda console: here.append(place))
    running.run(FakeConsole(), tmp_path / "venv", Wishes())
    assert len(started) == 1


def test_asking_again_forgets_what_was_declined(place: ObsPlace, tmp_path: Path) -> None:
    install_record.record_declined("spout")
    install_record.record_declined("nvidia")
    running.run(FakeConsole(), tmp_path / "venv", Wishes(ask_again=True))
    assert not install_record.was_declined("spout")
    assert not install_record.was_declined("nvidia")


def test_uninstall_puts_back_what_run_did(place: ObsPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "venv"
    folder.mkdir()
    (folder / "pyvenv.cfg").touch()
    (folder / "packages for the card").touch()
    running.run(FakeConsole(), folder, Wishes())
    assert "obs_easyvtuber.py" in (place.config / "basic/scenes/EasyVtuber.json").read_text()
    monkeypatch.setattr(running, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(registration, "obs_config_folder", lambda: tmp_path / "none")
    assert main.main(["--yes", "--environment", str(folder), "uninstall", "--obs", str(place.root)]) == 0
    assert "obs_easyvtuber.py" not in (place.config / "basic/scenes/EasyVtuber.json").read_text()
    assert not folder.exists()
    assert not list(tmp_path.rglob("installed.json"))


def test_an_environment_in_use_is_told(place: ObsPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv/pyvenv.cfg").touch()

    def fail(path: Path, ignore_errors: bool = False) -> None:
        raise PermissionError("in use")

    monkeypatch.setattr(shutil, "rmtree", fail)
    monkeypatch.setattr(registration, "obs_config_folder", lambda: tmp_path / "none")
    said: list[str] = []
    monkeypatch.setattr(console, "_print", said.append)
    assert main.main(["--yes", "--environment", str(tmp_path / "venv"), "uninstall"]) == 1
    assert "Close OBS" in said[-1]


def test_the_command_line_reaches_run(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    got: list[Wishes] = []
    monkeypatch.setattr(running, "run", lambda console, folder, wishes: got.append(wishes))
    assert main.main(["run", "--obs", "D:/OBS", "--collection", "Mine", "--ask-again", "--yes"]) == 0
    assert main.main(["run", "--keep-scenes"]) == 0
    assert got == [
        Wishes(obs="D:/OBS", choice=Choice("Mine"), ask_again=True),
        Wishes(choice=Choice(keep_scenes=True)),
    ]
    with pytest.raises(SystemExit):
        main.main(["run", "--keep-scenes", "--collection", "Mine"])


def test_ctrl_c_is_one_calm_sentence(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    said: list[str] = []
    monkeypatch.setattr(running, "run", interrupt)
    monkeypatch.setattr(console, "_print", said.append)
    assert main.main(["run"]) == 130
    assert "run the same command again" in said[-1]


def test_half_an_environment_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(command: list[str], limit_s: float = 0.0) -> object:
        if "venv" in command:
            (tmp_path / "venv").mkdir()
            raise KeyboardInterrupt
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(environment, "run_quietly", interrupt)
    with pytest.raises(KeyboardInterrupt):
        environment._make(tmp_path / "venv", pythons.Python(Path("python"), (3, 12), 64), FakeConsole())
    assert not (tmp_path / "venv").exists()


class Typed:
    """A user who types these lines and then closes the input."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)

    def __call__(self, question: str) -> str:
        if not self._lines:
            raise EOFError
        return self._lines.pop(0)


def test_questions_take_enter_and_understand_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Console()
    asked.interactive = True
    monkeypatch.setattr(builtins, "input", Typed("", "what", "N", "yes"))
    assert [asked.ask("?"), asked.ask("?"), asked.ask("?")] == [True, False, True]
    monkeypatch.setattr(builtins, "input", Typed("", "0", "4", "x", "²", "3"))
    assert [asked.choose("?", "abc"), asked.choose("?", "abc")] == [0, 2]
    assert asked.choose("?", "a") == 0
    # the input has ended: nobody can answer any more
    with pytest.raises(KeyboardInterrupt):
        asked.ask("?")
    with pytest.raises(KeyboardInterrupt):
        asked.choose("?", "abc")


def test_nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "input", lambda question: pytest.fail("waits for an answer"))
    alone, agreed = Console(), Console(assume_yes=True)
    alone.interactive, agreed.interactive = False, True
    for quiet in (alone, agreed):
        assert not quiet.attended
        assert quiet.ask("?")
        assert quiet.choose("?", "abc") == 0
    monkeypatch.setattr(sys, "stdin", None)
    assert not Console().interactive


def test_the_doctor_tells_card_obs_python_and_plugin(place: ObsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ObsPlace, "version", lambda self: (32, 2, 2))
    monkeypatch.setattr(doctor, "graphics_cards", lambda: [GraphicsCard("NVIDIA GeForce RTX 4070", "NVIDIA")])
    findings = [*doctor._graphics(place.root), *doctor._obs(str(place.root)), *doctor._script(str(place.root))]
    text = "\n".join(finding.text for finding in findings)
    for expected in ("RTX 4070: can use", "run --ask-again", "32.2.2, portable", "OBS loads no Python", "no Spout2"):
        assert expected in text
    assert [finding.good for finding in findings] == [True, True, True, False, True, False]


def test_old_obs_is_told_by_the_doctor(place: ObsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ObsPlace, "version", lambda self: (27, 2, 4))
    assert [finding.good for finding in doctor._obs(str(place.root))] == [False]


def test_winget_is_asked_for_exactly_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(system_packages, "package_manager", lambda: "winget")
    monkeypatch.setattr(system_packages, "_plain", lambda command, console: ran.append(command))
    system_packages.install_packages([pythons.WINGET_PACKAGE], FakeConsole(), "because")
    assert ran[0][:3] == ["winget", "install", "--exact"]
    assert ran[0][-1] == "Python.Python.3.12"


def batch(name: str) -> str:
    data = (PROJECT / name).read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n"), "cmd finds its labels reliably only with CRLF"
    return data.decode("ascii")


def test_install_bat_says_what_the_program_says() -> None:
    text = batch("install.bat")
    assert "The worker needs a 64-bit Python from 3.11 to 3.13, best 3.12." in text
    assert pythons.BY_HAND in text
    assert f"Install {pythons.WINGET_PACKAGE} with winget?" in text
    assert f"--accept-source-agreements {pythons.WINGET_PACKAGE}" in text
    assert "install.bat" in batch("uninstall.bat")


def test_the_note_of_a_run_can_be_read_by_people(place: ObsPlace, tmp_path: Path, home: Path) -> None:
    running.run(FakeConsole(), tmp_path / "venv", Wishes(obs=str(place.root)))
    noted = json.loads((home / "data/installed.json").read_text("utf-8"))
    assert noted["obs"] == str(place.root)
    assert noted["collections"] == [str(place.config / "basic/scenes/EasyVtuber.json")]
