"""FMV3 sessions with a phone that keeps to the published rules, and with ones that do not."""

from __future__ import annotations

import itertools
import json
import pickle

import numpy as np
import pytest

from core.pose.mapping import arkit_names
from core.wire.settings import defaults
from tests.data import data
from tests.unit.fmv3_packets import (
    FRAME,
    GET_SCHEMA,
    HELLO,
    NONCE,
    PING,
    PONG,
    POSE,
    REVISION_4_SCHEMA,
    SCHEMA,
    SCHEMA_ACK,
    SESSION,
    STOP,
    error,
    frame,
    greeting,
    message,
    schema,
    schema_body,
    table,
    told,
)
from tests.unit.fmv3_phone import PHONE, SECOND, START, STEP, Link, Phone, begun, sample_of
from trackers import ifacialmocap
from trackers.base import Drop, TrackerSample
from trackers.fmv3 import Fmv3Session, Fmv3StreamDecoder
from trackers.recording import read_recording

# -- the beginning --------------------------------------------------------------------------------------------------


def test_hello_is_repeated_unchanged_each_second_five_times() -> None:
    link = Link(Phone())
    link.run(5.0, hears=False)
    hellos = link.of(HELLO)
    assert [at - START for at, _ in hellos] == [number * SECOND for number in range(5)]
    assert len({said for _, said in hellos}) == 1
    assert len(link.said) == 5
    first = Fmv3Session(PHONE).due(START, 0)[0]
    assert greeting(first)[1:] == (60, 1200, 5)


def test_each_session_of_ours_greets_with_a_number_of_its_own() -> None:
    nonces = {greeting(Fmv3Session(PHONE).due(START, 0)[0])[0] for _ in range(20)}
    assert len(nonces) == 20


def test_a_phone_that_is_there_later_is_found() -> None:
    link = Link(Phone())
    link.run(30.0, hears=False)
    assert all(later - at >= SECOND for (at, _), (later, _) in zip(link.said, link.said[1:], strict=False))
    link.run(10.0)
    assert link.samples()


def test_schema_then_acknowledgement_then_frames() -> None:
    link = Link(Phone())
    link.run(0.2, streams=False)
    assert link.phone.kinds() == [HELLO, SCHEMA_ACK]
    assert (link.phone.heard[1].session, link.phone.heard[1].schema) == (SESSION, 1)
    assert link.results == [None] * len(link.phone.pieces())
    link.run(1.0)
    assert len(link.samples()) == 20
    assert link.phone.kinds()[2:] == []


def test_no_acknowledgement_before_the_whole_schema_is_there() -> None:
    link = Link(Phone())
    hello = link.speak()[0]
    first, *rest = link.phone.hear(hello)
    link.deliver(first)
    assert link.speak() == []
    link.deliver(*reversed(rest))
    assert [told(packet).kind for packet in link.speak()] == [SCHEMA_ACK]


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_piece_of_the_schema_comes_again_a_second_later(lost: int) -> None:
    link = Link(Phone())
    pieces = link.phone.hear(link.speak()[0])
    assert len(pieces) == 3
    link.deliver(*pieces[:lost], *pieces[lost + 1 :])
    link.run(0.9, answers=False, streams=False)
    assert link.of(SCHEMA_ACK) == []
    link.now = START + SECOND
    link.deliver(*reversed(pieces))
    link.run(0.5)
    assert link.of(SCHEMA_ACK)
    assert link.samples()


def test_a_schema_that_answers_somebody_else_is_not_taken() -> None:
    link = Link(Phone())
    link.speak()
    assert isinstance(link.deliver(schema(NONCE)), Drop)
    assert link.speak() == []
    assert isinstance(link.deliver(frame(1)), Drop)


def test_a_session_that_was_started_by_hand_on_the_phone_is_acknowledged() -> None:
    link = Link(Phone())
    link.speak()
    assert link.deliver(schema(0)) is None
    assert [told(packet)[:3] for packet in link.speak()] == [(SCHEMA_ACK, SESSION, 1)]
    sample_of(link.deliver(frame(1)))
    link.run(5.0, hears=False)
    assert link.of(HELLO, START + STEP) == []


