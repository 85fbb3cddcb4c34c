"""One running OBS-like host seen from a test: started, told what to load, asked, and ended whatever happens."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from tests.contract.fake_outputs import wait_until

LIMIT_S = 90.0
"""For every wait: long enough for a busy machine under Wine, so that only a real fault meets it."""
SOURCE = "EasyVtuber"
_NOT_PASSED_ON = ("EASYVTUBER_HOME", "PYTHONUTF8", "PYTHONIOENCODING")


class Host:
    """``obs64.exe`` with one script. A context manager; leaving it ends the program if it still runs."""

    def __init__(
        self, folder: Path, python_home: str, script: Path, settings: Mapping[str, object], user_folder: Path
    ) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
        # what other programs of the user's may have left behind, and what no worker may hear of
        environment["PYTHONHOME"] = environment["PYTHONPATH"] = r"C:\another program\python"
        environment["LOCALAPPDATA"] = str(user_folder)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(LIMIT_S)
            port = str(listener.getsockname()[1])
            self.process = subprocess.Popen(
                [str(folder / "bin" / "64bit" / "obs64.exe"), python_home, port],
                env=environment,
                cwd=str(folder / "bin" / "64bit"),
                creationflags=getattr(subprocess, "DETACHED_PROCESS", 0),
            )
            try:
                self._connection = listener.accept()[0]
            except OSError:
                self.process.kill()
                raise AssertionError(f"the host did not start: exit code {self.process.wait(LIMIT_S)}") from None
        self._connection.settimeout(LIMIT_S)
        self._answers = self._connection.makefile("rb")
        self._connection.sendall(json.dumps({"script": str(script), "settings": dict(settings)}).encode() + b"\n")

    def __enter__(self) -> Host:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answers.close()
        self._connection.close()
        try:
            self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            if error is None:
                raise

    def ask(self, call: str, *arguments: object) -> Any:
        """What a function of ``obs_host_scripting`` gives, called on OBS's UI thread."""
        self._connection.sendall(json.dumps({"call": call, "arguments": arguments}).encode() + b"\n")
        line = self._answers.readline()
        assert line, f"the host is gone: exit code {self.process.wait(LIMIT_S)}"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def look_until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The source's look, once it is as wanted."""
        seen: dict[str, Any] = {}

        def fits() -> bool:
            seen.update(self.ask("look", SOURCE))
            return bool(seen) and holds(seen)

        assert wait_until(fits, LIMIT_S), f"{seen}\n{self.ask('status')}\n{self.ask('facts')['said']}"
        return seen

    def leave(self) -> int:
        """Unload the script and end the program; its exit code."""
        self.ask("unload")
        self.ask("leave")
        return self.process.wait(LIMIT_S)

    def kill(self) -> None:
        """End it as the task manager does, without a word."""
        self.process.kill()
        self.process.wait(LIMIT_S)


def workers(project: Path) -> list[psutil.Process]:
    """The processes that run this project's worker: the environment's ``python.exe`` and the interpreter behind it."""
    entry = str(project / "core" / "worker")
    found = []
    for process in psutil.process_iter():
        try:
            if entry in process.cmdline():
                found.append(process)
        except (psutil.Error, OSError):
            # it ended meanwhile, or it is the system's
            continue
    return found


def all_gone(project: Path) -> bool:
    """No worker of this project is left, after a while at most."""
    return wait_until(lambda: workers(project) == [], LIMIT_S)
