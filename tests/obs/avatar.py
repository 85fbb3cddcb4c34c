"""The avatar in a running OBS, as tests look at it: its source, its process, and what it says about itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from core.install.obs.websocket import ObsRequestFailed
from core.wire.folders import PROJECT

from .desktop import wait_for
from .harness import RgbaPicture, RunningObs, StartObs

SCRIPT = PROJECT / "obs_easyvtuber.py"
SOURCE = "EasyVtuber"
UP_LIMIT_S = 30.0
CHANGE_LIMIT_S = 10.0


def settings(**own: Any) -> dict[str, Any]:
    """Script settings for a test: this Python as the worker's, a movement that needs no tracker."""
    return {"worker_python": sys.executable, "tracker": "debug", **own}


class Avatar:
    """One OBS with our script."""

    def __init__(self, obs: RunningObs) -> None:
        self.obs = obs

    @classmethod
    def start(cls, start_obs: StartObs, own: Mapping[str, Any] | None = None, **options: Any) -> Avatar:
        """Start an OBS with our script and wait until the avatar is on screen."""
        avatar = cls(start_obs(scripts=[(SCRIPT, settings(**(own or {})))], **options))
        avatar.wait_until_up()
        return avatar

    def wait_until_up(self) -> None:
        """Wait for a running worker and a picture."""
        wait_for(lambda: self.facts().get("phase") == "running", UP_LIMIT_S, f"a running worker, {self.facts()}")
        wait_for(lambda: self.picture() is not None, UP_LIMIT_S, "a picture in the source")

    def facts(self) -> dict[str, Any]:
        """What OBS's side wrote about itself last; empty when it wrote nothing."""
        file = self.obs.home / ".local/share/easyvtuber/instances" / f"{self.obs.pid}.json"
        try:
            return dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def state(self, key: str) -> Any:
        """One value of what is in force in the worker."""
        return self.facts().get("state", {}).get(key)

    def wait_for_state(self, key: str, value: Any) -> None:
        """Wait until the worker says so."""
        wait_for(lambda: self.state(key) == value, CHANGE_LIMIT_S, f"{key} to be {value!r}, it is {self.state(key)!r}")

    def picture(self, source: str = SOURCE) -> RgbaPicture | None:
        """The source as OBS draws it (straight alpha); None while it has no picture."""
        try:
            return self.obs.screenshot(source)
        except ObsRequestFailed:
            return None

    def moves(self, source: str = SOURCE) -> bool:
        """Does the picture change within a few frames?"""
        first = self.picture(source)
        return first is not None and _becomes(lambda: _differs(first, self.picture(source)))

    def worker(self) -> psutil.Process:
        """The worker process."""
        found = wait_for(self._worker, UP_LIMIT_S, "a worker process")
        assert found is not None
        return found

    def _worker(self) -> psutil.Process | None:
        for child in self.obs.children():
            try:
                if any("core/worker" in part for part in child.cmdline()):
                    return child
            except psutil.NoSuchProcess:
                continue
        return None

    def has_worker(self) -> bool:
        """Is there a worker process?"""
        return self._worker() is not None

    def press(self, hotkey: str) -> None:
        """Press one of our hotkeys."""
        self.obs.request("TriggerHotkeyByName", {"hotkeyName": f"easyvtuber.{hotkey}"})

    def switch_to(self, scene: str) -> None:
        """Put a scene on."""
        self.obs.request("SetCurrentProgramScene", {"sceneName": scene})

    def items(self, scene: str = "Scene") -> list[str]:
        """Names of the sources in a scene."""
        found = self.obs.request("GetSceneItemList", {"sceneName": scene})["sceneItems"]
        return [str(item["sourceName"]) for item in found]

    def stand_still(self) -> None:
        """Freeze the worker, so that its last picture stays."""
        self.worker().suspend()

    def go_on(self) -> None:
        """Let a frozen worker go on."""
        self.worker().resume()

    def own_size_at(self, x: float, y: float, scene: str = "Scene") -> None:
        """Stand the avatar at its own size with its top left corner at (x, y)."""
        item = self.obs.request("GetSceneItemId", {"sceneName": scene, "sourceName": SOURCE})["sceneItemId"]
        transform = {"positionX": x, "positionY": y, "alignment": 5, "boundsType": "OBS_BOUNDS_NONE",
                     "scaleX": 1.0, "scaleY": 1.0}  # fmt: skip
        self.obs.request(
            "SetSceneItemTransform", {"sceneName": scene, "sceneItemId": item, "sceneItemTransform": transform}
        )


def shows_something(picture: RgbaPicture | None) -> bool:
    """Is anything visible?"""
    return picture is not None and int(picture[:, :, 3].max()) > 200


def _differs(first: RgbaPicture | None, second: RgbaPicture | None) -> bool:
    if first is None or second is None:
        return False
    return first.shape != second.shape or bool(np.abs(first.astype(int) - second).max() > 2)


def _becomes(condition: Callable[[], bool], looks: int = 20) -> bool:
    return any(condition() for _ in range(looks))


def write_script(folder: Path, name: str, text: str) -> Path:
    """A script of a test's own."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
