"""Presets: a handful of values under one name."""

from __future__ import annotations

import pytest

from core.wire.presets import PRESET_VALUES, neighbour, resolve
from core.wire.settings import BY_KEY, PRESETS, Value, defaults


def test_every_preset_that_can_be_chosen_has_values() -> None:
    assert set(PRESET_VALUES) == set(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_sets_only_values_that_fit(preset: str) -> None:
    assert all(BY_KEY[key].check(value) == value for key, value in PRESET_VALUES[preset].items())


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "custom"])
def test_a_preset_wins_over_the_users_own_numbers(preset: str) -> None:
    own: dict[str, Value] = {"output_size": 999, "render_rate": 77, "quality": "of my own"}
    resolved = resolve({**defaults(), "preset": preset, **own})
    assert {key: resolved[key] for key in own} == PRESET_VALUES[preset]


def test_custom_leaves_the_users_own_numbers_alone() -> None:
    own = {**defaults(), "preset": "custom", "output_size": 320}
    assert resolve(own) == own


def test_an_unknown_preset_changes_nothing() -> None:
    assert resolve({"preset": "hyper", "output_size": 320}) == {"preset": "hyper", "output_size": 320}


def test_resolving_does_not_touch_what_it_was_given() -> None:
    own = {**defaults(), "preset": "low"}
    resolve(own)
    assert own["output_size"] == BY_KEY["output_size"].default


def test_the_next_preset_of_the_last_is_the_first() -> None:
    assert neighbour(PRESETS[-1], 1) == PRESETS[0]


def test_the_previous_preset_of_the_first_is_the_last() -> None:
    assert neighbour(PRESETS[0], -1) == PRESETS[-1]


def test_going_on_and_back_ends_where_it_began() -> None:
    assert [neighbour(neighbour(preset, 1), -1) for preset in PRESETS] == list(PRESETS)


def test_an_unknown_preset_has_a_known_neighbour() -> None:
    assert neighbour("hyper", 1) in PRESETS
