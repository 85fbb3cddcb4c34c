"""The panel's group for expressions: which there are, showing one, keeping the present face as one. UI thread only."""

from __future__ import annotations

from typing import Any, Callable, List

import obspython as obs

from ..wire.errors import ExpressionsUnreadable
from ..wire.expressions import SLOTS, Expression, read_expressions
from .log import guarded
from .translate import Translator

SLOT_KEY, NAME_KEY = "expression_slot", "expression_name"
"""Where the panel keeps what is chosen and typed; they are no settings of the worker."""


def add(properties: Any, say: Translator, character: str, press: Callable[[str], None]) -> None:
    """Add the group. ``press`` gets ``show_expression`` or ``keep_expression``."""
    inside = obs.obs_properties_create()
    made = obs.obs_properties_add_list(
        inside, SLOT_KEY, say("expression.slot"), obs.OBS_COMBO_TYPE_LIST, obs.OBS_COMBO_FORMAT_STRING
    )
    obs.obs_property_set_long_description(made, say("expression.help"))
    names = slot_names(character, say)
    for slot, name in enumerate(names, start=1):
        obs.obs_property_list_add_string(made, f"{slot}: {name}", str(slot))

    def button(name: str) -> None:
        def pressed(shown: Any, prop: Any) -> bool:
            press(name)
            return False

        obs.obs_properties_add_button(inside, name, say(f"button.{name}"), guarded(pressed))

    button("show_expression")
    text = obs.obs_properties_add_text(inside, NAME_KEY, say("expression.name"), obs.OBS_TEXT_DEFAULT)
    obs.obs_property_set_long_description(text, say("expression.name_help"))
    button("keep_expression")
    obs.obs_properties_add_group(
        properties, "group_expressions", say("group.expressions"), obs.OBS_GROUP_NORMAL, inside
    )


def slot_names(character: str, say: Translator) -> List[str]:
    """What each hotkey's expression is called, in order of the eight slots."""
    try:
        found = read_expressions(character)
    except ExpressionsUnreadable:
        # the worker says what is wrong with the file
        found = []
    by_slot = {expression.slot: expression for expression in reversed(found)}
    return [_name(by_slot.get(slot), say) for slot in range(1, SLOTS + 1)]


def chosen(settings: Any) -> int:
    """The slot that is chosen in the panel; the first one before anything was."""
    text = str(obs.obs_data_get_string(settings, SLOT_KEY) or "")
    return int(text) if text.isdecimal() and 0 < int(text[:3]) <= SLOTS else 1


def typed_name(settings: Any) -> str:
    """The name typed for an expression that is to be kept."""
    return str(obs.obs_data_get_string(settings, NAME_KEY) or "").strip()[:64]


def _name(expression: Any, say: Translator) -> str:
    if not isinstance(expression, Expression):
        return say("expression.none")
    key = f"expression.{expression.name}"
    return say(key) if say.has(key) else expression.name
