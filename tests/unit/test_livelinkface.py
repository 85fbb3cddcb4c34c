"""Live Link Face: Epic's order becomes ours, one device is followed, and no length is believed."""

from __future__ import annotations

import json
import math
import socket
import struct
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.mapping.arkit_names import NAMES, SHAPE, SHAPE_COUNT, VOCABULARY
from core.wire.clock import now_ns
from core.wire.settings import defaults
from tests.contract.fake_outputs import wait_until
from tests.data import data
from tests.unit.free_port import free_port
from tests.unit.livelink_packets import (
    DEVICE,
    EPIC_ORDER,
    OTHER_DEVICE,
    VALUE_COUNT,
    face,
    header,
    numbers,
    text,
    values,
)
from trackers import livelinkface as module
from trackers import udp
from trackers.base import Drop, TrackerSample, TrackerState
from trackers.livelinkface import LiveLinkDecoder
from trackers.recording import read_recording

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
HOME = "127.0.0.1"


def sampled(packet: bytes, at: int = SECOND, decoder: LiveLinkDecoder | None = None) -> TrackerSample:
    sample = (decoder or LiveLinkDecoder()).feed(packet, at)
    assert isinstance(sample, TrackerSample)
    return sample


# -- the face -------------------------------------------------------------------------------------------------------


def test_epics_order_becomes_ours() -> None:
    told = {name: (place + 1) / 64 for place, name in enumerate(EPIC_ORDER[:SHAPE_COUNT])}
    sample = sampled(face(told))
    assert (sample.arrival_ns, sample.vocabulary) == (SECOND, VOCABULARY)
    assert sample.values.dtype == np.float32
    assert {name: float(sample.values[SHAPE[name]]) for name in NAMES} == told


def test_shapes_are_kept_in_their_range() -> None:
    found = sampled(face({"jawOpen": 3.0e38, "tongueOut": -3.0e38, "eyeBlinkLeft": -0.25, "cheekPuff": 1.25})).values
    names = ("jawOpen", "tongueOut", "eyeBlinkLeft", "cheekPuff")
    assert [float(found[SHAPE[name]]) for name in names] == [1.5, -1.0, -0.25, 1.25]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("headYaw", (0.0, 20.0, 0.0)), ("headPitch", (-20.0, 0.0, 0.0)), ("headRoll", (0.0, 0.0, 20.0))],
)
def test_the_heads_radians_are_degrees_in_arkits_sense(name: str, expected: tuple[float, float, float]) -> None:
    """Its pitch is up."""
    sample = sampled(face({name: math.radians(20.0), "leftEyeYaw": 0.3, "rightEyePitch": 0.3}))
    assert sample.head_degrees == pytest.approx(expected, abs=1e-4)
    assert sample.position is None


def test_the_head_turns_half_a_circle_at_most() -> None:
    assert sampled(face({"headYaw": 3.0e38, "headPitch": 4.0, "headRoll": -4.0})).head_degrees == (
        -180.0,
        180.0,
        -180.0,
    )


def test_a_packet_that_ends_before_the_values_tells_that_there_is_no_face() -> None:
    assert LiveLinkDecoder().feed(header(), SECOND) is Drop.NO_FACE


@pytest.mark.parametrize("name", ["", "小林さんの iPhone", b"\xff" * 200, b"\0" * 256])
def test_the_name_may_be_anything(name: str | bytes) -> None:
    assert sampled(face({"jawOpen": 0.5}, name=name)).values[SHAPE["jawOpen"]] == 0.5


@pytest.mark.parametrize("device", ["", "A" * 32, "A" * 37, b"\xff" * 256])
def test_ids_of_other_lengths_are_ids(device: str | bytes) -> None:
    """One real app sends 32 characters."""
    assert sampled(face({"jawOpen": 0.5}, device)).values[SHAPE["jawOpen"]] == 0.5


# -- no length is believed ------------------------------------------------------------------------------------------


