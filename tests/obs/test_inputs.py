"""Inputs in a real OBS: every recorded protocol moves the avatar, a face that goes and comes back, the webcam."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.wire.folders import PROJECT
from tests.data import data
from trackers.recording import read_recording

from .avatar import CHANGE_LIMIT_S, Avatar, shows_something
from .desktop import wait_for
from .harness import RgbaPicture, StartObs

pytestmark = pytest.mark.obs

STILL: dict[str, Any] = {"idle_strength": 0, "blink": "never", "breath_rate": 0}
"""Without a face the avatar does nothing: whatever moves then is the face."""
RECORDINGS = (
    "ifacialmocap_v1_synth.rec", "ifacialmocap_v2_tcp_chunks_synth.rec", "fmv3_rev5_manual_synth.rec",
    "livelinkface_real_iphone_a.rec", "vts_iphone_synth.rec", "meowface_synth.rec", "vmc_vrm0_synth.rec",
    "rhylive_osc_synth.rec", "openseeface_2faces_model0.rec",
)  # fmt: skip
WEBCAM_LIMIT_S = 30.0


def differs(first: RgbaPicture | None, second: RgbaPicture | None) -> bool:
    if first is None or second is None or first.shape != second.shape:
        return False
    return bool(np.abs(first.astype(int) - second).max() > 24)


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_moves_the_avatar(start_obs: StartObs, name: str) -> None:
    file = data(f"streams/{name}")
    avatar = Avatar.start(start_obs, {"tracker": "replay", "replay_path": str(file), **STILL})
    avatar.wait_for_state("tracker_state", "tracking")
    first = avatar.picture()
    assert shows_something(first)
    wait_for(lambda: differs(first, avatar.picture()), CHANGE_LIMIT_S, f"the avatar to move by {name}")


class Face:
    """A tracker on this computer that can stop and go on."""

    def __init__(self, port: int) -> None:
        self._packets = [record.datagram for record in read_recording(data("streams/openseeface_model0.rec"))]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._port, self._sent = port, 0

    def send(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._socket.sendto(self._packets[self._sent % len(self._packets)], ("127.0.0.1", self._port))
            self._sent += 1
            time.sleep(1 / 30)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def face() -> Iterator[Face]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        made = Face(int(probe.getsockname()[1]))
    yield made
    made.close()


def test_a_face_that_is_lost_fades_to_idle_and_the_next_packet_brings_it_back(start_obs: StartObs, face: Face) -> None:
    avatar = Avatar.start(start_obs, {"tracker": "openseeface", "osf_port": face._port, **STILL})
    at_rest = avatar.picture()
    face.send(3.0)
    assert avatar.state("tracker_state") == "tracking"
    assert differs(at_rest, avatar.picture())
    avatar.wait_for_state("tracker_state", "lost")
    wait_for(lambda: not differs(at_rest, avatar.picture()), CHANGE_LIMIT_S, "the avatar to come to rest")
    time.sleep(7.0)
    assert not differs(at_rest, avatar.picture()), "nothing moves while nobody is there"
    face.send(0.6)
    assert differs(at_rest, avatar.picture())
    avatar.wait_for_state("tracker_state", "tracking")


@pytest.fixture
def landmarker() -> Iterator[None]:
    """The webcam's model where the catalogue puts it; one that is there already is left alone."""
    source = data("mediapipe/face_landmarker.task")
    place = PROJECT / "models" / "weights" / "mediapipe" / "face_landmarker.task"
    if place.exists():
        yield
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)
    try:
        yield
    finally:
        place.unlink()


@pytest.mark.usefixtures("landmarker")
def test_a_video_in_the_cameras_place_moves_the_avatar(start_obs: StartObs) -> None:
    video = data("streams/head_640x360_30fps.mp4")
    avatar = Avatar.start(start_obs, {"tracker": "webcam", "camera_video": str(video), **STILL})
    wait_for(lambda: avatar.state("tracker_state") == "tracking", WEBCAM_LIMIT_S, "a face in the video")
    first = avatar.picture()
    assert shows_something(first)
    wait_for(lambda: differs(first, avatar.picture()), WEBCAM_LIMIT_S, "the avatar to follow the video")


@pytest.mark.usefixtures("landmarker")
def test_a_webcam_that_is_not_there_is_told_and_the_avatar_stays(start_obs: StartObs, tmp_path: Path) -> None:
    own = {"tracker": "webcam", "camera_video": str(tmp_path / "none.mp4")}
    avatar = Avatar.start(start_obs, own)
    assert shows_something(avatar.picture())

    def told() -> bool:
        return any("no_video_file" in str(problem) for problem in avatar.facts().get("problems", []))

    wait_for(told, CHANGE_LIMIT_S, f"a reason, {avatar.facts()}")


def test_packets_are_recorded_by_hotkey_and_the_panel_says_where(start_obs: StartObs, face: Face) -> None:
    avatar = Avatar.start(start_obs, {"tracker": "openseeface", "osf_port": face._port})
    face.send(0.5)
    avatar.press("record")
    wait_for(lambda: bool(avatar.state("recording")), CHANGE_LIMIT_S, "a recording")
    face.send(1.0)
    avatar.press("record")
    wait_for(lambda: bool(avatar.state("recorded")), CHANGE_LIMIT_S, "the recording's end")
    records = read_recording(Path(str(avatar.state("recorded"))))
    assert {len(record.datagram) for record in records} == {1785}
    assert len(records) > 10
