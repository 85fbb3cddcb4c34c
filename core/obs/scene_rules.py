"""Scene rules, and how they meet what the user chose: which preset, interpolation and visibility are in force now."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from ..wire.settings import PRESETS, Value

RULE_KEYS = ("interpolation", "preset", "visible")
"""What a scene may change."""

Rules = Dict[str, Dict[str, Value]]
"""Scene name to the values that hold while that scene is on."""

_MOST_SCENES = 1000


def _fits(key: str, value: Any) -> bool:
    return value in PRESETS if key == "preset" else isinstance(value, bool)


def read_rules(text: str) -> Rules:
    """Rules from the text kept in the script's settings. What does not fit is left out, never an error."""
    try:
        content = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    rules: Rules = {}
    if isinstance(content, dict):
        for scene, changes in list(content.items())[:_MOST_SCENES]:
            if isinstance(changes, dict):
                kept = {key: changes[key] for key in RULE_KEYS if key in changes and _fits(key, changes[key])}
                if kept:
                    rules[scene] = kept
    return rules


def write_rules(rules: Rules) -> str:
    """The text for the script's settings."""
    return json.dumps({scene: changes for scene, changes in rules.items() if changes}, ensure_ascii=False)


def set_rule(rules: Rules, scene: str, key: str, value: Optional[Value]) -> Rules:
    """The rules with one value of one scene changed; None leaves it to the user's own choice again."""
    changed = {name: dict(changes) for name, changes in rules.items()}
    changes = changed.setdefault(scene, {})
    changes.pop(key, None)
    if value is not None and key in RULE_KEYS and _fits(key, value):
        changes[key] = value
    if not changes:
        del changed[scene]
    return changed


def follow_rename(rules: Rules, before: Sequence[str], after: Sequence[str]) -> Rules:
    """Rules after the list of scenes changed: a scene that was renamed keeps its rules.

    OBS tells scripts only that the list changed; one name gone and one new at the same place is a rename.
    """
    gone = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    if len(before) != len(after) or len(gone) != 1 or len(new) != 1 or gone[0] not in rules:
        return rules
    return {new[0] if scene == gone[0] else scene: changes for scene, changes in rules.items()}


class LiveChoices:
    """The values in force: the user's own, over them the scene's, over them what a hotkey changed in this scene."""

    def __init__(self, own: Mapping[str, Value], rules: Optional[Rules] = None, scene: str = "") -> None:
        self._own: Dict[str, Value] = {"visible": True, **{key: own[key] for key in RULE_KEYS if key in own}}
        self._hotkeys: Dict[str, Value] = {}
        self.rules: Rules = rules or {}
        self._scene = scene

    @property
    def scene(self) -> str:
        """The scene that is on."""
        return self._scene

    def in_force(self) -> Dict[str, Value]:
        """Every rule key's value now."""
        return {**self._own, **self.rules.get(self._scene, {}), **self._hotkeys}

    def switch(self, scene: str) -> None:
        """Another scene is on: its rules hold, and hotkey changes made under a rule end."""
        if scene != self._scene:
            self._scene = scene
            self._hotkeys.clear()

    def choose(self, key: str, value: Value) -> bool:
        """A hotkey wants this value. True when the user's own choice changed, False when only this scene's did."""
        if key in self.rules.get(self._scene, {}):
            self._hotkeys[key] = value
            return False
        self._hotkeys.pop(key, None)
        self._own[key] = value
        return True

    def own(self, values: Mapping[str, Value]) -> None:
        """The user changed something in the panel: it holds unless the scene's rule says otherwise."""
        for key in RULE_KEYS:
            if key in values:
                self._own[key] = values[key]

    def summary(self, scenes: Iterable[str]) -> List[str]:
        """Scenes of the collection that have rules, in the collection's order."""
        return [scene for scene in scenes if scene in self.rules]
