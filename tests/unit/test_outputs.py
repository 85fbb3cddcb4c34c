"""Which output "automatic" is, and the sources that belong to each."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Dict

import pytest

from core.obs.translate import read_table
from core.wire.settings import OUTPUTS
from tests.fake_obs import FakeObs, Source

SPOUT_READY = {"outputs": {"spout": None}}
RIGHT = {"spoutsenders": "EasyVtuber", "compositemode": 4, "tickspeedlimit": 100}


@pytest.fixture
def outputs(obs: FakeObs) -> ModuleType:
    from core.obs import outputs

    return outputs


@pytest.fixture
def scene(outputs: ModuleType) -> ModuleType:
    from core.obs import scene

    return scene


@pytest.fixture
def room(obs: FakeObs) -> Source:
    return obs.make_scene("Room")


@pytest.mark.parametrize("wanted", [name for name in OUTPUTS if name != "automatic"])
def test_what_the_user_chose_is_used(outputs: ModuleType, wanted: str) -> None:
    assert outputs.choose(wanted, windows=True, spout_plugin=True, capabilities=SPOUT_READY) == (wanted, "chosen")


@pytest.mark.parametrize(
    "windows,plugin,capabilities,output,reason",
    [
        (True, True, SPOUT_READY, "spout", "spout_plugin_found"),
        (False, True, SPOUT_READY, "obs_source", "not_windows"),
        (True, False, SPOUT_READY, "obs_source", "spout_plugin_missing"),
        (True, True, {"outputs": {"spout": "package_missing"}}, "obs_source", "spout_sender_unavailable"),
        (True, True, {"outputs": {}}, "obs_source", "spout_sender_unavailable"),
        (True, True, {}, "", "undecided"),
        (False, True, {}, "obs_source", "not_windows"),
        (True, False, {}, "obs_source", "spout_plugin_missing"),
        (True, True, {"outputs": ["spout"]}, "obs_source", "spout_sender_unavailable"),
    ],
)
def test_automatic_is_spout_when_both_its_ends_are_there_and_else_our_own_source(
    outputs: ModuleType, windows: bool, plugin: bool, capabilities: Dict[str, Any], output: str, reason: str
) -> None:
    chosen = outputs.choose("automatic", windows=windows, spout_plugin=plugin, capabilities=capabilities)
    assert chosen == (output, reason)
    assert not output or f"reason.{reason}" in read_table("en")


def test_a_missing_spout_source_is_made_as_it_must_be(
    obs: FakeObs, outputs: ModuleType, scene: ModuleType, room: Source
) -> None:
    assert scene.ensure(outputs.spout_source("EasyVtuber"), "EasyVtuber (Spout2)") == ["EasyVtuber (Spout2)"]
    assert obs.inputs[0].type_id == "spout_capture"
    assert obs.inputs[0].settings.values == {**RIGHT, "easyvtuber": True}


@pytest.mark.parametrize(
    "wrong",
    [{"spoutsenders": "usefirstavailablesender"}, {"compositemode": 3}, {"tickspeedlimit": 1000}, {"compositemode": 0}],
)
def test_a_spout_source_with_a_wrong_setting_is_repaired(
    obs: FakeObs, outputs: ModuleType, scene: ModuleType, wrong: Dict[str, object]
) -> None:
    source = obs.make_source("spout_capture", "Me", **{**RIGHT, **wrong})
    assert scene.update_settings("Me", outputs.spout_settings("EasyVtuber"))
    assert source.settings.values == RIGHT


def test_a_spout_source_without_any_setting_is_repaired(obs: FakeObs, outputs: ModuleType, scene: ModuleType) -> None:
    source = obs.make_source("spout_capture", "Me")
    scene.update_settings("Me", outputs.spout_settings("EasyVtuber"))
    assert source.settings.values == RIGHT


def test_a_spout_source_that_is_right_is_not_reopened(obs: FakeObs, outputs: ModuleType, scene: ModuleType) -> None:
    source = obs.make_source("spout_capture", "Me", **RIGHT)
    assert not scene.update_settings("Me", outputs.spout_settings("EasyVtuber"))
    assert source.updates == []


def test_a_spout_source_of_another_program_is_left_alone(obs: FakeObs, outputs: ModuleType, scene: ModuleType) -> None:
    obs.make_source("spout_capture", "Game", spoutsenders="Game")
    assert scene.names_of(outputs.spout_source("EasyVtuber")) == []


def test_the_substitute_for_our_own_type_plays_nothing_by_itself(
    obs: FakeObs, outputs: ModuleType, scene: ModuleType, room: Source
) -> None:
    scene.ensure(outputs.MEDIA_SOURCE, "EasyVtuber")
    values = obs.inputs[0].settings.values
    assert (values["is_local_file"], values["local_file"], values["looping"]) == (True, "", False)
    assert scene.names_of(outputs.MEDIA_SOURCE) == ["EasyVtuber"]
