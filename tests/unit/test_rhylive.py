"""RhyLive: a face message makes the sample, with the newest body; half messages and nonsense make none."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.mapping import arkit_names
from core.wire.clock import now_ns
from core.wire.settings import defaults
from tests.contract.fake_outputs import wait_until
from tests.data import data
from tests.unit.free_port import free_port
from tests.unit.osc_packets import BODY_VALUES, Given, Rotation, body, bundle, face, message, raw_message, turned
from trackers import rhylive
from trackers.base import Drop, TrackerSample, TrackerState
from trackers.recording import read_recording
from trackers.rhylive import RhyLiveDecoder

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
SPINE, CHEST, NECK, HEAD, UPPER_CHEST = 7, 8, 9, 10, 54
"""Unity's numbers of the bones."""
FACE = tuple(place / 64 for place in range(52))


def sampled(decoder: RhyLiveDecoder, packet: bytes = face(*FACE), at: int = SECOND) -> TrackerSample:
    sample = decoder.feed(packet, at)
    assert isinstance(sample, TrackerSample)
    return sample


def with_body(bones: dict[int, Rotation]) -> TrackerSample:
    decoder = RhyLiveDecoder()
    assert decoder.feed(body(bones), SECOND) is None
    return sampled(decoder)


# -- the face -------------------------------------------------------------------------------------------------------


def test_a_faces_52_numbers_are_the_shapes_in_alphabetical_order() -> None:
    sample = sampled(RhyLiveDecoder())
    assert (sample.arrival_ns, sample.vocabulary) == (SECOND, arkit_names.VOCABULARY)
    assert sample.values.dtype == np.float32
    assert sample.values.tolist() == list(FACE)
    for place, name in enumerate(sorted(arkit_names.NAMES)):
        assert sample.values[arkit_names.SHAPE[name]] == FACE[place]


@pytest.mark.parametrize("count", [0, 1, 51, 5000])
def test_a_face_with_too_few_or_far_too_many_numbers_is_dropped(count: int) -> None:
    assert RhyLiveDecoder().feed(face(*[0.5] * count), SECOND) is Drop.WRONG_FORMAT


def test_what_follows_the_52_is_left_out() -> None:
    assert sampled(RhyLiveDecoder(), face(*FACE, 0.9)).values.tolist() == list(FACE)


def test_whole_numbers_are_numbers() -> None:
    assert sampled(RhyLiveDecoder(), face(*[1] * 52)).values.tolist() == [1.0] * 52


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 30, 51])
def test_a_face_that_is_no_number_somewhere_is_dropped(bad: float, place: int) -> None:
    shapes = [*FACE[:place], bad, *FACE[place + 1 :]]
    assert RhyLiveDecoder().feed(face(*shapes), SECOND) is Drop.NOT_FINITE


@pytest.mark.parametrize("bad", ["0.5", None, b"half"])
def test_a_face_of_anything_but_numbers_is_dropped(bad: Given) -> None:
    assert RhyLiveDecoder().feed(face(*FACE[:51], bad), SECOND) is Drop.WRONG_FORMAT


def test_shapes_are_kept_in_their_range() -> None:
    sample = sampled(RhyLiveDecoder(), face(1e30, -1e30, *FACE[2:]))
    assert sample.values[:2].tolist() == [1.5, -1.0]


def test_a_face_without_a_body_looks_straight_ahead() -> None:
    sample = sampled(RhyLiveDecoder())
    assert (sample.head_degrees, sample.body_degrees, sample.position) == ((0.0, 0.0, 0.0), None, None)


# -- the body -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("axis", "expected"), [(0, (12.0, 0.0, 0.0)), (1, (0.0, -12.0, 0.0)), (2, (0.0, 0.0, -12.0))])
@pytest.mark.parametrize("bone", [HEAD, NECK])
def test_the_head_turns_in_arkits_sense(bone: int, axis: int, expected: Sequence[float]) -> None:
    """Unity: + about x looks down, about y turns to the own right, about z tips to the own left."""
    sample = with_body({bone: turned(axis, 12.0)})
    assert sample.head_degrees == pytest.approx(expected, abs=1e-3)
    assert sample.body_degrees == pytest.approx((0.0, 0.0, 0.0), abs=1e-3)


