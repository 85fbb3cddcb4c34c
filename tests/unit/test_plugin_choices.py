"""What the user chooses in the panel, with hotkeys and by scene, and what the worker is asked for."""

from __future__ import annotations

import pytest

from core.obs.scene_rules import read_rules, write_rules
from core.wire.settings import BY_KEY, PANEL
from tests.fake_libobs import FakeLib
from tests.fake_obs import FakeObs
from tests.unit.script_in_obs import Script


@pytest.fixture
def ruled(obs: FakeObs, script: Script) -> Script:
    """The script at work, with a rule for the scene Game; Chat is on."""
    obs.make_scene("Chat")
    obs.make_scene("Game")
    script.settings.values["scene_rules"] = write_rules({"Game": {"preset": "low", "visible": False}})
    script.load()
    return script


def a_second_passes(script: Script) -> None:
    """Scenes and sources are looked at once a second, because OBS does not tell every change."""
    script.engine.each_second()
    script.lib.run_tasks()


def test_the_worker_gets_every_setting_but_those_of_the_panel(at_work: Script) -> None:
    assert set(at_work.engine.settings) == {key for key, setting in BY_KEY.items() if setting.apply != PANEL}


def test_opening_the_panel_changes_nothing(at_work: Script) -> None:
    at_work.panel()
    at_work.module.script_update(at_work.settings)
    assert at_work.engine.calls == ["start"]


def test_a_change_in_the_panel_is_one_wish(at_work: Script) -> None:
    at_work.choose("smoothing", 55)
    assert at_work.engine.calls == ["start", "wish"]
    assert at_work.engine.settings["smoothing"] == 55


def test_a_preset_chosen_in_the_panel_is_in_force_at_once(at_work: Script) -> None:
    at_work.choose("preset", "low")
    assert at_work.engine.settings["preset"] == "low"


def test_the_panel_opens_with_the_scene_that_was_chosen_last_and_its_rule(ruled: Script) -> None:
    ruled.settings.values["rule_scene"] = "Game"
    panel = ruled.panel()
    assert panel["rule_preset"].visible
    assert ruled.settings.values["rule_preset"] == "low"


def test_a_worker_python_is_part_of_the_wish(at_work: Script) -> None:
    at_work.choose("worker_python", "/opt/python")
    assert at_work.engine.wishes[-1].worker_python == "/opt/python"


def test_another_output_gets_its_source_at_once(obs: FakeObs, script: Script) -> None:
    obs.make_scene("Chat")
    script.settings.values["output"] = "null"
    script.load()
    assert obs.inputs == []
    script.choose("output", "obs_source")
    assert [source.type_id for source in obs.inputs] == ["easyvtuber_avatar"]


def test_an_output_outside_obs_empties_the_source_so_that_no_still_picture_stays(obs: FakeObs, script: Script) -> None:
    obs.make_scene("Chat")
    script.load()
    names = list(script.engine.pusher.names)
    assert names
    script.choose("output", "preview")
    assert script.engine.pusher.names == []
    assert script.engine.pusher.cleared == names
    script.choose("output", "obs_source")
    assert script.engine.pusher.names == names


def test_what_automatic_means_does_not_change_with_what_is_chosen_now(at_work: Script) -> None:
    at_work.choose("output", "null")
    assert at_work.engine.decide is not None
    assert at_work.engine.decide({}) == "obs_source"


def test_the_defaults_button_brings_every_default_back(at_work: Script) -> None:
    at_work.choose("smoothing", 55)
    at_work.settings.values.clear()
    at_work.module.script_update(at_work.settings)
    at_work.unload()
    at_work.load()
    assert at_work.engine.settings["smoothing"] == BY_KEY["smoothing"].default


# -- hotkeys -----------------------------------------------------------------------------------------------------------


def test_a_hotkey_acts_on_obss_own_thread(obs: FakeObs, lib: FakeLib, at_work: Script) -> None:
    obs.press_hotkey("easyvtuber.calibrate")
    assert at_work.engine.calls == ["start"]
    lib.run_tasks()
    assert at_work.engine.calls == ["start", "calibrate"]


