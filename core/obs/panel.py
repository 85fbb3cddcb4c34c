"""The properties panel, made from the settings table. UI thread only."""

from __future__ import annotations

from html import escape
from typing import Any, Callable, Dict, List, Mapping, NamedTuple

import obspython as obs

from ..wire.settings import (
    AUTOMATIC,
    BOOL,
    CAMERA,
    CHARACTER,
    CHOICE,
    COLOUR,
    DEVICE,
    FILE,
    FLOAT,
    GROUPS,
    INT,
    MICROPHONE,
    SETTINGS,
    VALUES,
    Setting,
    Value,
)
from . import data, expressions_panel, rules_panel, values_panel
from .log import guarded
from .scene_rules import Rules
from .status import Line, as_html, worst
from .translate import Translator

_INFO_TYPES = {"normal": 0, "warning": 1, "error": 2}
_LONGEST_SLIDER = 1000


class Panel(NamedTuple):
    """What the panel shows and what its buttons do."""

    say: Translator
    values: Mapping[str, Value]
    running: bool
    status: List[Line]
    characters: List[str]
    scenes: List[str]
    rules: Rules
    press: Callable[[str], None]
    """Called with the button's name."""
    devices: Mapping[str, List[str]]
    """Runtimes by the name of the device, as far as the worker has told."""
    inputs: Mapping[str, List[str]]
    """Names of cameras (``camera``) and microphones (``microphone``), as far as the worker has told."""
    status_now: Callable[[], List[Line]]
    running_now: Callable[[], bool]
    rules_changed: Callable[[Any, Rules], None]
    values_changed: values_panel.Changed
    minute_now: Callable[[], str]
    """Path of the newest picture of the last minute; empty before the first."""


_BUTTONS = {
    "avatar": ("make_character", "characters_folder"),
    "input": ("calibrate", "calibrate_reach", "record", "recordings_folder"),
    "picture": ("measure_again",),
    "output": ("add_source",),
}
"""At the end of these groups."""


def build(panel: Panel) -> Any:
    """A fresh set of properties. The caller applies the settings to it afterwards."""
    properties = obs.obs_properties_create()
    _add_status(properties, panel)
    for group in GROUPS:
        members = [setting for setting in SETTINGS if setting.group == group]
        inside = obs.obs_properties_create()
        for setting in members:
            _add(inside, setting, panel)
        for button in _BUTTONS.get(group, ()):
            _add_button(inside, button, panel)
        title = panel.say(f"group.{group}")
        obs.obs_properties_add_group(properties, f"group_{group}", title, obs.OBS_GROUP_NORMAL, inside)
        if group == "movement":
            expressions_panel.add(properties, panel.say, str(panel.values["character"]), panel.press)
        if group == "picture":
            rules_panel.add(properties, panel.say, panel.scenes, panel.rules, panel.rules_changed)
    show_what_applies(properties, panel.values)
    return properties


def show_what_applies(properties: Any, values: Mapping[str, Value]) -> None:
    """Hide every setting that the other values make meaningless, and the advanced ones unless wanted."""
    for setting in SETTINGS:
        for name in values_panel.controls(setting.key) if setting.kind == VALUES else [setting.key]:
            obs.obs_property_set_visible(obs.obs_properties_get(properties, name), applies(setting, values))


def applies(setting: Setting, values: Mapping[str, Value]) -> bool:
    """Does this setting mean anything beside these values?"""
    if setting.advanced and not values.get("advanced"):
        return False
    if setting.shown_for is None:
        return True
    key, wanted = setting.shown_for
    return values.get(key) in wanted


def _add_status(properties: Any, panel: Panel) -> None:
    text = obs.obs_properties_add_text(properties, "status", "", obs.OBS_TEXT_INFO)
    _show_status(text, panel.status)
    say = panel.say

    def start_stop(inside: Any, button: Any) -> bool:
        # what is asked for takes a moment, so the word follows from what was before the press
        was_running = panel.running_now()
        panel.press("start_stop")
        obs.obs_property_set_description(button, say("button.start" if was_running else "button.stop"))
        return True

    def refresh(inside: Any, button: Any) -> bool:
        _show_status(obs.obs_properties_get(inside, "status"), panel.status_now())
        start = obs.obs_properties_get(inside, "start_stop")
        obs.obs_property_set_description(start, say("button.stop" if panel.running_now() else "button.start"))
        return True

    obs.obs_properties_add_button(
        properties, "start_stop", say("button.stop" if panel.running else "button.start"), guarded(start_stop)
    )
    obs.obs_properties_add_button(properties, "refresh", say("button.refresh"), guarded(refresh))
    _add_minute(properties, panel)


def _add_minute(properties: Any, panel: Panel) -> None:
    """A small picture of the last minute, on request: it takes a moment to be drawn, so the second press shows it."""
    picture = obs.obs_properties_add_text(properties, "minute", "", obs.OBS_TEXT_INFO)
    obs.obs_property_set_visible(picture, False)

    def show(inside: Any, button: Any) -> bool:
        path = panel.minute_now()
        shown = obs.obs_properties_get(inside, "minute")
        words = f'<img src="{escape(path)}">' if path else panel.say("status.minute_coming")
        obs.obs_property_set_description(shown, words)
        obs.obs_property_set_visible(shown, True)
        panel.press("minute_picture")
        return True

    obs.obs_properties_add_button(properties, "minute_picture", panel.say("button.minute_picture"), guarded(show))


