"""VMC: values and bones become faces when they are applied, in the sense of every tracker; nothing else is obeyed."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.pose.mapping import arkit_names, vrm
from core.wire.clock import now_ns
from core.wire.settings import defaults
from tests.contract.fake_outputs import wait_until
from tests.data import data
from tests.unit.free_port import free_port
from tests.unit.osc_packets import APPLY, Given, Rotation, blend, bone, bundle, message, raw_message, state, turned
from trackers import vmc
from trackers.base import Drop, TrackerSample, TrackerState
from trackers.recording import read_recording
from trackers.vmc import VmcDecoder

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
PERFECT_SYNC = [name[0].upper() + name[1:] for name in arkit_names.NAMES]


def applied(*messages: bytes, decoder: VmcDecoder | None = None, at: int = SECOND) -> TrackerSample:
    """What a decoder makes of these messages and an Apply in one bundle."""
    sample = (decoder or VmcDecoder()).feed(bundle(*messages, APPLY), at)
    assert isinstance(sample, TrackerSample)
    return sample


def preset(sample: TrackerSample, place: int) -> float:
    assert sample.vocabulary == vrm.VOCABULARY
    return round(float(sample.values[place]), 4)


def shape(sample: TrackerSample, name: str) -> float:
    assert sample.vocabulary == arkit_names.VOCABULARY
    return round(float(sample.values[arkit_names.SHAPE[name]]), 4)


def perfect_sync(value: float = 0.25, count: int = 52) -> list[bytes]:
    return [blend(name, value) for name in PERFECT_SYNC[:count]]


# -- values ---------------------------------------------------------------------------------------------------------


def test_a_bundle_with_an_apply_is_a_face() -> None:
    sample = applied(blend("A", 0.5), blend("Blink_L", 1.0))
    assert sample.arrival_ns == SECOND
    assert sample.values.shape == (vrm.VALUE_COUNT,)
    assert sample.values.dtype == np.float32
    assert (preset(sample, vrm.MOUTH_A), preset(sample, vrm.BLINK_LEFT)) == (0.5, 1.0)


def test_without_an_apply_there_is_no_face_yet() -> None:
    decoder = VmcDecoder()
    assert decoder.feed(bundle(blend("A", 0.5)), SECOND) is None
    assert preset(applied(decoder=decoder, at=SECOND + MILLISECOND), vrm.MOUTH_A) == 0.5


def test_messages_may_come_one_by_one() -> None:
    decoder = VmcDecoder()
    for packet in (state(1), blend("A", 0.25), blend("A", 0.75), bone("Head", turned(0, 10.0))):
        assert decoder.feed(packet, SECOND) is None
    sample = decoder.feed(APPLY, SECOND)
    assert isinstance(sample, TrackerSample)
    assert preset(sample, vrm.MOUTH_A) == 0.75
    assert sample.head_degrees[0] == pytest.approx(10.0, abs=1e-3)


def test_a_sender_that_never_applies_is_followed_all_the_same() -> None:
    decoder = VmcDecoder()
    assert decoder.feed(blend("A", 0.25), SECOND) is None
    assert decoder.feed(blend("A", 0.5), SECOND + 49 * MILLISECOND) is None
    sample = decoder.feed(blend("A", 0.75), SECOND + 50 * MILLISECOND)
    assert isinstance(sample, TrackerSample)
    assert preset(sample, vrm.MOUTH_A) == 0.75
    assert decoder.feed(blend("A", 1.0), SECOND + 60 * MILLISECOND) is None, "the next fifty milliseconds began"


def test_an_apply_always_and_without_values_is_a_face_too() -> None:
    decoder = VmcDecoder()
    applied(blend("A", 0.5), decoder=decoder)
    assert preset(applied(decoder=decoder, at=SECOND + MILLISECOND), vrm.MOUTH_A) == 0.5


@pytest.mark.parametrize("name", ["Blink_L", "BLINK_L", "blink_l", "blinkLeft", "BlinkLeft"])
def test_names_are_the_same_in_any_case_and_both_spellings(name: str) -> None:
    assert preset(applied(blend(name, 0.5)), vrm.BLINK_LEFT) == 0.5


def test_the_name_may_be_in_the_address() -> None:
    sample = applied(message("/VMC/Ext/Blend/Val/Joy", 0.5), message("/VMC/Ext/Blend/Val/Blink_L", 0.25))
    assert (preset(sample, vrm.JOY), preset(sample, vrm.BLINK_LEFT)) == (0.5, 0.25)


@pytest.mark.parametrize(("given_value", "expected"), [(1, 1.0), (0, 0.0), (True, 1.0), (False, 0.0), (0.5, 0.5)])
def test_values_of_other_types_are_taken(given_value: Given, expected: float) -> None:
    decoder = VmcDecoder()
    applied(blend("A", 0.75), decoder=decoder)
    sample = applied(blend("A", given_value), decoder=decoder, at=SECOND + MILLISECOND)
    assert preset(sample, vrm.MOUTH_A) == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "1.0", None, b"1"])
def test_what_is_no_number_changes_nothing(bad: Given) -> None:
    decoder = VmcDecoder()
    applied(blend("A", 0.75), decoder=decoder)
    sample = applied(blend("A", bad), blend("I", 0.5), decoder=decoder, at=SECOND + MILLISECOND)
    assert (preset(sample, vrm.MOUTH_A), preset(sample, vrm.MOUTH_I)) == (0.75, 0.5)


def test_values_are_kept_in_their_range() -> None:
    assert preset(applied(blend("A", 1e30)), vrm.MOUTH_A) <= 1.5
    assert preset(applied(blend("A", -1e30)), vrm.MOUTH_A) >= -1.0


def test_a_value_that_no_longer_comes_rests_after_half_a_second() -> None:
    decoder = VmcDecoder()
    applied(blend("A", 0.5), decoder=decoder)
    kept = applied(blend("I", 0.5), decoder=decoder, at=SECOND + 499 * MILLISECOND)
    gone = applied(blend("I", 0.5), decoder=decoder, at=SECOND + 501 * MILLISECOND)
    assert (preset(kept, vrm.MOUTH_A), preset(gone, vrm.MOUTH_A)) == (0.5, 0.0)


def test_samples_do_not_change_once_they_are_made() -> None:
    decoder = VmcDecoder()
    first = applied(blend("A", 0.5), decoder=decoder)
    applied(blend("A", 1.0), decoder=decoder, at=SECOND + MILLISECOND)
    assert preset(first, vrm.MOUTH_A) == 0.5


# -- perfect sync ---------------------------------------------------------------------------------------------------


def test_the_52_names_are_arkits_shapes_and_presets_are_not_used() -> None:
    sample = applied(*perfect_sync(0.25), blend("JawOpen", 0.75), blend("A", 1.0))
    assert sample.values.shape == (52,)
    assert shape(sample, "jawOpen") == 0.75
    assert shape(sample, "eyeBlinkLeft") == 0.25


@pytest.mark.parametrize(("count", "vocabulary"), [(9, vrm.VOCABULARY), (10, arkit_names.VOCABULARY)])
def test_a_few_names_of_arkits_do_not_make_it_arkit(count: int, vocabulary: str) -> None:
    assert applied(*perfect_sync(count=count), blend("A", 0.5)).vocabulary == vocabulary


def test_arkits_shapes_may_be_split_over_packets() -> None:
    decoder = VmcDecoder()
    names = perfect_sync(0.5)
    assert decoder.feed(bundle(*names[:26]), SECOND) is None
    sample = decoder.feed(bundle(*names[26:], APPLY), SECOND + MILLISECOND)
    assert isinstance(sample, TrackerSample)
    assert sample.values.tolist() == [0.5] * 52


def test_arkits_shapes_go_beyond_their_range_only_so_far() -> None:
    sample = applied(*perfect_sync(), blend("JawOpen", 9.0), blend("JawLeft", -9.0))
    assert (shape(sample, "jawOpen"), shape(sample, "jawLeft")) == (1.5, -1.0)


def test_a_shape_that_no_longer_comes_rests_after_half_a_second() -> None:
    decoder = VmcDecoder()
    applied(*perfect_sync(0.5), decoder=decoder)
    others = perfect_sync(0.5, 51)
    kept = applied(*others, decoder=decoder, at=SECOND + 499 * MILLISECOND)
    gone = applied(*others, decoder=decoder, at=SECOND + 501 * MILLISECOND)
    assert (shape(kept, "tongueOut"), shape(gone, "tongueOut")) == (0.5, 0.0)


def test_one_frame_without_values_does_not_change_the_vocabulary() -> None:
    decoder = VmcDecoder()
    applied(*perfect_sync(0.5), decoder=decoder)
    sample = applied(bone("Head"), decoder=decoder, at=SECOND + 33 * MILLISECOND)
    assert shape(sample, "jawOpen") == 0.5


# -- bones ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("axis", "expected"), [(0, (12.0, 0.0, 0.0)), (1, (0.0, -12.0, 0.0)), (2, (0.0, 0.0, -12.0))])
@pytest.mark.parametrize("name", ["Head", "Neck", "head", "NECK"])
def test_the_head_turns_in_arkits_sense(name: str, axis: int, expected: Sequence[float]) -> None:
    """Unity: + about x looks down, about y turns to the own right, about z tips to the own left."""
    assert applied(bone(name, turned(axis, 12.0))).head_degrees == pytest.approx(expected, abs=1e-3)


def test_neck_and_head_add_up() -> None:
    sample = applied(bone("Neck", turned(1, 5.0)), bone("Head", turned(1, 7.0)))
    assert sample.head_degrees == pytest.approx((0.0, -12.0, 0.0), abs=1e-3)


def test_the_head_is_turned_within_the_necks_frame() -> None:
    sample = applied(bone("Head", turned(0, 90.0)), bone("Neck", turned(2, 90.0)))
    swapped = applied(bone("Head", turned(2, 90.0)), bone("Neck", turned(0, 90.0)))
    assert sample.head_degrees == pytest.approx((90.0, 0.0, -90.0), abs=1e-2)
    assert swapped.head_degrees != pytest.approx(sample.head_degrees, abs=1.0)


@pytest.mark.parametrize("name", ["Spine", "Chest", "UpperChest"])
def test_the_torso_is_told_when_any_of_its_bones_is(name: str) -> None:
    sample = applied(bone(name, turned(1, 8.0)), bone("Head", turned(0, 3.0)))
    assert sample.body_degrees == pytest.approx((0.0, -8.0, 0.0), abs=1e-3)
    assert sample.head_degrees == pytest.approx((3.0, 0.0, 0.0), abs=1e-3)


def test_the_torsos_bones_add_up() -> None:
    sample = applied(*[bone(name, turned(2, 3.0)) for name in ("Spine", "Chest", "UpperChest")])
    assert sample.body_degrees == pytest.approx((0.0, 0.0, -9.0), abs=1e-3)


def test_without_its_bones_the_torso_is_unknown() -> None:
    assert applied(bone("Head"), bone("Hips", turned(1, 8.0)), bone("LeftHand")).body_degrees is None


def test_a_bone_that_no_longer_comes_is_forgotten_after_half_a_second() -> None:
    decoder = VmcDecoder()
    applied(bone("Head", turned(0, 9.0)), bone("Chest", turned(0, 9.0)), decoder=decoder)
    kept = applied(decoder=decoder, at=SECOND + 499 * MILLISECOND)
    gone = applied(decoder=decoder, at=SECOND + 501 * MILLISECOND)
    assert kept.head_degrees[0] == pytest.approx(9.0, abs=1e-3)
    assert kept.body_degrees is not None
    assert (gone.head_degrees, gone.body_degrees) == ((0.0, 0.0, 0.0), None)


@pytest.mark.parametrize("length", [0.6, 1.4])
def test_a_rotation_that_is_nearly_one_is_made_one(length: float) -> None:
    x, y, z, w = turned(0, 20.0)
    sample = applied(bone("Head", (x * length, y * length, z * length, w * length)))
    assert sample.head_degrees == pytest.approx((20.0, 0.0, 0.0), abs=1e-3)


@pytest.mark.parametrize(
    "rotation", [(0.0,) * 4, (0.0, 0.0, 0.0, 2.0), (1e30,) * 4, (0.0, 0.0, math.nan, 1.0), (math.inf, 0.0, 0.0, 1.0)]
)
def test_a_rotation_that_is_none_changes_nothing(rotation: Rotation) -> None:
    decoder = VmcDecoder()
    applied(bone("Head", turned(0, 9.0)), decoder=decoder)
    sample = applied(bone("Head", rotation), decoder=decoder, at=SECOND + MILLISECOND)
    assert sample.head_degrees[0] == pytest.approx(9.0, abs=1e-3)


@pytest.mark.parametrize(
    "broken",
    [
        message("/VMC/Ext/Bone/Pos"),
        message("/VMC/Ext/Bone/Pos", "Head"),
        message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, 0.1, 0.0, 0.0),
        message("/VMC/Ext/Bone/Pos", 7, *[0.5] * 7),
        message("/VMC/Ext/Bone/Pos", "Head", *["a"] * 7),
        message("/VMC/Ext/Blend/Val"),
        message("/VMC/Ext/Blend/Val", "A"),
        message("/VMC/Ext/Blend/Val", 0.5),
        message("/VMC/Ext/OK"),
    ],
)
def test_too_few_or_wrong_arguments_cost_that_message_only(broken: bytes) -> None:
    sample = applied(broken, blend("I", 0.5), bone("Neck", turned(0, 4.0)))
    assert preset(sample, vrm.MOUTH_I) == 0.5
    assert sample.head_degrees[0] == pytest.approx(4.0, abs=1e-3)


def test_more_numbers_than_a_bone_has_are_left_out() -> None:
    sample = applied(message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, *turned(0, 9.0), 5.0, 6.0, 7.0))
    assert sample.head_degrees[0] == pytest.approx(9.0, abs=1e-3)


@pytest.mark.parametrize(
    ("axis", "place", "sign"), [(0, vrm.GAZE_UP, -1), (1, vrm.GAZE_RIGHT, 1)], ids=["down", "right"]
)
def test_eye_bones_are_a_gaze(axis: int, place: int, sign: int) -> None:
    """35 degrees are a full gaze; Unity's + about y turns to the own right."""
    sample = applied(*[bone(eye, turned(axis, 17.5)) for eye in ("LeftEye", "RightEye")])
    assert preset(sample, place) == pytest.approx(sign * 0.5, abs=1e-3)


