"""The script as OBS runs it: loaded from its file, called in OBS's order, with an engine that only remembers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from core.wire.folders import PROJECT
from core.wire.settings import Value
from tests.fake_libobs import FakeLib
from tests.fake_obs import FakeObs
from tests.fake_obs_panel import Data, Properties

SCRIPT = PROJECT / "obs_easyvtuber.py"
PRIVATE_NAME = "_easyvtuber_core"


class RememberingPusher:
    """In place of the frame pusher."""

    def __init__(self) -> None:
        self.names: List[str] = []
        self.cleared: List[str] = []
        self.released = 0
        self.dialogs_updated = 0

    def set_sources(self, names: List[str]) -> bool:
        self.names = list(names)
        return True

    def clear_sources(self, names: List[str]) -> None:
        self.names = []
        self.cleared = list(names)

    def release_sources(self) -> None:
        self.names = []
        self.released += 1

    def update_dialogs(self) -> None:
        self.dialogs_updated += 1


class RememberingEngine:
    """In place of the engine: obeys at once and keeps what it was asked for."""

    def __init__(self, lib: FakeLib, changed: Callable[[Any], None], each_second: Callable[[], None]) -> None:
        self.changed, self.each_second = changed, each_second
        self.pusher = RememberingPusher()
        self.view: Any = sys.modules[f"{PRIVATE_NAME}.obs.engine"].View()
        self.calls: List[str] = []
        self.details: List[Dict[str, Union[str, int]]] = []
        self.wishes: List[Any] = []
        self.decide: Optional[Callable[[Dict[str, Any]], str]] = None

    def show(self, **changes: Any) -> None:
        """Another look at the engine, told as the real one tells it."""
        self.view = self.view._replace(**changes)
        self.changed(self.view)

    def start(self, wish: Any, decide: Callable[[Dict[str, Any]], str]) -> None:
        self.calls.append("start")
        self.wishes.append(wish)
        self.decide = decide
        self.show(phase="running")

    def stop(self) -> None:
        self.calls.append("stop")
        self.show(phase="stopped")

    def wish(self, wish: Any) -> None:
        self.calls.append("wish")
        self.wishes.append(wish)

    def action(self, name: str, **details: Union[str, int]) -> None:
        self.calls.append(name)
        self.details.append(details)

    def close(self) -> None:
        self.calls.append("close")

    @property
    def settings(self) -> Dict[str, Value]:
        """The newest wish's settings."""
        return dict(self.wishes[-1].settings)

    @property
    def visible(self) -> bool:
        return bool(self.wishes[-1].visible)


class Script:
    """One script in OBS's list."""

    def __init__(self, obs: FakeObs, lib: FakeLib, file: Path = SCRIPT) -> None:
        self.obs, self.lib, self.file = obs, lib, file
        self.engines: List[RememberingEngine] = []
        self.settings = Data()
        spec: Any = importlib.util.spec_from_file_location("script_under_test", str(file))
        self.module: Any = importlib.util.module_from_spec(spec)
        self.run_file()

    def run_file(self) -> None:
        """What the Reload button does to the file: run it again in the same module."""
        exec(compile(self.file.read_text(encoding="utf-8"), str(self.file), "exec"), self.module.__dict__)
        plugin: Optional[ModuleType] = self.module._plugin
        if plugin is not None:
            stand_ins: Tuple[Tuple[str, Any], ...] = (("LibObs", lambda: self.lib), ("Engine", self._make_engine))
            for name, stand_in in stand_ins:
                setattr(plugin, name, stand_in)

    def _make_engine(self, *arguments: Any) -> RememberingEngine:
        self.engines.append(RememberingEngine(*arguments))
        return self.engines[-1]

    @property
    def engine(self) -> RememberingEngine:
        return self.engines[-1]

    def load(self) -> None:
        """OBS puts a script with these settings to work."""
        self.module.script_defaults(self.settings)
        self.module.script_description()
        self.module.script_load(self.settings)
        self.module.script_update(self.settings)

    def unload(self) -> None:
        """All callbacks are gone before the script hears of it."""
        self.obs.event_callbacks.clear()
        self.module.script_unload()

    def panel(self) -> Properties:
        properties = self.module.script_properties()
        assert isinstance(properties, Properties)
        return properties

    def choose(self, key: str, value: object) -> None:
        """The user changes a setting in the open panel."""
        self.panel().choose(self.settings, key, value)
        self.module.script_update(self.settings)

    def press(self, name: str) -> None:
        """Press a button of the panel."""
        self.panel().press(name)

    def press_hotkey(self, name: str) -> None:
        self.obs.press_hotkey(f"easyvtuber.{name}")
        self.lib.run_tasks()

    def go_to(self, scene: str) -> None:
        """The user changes the scene."""
        self.obs.current = next(known for known in self.obs.scenes if known.name == scene)
        self.obs.send(self.obs.OBS_FRONTEND_EVENT_SCENE_CHANGED)
