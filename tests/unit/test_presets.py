"""Presets: a handful of values under one name."""

from __future__ import annotations

import pytest

from core.wire.presets import AUTOMATIC, PRESET_VALUES, UNRATED, neighbour, resolve
from core.wire.settings import BY_KEY, PRESETS, Value, defaults
from core.worker.machine_rating import RATED_PRESETS

OWN = ("custom", AUTOMATIC)
"""Presets without values: one leaves the user's, the other becomes one of the rest."""
FIXED = [name for name in PRESETS if name not in OWN]


def test_every_preset_that_can_be_chosen_has_values() -> None:
    assert set(PRESET_VALUES) == set(PRESETS)
    assert all(bool(PRESET_VALUES[preset]) is (preset not in OWN) for preset in PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_sets_only_values_that_fit(preset: str) -> None:
    assert all(BY_KEY[key].check(value) == value for key, value in PRESET_VALUES[preset].items())


def test_all_presets_decide_the_same_settings() -> None:
    assert len({frozenset(PRESET_VALUES[preset]) for preset in FIXED}) == 1


@pytest.mark.parametrize("preset", FIXED)
def test_what_a_preset_decides_is_shown_to_those_only_who_decide_it_themselves(preset: str) -> None:
    assert all(BY_KEY[key].shown_for == ("preset", ("custom",)) for key in PRESET_VALUES[preset])


@pytest.mark.parametrize("preset", FIXED)
def test_a_preset_wins_over_the_users_own_numbers(preset: str) -> None:
    own: dict[str, Value] = dict.fromkeys(PRESET_VALUES[preset], "of my own")
    resolved = resolve({**defaults(), "preset": preset, **own})
    assert {key: resolved[key] for key in own} == PRESET_VALUES[preset]
    assert resolved["preset"] == preset


def test_custom_leaves_the_users_own_numbers_alone() -> None:
    own = {**defaults(), "preset": "custom", "output_size": 320}
    assert resolve(own) == own
    assert resolve(own, "ultra") == own, "whatever this machine can do"


def test_an_unknown_preset_changes_nothing() -> None:
    assert resolve({"preset": "hyper", "output_size": 320}) == {"preset": "hyper", "output_size": 320}


def test_resolving_does_not_touch_what_it_was_given() -> None:
    own = {**defaults(), "preset": "low"}
    resolve(own)
    assert own["output_size"] == BY_KEY["output_size"].default


# -- automatic ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rated", RATED_PRESETS)
def test_automatic_is_what_this_machine_can_do(rated: str) -> None:
    resolved = resolve({**defaults(), "preset": AUTOMATIC, "output_size": 999}, rated)
    assert PRESET_VALUES[rated].items() <= resolved.items()
    assert resolved["preset"] == AUTOMATIC, "what the user chose stays what it is"


def test_until_the_machine_was_measured_automatic_renders_every_frame_at_the_networks_own_size() -> None:
    resolved = resolve({**defaults(), "preset": AUTOMATIC})
    assert (resolved["output_size"], resolved["render_rate"]) == (512, 0)
    assert resolved == resolve({**defaults(), "preset": AUTOMATIC}, UNRATED)


@pytest.mark.parametrize("preset", FIXED)
def test_what_this_machine_can_do_changes_no_preset_that_was_chosen(preset: str) -> None:
    settings = {**defaults(), "preset": preset}
    assert resolve(settings, "low") == resolve(settings, "ultra")


def test_every_rating_is_a_preset_with_values() -> None:
    assert set(RATED_PRESETS) == set(FIXED)
    assert UNRATED in FIXED


# -- the next one and the one before -----------------------------------------------------------------------------------


def test_the_next_preset_of_the_last_is_the_first() -> None:
    assert neighbour(PRESETS[-1], 1) == PRESETS[0]


def test_the_previous_preset_of_the_first_is_the_last() -> None:
    assert neighbour(PRESETS[0], -1) == PRESETS[-1]


def test_going_on_and_back_ends_where_it_began() -> None:
    assert [neighbour(neighbour(preset, 1), -1) for preset in PRESETS] == list(PRESETS)


def test_an_unknown_preset_has_a_known_neighbour() -> None:
    assert neighbour("hyper", 1) in PRESETS
