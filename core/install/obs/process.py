"""An OBS of our own: started with private settings in a given home, asked by websocket, ended in order. Linux only.

ObsProcessError
|- ObsNotReady      it ended while starting, or could not be asked in time
`- ObsMissing       there is no such program, or it is not OBS
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Mapping, Optional, Tuple, Type

from .config import NAME, Collection, Version, private_files, websocket_json, websocket_section
from .files import read_ini, with_ini_value
from .websocket import ObsPasswordRefused, ObsWebsocket, ObsWebsocketError

_CONFIG = ".config/obs-studio"
_NOT_INHERITED = re.compile(
    r"PYTHON|PYENV|VIRTUAL_ENV|XDG_|DBUS_SESSION|WAYLAND_DISPLAY|QT_|LD_LIBRARY_PATH|LD_PRELOAD"
)


class ObsProcessError(Exception):
    """OBS could not be started."""


class ObsNotReady(ObsProcessError):
    """OBS was started and cannot be used; the message ends with its last words."""


class ObsMissing(ObsProcessError):
    """The program is not there or does not say which OBS it is."""


def obs_version(program: str = "obs") -> Version:
    """What ``obs --version`` says. Raises ObsMissing."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ObsMissing(f"{program} cannot be asked for its version: {error}") from error
    return parse_version(answer.decode("utf-8", "replace"))


def parse_version(text: str) -> Version:
    """The version in ``OBS Studio - 29.0.2.1-1+b1 (linux)``. Raises ObsMissing."""
    match = re.search(r"OBS Studio - v?(\d+)\.(\d+)(?:\.(\d+))?", text)
    if match is None:
        raise ObsMissing(f"this is no OBS version: {text[:80]!r}")
    return int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)


def obs_arguments(version: Version) -> List[str]:
    """The options of an OBS that asks nothing at its start."""
    arguments = ["--multi", "--disable-updater", "--disable-missing-files-check", "--verbose"]
    if (
        (30, 0, 0) <= version < (32, 0, 0)
    ):  # the question after a kill; older ones do not ask, newer ones lost the option
        arguments.append("--disable-shutdown-check")
    return arguments


