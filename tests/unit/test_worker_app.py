"""The worker as OBS sees it: what it says, what it does when told, and that it ends."""

from __future__ import annotations

import gc
import logging
import os
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from core.publish import registry as outputs
from core.wire.clock import now_ns
from core.wire.ring import FLAG_IN_BETWEEN, FLAG_TRANSPARENT, FrameRing
from core.wire.version import PROTOCOL, VERSION
from core.worker import characters, report
from tests.contract.fake_outputs import wait_until
from tests.unit.free_port import free_port
from tests.unit.small_model import SmallModel
from tests.unit.worker_in_thread import RunningWorker
from trackers import registry as trackers

PRESET_SIZES = {"low": 384, "medium": 512, "high": 512, "ultra": 768}


@pytest.fixture
def worker(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningWorker]:
    monkeypatch.setattr(characters, "open_rig", lambda character, size: SmallModel(size))
    monkeypatch.setattr(report, "still_alive", lambda: None)  # its alarm would end the whole test run
    level = logging.getLogger().level
    with FrameRing.create(768 * 768 * 4, folder=tmp_path) as ring:
        worker = RunningWorker(ring)
        yield worker
        worker.close()
    logging.getLogger().setLevel(level)
    gc.unfreeze()


@pytest.fixture
def running(worker: RunningWorker) -> RunningWorker:
    """A worker whose frames flow."""
    worker.configure()
    worker.frame()
    return worker


# -- the beginning --------------------------------------------------------------------------------------------------


def test_it_speaks_first_and_tells_what_it_can(worker: RunningWorker) -> None:
    hello = worker.hear()
    assert (hello["type"], hello["protocol"], hello["version"]) == ("hello", PROTOCOL, VERSION)
    assert hello["pid"] == os.getpid()
    assert set(hello["capabilities"]["trackers"]) == set(trackers.TRACKERS)
    assert set(hello["capabilities"]["outputs"]) == set(outputs.PUBLISHERS)


def test_before_it_is_configured_it_shows_nothing(worker: RunningWorker) -> None:
    assert worker.ask("action", name="show")["ok"]
    assert worker.ring.newest == 0
    worker.configure()
    assert worker.frame().sequence >= 1


def test_an_answer_to_the_configuration_is_given_if_it_has_an_id(worker: RunningWorker) -> None:
    assert worker.ask("configure", settings={"tracker": "idle", "output": "null"}, rung="rig")["ok"]


@pytest.mark.parametrize("settings", [{}, {"tracker": 5, "nonsense": [1]}])
def test_any_configuration_is_enough_to_begin(worker: RunningWorker, settings: dict[str, object]) -> None:
    worker.tell("configure", settings={"tracker": "idle", **settings}, rung="no such rung", ring=worker.ring.locator)
    worker.frame()


# -- frames ---------------------------------------------------------------------------------------------------------


def test_frames_flow_with_rising_numbers_and_times(running: RunningWorker) -> None:
    headers = [running.frame() for _ in range(15)]
    for before, after in pairwise(headers):
        assert after.sequence > before.sequence
        assert after.packet_ns >= before.packet_ns
        assert after.sampled_ns > before.sampled_ns
        assert after.published_ns > before.published_ns
    assert headers[-1].packet_ns > headers[0].packet_ns
    for header in headers:
        assert 0 < header.packet_ns <= header.sampled_ns <= header.rendered_ns <= header.published_ns <= now_ns()
        assert (header.width, header.height, header.flags & ~FLAG_IN_BETWEEN) == (384, 384, 0)


def test_it_tells_that_it_lives_how_it_does_and_what_is_in_force(running: RunningWorker) -> None:
    assert running.hear(lambda m: m["type"] == "heartbeat" and m["stage"] == "running")["frames"] > 0
    figures = running.hear(lambda m: m["type"] == "stats" and "pose_age_ms" in m["figures"])["figures"]
    assert figures["frames"] > 0
    assert figures["tracker_state"] == "tracking"
    assert {"fps", "key_fps", "render_ms", "publish_ms", "sample_age_ms", "device_share", "late"} <= figures.keys()
    assert {"hit_rate", "cache_megabytes", "cache_aside", "cache_codec"} <= figures.keys()
    assert "governor" not in figures, "nothing may be given up without a budget"
    state = [message for message in running.heard if message["type"] == "state"][-1]
    shown = [state[name] for name in ("stage", "character", "size", "preset", "tracker", "visible")]
    assert shown == ["running", "nocti", 384, "low", "debug", True]
    assert (state["running"]["family"], state["rung"]) == ("rig", "rig")


