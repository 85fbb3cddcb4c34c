"""Changes while live: presets, in-between frames, characters, hotkeys and scene rules, never with an empty picture."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from core.install.obs.websocket import ObsWebsocket
from core.wire.presets import neighbour

from .avatar import CHANGE_LIMIT_S, SOURCE, Avatar, shows_something
from .desktop import wait_for
from .harness import RgbaPicture, StartObs, decode_picture

pytestmark = pytest.mark.obs

RED, BLUE = (255, 0, 0), (0, 64, 255)


def _mark(picture: RgbaPicture | None) -> tuple[int, int, int] | None:
    """The colour of the square that tells in-between frames from rendered ones."""
    if picture is None:
        return None
    red, green, blue, _ = picture[2, -3]
    return int(red), int(green), int(blue)


def _marks(avatar: Avatar, looks: int = 40) -> set[tuple[int, int, int] | None]:
    return {_mark(avatar.picture()) for _ in range(looks)}


@contextmanager
def _never_empty(avatar: Avatar) -> Iterator[None]:
    """Fails when the avatar is missing from any picture taken while the block runs, over a connection of its own."""
    empty: list[int] = []
    looked = [0]
    done = threading.Event()

    def look() -> None:
        asked = {"sourceName": SOURCE, "imageFormat": "png", "imageWidth": 64, "imageHeight": 64}
        with ObsWebsocket(avatar.obs.process.home.port, avatar.obs.process.home.password) as websocket:
            while not done.is_set():
                looked[0] += 1
                if not shows_something(decode_picture(websocket.request("GetSourceScreenshot", asked))):
                    empty.append(looked[0])

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join(CHANGE_LIMIT_S)
    assert looked[0] > 3
    assert not empty


def test_presets_are_changed_live_by_hotkey_and_kept_in_the_settings(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    worker = avatar.worker().pid
    avatar.press("next_preset")
    avatar.wait_for_state("preset", "ultra")
    avatar.wait_for_state("size", 768)
    wait_for(lambda: getattr(avatar.picture(), "shape", ())[:1] == (768,), CHANGE_LIMIT_S, "a larger picture")
    avatar.press("previous_preset")
    avatar.press("previous_preset")
    avatar.wait_for_state("preset", "medium")
    avatar.wait_for_state("size", 512)
    assert avatar.worker().pid == worker, "nothing was restarted"
    avatar.obs.close()
    again = Avatar(start_obs(keep_home=avatar.obs.home))
    again.wait_until_up()
    again.wait_for_state("preset", "medium")


def test_in_between_frames_are_switched_by_hotkey_within_a_frame_or_two(start_obs: StartObs) -> None:
    off = {"mark_in_betweens": True, "interpolation": False, "interpolation_factor": 2}
    avatar = Avatar.start(start_obs, off)
    assert _marks(avatar) == {BLUE}
    avatar.press("interpolation")
    wait_for(lambda: _mark(avatar.picture()) == RED, CHANGE_LIMIT_S, "an in-between frame")
    assert _marks(avatar, 60) == {RED, BLUE}
    avatar.press("interpolation")
    avatar.wait_for_state("interpolation", False)
    assert _marks(avatar) == {BLUE}


def test_show_hide_empties_the_picture_and_brings_it_back(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    avatar.press("show_hide")
    wait_for(lambda: not shows_something(avatar.picture()), CHANGE_LIMIT_S, "an empty picture")
    avatar.wait_for_state("visible", False)
    assert not shows_something(avatar.picture())
    avatar.press("show_hide")
    wait_for(lambda: shows_something(avatar.picture()), CHANGE_LIMIT_S, "the avatar")
    assert avatar.moves()


def test_start_stop_ends_the_worker_keeps_the_last_picture_and_starts_again(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    avatar.press("start_stop")
    wait_for(lambda: not avatar.has_worker(), CHANGE_LIMIT_S, "the worker's end")
    assert shows_something(avatar.picture())
    assert not avatar.moves()
    avatar.press("start_stop")
    avatar.wait_until_up()
    wait_for(avatar.moves, CHANGE_LIMIT_S, "movement")


def test_calibrating_without_a_face_is_refused_and_harmless(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs, {"tracker": "idle"})
    avatar.press("calibrate")
    log = avatar.obs.home / ".local/state/easyvtuber/logs/obs.log"
    wait_for(lambda: "calibration_refused" in log.read_text(encoding="utf-8"), CHANGE_LIMIT_S, "the refusal")
    assert avatar.moves()


def test_scene_rules_hold_while_their_scene_is_on(start_obs: StartObs) -> None:
    rules = {"Other": {"visible": False, "preset": "low", "interpolation": True}}
    avatar = Avatar.start(start_obs, {"scene_rules": json.dumps(rules), "interpolation": False})
    avatar.obs.request("CreateSceneItem", {"sceneName": "Other", "sourceName": SOURCE})
    avatar.wait_for_state("preset", "high")
    avatar.switch_to("Other")
    wait_for(lambda: not shows_something(avatar.picture()), CHANGE_LIMIT_S, "the hidden avatar")
    avatar.wait_for_state("preset", "low")
    avatar.wait_for_state("interpolation", True)
    avatar.switch_to("Scene")
    wait_for(lambda: shows_something(avatar.picture()), CHANGE_LIMIT_S, "the avatar")
    avatar.wait_for_state("preset", "high")
    avatar.wait_for_state("interpolation", False)


def test_a_renamed_scene_keeps_its_rules(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs, {"scene_rules": json.dumps({"Other": {"visible": False}})})
    avatar.obs.request("CreateSceneItem", {"sceneName": "Other", "sourceName": SOURCE})
    avatar.obs.request("SetSceneName", {"sceneName": "Other", "newSceneName": "Break"})
    avatar.switch_to("Break")
    wait_for(lambda: not shows_something(avatar.picture()), CHANGE_LIMIT_S, "the hidden avatar")


def test_changing_presets_never_shows_an_empty_picture(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    with _never_empty(avatar):
        for _ in range(5):
            before = avatar.state("preset")
            avatar.press("next_preset")
            avatar.wait_for_state("preset", neighbour(before, 1))


def test_the_blending_method_is_set_right_wherever_the_avatar_is_added(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    avatar.obs.request("CreateSceneItem", {"sceneName": "Other", "sourceName": SOURCE})
    avatar.switch_to("Other")
    avatar.own_size_at(64, -100, "Other")
    avatar.stand_still()
    try:
        wait_for(lambda: not avatar.moves(), 5.0, "the picture to stand still")

        def exact() -> bool:
            source = avatar.obs.screenshot(SOURCE).astype(float)[100:460]
            scene = avatar.obs.screenshot("Other").astype(float)[0:360, 64:576, :3]
            alpha = source[:, :, 3:] / 255.0
            return bool(np.abs(scene - source[:, :, :3] * alpha).max() <= 1.0)

        wait_for(exact, CHANGE_LIMIT_S, "exact blending in the other scene")
    finally:
        avatar.go_on()