@pytest.mark.parametrize("bone", [SPINE, CHEST, UPPER_CHEST])
def test_the_torso_has_an_angle_of_its_own(bone: int) -> None:
    sample = with_body({bone: turned(1, 8.0), HEAD: turned(0, 3.0)})
    assert sample.body_degrees == pytest.approx((0.0, -8.0, 0.0), abs=1e-3)
    assert sample.head_degrees == pytest.approx((3.0, 0.0, 0.0), abs=1e-3)


def test_bones_add_up_and_limbs_do_not() -> None:
    limbs = {bone: turned(1, 40.0) for bone in range(55) if bone not in (SPINE, CHEST, NECK, HEAD, UPPER_CHEST)}
    sample = with_body(
        {**limbs, NECK: turned(0, 2.0), HEAD: turned(0, 3.0), SPINE: turned(2, 4.0), CHEST: turned(2, 5.0)}
    )
    assert sample.head_degrees == pytest.approx((5.0, 0.0, 0.0), abs=1e-3)
    assert sample.body_degrees == pytest.approx((0.0, 0.0, -9.0), abs=1e-3)


def test_the_head_is_turned_within_the_necks_frame() -> None:
    sample = with_body({NECK: turned(2, 90.0), HEAD: turned(0, 90.0)})
    assert sample.head_degrees == pytest.approx((90.0, 0.0, -90.0), abs=1e-2)
    torso = with_body({SPINE: turned(2, 90.0), CHEST: turned(0, 45.0), UPPER_CHEST: turned(0, 45.0)})
    assert torso.body_degrees == pytest.approx((90.0, 0.0, -90.0), abs=1e-2)


def test_the_newest_body_is_used() -> None:
    decoder = RhyLiveDecoder()
    decoder.feed(body({HEAD: turned(0, 3.0)}), SECOND)
    decoder.feed(body({HEAD: turned(0, 6.0)}), SECOND + MILLISECOND)
    assert sampled(decoder, at=SECOND + 2 * MILLISECOND).head_degrees[0] == pytest.approx(6.0, abs=1e-3)


def test_a_body_is_used_for_half_a_second() -> None:
    decoder = RhyLiveDecoder()
    decoder.feed(body({HEAD: turned(0, 3.0)}), SECOND)
    assert sampled(decoder, at=SECOND + 499 * MILLISECOND).head_degrees[0] == pytest.approx(3.0, abs=1e-3)
    late = sampled(decoder, at=SECOND + 501 * MILLISECOND)
    assert (late.head_degrees, late.body_degrees) == ((0.0, 0.0, 0.0), None)


def test_a_body_alone_is_no_face() -> None:
    assert RhyLiveDecoder().feed(body({}), SECOND) is None


@pytest.mark.parametrize(
    "bad",
    [
        body({}, 0),
        body({}, 52),
        body({}, BODY_VALUES - 1),
        body({HEAD: (math.nan, 0.0, 0.0, 1.0)}),
        body({CHEST: (0.0, 0.0, 0.0, math.inf)}),
        body({NECK: (1e30, 0.0, 0.0, 1.0)}),
        body({HEAD: (0.0, 0.0, 0.0, 0.2)}),
        message("/Body", *["x"] * BODY_VALUES),
    ],
)
def test_a_body_that_is_none_changes_nothing(bad: bytes) -> None:
    decoder = RhyLiveDecoder()
    decoder.feed(body({HEAD: turned(0, 3.0)}), SECOND)
    assert isinstance(decoder.feed(bad, SECOND + MILLISECOND), Drop)
    assert sampled(decoder, at=SECOND + 2 * MILLISECOND).head_degrees[0] == pytest.approx(3.0, abs=1e-3)


def test_a_bone_that_is_all_zero_is_one_that_is_not_tracked() -> None:
    sample = with_body({NECK: (0.0, 0.0, 0.0, 0.0), HEAD: turned(0, 3.0)})
    assert sample.head_degrees[0] == pytest.approx(3.0, abs=1e-3)


