"""The webcam's packets: MediaPipe's answers read right, and nothing hostile gets through or raises."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.mapping.arkit_names import NAMES, SHAPE, VOCABULARY
from core.wire.settings import defaults
from tests.unit.webcam_packets import IDENTITY, SHAPES, matrix_of, packet, recorded_rows, truth
from trackers import registry
from trackers.base import Drop, TrackerSample
from trackers.webcam import WebcamDecoder
from trackers.webcam_landmarker import PACKET

NOW = 5_000_000_000
ANGLES = st.floats(-85.0, 85.0)


def one(datagram: bytes) -> TrackerSample | Drop:
    result = WebcamDecoder().feed(datagram, NOW)
    assert result is not None
    return result


def sample_of(datagram: bytes) -> TrackerSample:
    result = one(datagram)
    assert isinstance(result, TrackerSample), result
    return result


# -- reading --------------------------------------------------------------------------------------------------------


def test_a_packet_is_52_shapes_and_a_matrix() -> None:
    assert list(NAMES) == SHAPES
    assert PACKET.size == len(packet()) == 272


def test_shapes_come_out_under_their_names() -> None:
    for index, name in enumerate(SHAPES):
        sample = sample_of(packet({name: 0.625}))
        assert sample.vocabulary == VOCABULARY
        assert sample.values.dtype == np.dtype(np.float32) and sample.values.shape == (52,)
        assert np.flatnonzero(sample.values).tolist() == [index]
        assert sample.values[SHAPE[name]] == 0.625


def test_the_sample_is_as_old_as_the_picture() -> None:
    assert sample_of(packet()).arrival_ns == NOW


def test_a_picture_without_a_face_is_counted_as_that() -> None:
    assert one(b"") is Drop.NO_FACE


@pytest.mark.parametrize(
    ("angles", "head"),
    [
        ((10.0, 0.0, 0.0), (10.0, 0.0, 0.0)),
        ((0.0, 10.0, 0.0), (0.0, 10.0, 0.0)),
        ((0.0, 0.0, 10.0), (0.0, 0.0, 10.0)),
        ((20.0, -30.0, 40.0), (20.0, -30.0, 40.0)),
    ],
)
def test_the_matrix_becomes_pitch_yaw_and_roll(
    angles: tuple[float, float, float], head: tuple[float, float, float]
) -> None:
    assert sample_of(packet(matrix=matrix_of(*angles))).head_degrees == pytest.approx(head, abs=1e-3)


@given(ANGLES, ANGLES, ANGLES, st.floats(0.6, 1.8))
def test_every_rotation_comes_back_however_large_the_face(pitch: float, yaw: float, roll: float, scale: float) -> None:
    sample = sample_of(packet(matrix=matrix_of(pitch, yaw, roll, scale=scale)))
    assert sample.head_degrees == pytest.approx((pitch, yaw, roll), abs=0.01)


def test_the_nose_shows_the_signs() -> None:
    # the nose points along the face's z axis: to the subject's left (x) for a yaw, down (-y) for a pitch
    left = np.reshape(matrix_of(0.0, 25.0, 0.0), (4, 4))[:3, :3] @ (0.0, 0.0, 1.0)
    down = np.reshape(matrix_of(25.0, 0.0, 0.0), (4, 4))[:3, :3] @ (0.0, 0.0, 1.0)
    assert left[0] > 0.4 and down[1] < -0.4
    assert sample_of(packet(matrix=matrix_of(0.0, 25.0, 0.0))).head_degrees[1] > 0.0
    assert sample_of(packet(matrix=matrix_of(25.0, 0.0, 0.0))).head_degrees[0] > 0.0


def test_the_position_is_in_metres() -> None:
    sample = sample_of(packet(matrix=matrix_of(0.0, 0.0, 0.0, (5.0, -10.0, -60.0))))
    assert sample.position == pytest.approx((0.05, -0.1, -0.6))


def test_a_recording_is_told_by_its_name() -> None:
    assert registry.protocol_of_recording("webcam-20260101-120000.rec") == "webcam"
    new = registry.decoder_factory("webcam", defaults(), "webcam.rec")
    assert new is not None
    assert isinstance(new().feed(packet(), NOW), TrackerSample)
    assert new() is not new()


def test_one_packet_says_nothing_about_the_next() -> None:
    decoder = WebcamDecoder()
    decoder.feed(packet({"jawOpen": 1.0}, matrix_of(10.0, 20.0, 30.0)), NOW)
    after = decoder.feed(packet(), NOW + 1)
    assert isinstance(after, TrackerSample)
    assert not after.values.any()
    assert after.head_degrees == pytest.approx((0.0, 0.0, 0.0))


# -- MediaPipe's own answers ----------------------------------------------------------------------------------------


def test_the_recorded_head_follows_what_was_drawn() -> None:
    rows, drawn = list(recorded_rows()), truth()
    seen = [(index, sample_of(row.packet)) for index, row in enumerate(rows) if row.shapes]
    lost = [row.seconds for row in rows if one(row.packet) is Drop.NO_FACE]
    assert len(seen) > 540 and lost and 16.0 < min(lost) < max(lost) < 18.5
    index = [place for place, _ in seen]
    pitch, yaw, roll = np.array([sample.head_degrees for _, sample in seen]).T
    x, _, z = np.array([sample.position for _, sample in seen]).T

    def agrees(measured: np.ndarray, expected: np.ndarray, at_least: float) -> bool:
        return float(np.corrcoef(measured, expected[index])[0, 1]) > at_least

    assert agrees(pitch, drawn.pitch, 0.8)
    assert agrees(yaw, drawn.yaw, 0.9)
    assert agrees(roll, -drawn.roll, 0.9), "clockwise on the screen tips the head to the subject's left"
    assert agrees(z, drawn.zoom, 0.8), "closer is larger"
    assert agrees(x, drawn.shift_x, 0.5), "to the right on the screen is the subject's left"


def test_recorded_blinks_winks_and_mouth_are_where_they_were_drawn() -> None:
    shown: dict[str, list[tuple[float, float]]] = {"eyeBlinkLeft": [], "eyeBlinkRight": [], "jawOpen": []}
    for row in recorded_rows():
        if row.shapes:
            values = sample_of(row.packet).values
            for name, found in shown.items():
                found.append((row.seconds, float(values[SHAPE[name]])))

    def peak(name: str, start: float, end: float) -> float:
        return max(value for seconds, value in shown[name] if start <= seconds < end)

    assert peak("eyeBlinkLeft", 0.8, 1.2) > 0.3 < peak("eyeBlinkRight", 0.8, 1.2)
    assert peak("eyeBlinkLeft", 14.2, 15.0) > 2.0 * peak("eyeBlinkRight", 14.2, 14.9)
    assert peak("eyeBlinkRight", 15.0, 15.8) > 2.0 * peak("eyeBlinkLeft", 15.2, 15.8)
    assert peak("jawOpen", 18.6, 19.8) > 0.3 > 0.1 > peak("jawOpen", 3.0, 6.0)


# -- hostile --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 4, 207, 208, 271, 273, 544, 65_507])
def test_any_other_length_is_refused(length: int) -> None:
    assert one(bytes(length)) is Drop.WRONG_SIZE


@pytest.mark.parametrize("poison", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [0, 8, 51, 52, 55, 62, 67])
def test_a_number_that_is_none_spoils_the_packet(place: int, poison: float) -> None:
    numbers = list(struct.unpack("<68f", packet()))
    numbers[place] = poison
    assert one(struct.pack("<68f", *numbers)) is Drop.NOT_FINITE


def test_shapes_and_places_beyond_reason_are_clamped() -> None:
    sample = sample_of(packet({"jawOpen": 1e30, "jawLeft": -1e30}, matrix_of(0, 0, 0, (1e30, -1e30, 5e7))))
    assert sample.values[SHAPE["jawOpen"]] == 1.5
    assert sample.values[SHAPE["jawLeft"]] == -1.0
    assert sample.position == (10.0, -10.0, 10.0)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("length", [0.0, 1e-30, 3e38])
def test_a_matrix_that_turns_nothing_is_refused(axis: int, length: float) -> None:
    matrix = np.reshape(IDENTITY, (4, 4)).copy()
    matrix[axis, axis] = length
    assert isinstance(one(packet(matrix=matrix.ravel().tolist())), Drop)


@pytest.mark.parametrize("yaw", [90.0, -90.0, 180.0])
def test_a_head_turned_all_the_way_is_still_numbers(yaw: float) -> None:
    sample = sample_of(packet(matrix=matrix_of(0.0, yaw, 0.0)))
    assert all(-180.0 <= angle <= 180.0 for angle in sample.head_degrees)


@given(st.binary(min_size=272, max_size=272) | st.binary(max_size=300))
def test_no_bytes_raise_or_get_past_the_limits(content: bytes) -> None:
    result = one(content)
    if isinstance(result, TrackerSample):
        check_limits(result)


def test_packets_with_flipped_bits_stay_within_the_limits() -> None:
    chance = random.Random(4)
    whole = packet({"jawOpen": 0.5}, matrix_of(5.0, 6.0, 7.0, (1.0, 2.0, -60.0)))
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        result = one(bytes(damaged))
        if isinstance(result, TrackerSample):
            check_limits(result)


def check_limits(sample: TrackerSample) -> None:
    assert np.isfinite(sample.values).all()
    assert sample.values.min() >= -1.0 and sample.values.max() <= 1.5
    assert all(-180.0 <= angle <= 180.0 for angle in sample.head_degrees)
    assert sample.position is not None and all(-10.0 <= metres <= 10.0 for metres in sample.position)
