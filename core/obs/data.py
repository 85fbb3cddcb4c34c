"""Between OBS's settings object and the settings table."""

from __future__ import annotations

from typing import Any, Dict

import obspython as obs

from ..wire.settings import BOOL, COLOUR, FLOAT, INT, SETTINGS, VALUES, Setting, Value, accept, defaults
from . import values_panel

RULES_KEY = "scene_rules"
"""Where the scene rules' text is kept beside the settings."""


def set_defaults(data: Any) -> None:
    """Tell OBS every setting's default."""
    for setting in SETTINGS:
        value = setting.default
        if setting.kind == BOOL:
            obs.obs_data_set_default_bool(data, setting.key, bool(value))
        elif setting.kind in (INT, COLOUR):
            obs.obs_data_set_default_int(data, setting.key, int(value))
        elif setting.kind == FLOAT:
            obs.obs_data_set_default_double(data, setting.key, float(value))
        else:
            obs.obs_data_set_default_string(data, setting.key, str(value))
        if setting.kind == VALUES:
            values_panel.set_defaults(data, setting.key)


def read(data: Any) -> Dict[str, Value]:
    """Every setting, checked; what does not fit (another version's value) is the default."""
    good, _ = accept({setting.key: _get(data, setting) for setting in SETTINGS})
    return {**defaults(), **good}


def write(data: Any, key: str, value: Value) -> None:
    """Put one value into OBS's settings, so that the panel shows it and OBS saves it."""
    if isinstance(value, bool):
        obs.obs_data_set_bool(data, key, value)
    elif isinstance(value, int):
        obs.obs_data_set_int(data, key, value)
    elif isinstance(value, float):
        obs.obs_data_set_double(data, key, value)
    else:
        obs.obs_data_set_string(data, key, value)


def _get(data: Any, setting: Setting) -> Value:
    if setting.kind == BOOL:
        return bool(obs.obs_data_get_bool(data, setting.key))
    if setting.kind in (INT, COLOUR):
        return int(obs.obs_data_get_int(data, setting.key))
    if setting.kind == FLOAT:
        return float(obs.obs_data_get_double(data, setting.key))
    return str(obs.obs_data_get_string(data, setting.key) or "")