def test_face_and_body_may_share_a_bundle() -> None:
    sample = RhyLiveDecoder().feed(bundle(body({HEAD: turned(0, 3.0)}), face(*FACE)), SECOND)
    assert isinstance(sample, TrackerSample)
    assert sample.head_degrees[0] == pytest.approx(3.0, abs=1e-3)


# -- nothing else ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet", [b"", bytes(1100), b"GET / HTTP/1.1\r\n\r\n", message("/Hands", 0.5), message("/face", *FACE), bundle()]
)
def test_anything_else_is_dropped(packet: bytes) -> None:
    """1100 bytes of numbers are what the app sends over USB, which is not supported."""
    assert RhyLiveDecoder().feed(packet, SECOND) is Drop.WRONG_FORMAT


@given(st.binary(min_size=208, max_size=208), st.binary(min_size=892, max_size=892))
def test_any_numbers_are_taken(shapes: bytes, bones: bytes) -> None:
    decoder = RhyLiveDecoder()
    decoder.feed(raw_message("/Body", "," + "f" * BODY_VALUES, bones), SECOND)
    sample = decoder.feed(raw_message("/Face", "," + "f" * 52, shapes), SECOND)
    if isinstance(sample, TrackerSample):
        assert np.isfinite(sample.values).all()
        assert np.isfinite(sample.head_degrees).all()


# -- a recording ----------------------------------------------------------------------------------------------------


def test_the_recordings_head_tips_and_its_face_moves_as_the_video_does() -> None:
    """Four seconds: blinks at 0.8, the mouth at 1.2 to 2, then a tip of the head clockwise on screen, which is toward
    the subject's left shoulder."""
    truth = np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)
    decoder, seconds, samples = RhyLiveDecoder(), [], []
    records = read_recording(data("streams/rhylive_osc_synth.rec"))
    for record in records:
        result = decoder.feed(record.datagram, SECOND + int(record.seconds * 1e9))
        assert not isinstance(result, Drop)
        if result is not None:
            seconds.append(record.seconds)
            samples.append(result)
    assert len(samples) == len(records) // 2 == 120
    times = np.array(seconds)
    roll, blink, mouth = (np.interp(times, truth[:, 0], truth[:, column]) for column in (1, 7, 9))
    tipping, still = times >= 2.0, times < 2.0
    seen = np.array([sample.head_degrees[2] for sample in samples])
    assert np.corrcoef(seen[tipping], roll[tipping])[0, 1] < -0.95
    assert 5.0 < np.ptp(seen) < 25.0, "degrees, not radians nor halves"
    for name, drawn in (("eyeBlinkLeft", blink), ("jawOpen", mouth)):
        shape = np.array([float(sample.values[arkit_names.SHAPE[name]]) for sample in samples])
        assert np.corrcoef(shape[still], drawn[still])[0, 1] > 0.8


# -- over a socket --------------------------------------------------------------------------------------------------


def test_it_listens_on_its_port_and_tells_what_to_type_into_the_app() -> None:
    port = free_port()
    tracker = rhylive.open_tracker({**defaults(), "rhylive_port": port})
    try:
        assert tracker.recording_prefix == "rhylive"
        waiting = tracker.status(now_ns())
        assert waiting.state is TrackerState.WAITING
        assert [hint.key for hint in waiting.hints] == ["phone_address_missing"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as app:

            def arrived() -> bool:
                app.sendto(body({HEAD: turned(0, 9.0)}), ("127.0.0.1", port))
                app.sendto(face(*FACE), ("127.0.0.1", port))
                sample = tracker.latest(now_ns())
                return sample is not None and abs(sample.head_degrees[0] - 9.0) < 0.01

            assert wait_until(arrived)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert sample.values.tolist() == list(FACE)
        assert tracker.status(sample.arrival_ns).hints == ()
    finally:
        tracker.close()


def test_it_needs_nothing() -> None:
    assert rhylive.unavailable() is None
    assert rhylive.new_decoder(defaults(), "rhylive_osc_synth.rec") is not rhylive.new_decoder(defaults())