def test_the_gaze_is_the_eyes_middle_and_one_eye_is_enough() -> None:
    assert preset(applied(bone("LeftEye", turned(1, 35.0)), bone("RightEye")), vrm.GAZE_RIGHT) == 0.5
    assert preset(applied(bone("RightEye", turned(1, 35.0))), vrm.GAZE_RIGHT) == 1.0


def test_eyes_whose_bones_no_longer_come_look_straight_ahead() -> None:
    decoder = VmcDecoder()
    applied(bone("LeftEye", turned(1, 35.0)), decoder=decoder)
    assert not applied(decoder=decoder, at=SECOND + 501 * MILLISECOND).values.any()


# -- whether there is a face ----------------------------------------------------------------------------------------


def test_a_sender_that_lost_the_face_says_so() -> None:
    decoder = VmcDecoder()
    applied(state(1), blend("A", 0.5), decoder=decoder)
    assert decoder.feed(bundle(state(0), blend("A", 0.5), APPLY), SECOND + MILLISECOND) is Drop.NO_FACE
    assert decoder.feed(bundle(blend("A", 0.5), APPLY), SECOND + 2 * MILLISECOND) is Drop.NO_FACE
    assert preset(applied(state(1), blend("A", 0.25), decoder=decoder, at=2 * SECOND), vrm.MOUTH_A) == 0.25


