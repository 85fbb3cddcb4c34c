"""Accidents: the worker killed, the tracker silent, OBS killed, sources deleted. The stream goes on."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import psutil
import pytest

from benchmarks._packets import Sender, packets
from core.install.obs.process import free_port
from core.obs.supervisor import DEFAULT_POLICY

from .avatar import CHANGE_LIMIT_S, SCRIPT, SOURCE, Avatar, settings, shows_something
from .desktop import wait_for
from .harness import StartObs

pytestmark = pytest.mark.obs


def test_a_killed_worker_comes_back_and_its_last_picture_stays_meanwhile(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    first = avatar.worker().pid
    avatar.worker().kill()
    killed = time.monotonic()
    seen = []
    while avatar.facts().get("phase") != "running" or not avatar.has_worker() or avatar.worker().pid == first:
        seen.append(shows_something(avatar.picture()))
        assert time.monotonic() - killed < CHANGE_LIMIT_S
    wait_for(avatar.moves, 3.0, "movement")
    assert all(seen)
    assert avatar.worker().pid != first


def test_a_worker_that_hangs_is_replaced(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    first = avatar.worker().pid
    avatar.stand_still()
    wait_for(lambda: avatar.has_worker() and avatar.worker().pid != first, 30.0, "another worker")
    avatar.wait_until_up()
    assert avatar.moves()
    assert not psutil.pid_exists(first) or _is_gone(psutil.Process(first))


def test_a_silent_tracker_fades_to_idle_and_the_next_packet_brings_it_back(start_obs: StartObs) -> None:
    port = free_port()
    avatar = Avatar.start(start_obs, {"tracker": "openseeface", "osf_port": port})
    avatar.wait_for_state("tracker_state", "waiting")
    sender = Sender(port, packets())
    avatar.wait_for_state("tracker_state", "tracking")
    sender.close()
    avatar.wait_for_state("tracker_state", "lost")
    assert wait_for(avatar.moves, CHANGE_LIMIT_S, "idle movement")
    sender = Sender(port, packets())
    try:
        avatar.wait_for_state("tracker_state", "tracking")
        assert wait_for(avatar.moves, CHANGE_LIMIT_S, "tracked movement")
    finally:
        sender.close()


def test_a_port_in_use_is_told_and_taken_when_it_is_free(start_obs: StartObs) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        avatar = Avatar.start(start_obs, {"tracker": "openseeface", "osf_port": port})
        avatar.wait_for_state("tracker_state", "failed")
        assert any("port_in_use" in problem for problem in avatar.facts()["problems"])
        assert avatar.moves(), "the avatar lives on without its tracker"
    avatar.wait_for_state("tracker_state", "waiting")
    wait_for(lambda: not avatar.facts()["problems"], CHANGE_LIMIT_S, "the problem to be cleared")


def test_when_obs_is_killed_no_process_stays(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    worker = avatar.worker()
    psutil.Process(avatar.obs.pid).kill()
    wait_for(lambda: _is_gone(worker), 1.0, "the worker to see the end of its pipe")
    avatar.obs.kill()


def test_a_source_the_user_deletes_is_let_go_and_can_be_put_back(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    avatar.obs.request("RemoveInput", {"inputName": SOURCE})
    wait_for(lambda: SOURCE not in _inputs(avatar), CHANGE_LIMIT_S, "OBS to drop the source")
    assert avatar.has_worker()
    avatar.obs.request(
        "CreateInput", {"sceneName": "Scene", "inputName": "My avatar", "inputKind": "easyvtuber_avatar"}
    )
    wait_for(lambda: avatar.picture("My avatar") is not None, CHANGE_LIMIT_S, "a picture in the new source")
    assert avatar.moves("My avatar")


def test_two_sources_show_the_same_avatar(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    avatar.obs.request("CreateInput", {"sceneName": "Other", "inputName": "Twin", "inputKind": "easyvtuber_avatar"})
    wait_for(lambda: avatar.picture("Twin") is not None, CHANGE_LIMIT_S, "a picture in the second source")
    assert avatar.moves("Twin")
    assert avatar.moves()


def test_a_missing_environment_is_told_and_obs_is_unharmed(start_obs: StartObs, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere" / "python")
    avatar = Avatar(start_obs(scripts=[(SCRIPT, settings(worker_python=nowhere))]))
    wait_for(lambda: avatar.facts().get("phase") == "gave_up", CHANGE_LIMIT_S, "the script to give up")
    assert any("environment_missing" in problem for problem in avatar.facts()["problems"])
    assert avatar.obs.request("GetSceneList")["scenes"]


def test_a_character_that_is_no_picture_is_told_and_the_rest_goes_on(start_obs: StartObs) -> None:
    avatar = Avatar(start_obs(scripts=[(SCRIPT, settings(character="no such character"))]))
    wait_for(
        lambda: any("character_missing" in text for text in avatar.facts().get("problems", [])), 30.0, "the problem"
    )
    assert avatar.has_worker()


def _inputs(avatar: Avatar) -> list[str]:
    return [str(entry["inputName"]) for entry in avatar.obs.request("GetInputList")["inputs"]]


def _is_gone(process: psutil.Process) -> bool:
    """Ended; whether whoever inherited it has asked for its exit code is not our business."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_an_obs_that_was_held_for_a_while_keeps_its_worker(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    worker = avatar.worker().pid
    obs = psutil.Process(avatar.obs.pid)
    obs.suspend()
    time.sleep(DEFAULT_POLICY.running_silence_limit + 1.5)
    obs.resume()
    wait_for(avatar.moves, CHANGE_LIMIT_S, "movement")
    time.sleep(1.0)
    assert avatar.worker().pid == worker
