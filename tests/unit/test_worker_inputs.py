"""What the worker does with its inputs besides following them: recording, expressions, reach, hints, remote control."""

from __future__ import annotations

import gc
import json
import logging
import shutil
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.pose.parameters import Pose
from core.wire import expressions, folders
from core.wire.folders import user_recordings
from core.wire.ring import FrameRing
from core.worker import app, characters, expression_book, report
from tests.contract.fake_outputs import wait_until
from tests.unit.free_port import free_port
from tests.unit.openseeface_packets import Face, datagram
from tests.unit.small_model import SmallModel
from tests.unit.worker_in_thread import RunningWorker
from trackers.recording import read_recording

HOME = "127.0.0.1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Characters of one's own, so that nothing is written into those of the project."""
    folder = tmp_path / "characters"
    shutil.copytree(folders.CHARACTERS / "nocti", folder / "nocti")
    return folder


@pytest.fixture
def worker(home: Path, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningWorker]:
    monkeypatch.setattr(characters, "open_rig", lambda character, size: SmallModel(size))
    monkeypatch.setattr(report, "still_alive", lambda: None)  # its alarm would end the whole test run
    monkeypatch.setattr(
        app, "ExpressionBook", lambda submit, tell: expression_book.ExpressionBook(submit, tell, folder)
    )
    level = logging.getLogger().level
    with FrameRing.create(768 * 768 * 4, folder=tmp_path) as ring:
        worker = RunningWorker(ring)
        yield worker
        worker.close()
    logging.getLogger().setLevel(level)
    gc.unfreeze()


def state_with(worker: RunningWorker, **wanted: Any) -> dict[str, Any]:
    """The next state that has these values."""
    return worker.hear(
        lambda message: message["type"] == "state" and all(message.get(key) == value for key, value in wanted.items())
    )


