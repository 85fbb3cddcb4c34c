"""A real OBS in a test's hands: asked by websocket, seen by screenshots, driven on its virtual screen, and ended."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from core.install.obs.config import SceneItem, Version, add_script, colour_source, scene_collection
from core.install.obs.files import read_collection, write_collection
from core.install.obs.process import ObsProcess, PrivateHome
from core.install.virtual_screen import SCREEN_PROGRAMS, missing_programs

from .desktop import Desktop, ScriptsWindow

PROGRAMS = ("obs", *SCREEN_PROGRAMS, "xdotool", "import")
LEFTOVERS_LIMIT_S = 3.0
"""What OBS started sees its end at once, and may take this long to end itself."""

RgbaPicture = NDArray[np.uint8]
"""Shape (height, width, 4): red, green, blue and straight alpha, as OBS's own screenshots hold them."""
Script = Path | tuple[Path, Mapping[str, Any]]
"""A script's file, or the file and the settings saved for it."""


def reason_to_skip() -> str:
    """Why nothing with a real OBS can be tested here; empty if it can."""
    missing = missing_programs(PROGRAMS)
    return f"not installed: {', '.join(missing)}" if missing else ""


def decode_picture(answer: Mapping[str, Any]) -> RgbaPicture:
    """The picture in an answer to GetSourceScreenshot with PNG format."""
    encoded = answer["imageData"].partition(",")[2]
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None and picture.shape[2] == 4, "OBS's screenshot is no picture with alpha"
    return np.ascontiguousarray(picture[:, :, [2, 1, 0, 3]], dtype=np.uint8)


class RunningObs:
    """One OBS, from its start until ``close`` or ``kill``."""

    def __init__(self, process: ObsProcess) -> None:
        self.process = process
        self.desktop = Desktop(process.environment)
        self.left_behind: list[str] = []
        """Command lines of processes that outlived OBS and had to be ended by force."""
        self._on_cpu = psutil.Process(process.pid)

    @property
    def pid(self) -> int:
        """OBS's process id."""
        return self.process.pid

    @property
    def home(self) -> Path:
        """The folder that OBS takes for its user's home; ``start_obs(keep_home=...)`` starts another OBS in it."""
        return self.process.home.path

    @property
    def log(self) -> str:
        """All that OBS has written so far."""
        return self.process.log_text()

    @property
    def main_window(self) -> str:
        """The X id of OBS's main window."""
        window = self.process.main_window()
        assert window is not None, f"OBS has no main window; there are {self.desktop.titles()}"
        return str(int(window, 16))

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self.process.exit_code is None

    def request(self, name: str, data: Mapping[str, Any] | None = None, limit_s: float = 10.0) -> dict[str, Any]:
        """Ask OBS by websocket. Raises core.install.obs.websocket's errors."""
        return self.process.websocket.request(name, data, limit_s)

    def screenshot(self, source: str, width: int | None = None, height: int | None = None) -> RgbaPicture:
        """A source or a whole scene as OBS draws it, in its own size or scaled. Error 702 while it has no size."""
        data: dict[str, Any] = {"sourceName": source, "imageFormat": "png"}
        if width is not None:
            data["imageWidth"] = width
        if height is not None:
            data["imageHeight"] = height
        return decode_picture(self.request("GetSourceScreenshot", data))

    def stats(self) -> dict[str, Any]:
        """OBS's own figures (GetStats). Skipped frames count from the start, so compare two of these."""
        return self.request("GetStats")

    def script_log_lines(self, prefix: str = "") -> list[str]:
        """What Python scripts printed or raised, without OBS's marks; only lines that begin with ``prefix``."""
        lines = re.findall(r"^\w+: \[(?:Python: [^\]]*|Unknown Script)\] (.*)$", self.log, re.MULTILINE)
        return [line for line in lines if line.startswith(prefix)]

    def children(self) -> list[psutil.Process]:
        """The processes that OBS, or a process of OBS, has started and that are alive."""
        return [child for child in self._on_cpu.children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]

    def cpu_seconds(self) -> float:
        """Processor time that OBS has used, its children not counted."""
        times = self._on_cpu.cpu_times()
        return float(times.user + times.system)

    def open_scripts(self) -> ScriptsWindow:
        """Open Tools - Scripts."""
        return self.desktop.open_scripts(self.main_window)

    def close(self) -> int:
        """End OBS as its user would. Gives its exit code, 0 if all went well; safe to call twice."""
        code = self.process.stop()
        self._end_leftovers()
        return code

    def kill(self) -> int:
        """End OBS by SIGKILL, as a crash would. Gives the exit code (-9)."""
        code = self.process.kill()
        self._end_leftovers()
        return code

    def _end_leftovers(self) -> None:
        """What OBS started can be told, even when its parents are gone, by the home it inherited."""
        home = str(self.home)
        ours = [process for process in psutil.process_iter(["environ"]) if _home_of(process) == home]
        _, alive = psutil.wait_procs(ours, timeout=LEFTOVERS_LIMIT_S)
        for process in alive:
            try:
                self.left_behind.append(" ".join(process.cmdline()))
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(alive, timeout=LEFTOVERS_LIMIT_S)