def test_the_next_preset_is_shown_in_the_panel_and_saved(at_work: Script) -> None:
    at_work.press_hotkey("next_preset")
    assert (at_work.settings.values["preset"], at_work.engine.settings["preset"]) == ("ultra", "ultra")


def test_the_previous_preset_goes_back(at_work: Script) -> None:
    at_work.press_hotkey("next_preset")
    at_work.press_hotkey("previous_preset")
    assert at_work.engine.settings["preset"] == "high"


def test_what_a_hotkey_chose_is_not_a_change_when_obs_updates_the_script(at_work: Script) -> None:
    at_work.press_hotkey("next_preset")
    calls = list(at_work.engine.calls)
    at_work.module.script_update(at_work.settings)
    assert at_work.engine.calls == calls


def test_interpolation_is_switched_off_and_on(at_work: Script) -> None:
    seen = []
    for _ in range(2):
        at_work.press_hotkey("interpolation")
        seen.append((at_work.settings.values["interpolation"], at_work.engine.settings["interpolation"]))
    assert seen == [(False, False), (True, True)]


def test_hide_and_show_is_no_setting(at_work: Script) -> None:
    seen = []
    for _ in range(2):
        at_work.press_hotkey("show_hide")
        seen.append(at_work.engine.visible)
    assert seen == [False, True]
    assert "visible" not in at_work.settings.values


def test_start_and_stop(at_work: Script) -> None:
    at_work.press_hotkey("start_stop")
    at_work.press_hotkey("start_stop")
    assert at_work.engine.calls == ["start", "stop", "start"]


def test_hotkeys_before_obs_has_finished_loading_do_nothing(script: Script) -> None:
    script.load()
    for name in ("start_stop", "next_preset", "show_hide"):
        script.press_hotkey(name)
    assert script.engine.calls == []


def test_a_hotkey_that_comes_after_the_end_does_nothing(obs: FakeObs, lib: FakeLib, at_work: Script) -> None:
    obs.press_hotkey("easyvtuber.next_preset")
    at_work.unload()
    lib.run_tasks()
    assert at_work.engine.calls == ["start", "close"]
    assert "preset" not in at_work.settings.values


def test_key_bindings_survive_saving_and_loading(obs: FakeObs, at_work: Script) -> None:
    obs.hotkeys["easyvtuber.show_hide"].bindings = ["F9"]
    at_work.module.script_save(at_work.settings)
    at_work.unload()
    at_work.load()
    assert obs.hotkeys["easyvtuber.show_hide"].bindings == ["F9"]


# -- scenes ------------------------------------------------------------------------------------------------------------


def test_a_scenes_rule_holds_from_the_moment_it_is_on(ruled: Script) -> None:
    ruled.go_to("Game")
    assert (ruled.engine.settings["preset"], ruled.engine.visible) == ("low", False)


def test_leaving_the_scene_brings_the_users_choice_back(ruled: Script) -> None:
    ruled.go_to("Game")
    ruled.go_to("Chat")
    assert (ruled.engine.settings["preset"], ruled.engine.visible) == ("high", True)


def test_the_rule_of_the_scene_that_is_on_at_the_start_holds_at_once(obs: FakeObs, script: Script) -> None:
    obs.make_scene("Game")
    script.settings.values["scene_rules"] = write_rules({"Game": {"preset": "low"}})
    script.load()
    assert script.engine.settings["preset"] == "low"


def test_a_hotkey_under_a_rule_leaves_the_users_own_choice_alone(ruled: Script) -> None:
    ruled.go_to("Game")
    ruled.press_hotkey("next_preset")
    assert ruled.engine.settings["preset"] == "medium"
    assert "preset" not in ruled.settings.values
    ruled.go_to("Chat")
    assert ruled.engine.settings["preset"] == "high"


def test_a_rule_made_in_the_panel_holds_at_once_and_is_saved(at_work: Script) -> None:
    panel = at_work.panel()
    panel.choose(at_work.settings, "rule_scene", "Chat")
    panel.choose(at_work.settings, "rule_visible", "false")
    assert at_work.engine.visible is False
    assert read_rules(str(at_work.settings.values["scene_rules"])) == {"Chat": {"visible": False}}


