"""The panel in OBS's own window, used with the keyboard as a user without a mouse would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.wire.folders import PROJECT

from .avatar import CHANGE_LIMIT_S, SOURCE, Avatar, shows_something
from .desktop import ScriptsWindow, wait_for
from .harness import StartObs

pytestmark = pytest.mark.obs

LIST_TO_PANEL = 8
"""Presses of Tab from the list of scripts to the last stop before the panel."""
(START_STOP, REFRESH, MINUTE, CHARACTER, PICTURE, BROWSE, MAKE, FOLDER, TRACKER, CALIBRATE, REACH, RECORD, RECORDINGS,
 MIRROR, SMOOTHING, SMOOTHING_NUMBER, RESPONSIVENESS, RESPONSIVENESS_NUMBER, BLINK, BREATH, BREATH_NUMBER, LIP_SYNC,
 MOVEMENT, MOVEMENT_NUMBER, BONGO, EXPRESSION, SHOW_EXPRESSION, EXPRESSION_NAME, KEEP_EXPRESSION, MODEL, RUNTIME,
 DEVICE, PRECISION, PRESET, INTERPOLATION, METHOD, FACTOR, FACTOR_NUMBER, SUPER_RESOLUTION, BUDGET, BUDGET_NUMBER,
 MEASURE, SCENE, RULE_INTERPOLATION, RULE_PRESET, RULE_VISIBLE) = range(1, 47)  # fmt: skip


def _focus(scripts: ScriptsWindow, place: int) -> None:
    scripts.select(0)
    scripts.desktop.press(*["Tab"] * (LIST_TO_PANEL + place))


def _saved_rules(avatar: Avatar) -> str:
    collection = json.loads(avatar.obs.process.home.collection_file.read_text(encoding="utf-8"))
    return str(collection["modules"]["scripts-tool"][0]["settings"].get("scene_rules", ""))


@pytest.fixture
def avatar(start_obs: StartObs) -> Avatar:
    return Avatar.start(start_obs)


@pytest.fixture
def scripts(avatar: Avatar) -> ScriptsWindow:
    window = avatar.obs.open_scripts()
    window.place(20, 40, 1000, 900)
    return window


def test_the_panel_opens_and_shows_something(scripts: ScriptsWindow, tmp_path: Path) -> None:
    picture = scripts.screenshot(tmp_path / "panel.png")
    panel = picture[120:800, 520:]
    assert len({tuple(pixel) for pixel in panel.reshape(-1, 3)[::7]}) > 20


def test_the_button_stops_and_starts_the_avatar(avatar: Avatar, scripts: ScriptsWindow) -> None:
    _focus(scripts, START_STOP)
    scripts.desktop.press("space")
    wait_for(lambda: not avatar.has_worker(), CHANGE_LIMIT_S, "the worker's end")
    assert shows_something(avatar.picture())
    _focus(scripts, START_STOP)
    scripts.desktop.press("space")
    avatar.wait_until_up()


def test_another_character_is_chosen_while_live(avatar: Avatar, scripts: ScriptsWindow) -> None:
    worker = avatar.worker().pid
    _focus(scripts, CHARACTER)
    scripts.desktop.press("Up")
    avatar.wait_for_state("character", "mothlight")
    assert avatar.worker().pid == worker
    assert avatar.moves()


def test_preset_and_in_between_frames_are_chosen_while_live(avatar: Avatar, scripts: ScriptsWindow) -> None:
    _focus(scripts, PRESET)
    scripts.desktop.press("Down")
    avatar.wait_for_state("preset", "ultra")
    _focus(scripts, INTERPOLATION)
    scripts.desktop.press("space")
    avatar.wait_for_state("interpolation", False)
    _focus(scripts, METHOD)
    scripts.desktop.press("Down")
    avatar.wait_for_state("in_between_method", "smooth")


def test_the_last_minute_is_shown_as_a_picture(avatar: Avatar, scripts: ScriptsWindow, tmp_path: Path) -> None:
    _focus(scripts, MINUTE)
    before = scripts.screenshot(tmp_path / "before.png")
    scripts.desktop.press("space")
    wait_for(lambda: bool(avatar.state("minute_picture")), CHANGE_LIMIT_S, "the picture of the last minute")
    assert Path(str(avatar.state("minute_picture"))).read_bytes().startswith(b"\x89PNG")
    _focus(scripts, MINUTE)  # the panel was built anew
    scripts.desktop.press("space")
    wait_for(
        lambda: bool((scripts.screenshot(tmp_path / "after.png")[200:500, 520:] != before[200:500, 520:]).mean() > 0.1),
        CHANGE_LIMIT_S,
        "the picture in the panel",
    )


def test_a_scene_rule_is_made_in_the_panel(avatar: Avatar, scripts: ScriptsWindow) -> None:
    avatar.obs.request("CreateSceneItem", {"sceneName": "Other", "sourceName": SOURCE})
    _focus(scripts, SCENE)
    scripts.desktop.press("Down", "Down")  # "(choose a scene)", "Scene", "Other"
    _focus(scripts, RULE_VISIBLE)
    scripts.desktop.press("Down", "Down")  # as chosen above, shown, hidden
    avatar.switch_to("Other")
    wait_for(lambda: not shows_something(avatar.picture()), CHANGE_LIMIT_S, "the avatar to be hidden in that scene")
    avatar.switch_to("Scene")
    wait_for(lambda: shows_something(avatar.picture()), CHANGE_LIMIT_S, "the avatar to be back")
    avatar.obs.close()
    assert json.loads(_saved_rules(avatar)) == {"Other": {"visible": False}}


def test_the_sources_own_dialog_tells_the_status_live(avatar: Avatar) -> None:
    avatar.obs.request("OpenInputPropertiesDialog", {"inputName": SOURCE})
    dialog = avatar.obs.desktop.wait_for_window("^Properties for")
    before = avatar.obs.desktop.screenshot(dialog)
    avatar.press("show_hide")
    wait_for(
        lambda: bool((avatar.obs.desktop.screenshot(dialog)[-200:] != before[-200:]).any()), CHANGE_LIMIT_S, "new words"
    )
    avatar.obs.desktop.close_window(dialog)


def test_the_readmes_pictures_are_there() -> None:
    for name in ("panel", "scene", "rig_poses"):
        assert (PROJECT / "docs" / "pictures" / f"{name}.png").is_file(), name


def test_an_expression_is_chosen_and_shown_from_the_panel(avatar: Avatar, scripts: ScriptsWindow) -> None:
    _focus(scripts, EXPRESSION)
    scripts.desktop.press("Down", "Down")
    _focus(scripts, SHOW_EXPRESSION)
    scripts.desktop.press("space")
    avatar.wait_for_state("expressions", ["angry"])
    avatar.press("expression_1")
    avatar.wait_for_state("expressions", ["smile"])
    avatar.press("no_expression")
    avatar.wait_for_state("expressions", [])
