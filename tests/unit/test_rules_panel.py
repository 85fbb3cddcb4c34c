"""The panel's group for scene rules: choose a scene, see what holds there, change it."""

from __future__ import annotations

from typing import Any, List, Tuple

import pytest

from core.obs.scene_rules import RULE_KEYS, Rules, read_rules, write_rules
from core.obs.translate import Translator
from core.wire.settings import PRESETS
from tests.fake_obs import FakeObs
from tests.fake_obs_panel import Data, Properties

SAY = Translator("en")
RULES: Rules = {"Game": {"preset": "low", "visible": False}}
FIELDS = [f"rule_{key}" for key in RULE_KEYS]


@pytest.fixture
def told() -> List[Tuple[Data, Rules]]:
    return []


@pytest.fixture
def settings() -> Data:
    return Data(scene_rules=write_rules(RULES))


@pytest.fixture
def panel(obs: FakeObs, told: List[Tuple[Data, Rules]]) -> Properties:
    from core.obs import rules_panel

    properties = Properties()
    rules_panel.add(properties, SAY, ["Chat", "Game"], RULES, lambda data, rules: told.append((data, rules)))
    return properties


def shown(panel: Properties) -> List[bool]:
    return [panel[field].visible for field in FIELDS]


def test_every_scene_can_be_chosen_and_those_with_rules_are_marked(panel: Properties) -> None:
    assert panel["rule_scene"].items == [
        (SAY("rule.scene.none"), ""),
        ("Chat", "Chat"),
        (SAY("rule.has_rules", scene="Game"), "Game"),
    ]


def test_the_values_offer_leaving_everything_as_it_is(panel: Properties) -> None:
    assert panel["rule_preset"].offered == ["", *PRESETS]
    assert panel["rule_interpolation"].offered == panel["rule_visible"].offered == ["", "true", "false"]


def test_without_a_scene_there_is_nothing_to_choose(panel: Properties, settings: Data) -> None:
    assert shown(panel) == [False] * 3
    assert panel.choose(settings, "rule_scene", "") is True
    assert shown(panel) == [False] * 3


def test_choosing_a_scene_shows_its_rule(panel: Properties, settings: Data) -> None:
    assert panel.choose(settings, "rule_scene", "Game") is True
    assert shown(panel) == [True] * 3
    assert [settings.values[field] for field in FIELDS] == ["", "low", "false"]


def test_choosing_a_scene_without_a_rule_shows_everything_unchanged(panel: Properties, settings: Data) -> None:
    panel.choose(settings, "rule_scene", "Game")
    panel.choose(settings, "rule_scene", "Chat")
    assert [settings.values[field] for field in FIELDS] == ["", "", ""]


def test_choosing_a_scene_changes_no_rule(panel: Properties, settings: Data, told: List[Any]) -> None:
    panel.choose(settings, "rule_scene", "Game")
    assert told == []
    assert read_rules(str(settings.values["scene_rules"])) == RULES


def test_a_chosen_value_is_kept_and_told(panel: Properties, settings: Data, told: List[Any]) -> None:
    panel.choose(settings, "rule_scene", "Chat")
    panel.choose(settings, "rule_interpolation", "true")
    expected = {**RULES, "Chat": {"interpolation": True}}
    assert told == [(settings, expected)]
    assert read_rules(str(settings.values["scene_rules"])) == expected


def test_values_of_one_scene_are_kept_together(panel: Properties, settings: Data) -> None:
    panel.choose(settings, "rule_scene", "Chat")
    panel.choose(settings, "rule_preset", "ultra")
    panel.choose(settings, "rule_visible", "true")
    assert read_rules(str(settings.values["scene_rules"]))["Chat"] == {"preset": "ultra", "visible": True}


def test_as_chosen_above_takes_the_value_out_of_the_rule(panel: Properties, settings: Data, told: List[Any]) -> None:
    panel.choose(settings, "rule_scene", "Game")
    panel.choose(settings, "rule_preset", "")
    assert told[-1][1] == {"Game": {"visible": False}}


def test_the_same_value_again_tells_nobody(panel: Properties, settings: Data, told: List[Any]) -> None:
    panel.choose(settings, "rule_scene", "Game")
    panel.choose(settings, "rule_preset", "low")
    assert told == []


def test_an_empty_settings_object_as_obs_29_gives_it_changes_nothing(
    obs: FakeObs, panel: Properties, told: List[Any]
) -> None:
    empty = Data()
    obs.obs_properties_apply_settings(panel, empty)
    assert (empty.values, told) == ({}, [])


def test_opening_the_panel_again_shows_the_scene_that_was_chosen_last(
    obs: FakeObs, panel: Properties, settings: Data, told: List[Any]
) -> None:
    settings.values.update(rule_scene="Game", rule_preset="ultra")
    obs.obs_properties_apply_settings(panel, settings)
    assert settings.values["rule_preset"] == "low"
    assert told == []


def test_a_damaged_text_of_rules_begins_anew(panel: Properties, told: List[Any]) -> None:
    damaged = Data(scene_rules="{")
    panel.choose(damaged, "rule_scene", "Chat")
    panel.choose(damaged, "rule_preset", "low")
    assert told[-1][1] == {"Chat": {"preset": "low"}}