def test_a_packet_cut_anywhere_is_dropped() -> None:
    whole, without_face = face({"jawOpen": 0.5}), len(header())
    results = [LiveLinkDecoder().feed(whole[:length], SECOND) for length in range(len(whole))]
    assert all(isinstance(result, Drop) for result in results)
    assert [length for length, result in enumerate(results) if result is Drop.NO_FACE] == [without_face]


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4, 5, 7, 255])
def test_other_versions_are_other_layouts(version: int) -> None:
    assert LiveLinkDecoder().feed(header(version=version) + values({}), SECOND) is Drop.WRONG_FORMAT


@pytest.mark.parametrize("length", [-1, -(2**31), 257, 400, 2**31 - 1])
@pytest.mark.parametrize("before", [b"", text(DEVICE)])
def test_lengths_that_cannot_be_are_dropped(length: int, before: bytes) -> None:
    packet = b"\x06" + before + struct.pack(">i", length) + b"x" * 300
    assert LiveLinkDecoder().feed(packet, SECOND) is Drop.WRONG_SIZE


def test_a_length_below_zero_does_not_lead_back() -> None:
    """Four bytes back from here everything else would fit."""
    packet = b"\x06" + text(DEVICE) + struct.pack(">ifii", -4, 0.0, 60, 1) + values({})
    assert LiveLinkDecoder().feed(packet, SECOND) is Drop.WRONG_SIZE


def test_a_name_longer_than_any_is_dropped() -> None:
    assert LiveLinkDecoder().feed(face(name="x" * 257), SECOND) is Drop.WRONG_SIZE


@pytest.mark.parametrize("count", [0, 1, 52, 60, 62, 255])
def test_there_are_61_values_or_none(count: int) -> None:
    assert LiveLinkDecoder().feed(header() + numbers([0.5] * count), SECOND) is Drop.WRONG_SIZE
    assert LiveLinkDecoder().feed(header() + numbers([0.5] * VALUE_COUNT, count), SECOND) is Drop.WRONG_SIZE


def test_fewer_values_than_were_counted_are_dropped() -> None:
    assert LiveLinkDecoder().feed(header() + numbers([0.5] * 60, VALUE_COUNT), SECOND) is Drop.WRONG_SIZE


def test_what_follows_the_values_is_left_out() -> None:
    told = face({"jawOpen": 0.5})
    assert sampled(told + b"\xff" * 500).values.tolist() == sampled(told).values.tolist()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["eyeBlinkLeft", "tongueOut", "headYaw", "headRoll", "rightEyeRoll"])
def test_a_face_that_is_no_number_somewhere_is_dropped(name: str, bad: float) -> None:
    assert LiveLinkDecoder().feed(face({name: bad}), SECOND) is Drop.NOT_FINITE


@given(st.binary(max_size=700))
def test_any_bytes_are_dropped_or_a_face(content: bytes) -> None:
    decoder = LiveLinkDecoder()
    for packet in (content, b"\x06" + content, header() + b"\x3d" + content):
        result = decoder.feed(packet, SECOND)
        assert isinstance(result, (Drop, TrackerSample))
        if isinstance(result, TrackerSample):
            assert (np.abs(result.values) <= 1.5).all()
            assert all(abs(angle) <= 180.0 for angle in result.head_degrees)


# -- one device -----------------------------------------------------------------------------------------------------


def test_the_first_device_is_followed() -> None:
    decoder = LiveLinkDecoder()
    for step in range(20):
        at = SECOND + step * SECOND
        sampled(face(frame=1_000_000 + step), at, decoder)
        assert decoder.feed(face(device=OTHER_DEVICE, frame=5), at + MILLISECOND) is Drop.OTHER_FACE
        assert decoder.feed(header(OTHER_DEVICE), at + 2 * MILLISECOND) is Drop.OTHER_FACE


