"""Hotkeys in OBS's settings: stable ids, kept in the scene collection, acting on the press only."""

from __future__ import annotations

from typing import Any, Callable, Dict

import obspython as obs

from ..wire.hotkeys import NAMES
from .translate import Translator

_PREFIX = "easyvtuber."


class Hotkeys:
    """Registers every hotkey once per load. ``pressed`` is called with the hotkey's name, on OBS's hotkey thread."""

    def __init__(self, settings: Any, say: Translator, pressed: Callable[[str], None]) -> None:
        self._ids: Dict[str, Any] = {}
        for name in NAMES:
            self._ids[name] = obs.obs_hotkey_register_frontend(
                _PREFIX + name, say(f"hotkey.{name}"), _on_press(name, pressed)
            )
            saved = obs.obs_data_get_array(settings, _PREFIX + name)
            obs.obs_hotkey_load(self._ids[name], saved)
            obs.obs_data_array_release(saved)

    def save(self, settings: Any) -> None:
        """Put the user's key bindings into the settings that OBS is about to write."""
        for name, hotkey in self._ids.items():
            bindings = obs.obs_hotkey_save(hotkey)
            obs.obs_data_set_array(settings, _PREFIX + name, bindings)
            obs.obs_data_array_release(bindings)


def _on_press(name: str, pressed: Callable[[str], None]) -> Callable[[bool], None]:
    def callback(is_pressed: bool) -> None:
        # obs-websocket of OBS 28 and 29 sends the press only, later ones press and release
        if is_pressed:
            pressed(name)

    return callback