def test_the_state_is_told_when_it_changes_and_not_else(running: RunningWorker) -> None:
    running.hear(lambda m: m["type"] == "state" and m["stage"] == "running")
    for _ in range(3):
        running.hear("heartbeat")
    states = [message for message in running.heard if message["type"] == "state"]
    assert all(before != after for before, after in pairwise(states))


def test_obs_clock_is_followed_and_nonsense_in_it_survived(running: RunningWorker) -> None:
    for clock in ({"interval_ns": 20_000_000}, {"interval_ns": 0}, {"interval_ns": 2**70, "push_delay_ns": -(2**70)}):
        running.tell("clock", **{"tick_ns": now_ns(), "push_delay_ns": 500_000, **clock})
        running.tell("clock", tick_ns=2**70, interval_ns=20_000_000, push_delay_ns="late")
    for _ in range(3):
        running.frame()


# -- changes while it runs ------------------------------------------------------------------------------------------


def test_another_input_is_taken_live(running: RunningWorker) -> None:
    assert running.set(tracker="idle")["ok"]
    assert running.hear(lambda m: m["type"] == "state" and m["tracker"] == "idle")["tracker_state"] == "idle"
    assert wait_until(lambda: running.frame().packet_ns == 0), "the old face has faded"


def test_another_character_is_taken_live(running: RunningWorker) -> None:
    assert running.set(character="mothlight")["ok"]
    running.hear(lambda m: m["type"] == "state" and m["character"] == "mothlight")
    running.frame()


@pytest.mark.parametrize("preset", PRESET_SIZES)
def test_another_preset_is_taken_live(running: RunningWorker, preset: str) -> None:
    running.set(preset=preset)
    assert wait_until(lambda: running.frame().width == PRESET_SIZES[preset])


def test_interpolation_is_taken_live(running: RunningWorker) -> None:
    running.set(interpolation=False)
    assert wait_until(lambda: not any(running.frame().flags & FLAG_IN_BETWEEN for _ in range(6)))
    running.set(interpolation=True)
    assert wait_until(lambda: bool(running.frame().flags & FLAG_IN_BETWEEN))


def test_frames_go_on_numbered_through_every_change(running: RunningWorker) -> None:
    before = running.ring.newest
    for change in ({"preset": "medium"}, {"output": "null"}, {"output": "obs_source"}, {"tracker": "idle"}):
        running.set(**change)
    running.hear(lambda m: m["type"] == "state" and m["tracker"] == "idle" and m["output"] == "obs_source")
    assert running.frame().sequence > before
    assert "error" not in [message["type"] for message in running.heard]


def test_a_missing_character_is_told_and_the_old_one_stays(running: RunningWorker) -> None:
    assert running.set(character="nobody")["ok"], "the wish was understood"
    error = running.hear("error")
    assert (error["where"], error["code"]) == ("character", "character_missing")
    assert error["parameters"] == {"character": "nobody"}
    running.frame()
    running.set(character="mothlight")
    assert running.hear("cleared")["where"] == "character"


def test_a_port_in_use_is_told_and_cleared_by_another_choice(running: RunningWorker) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind(("127.0.0.1", 0))
        port = squatter.getsockname()[1]
        running.set(tracker="openseeface", osf_port=port)
        error = running.hear("error")
        assert (error["code"], error["parameters"]["port"]) == ("port_in_use", port)
        running.frame()
        running.set(tracker="debug")
        assert running.hear("cleared")["where"] == error["where"]


def test_quick_changes_of_the_input_never_find_their_own_port_in_use(running: RunningWorker) -> None:
    port = free_port()
    for loop in (True, False) * 5:
        running.set(tracker="openseeface", osf_port=port, replay_loop=loop)
    running.hear(lambda m: m["type"] == "state" and m["tracker_state"] == "waiting")
    assert "error" not in [message["type"] for message in running.heard]


def test_an_output_that_cannot_be_is_told_and_cleared(running: RunningWorker) -> None:
    running.set(output="file", file_path="")
    error = running.hear("error")
    assert (error["where"], error["code"]) == ("output", "output_unavailable")
    running.set(output="obs_source")
    assert running.hear("cleared")["where"] == "output"
    running.frame()


def test_hidden_shows_nothing_once_and_then_rests(running: RunningWorker) -> None:
    assert running.ask("action", name="hide")["ok"]

    def nothing_is_shown() -> bool:
        header = running.ring.header(running.ring.newest)
        return header is not None and header.flags == FLAG_TRANSPARENT

    assert wait_until(nothing_is_shown)
    sequence = running.ring.newest
    for _ in range(2):
        running.hear("heartbeat")
    assert running.ring.newest == sequence
    assert not any(running.ring.read(sequence) or b"\1")
    assert running.ask("action", name="show")["ok"]
    assert not running.frame().flags & FLAG_TRANSPARENT