def test_a_device_that_is_silent_makes_room_for_another() -> None:
    decoder = LiveLinkDecoder()
    sampled(face(frame=1_000_000), SECOND, decoder)
    other = face(device=OTHER_DEVICE, frame=999_000)
    assert decoder.feed(other, SECOND + 4_900 * MILLISECOND) is Drop.OTHER_FACE
    sampled(other, SECOND + 5_000 * MILLISECOND, decoder)
    assert decoder.feed(face(frame=1_000_001), SECOND + 5_001 * MILLISECOND) is Drop.OTHER_FACE


def test_a_device_that_sees_no_face_is_not_silent() -> None:
    decoder = LiveLinkDecoder()
    sampled(face(), SECOND, decoder)
    for step in range(1, 11):
        assert decoder.feed(header(frame=1_000_000 + step), SECOND + step * SECOND) is Drop.NO_FACE
    assert decoder.feed(face(device=OTHER_DEVICE), SECOND + 11 * SECOND) is Drop.OTHER_FACE


def test_a_device_without_a_face_does_not_hold_the_place_of_one_that_is_gone() -> None:
    decoder = LiveLinkDecoder()
    sampled(face(), SECOND, decoder)
    assert decoder.feed(header(OTHER_DEVICE), SECOND + 7 * SECOND) is Drop.NO_FACE
    sampled(face(device=OTHER_DEVICE), SECOND + 8 * SECOND, decoder)


def test_a_broken_packet_of_another_device_takes_nothing_over() -> None:
    decoder, at = LiveLinkDecoder(), SECOND
    sampled(face(), at, decoder)
    at += 10 * SECOND
    assert decoder.feed(face({"jawOpen": math.nan}, OTHER_DEVICE), at) is Drop.NOT_FINITE
    assert decoder.feed(header(OTHER_DEVICE), at) is Drop.NO_FACE
    sampled(face(frame=1_000_001), at, decoder)


# -- order ----------------------------------------------------------------------------------------------------------


def test_a_packet_that_was_overtaken_is_left_out() -> None:
    decoder = LiveLinkDecoder()
    sampled(face(frame=100, part=0.5), decoder=decoder)
    assert decoder.feed(face(frame=99, part=0.9), SECOND) is Drop.OUT_OF_ORDER
    assert decoder.feed(face(frame=100, part=0.25), SECOND) is Drop.OUT_OF_ORDER
    sampled(face(frame=100, part=0.5), decoder=decoder)
    sampled(face(frame=108, part=0.0), decoder=decoder)


@pytest.mark.parametrize("rate", [(60, 1), (30, 1), (60_000, 1001)])
def test_a_time_code_that_goes_back_far_was_started_anew(rate: tuple[int, int]) -> None:
    decoder, frames = LiveLinkDecoder(), 120 * rate[0] // rate[1]
    sampled(face(frame=1_000_000, rate=rate), decoder=decoder)
    assert decoder.feed(face(frame=1_000_000 - frames + 1, rate=rate), SECOND) is Drop.OUT_OF_ORDER
    sampled(face(frame=1_000_000 - frames - 1, rate=rate), decoder=decoder)


def test_a_time_code_that_stays_behind_was_started_anew() -> None:
    decoder = LiveLinkDecoder()
    sampled(face(frame=1_000), decoder=decoder)
    results = [decoder.feed(face(frame=step), SECOND) for step in range(100)]
    assert results[:59] == [Drop.OUT_OF_ORDER] * 59
    assert all(isinstance(result, TrackerSample) for result in results[60:])


@pytest.mark.parametrize("rate", [(0, 0), (60, 0), (0, 1), (-60, 1), (60, -1)])
def test_a_rate_that_makes_no_sense_is_no_reason_to_drop(rate: tuple[int, int]) -> None:
    decoder = LiveLinkDecoder()
    for frame in (500, 400, -(2**31), 2**31 - 1):
        sampled(face(frame=frame, rate=rate), decoder=decoder)


@pytest.mark.parametrize("part", [math.nan, math.inf, -math.inf, 3.0e38])
def test_a_part_of_a_frame_that_makes_no_sense_keeps_nothing_out(part: float) -> None:
    decoder = LiveLinkDecoder()
    sampled(face(frame=500, part=part), decoder=decoder)
    sampled(face(frame=501), decoder=decoder)


