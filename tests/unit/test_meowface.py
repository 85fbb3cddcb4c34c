"""MeowFace: VTube Studio's JSON with other names, a head that is told twice, and eyes that only the shapes know."""

from __future__ import annotations

import json
import math
import socket
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.mapping.arkit_names import SHAPE, VOCABULARY
from core.wire.clock import now_ns
from core.wire.settings import defaults
from tests.contract.fake_outputs import wait_until
from tests.data import data
from tests.unit.free_port import free_port
from tests.unit.vts_packets import FIRST_TIME_MS, LEFT_OUT, axes, entries, meowface, written
from trackers import meowface as module
from trackers import udp
from trackers.base import Drop, TrackerSample, TrackerState
from trackers.meowface import MeowFaceDecoder
from trackers.recording import read_recording

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
HOME = "127.0.0.1"
TOLD = {"eyeBlinkLeft": 0.25, "eyeLookInRight": 0.5, "jawOpen": 0.75, "tongueOut": 1.0}


def sampled(packet: bytes, at: int = SECOND, decoder: MeowFaceDecoder | None = None) -> TrackerSample:
    sample = (decoder or MeowFaceDecoder()).feed(packet, at)
    assert isinstance(sample, TrackerSample)
    return sample


def shape(packet: bytes, name: str) -> float:
    return float(sampled(packet).values[SHAPE[name]])


# -- shapes ---------------------------------------------------------------------------------------------------------


def test_shapes_are_told_by_name_and_the_others_rest() -> None:
    sample = sampled(meowface(TOLD))
    assert (sample.arrival_ns, sample.vocabulary, sample.hotkey) == (SECOND, VOCABULARY, 0)
    assert {name: float(sample.values[place]) for name, place in SHAPE.items() if sample.values[place]} == TOLD


def test_both_inner_brows_are_one_shape() -> None:
    assert shape(meowface({"browInnerUpLeft": 0.25, "browInnerUpRight": 0.75}), "browInnerUp") == 0.5
    assert shape(meowface({"browInnerUpRight": 0.75}), "browInnerUp") == 0.75


def test_the_one_shape_is_taken_where_it_is_told() -> None:
    told = {"browInnerUpLeft": 0.25, "browInnerUp": 0.375, "browInnerUpRight": 0.75}
    assert shape(meowface(told), "browInnerUp") == 0.375


def test_its_eye_angles_are_left_alone() -> None:
    odd = meowface(TOLD, EyeLeft=axes((35.0, -35.0, 90.0)), EyeRight=LEFT_OUT)
    assert sampled(odd).values.tolist() == sampled(meowface(TOLD)).values.tolist()


def test_a_shape_that_is_left_out_keeps_its_value_for_half_a_second() -> None:
    decoder = MeowFaceDecoder()
    sampled(meowface(TOLD), SECOND, decoder)
    soon = sampled(meowface({"tongueOut": 0.5}), SECOND + 400 * MILLISECOND, decoder)
    assert [float(soon.values[SHAPE[name]]) for name in ("jawOpen", "tongueOut")] == [0.75, 0.5]
    later = sampled(meowface({"tongueOut": 0.5}), SECOND + 600 * MILLISECOND, decoder)
    assert [float(later.values[SHAPE[name]]) for name in ("jawOpen", "tongueOut")] == [0.0, 0.5]


# -- the head -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turned", "expected"),
    [((7.0, 0.0, 0.0), (0.0, 7.0, 0.0)), ((0.0, 7.0, 0.0), (-7.0, 0.0, 0.0)), ((0.0, 0.0, 7.0), (0.0, 0.0, 7.0))],
)
def test_the_head_turns_as_vtube_studios_does(turned: Any, expected: Any) -> None:
    other = {"headLeft": 0.9, "headUp": 0.9, "headRollLeft": 0.9, "jawOpen": 0.0}
    assert sampled(meowface(other, turned=turned)).head_degrees == pytest.approx(expected)


@pytest.mark.parametrize("turned", [axes((0.0, 0.0, 0.0)), LEFT_OUT, None, {"x": 1.0}, [1, 2, 3]])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("headDown", (9.0, 0.0, 0.0)),
        ("headUp", (-9.0, 0.0, 0.0)),
        ("headLeft", (0.0, 9.0, 0.0)),
        ("headRight", (0.0, -9.0, 0.0)),
        ("headRollRight", (0.0, 0.0, 9.0)),
        ("headRollLeft", (0.0, 0.0, -9.0)),
    ],
)
def test_without_angles_the_head_is_told_by_its_shapes(name: str, expected: Any, turned: Any) -> None:
    assert sampled(meowface({name: 0.1}, Rotation=turned)).head_degrees == pytest.approx(expected)