def test_it_may_begin_hidden(worker: RunningWorker) -> None:
    worker.configure(visible=False)
    assert worker.frame().flags == FLAG_TRANSPARENT
    worker.ask("action", name="show")
    assert not worker.frame().flags & FLAG_TRANSPARENT


# -- refusals -------------------------------------------------------------------------------------------------------


def test_a_bad_setting_is_refused_and_the_good_ones_beside_it_are_taken(running: RunningWorker) -> None:
    reply = running.set(preset="gigantic", tracker="idle", unknown_key=5)
    assert not reply["ok"]
    assert reply["error"]["code"] == "setting_refused"
    assert reply["error"]["parameters"] == {"key": "preset", "value": "gigantic"}
    running.hear(lambda m: m["type"] == "state" and m["tracker"] == "idle" and m["preset"] == "low")


@pytest.mark.parametrize(
    "bad", [{"preset": None}, {"osf_port": "1"}, {"mirror": 1}, {"smoothing": [1]}, {"character": 7}]
)
def test_settings_of_a_wrong_type_are_refused(running: RunningWorker, bad: dict[str, object]) -> None:
    assert running.set(**bad)["error"]["code"] == "setting_refused"


def test_settings_another_version_knows_are_no_error(running: RunningWorker) -> None:
    assert running.set(from_the_future={"deep": True})["ok"]


def test_calibrating_without_a_face_is_refused(running: RunningWorker) -> None:
    running.set(tracker="idle")
    running.hear(lambda m: m["type"] == "state" and m["tracker"] == "idle")
    reply = running.ask("action", name="calibrate")
    assert (reply["ok"], reply["error"]["code"]) == (False, "calibration_refused")


def test_calibrating_with_a_face_is_done(running: RunningWorker) -> None:
    assert wait_until(lambda: bool(running.ask("action", name="calibrate")["ok"]))


@pytest.mark.parametrize("name", ["", "explode", "x" * 5000, "夜\ud800"])
def test_an_unknown_action_is_refused(running: RunningWorker, name: str) -> None:
    reply = running.ask("action", name=name)
    assert (reply["ok"], reply["error"]["code"]) == (False, "message_unknown")


def test_garbage_on_the_pipe_is_answered_and_frames_go_on(running: RunningWorker) -> None:
    running.say(b"garbage")
    assert running.hear("error")["where"] == "control"
    running.frame()


# -- the end --------------------------------------------------------------------------------------------------------


def test_stop_is_answered_and_ends_it(running: RunningWorker) -> None:
    assert running.ask("stop")["ok"]
    assert running.exits() == 0
    assert running.hear("state")["stage"] == "stopping"


def test_stop_before_the_configuration_ends_it_too(worker: RunningWorker) -> None:
    assert worker.ask("stop")["ok"]
    assert worker.exits() == 0


def test_the_end_of_the_pipe_ends_it(running: RunningWorker) -> None:
    running.hang_up()
    assert running.exits() == 0


def test_the_end_of_the_pipe_ends_one_that_was_never_configured(worker: RunningWorker) -> None:
    worker.hear("hello")
    worker.hang_up()
    assert worker.exits() == 0


@pytest.mark.parametrize("configured", [False, True])
def test_nothing_of_it_is_left(worker: RunningWorker, configured: bool) -> None:
    before = {thread.name for thread in threading.enumerate()}
    assert "preparer" in before
    worker.set(tracker="openseeface", osf_port=free_port())
    if configured:
        worker.configure(tracker="openseeface", osf_port=free_port())
        worker.frame()
    worker.ask("stop")
    worker.exits()
    assert wait_until(lambda: not {"preparer", "tracker-openseeface"} & {t.name for t in threading.enumerate()})


def test_nobody_draws_after_the_end(worker: RunningWorker) -> None:
    """Every thread has an owner who ends it, those that draw and pack pictures too."""
    before = threading.enumerate()

    def drawing() -> set[str]:
        ours = {thread.name for thread in threading.enumerate() if thread not in before}
        return ours & {"key-frames", "frame-cache"}

    worker.configure(in_between_method="smooth")
    assert wait_until(lambda: "key-frames" in drawing())
    worker.ask("stop")
    worker.exits()
    assert wait_until(lambda: not drawing(), limit_s=5.0)
