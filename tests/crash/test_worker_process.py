"""The real worker process: what reaches its pipe, what it survives, and that it never outlives its OBS."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.wire.errors import StreamUnreadable
from core.wire.folders import PROJECT
from core.wire.version import PROTOCOL
from core.worker.__main__ import EXIT_MISSING_PACKAGE
from tests.contract.fake_outputs import LIMIT_S, wait_until
from tests.crash.worker_process import COMMAND, WORKER, WorkerProcess
from tests.unit.openseeface_packets import Face, datagram

Start = Callable[..., WorkerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts workers; what still runs at the end is killed."""
    started: list[WorkerProcess] = []

    def start(*command: str, home: Path = tmp_path / "home", listens: bool = True) -> WorkerProcess:
        started.append(WorkerProcess(home, command or COMMAND, listens=listens))
        return started[-1]

    yield start
    for worker in started:
        worker.close()


@pytest.fixture
def worker(start: Start) -> WorkerProcess:
    """One that works."""
    worker = start()
    worker.configure()
    worker.works()
    return worker


# -- a whole life ---------------------------------------------------------------------------------------------------


def test_it_says_hello_with_its_own_process_id(start: Start) -> None:
    worker = start()
    hello = worker.hear()
    assert (hello["type"], hello["protocol"]) == ("hello", PROTOCOL)
    # an environment's python.exe on Windows is a launcher that starts the interpreter and waits for it
    started = psutil.Process(hello["pid"]).ppid() if sys.platform == "win32" else hello["pid"]
    assert started == worker.process.pid


def test_from_start_to_stop_nothing_but_messages_comes_out(start: Start) -> None:
    worker = start()
    worker.configure(tracker="debug", interpolation=True, log_level="debug")
    worker.works()
    worker.hear("stats")
    worker.ask("set", settings={"character": "mothlight"})
    worker.say(b"garbage")
    assert worker.ask("stop")["ok"]
    assert worker.exit_code() == 0
    assert worker.odd_lines == []
    assert worker.stderr == ""