def _home_of(process: psutil.Process) -> str:
    return str((process.info["environ"] or {}).get("HOME", ""))


class StartObs:
    """Starts OBS for one test, on one screen, in homes under one folder, and ends what it started."""

    def __init__(self, display: str, version: Version, folder: Path) -> None:
        self._display, self._version, self._folder = display, version, folder
        self._started: list[RunningObs] = []

    def __call__(
        self,
        scripts: Sequence[Script] = (),
        size: tuple[int, int] = (640, 360),
        fps: int = 60,
        scenes: Mapping[str, Sequence[SceneItem]] | None = None,
        sources: Sequence[Mapping[str, Any]] = (),
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        keep_home: Path | None = None,
        preview: bool = False,
    ) -> RunningObs:
        """Start an OBS and wait until it can be asked.

        ``scripts`` are loaded at the start; ``settings`` are saved for those that bring none of their own. Without
        ``scenes`` there are "Scene", filled by the red source "Red", and the empty "Other". ``sources`` join the
        collection, and OBS drops those that stand in none of the ``scenes``. ``environment`` is added to OBS's own.
        ``keep_home`` is an ended OBS's ``home``: OBS finds there what it saved; of the rest only ``scripts`` that are
        new and ``environment`` count then.
        """
        home = PrivateHome(keep_home or self._folder / f"obs-home-{len(self._started)}", self._version)
        kept = home.is_written
        if kept:
            home.renew_access()
            collection = read_collection(home.collection_file)
        elif scenes is None:
            red = colour_source("Red", (255, 0, 0, 255), *size)
            collection = scene_collection({"Scene": ["Red"], "Other": []}, [red, *sources])
        else:
            collection = scene_collection(scenes, sources)
        for entry in scripts:
            path, own = entry if isinstance(entry, tuple) else (entry, settings)
            add_script(collection, str(path), own)
        if kept:
            write_collection(home.collection_file, collection)
        else:
            home.write(collection, size, fps, preview)
        obs = RunningObs(ObsProcess(home, self._display, environment))
        self._started.append(obs)
        return obs

    def end_all(self) -> list[str]:
        """End every OBS that still runs. Gives what went wrong: a crash at the exit, processes left behind."""
        complaints = []
        for obs in reversed(self._started):
            was_running = obs.is_running
            code = obs.close()
            if was_running and code != 0:
                complaints.append(f"OBS ended with {code}, through {obs.process.ended_by}")
            complaints += [f"OBS left a process behind: {command}" for command in obs.left_behind]
        return complaints

    def logs(self, lines: int) -> str:
        """The last lines of every OBS started, for reports; without the profiler's tables at the end."""
        told = [obs.log.partition("info: == Profiler")[0].splitlines() for obs in self._started]
        return "\n\n".join("\n".join(log[-lines:]) for log in told)