# -- frames ---------------------------------------------------------------------------------------------------------


def test_a_frame_is_read_by_its_schema() -> None:
    link = begun()
    sample = sample_of(link.deliver(frame(1, (25, -40, 90, 150))))
    assert (sample.arrival_ns, sample.vocabulary) == (link.now, arkit_names.VOCABULARY)
    expected = np.zeros(52, np.float32)
    for name, value in (("eyeBlinkLeft", 0.25), ("jawOpen", -0.4), ("mouthSmileRight", 1.5)):
        expected[arkit_names.SHAPE[name]] = value
    assert sample.values.tolist() == expected.tolist()
    assert (sample.head_degrees, sample.position) == (POSE[:3], POSE[3:6])


def test_values_far_out_of_range_are_bounded() -> None:
    link = begun()
    pose = (3e38, -3e38, 181.0, 3e38, -3e38, 11.0, *POSE[6:])
    sample = sample_of(link.deliver(frame(1, (32767, -32768, 0, 0), pose)))
    assert (float(sample.values.max()), float(sample.values.min())) == (1.5, -1.0)
    assert (sample.head_degrees, sample.position) == ((180.0, -180.0, 180.0), (10.0, -10.0, 10.0))


@pytest.mark.parametrize("place", range(12))
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused_whole(place: int, bad: float) -> None:
    link = begun()
    pose = [*POSE[:place], bad, *POSE[place + 1 :]]
    assert link.deliver(frame(1, pose=pose)) is Drop.NOT_FINITE
    sample_of(link.deliver(frame(1)))


@pytest.mark.parametrize("percent", [(), (1, 2, 3), (1, 2, 3, 4, 5)])
def test_a_frame_of_another_length_than_its_schemas_is_refused(percent: tuple[int, ...]) -> None:
    assert begun().deliver(frame(1, percent)) is Drop.WRONG_SIZE


def test_an_untracked_face_is_no_face_but_a_sign_of_life() -> None:
    link = begun()
    for number in range(200):
        assert link.deliver(frame(1 + number, tracked=False)) is Drop.NO_FACE
        link.now += STEP
        link.speak()
    assert {said.kind for _, said in link.said} == {PING}
    sample_of(link.deliver(frame(300, playback=True)))
    assert link.deliver(frame(301, tracked=False, playback=True)) is Drop.NO_FACE


def test_older_frames_and_doubles_are_left_out() -> None:
    link = begun()
    for number, taken in ((5, True), (5, False), (4, False), (7, True), (6, False), (1000, True), (8, False)):
        assert isinstance(link.deliver(frame(number)), TrackerSample) == taken, number


def test_the_count_of_frames_wraps() -> None:
    link = begun()
    for number in (2**32 - 2, 2**32 - 1, 0, 1):
        sample_of(link.deliver(frame(number)))
    assert link.deliver(frame(2**32 - 1)) is Drop.OUT_OF_ORDER
    sample_of(link.deliver(frame(1 + 2**31 - 1)))
    assert link.deliver(frame(0)) is Drop.OUT_OF_ORDER


def test_one_wild_number_does_not_stop_the_stream_for_good() -> None:
    link = begun()
    sample_of(link.deliver(frame(10)))
    sample_of(link.deliver(frame(2**31)))
    results = [link.deliver(frame(11 + number)) for number in range(90)]
    assert results[:30] == [Drop.OUT_OF_ORDER] * 30
    assert all(isinstance(result, TrackerSample) for result in results[60:])


def test_a_frame_before_any_schema_is_not_read() -> None:
    session = Fmv3Session(PHONE)
    session.due(START, 0)
    assert isinstance(session.feed(frame(1), START), Drop)
    assert session.due(START + STEP, START) == []


def test_a_frame_of_another_session_is_not_read() -> None:
    link = begun()
    assert isinstance(link.deliver(frame(1, session=SESSION + 1)), Drop)
    assert link.speak() == []
    sample_of(link.deliver(frame(1)))


def test_a_frame_of_an_unknown_schema_is_not_read_and_its_schema_asked_for_once_a_second() -> None:
    link = begun()
    for _ in range(60):
        assert isinstance(link.deliver(frame(1, schema_id=2)), Drop)
        link.speak()
        link.now += STEP
    asked = [said for _, said in link.of(GET_SCHEMA) if said.schema == 2]
    assert len(asked) == 3