def test_what_a_library_prints_goes_to_stderr(start: Start) -> None:
    program = f"""
import runpy, sys
sys.argv = [{str(WORKER)!r}]
import core.worker.app as app
before = app.Worker.run
def run(self):
    print("chatter")
    return before(self)
app.Worker.run = run
runpy.run_path({str(WORKER)!r}, run_name="__main__")
"""
    worker = start(sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n{program}")
    worker.hear("hello")
    worker.ask("stop")
    assert worker.exit_code() == 0
    assert worker.odd_lines == []
    assert "chatter" in worker.stderr


def test_its_log_is_kept_where_the_user_data_is(worker: WorkerProcess) -> None:
    worker.say(b"garbage")
    worker.hear("error")
    log = worker.home / "logs" / "worker.log"
    assert wait_until(lambda: log.exists() and "message_malformed" in log.read_text(encoding="utf-8"))


# -- its end --------------------------------------------------------------------------------------------------------


def test_it_ends_with_its_pipe(worker: WorkerProcess) -> None:
    worker.hang_up()
    assert worker.exit_code() == 0


def test_it_ends_with_its_pipe_before_it_was_configured(start: Start) -> None:
    worker = start()
    worker.hear("hello")
    worker.hang_up()
    assert worker.exit_code() == 0


def test_it_ends_with_its_pipe_while_it_still_prepares(start: Start) -> None:
    worker = start()
    worker.configure(preset="ultra")
    worker.hang_up()
    assert worker.exit_code() == 0


def test_it_ends_with_its_pipe_even_if_nobody_reads_what_it_says(start: Start) -> None:
    worker = start(listens=False)
    worker.configure(tracker="debug")
    for number in range(4000):
        worker.tell("action", id=number, name="x" * 64)  # each is answered with a refusal: more than a pipe holds
    worker.hang_up()
    assert worker.exit_code() == 0
    assert worker.stderr == ""


def test_it_ends_when_its_parent_was_killed(start: Start) -> None:
    """The parent's death closes the pipe; that the worker ended shows in ours, which only it still holds."""
    program = """
import subprocess, sys, time
worker = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
worker.stdin.write(sys.stdin.buffer.readline())
worker.stdin.flush()
time.sleep(600)
"""
    parent = start(sys.executable, "-I", "-c", program, *COMMAND)
    parent.configure()
    parent.works()
    assert not parent.ended.is_set()
    parent.process.kill()
    assert parent.ended.wait(LIMIT_S)


def program_with_environment(code: str) -> tuple[str, ...]:
    lines = f"import sys, time\nsys.path.insert(0, {str(PROJECT)!r})\nfrom core.worker import environment\n{code}"
    return sys.executable, "-I", "-c", lines


def test_a_loop_that_does_not_listen_is_ended_all_the_same(start: Start) -> None:
    worker = start(*program_with_environment("environment.end_soon(7)\ntime.sleep(600)"))
    assert worker.exit_code() == 7


def test_one_that_is_stuck_leaves_a_trace_and_ends(start: Start) -> None:
    stuck = "environment.STUCK_S = 0.1\nenvironment.still_alive()\ndef stuck_here(): time.sleep(600)\nstuck_here()"
    worker = start(*program_with_environment(stuck))
    assert worker.exit_code() != 0
    assert "stuck_here" in worker.stderr


def test_an_unexpected_error_ends_it_with_a_trace_and_no_success(start: Start) -> None:
    code = f"""
import runpy
import core.worker.app as app
def run(self): raise ZeroDivisionError("broken inside")
app.Worker.run = run
runpy.run_path({str(WORKER)!r}, run_name="__main__")
"""
    worker = start(*program_with_environment(code))
    assert worker.exit_code() not in (0, EXIT_MISSING_PACKAGE)
    assert "broken inside" in worker.stderr


# -- what is not there ----------------------------------------------------------------------------------------------


def test_an_environment_without_packages_is_told_apart(start: Start) -> None:
    """Without the site module the environment's own packages are out of reach: an interpreter and nothing else."""
    worker = start(sys.executable, "-I", "-S", str(WORKER))
    assert worker.exit_code() == EXIT_MISSING_PACKAGE
    assert worker.stderr.splitlines()[-1] in ("numpy", "cv2")


@pytest.mark.parametrize("package", ["numpy", "cv2"])
def test_a_missing_package_is_named_in_the_last_line(start: Start, package: str) -> None:
    code = f"import runpy, sys; sys.modules[{package!r}] = None; runpy.run_path({str(WORKER)!r}, run_name='__main__')"
    worker = start(sys.executable, "-I", "-c", code)
    assert worker.exit_code() == EXIT_MISSING_PACKAGE
    assert worker.stderr.splitlines()[-1] == package
    assert worker.heard == []


def test_a_home_that_cannot_be_written_costs_only_the_log(start: Start, tmp_path: Path) -> None:
    home = tmp_path / "a file"
    home.write_text("in the way")
    worker = start(home=home)
    worker.configure(tracker="debug")
    worker.works()
    assert worker.ask("stop")["ok"]
    assert worker.exit_code() == 0
    assert home.read_text() == "in the way"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_costs_only_the_log(start: Start, tmp_path: Path) -> None:
    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)
    (logs / "worker.log").symlink_to("/dev/full")
    worker = start()
    worker.configure(log_level="debug")
    worker.works()
    for _ in range(50):
        worker.say(b"garbage")  # every line is logged
    worker.hear("error")
    assert worker.ask("stop")["ok"]
    assert worker.exit_code() == 0
    assert worker.odd_lines == []


# -- what the user is told ------------------------------------------------------------------------------------------


def test_a_missing_character_is_told_and_cleared(start: Start) -> None:
    worker = start()
    worker.configure(character="nobody")
    error = worker.hear("error")
    assert (error["where"], error["code"], error["parameters"]) == (
        "character",
        "character_missing",
        {"character": "nobody"},
    )
    worker.ask("set", settings={"character": "nocti"})
    assert worker.hear("cleared")["where"] == "character"
    worker.works()


def test_a_port_in_use_is_told_and_cleared_when_it_is_free(start: Start) -> None:
    worker = start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind(("127.0.0.1", 0))
        port = squatter.getsockname()[1]
        worker.configure(tracker="openseeface", osf_port=port)
        error = worker.hear("error")
        assert (error["code"], error["parameters"]["port"]) == ("port_in_use", port)
    assert worker.hear("cleared")["where"] == error["where"]


def test_an_unreadable_recording_is_told_and_cleared(start: Start, tmp_path: Path) -> None:
    worker = start()
    worker.configure(tracker="replay", replay_path=str(tmp_path / "openseeface.rec"))
    error = worker.hear("error")
    assert (error["where"], error["code"]) == ("tracker", StreamUnreadable.code)
    good = tmp_path / "openseeface good.rec"
    good.write_bytes(struct.pack("<dI", 0.0, 1785) + datagram(Face()))
    worker.ask("set", settings={"replay_path": str(good)})
    assert worker.hear("cleared")["where"] == "tracker"
    worker.hear(lambda message: message["type"] == "state" and message["tracker_state"] == "tracking")


def test_a_recording_that_appears_later_is_found(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "openseeface.rec"
    worker = start()
    worker.configure(tracker="replay", replay_path=str(path))
    worker.hear("error")
    path.write_bytes(struct.pack("<dI", 0.0, 1785) + datagram(Face()))
    assert worker.hear("cleared")["where"] == "tracker"
