"""The script's life in OBS: start-up, run time, collections, reload, exit; and its sources in the scenes."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any, List

import pytest

from tests.fake_libobs import FakeLib
from tests.fake_obs import FakeObs
from tests.unit.script_in_obs import Script


def start_up(obs: FakeObs, script: Script) -> None:
    """OBS starts: the script is loaded before there are scenes."""
    script.load()
    obs.make_scene("Chat")
    for _ in range(8):
        obs.send(obs.OBS_FRONTEND_EVENT_SCENE_CHANGED)
    obs.send(obs.OBS_FRONTEND_EVENT_FINISHED_LOADING)


def test_at_start_up_nothing_is_done_before_obs_has_finished_loading(obs: FakeObs, script: Script) -> None:
    script.load()
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_CHANGED)
    assert (script.engine.calls, obs.inputs) == ([], [])


def test_at_start_up_the_avatar_comes_up_once_with_a_source_in_the_scene(obs: FakeObs, script: Script) -> None:
    start_up(obs, script)
    obs.send(obs.OBS_FRONTEND_EVENT_FINISHED_LOADING)
    assert script.engine.calls == ["start"]
    assert [item.source.type_id for item in obs.scenes[0].items] == ["easyvtuber_avatar"]
    assert script.engine.pusher.names == ["EasyVtuber"]


def test_added_at_run_time_the_avatar_comes_up_without_any_event(at_work: Script) -> None:
    assert at_work.engine.calls == ["start"]


def test_without_autostart_it_waits_for_the_button(obs: FakeObs, script: Script) -> None:
    obs.make_scene("Chat")
    script.settings.values["autostart"] = False
    script.load()
    assert (script.engine.calls, obs.inputs) == ([], [])
    script.panel().press("start_stop")
    assert (script.engine.calls, len(obs.inputs)) == (["start"], 1)


def test_the_button_stops_what_runs(at_work: Script) -> None:
    at_work.panel().press("start_stop")
    assert at_work.engine.calls == ["start", "stop"]


def test_leaving_a_collection_stops_the_worker_and_gives_the_sources_back_before_obs_destroys_them(
    obs: FakeObs, at_work: Script
) -> None:
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CHANGING)
    at_work.module.script_save(at_work.settings)
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CLEANUP)
    assert at_work.engine.calls == ["start", "stop"]
    assert at_work.engine.pusher.released == 1
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_CHANGED)
    assert at_work.engine.pusher.names == []


def test_in_the_new_collection_a_new_engine_starts_with_that_collections_settings(
    obs: FakeObs, at_work: Script
) -> None:
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CLEANUP)
    at_work.unload()
    obs.scenes, obs.inputs, obs.current = [], [], None
    at_work.settings = type(at_work.settings)(preset="low")
    at_work.load()
    obs.make_scene("Other")
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CHANGED)
    first, second = at_work.engines
    assert first.calls == ["start", "stop", "close"]
    assert (second.calls, second.settings["preset"]) == (["start"], "low")


def test_a_reload_ends_the_old_engine_and_starts_a_new_one(at_work: Script) -> None:
    at_work.unload()
    at_work.run_file()
    at_work.load()
    first, second = at_work.engines
    assert (first.calls, second.calls) == (["start", "close"], ["start"])


def test_a_reload_runs_new_code_not_what_was_imported_before(at_work: Script) -> None:
    before = at_work.module._plugin
    at_work.unload()
    at_work.run_file()
    assert at_work.module._plugin is not before


def test_a_reload_finds_its_source_again(obs: FakeObs, at_work: Script) -> None:
    at_work.unload()
    at_work.run_file()
    at_work.load()
    assert len(obs.inputs) == 1


def test_the_exit_of_obs_ends_everything(obs: FakeObs, at_work: Script) -> None:
    at_work.module.script_save(at_work.settings)
    obs.send(obs.OBS_FRONTEND_EVENT_SCRIPTING_SHUTDOWN)
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CLEANUP)
    at_work.unload()
    assert at_work.engine.calls[-1] == "close"
    assert at_work.engine.pusher.names == []


def test_unloading_twice_is_unloading_once(at_work: Script) -> None:
    at_work.unload()
    at_work.unload()
    assert at_work.engine.calls == ["start", "close"]


def test_loading_twice_ends_the_first_engine(at_work: Script) -> None:
    at_work.load()
    first, _ = at_work.engines
    assert first.calls == ["start", "close"]


def test_after_unload_every_call_is_harmless(at_work: Script) -> None:
    at_work.unload()
    at_work.module.script_update(at_work.settings)
    at_work.module.script_save(at_work.settings)
    assert at_work.module.script_properties() is None


def test_the_log_is_in_a_file_of_its_own_and_closed_at_the_end(at_work: Script, home: Path) -> None:
    logging.getLogger("_easyvtuber_core.obs.engine").warning("seen")
    at_work.unload()
    assert "seen" in (home / "logs" / "obs.log").read_text(encoding="utf-8")
    (home / "logs" / "obs.log").unlink()
    logging.getLogger("_easyvtuber_core.obs.engine").warning("said after the end")
    assert not (home / "logs" / "obs.log").exists()


def test_nothing_is_ever_written_to_stderr(at_work: Script, capfd: pytest.CaptureFixture[str]) -> None:
    at_work.panel()
    at_work.unload()
    logging.getLogger("_easyvtuber_core.obs.engine").error("said after the end")
    assert capfd.readouterr().err == ""


# -- sources -----------------------------------------------------------------------------------------------------------


def test_every_second_the_sources_are_followed_on_obss_own_thread(obs: FakeObs, lib: FakeLib, at_work: Script) -> None:
    obs.inputs[0].name = "Me"
    at_work.engine.each_second()
    assert at_work.engine.pusher.names == ["EasyVtuber"]
    lib.run_tasks()
    assert at_work.engine.pusher.names == ["Me"]


def test_a_look_that_comes_after_the_end_does_nothing(lib: FakeLib, at_work: Script) -> None:
    at_work.engine.each_second()
    at_work.unload()
    at_work.engine.pusher.names = ["untouched"]
    lib.run_tasks()
    assert at_work.engine.pusher.names == ["untouched"]


def test_the_items_are_blended_exactly(obs: FakeObs, at_work: Script) -> None:
    assert [item.blending_method for item in obs.scenes[0].items] == [obs.OBS_BLEND_METHOD_SRGB_OFF]


def test_the_button_puts_the_avatar_into_the_scene_that_is_on(obs: FakeObs, at_work: Script) -> None:
    at_work.go_to("Game")
    at_work.panel().press("add_source")
    assert [len(scene.items) for scene in obs.scenes] == [1, 1]
    assert len(obs.inputs) == 1


def test_a_source_that_the_user_deleted_is_not_forced_back(obs: FakeObs, lib: FakeLib, at_work: Script) -> None:
    obs.scenes[0].items.clear()
    obs.inputs.clear()
    at_work.engine.each_second()
    lib.run_tasks()
    assert (obs.inputs, at_work.engine.pusher.names) == ([], [])


def test_when_obs_refuses_our_type_a_silent_media_source_shows_the_avatar(
    obs: FakeObs, lib: FakeLib, script: Script
) -> None:
    lib.refuses_types = True
    obs.make_scene("Chat")
    script.load()
    assert [(source.type_id, source.audio_active) for source in obs.inputs] == [("ffmpeg_source", False)]
    assert script.engine.pusher.names == ["EasyVtuber"]
    assert "media source" in script.panel()["status"].label


@pytest.fixture
def windows(obs: FakeObs, script: Script, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Windows with the Spout2 plug-in; the worker can send."""
    obs.display_names["spout_capture"] = "Spout2 Capture"
    obs.make_scene("Chat")
    monkeypatch.setattr(sys, "platform", "win32")
    script.settings.values["autostart"] = False
    script.load()
    script.engine.show(capabilities={"outputs": {"spout": None}})
    script.panel().press("start_stop")
    return script