@pytest.mark.parametrize("arguments", [(1,), (0,), (1, 3), (1, 3, 0), (1, 3, 0, 1), (1, 3, 0, 1, 0)])
def test_senders_that_do_not_tell_are_taken_to_see_a_face(arguments: tuple[int, ...]) -> None:
    assert preset(applied(message("/VMC/Ext/OK", *arguments), blend("A", 0.5)), vrm.MOUTH_A) == 0.5


# -- nothing else is obeyed, nothing is kept ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        message("/VMC/Ext/VRM", "/etc/passwd", "title", "hash"),
        message("/VMC/Ext/Config", "/etc/passwd"),
        message("/VMC/Ext/Remote", "http", "{}"),
        message("/VMC/Ext/Set/Eye", 1, 0.0, 5.0, 0.0),
        message("/VMC/Ext/Set/Config", "/etc/passwd"),
        message("/VMC/Ext/T", math.nan),
        message("/VMC/Ext/Root/Pos", "root", *[0.0] * 7),
    ],
)
def test_commands_and_paths_change_nothing(command: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr("builtins.open", lambda *given, **_: opened.append(given))
    decoder = VmcDecoder()
    assert decoder.feed(command, SECOND) is None
    sample = applied(command, decoder=decoder, at=SECOND)
    assert not sample.values.any()
    assert sample.head_degrees == (0.0, 0.0, 0.0)
    assert opened == []


@pytest.mark.parametrize("packet", [b"", b"GET / HTTP/1.1\r\n\r\n", message("/Face", *[0.5] * 52), bundle()])
def test_what_is_not_vmc_is_dropped(packet: bytes) -> None:
    assert VmcDecoder().feed(packet, SECOND) is Drop.WRONG_FORMAT


def held(thing: object) -> int:
    """How many entries all containers of an object have together."""
    return sum(len(part) for part in vars(thing).values() if isinstance(part, (dict, list, set)))


def test_whatever_names_come_nothing_grows() -> None:
    decoder = VmcDecoder()
    for start in range(0, 10_000, 100):
        names = [f"clip {number}\x07あ" for number in range(start, start + 100)]
        decoder.feed(bundle(*[blend(name, 0.5) for name in names]), SECOND)
        decoder.feed(bundle(*[bone(name) for name in names]), SECOND)
        decoder.feed(bundle(*[message(f"/VMC/Ext/Blend/Val/{name}", 0.5) for name in names]), SECOND)
    assert held(decoder) == 0
    assert not applied(decoder=decoder).values.any()


@given(st.binary(max_size=200), st.sampled_from([",sf", ",sfffffff", ",iiii", ",s", ",f", ",", ",dhTF"]))
def test_any_arguments_are_taken(noise: bytes, tags: str) -> None:
    decoder = VmcDecoder()
    for number, address in enumerate(
        ("/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Val/A", "/VMC/Ext/Bone/Pos", "/VMC/Ext/OK", "/VMC/Ext/Blend/Apply")
    ):
        named = b"Head\0\0\0\0" + noise if tags.startswith(",s") else noise
        for packet in (raw_message(address, tags, named), bundle(raw_message(address, tags, named), APPLY)):
            result = decoder.feed(packet, SECOND * (number + 1))
            if isinstance(result, TrackerSample):
                assert np.isfinite(result.values).all()
                assert np.isfinite(result.head_degrees).all()
                assert np.abs(result.values).max() <= 1.5


# -- a recording ----------------------------------------------------------------------------------------------------

Take = tuple[NDArray[np.float64], list[TrackerSample], NDArray[np.float64]]


@pytest.fixture(scope="module")
def take() -> Take:
    """Seconds, samples, and the truth at those seconds: time, roll, yaw, pitch, zoom, x, y, blinks, mouth."""
    truth = np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)
    decoder, seconds, samples = VmcDecoder(), [], []
    for record in read_recording(data("streams/vmc_vrm0_synth.rec")):
        sample = decoder.feed(record.datagram, SECOND + int(record.seconds * 1e9))
        assert isinstance(sample, TrackerSample)
        seconds.append(record.seconds)
        samples.append(sample)
    times = np.array(seconds)
    drawn = np.stack([np.interp(times, truth[:, 0], truth[:, column]) for column in range(truth.shape[1])], axis=1)
    return times, samples, drawn


