"""OpenSeeFace's packets: read right, one face followed, and nothing hostile gets through or raises."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.mapping import openseeface as names
from tests.data import data
from tests.unit.openseeface_packets import RECORD, RESTING_EULER, Face, datagram, unpacked
from trackers.base import Drop, TrackerSample
from trackers.openseeface import FACE_HELD_NS, FORK_RECORD_BYTES, RECORD_BYTES, OpenSeeFaceDecoder, parse
from trackers.recording import read_recording

FRAME_NS = 33_333_333
NOW = 10_000_000_000
NAN, INF = float("nan"), float("inf")


def one(datagram: bytes) -> TrackerSample | Drop:
    return OpenSeeFaceDecoder().feed(datagram, NOW)


def sample_of(result: TrackerSample | Drop) -> TrackerSample:
    assert isinstance(result, TrackerSample), result
    return result


# -- reading --------------------------------------------------------------------------------------------------------


def test_the_record_has_its_documented_size() -> None:
    assert RECORD.size == RECORD_BYTES == 1785


@pytest.mark.parametrize("name", ["openseeface_model0.rec", "openseeface_blinkpatched.rec"])
def test_real_packets_are_read_as_the_documented_layout_says(name: str) -> None:
    for record in read_recording(data(f"streams/{name}"))[::7]:
        expected, sample = unpacked(record.datagram), sample_of(one(record.datagram))
        assert (sample.arrival_ns, sample.vocabulary) == (NOW, names.VOCABULARY)
        assert sample.values[[names.LEFT_OPEN, names.RIGHT_OPEN]] == pytest.approx(
            [expected.left_open, expected.right_open]
        )
        assert sample.values[names.EYE_LEFT :] == pytest.approx(expected.features)
        x, y, z = expected.euler
        assert sample.head_degrees == pytest.approx(((x - 180 + 180) % 360 - 180, y, z - 90), abs=1e-9)


def test_the_gaze_is_the_mean_direction_of_both_eyes() -> None:
    record = read_recording(data("streams/openseeface_model0.rec"))[100]
    points = np.array(unpacked(record.datagram).points).reshape(70, 3)
    direction = (points[66] - points[68]) + (points[67] - points[69])
    direction /= np.linalg.norm(direction)
    values = sample_of(one(record.datagram)).values
    assert values[[names.GAZE_X, names.GAZE_Y]] == pytest.approx(direction[:2], abs=1e-6)


def test_points_that_say_nothing_are_a_gaze_straight_ahead() -> None:
    values = sample_of(one(datagram(Face(points=(0.0,) * 210)))).values
    assert values[[names.GAZE_X, names.GAZE_Y]].tolist() == [0.0, 0.0]


def test_a_face_that_looks_ahead_has_small_angles() -> None:
    assert max(map(abs, sample_of(one(datagram(Face()))).head_degrees)) < 20.0


@pytest.mark.parametrize("euler", [(179.5, 13.0, 85.0), (-179.5, 13.0, 85.0), (539.5, 373.0, -275.0)])
def test_angles_wrap_where_no_face_rests(euler: tuple[float, float, float]) -> None:
    pitch, yaw, roll = sample_of(one(datagram(Face(euler=euler)))).head_degrees
    assert abs(pitch) <= 0.5
    assert (yaw, roll) == (13.0, -5.0)


def test_the_forks_longer_records_are_read_too() -> None:
    packet = datagram(Face(left_open=0.25), extra=[0.5] * 6)
    assert len(packet) == FORK_RECORD_BYTES == 1809
    assert sample_of(one(packet)).values[names.LEFT_OPEN] == 0.25


def test_two_of_the_forks_faces_are_two_faces() -> None:
    faces = parse(datagram(Face(face_id=3), Face(face_id=4), extra=[0.0] * 6))
    assert not isinstance(faces, Drop)
    assert [face.face_id for face in faces] == [3, 4]


def test_at_most_four_faces_of_a_packet_are_read() -> None:
    faces = parse(datagram(*(Face(face_id=number) for number in range(36))))
    assert not isinstance(faces, Drop)
    assert [face.face_id for face in faces] == [0, 1, 2, 3]


# -- choosing a face ------------------------------------------------------------------------------------------------


def test_of_several_faces_the_surest_is_followed() -> None:
    packet = datagram(Face(face_id=5, confidence=(0.5,) * 68), Face(face_id=6, confidence=(0.9,) * 68, left_open=0.0))
    assert sample_of(one(packet)).values[names.LEFT_OPEN] == 0.0


def test_a_face_once_followed_is_kept_wherever_it_stands_in_the_packet() -> None:
    decoder = OpenSeeFaceDecoder()
    mine, other = Face(face_id=1, left_open=0.5), Face(face_id=0, left_open=0.0, confidence=(1.0,) * 68)
    decoder.feed(datagram(mine), NOW)
    for n, faces in enumerate([(mine, other), (other, mine)] * 3, 1):
        sample = sample_of(decoder.feed(datagram(*faces), NOW + n * FRAME_NS))
        assert sample.values[names.LEFT_OPEN] == 0.5


def test_another_face_waits_until_the_followed_one_is_gone_for_good() -> None:
    decoder = OpenSeeFaceDecoder()
    decoder.feed(datagram(Face(face_id=1)), NOW)
    other = datagram(Face(face_id=2, left_open=0.0))
    assert decoder.feed(other, NOW + FACE_HELD_NS - 1) is Drop.OTHER_FACE
    assert sample_of(decoder.feed(other, NOW + FACE_HELD_NS)).values[names.LEFT_OPEN] == 0.0
    assert decoder.locked_face == 2


def test_of_the_recording_with_two_people_one_is_followed_all_the_way() -> None:
    decoder = OpenSeeFaceDecoder()
    for record in read_recording(data("streams/openseeface_2faces_model0.rec")):
        sample_of(decoder.feed(record.datagram, NOW + int(record.seconds * 1e9)))
        assert decoder.locked_face == 0


@pytest.mark.parametrize(
    "face",
    [
        Face(fit_ok=0),
        Face(fit_error=101.0),
        Face(fit_error=1e9),
        Face(fit_error=-1.0),
        Face(confidence=(0.1,) * 68),
        Face(confidence=(-5.0,) * 68),
    ],
)
def test_a_bad_fit_is_not_shown(face: Face) -> None:
    assert one(datagram(face)) is Drop.POOR_FIT


def test_a_bad_fit_beside_a_good_one_does_no_harm() -> None:
    sample_of(one(datagram(Face(face_id=0, fit_error=1366.0), Face(face_id=1))))


# -- impossible jumps -----------------------------------------------------------------------------------------------


def test_one_impossible_jump_is_left_out() -> None:
    decoder = OpenSeeFaceDecoder()
    decoder.feed(datagram(Face()), NOW)
    assert decoder.feed(datagram(Face().turned(yaw=70.0)), NOW + FRAME_NS) is Drop.OUTLIER
    sample_of(decoder.feed(datagram(Face()), NOW + 2 * FRAME_NS))


def test_two_in_a_row_are_the_truth() -> None:
    decoder = OpenSeeFaceDecoder()
    decoder.feed(datagram(Face()), NOW)
    turned = datagram(Face().turned(yaw=70.0))
    assert decoder.feed(turned, NOW + FRAME_NS) is Drop.OUTLIER
    sample_of(decoder.feed(turned, NOW + 2 * FRAME_NS))
    sample_of(decoder.feed(turned, NOW + 3 * FRAME_NS))


def test_after_a_loss_a_face_may_be_anywhere() -> None:
    decoder = OpenSeeFaceDecoder()
    decoder.feed(datagram(Face()), NOW)
    sample_of(decoder.feed(datagram(Face().turned(yaw=70.0)), NOW + FACE_HELD_NS + 1))


def test_passing_the_wrap_is_no_jump() -> None:
    decoder = OpenSeeFaceDecoder()
    decoder.feed(datagram(Face(euler=(0.5, 13.0, 85.0))), NOW)
    sample_of(decoder.feed(datagram(Face(euler=(359.5, 13.0, 85.0))), NOW + FRAME_NS))


# -- hostile packets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 8, 1784, 1786, 1808, 1810, 3569, 3571, 65535])
def test_a_packet_of_another_size_is_refused(size: int) -> None:
    assert one(bytes(size)) is Drop.WRONG_SIZE


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize(
    "make",
    [
        lambda bad: Face(left_open=bad),
        lambda bad: Face(right_open=bad),
        lambda bad: Face(fit_error=bad),
        lambda bad: Face(euler=(bad, 0.0, 0.0)),
        lambda bad: Face(euler=(0.0, 0.0, bad)),
        lambda bad: Face(features=(0.0,) * 13 + (bad,)),
        lambda bad: Face(confidence=(bad,) + (0.8,) * 67),
    ],
)
def test_what_is_no_number_is_refused(make: object, bad: float) -> None:
    assert callable(make)
    assert one(datagram(make(bad))) is Drop.NOT_FINITE


@pytest.mark.parametrize(
    "face",
    [
        Face(time=NAN),
        Face(time=1e300),
        Face(face_id=-1),
        Face(face_id=2**31 - 1),
        Face(size=(0.0, NAN)),
        Face(quaternion=(0.0,) * 4),
        Face(translation=(INF,) * 3),
        Face(landmarks=(NAN,) * 136),
        Face(points=(NAN,) * 210),
        Face(points=(3e38, -3e38) * 105),
    ],
)
def test_strangeness_in_what_is_not_used_does_not_matter(face: Face) -> None:
    assert np.isfinite(sample_of(one(datagram(face))).values).all()


def test_values_far_out_of_range_are_bounded() -> None:
    values = sample_of(one(datagram(Face(left_open=3e38, features=(-3e38,) * 14)))).values
    assert np.abs(values).max() <= 2.0


ANY_FLOAT = st.integers(0, 2**32 - 1).map(lambda bits: struct.pack("<I", bits))
EDGE_FLOAT = st.sampled_from([NAN, INF, -INF, 3.4e38, -3.4e38, 1e-45, -0.0, 0.0, 1.0, 180.0, -180.0, 1e9]).map(
    lambda value: struct.pack("<f", value)
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good packet of one or two faces in which up to forty floats were replaced."""
    packet = bytearray(datagram(Face(), Face(face_id=1)))[: draw(st.sampled_from([1785, 3570]))]
    for _ in range(draw(st.integers(1, 40))):
        # everything behind the identity and the picture's size; byte 28 is the only odd one
        at = draw(st.sampled_from([20, 24, 29, 33, 49, 53, 57, 61, 73, 345, 889, 1700, 1729])) + 4 * draw(
            st.integers(0, 3)
        )
        packet[at : at + 4] = draw(st.one_of(EDGE_FLOAT, ANY_FLOAT))
    return bytes(packet)


