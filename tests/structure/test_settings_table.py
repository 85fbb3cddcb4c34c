"""The settings table, and everything that is made from it."""

from __future__ import annotations

from core.install import option_tables
from core.publish.registry import PUBLISHERS
from core.wire.characters import character_names
from core.wire.folders import CHARACTERS
from core.wire.presets import PRESET_VALUES
from core.wire.settings import BY_KEY, CHARACTER, CHOICE, DEFAULT_CHARACTER, FLOAT, GROUPS, INT, PRESETS, SETTINGS
from trackers.registry import TRACKERS, decoder_factory


def test_every_setting_stands_there_once_in_a_known_group() -> None:
    assert len(BY_KEY) == len(SETTINGS)
    assert {setting.group for setting in SETTINGS} == set(GROUPS)


def test_every_default_passes_its_own_check() -> None:
    for setting in SETTINGS:
        assert setting.check(setting.default) == setting.default, setting.key
        if setting.kind in (INT, FLOAT):
            assert setting.minimum < setting.maximum, setting.key
            assert setting.step > 0, setting.key
        assert bool(setting.choices) == (setting.kind == CHOICE), setting.key


def test_an_option_that_is_shown_for_another_names_values_that_exist() -> None:
    for setting in SETTINGS:
        if setting.shown_for is not None:
            key, values = setting.shown_for
            assert set(values) <= set(BY_KEY[key].choices), setting.key


def test_trackers_and_outputs_to_choose_from_are_those_that_exist() -> None:
    assert set(BY_KEY["tracker"].choices) == set(TRACKERS)
    assert set(BY_KEY["output"].choices) - {"automatic"} == set(PUBLISHERS)
    replayable = {name for name in TRACKERS if decoder_factory(name, {}) is not None}
    assert set(BY_KEY["replay_protocol"].choices) - {"automatic"} == replayable


def test_presets_set_only_settings_that_exist_to_values_that_fit() -> None:
    assert tuple(PRESET_VALUES) == PRESETS
    for values in PRESET_VALUES.values():
        for key, value in values.items():
            assert BY_KEY[key].check(value) == value


def test_the_default_character_comes_along() -> None:
    assert BY_KEY["character"].kind == CHARACTER
    assert DEFAULT_CHARACTER in character_names(CHARACTERS)


def test_the_documentations_tables_are_up_to_date() -> None:
    assert option_tables.PAGE.read_text(encoding="utf-8") == option_tables.text(), "run: install_plugin.py docs"
