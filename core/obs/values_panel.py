"""Settings that hold numbers for each of many pose values: choose a value, move its sliders. UI thread only."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple

import obspython as obs

from ..wire.pose_values import NAMES, STEMS, UNTUNED, Tuning, read_pose, read_tuning, write_pose, write_tuning
from .log import guarded
from .translate import Translator

Changed = Callable[[Any, str, str], None]
"""Called with OBS's settings object, the setting's key and its new text."""


class _Slider(NamedTuple):
    name: str
    minimum: float
    maximum: float
    step: float
    usual: float


_SLIDERS: Dict[str, List[_Slider]] = {
    "manual_pose": [_Slider("amount", -1.0, 1.0, 0.01, 0.0)],
    "tuning": [
        _Slider("gain", 0.0, 4.0, 0.05, UNTUNED.gain),
        _Slider("curve", 0.25, 4.0, 0.05, UNTUNED.curve),
        _Slider("dead", 0.0, 0.8, 0.01, UNTUNED.dead),
    ],
}
"""By the setting's key; the sliders' order is that of the numbers in its text."""
_NONE = ""


def controls(key: str) -> List[str]:
    """Names of the properties that stand for the setting."""
    return [_list_of(key), *(f"{key}_{slider.name}" for slider in _SLIDERS[key])]


def set_defaults(settings: Any, key: str) -> None:
    """Tell OBS where the sliders stand before a value was chosen."""
    for slider in _SLIDERS[key]:
        obs.obs_data_set_default_double(settings, f"{key}_{slider.name}", slider.usual)


def value_name(name: str, say: Translator) -> str:
    """What a pose value is called: ``eye_wink_left`` is "Wink, left"."""
    for side in ("left", "right"):
        if name.endswith(f"_{side}"):
            return say(f"pose.{side}", name=say(f"pose.{name[: -len(side) - 1]}"))
    return say(f"pose.{name}")


def add(inside: Any, key: str, say: Translator, changed: Changed) -> None:
    """Add the list of values and the sliders of the one that is chosen."""
    made = obs.obs_properties_add_list(
        inside, _list_of(key), say(f"setting.{key}.label"), obs.OBS_COMBO_TYPE_LIST, obs.OBS_COMBO_FORMAT_STRING
    )
    obs.obs_property_set_long_description(made, say(f"setting.{key}.help"))
    obs.obs_property_list_add_string(made, say("pose.none"), _NONE)
    for stem in STEMS:
        sided = [] if stem in NAMES else [f"{stem}_left", f"{stem}_right"]
        for name in [stem, *sided]:
            obs.obs_property_list_add_string(made, value_name(name, say), name)

    def chosen(shown: Any, prop: Any, settings: Any) -> bool:
        name = str(obs.obs_data_get_string(settings, _list_of(key)) or "")
        if not name:
            # OBS 29 also calls this with an empty settings object, when the script is reloaded or reset
            return False
        for slider, number in zip(_SLIDERS[key], _numbers(key, _text(settings, key), name)):
            obs.obs_data_set_double(settings, f"{key}_{slider.name}", number)
        return True

    def moved(shown: Any, prop: Any, settings: Any) -> bool:
        name = str(obs.obs_data_get_string(settings, _list_of(key)) or "")
        if name:
            before = _text(settings, key)
            numbers = [float(obs.obs_data_get_double(settings, f"{key}_{slider.name}")) for slider in _SLIDERS[key]]
            after = _changed(key, before, name, numbers)
            if after != before:
                obs.obs_data_set_string(settings, key, after)
                changed(settings, key, after)
        return False

    obs.obs_property_set_modified_callback(made, guarded(chosen))
    for slider in _SLIDERS[key]:
        label = say(f"values.{slider.name}")
        prop = obs.obs_properties_add_float_slider(
            inside, f"{key}_{slider.name}", label, slider.minimum, slider.maximum, slider.step
        )
        obs.obs_property_set_modified_callback(prop, guarded(moved))


def _list_of(key: str) -> str:
    return f"{key}_of"


def _text(settings: Any, key: str) -> str:
    return str(obs.obs_data_get_string(settings, key) or "")


def _numbers(key: str, text: str, name: str) -> List[float]:
    if key == "tuning":
        return list(read_tuning(text).get(name, UNTUNED))
    return [read_pose(text).get(name, 0.0)]


def _changed(key: str, text: str, name: str, numbers: List[float]) -> str:
    if key == "tuning":
        return write_tuning({**read_tuning(text), name: Tuning(*numbers)})
    return write_pose({**read_pose(text), name: numbers[0]})