# -- recordings -----------------------------------------------------------------------------------------------------


def replayed(name: str) -> tuple[list[float], list[TrackerSample], Counter[str]]:
    decoder, seconds, samples, dropped = LiveLinkDecoder(), [], [], Counter[str]()
    for record in read_recording(data(f"streams/{name}")):
        result = decoder.feed(record.datagram, SECOND + int(record.seconds * 1e9))
        if isinstance(result, TrackerSample):
            seconds.append(record.seconds)
            samples.append(result)
        else:
            assert result is not None
            dropped[result.value] += 1
    return seconds, samples, dropped


def test_a_real_iphones_eyes_hold_their_gaze_while_its_head_turns() -> None:
    """A person who looks at the phone turns the eyes against the head: this tells the head's signs."""
    _, samples, dropped = replayed("livelinkface_real_iphone_a.rec")
    assert (len(samples), dropped) == (560, {"no_face": 7})

    def shape(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([float(sample.values[SHAPE[name]]) for sample in samples])

    pitch, yaw, _ = np.array([sample.head_degrees for sample in samples]).T
    to_the_right = shape("eyeLookInLeft") - shape("eyeLookOutLeft") + shape("eyeLookOutRight") - shape("eyeLookInRight")
    upward = sum(shape(f"eyeLookUp{side}") - shape(f"eyeLookDown{side}") for side in ("Left", "Right"))
    assert np.corrcoef(yaw, to_the_right)[0, 1] > 0.9
    assert np.corrcoef(pitch, upward)[0, 1] > 0.6
    assert 5.0 < np.ptp(yaw) < 60.0, "degrees, not radians"


def test_the_made_recordings_face_moves_as_the_videos_does() -> None:
    truth = np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)
    seconds, samples, dropped = replayed("livelinkface_synth.rec")
    assert (len(samples), dropped) == (548, {"no_face": 52})
    times = np.array(seconds)
    pitch, yaw, roll = np.array([sample.head_degrees for sample in samples]).T
    for seen, column, start, end, sign in ((pitch, 3, 10, 12, 1), (yaw, 2, 6, 10, 1), (roll, 1, 2, 6, -1)):
        there = (times >= start) & (times < end)
        drawn = np.interp(times[there], truth[:, 0], truth[:, column])
        assert sign * np.corrcoef(seen[there], drawn)[0, 1] > 0.9
    winks = (times >= 14.0) & (times < 15.8)
    for name, column in (("eyeBlinkLeft", 7), ("eyeBlinkRight", 8)):
        lid = np.array([float(sample.values[SHAPE[name]]) for sample in samples])
        assert np.corrcoef(lid[winks], np.interp(times[winks], truth[:, 0], truth[:, column]))[0, 1] > 0.7


# -- over a socket --------------------------------------------------------------------------------------------------


def test_it_listens_on_its_port_and_tells_what_to_type_into_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "_WAIT_S", 0.02)
    port = free_port()
    tracker = module.open_tracker({**defaults(), "phone_address": HOME, "livelink_port": port})
    try:
        assert tracker.recording_prefix == "livelinkface"
        waiting = tracker.status(now_ns())
        assert waiting.state is TrackerState.WAITING
        (hint,) = waiting.hints
        assert (hint.key, hint.parameters["port"]) == ("waiting_for_phone", port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as app:

            def arrived() -> bool:
                app.sendto(face({"headYaw": math.radians(9.0)}), (HOME, port))
                return tracker.latest(now_ns()) is not None

            assert wait_until(arrived)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert sample.head_degrees == pytest.approx((0.0, 9.0, 0.0), abs=1e-4)
        assert tracker.status(sample.arrival_ns).hints == ()
    finally:
        tracker.close()


def test_it_needs_nothing() -> None:
    assert module.unavailable() is None
    assert module.new_decoder(defaults(), "livelinkface_synth.rec") is not module.new_decoder(defaults())