def test_every_packet_of_the_recording_is_a_face_with_presets(take: Take) -> None:
    _, samples, _ = take
    assert len(samples) == 300
    assert {sample.vocabulary for sample in samples} == {vrm.VOCABULARY}
    assert {sample.body_degrees for sample in samples} == {(0.0, 0.0, 0.0)}, "its spine stands still"


@pytest.mark.parametrize(("axis", "column", "sign", "start", "end"), [(2, 1, -1, 2.0, 6.0), (1, 2, 1, 6.0, 10.0)])
def test_the_recordings_head_turns_as_the_video_does(
    take: Take, axis: int, column: int, sign: int, start: float, end: float
) -> None:
    """Clockwise on screen is + in the truth, toward the own right shoulder + in a sample; to the own left + in both."""
    times, samples, drawn = take
    during = (times >= start) & (times < end)
    seen = np.array([sample.head_degrees[axis] for sample in samples])[during]
    assert sign * np.corrcoef(seen, drawn[during, column])[0, 1] > 0.95
    assert 10.0 < np.ptp(seen) < 40.0, "degrees, not radians nor halves"


def test_the_recordings_head_looks_nearly_straight(take: Take) -> None:
    assert all(-5.0 < sample.head_degrees[0] < 15.0 for sample in take[1])


