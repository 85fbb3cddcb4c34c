"""A character's expressions: named faces that are put over the tracked one, kept in ``expressions.json`` beside it.

    {"format": 1, "expressions": [
        {"slot": 1, "name": "smile", "values": {"mouth_raised_corner": 1.0}, "mode": "add", "priority": 0,
         "alone": true, "fade_in_s": 0.15, "fade_out_s": 0.3, "hold_s": 0}]}

``slot`` 1 to 8 is the hotkey; ``values`` are named as in ``pose_values``; ``add`` puts them on top of the tracked face,
``set`` in its place; of two that are shown the one with the higher ``priority`` wins; ``alone`` hides the other ones of
the same priority; ``hold_s`` ends it by itself (0 stays until it is hidden). What a newer version writes is kept.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from .characters import character_picture
from .errors import ExpressionsUnreadable
from .folders import CHARACTERS
from .json_file import write_json
from .pose_values import NAMES, indices

FILE_NAME = "expressions.json"
SLOTS = 8
MODES = ("add", "set")
_FORMAT = 1
_LARGEST_FILE = 262_144
_MOST = 64


class Expression(NamedTuple):
    """One named face."""

    name: str
    values: Dict[str, float]
    slot: int = 0
    """1 to 8: the hotkey; 0 has none."""
    mode: str = "add"
    priority: int = 0
    alone: bool = True
    fade_in_s: float = 0.15
    fade_out_s: float = 0.3
    hold_s: float = 0.0


BUILT_IN = (
    Expression("smile", {"mouth_raised_corner": 1.0, "eyebrow_happy": 0.6}, 1),
    Expression("laugh", {"eye_happy_wink": 1.0, "eye_wink": -1.0, "mouth_raised_corner": 1.0, "mouth_aaa": 0.7}, 2),
    Expression("angry", {"eyebrow_angry": 1.0, "mouth_lowered_corner": 0.8, "eye_unimpressed": 0.3}, 3),
    Expression("sad", {"eyebrow_troubled": 1.0, "mouth_lowered_corner": 1.0, "iris_rotation_x": -0.2}, 4),
    Expression("surprised", {"eyebrow_raised": 1.0, "eye_surprised": 1.0, "iris_small": 0.5, "mouth_ooo": 0.7}, 5),
    Expression("wink", {"eye_wink_right": 1.0, "mouth_raised_corner": 0.6}, 6, hold_s=0.6),
    Expression("relaxed", {"eye_relaxed": 1.0, "eyebrow_lowered": 0.3, "mouth_raised_corner": 0.4}, 7),
    Expression("serious", {"eyebrow_serious": 1.0, "eye_unimpressed": 0.5}, 8),
)
"""What a character can do that brings no file of its own."""


def expressions_file(character: str, folder: Path = CHARACTERS) -> Optional[Path]:
    """Where this character's expressions are kept; None for a character that is not there."""
    picture = character_picture(character, folder)
    if picture is None:
        return None
    if picture.parent == folder:
        return folder / f"{picture.stem}.{FILE_NAME}"
    return picture.parent / FILE_NAME


def read_expressions(character: str, folder: Path = CHARACTERS) -> List[Expression]:
    """The character's own expressions, or the built-in ones. What does not fit is left out.

    Raises ExpressionsUnreadable when there is a file that cannot be read.
    """
    file = expressions_file(character, folder)
    content = _load(file) if file is not None else None
    if content is None:
        return list(BUILT_IN)
    found = [_expression(entry) for entry in _entries(content)[:_MOST]]
    return [expression for expression in found if expression is not None]


def keep_expression(character: str, slot: int, name: str, values: Dict[str, float], folder: Path = CHARACTERS) -> None:
    """Make this face the expression of that slot; the others, and what else is in the file, stay.

    Raises ExpressionsUnreadable when the file is damaged or cannot be written: it is never overwritten then.
    """
    file = expressions_file(character, folder)
    if file is None:
        raise ExpressionsUnreadable("no such character", path=character, reason="no_character")
    content = _load(file)
    if content is None:
        content = {"format": _FORMAT, "expressions": [_as_entry(expression) for expression in BUILT_IN]}
    entries = _entries(content)
    place = next((n for n, entry in enumerate(entries) if isinstance(entry, dict) and entry.get("slot") == slot), None)
    before: Dict[str, Any] = dict(entries[place]) if place is not None else {}
    changed = {**_as_entry(Expression(name or str(before.get("name") or f"{slot}"), {}, slot)), **before}
    changed.update(values={key: round(value, 3) for key, value in values.items()}, mode="set")
    if name:
        changed["name"] = name
    if place is None:
        entries.append(changed)
    else:
        entries[place] = changed
    _write(file, {**content, "expressions": entries})


def _load(file: Path) -> Optional[Dict[str, Any]]:
    """What the file holds; None when there is none."""
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise ExpressionsUnreadable("too large", path=str(file), reason="too_large")
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as problem:
        raise ExpressionsUnreadable(str(problem)[:200], path=str(file), reason="not_json") from problem
    if not isinstance(content, dict) or not isinstance(content.get("expressions"), list):
        raise ExpressionsUnreadable("no list of expressions", path=str(file), reason="not_json")
    return content


def _entries(content: Dict[str, Any]) -> List[Any]:
    return list(content["expressions"])


def _write(file: Path, content: Dict[str, Any]) -> None:
    try:
        if file.exists():
            file.with_name(file.name + ".before").write_bytes(file.read_bytes())
        write_json(file, content)
    except OSError as problem:
        raise ExpressionsUnreadable(str(problem), path=str(file), reason="not_written") from problem


def _as_entry(expression: Expression) -> Dict[str, Any]:
    return dict(zip(Expression._fields, expression))


def _expression(entry: Any) -> Optional[Expression]:
    if not isinstance(entry, dict) or not isinstance(entry.get("values"), dict):
        return None
    values = {
        str(name): _number(value, 0.0, -1.0, 1.0) for name, value in list(entry["values"].items())[: len(NAMES)]
        if indices(str(name))
    }  # fmt: skip
    usual = Expression(str(entry.get("name") or "")[:64], values)
    slot = entry.get("slot")
    mode = entry.get("mode")
    return usual._replace(
        slot=slot if isinstance(slot, int) and not isinstance(slot, bool) and 0 < slot <= SLOTS else 0,
        mode=mode if mode in MODES else usual.mode,
        priority=int(_number(entry.get("priority"), 0.0, -100.0, 100.0)),
        alone=entry.get("alone") is not False,
        fade_in_s=_number(entry.get("fade_in_s"), usual.fade_in_s, 0.0, 10.0),
        fade_out_s=_number(entry.get("fade_out_s"), usual.fade_out_s, 0.0, 10.0),
        hold_s=_number(entry.get("hold_s"), usual.hold_s, 0.0, 3600.0),
    )


def _number(value: Any, usual: float, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return usual
    return float(min(max(value, low), high))