def test_the_schema_may_change_within_a_session() -> None:
    link = begun()
    sample_of(link.deliver(frame(1, (10, 20, 30, 40))))
    link.deliver(schema(link.phone.nonce, schema_id=2, names=("jawOpen", "mouthPucker"), encoding="i32"))
    assert [(told(packet).kind, told(packet).schema) for packet in link.speak()] == [(SCHEMA_ACK, 2)]
    sample = sample_of(link.deliver(frame(2, (70, 100_000), schema_id=2, wide=True)))
    assert float(sample.values[arkit_names.SHAPE["jawOpen"]]) == pytest.approx(0.7)
    assert float(sample.values[arkit_names.SHAPE["mouthPucker"]]) == pytest.approx(1.5)
    assert isinstance(link.deliver(frame(3, (10, 20, 30, 40))), Drop)


def test_frames_in_pieces_are_joined() -> None:
    names = (*tuple(f"custom_{number:04}" for number in range(800)), "jawOpen")
    link = begun(names)
    body = frame(1, [0] * 800 + [50])[40:]
    half = len(body) // 2
    for part, piece in ((1, body[half:]), (0, body[:half])):
        result = link.deliver(
            message(FRAME, SESSION, piece, flags=1, schema=1, sequence=1, total=len(body), part=part, parts=2)
        )
    assert float(sample_of(result).values[arkit_names.SHAPE["jawOpen"]]) == 0.5


def test_a_schema_without_any_name_has_a_head() -> None:
    link = begun(())
    assert sample_of(link.deliver(frame(1, ()))).head_degrees == POSE[:3]


# -- staying alive, mending, ending ---------------------------------------------------------------------------------


def test_the_phone_is_pinged_every_three_seconds_while_the_session_runs() -> None:
    link = begun()
    link.run(30.0)
    pings = link.of(PING)
    assert 9 <= len(pings) <= 10
    assert [said.sequence for _, said in pings] == list(range(1, len(pings) + 1))
    assert {said.session for _, said in pings} == {SESSION}
    assert [said for _, said in link.said if said.kind != PING] == []


def test_an_answered_ping_is_not_about_the_face() -> None:
    link = begun()
    assert link.deliver(message(PONG, SESSION, sequence=1)) is None
    assert isinstance(link.deliver(message(PONG, SESSION + 1, sequence=1)), Drop)


