"""Scene rules: what holds while a scene is on, and what comes back when it is left."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.obs.scene_rules import (
    RULE_KEYS,
    LiveChoices,
    Rules,
    follow_rename,
    read_rules,
    set_rule,
    write_rules,
)
from core.wire.settings import PRESETS, defaults

GAME: Rules = {"Game": {"preset": "low", "visible": False}}
FITTING = st.fixed_dictionaries(
    {}, optional={"preset": st.sampled_from(PRESETS), "interpolation": st.booleans(), "visible": st.booleans()}
)


@pytest.fixture
def choices() -> LiveChoices:
    return LiveChoices(defaults(), GAME, "Chat")


def test_without_a_rule_the_users_own_choice_holds(choices: LiveChoices) -> None:
    assert choices.in_force() == {"interpolation": True, "preset": "high", "visible": True}


def test_a_scenes_rule_holds_while_it_is_on(choices: LiveChoices) -> None:
    choices.switch("Game")
    assert choices.in_force() == {"interpolation": True, "preset": "low", "visible": False}


def test_leaving_the_scene_brings_the_users_own_choice_back(choices: LiveChoices) -> None:
    choices.switch("Game")
    choices.switch("Chat")
    assert choices.in_force()["preset"] == "high"


def test_a_hotkey_without_a_rule_changes_the_users_own_choice(choices: LiveChoices) -> None:
    assert choices.choose("preset", "ultra") is True
    choices.switch("Other")
    assert choices.in_force()["preset"] == "ultra"


def test_a_hotkey_under_a_rule_holds_only_in_that_scene(choices: LiveChoices) -> None:
    choices.switch("Game")
    assert choices.choose("preset", "ultra") is False
    assert choices.in_force()["preset"] == "ultra"
    choices.switch("Chat")
    assert choices.in_force()["preset"] == "high"


def test_coming_back_to_the_scene_brings_its_rule_back_not_the_hotkey(choices: LiveChoices) -> None:
    choices.switch("Game")
    choices.choose("preset", "ultra")
    choices.switch("Chat")
    choices.switch("Game")
    assert choices.in_force()["preset"] == "low"


def test_being_told_the_same_scene_again_keeps_the_hotkeys_choice(choices: LiveChoices) -> None:
    choices.switch("Game")
    choices.choose("visible", True)
    choices.switch("Game")
    assert choices.in_force()["visible"] is True


def test_a_choice_in_the_panel_waits_behind_the_scenes_rule(choices: LiveChoices) -> None:
    choices.switch("Game")
    choices.own({"preset": "ultra", "mirror": True})
    assert choices.in_force()["preset"] == "low"
    choices.switch("Chat")
    assert choices.in_force() == {"interpolation": True, "preset": "ultra", "visible": True}


def test_the_scenes_with_rules_are_listed_in_the_collections_order(choices: LiveChoices) -> None:
    choices.rules = {"B": {"visible": True}, "A": {"visible": True}, "Gone": {"visible": True}}
    assert choices.summary(["A", "x", "B"]) == ["A", "B"]


def test_setting_a_value_leaves_the_rules_it_was_given_alone() -> None:
    before = read_rules(write_rules(GAME))
    assert set_rule(before, "Game", "preset", "ultra")["Game"]["preset"] == "ultra"
    assert before == GAME


def test_a_first_value_makes_a_rule() -> None:
    assert set_rule({}, "Game", "interpolation", True) == {"Game": {"interpolation": True}}


def test_taking_the_last_value_away_takes_the_rule_away() -> None:
    assert set_rule({"Game": {"preset": "low"}}, "Game", "preset", None) == {}


@pytest.mark.parametrize("key,value", [("preset", "hyper"), ("visible", "yes"), ("character", "nocti")])
def test_a_value_that_does_not_fit_is_not_kept(key: str, value: str) -> None:
    assert set_rule({}, "Game", key, value) == {}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', "7", "[" * 90_000, '{"Game": 1}', '{"Game": {"preset": "hyper", "visible": 1}}'],
)
def test_text_that_is_no_rules_is_no_rules(text: str) -> None:
    assert read_rules(text) == {}


def test_what_fits_is_kept_beside_what_does_not() -> None:
    assert read_rules('{"A": {"preset": "low", "volume": 3, "visible": null}, "B": []}') == {"A": {"preset": "low"}}


def test_a_list_without_end_is_cut() -> None:
    assert len(read_rules(write_rules({str(number): {"visible": True} for number in range(5000)}))) == 1000


def test_names_of_any_language_are_kept_readable() -> None:
    assert "配信" in write_rules({"配信": {"visible": False}})


@given(st.dictionaries(st.text(min_size=1, max_size=10), FITTING.filter(bool), max_size=5))
def test_rules_come_back_from_the_text_they_were_written_to(rules: Rules) -> None:
    assert read_rules(write_rules(rules)) == rules


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)))
def test_no_content_whatever_raises_and_only_fitting_values_come_out(content: Any) -> None:
    for changes in read_rules(json.dumps(content)).values():
        assert set(changes) <= set(RULE_KEYS)


def test_a_renamed_scene_keeps_its_rules() -> None:
    assert follow_rename(GAME, ["Chat", "Game"], ["Chat", "Play"]) == {"Play": GAME["Game"]}


@pytest.mark.parametrize(
    "after",
    [["Chat"], ["Chat", "Game", "New"], ["Game", "Chat"], ["A", "B"], ["Chat", "Game"], []],
    ids=["removed", "added", "moved", "two new", "same", "none"],
)
def test_any_other_change_of_the_list_keeps_the_rules_as_they_are(after: Any) -> None:
    assert follow_rename(GAME, ["Chat", "Game"], after) == GAME


def test_renaming_a_scene_without_rules_changes_nothing() -> None:
    assert follow_rename(GAME, ["Chat", "Game"], ["Talk", "Game"]) == GAME


@given(FITTING, FITTING, FITTING)
def test_own_choice_scene_rule_and_hotkey_lie_over_each_other_in_this_order(
    own: Dict[str, Any], rule: Dict[str, Any], pressed: Dict[str, Any]
) -> None:
    choices = LiveChoices({**defaults(), **own}, {"S": rule} if rule else {}, "S")
    before = choices.in_force()
    for key, value in pressed.items():
        choices.choose(key, value)
    assert choices.in_force() == {**before, **pressed}
    choices.switch("T")
    changed = {key: value for key, value in pressed.items() if key not in rule}
    assert choices.in_force() == {"interpolation": True, "preset": "high", "visible": True, **own, **changed}
