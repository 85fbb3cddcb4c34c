"""Senders of VMC, RhyLive and remote control as they are: old ones, odd ones, ones that pause and come back."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from core.pose.mapping import arkit_names, vrm
from core.pose.parameters import Pose
from tests.unit.osc_packets import Given, blend, body, bone, bundle, face, message, state, text, turned
from trackers.base import TrackerSample
from trackers.osc import read_osc
from trackers.remote import RemoteControl
from trackers.rhylive import RhyLiveDecoder
from trackers.vmc import VmcDecoder

SECOND, MS = 1_000_000_000, 1_000_000
APPLY = message("/VMC/Ext/Blend/Apply")
PERFECT_SYNC = [blend(name, 0.5) for name in arkit_names.NAMES]


def applied(decoder: VmcDecoder, at: int, *messages: bytes) -> TrackerSample:
    result = decoder.feed(bundle(*messages, APPLY), at)
    assert isinstance(result, TrackerSample)
    return result


def pose_of(**clips: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    values = np.zeros(vrm.VALUE_COUNT, np.float32)
    for name, value in clips.items():
        values[getattr(vrm, name.upper())] = value
    return vrm.to_pose(values, np.zeros_like(values), (0.0, 0.0, 0.0))


def test_a_sender_that_said_no_face_and_went_does_not_silence_the_next_one() -> None:
    decoder = VmcDecoder()
    decoder.feed(bundle(state(0), APPLY), SECOND)
    assert isinstance(decoder.feed(bundle(blend("A", 0.5), APPLY), 10 * SECOND), TrackerSample)


def test_values_from_before_a_loss_are_not_fresh_after_it() -> None:
    decoder = VmcDecoder()
    decoder.feed(blend("A", 0.9), SECOND)
    decoder.feed(state(0), SECOND + MS)
    assert applied(decoder, 4 * SECOND, state(1), blend("I", 0.1)).values[vrm.MOUTH_A] == 0.0


def test_more_arguments_than_a_value_has_are_left_out() -> None:
    found = applied(VmcDecoder(), SECOND, message("/VMC/Ext/Blend/Val", "A", 0.5, 9.0))
    assert found.values[vrm.MOUTH_A] == 0.5


def test_one_gaze_told_by_bones_and_by_clips_is_not_counted_twice() -> None:
    eyes = [bone("LeftEye", turned(0, -17.5)), bone("RightEye", turned(0, -17.5))]
    found = applied(VmcDecoder(), SECOND, blend("LookUp", 0.5), *eyes)
    pose = vrm.to_pose(found.values, np.zeros(vrm.VALUE_COUNT, np.float32), (0.0, 0.0, 0.0))
    assert 0.4 < pose[Pose.IRIS_ROTATION_X] < 0.75


def test_a_pause_of_the_values_does_not_make_it_another_face() -> None:
    decoder = VmcDecoder()
    applied(decoder, SECOND, *PERFECT_SYNC)
    assert applied(decoder, SECOND + 600 * MS, bone("Head")).vocabulary == arkit_names.VOCABULARY


def test_arkits_names_are_counted_over_several_packets() -> None:
    decoder = VmcDecoder()
    for step, one in enumerate(PERFECT_SYNC[:12]):
        found = applied(decoder, SECOND + step * MS, one)
    assert found.vocabulary == arkit_names.VOCABULARY


def test_an_address_that_only_begins_like_a_values_is_none() -> None:
    assert not applied(VmcDecoder(), SECOND, message("/VMC/Ext/Blend/Value", "A", 0.4)).values.any()


def test_a_sender_without_any_lids_leaves_the_blinking_to_the_avatar() -> None:
    decoder = VmcDecoder()
    assert not applied(decoder, SECOND, blend("A", 0.5)).tracks_eyes
    assert applied(decoder, 2 * SECOND, blend("Blink", 0.0)).tracks_eyes
    assert applied(VmcDecoder(), SECOND, *PERFECT_SYNC).tracks_eyes


def test_old_senders_leave_type_tags_out_where_there_are_no_arguments() -> None:
    assert read_osc(text("/VMC/Ext/Blend/Apply")) == [("/VMC/Ext/Blend/Apply", [])]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_packet_that_is_no_multiple_of_four_is_not_osc(count: int) -> None:
    assert read_osc(message("/a", 1) + bytes(count)) == []


def test_a_torso_that_rhylive_does_not_track_goes_with_the_head() -> None:
    decoder, nothing = RhyLiveDecoder(), (0.0, 0.0, 0.0, 0.0)
    decoder.feed(body({7: nothing, 8: nothing, 54: nothing}), SECOND)
    found = decoder.feed(face(*[0.1] * 52), SECOND)
    assert isinstance(found, TrackerSample)
    assert found.body_degrees is None


def test_surprised_eyes_still_blink() -> None:
    assert pose_of(surprised=1.0, blink=1.0)[Pose.EYE_SURPRISED_LEFT] == 0.0


def test_fun_leaves_the_mouth_to_joy() -> None:
    assert pose_of(fun=1.0)[Pose.MOUTH_RAISED_CORNER_LEFT] == 0.0


@pytest.fixture
def control() -> Iterator[RemoteControl]:
    made = RemoteControl(0)
    yield made
    made.close()


@pytest.mark.parametrize("bad", [math.nan, math.inf, "x", None])
def test_a_weight_that_is_none_does_not_toggle(control: RemoteControl, bad: Given) -> None:
    control.take(message("/easyvtuber/expression", "smile", bad), SECOND)
    assert control.take_expressions() == []


def test_a_slot_may_come_as_a_float(control: RemoteControl) -> None:
    control.take(message("/easyvtuber/expression", 3.0), SECOND)
    assert control.take_expressions() == [("3", None)]


def test_too_long_a_name_is_not_cut_to_another_one(control: RemoteControl) -> None:
    control.take(message("/easyvtuber/expression", "x" * 65), SECOND)
    assert control.take_expressions() == []
