"""The panel's group for scene rules: choose a scene, see and change what holds while it is on. UI thread only."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

import obspython as obs

from ..wire.settings import PRESETS, Value
from . import data
from .log import guarded
from .scene_rules import RULE_KEYS, Rules, read_rules, set_rule, write_rules
from .translate import Translator

_SCENE = "rule_scene"
_UNCHANGED = ""


def add(
    properties: Any, say: Translator, scenes: List[str], rules: Rules, changed: Callable[[Any, Rules], None]
) -> None:
    """Add the group. ``changed`` gets OBS's settings object and the new rules."""
    inside = obs.obs_properties_create()
    names = {_UNCHANGED: say("rule.scene.none")}
    names.update((name, say("rule.has_rules", scene=name) if name in rules else name) for name in scenes)
    scene_list = _list(inside, _SCENE, say("rule.scene"), names)
    obs.obs_property_set_long_description(scene_list, say("rule.help"))
    unchanged = {_UNCHANGED: say("rule.unchanged")}
    choices = {
        "interpolation": {**unchanged, "true": say("rule.on"), "false": say("rule.off")},
        "preset": {**unchanged, **{name: say(f"setting.preset.choice.{name}") for name in PRESETS}},
        "visible": {**unchanged, "true": say("rule.shown"), "false": say("rule.hidden")},
    }

    def scene_chosen(shown: Any, prop: Any, settings: Any) -> bool:
        scene = str(obs.obs_data_get_string(settings, _SCENE) or "")
        current = read_rules(str(obs.obs_data_get_string(settings, data.RULES_KEY) or "")).get(scene, {})
        for key in RULE_KEYS:
            if scene:
                obs.obs_data_set_string(settings, f"rule_{key}", _as_text(current.get(key)))
            obs.obs_property_set_visible(obs.obs_properties_get(shown, f"rule_{key}"), bool(scene))
        return True

    obs.obs_property_set_modified_callback(scene_list, guarded(scene_chosen))
    for key in RULE_KEYS:
        made = _list(inside, f"rule_{key}", say(f"rule.{key}"), choices[key])
        obs.obs_property_set_modified_callback(made, guarded(_rule_chosen(key, changed)))
        obs.obs_property_set_visible(made, False)
    obs.obs_properties_add_group(properties, "group_scenes", say("group.scenes"), obs.OBS_GROUP_NORMAL, inside)


def _rule_chosen(key: str, changed: Callable[[Any, Rules], None]) -> Callable[[Any, Any, Any], bool]:
    def chosen(shown: Any, prop: Any, settings: Any) -> bool:
        scene = str(obs.obs_data_get_string(settings, _SCENE) or "")
        if not scene:
            # OBS 29 also calls this with an empty settings object, when the script is reloaded or reset
            return False
        before = read_rules(str(obs.obs_data_get_string(settings, data.RULES_KEY) or ""))
        wanted = _as_value(key, str(obs.obs_data_get_string(settings, f"rule_{key}") or ""))
        rules = set_rule(before, scene, key, wanted)
        if rules != before:
            obs.obs_data_set_string(settings, data.RULES_KEY, write_rules(rules))
            changed(settings, rules)
        return False

    return chosen


def _as_text(value: Optional[Value]) -> str:
    if value is None:
        return _UNCHANGED
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_value(key: str, text: str) -> Optional[Value]:
    if text == _UNCHANGED:
        return None
    return text if key == "preset" else text == "true"


def _list(inside: Any, key: str, label: str, names: Dict[str, str]) -> Any:
    made = obs.obs_properties_add_list(inside, key, label, obs.OBS_COMBO_TYPE_LIST, obs.OBS_COMBO_FORMAT_STRING)
    for value, name in names.items():
        obs.obs_property_list_add_string(made, name, value)
    return made