def test_the_shapes_of_opposite_turns_are_weighed_against_each_other() -> None:
    told = {"headLeft": 0.3, "headRight": 0.1, "headUp": 1e9, "headRollLeft": 1e9, "headRollRight": -1e9}
    assert sampled(meowface(told)).head_degrees == pytest.approx((-180.0, 18.0, -180.0))


def test_a_head_that_looks_straight_ahead_needs_no_shapes() -> None:
    assert sampled(meowface(TOLD)).head_degrees == pytest.approx((0.0, 0.0, 0.0))


def test_a_packet_without_any_head_does_not_turn_it_ahead() -> None:
    decoder = MeowFaceDecoder()
    sampled(meowface(TOLD, turned=(20.0, 0.0, 0.0)), decoder=decoder)
    result = decoder.feed(meowface(TOLD, Rotation=LEFT_OUT), SECOND + 33 * MILLISECOND)
    assert isinstance(result, Drop) or result is None or result.head_degrees[1] == pytest.approx(20.0)


# -- its place ------------------------------------------------------------------------------------------------------


def moved(to: tuple[float, float, float]) -> list[float]:
    """How far the head went from the picture's middle, in metres."""
    middle, there = (sampled(meowface(place=place)).position for place in ((0.5, 0.5, 0.3), to))
    assert middle is not None
    assert there is not None
    return [now - before for now, before in zip(there, middle, strict=True)]


def test_across_the_picture_is_toward_the_subjects_left() -> None:
    right, _, _ = moved((0.75, 0.5, 0.3))
    assert 0.05 < right < 0.5
    assert moved((0.25, 0.5, 0.3)) == pytest.approx([-right, 0.0, 0.0])


def test_a_place_far_outside_the_picture_is_held_near_it() -> None:
    assert all(abs(part) <= 10.0 for part in moved((1e9, -1e9, 1e9)))


@pytest.mark.parametrize("place", [LEFT_OUT, None, {"x": 0.5}, [0.5, 0.5, 0.5]])
def test_versions_that_do_not_tell_it_have_none(place: Any) -> None:
    """Their ``Position`` is always zero, which is no place."""
    assert sampled(meowface(VNyanPos=place)).position is None


# -- what is missing, late or broken --------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [False, None, 0, 1, "false", "true"])
def test_only_true_is_a_face(found: Any) -> None:
    assert MeowFaceDecoder().feed(meowface(TOLD, FaceFound=found), SECOND) is Drop.NO_FACE


def test_a_packet_that_was_overtaken_is_left_out() -> None:
    decoder = MeowFaceDecoder()
    sampled(meowface(time_ms=FIRST_TIME_MS + 33), decoder=decoder)
    assert decoder.feed(meowface(time_ms=FIRST_TIME_MS), SECOND) is Drop.OUT_OF_ORDER
    sampled(meowface(time_ms=FIRST_TIME_MS - 3_600_000), decoder=decoder)


@pytest.mark.parametrize("shapes", [None, [], {}, "jawOpen", [None, 5], [{"k": "jawOpen"}], LEFT_OUT])
def test_a_packet_without_shapes_is_no_face(shapes: Any) -> None:
    assert MeowFaceDecoder().feed(meowface(BlendShapes=shapes), SECOND) is Drop.WRONG_FORMAT


@pytest.mark.parametrize(
    "packet",
    [b"", b"[" * 16_000, b"\xff" * 20_000, meowface(TOLD)[:-1], meowface(TOLD, Other=math.nan), b'{"port":12345}'],
    ids=lambda packet: repr(packet[:12]),
)
def test_anything_else_is_dropped(packet: bytes) -> None:
    assert isinstance(MeowFaceDecoder().feed(packet, SECOND), Drop)


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.floats(), max_size=3)


