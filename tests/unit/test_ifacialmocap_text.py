"""The text frames: every shape in its place, both spellings, half packets, streams however they are cut."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.pose.mapping import arkit_names
from tests.data import data
from tests.unit.ifacialmocap_packets import (
    FACEMOTION3D_REQUEST,
    HEAD,
    REQUEST_TCP,
    REQUEST_V2,
    SHAPES,
    TERMINATOR,
    V1_OF,
    only,
    poses,
    text_v1,
    text_v2,
)
from trackers.base import Drop, TrackerSample
from trackers.ifacialmocap_text import (
    HEAD_KEPT_NS,
    MAXIMUM_BUFFER_BYTES,
    MAXIMUM_FRAME_BYTES,
    MAXIMUM_TOKENS,
    REPEATED_NS,
    SWITCHED_OFF_NS,
    TextDecoder,
    TextStreamDecoder,
)
from trackers.recording import read_recording

SECOND = 1_000_000_000
FRAME_NS = SECOND // 60
NOW = 50 * SECOND


def sample_of(result: TrackerSample | Drop | None) -> TrackerSample:
    assert isinstance(result, TrackerSample), result
    return result


def one(packet: bytes) -> TrackerSample:
    return sample_of(TextDecoder().feed(packet, NOW))


def shape(sample: TrackerSample, name: str) -> float:
    return float(sample.values[arkit_names.SHAPE[name]])


def shapes(sample: TrackerSample, *names: str) -> list[float]:
    return [shape(sample, name) for name in names]


def keys(decoder: TextDecoder | TextStreamDecoder, at: int) -> list[str]:
    return [hint.key for hint in decoder.hints(at)]


# -- what is read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [text_v1, text_v2])
def test_every_shape_is_read_in_both_spellings(write: object) -> None:
    assert callable(write)
    percent = {name: number + 1 for number, name in enumerate(SHAPES)}
    sample = one(write(percent))
    assert (sample.arrival_ns, sample.vocabulary) == (NOW, arkit_names.VOCABULARY)
    assert sample.values.dtype == np.dtype(np.float32)
    assert len(percent) == 52
    for name, value in percent.items():
        assert shape(sample, name) == pytest.approx(value / 100.0), name


def test_the_order_does_not_matter() -> None:
    tokens = [f"{V1_OF[name]}-{number}" for number, name in enumerate(SHAPES)]
    expected = one(only(*tokens)).values
    random.Random(3).shuffle(tokens)
    assert one(only(*tokens)).values.tolist() == expected.tolist()


@pytest.mark.parametrize("write", [text_v1, text_v2])
def test_head_and_place_are_taken_as_they_are(write: object) -> None:
    """Down, the subject's left, toward the subject's right shoulder; metres, negative away from the camera."""
    assert callable(write)
    sample = one(write({}, head=(7.5, -0.4, -11.25, 0.5, -0.25, -0.625)))
    assert sample.head_degrees == (7.5, -0.4, -11.25)
    assert sample.position == (0.5, -0.25, -0.625)


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("jawOpen-25", 0.25),
        ("jawOpen&25", 0.25),
        ("jawOpen&-25", -0.25),
        ("jawOpen--3", -0.03),
        ("jawOpen&+5", 0.05),
        ("jawOpen-12.5", 0.125),
        ("jawOpen&1.25e1", 0.125),
        ("jawOpen-5e-1", 0.005),
        (" jawOpen-7 ", 0.07),
        ("JAWOPEN&7", 0.07),
        ("jawOpen&0000025", 0.25),
        ("jawOpen&140", 1.4),
        ("jawOpen&99999", 1.5),
        ("jawOpen&9999999999", 1.5),
        ("jawOpen&-9999", -1.0),
        ("jawOpen&1e300", 1.5),
    ],
)
def test_numbers_as_apps_write_them(token: str, value: float) -> None:
    assert shape(one(only(token)), "jawOpen") == pytest.approx(value)


@pytest.mark.parametrize(
    "number",
    ["nan", "-nan", "inf", "-inf", "Infinity", "1e999", "-1e999", "0x10", "1_000", "", "+", "--3", ".5", "5.", "1e5555",
     "５", "٣", "1,5", "9" * 25, "1 2", "25%", "true", "\x00", "1\x00"],
)  # fmt: skip
def test_what_is_no_plain_number_is_left_out_and_the_rest_is_not(number: str) -> None:
    sample = one(only("mouthPucker&40", f"jawOpen&{number}", "browInnerUp&60", head=HEAD))
    assert shapes(sample, "jawOpen", "mouthPucker", "browInnerUp") == pytest.approx([0.0, 0.4, 0.6])
    assert sample.head_degrees == HEAD[:3]


def test_unknown_names_are_no_matter() -> None:
    extra = (
        "hapihapi-0",
        "FM_SAD&20",
        "FM_browUpLeft&3",
        "笑顔&50",
        "jawopen2&5",
        "&5",
        "-5",
        "jawOpen",
        "&",
        "___x-5",
    )
    sample = one(only("jawOpen&30", *extra, head=HEAD))
    assert [shape(sample, "jawOpen"), float(np.abs(sample.values).sum())] == pytest.approx([0.3, 0.3])


def test_a_head_after_a_lone_equals_sign_is_read() -> None:
    assert one(b"jawOpen&1|=|head#1,2,3,0.1,0.2,0.3|").head_degrees == (1.0, 2.0, 3.0)


def test_the_terminator_of_a_stream_does_no_harm_in_a_datagram() -> None:
    packet = text_v2({"jawOpen": 20})
    assert one(packet + TERMINATOR).values.tolist() == one(packet).values.tolist()


def test_the_last_of_two_is_the_truth() -> None:
    sample = one(b"jawOpen&10|=head#1,1,1,0,0,0|jawOpen&20|=head#2,2,2,0,0,0|=head#3,3|")
    assert shape(sample, "jawOpen") == pytest.approx(0.2)
    assert sample.head_degrees == (2.0, 2.0, 2.0)


def test_angles_and_places_are_bounded() -> None:
    sample = one(only(head=(1e9, -1e9, 180.5, 1e9, -1e9, 10.5)))
    assert (sample.head_degrees, sample.position) == ((180.0, -180.0, 180.0), (10.0, -10.0, 10.0))


# -- broken packets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "numbers", ["", "1", "1,2,3,4,5", "1,2,nan,4,5,6", "1,2,3,4,5,", ",,,,,", "1;2;3;4;5;6", "1,2,3,4,5,1e999"]
)
def test_a_broken_head_is_left_out_alone(numbers: str) -> None:
    sample = one(only("jawOpen&30", f"=head#{numbers}", "browInnerUp&60"))
    assert (sample.head_degrees, sample.position) == ((0.0, 0.0, 0.0), None)
    assert shapes(sample, "jawOpen", "browInnerUp") == pytest.approx([0.3, 0.6])


def test_more_than_six_numbers_are_six() -> None:
    assert one(b"=head#1,2,3,0.1,0.2,0.3,9,nan|").head_degrees == (1.0, 2.0, 3.0)


def test_a_head_alone_is_a_face() -> None:
    assert one(poses().encode()).head_degrees == HEAD[:3]


@pytest.mark.parametrize("write", [text_v1, text_v2])
def test_cut_between_tokens_what_is_there_is_read(write: object) -> None:
    assert callable(write)
    percent = {name: 10 + number for number, name in enumerate(SHAPES)}
    whole, packet = one(write(percent)), write(percent)
    for at in (at for at, sign in enumerate(packet) if sign == ord("|")):
        result = TextDecoder().feed(packet[: at + 1], NOW)
        if isinstance(result, TrackerSample):
            assert bool(np.all((result.values == 0.0) | (result.values == whole.values)))
        else:
            assert at < 60, "before the first shape"


@pytest.mark.parametrize(
    "packet",
    [b"|", b"|" * 399, REQUEST_V2, REQUEST_TCP, FACEMOTION3D_REQUEST, b"GET / HTTP/1.1\r\nHost: a-b\r\n\r\n",
     b"=head#", b"#", b"\0" * 900, bytes(range(256)), b"trackingStatus-1|", b"=head#1,2,3|", b"rightEye#1,2,3|"],
)  # fmt: skip
def test_what_has_nothing_of_a_face_is_dropped(packet: bytes) -> None:
    assert TextDecoder().feed(packet, NOW) is Drop.WRONG_FORMAT


def test_an_empty_datagram_is_dropped() -> None:
    assert isinstance(TextDecoder().feed(b"", NOW), Drop)


@pytest.mark.parametrize("first", [b"\xef\xbb\xbf|", b"\xff\xfe|", b"\0|", "笑&1|".encode("utf-16-be")])
def test_strange_bytes_spoil_their_token_only(first: bytes) -> None:
    assert shape(one(first + only("jawOpen&30")), "jawOpen") == pytest.approx(0.3)


def test_a_frame_longer_than_any_app_sends_is_not_parsed() -> None:
    assert TextDecoder().feed(b"|" * 60_000, NOW) is Drop.WRONG_SIZE
    packet = only("jawOpen&30")
    assert isinstance(TextDecoder().feed(packet.ljust(MAXIMUM_FRAME_BYTES, b"|"), NOW), TrackerSample)
    assert TextDecoder().feed(packet.ljust(MAXIMUM_FRAME_BYTES + 1, b"|"), NOW) is Drop.WRONG_SIZE


def test_only_so_many_tokens_are_looked_at() -> None:
    assert shape(one(b"a-1|" * (MAXIMUM_TOKENS - 1) + b"jawOpen-30|"), "jawOpen") == pytest.approx(0.3)
    assert TextDecoder().feed(b"a-1|" * MAXIMUM_TOKENS + b"jawOpen-30|", NOW) is Drop.WRONG_FORMAT


TOKEN = st.builds(
    lambda name, separator, number: f"{name}{separator}{number}".encode(),
    st.sampled_from(["jawOpen", "eyeBlink_L", "=head", "head", "trackingStatus", "", "___", "x" * 80]),
    st.sampled_from(["-", "&", "#", "", "--", "&&", "-#"]),
    st.one_of(st.floats().map(str), st.integers().map(str), st.just("1,2,3,4,5,6"), st.text(max_size=30)),
)


@given(st.lists(st.one_of(TOKEN, st.binary(max_size=40)), max_size=60), st.sampled_from([b"|", b"", TERMINATOR]))
def test_nothing_raises_and_every_sample_is_a_face_that_can_be(tokens: list[bytes], joint: bytes) -> None:
    packet = joint.join(tokens)
    for decoder in (TextDecoder(), TextStreamDecoder()):
        result = decoder.feed(packet, NOW)
        if isinstance(result, TrackerSample):
            assert bool(np.isfinite(result.values).all())
            assert float(result.values.min()) >= -1.0
            assert float(result.values.max()) <= 1.5
            assert all(-180.0 <= angle <= 180.0 for angle in result.head_degrees)


# -- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [text_v1, text_v2])
def test_an_app_that_says_that_it_lost_the_face_is_believed(write: object) -> None:
    assert callable(write)
    decoder = TextDecoder()
    sample_of(decoder.feed(write({"jawOpen": 1}), NOW))
    assert decoder.feed(write({"jawOpen": 2}, status=0), NOW + FRAME_NS) is Drop.NO_FACE
    sample_of(decoder.feed(write({"jawOpen": 3}), NOW + 2 * FRAME_NS))
    assert shape(one(write({"jawOpen": 4}, status=None)), "jawOpen") == pytest.approx(0.04)


def test_the_same_packet_again_and_again_is_a_lost_face() -> None:
    decoder, packet = TextDecoder(), text_v1({"jawOpen": 5})
    for at in range(0, REPEATED_NS, FRAME_NS):
        sample_of(decoder.feed(packet, NOW + at))
    for at in range(REPEATED_NS, 5 * SECOND, FRAME_NS):
        assert decoder.feed(packet, NOW + at) is Drop.NO_FACE


def test_after_repeated_packets_a_new_one_is_a_face_at_once() -> None:
    decoder, packet = TextDecoder(), text_v1({"jawOpen": 5})
    for at in (0, REPEATED_NS, 2 * REPEATED_NS):
        decoder.feed(packet, NOW + at)
    sample_of(decoder.feed(text_v1({"jawOpen": 6}), NOW + 3 * REPEATED_NS))
    sample_of(decoder.feed(packet, NOW + 3 * REPEATED_NS + FRAME_NS))
    sample_of(decoder.feed(packet, NOW + 4 * REPEATED_NS))
    assert decoder.feed(packet, NOW + 5 * REPEATED_NS) is Drop.NO_FACE


def test_a_packet_without_head_keeps_the_last_one_for_half_a_second() -> None:
    decoder = TextDecoder()
    decoder.feed(text_v2({}), NOW)
    kept = sample_of(decoder.feed(only("jawOpen&1"), NOW + HEAD_KEPT_NS - 1))
    assert (kept.head_degrees, kept.position) == (HEAD[:3], HEAD[3:])
    gone = sample_of(decoder.feed(only("jawOpen&2"), NOW + HEAD_KEPT_NS))
    assert (gone.head_degrees, gone.position) == ((0.0, 0.0, 0.0), None)


def test_a_shape_that_is_missing_keeps_its_value_for_half_a_second() -> None:
    decoder = TextDecoder()
    decoder.feed(only("jawOpen&40", "mouthPucker&20"), NOW)
    for at, expected in ((SECOND // 2, 0.4), (SECOND // 2 + 1, 0.0)):
        sample = sample_of(decoder.feed(only(f"mouthPucker&{at % 90}"), NOW + at))
        assert shape(sample, "jawOpen") == pytest.approx(expected)


def play(decoder: TextDecoder, packets: Iterable[bytes], start: int = NOW) -> int:
    """Feed packets one frame apart; the time of the last one."""
    at = start
    for at, packet in zip(range(start, start + 60 * SECOND, FRAME_NS), packets, strict=False):
        decoder.feed(packet, at)
    return at


def frames(seconds: float, *moving: str) -> list[bytes]:
    """Packets in which only these shapes (and the head) move."""
    return [
        text_v1(dict.fromkeys(moving, 1 + count % 50), head=(0.01 * count, *HEAD[1:]))
        for count in range(int(seconds * 60))
    ]


@pytest.mark.parametrize(
    ("moving", "expected"),
    [
        (("eyeBlinkLeft",), ["mouth_off"]),
        (("browInnerUp",), ["mouth_off"]),
        (("eyeLookOutRight",), ["mouth_off"]),
        (("jawOpen",), ["eyes_off"]),
        (("mouthSmileRight",), ["eyes_off"]),
        (("mouthPucker", "eyeBlinkRight"), []),
        ((), []),
    ],
)
def test_a_half_that_is_switched_off_is_told_after_five_seconds(moving: tuple[str, ...], expected: list[str]) -> None:
    decoder = TextDecoder()
    last = play(decoder, frames(4.9, *moving))
    assert keys(decoder, last) == []
    last = play(decoder, frames(1.0, *moving), last + FRAME_NS)
    assert keys(decoder, last) == expected
    assert all(hint.warning for hint in decoder.hints(last))


def test_the_hint_goes_when_that_half_moves_and_when_nothing_comes() -> None:
    decoder = TextDecoder()
    last = play(decoder, frames(6.0, "eyeBlinkLeft"))
    assert keys(decoder, last) == ["mouth_off"]
    assert keys(decoder, last + SWITCHED_OFF_NS + 1) == []
    last = play(decoder, frames(0.1, "eyeBlinkLeft", "jawOpen"), last)
    assert keys(decoder, last) == []


def test_a_pause_is_no_half_that_is_switched_off() -> None:
    decoder = TextDecoder()
    last = play(decoder, frames(1.0, "eyeBlinkLeft", "jawOpen"))
    last = play(decoder, frames(0.2, "eyeBlinkLeft"), last + 2 * SWITCHED_OFF_NS)
    assert keys(decoder, last) == []


# -- streams --------------------------------------------------------------------------------------------------------


def stream(count: int) -> bytes:
    return b"".join(text_v2({"jawOpen": number}, head=(number, 0, 0, 0, 0, 0)) + TERMINATOR for number in range(count))


def pitches(pieces: Iterable[bytes]) -> list[float]:
    decoder = TextStreamDecoder()
    results = [decoder.feed(piece, NOW + number) for number, piece in enumerate(pieces)]
    return [sample_of(result).head_degrees[0] for result in results if result is not None]


@pytest.mark.parametrize("size", [1, 7, len(TERMINATOR), 333, 536, 1000])
def test_a_stream_may_be_cut_anywhere(size: int) -> None:
    whole = stream(8)
    assert pitches(whole[at : at + size] for at in range(0, len(whole), size)) == list(range(8))


def test_of_several_frames_at_once_the_newest_is_shown() -> None:
    assert pitches([stream(5)]) == [4.0]
    assert pitches([stream(40)]) == [39.0]


def test_half_a_frame_is_nothing_yet() -> None:
    decoder = TextStreamDecoder()
    assert decoder.feed(stream(1)[:-1], NOW) is None
    assert decoder.feed(b"", NOW) is None
    sample_of(decoder.feed(stream(1)[-1:], NOW))


def test_the_end_of_a_frame_that_began_before_us_spoils_nothing_more() -> None:
    whole = stream(3)
    assert pitches([whole[500:]])[-1] == 2.0


def test_a_lost_face_is_lost_in_a_stream_too() -> None:
    decoder = TextStreamDecoder()
    assert decoder.feed(text_v2({}, status=0) + TERMINATOR, NOW) is Drop.NO_FACE
    packet = text_v2({}) + TERMINATOR
    sample_of(decoder.feed(packet, NOW))
    assert decoder.feed(packet, NOW + REPEATED_NS) is Drop.NO_FACE


def test_a_stream_without_end_of_frame_is_given_up_and_not_kept() -> None:
    decoder, results = TextStreamDecoder(), []
    for number in range(20):
        results.append(decoder.feed(b"x" * 16_384, NOW + number))
        assert len(pickle.dumps(decoder)) < MAXIMUM_BUFFER_BYTES + 8192
    assert Drop.WRONG_SIZE in results
    assert set(results) == {None, Drop.WRONG_SIZE}
    decoder.feed(TERMINATOR, NOW + SECOND)
    sample_of(decoder.feed(stream(1), NOW + 2 * SECOND))


# -- recordings -----------------------------------------------------------------------------------------------------


def played(name: str) -> tuple[NDArray[np.float64], list[TrackerSample]]:
    decoder = TextDecoder()
    seconds, samples = [], []
    for record in read_recording(data(f"streams/{name}")):
        result = decoder.feed(record.datagram, NOW + int(record.seconds * SECOND))
        if isinstance(result, TrackerSample):
            seconds.append(record.seconds)
            samples.append(result)
    return np.array(seconds), samples


@pytest.mark.parametrize(("name", "count"), [("ifacialmocap_v1_synth.rec", 500), ("ifacialmocap_v2_synth.rec", 180)])
def test_the_recorded_head_and_face_move_as_the_video_does(name: str, count: int) -> None:
    """The video's roll is positive clockwise on screen, which is toward the subject's left shoulder."""
    truth = np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)
    seconds, samples = played(name)
    assert len(samples) >= count
    head = np.array([sample.head_degrees for sample in samples])
    checks = [(2, 1, -1.0, 2.0, 6.0)]
    if seconds[-1] > 12.0:
        checks += [(1, 2, 1.0, 6.0, 10.0), (0, 3, 1.0, 10.0, 12.0)]
    for column, drawn, sign, start, end in checks:
        chosen = (seconds >= start) & (seconds < end)
        expected = sign * np.interp(seconds[chosen], truth[:, 0], truth[:, drawn])
        assert np.corrcoef(head[chosen, column], expected)[0, 1] > 0.9, (column, drawn)
        assert np.ptp(head[chosen, column]) > 0.4 * np.ptp(expected), "degrees, not radians nor halves"
    mouth = np.array([shape(sample, "jawOpen") for sample in samples])
    still = seconds < 2.0
    assert np.corrcoef(mouth[still], np.interp(seconds[still], truth[:, 0], truth[:, 9]))[0, 1] > 0.8
    assert all(sample.position is not None and -1.0 < sample.position[2] < -0.1 for sample in samples)


def test_the_recorded_zoom_comes_nearer_to_the_camera() -> None:
    truth = np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)
    seconds, samples = played("ifacialmocap_v1_synth.rec")
    z = np.array([sample.position[2] for sample in samples if sample.position is not None])
    chosen = (seconds >= 12.2) & (seconds < 13.8)
    assert np.corrcoef(z[chosen], np.interp(seconds[chosen], truth[:, 0], truth[:, 4]))[0, 1] > 0.8


def test_the_recorded_loss_of_the_face_is_seen() -> None:
    seconds, _ = played("ifacialmocap_v1_synth.rec")
    assert not np.any((seconds > 16.3) & (seconds < 17.9))
    assert np.any(seconds > 19.0)


def test_the_recorded_stream_tells_what_the_datagrams_tell() -> None:
    _, whole = played("ifacialmocap_v2_synth.rec")
    expected = {sample.head_degrees: sample.values.tolist() for sample in whole}
    decoder, seen = TextStreamDecoder(), 0
    for record in read_recording(data("streams/ifacialmocap_v2_tcp_chunks_synth.rec")):
        result = decoder.feed(record.datagram, NOW + int(record.seconds * SECOND))
        assert not isinstance(result, Drop)
        if result is not None:
            assert result.values.tolist() == expected[result.head_degrees]
            seen += 1
    assert seen > 60