def _show_status(text: Any, status: List[Line]) -> None:
    obs.obs_property_set_description(text, as_html(status))
    obs.obs_property_text_set_info_type(text, _INFO_TYPES[worst(status)])
    obs.obs_property_text_set_info_word_wrap(text, True)


def _add_button(inside: Any, name: str, panel: Panel) -> None:
    def pressed(properties: Any, button: Any) -> bool:
        panel.press(name)
        return False

    obs.obs_properties_add_button(inside, name, panel.say(f"button.{name}"), guarded(pressed))


def _add(inside: Any, setting: Setting, panel: Panel) -> None:
    label, say = panel.say(f"setting.{setting.key}.label"), panel.say
    if setting.kind == VALUES:
        values_panel.add(inside, setting.key, say, panel.values_changed)
        return
    if setting.kind == BOOL:
        made = obs.obs_properties_add_bool(inside, setting.key, label)
    elif setting.kind in (INT, FLOAT):
        made = _add_number(inside, setting, label)
    elif setting.kind == CHOICE:
        names = {value: say(f"setting.{setting.key}.choice.{value}") for value in setting.choices}
        made = _add_list(inside, setting.key, label, names)
    elif setting.kind == CHARACTER:
        # a character that was deleted stays in the list, so that opening the panel does not choose another one
        names = {name: name for name in dict.fromkeys([*panel.characters, str(panel.values[setting.key])])}
        made = _add_list(inside, setting.key, label, names)
    elif setting.kind == DEVICE:
        made = _add_list(inside, setting.key, label, _device_names(panel, str(panel.values[setting.key])))
    elif setting.kind in (CAMERA, MICROPHONE):
        made = _add_list(inside, setting.key, label, _input_names(panel, setting))
    elif setting.kind == FILE:
        kind = obs.OBS_PATH_FILE_SAVE if setting.saves_file else obs.OBS_PATH_FILE
        filters = f"{label} ({setting.file_filter});;* (*)" if setting.file_filter else ""
        made = obs.obs_properties_add_path(inside, setting.key, label, kind, filters, None)
    elif setting.kind == COLOUR:
        made = obs.obs_properties_add_color_alpha(inside, setting.key, label)
    else:
        made = obs.obs_properties_add_text(inside, setting.key, label, obs.OBS_TEXT_DEFAULT)
    obs.obs_property_set_long_description(made, say(f"setting.{setting.key}.help"))
    if setting.key in _DECIDING:
        obs.obs_property_set_modified_callback(made, guarded(_decided))


def _device_names(panel: Panel, chosen: str) -> Dict[str, str]:
    """What each device is called in the list: its name and what it can compute with."""
    say = panel.say
    names = {AUTOMATIC: say("setting.device.choice.automatic")}
    # one that is not there at the moment stays, so that opening the panel does not choose another one
    offered = [*panel.devices, chosen] if chosen != AUTOMATIC else list(panel.devices)
    for name in dict.fromkeys(offered):
        runtimes = ", ".join(say(f"setting.runtime.choice.{runtime}") for runtime in panel.devices.get(name, []))
        names[name] = f"{name} ({runtimes})" if runtimes else name
    return names


def _input_names(panel: Panel, setting: Setting) -> Dict[str, str]:
    chosen = str(panel.values[setting.key])
    names = {AUTOMATIC: panel.say(f"setting.{setting.key}.choice.automatic")}
    # one that is not there at the moment stays, so that opening the panel does not choose another one
    found = [*panel.inputs.get(setting.kind, []), *([chosen] if chosen != AUTOMATIC else [])]
    names.update((name, name) for name in dict.fromkeys(found))
    return names


_DECIDING = {"advanced"} | {setting.shown_for[0] for setting in SETTINGS if setting.shown_for}
"""Settings whose value shows or hides others."""


def _decided(properties: Any, changed: Any, settings: Any) -> bool:
    show_what_applies(properties, data.read(settings))
    return True


def _add_number(inside: Any, setting: Setting, label: str) -> Any:
    if setting.kind == FLOAT:
        return obs.obs_properties_add_float_slider(
            inside, setting.key, label, setting.minimum, setting.maximum, setting.step
        )
    add = obs.obs_properties_add_int_slider
    if setting.maximum - setting.minimum > _LONGEST_SLIDER:
        add = obs.obs_properties_add_int
    made = add(inside, setting.key, label, int(setting.minimum), int(setting.maximum), int(setting.step))
    if setting.unit:
        obs.obs_property_int_set_suffix(made, f" {setting.unit}")
    return made


def _add_list(inside: Any, key: str, label: str, names: Dict[str, str]) -> Any:
    made = obs.obs_properties_add_list(inside, key, label, obs.OBS_COMBO_TYPE_LIST, obs.OBS_COMBO_FORMAT_STRING)
    for value, name in names.items():
        obs.obs_property_list_add_string(made, name, value)
    return made