def test_the_panel_marks_scenes_that_have_rules(ruled: Script) -> None:
    assert [label for label, _ in ruled.panel()["rule_scene"].items][1:] == ["Chat", "Game *"]


def test_a_renamed_scene_keeps_its_rules(obs: FakeObs, ruled: Script) -> None:
    obs.scenes[1].name = "Play"
    a_second_passes(ruled)
    assert set(read_rules(str(ruled.settings.values["scene_rules"]))) == {"Play"}
    ruled.go_to("Play")
    assert ruled.engine.settings["preset"] == "low"


def test_a_scene_that_was_renamed_keeps_its_rules_when_it_comes_on_at_once(obs: FakeObs, ruled: Script) -> None:
    obs.scenes[1].name = "Play"
    ruled.go_to("Play")
    assert ruled.engine.settings["preset"] == "low"


def test_the_rule_goes_on_holding_while_its_scene_is_renamed(obs: FakeObs, ruled: Script) -> None:
    ruled.go_to("Game")
    obs.scenes[1].name = "Play"
    a_second_passes(ruled)
    ruled.choose("smoothing", 55)
    assert (ruled.engine.settings["preset"], ruled.engine.visible) == ("low", False)


def test_a_first_rule_for_a_scene_that_was_renamed_while_it_was_on_holds_at_once(obs: FakeObs, at_work: Script) -> None:
    obs.scenes[0].name = "Talk"
    a_second_passes(at_work)
    panel = at_work.panel()
    panel.choose(at_work.settings, "rule_scene", "Talk")
    panel.choose(at_work.settings, "rule_preset", "low")
    assert at_work.engine.settings["preset"] == "low"


def test_a_new_scene_leaves_the_rules_alone(obs: FakeObs, ruled: Script) -> None:
    before = ruled.settings.values["scene_rules"]
    obs.make_scene("New")
    a_second_passes(ruled)
    assert ruled.settings.values["scene_rules"] == before


def test_a_new_scene_with_our_source_is_blended_exactly(obs: FakeObs, at_work: Script) -> None:
    item = obs.make_scene("New").show(obs.inputs[0])
    at_work.go_to("New")
    assert item.blending_method == obs.OBS_BLEND_METHOD_SRGB_OFF


# -- the face ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["calibrate_reach", "record"])
def test_hotkeys_of_the_face_are_passed_on(at_work: Script, name: str) -> None:
    at_work.press_hotkey(name)
    assert at_work.engine.calls[-1] == name


def test_hotkeys_of_expressions_name_their_slot(at_work: Script) -> None:
    at_work.press_hotkey("expression_1")
    at_work.press_hotkey("expression_8")
    at_work.press_hotkey("no_expression")
    assert at_work.engine.details[-3:] == [{"slot": 1}, {"slot": 8}, {"slot": ""}]


def test_the_panels_expression_is_the_one_that_is_chosen(at_work: Script) -> None:
    at_work.press("show_expression")
    assert at_work.engine.details[-1] == {"slot": 1}
    at_work.settings.values["expression_slot"] = "3"
    at_work.settings.values["expression_name"] = "  pout "
    at_work.press("show_expression")
    at_work.press("keep_expression")
    assert at_work.engine.details[-2:] == [{"slot": 3}, {"slot": 3, "label": "pout"}]


def test_a_slider_of_a_pose_value_reaches_the_worker_and_is_saved(at_work: Script) -> None:
    properties = at_work.module.script_properties()
    at_work.settings.values["manual_pose_of"] = "mouth_aaa"
    properties.choose(at_work.settings, "manual_pose_amount", 0.5)
    assert at_work.engine.settings["manual_pose"] == "mouth_aaa=0.5"
    assert at_work.settings.get("manual_pose") == "mouth_aaa=0.5"


def test_cameras_and_microphones_the_worker_found_are_offered(at_work: Script) -> None:
    at_work.engine.view = at_work.engine.view._replace(state={"cameras": ["C920"], "microphones": ["Yeti"]})
    properties = at_work.module.script_properties()
    assert properties["camera"].offered == ["automatic", "C920"]
    assert properties["microphone"].offered == ["automatic", "Yeti"]
