"""Every language is complete, and no text is missing or left over."""

from __future__ import annotations

import json
import re

import pytest

from core.obs.translate import BASE, FOLDER, LANGUAGES, read_table
from core.wire.errors import ERRORS_BY_CODE
from core.wire.expressions import BUILT_IN, SLOTS
from core.wire.folders import PROJECT
from core.wire.pose_values import STEMS
from core.wire.rungs import LADDER
from core.wire.settings import AUTOMATIC, CAMERA, GROUPS, MICROPHONE, SETTINGS
from trackers.base import Drop, TrackerState

PLACEHOLDER = re.compile(r"{(\w+)}")
PHASES = ("stopped", "starting", "warming", "running", "stalled", "backing_off", "stopping", "gave_up")


def _keys_made_in_code() -> set[str]:
    keys = {f"group.{group}" for group in GROUPS} | {f"error.{code}" for code in ERRORS_BY_CODE}
    keys |= {f"rung.{rung}" for rung in LADDER} | {f"phase.{phase}" for phase in PHASES}
    keys |= {f"tracker_state.{state.value}" for state in TrackerState} | {f"drop.{reason.value}" for reason in Drop}
    keys |= {f"hotkey.expression_{slot}" for slot in range(1, SLOTS + 1)} | {f"pose.{stem}" for stem in STEMS}
    keys |= {f"expression.{expression.name}" for expression in BUILT_IN}
    for setting in SETTINGS:
        keys |= {f"setting.{setting.key}.label", f"setting.{setting.key}.help"}
        found_later = (AUTOMATIC,) if setting.kind in (CAMERA, MICROPHONE) else ()
        keys |= {f"setting.{setting.key}.choice.{value}" for value in (*setting.choices, *found_later)}
    return keys


def _code() -> str:
    folders = ("core/obs", "core/publish", "core/render", "core/wire", "core/worker", "trackers", "accel", "models")
    files = [path for folder in folders for path in sorted((PROJECT / folder).rglob("*.py"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_there_is_a_table_for_every_language_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(LANGUAGES)


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != BASE])
def test_a_language_has_every_text_with_the_same_placeholders(language: str) -> None:
    base, table = read_table(BASE), read_table(language)
    assert list(table) == list(base), "the same keys in the same order"
    for key, text in table.items():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(base[key])), key
        assert text.strip(), key


def test_every_text_the_code_asks_for_is_there() -> None:
    missing = _keys_made_in_code() - set(read_table(BASE))
    assert not missing


def test_no_text_is_left_over() -> None:
    code = _code()
    made = _keys_made_in_code()
    unused = []
    for key in read_table(BASE):
        family, _, last = key.rpartition(".")
        # asked for as it stands, or put together from a family and a name that stands in the code
        if key not in made and f'"{key}"' not in code and not (f"{family}." in code and f'"{last}"' in code):
            unused.append(key)
    assert not unused


def test_every_hint_has_a_text() -> None:
    given = set(re.findall(r'\bHint\(\s*"(\w+)"', _code()))
    assert {f"hint.{key}" for key in given} <= set(read_table(BASE))


def test_every_reason_an_output_or_tracker_may_give_has_a_sentence() -> None:
    table = read_table(BASE)
    given = set(re.findall(r'reason="(\w+)"', _code())) | set(re.findall(r'return "(\w+)"', _publisher_code()))
    assert {f"reason.{reason}" for reason in given} <= set(table)


def _publisher_code() -> str:
    """The bodies of ``unavailable()`` in publishers and trackers."""
    bodies = []
    for folder in ("core/publish", "trackers"):
        for path in sorted((PROJECT / folder).glob("*.py")):
            found = re.search(r"def unavailable\(\).*?(?=\n\ndef |\Z)", path.read_text(encoding="utf-8"), re.DOTALL)
            bodies.append(found.group(0) if found else "")
    return "\n".join(bodies)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_is_plain_json_without_double_keys(language: str) -> None:
    def unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"), object_pairs_hook=unique)
