"""The script's life in OBS: what each of OBS's calls, events, hotkeys and buttons does. UI thread, unless said
otherwise."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import Any, Dict, List, Optional

import obspython as obs

from ..wire.characters import character_names
from ..wire.folders import CHARACTERS, PROJECT, user_recordings
from ..wire.hotkeys import EXPRESSIONS
from ..wire.presets import neighbour
from ..wire.settings import BY_KEY, PANEL, Value
from ..wire.version import VERSION
from . import avatar_source, data, expressions_panel, log, panel, scene, status
from .engine import Engine, View, Wish
from .hotkeys import Hotkeys
from .libobs import LibObs
from .scene_rules import LiveChoices, Rules, follow_rename, read_rules, write_rules
from .stage import Stage
from .supervisor import GAVE_UP, STOPPED, STOPPING
from .translate import Translator, language_of

_log = logging.getLogger(__name__)


class Plugin:
    """One loaded script. Made in ``script_load``, ended in ``script_unload``."""

    def __init__(self, settings: Any) -> None:
        log.start()
        self._data = settings
        self._say = Translator(language_of(obs.obs_get_locale()))
        self._values = data.read(settings)
        self._closed = False
        self._begun = False
        self._scenes: List[str] = []
        self._made_character = ""
        self._dialog_text: List[avatar_source.DialogLine] = []
        rules = read_rules(str(obs.obs_data_get_string(settings, data.RULES_KEY) or ""))
        self._choices = LiveChoices(self._values, rules)
        self._lib = LibObs()
        registered = avatar_source.register(
            self._lib,
            self._say("source.name"),
            log.guarded(self._dialog, avatar_source.Dialog([], [])),
            log.guarded(self.press),
        )
        self._engine = Engine(self._lib, self._engine_changed, self._each_second)
        try:
            self._stage = Stage(self._engine, self._say, registered)
            # OBS forgets which script is calling during nested events: everything is registered first, here
            self._hotkeys = Hotkeys(settings, self._say, self._hotkey_pressed)
            obs.obs_frontend_add_event_callback(log.guarded(self._on_event))
            print(f"EasyVtuber {VERSION}, Python {sys.version.split()[0]}, source type {self._stage.source_type}")  # noqa: T201
            if scene.scene_names():
                # added or reloaded while OBS runs: there will be no event
                self._begin()
        except Exception:
            self.close()
            raise

    # -- OBS's calls -----------------------------------------------------------------------------------------------

    def properties(self) -> Any:
        """A fresh panel."""
        properties = panel.build(
            panel.Panel(
                self._say,
                self._values,
                self._is_on(),
                self._status(),
                character_names(),
                scene.scene_names(),
                self._choices.rules,
                self.press,
                self._devices(),
                self._inputs(),
                self._status,
                self._is_on,
                self._rules_changed,
                self._values_changed,
                lambda: str(self._engine.view.state.get("minute_picture") or ""),
            )
        )
        # OBS does not ask the modified callbacks when it opens a script's panel
        obs.obs_properties_apply_settings(properties, self._data)
        return properties

    def update(self, settings: Any) -> None:
        """The user changed something in the panel (or only opened it)."""
        self._data = settings
        before, self._values = self._values, data.read(settings)
        changed = {key: value for key, value in self._values.items() if before[key] != value}
        if changed:
            self._choices.own(changed)
            self._wish()
            if self._begun and ("output" in changed or "spout_name" in changed):
                self._stage.show(self._values)

    def save(self, settings: Any) -> None:
        """OBS is about to write the settings."""
        self._hotkeys.save(settings)

    def close(self) -> None:
        """The script goes: end the worker, let go of every source. OBS waits for this, a moment at most."""
        self._closed = True
        self._engine.close()
        log.stop()

    # -- life ------------------------------------------------------------------------------------------------------

    def _on_event(self, event: int) -> None:
        if self._closed:
            return
        if event in (obs.OBS_FRONTEND_EVENT_FINISHED_LOADING, obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CHANGED):
            self._begin()
        elif event == obs.OBS_FRONTEND_EVENT_SCENE_CHANGED and self._begun:
            self._follow_renames()
            self._choices.switch(scene.current_scene_name() or "")
            self._wish()
            self._stage.follow(self._values)
        elif event in (obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CLEANUP, obs.OBS_FRONTEND_EVENT_SCRIPTING_SHUTDOWN):
            self._begun = False
            self._engine.stop()
            self._engine.pusher.release_sources()

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        self._scenes = scene.scene_names()
        self._choices.switch(scene.current_scene_name() or "")
        if self._values["autostart"]:
            self._start()

    def _start(self) -> None:
        if self._begun:
            self._stage.show(self._values)
        self._engine.start(self._current_wish(), lambda capable: self._stage.choose("automatic", capable).output)

    def _is_on(self) -> bool:
        return self._engine.view.phase not in (STOPPED, STOPPING, GAVE_UP)

    def press(self, name: str) -> None:
        """A button of the panel or of the source's dialog."""
        if name == "start_stop":
            if self._is_on():
                self._engine.stop()
            else:
                self._start()
        elif name in ("calibrate", "calibrate_reach", "record", "minute_picture", "measure_again"):
            self._engine.action(name)
        elif name == "show_expression":
            self._engine.action("expression", slot=expressions_panel.chosen(self._data))
        elif name == "keep_expression":
            slot, label = expressions_panel.chosen(self._data), expressions_panel.typed_name(self._data)
            self._engine.action("keep_expression", slot=slot, label=label)
        elif name == "add_source":
            self._stage.add_to_current_scene(self._values)
        elif name == "make_character":
            path = str(self._values["picture_path"])
            if path:
                self._engine.action("make_character", path=path)
        elif name == "characters_folder":
            _open_folder(str(CHARACTERS))
        elif name == "recordings_folder":
            _open_folder(str(user_recordings()))

    def _hotkey_pressed(self, name: str) -> None:
        """Any thread: hotkeys act on the UI thread, because they change what the panel shows."""
        self._lib.run_on_ui_thread(log.guarded(lambda: self._hotkey(name)))

    def _hotkey(self, name: str) -> None:
        if self._closed or not self._begun:
            return
        in_force = self._choices.in_force()
        if name in ("start_stop", "calibrate", "calibrate_reach", "record"):
            self.press(name)
        elif name in EXPRESSIONS:
            self._engine.action("expression", slot=EXPRESSIONS.index(name) + 1)
        elif name == "no_expression":
            self._engine.action("expression", slot="")
        elif name == "interpolation":
            self._choose("interpolation", not in_force["interpolation"])
        elif name in ("next_preset", "previous_preset"):
            self._choose("preset", neighbour(str(in_force["preset"]), 1 if name == "next_preset" else -1))
        elif name == "show_hide":
            self._choose("visible", not in_force["visible"])

    def _choose(self, key: str, value: Value) -> None:
        if self._choices.choose(key, value) and key in BY_KEY:
            self._values[key] = value
            data.write(self._data, key, value)
        self._wish()

    # -- what the worker shall do ----------------------------------------------------------------------------------

    def _current_wish(self) -> Wish:
        settings: Dict[str, Value] = {key: value for key, value in self._values.items() if BY_KEY[key].apply != PANEL}
        in_force = self._choices.in_force()
        visible = bool(in_force.pop("visible"))
        settings.update(in_force)
        return Wish(settings, visible, str(self._values["worker_python"]))

    def _wish(self) -> None:
        self._engine.wish(self._current_wish())

    def _rules_changed(self, settings: Any, rules: Rules) -> None:
        self._data = settings
        self._choices.rules = rules
        self._wish()

    def _values_changed(self, settings: Any, key: str, text: str) -> None:
        """A slider of one of the many pose values was moved."""
        self._data = settings
        self._values[key] = text
        self._wish()

    def _follow_renames(self) -> None:
        """OBS has an event for this, but not for every way to rename a scene: so it is looked at now and then."""
        scenes = scene.scene_names()
        if scenes == self._scenes:
            return
        rules = follow_rename(self._choices.rules, self._scenes, scenes)
        self._scenes = scenes
        if rules != self._choices.rules:
            self._choices.rules = rules
            obs.obs_data_set_string(self._data, data.RULES_KEY, write_rules(rules))
        # the scene that is on may be the one with the new name
        self._choices.switch(scene.current_scene_name() or "")
        self._wish()

    # -- scenes ----------------------------------------------------------------------------------------------------

    def _each_second(self) -> None:
        """Engine's thread: go over to the UI thread, where scenes may be looked at."""
        self._lib.run_on_ui_thread(log.guarded(self._look_at_scenes))

    def _look_at_scenes(self) -> None:
        if not self._closed and self._begun:
            self._follow_renames()
            self._stage.follow(self._values)
            self._take_made_character()

    def _devices(self) -> Dict[str, List[str]]:
        """As the worker told it last."""
        told = self._engine.view.state.get("devices")
        found = told.items() if isinstance(told, dict) else ()
        return {str(name): list(map(str, runtimes)) for name, runtimes in found}

    def _inputs(self) -> Dict[str, List[str]]:
        state = self._engine.view.state
        return {kind: [str(name) for name in state.get(f"{kind}s") or []] for kind in ("camera", "microphone")}

    def _take_made_character(self) -> None:
        """A picture became a character: it is the chosen one now."""
        made = str(self._engine.view.state.get("made_character") or "")
        if made and made != self._made_character:
            self._made_character = made
            self._values["character"] = made
            data.write(self._data, "character", made)
            self._choices.own({"character": made})
            self._wish()

    # -- status ----------------------------------------------------------------------------------------------------

    def _status(self) -> List[status.Line]:
        view = self._engine.view
        shown = status.lines(view, self._stage.output(self._values), self._say)
        if self._stage.own_type_refused:
            shown.append(status.Line(self._say("notice.source_not_registered"), status.WARNING))
        return shown

    def _dialog(self) -> avatar_source.Dialog:
        """The source's properties dialog; also called for sources that stayed when the script was removed."""
        if self._closed:
            return avatar_source.Dialog([avatar_source.DialogLine("hint", self._say("status.source_hint"))], [])
        lines = self._dialog_lines()
        label = self._say("button.stop" if self._is_on() else "button.start")
        return avatar_source.Dialog(lines, [("start_stop", label), ("calibrate", self._say("button.calibrate"))])

    def _dialog_lines(self) -> List[avatar_source.DialogLine]:
        lines = [
            avatar_source.DialogLine(f"status_{place}", line.text, line.level)
            for place, line in enumerate(self._status())
        ]
        return [*lines, avatar_source.DialogLine("hint", self._say("status.source_hint"))]

    def _engine_changed(self, view: View) -> None:
        """Engine's thread: show new words in an open dialog, but do not rebuild it for nothing."""
        if self._closed:
            return
        lines = self._dialog_lines()
        if lines != self._dialog_text:
            self._dialog_text = lines
            self._engine.pusher.update_dialogs()


def _open_folder(path: str) -> None:
    """Show a folder in the system's file manager, without waiting for it."""
    try:
        if sys.platform == "win32":
            os.startfile(path)
        else:
            opener = "open" if sys.platform == "darwin" else "xdg-open"
            subprocess.Popen(
                [opener, path],
                cwd=str(PROJECT),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
    except OSError as problem:
        _log.warning("the folder could not be opened: %s", problem)


_plugin: Optional[Plugin] = None


def current() -> Optional[Plugin]:
    """The loaded script, or None between unload and load."""
    return _plugin


def load(settings: Any) -> None:
    """``script_load``."""
    global _plugin
    unload()
    _plugin = Plugin(settings)


def unload() -> None:
    """``script_unload``; safe to call twice."""
    global _plugin
    plugin, _plugin = _plugin, None
    if plugin is not None:
        plugin.close()


def set_defaults(settings: Any) -> None:
    """``script_defaults``."""
    data.set_defaults(settings)


def description() -> str:
    """``script_description``."""
    return Translator(language_of(obs.obs_get_locale()))("description")
