"""The settings table: every kind of value, inside its range or refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.obs.translate import read_table
from core.wire import settings as table
from core.wire.errors import SettingRefused
from core.wire.settings import BOOL, CHOICE, COLOUR, FLOAT, INT, TEXT, Setting, accept, defaults

WHOLE = Setting("whole", INT, 5, "input", minimum=1, maximum=10)
BROKEN = Setting("broken", FLOAT, 0.5, "input", minimum=-1.0, maximum=2.0)
SWITCH = Setting("switch", BOOL, False, "input")
ONE_OF = Setting("one_of", CHOICE, "a", "input", choices=("a", "b"))
WORDS = Setting("words", TEXT, "", "input")
PAINT = Setting("paint", COLOUR, 0, "input", maximum=0xFFFFFFFF)
KINDS = (
    BOOL, INT, FLOAT, CHOICE, TEXT, COLOUR, table.FILE, table.CHARACTER, table.DEVICE, table.CAMERA, table.MICROPHONE,
    table.VALUES,
)  # fmt: skip

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())
ODD = st.sampled_from([10**400, -(10**400), math.nan, "x" * 5000, "\ud800", [], {}, {"a": 1}])


def fits(setting: Setting, value: Any) -> bool:
    """Is this a value that the setting may have?"""
    if setting.kind == BOOL:
        return type(value) is bool
    if setting.kind in (INT, COLOUR):
        return type(value) is int and setting.minimum <= value <= setting.maximum
    if setting.kind == FLOAT:
        return type(value) is float and setting.minimum <= value <= setting.maximum
    if setting.kind == CHOICE:
        return type(value) is str and value in setting.choices
    longest = table.MAXIMUM_VALUES if setting.kind == table.VALUES else table.MAXIMUM_TEXT
    return type(value) is str and len(value) <= longest and value == value.strip() and "\n" not in value


@pytest.mark.parametrize("given_value,kept", [(1, 1), (10, 10), (0, 1), (-7, 1), (11, 10), (10**30, 10)])
def test_a_whole_number_is_brought_into_its_range(given_value: int, kept: int) -> None:
    assert WHOLE.check(given_value) == kept


@pytest.mark.parametrize("given_value,kept", [(0.25, 0.25), (2, 2.0), (-1.5, -1.0), (1e308, 2.0), (10**400, 2.0)])
def test_a_number_is_brought_into_its_range(given_value: float, kept: float) -> None:
    checked = BROKEN.check(given_value)
    assert (checked, type(checked)) == (kept, float)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(SettingRefused):
        BROKEN.check(value)


@pytest.mark.parametrize("setting", [WHOLE, BROKEN, PAINT], ids=lambda setting: setting.kind)
def test_true_is_not_taken_for_a_number(setting: Setting) -> None:
    with pytest.raises(SettingRefused):
        setting.check(True)


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_a_switch_takes_only_true_and_false(value: object) -> None:
    with pytest.raises(SettingRefused):
        SWITCH.check(value)


def test_a_switch_keeps_true_and_false() -> None:
    assert [SWITCH.check(True), SWITCH.check(False)] == [True, False]


@pytest.mark.parametrize("value", ["c", "", "A", None, 0, ["a"], {}])
def test_a_choice_takes_only_what_is_offered(value: object) -> None:
    with pytest.raises(SettingRefused):
        ONE_OF.check(value)


def test_a_fraction_is_not_taken_for_a_whole_number() -> None:
    with pytest.raises(SettingRefused):
        WHOLE.check(3.0)


def test_text_loses_what_cannot_be_seen() -> None:
    assert WORDS.check("  a\n\tb\x00c\u200b ") == "abc"


def test_text_over_the_limit_is_refused() -> None:
    with pytest.raises(SettingRefused):
        WORDS.check("x" * (table.MAXIMUM_TEXT + 1))


def test_text_of_the_limit_passes() -> None:
    assert WORDS.check("x" * table.MAXIMUM_TEXT) == "x" * table.MAXIMUM_TEXT


def test_every_bit_of_a_colour_is_kept() -> None:
    assert PAINT.check(0xFFFFFFFF) == 0xFFFFFFFF


def test_a_refusal_names_the_setting_and_a_short_form_of_the_value() -> None:
    with pytest.raises(SettingRefused) as caught:
        WHOLE.check("x" * 500)
    assert caught.value.parameters == {"key": "whole", "value": "x" * 80}


@pytest.mark.parametrize("setting", table.SETTINGS, ids=lambda setting: setting.key)
def test_every_default_passes_its_own_check(setting: Setting) -> None:
    assert setting.check(setting.default) == setting.default
    assert fits(setting, setting.default)


@pytest.mark.parametrize("setting", table.SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_is_of_a_known_kind_group_and_way_to_apply(setting: Setting) -> None:
    assert setting.kind in KINDS
    assert setting.group in table.GROUPS
    assert setting.apply in (table.LIVE, table.RESTART, table.PANEL)


@pytest.mark.parametrize("setting", table.SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_can_be_read_in_the_panel(setting: Setting) -> None:
    words = {f"setting.{setting.key}.label", f"setting.{setting.key}.help"}
    words |= {f"setting.{setting.key}.choice.{choice}" for choice in setting.choices}
    assert words <= set(read_table("en"))


@pytest.mark.parametrize("setting", [one for one in table.SETTINGS if one.shown_for], ids=lambda setting: setting.key)
def test_a_setting_that_depends_on_another_names_values_that_other_can_have(setting: Setting) -> None:
    assert setting.shown_for is not None
    key, values = setting.shown_for
    assert set(values) <= set(table.BY_KEY[key].choices)


def test_a_key_is_used_once() -> None:
    assert len(table.BY_KEY) == len(table.SETTINGS)


def test_defaults_are_a_fresh_dictionary_each_time() -> None:
    defaults()["preset"] = "spoiled"
    assert defaults()["preset"] == "high"


def test_the_largest_picture_is_a_square_of_the_largest_size() -> None:
    assert table.BY_KEY["output_size"].maximum ** 2 * 4 == table.MAXIMUM_PICTURE_BYTES


def test_unknown_keys_of_another_version_are_left_out() -> None:
    assert accept({"from_the_future": 1, "mirror": True}) == ({"mirror": True}, [])


def test_one_bad_value_does_not_take_the_good_ones_with_it() -> None:
    good, refused = accept({"mirror": "yes", "smoothing": 40})
    assert good == {"smoothing": 40}
    assert [refusal.parameters["key"] for refusal in refused] == ["mirror"]


@given(st.dictionaries(st.sampled_from([*table.BY_KEY, "unknown"]), PLAIN | ODD))
def test_whatever_is_given_only_values_that_fit_come_out_and_nothing_is_raised(given_values: Any) -> None:
    good, refused = accept(given_values)
    assert all(fits(table.BY_KEY[key], value) for key, value in good.items())
    assert {*good, *(refusal.parameters["key"] for refusal in refused)} == set(given_values) - {"unknown"}
