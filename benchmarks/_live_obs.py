"""A private OBS on a virtual screen with the avatar in it and a probe on its output, for benchmarks."""

from __future__ import annotations

import json
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from core.install.obs.config import add_script, colour_source, scene_collection
from core.install.obs.process import ObsProcess, PrivateHome, free_port, obs_version
from core.install.obs.websocket import ObsRequestFailed
from core.install.virtual_screen import VirtualScreen
from core.render import time_stamp
from core.wire.folders import PROJECT

SIZE = (640, 360)
AVATAR_LEFT = 64
_PICTURE = 512
_BOARD_SIDE = _PICTURE // 8 // time_stamp.BOARD
_UP_LIMIT_S = 60.0


class LiveObs:
    """OBS with the script, the tracker listening on ``port``, and the picture at its own size at a known place."""

    def __init__(self, settings: dict[str, Any] | None = None, frames_per_second: int = 60) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="easyvtuber-bench-"))
        self._records = self._folder / "frames.bin"
        home = PrivateHome(self._folder / "home", obs_version())
        background = colour_source("Background", (40, 60, 90, 255), *SIZE)
        collection = scene_collection({"Scene": ["Background"], "Empty": []}, [background])
        own = {"osf_port": self.port, "draw_times": True, "worker_python": sys.executable, **(settings or {})}
        self._own, self._changes = own, self._folder / "settings.json"
        add_script(collection, str(PROJECT / "obs_easyvtuber.py"), own)
        probe = {
            "probe_file": str(self._records),
            "probe_settings": str(self._changes),
            "probe_left": AVATAR_LEFT,
            "probe_top": 0,
            "probe_side": _BOARD_SIDE,
        }
        add_script(collection, str(PROJECT / "benchmarks" / "_obs_probe.py"), probe)
        home.write(collection, SIZE, frames_per_second)
        self._screen = VirtualScreen()
        try:
            self.obs = ObsProcess(home, self._screen.display)
        except BaseException:
            self._screen.close()
            raise

    def change(self, **settings: Any) -> None:
        """Change settings of the script, as the panel would."""
        self._own = {**self._own, **settings}
        unfinished = self._changes.with_suffix(".part")
        unfinished.write_text(json.dumps(self._own), encoding="utf-8")
        unfinished.replace(self._changes)

    def place_avatar(self) -> None:
        """Wait for the avatar and stand it 512 pixels wide whatever it is drawn at, its top left corner at the top of
        the canvas."""
        self.wait_for(lambda: self._item() is not None, "the avatar in the scene")
        transform = {"positionX": AVATAR_LEFT, "positionY": 0, "alignment": 5, "boundsType": "OBS_BOUNDS_STRETCH",
                     "boundsWidth": _PICTURE, "boundsHeight": _PICTURE}  # fmt: skip
        self.obs.websocket.request(
            "SetSceneItemTransform",
            {"sceneName": "Scene", "sceneItemId": self._item(), "sceneItemTransform": transform},
        )
        self.wait_for(lambda: bool(self.frames(since=-30)) and self.frames(since=-30)[-1][1] > 0, "a time stamp")

    def _item(self) -> int | None:
        try:
            found = self.obs.websocket.request("GetSceneItemId", {"sceneName": "Scene", "sourceName": "EasyVtuber"})
        except ObsRequestFailed:
            return None
        return int(found["sceneItemId"])

    def frames(self, since: int = 0) -> list[tuple[int, int]]:
        """For every frame OBS put out: when it began to render it, and the time stamp in it (0: none), both ns.

        ``since`` is a number of frames to leave out, or, negative, how many of the last to give.
        """
        try:
            content = self._records.read_bytes()
        except FileNotFoundError:
            return []
        pairs = list(struct.iter_unpack("<QQ", content[: len(content) // 16 * 16]))[since:]
        return [(tick, _stamp(word)) for tick, word in pairs]

    def worker(self) -> psutil.Process | None:
        """The worker process that is alive now."""
        for child in psutil.Process(self.obs.pid).children(recursive=True):
            try:
                if child.status() != psutil.STATUS_ZOMBIE and any("core/worker" in part for part in child.cmdline()):
                    return child
            except psutil.NoSuchProcess:
                continue
        return None

    def press(self, hotkey: str) -> None:
        """Press one of our hotkeys."""
        self.obs.websocket.request("TriggerHotkeyByName", {"hotkeyName": f"easyvtuber.{hotkey}"})

    def skipped(self) -> int:
        """Frames OBS could not render in time since its start."""
        return int(self.obs.websocket.request("GetStats")["renderSkippedFrames"])

    def wait_for(self, condition: Callable[[], bool], what: str, limit_s: float = _UP_LIMIT_S) -> None:
        """Wait until something is so. Raises TimeoutError with the end of OBS's log."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come within {limit_s} s; OBS says:\n{self.obs.log_text()[-2000:]}")
            time.sleep(0.05)

    def close(self) -> int:
        """End OBS and the screen. Gives OBS's exit code."""
        try:
            return self.obs.stop()
        finally:
            self._screen.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> LiveObs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stamp(word: int) -> int:
    decoded = time_stamp.decode(word)
    return decoded[0] if decoded else 0