def private_environment(home: Path, display: str, base: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """The environment of a private OBS: nothing of this Python, this desktop or this user's settings reaches it."""
    inherited = os.environ if base is None else base
    environment = {name: value for name, value in inherited.items() if not _NOT_INHERITED.match(name)}
    folders = {
        "CONFIG_HOME": ".config",
        "CACHE_HOME": ".cache",
        "DATA_HOME": ".local/share",
        "STATE_HOME": ".local/state",
    }
    environment.update({f"XDG_{name}": str(home / folder) for name, folder in folders.items()})
    environment.update(HOME=str(home), XDG_RUNTIME_DIR=str(home / "run"), XDG_SESSION_TYPE="x11", DISPLAY=display)
    environment.update(LIBGL_ALWAYS_SOFTWARE="1", QT_QPA_PLATFORM="xcb", LANG="C.UTF-8")
    return environment


def free_port() -> int:
    """A TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrivateHome:
    """A folder that serves an OBS as its user's home. It can be used again: then OBS finds what it saved."""

    def __init__(self, path: Path, version: Version) -> None:
        self.path, self.version = path, version
        self.config = path / _CONFIG
        self.collection_file = self.config / f"basic/scenes/{NAME}.json"
        self.port, self.password = free_port(), secrets.token_hex(8)

    @property
    def is_written(self) -> bool:
        """Whether an OBS has been here, or could start here."""
        return self.collection_file.is_file()

    def write(
        self,
        collection: Collection,
        size: Tuple[int, int] = (640, 360),
        frames_per_second: int = 60,
        preview: bool = False,
    ) -> None:
        """Write everything a first start needs."""
        files = private_files(
            self.version, collection, self.port, self.password, size, frames_per_second, preview, str(self.path)
        )
        for name, text in files.items():
            file = self.config / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        (self.path / "run").mkdir(mode=0o700, exist_ok=True)

    def renew_access(self) -> None:
        """Give a home that was used before this object's port and password, and let OBS forget an end by force."""
        shutil.rmtree(self.config / ".sentinel", ignore_errors=True)
        as_json = self.config / "plugin_config/obs-websocket/config.json"
        if as_json.is_file():
            as_json.write_text(websocket_json(self.port, self.password), "utf-8")
            return
        settings = self.config / "global.ini"
        text = read_ini(settings).text
        for key, value in websocket_section(self.port, self.password).items():
            text = with_ini_value(text, "OBSWebSocket", key, value)
        settings.write_text(text, "utf-8", "surrogateescape")


class ObsProcess:
    """One running OBS, and the connection to it. Belongs to one thread."""

    def __init__(
        self,
        home: PrivateHome,
        display: str,
        environment: Optional[Mapping[str, str]] = None,
        program: str = "obs",
        limit_s: float = 90.0,
    ) -> None:
        """Start OBS in this home and wait until it can be asked. ``environment`` adds to the private one."""
        self.home = home
        self.environment = {**private_environment(home.path, display), **(environment or {})}
        self.ended_by = "its window"
        """What it took to end OBS; for reports."""
        self._log_file = home.path / "obs.log"
        started = time.monotonic()
        with self._log_file.open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    [program, *obs_arguments(home.version)],
                    env=self.environment,
                    cwd=str(home.path),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C in a terminal is for us: we end OBS in order
                )
            except OSError as error:
                raise ObsMissing(f"{program} cannot be started: {error}") from error
        try:
            self.websocket = self._connect(started + limit_s)
        except BaseException:
            self._end_at_once()
            raise
        self.start_s = time.monotonic() - started
        """How long it took until OBS could be asked."""

    @property
    def pid(self) -> int:
        """OBS's process id."""
        return self._process.pid

    @property
    def exit_code(self) -> Optional[int]:
        """None while OBS runs; negative for a signal."""
        return self._process.poll()

    def log_text(self) -> str:
        """What OBS has written to its standard output and error so far."""
        return self._log_file.read_text("utf-8", "replace")

    def _connect(self, deadline: float) -> ObsWebsocket:
        reason = "it was not asked"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                reason = f"it ended with {self._process.returncode}"
                break
            try:
                websocket = ObsWebsocket(self.home.port, self.home.password)
            except ObsPasswordRefused as error:
                reason = str(error)
                break
            except ObsWebsocketError as error:
                reason = str(error)
            else:
                try:
                    websocket.request("GetSceneList")  # refused until the scenes are loaded
                    return websocket
                except ObsWebsocketError as error:
                    websocket.close()
                    reason = str(error)
            time.sleep(0.05)
        raise ObsNotReady(f"OBS does not get ready: {reason}. Its last words:\n{self.log_text()[-2000:]}")

    def main_window(self) -> Optional[str]:
        """The id of OBS's main window as wmctrl writes it; None if it has none (any more)."""
        asking = ["wmctrl", "-l", "-p"]
        answer = subprocess.run(asking, env=self.environment, capture_output=True, timeout=10, check=False).stdout
        for line in answer.decode("utf-8", "replace").splitlines():
            fields = line.split(None, 4)  # window, desktop, process, machine, title
            if len(fields) == 5 and fields[2] == str(self.pid) and re.match(r"OBS (Studio )?\d", fields[4]):
                return fields[0]
        return None

    def stop(self, limit_s: float = 15.0) -> int:
        """End OBS as its user would, harder if it does not listen. Gives the exit code; safe to call twice."""
        deadline = time.monotonic() + limit_s
        try:
            self.websocket.close()  # an open connection delays the exit by five seconds
            # OBS 29 may crash in its SIGINT handler, so its window is asked, as a click on the cross would.
            while self._process.poll() is None and time.monotonic() < deadline:
                window = self.main_window()
                if window is None:  # not there yet, or gone already
                    self._ended_within(0.1)
                    continue
                closing = ["wmctrl", "-i", "-c", window]
                subprocess.run(closing, env=self.environment, capture_output=True, timeout=10, check=False)
                self._ended_within(limit_s / 4)
            if self._process.poll() is None:
                self.ended_by = "SIGINT"
                self._process.send_signal(signal.SIGINT)
                self._ended_within(limit_s / 2)
        finally:
            code = self._end_at_once()
        return code

    def kill(self) -> int:
        """End OBS by force, in the middle of whatever it does. Gives the exit code."""
        code = self._end_at_once()
        self.websocket.close()
        return code

    def _end_at_once(self) -> int:
        if self._process.poll() is None:
            self.ended_by = "SIGKILL"
            self._process.kill()
        return self._process.wait(10)

    def _ended_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def __enter__(self) -> ObsProcess:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()