def test_the_recordings_eyes_close_and_its_mouth_opens_with_the_video(take: Take) -> None:
    times, samples, drawn = take
    before_the_head_turns = times < 2.0
    for place, column in ((vrm.BLINK_LEFT, 7), (vrm.BLINK_RIGHT, 8), (vrm.MOUTH_A, 9)):
        seen = np.array([float(sample.values[place]) for sample in samples])[before_the_head_turns]
        assert np.corrcoef(seen, drawn[before_the_head_turns, column])[0, 1] > 0.8


# -- over a socket --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("listen_address", ["", "127.0.0.1"])
def test_it_listens_where_the_settings_say_whatever_the_phones_address_is(listen_address: str) -> None:
    port = free_port()
    settings = {**defaults(), "vmc_port": port, "listen_address": listen_address, "phone_address": "192.0.2.9"}
    tracker = vmc.open_tracker(settings)
    try:
        assert tracker.recording_prefix == "vmc"
        assert tracker.status(now_ns()).state is TrackerState.WAITING
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

            def arrived() -> bool:
                sender.sendto(
                    bundle(state(1), blend("A", 0.5), bone("Head", turned(0, 9.0)), APPLY), ("127.0.0.1", port)
                )
                return tracker.latest(now_ns()) is not None

            assert wait_until(arrived)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert preset(sample, vrm.MOUTH_A) == 0.5
        assert tracker.status(sample.arrival_ns).state is TrackerState.TRACKING
    finally:
        tracker.close()


@pytest.mark.parametrize(("given_address", "address"), [("", "127.0.0.1"), ("192.168.1.5", "192.168.1.5")])
def test_only_this_computer_is_listened_to_unless_the_user_opened_it(
    given_address: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[object, ...]] = []
    monkeypatch.setattr("trackers.vmc.UdpTracker", lambda *given, **_: opened.append(given))
    vmc.open_tracker({**defaults(), "listen_address": given_address, "vmc_port": 40000})
    assert opened[0][:3] == ("vmc", address, 40000)


def test_it_needs_nothing() -> None:
    assert vmc.unavailable() is None
    assert vmc.new_decoder(defaults(), "vmc_vrm0_synth.rec") is not vmc.new_decoder(defaults())