def test_after_three_seconds_of_silence_three_repairs_a_second_apart() -> None:
    link = begun()
    link.run(1.0)
    silent = link.now
    link.run(11.0, hears=False, streams=False)
    for kind, told_schema in ((SCHEMA_ACK, 1), (GET_SCHEMA, 0)):
        times = [(at - silent) // SECOND for at, said in link.of(kind, silent) if said.schema == told_schema]
        assert len(times) == 3
        assert times[0] in (2, 3)
        assert [later - at for at, later in itertools.pairwise(times)] == [1, 1]
    assert link.of(HELLO) == []


def test_a_repair_brings_a_stream_back_that_waits_for_its_acknowledgement() -> None:
    link = begun()
    link.phone.streams = False  # the acknowledgement was lost
    link.run(5.0)
    assert link.samples()


def test_after_twelve_seconds_of_silence_the_session_is_over() -> None:
    link = begun()
    link.run(12.5, hears=False, streams=False)
    over = link.now
    link.run(10.0, hears=False, streams=False)
    assert {said.kind for at, said in link.said if at >= over} <= {HELLO}
    assert link.of(STOP) == []
    assert isinstance(link.deliver(frame(5)), Drop)
    assert link.session.farewell() == []


def test_a_phone_that_was_gone_is_found_again() -> None:
    link = begun()
    link.run(1.0)
    link.run(40.0, hears=False, streams=False)
    link.phone = Phone(session=SESSION + 9)
    link.results.clear()
    link.run(8.0)
    assert link.samples()


def test_a_running_session_is_not_taken_over() -> None:
    link = begun()
    link.run(1.0)
    for number in range(20):
        link.deliver(link.phone.frame())
        assert isinstance(link.deliver(schema(0, session=SESSION + 1)), Drop)
        assert isinstance(link.deliver(schema(NONCE, session=SESSION + 2 + number)), Drop)
        assert link.of(SCHEMA_ACK) == []
    sample_of(link.deliver(link.phone.frame()))


def test_a_session_started_by_hand_follows_one_that_ended() -> None:
    link = begun()
    link.run(13.0, hears=False, streams=False)
    assert link.deliver(schema(0, session=SESSION + 1)) is None
    sample_of(link.deliver(frame(1, session=SESSION + 1)))


def test_the_phone_is_told_when_we_end_and_only_then() -> None:
    fresh = Fmv3Session(PHONE)
    fresh.due(START, 0)
    assert fresh.farewell() == []
    link = begun()
    assert [told(packet)[:2] for packet in link.session.farewell()] == [(STOP, SESSION)]


# -- what the user is told ------------------------------------------------------------------------------------------


def test_a_refusal_is_shown_and_we_go_on_asking() -> None:
    link = Link(Phone())
    link.phone.refuses = "BUSY"
    link.run(3.0)
    assert link.hints() == [("phone_says", {"text": "BUSY"})]
    assert len(link.of(HELLO)) == 3
    link.phone.refuses = ""
    link.run(2.0)
    assert link.samples()
    assert link.hints() == []


def test_a_text_with_controls_in_it_is_cleaned_and_forgotten_after_a_while() -> None:
    link = begun()
    link.deliver(error("CAMERA\x1b[2J\n_UNAVAILABLE\u202e"))
    assert link.hints() == [("phone_says", {"text": "CAMERA[2J_UNAVAILABLE"})]
    link.run(11.0)
    assert link.hints() == []


def test_another_sessions_error_is_not_shown() -> None:
    link = begun()
    assert isinstance(link.deliver(error("BUSY", SESSION + 5)), Drop)
    assert link.hints() == []


def test_a_refusal_that_comes_late_says_nothing_about_the_running_session() -> None:
    link = begun()
    link.deliver(error("BUSY", link.phone.nonce))
    assert link.hints() == []


def test_a_phone_that_says_nothing_is_told() -> None:
    link = Link(Phone())
    link.run(2.5, hears=False)
    assert link.hints() == []
    link.run(2.0, hears=False)
    assert link.hints() == [("request_sent", {"seconds": 4, "phone": PHONE[0]})]


def test_an_app_of_revision_4_is_told() -> None:
    link = Link(Phone())
    body = schema_body(table(), 0, revision=4)
    assert isinstance(link.deliver(message(REVISION_4_SCHEMA, SESSION, body, schema=1)), Drop)
    assert [key for key, _ in link.hints()] == ["old_app"]


@pytest.mark.parametrize("kind", [0, 10, 11, 255, SCHEMA_ACK, GET_SCHEMA, PING, HELLO])
def test_types_that_no_phone_sends_do_nothing(kind: int) -> None:
    link = begun()
    assert isinstance(link.deliver(message(kind)), Drop)
    assert link.speak() == []
    sample_of(link.deliver(frame(1)))


# -- recordings -----------------------------------------------------------------------------------------------------


def test_the_recorded_session_is_read_whole() -> None:
    """Of the video: roll 2 to 6 s (clockwise on screen is toward the subject's left), yaw 6 to 10, pitch 10 to 12."""
    truth = np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)
    decoder = ifacialmocap.new_decoder(defaults(), "fmv3_rev5_manual_synth.rec")
    seconds, heads, lost = [], [], []
    for record in read_recording(data("streams/fmv3_rev5_manual_synth.rec")):
        result = decoder.feed(record.datagram, START + int(record.seconds * SECOND))
        if isinstance(result, TrackerSample):
            seconds.append(record.seconds)
            heads.append(result.head_degrees)
        elif isinstance(result, Drop):
            assert result is Drop.NO_FACE
            lost.append(record.seconds)
    times, head = np.array(seconds), np.array(heads)
    assert len(times) + len(lost) == 600
    assert lost
    assert all(16.0 < at < 18.4 for at in lost)
    for column, drawn, sign, start, end in ((2, 1, -1, 2.0, 6.0), (1, 2, 1, 6.0, 10.0), (0, 3, 1, 10.0, 12.0)):
        chosen = (times >= start) & (times < end)
        expected = sign * np.interp(times[chosen], truth[:, 0], truth[:, drawn])
        assert np.corrcoef(head[chosen, column], expected)[0, 1] > 0.9