@given(st.dictionaries(st.sampled_from(["Timestamp", "FaceFound", "Rotation", "VNyanPos"]), ODD), ODD)
def test_whatever_a_packet_says_the_face_is_one_that_can_be(fields: dict[str, Any], amount: Any) -> None:
    names = ("jawOpen", "headLeft", "headUp", "headRollRight", "browInnerUpLeft", "browInnerUpRight")
    told = entries([(name, amount) for name in names])
    result = MeowFaceDecoder().feed(meowface(**{"BlendShapes": told, **fields}), SECOND)
    assert isinstance(result, (Drop, TrackerSample))
    if isinstance(result, TrackerSample):
        assert (result.values >= -1.0).all()
        assert (result.values <= 1.5).all()
        assert all(abs(angle) <= 180.0 for angle in result.head_degrees)


# -- a recording ----------------------------------------------------------------------------------------------------


def test_the_recordings_head_tips_as_the_videos_does_by_angles_and_by_shapes() -> None:
    """Six seconds: blinks at 0.8 and 5.0, the mouth at 1.2 to 2, then a tip of the head clockwise on screen, which is
    toward the subject's left shoulder. Without its angles the head must be the same."""
    truth = np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)
    by_angles, by_shapes, seconds, samples = MeowFaceDecoder(), MeowFaceDecoder(), [], []
    for record in read_recording(data("streams/meowface_synth.rec")):
        arrival = SECOND + int(record.seconds * 1e9)
        sample = sampled(record.datagram, arrival, by_angles)
        bare = {**json.loads(record.datagram), "Rotation": LEFT_OUT}
        assert sampled(written(bare), arrival, by_shapes).head_degrees == pytest.approx(sample.head_degrees, abs=1e-3)
        seconds.append(record.seconds)
        samples.append(sample)
    assert len(samples) == 180
    times = np.array(seconds)
    roll, blink, mouth = (np.interp(times, truth[:, 0], truth[:, column]) for column in (1, 7, 9))
    tipping, still = times >= 2.0, times < 2.0
    seen = np.array([sample.head_degrees[2] for sample in samples])
    assert np.corrcoef(seen[tipping], roll[tipping])[0, 1] < -0.95
    assert 10.0 < np.ptp(seen) < 25.0, "degrees, not radians nor quarter circles"
    for name, drawn in (("eyeBlinkLeft", blink), ("jawOpen", mouth)):
        moves = np.array([float(sample.values[SHAPE[name]]) for sample in samples])
        assert np.corrcoef(moves[still], drawn[still])[0, 1] > 0.7


# -- over a socket --------------------------------------------------------------------------------------------------


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(udp, "_WAIT_S", 0.02)
    return free_port()


def test_what_the_app_sends_by_itself_is_heard_and_nobody_is_asked(port: int) -> None:
    tracker = module.open_tracker({**defaults(), "meowface_port": port})
    try:
        assert tracker.recording_prefix == "meowface"
        waiting = tracker.status(now_ns() + 60 * SECOND)
        assert waiting.state is TrackerState.WAITING
        assert [hint.key for hint in waiting.hints] == ["phone_address_missing"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as app:

            def arrived() -> bool:
                app.sendto(meowface(TOLD, turned=(4.0, 0.0, 0.0)), (HOME, port))
                return tracker.latest(now_ns()) is not None

            assert wait_until(arrived)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert sample.head_degrees == pytest.approx((0.0, 4.0, 0.0))
        assert tracker.status(sample.arrival_ns).hints == ()
    finally:
        tracker.close()


def test_a_phone_whose_address_is_known_is_asked_too(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((HOME, 0))
        phone.settimeout(10.0)
        address = f"{HOME}:{phone.getsockname()[1]}"
        tracker = module.open_tracker({**defaults(), "phone_address": address, "meowface_port": port})
        try:
            asked = json.loads(phone.recv(2048))
            assert (asked["messageType"], asked["ports"]) == ("iOSTrackingDataRequest", [port])
            keys = {hint.key for hint in tracker.status(now_ns() + 60 * SECOND).hints}
            assert keys == {"request_sent", "waiting_for_phone"}

            def arrived() -> bool:
                phone.sendto(meowface(TOLD), (HOME, asked["ports"][0]))
                return tracker.latest(now_ns()) is not None

            assert wait_until(arrived)
        finally:
            tracker.close()


def test_it_needs_nothing() -> None:
    assert module.unavailable() is None
    assert module.new_decoder(defaults(), "meowface_synth.rec") is not module.new_decoder(defaults())
