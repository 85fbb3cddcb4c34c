"""A real worker process as OBS starts one, with both ends of its pipe in the test's hands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from core.wire.folders import PROJECT
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import LIMIT_S
from tests.unit.other_side import Heard, OtherSide

WORKER = PROJECT / "core" / "worker"
COMMAND = (sys.executable, "-I", str(WORKER))
QUIET: Mapping[str, Value] = {"tracker": "idle", "output": "null", "preset": "low"}
"""Settings that need nothing from the machine."""


class WorkerProcess(OtherSide):
    """One process; ``home`` is where it keeps its logs and data."""

    def __init__(self, home: Path, command: Sequence[str] = COMMAND, *, listens: bool = True) -> None:
        self.home = home
        self._stderr_path = home.parent / f"{home.name}.stderr"
        with self._stderr_path.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=home.parent,
                env={**os.environ, "EASYVTUBER_HOME": str(home)},
            )
        super().__init__(cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout))
        if listens:
            self.listen()

    @property
    def stderr(self) -> str:
        """What it wrote to stderr so far."""
        return self._stderr_path.read_text(encoding="utf-8", errors="replace")

    def configure(self, **settings: Value) -> None:
        """Put it to work."""
        self.tell("configure", settings={**defaults(), **QUIET, **settings}, rung="rig", visible=True)

    def works(self) -> Heard:
        """Wait until it tells of frames that went out."""
        return self.hear(lambda message: message["type"] == "heartbeat" and message["frames"] > 0)

    def exit_code(self) -> int:
        """Wait for its end."""
        return self.process.wait(LIMIT_S)

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.process.kill()
        self.process.wait(LIMIT_S)
        super().close()
