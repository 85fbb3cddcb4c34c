"""A screen that nobody sees, to drive OBS and look at it without a monitor: Xvfb and a window manager. Linux only.

VirtualScreenError
|- ProgramsMissing      programs, and what installs them
`- ScreenFailed         a program is there but did not do its work
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Dict, Iterable, List, Mapping, NoReturn, Optional, Type

PACKAGES = {
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "wmctrl": "wmctrl",
    "xdotool": "xdotool",
    "import": "imagemagick",
    "obs": "obs-studio",
}
"""Which Debian or Ubuntu package brings which program."""
SCREEN_PROGRAMS = ("Xvfb", "openbox", "wmctrl")


class VirtualScreenError(Exception):
    """There is no virtual screen, and the message says why."""


class ProgramsMissing(VirtualScreenError):
    """Programs that are not installed. ``programs`` are their names."""

    def __init__(self, programs: Iterable[str]) -> None:
        self.programs = sorted(programs)
        packages = " ".join(sorted({PACKAGES.get(name, name) for name in self.programs}))
        super().__init__(f"not installed: {', '.join(self.programs)} (apt-get install {packages})")


class ScreenFailed(VirtualScreenError):
    """Xvfb or the window manager ended, or did not get ready in time."""


def missing_programs(names: Iterable[str]) -> List[str]:
    """Those of the named programs that are not on the PATH."""
    return [name for name in names if shutil.which(name) is None]


class VirtualScreen:
    """Xvfb on a free display, and openbox on it. Use as a context manager, in the thread that keeps it."""

    def __init__(self, width: int = 1600, height: int = 1000, limit_s: float = 30.0) -> None:
        """Start both and wait until they are ready. Raises a VirtualScreenError."""
        missing = missing_programs(SCREEN_PROGRAMS)
        if missing:
            raise ProgramsMissing(missing)
        self.width, self.height = width, height
        self._folder = Path(tempfile.mkdtemp(prefix="virtual-screen-"))
        self._processes: List[subprocess.Popen[bytes]] = []
        deadline = time.monotonic() + limit_s
        try:
            self.display = self._start_x_server(deadline)
            self._start_window_manager(deadline)
        except BaseException:
            self.close()
            raise

    def environment(self, base: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
        """``base`` (default: this process's environment) made to point at this screen and at no other."""
        environment = dict(os.environ if base is None else base)
        for name in ("WAYLAND_DISPLAY", "XAUTHORITY"):
            environment.pop(name, None)
        environment.update(DISPLAY=self.display, XDG_SESSION_TYPE="x11")
        return environment

    def _start_x_server(self, deadline: float) -> str:
        reading, writing = os.pipe()
        try:
            command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{self.width}x{self.height}x24"]
            # Without -noreset the server starts over whenever its last client leaves.
            command += ["-nolisten", "tcp", "-noreset", "+extension", "GLX"]
            if shutil.which("setpriv"):  # the screen, and all that draws on it, ends with us even if we are killed
                command = ["setpriv", "--pdeathsig", "TERM", *command]
            try:
                server = self._start("Xvfb", command, None, pass_descriptor=writing)
            finally:
                os.close(writing)
            number = b""
            while not number.endswith(
                b"\n"
            ):  # it writes the number and the newline apart, and dies if we leave between
                left_s = deadline - time.monotonic()
                ready, _, _ = select.select([reading], [], [], max(0.0, left_s))
                data = os.read(reading, 16) if ready else b""
                if not data:
                    self._fail("Xvfb", server, "did not open a display" if ready else "did not get ready in time")
                number += data
        finally:
            os.close(reading)
        return ":" + number.decode("ascii").strip()

    def _start_window_manager(self, deadline: float) -> None:
        # A home of its own: the user's openbox settings may place or decorate windows differently.
        environment = self.environment({"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._folder)})
        manager = self._start("openbox", ["openbox", "--sm-disable"], environment)
        asking = ["wmctrl", "-m"]
        while subprocess.run(asking, env=environment, capture_output=True, timeout=10, check=False).returncode != 0:
            if manager.poll() is not None:
                self._fail("openbox", manager, "ended at once")
            if time.monotonic() > deadline:
                self._fail("openbox", manager, "did not get ready in time")
            time.sleep(0.05)

    def _start(
        self,
        name: str,
        command: List[str],
        environment: Optional[Dict[str, str]],
        pass_descriptor: Optional[int] = None,
    ) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is for us: we end them in order
                pass_fds=() if pass_descriptor is None else (pass_descriptor,),
            )
        self._processes.append(process)
        return process

    def _fail(self, name: str, process: subprocess.Popen[bytes], what: str) -> NoReturn:
        code = process.poll()
        said = (self._folder / f"{name}.log").read_text("utf-8", "replace").strip()[-500:]
        raise ScreenFailed(f"{name} {what} (exit code {code}): {said or 'it said nothing'}")

    def close(self) -> None:
        """End the window manager, then the screen. Safe to call twice."""
        while self._processes:
            process = self._processes.pop()
            process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(3)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> VirtualScreen:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()