@pytest.mark.parametrize("name", ["fmv3_20261126_120000.rec", "fmv3_tcp_20261126_120000.rec"])
def test_a_recording_of_a_session_that_we_began_can_be_replayed(name: str) -> None:
    decoder = ifacialmocap.new_decoder(defaults(), name)
    decoder.feed(schema(NONCE), START)
    sample_of(decoder.feed(frame(1), START + STEP))


def test_a_decoder_that_nobody_asks_what_to_say_keeps_little() -> None:
    decoder = Fmv3Session()
    for number in range(2000):
        decoder.feed(schema(0), START + number * STEP)
        decoder.feed(frame(number, schema_id=7), START + number * STEP)
    assert len(pickle.dumps(decoder)) < 8192


# -- streams --------------------------------------------------------------------------------------------------------


def streamed(sequences: range) -> bytes:
    return schema(0) + b"".join(frame(number, (number, 0, 0, 0)) for number in sequences)


@pytest.mark.parametrize("size", [1, 39, 40, 41, 500])
def test_a_stream_may_be_cut_anywhere(size: int) -> None:
    whole, decoder, seen = streamed(range(1, 6)), Fmv3StreamDecoder(), []
    for at in range(0, len(whole), size):
        result = decoder.feed(whole[at : at + size], START)
        assert not isinstance(result, Drop)
        if result is not None:
            seen.append(round(float(result.values[arkit_names.SHAPE["eyeBlinkLeft"]]) * 100))
    assert seen[-1] == 5
    assert seen == sorted(seen)
    assert len(seen) == 5 or size == 500


def test_over_tcp_nothing_is_acknowledged() -> None:
    session = Fmv3Session(PHONE, over_tcp=True)
    nonce = greeting(session.due(START, 0)[0])[0]
    decoder = Fmv3StreamDecoder(session)
    decoder.feed(schema(nonce), START)
    sample_of(decoder.feed(frame(1), START))
    said = [told(packet).kind for now in range(20) for packet in session.due(START + now * SECOND // 2, START)]
    assert SCHEMA_ACK not in said
    assert said.count(GET_SCHEMA) == 3
    assert PING in said


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\nAccept: everything\r\n\r\n",
        bytes(100),
        message(FRAME, body=b"abc", chunk=0xFFFFFFFF),
        message(SCHEMA, chunk=262_145),
    ],
)
def test_a_stream_that_cannot_be_read_on_is_given_up(garbage: bytes) -> None:
    decoder = Fmv3StreamDecoder()
    decoder.feed(schema(0), START)
    assert decoder.feed(garbage, START) is Drop.WRONG_SIZE


@pytest.mark.parametrize(
    "malformed",
    [message(FRAME, 0), message(PING, header_bytes=41), message(77), message(FRAME, body=b"abc", total=9, parts=2)],
    ids=["no session", "header size", "type", "part of a message"],
)
def test_a_malformed_header_ends_a_stream(malformed: bytes) -> None:
    assert Fmv3StreamDecoder().feed(malformed, START) is Drop.WRONG_SIZE


def test_a_recording_in_which_the_connection_was_made_anew_is_read_on() -> None:
    decoder = ifacialmocap.new_decoder(defaults(), "fmv3_tcp_20261126_120000.rec")
    for session in (SESSION, SESSION + 1):
        decoder.feed(schema(NONCE, session), START + session % 8 * SECOND)
        sample_of(decoder.feed(frame(1, session=session), START + session % 8 * SECOND))


def test_a_stream_keeps_no_more_than_one_message() -> None:
    decoder = Fmv3StreamDecoder()
    for number in range(40):
        decoder.feed(message(SCHEMA, chunk=262_144) if number == 0 else bytes(16_384), START)
        assert len(pickle.dumps(decoder)) < 262_144 + 40_000