def send(port: int, packet: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(packet, (HOME, port))


def wait_for_expressions(worker: RunningWorker) -> None:
    """They are read beside the loop, after the character."""
    assert wait_until(lambda: worker.worker._mixer.expressions._find(1) is not None)


# -- recording -----------------------------------------------------------------------------------------------------


def test_packets_are_recorded_from_the_panel_and_can_be_replayed(worker: RunningWorker) -> None:
    port = free_port()
    worker.configure(tracker="openseeface", osf_port=port)
    worker.frame()
    assert worker.ask("action", name="record")["ok"]
    packets = [datagram(Face(time=float(number))) for number in range(5)]

    def recorded() -> bool:
        send(port, packets[0])
        path = next(iter(user_recordings().glob("openseeface_*.rec")), None)
        state = [message for message in worker.heard if message["type"] == "state"]
        return path is not None and bool(state) and int(state[-1].get("recorded_packets", 0)) > 3

    assert wait_until(recorded)
    assert worker.ask("action", name="record")["ok"]
    done = worker.hear(lambda message: message["type"] == "state" and bool(message.get("recorded")))
    path = Path(done["recorded"])
    assert {record.datagram for record in read_recording(path)} == {packets[0]}
    assert worker.set(tracker="replay", replay_path=str(path))["ok"]
    state_with(worker, tracker="replay", tracker_state="tracking")


def test_another_input_ends_the_recording(worker: RunningWorker) -> None:
    port = free_port()
    worker.configure(tracker="openseeface", osf_port=port)
    worker.frame()
    assert worker.ask("action", name="record")["ok"]
    worker.hear(lambda message: message["type"] == "state" and bool(message.get("recording")))
    worker.set(tracker="debug")
    state_with(worker, recording="")


def test_what_has_no_packets_cannot_be_recorded(worker: RunningWorker) -> None:
    worker.configure()
    worker.frame()
    reply = worker.ask("action", name="record")
    assert (reply["ok"], reply["error"]["code"]) == (False, "nothing_to_record")


# -- expressions ---------------------------------------------------------------------------------------------------


def test_an_expression_is_shown_and_hidden(worker: RunningWorker) -> None:
    worker.configure()
    worker.frame()
    wait_for_expressions(worker)
    worker.ask("action", name="expression", slot=1)
    state_with(worker, expressions=["smile"])
    worker.ask("action", name="expression", slot=3)
    state_with(worker, expressions=["angry"])
    worker.ask("action", name="expression", slot="")
    state_with(worker, expressions=[])


def test_the_present_face_is_kept_with_the_character(worker: RunningWorker, folder: Path) -> None:
    worker.configure(tracker="manual", manual_pose="mouth_uuu=0.8 head_y=1 eye_wink_left=1")
    worker.frame()

    wait_for_expressions(worker)
    assert wait_until(lambda: worker.worker._mixer.tracked_pose[Pose.MOUTH_UUU] > 0.79)
    worker.ask("action", name="keep_expression", slot=2, label="pout")
    assert wait_until(lambda: "pout" in [one.expression.name for one in worker.worker._mixer.expressions._shown])
    found = {one.slot: one for one in expressions.read_expressions("nocti", folder)}
    assert set(found[2].values) == {"mouth_uuu", "eye_wink_left"}, "the head stays free"
    worker.ask("action", name="expression", slot=2)
    state_with(worker, expressions=["pout"])


def test_a_damaged_file_is_told_and_the_avatar_goes_on(worker: RunningWorker, folder: Path) -> None:
    (folder / "nocti" / "expressions.json").write_text("{")
    worker.configure()
    problem = worker.hear("error")
    assert (problem["where"], problem["code"]) == ("expressions", "expressions_bad")
    worker.frame()
    assert (folder / "nocti" / "expressions.json").read_text() == "{"


@pytest.mark.parametrize("details", [{"slot": 99}, {"slot": None}, {"slot": [1]}, {}])
def test_an_expression_that_is_not_there_does_nothing(worker: RunningWorker, details: dict[str, Any]) -> None:
    worker.configure()
    worker.frame()
    worker.ask("action", name="expression", **details)
    worker.ask("action", name="keep_expression", **details)
    worker.frame()


# -- calibration, hints, remote ------------------------------------------------------------------------------------


def test_learning_a_face_needs_one(worker: RunningWorker) -> None:
    worker.configure(tracker="idle")
    worker.frame()
    reply = worker.ask("action", name="calibrate_reach")
    assert (reply["ok"], reply["error"]["code"]) == (False, "calibration_refused")


def test_the_user_is_told_what_the_input_waits_for(worker: RunningWorker) -> None:
    worker.configure(tracker="livelinkface", livelink_port=free_port())
    worker.frame()
    state = worker.hear(lambda message: message["type"] == "state" and bool(message.get("hints")))
    assert state["hints"][0]["key"] == "phone_address_missing"
    assert state["hints"][0]["warning"] is True


def test_what_was_left_out_is_told_by_reason(worker: RunningWorker) -> None:
    port = free_port()
    worker.configure(tracker="openseeface", osf_port=port)
    worker.frame()

    def told() -> bool:
        send(port, b"nonsense")
        states = [message for message in worker.heard if message["type"] == "state"]
        return bool(states) and bool(states[-1].get("tracker_dropped", {}).get("wrong_size"))

    assert wait_until(told)


def osc(address: str, tags: str, *arguments: bytes) -> bytes:
    def padded(text: str) -> bytes:
        raw = text.encode() + b"\0"
        return raw + b"\0" * (-len(raw) % 4)

    return padded(address) + padded("," + tags) + b"".join(arguments)


def test_remote_control_shows_expressions_on_this_computer(worker: RunningWorker) -> None:
    port = free_port()
    worker.configure(remote_control=True, remote_port=port)
    worker.frame()

    def shown() -> bool:
        send(port, osc("/easyvtuber/expression", "sf", b"sad\0", struct.pack(">f", 1.0)))
        states = [message for message in worker.heard if message["type"] == "state"]
        return bool(states) and states[-1].get("expressions") == ["sad"]

    assert wait_until(shown)
    worker.set(remote_control=False)
    send(port, osc("/easyvtuber/clear", ""))
    worker.frame()
    assert json.dumps(worker.heard[-1])  # still talking


def test_a_microphone_that_cannot_be_is_told_and_everything_else_goes_on(
    worker: RunningWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.wire.errors import MicrophoneUnavailable
    from trackers import microphone

    def missing() -> Any:
        raise MicrophoneUnavailable(reason="portaudio_missing")

    monkeypatch.setattr(microphone, "load_sounddevice", missing)
    worker.configure(lip_sync="add")
    problem = worker.hear(lambda message: message["type"] == "error" and message["where"] == "microphone")
    assert problem["code"] == "microphone_failed"
    worker.frame()
    worker.set(lip_sync="off")
    worker.hear(lambda message: message["type"] == "cleared" and message["where"] == "microphone")
