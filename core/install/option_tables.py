"""The documentation's tables of settings, presets and hotkeys, made from the code so that they cannot be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import List

from ..obs.translate import Translator
from ..wire import hotkeys
from ..wire.folders import PROJECT
from ..wire.presets import AUTOMATIC, PRESET_VALUES
from ..wire.settings import BOOL, COLOUR, FLOAT, GROUPS, INT, SETTINGS, Setting

PAGE = PROJECT / "docs" / "settings.md"

_APPLY = {"live": "at once", "restart": "restarts the worker", "panel": "OBS's side only"}


def text() -> str:
    """The whole page."""
    say = Translator("en")
    lines = [
        "# Settings",
        "",
        "Made by `python3 install_plugin.py docs` from the settings table; do not edit by hand.",
        "",
    ]
    for group in GROUPS:
        lines += [
            f"## {say(f'group.{group}')}",
            "",
            "| setting | key | values | default | takes effect | |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(setting, say) for setting in SETTINGS if setting.group == group]
        lines.append("")
    lines += _presets(say)
    lines += ["## Hotkeys", "", "In OBS: Settings, Hotkeys. The ids are stable.", "", "| hotkey | id |", "|---|---|"]
    lines += [f"| {say(f'hotkey.{name}').split(': ')[1]} | `easyvtuber.{name}` |" for name in hotkeys.NAMES]
    return "\n".join(lines) + "\n"


def write(page: Path = PAGE) -> None:
    """Bring the page up to date."""
    page.write_text(text(), encoding="utf-8")


def _row(setting: Setting, say: Translator) -> str:
    label = say(f"setting.{setting.key}.label") + (" (advanced)" if setting.advanced else "")
    shown = f"{setting.default:#010x}" if setting.kind == COLOUR else setting.default
    default = f"`{str(shown).lower() if setting.kind == BOOL else shown}`" if shown != "" else "empty"
    cells = [label, f"`{setting.key}`", _values(setting, say), default, _APPLY[setting.apply]]
    return "| " + " | ".join([*cells, say(f"setting.{setting.key}.help").replace("|", "\\|")]) + " |"


def _values(setting: Setting, say: Translator) -> str:
    if setting.kind in (INT, FLOAT):
        return f"{setting.minimum:g} to {setting.maximum:g} {setting.unit}".strip()
    if setting.choices:
        return ", ".join(say(f"setting.{setting.key}.choice.{value}") for value in setting.choices)
    return {
        BOOL: "on, off",
        COLOUR: "colour",
        "file": "a file",
        "character": "a character's name",
        "camera": "a camera's name",
        "microphone": "a microphone's name",
        "values": "chosen one by one",
    }.get(setting.kind, "text")


def _presets(say: Translator) -> List[str]:
    keys = list(dict.fromkeys(key for values in PRESET_VALUES.values() for key in values))
    head = [say("setting.preset.label"), *(say(f"setting.{key}.label") for key in keys)]
    lines = ["## What each preset sets", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for preset, values in PRESET_VALUES.items():
        otherwise = "as measured" if preset == AUTOMATIC else "your own"
        cells = [str(values.get(key, otherwise)) for key in keys]
        lines.append("| " + " | ".join([say(f"setting.preset.choice.{preset}"), *cells]) + " |")
    return [*lines, ""]