def test_with_spout_a_spout_source_is_made_and_nothing_is_pushed(obs: FakeObs, windows: Script) -> None:
    assert [source.type_id for source in obs.inputs] == ["spout_capture"]
    assert windows.engine.pusher.names == []
    assert windows.engine.decide is not None
    assert windows.engine.decide({"outputs": {"spout": None}}) == "spout"


def test_nothing_is_made_before_the_worker_said_whether_it_can_send(
    obs: FakeObs, lib: FakeLib, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    obs.display_names["spout_capture"] = "Spout2 Capture"
    obs.make_scene("Chat")
    monkeypatch.setattr(sys, "platform", "win32")
    script.load()
    assert obs.inputs == []
    script.engine.show(capabilities={"outputs": {"spout": None}})
    script.engine.each_second()
    lib.run_tasks()
    assert [source.type_id for source in obs.inputs] == ["spout_capture"]


def test_a_spout_source_the_user_made_for_our_sender_is_used_and_put_right(
    obs: FakeObs, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    obs.display_names["spout_capture"] = "Spout2 Capture"
    room = obs.make_scene("Chat")
    room.show(obs.make_source("spout_capture", "Mine", spoutsenders="EasyVtuber"))
    monkeypatch.setattr(sys, "platform", "win32")
    script.settings.values["autostart"] = False
    script.load()
    script.engine.show(capabilities={"outputs": {"spout": None}})
    script.panel().press("start_stop")
    assert [source.name for source in obs.inputs] == ["Mine"]
    assert obs.inputs[0].settings.values["compositemode"] == 4


def test_a_spout_source_follows_the_senders_real_name(obs: FakeObs, lib: FakeLib, windows: Script) -> None:
    windows.engine.show(state={"output": "spout", "output_description": "EasyVtuber_2"})
    windows.engine.each_second()
    lib.run_tasks()
    assert obs.inputs[0].settings.values["spoutsenders"] == "EasyVtuber_2"


def test_what_another_output_calls_itself_is_not_taken_for_a_senders_name(
    obs: FakeObs, lib: FakeLib, windows: Script
) -> None:
    windows.engine.show(state={"output": "obs_source", "output_description": "OBS source"})
    windows.engine.each_second()
    lib.run_tasks()
    assert obs.inputs[0].settings.values["spoutsenders"] == "EasyVtuber"


def test_a_spout_source_that_somebody_spoiled_is_repaired(obs: FakeObs, lib: FakeLib, windows: Script) -> None:
    obs.inputs[0].settings.values["compositemode"] = 1
    windows.engine.each_second()
    lib.run_tasks()
    assert obs.inputs[0].settings.values["compositemode"] == 4


# -- dialog ------------------------------------------------------------------------------------------------------------


def names(dialog: List[Any]) -> List[str]:
    return [line[1] for line in dialog]


def test_the_sources_dialog_shows_the_status_and_the_buttons(lib: FakeLib, at_work: Script) -> None:
    sys.__dict__["_easyvtuber_keep"]["get properties"](None)
    assert names(lib.dialog)[-3:] == ["hint", "start_stop", "calibrate"]
    assert ("text", "status_0", "Running.", "normal") in lib.dialog


def test_the_dialog_of_a_source_whose_script_is_gone_has_no_buttons(lib: FakeLib, at_work: Script) -> None:
    at_work.unload()
    sys.__dict__["_easyvtuber_keep"]["get properties"](None)
    assert names(lib.dialog) == ["hint"]


def test_an_open_dialog_is_rebuilt_only_when_its_words_change(at_work: Script) -> None:
    pusher = at_work.engine.pusher
    before = pusher.dialogs_updated
    at_work.engine.show(figures={"fps": 60.0, "render_ms": 4.0})
    at_work.engine.show(figures={"fps": 60.2, "render_ms": 4.1})
    assert pusher.dialogs_updated == before + 1