HOSTILE = st.one_of(
    st.binary(max_size=200),
    st.integers(0, 2**32).map(lambda seed: random.Random(seed).randbytes(1785)),
    st.builds(lambda byte, faces: bytes([byte]) * 1785 * faces, st.integers(0, 255), st.integers(1, 36)),
    st.builds(lambda cut: datagram(Face())[:cut], st.integers(0, 1785)),
    spoiled(),
)


@given(st.lists(st.tuples(HOSTILE, st.integers(-1_000_000_000, 1_000_000_000)), min_size=1, max_size=12))
def test_nothing_raises_and_every_sample_is_finite(packets: list[tuple[bytes, int]]) -> None:
    decoder, now = OpenSeeFaceDecoder(), NOW
    for packet, elapsed in packets:
        now += elapsed
        result = decoder.feed(packet, now)
        if isinstance(result, TrackerSample):
            assert result.values.shape == (names.VALUE_COUNT,)
            assert result.values.dtype == np.float32
            assert np.isfinite(result.values).all()
            assert all(-180.0 <= angle <= 180.0 for angle in result.head_degrees)


@given(st.lists(HOSTILE, max_size=30))
def test_after_anything_a_good_face_is_followed_within_half_a_second(packets: list[bytes]) -> None:
    decoder = OpenSeeFaceDecoder()
    for n, packet in enumerate(packets):
        decoder.feed(packet, NOW + n * FRAME_NS)
    after = NOW + len(packets) * FRAME_NS + FACE_HELD_NS
    good = datagram(Face(face_id=77, euler=RESTING_EULER))
    results = [decoder.feed(good, after + n * FRAME_NS) for n in range(3)]
    assert isinstance(results[-1], TrackerSample)
