"""Hotkeys: registered once with words, bindings kept, acting on the press."""

from __future__ import annotations

from typing import Any, List

import pytest

from core.obs.translate import Translator
from tests.fake_obs import FakeObs
from tests.fake_obs_panel import Data, DataArray

SAY = Translator("en")


@pytest.fixture
def pressed() -> List[str]:
    return []


@pytest.fixture
def hotkeys(obs: FakeObs, pressed: List[str]) -> Any:
    from core.obs.hotkeys import Hotkeys

    return lambda settings: Hotkeys(settings, SAY, pressed.append)


def test_every_hotkey_is_registered_with_its_words(obs: FakeObs, hotkeys: Any) -> None:
    hotkeys(Data())
    assert {name: hotkey.label for name, hotkey in obs.hotkeys.items()} == {
        f"easyvtuber.{name}": SAY(f"hotkey.{name}")
        for name in (
            "start_stop",
            "interpolation",
            "next_preset",
            "previous_preset",
            "calibrate",
            "show_hide",
            "calibrate_reach",
            "record",
            *(f"expression_{slot}" for slot in range(1, 9)),
            "no_expression",
        )
    }
    assert all(SAY.has(f"hotkey.{name.partition('.')[2]}") for name in obs.hotkeys)


def test_a_press_is_told_once_and_its_release_not_at_all(obs: FakeObs, hotkeys: Any, pressed: List[str]) -> None:
    hotkeys(Data())
    for name in obs.hotkeys:
        obs.press_hotkey(name)
    assert [f"easyvtuber.{name}" for name in pressed] == list(obs.hotkeys)


def test_bindings_come_back_after_a_restart_of_obs(obs: FakeObs, hotkeys: Any) -> None:
    settings = Data()
    first = hotkeys(settings)
    obs.hotkeys["easyvtuber.show_hide"].bindings = ["CTRL+H"]
    first.save(settings)
    hotkeys(settings)
    assert obs.hotkeys["easyvtuber.show_hide"].bindings == ["CTRL+H"]


def test_a_fresh_script_has_no_bindings(obs: FakeObs, hotkeys: Any) -> None:
    hotkeys(Data())
    assert all(hotkey.bindings == [] for hotkey in obs.hotkeys.values())


def test_other_settings_are_not_touched_by_saving(obs: FakeObs, hotkeys: Any) -> None:
    settings = Data(preset="low")
    hotkeys(settings).save(settings)
    assert settings.values.pop("preset") == "low"
    assert all(isinstance(value, DataArray) for value in settings.values.values())
