"""The preview's window program as a child: started, fed, watched and ended; and whether there is a display for it."""

from __future__ import annotations

import collections
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

from core.wire import child_program
from core.wire.errors import DisplayMissing, EasyVtuberError, OutputFailed

from .base import Picture
from .latest import CLOSE_LIMIT_S
from .preview_window import READY

_log = logging.getLogger(__name__)

OPEN_LIMIT_S = 8.0
_PROBE_LIMIT_S = 2.0
_DISPLAY = re.compile(r"(?P<host>[^:/]*):(?P<number>\d+)(\.\d+)?")


class WindowProcess:
    """The window program from its start to its end, which this object sees to."""

    def __init__(self, program: Path) -> None:
        self._process = child_program.start(program, _environment(), subprocess.STDOUT)
        self._heard = threading.Event()
        self._opened = False
        self._last_lines: collections.deque[str] = collections.deque(maxlen=20)
        self._listener = threading.Thread(target=self._listen, name="preview-window", daemon=True)
        self._listener.start()

    @property
    def exit_status(self) -> int | None:
        """None while the program runs."""
        return self._process.poll()

    def wait_until_open(self) -> None:
        """Raises DisplayMissing or OutputFailed when the window does not open in time."""
        if not self._heard.wait(OPEN_LIMIT_S):
            raise OutputFailed(f"no window within {OPEN_LIMIT_S} s", output="preview")
        if not self._opened:
            self.wait_until_gone()
            raise self.failure()

    def send(self, head: bytes, picture: Picture) -> None:
        """Raises OSError when the program is gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(head)
        self._process.stdin.write(picture.data)
        self._process.stdin.flush()

    def failure(self) -> EasyVtuberError:
        """What the program's last words tell."""
        detail = f"status {self.exit_status}: " + "\n".join(self._last_lines)
        if sys.platform == "linux" and any("display" in line.lower() for line in self._last_lines):
            return DisplayMissing(detail)
        return OutputFailed(detail, output="preview")

    def wait_until_gone(self) -> None:
        """Give the program a moment to end, then end it."""
        if not child_program.end(self._process):
            _log.info("The preview's window program was ended before it did so itself")
        self._listener.join(CLOSE_LIMIT_S)

    def kill(self) -> None:
        """End the program now."""
        self._process.kill()

    def close(self) -> None:
        """Close the window and wait for its program's end."""
        assert self._process.stdout is not None
        self.wait_until_gone()
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.rstrip() == READY:
                self._opened = True
                self._heard.set()
            else:
                self._last_lines.append(line.decode("utf-8", "replace").rstrip())
        self._heard.set()


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    if sys.platform == "linux":
        # OpenCV's packages carry only this one of Qt's platforms; a desktop's own choice ("wayland") would end in abort
        environment["QT_QPA_PLATFORM"] = "xcb"
    return environment


def probe_display(display: str) -> None:
    """Raises DisplayMissing when nothing answers at the X display: quicker and clearer than a failing window."""
    if not display:
        raise DisplayMissing("DISPLAY is not set")
    match = _DISPLAY.fullmatch(display)
    if match is None:
        # a form that only libX11 knows: let it try
        return
    host, number = match["host"], int(match["number"])
    try:
        if host in ("", "unix"):
            _connect_to_local_display(f"/tmp/.X11-unix/X{number}")
        else:
            socket.create_connection((host, 6000 + number), _PROBE_LIMIT_S).close()
    except OSError as problem:
        raise DisplayMissing(f"DISPLAY={display}: {problem}") from problem


def _connect_to_local_display(path: str) -> None:
    if sys.platform == "win32":
        return
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PROBE_LIMIT_S)
        try:
            connection.connect(path)
            return
        except OSError:
            # the abstract name has no file, so a container may have only the one or the other
            pass
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PROBE_LIMIT_S)
        connection.connect("\0" + path)
