"""OpenSeeFace to the 45 pose values, against real recordings of a video whose every move is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.mapping import MAPPINGS
from core.pose.mapping import openseeface as mapping
from core.pose.mixer import PoseMixer
from core.pose.parameters import Pose, PoseVector
from core.wire.settings import Value, defaults
from tests.data import data
from tests.unit.openseeface_packets import Face, datagram, unpacked
from trackers.base import TrackerSample
from trackers.openseeface import OpenSeeFaceDecoder
from trackers.recording import read_recording

AS_IT_IS: Mapping[str, Value] = {**defaults(), "smoothing": 0, "idle_strength": 0, "character": "test"}
FADED_IN_S = 1.2


class Take(NamedTuple):
    """What became of a recording: the times of its packets and the pose after each."""

    seconds: NDArray[np.float64]
    poses: NDArray[np.float32]

    def during(self, start: float, end: float) -> NDArray[np.float32]:
        return self.poses[(self.seconds >= start) & (self.seconds < end)]


def played(name: str) -> Take:
    """Every packet of a recording through decoder, calibration and mapping, unsmoothed and without idle motion."""
    decoder, mixer = OpenSeeFaceDecoder(), PoseMixer()
    mixer.configure(AS_IT_IS)
    seconds, poses = [], []
    for record in read_recording(data(f"streams/{name}")):
        now = int((record.seconds + 10.0) * 1e9)
        sample = decoder.feed(record.datagram, now)
        assert isinstance(sample, TrackerSample)
        seconds.append(record.seconds)
        poses.append(mixer.pose(sample, now).pose)
    return Take(np.array(seconds), np.array(poses))


@pytest.fixture(scope="module")
def head_take() -> Take:
    return played("openseeface_model0.rec")


@pytest.fixture(scope="module")
def truth() -> NDArray[np.float64]:
    """Rows of time, roll, yaw, pitch, ...: clockwise on screen, nose to the image's right, nose down are positive."""
    return np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)


@pytest.mark.parametrize(
    ("value", "column", "start", "end"),
    [(Pose.HEAD_X, 3, 10.0, 12.0), (Pose.HEAD_Y, 2, 6.0, 10.0), (Pose.NECK_Z, 1, 2.0, 6.0)],
)
def test_the_head_turns_as_the_video_does(
    head_take: Take, truth: NDArray[np.float64], value: Pose, column: int, start: float, end: float
) -> None:
    """Up, the subject's right and the subject's right shoulder are positive in a pose: each runs against the truth."""
    drawn = np.interp(head_take.seconds, truth[:, 0], truth[:, column])
    now = (head_take.seconds >= start) & (head_take.seconds < end)
    assert np.corrcoef(head_take.poses[now, value], drawn[now])[0, 1] < -0.95
    full_turn = np.ptp(head_take.poses[now, value])
    assert 0.8 < full_turn <= 2.0, "about half of the way to each side at 10 to 19 degrees"


@pytest.mark.parametrize(
    ("still", "start", "end"), [(Pose.HEAD_X, 6.0, 10.0), (Pose.HEAD_Y, 2.0, 6.0), (Pose.NECK_Z, 10.0, 12.0)]
)
def test_a_turn_about_one_axis_hardly_moves_the_others(head_take: Take, still: Pose, start: float, end: float) -> None:
    assert np.abs(head_take.during(start, end)[:, still]).max() < 0.3


def test_the_body_goes_with_the_head(head_take: Take) -> None:
    assert np.array_equal(head_take.poses[:, Pose.BODY_Y], head_take.poses[:, Pose.HEAD_Y])
    assert np.array_equal(head_take.poses[:, Pose.BODY_Z], head_take.poses[:, Pose.NECK_Z])


@pytest.mark.parametrize("start", [FADED_IN_S, 19.0])
def test_a_resting_face_is_near_neutral(head_take: Take, start: float) -> None:
    resting = np.median(head_take.during(start, start + 0.5), axis=0)
    resting[[Pose.BREATHING, Pose.MOUTH_AAA]] = 0.0  # the video opens its mouth at both times
    assert np.abs(resting[: Pose.IRIS_ROTATION_X]).max() < 0.1
    assert np.abs(resting).max() < 0.3


def test_turning_the_head_alone_does_not_turn_the_eyes(head_take: Take) -> None:
    """The video's eyes are painted: they look where the head looks."""
    turning = (head_take.seconds >= 6.0) & (head_take.seconds < 10.0)
    gaze, head = head_take.poses[turning, Pose.IRIS_ROTATION_Y], head_take.poses[turning, Pose.HEAD_Y]
    assert abs(np.polyfit(head, gaze, 1)[0]) < 0.25


def test_drawn_blinks_close_both_eyes_and_open_them_again() -> None:
    take = played("openseeface_blinkpatched.rec")
    eyes = (
        take.poses[:, [Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT]]
        + (take.poses[:, [Pose.EYE_HAPPY_WINK_LEFT, Pose.EYE_HAPPY_WINK_RIGHT]])
    )
    drawn_s = np.arange(len(take.seconds)) / 24.0  # the blinks were drawn into the video's 24 pictures a second
    for blink in np.arange(3.5, 20.0, 2.5):  # the first comes while the face is still being faded in
        around = (drawn_s > blink - 0.3) & (drawn_s < blink + 0.8)
        middle = (drawn_s > blink + 0.1) & (drawn_s < blink + 0.3)
        assert eyes[middle].max(axis=0).tolist() == [1.0, 1.0]
        assert eyes[around][0].tolist() == eyes[around][-1].tolist() == [0.0, 0.0]


def test_drawn_blinks_are_winks_and_not_smiling_ones() -> None:
    take = played("openseeface_blinkpatched.rec")
    drawn_s = np.arange(len(take.seconds)) / 24.0
    for blink in np.arange(3.5, 20.0, 2.5):
        closing = take.poses[(drawn_s > blink) & (drawn_s < blink + 0.5)]
        winks = closing[:, [Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT]]
        smiling = closing[:, [Pose.EYE_HAPPY_WINK_LEFT, Pose.EYE_HAPPY_WINK_RIGHT]]
        assert winks.max(axis=0).tolist() == [1.0, 1.0]
        assert smiling.max() < 0.25, "at 13.5 s that face does smile a little"


def test_eyes_that_never_close_never_flicker(head_take: Take) -> None:
    """This landmark model tells of no blinks: an eye that closes would be our doing."""
    before_the_loss = head_take.during(FADED_IN_S, 16.0)
    assert not before_the_loss[:, Pose.EYE_WINK_LEFT : Pose.EYE_SURPRISED_RIGHT + 1].any()


@pytest.mark.parametrize(("start", "end"), [(2.1, 5.0), (15.2, 16.0)])
def test_a_resting_face_moves_nothing_but_its_gaze(head_take: Take, start: float, end: float) -> None:
    """Before all smoothing; the head rolls meanwhile, so it is not the stillness of a picture that is seen here."""
    resting = head_take.during(start, end)
    assert len(resting) > 20
    assert np.ptp(resting[:, : Pose.IRIS_ROTATION_X], axis=0).max() < 0.02
    assert np.abs(np.diff(resting[:, [Pose.IRIS_ROTATION_X, Pose.IRIS_ROTATION_Y]], axis=0)).max() < 0.2


# -- one feature at a time ------------------------------------------------------------------------------------------


def pose_of(face: Face, resting: Face | None = None) -> PoseVector:
    """The pose of one record, measured against a resting one."""
    now = 10_000_000_000
    decoder, neutral = OpenSeeFaceDecoder(), OpenSeeFaceDecoder()
    sample, rest = decoder.feed(datagram(face), now), neutral.feed(datagram(resting or Face()), now)
    assert isinstance(sample, TrackerSample)
    assert isinstance(rest, TrackerSample)
    return mapping.to_pose(sample.values, rest.values, (0.0, 0.0, 0.0))


FEATURES = (
    "eye_left", "eye_right", "steepness_left", "brow_left", "quirk_left", "steepness_right", "brow_right",
    "quirk_right", "corner_left", "corner_in_left", "corner_right", "corner_in_right", "mouth_open", "mouth_wide",
)  # fmt: skip


def featuring(**features: float) -> Face:
    return Face(features=tuple(features.get(name, 0.0) for name in FEATURES))


def changed(pose: PoseVector) -> set[str]:
    return {value.name for value in Pose if abs(pose[value]) > 1e-6}


@pytest.mark.parametrize(
    ("face", "moves"),
    [
        (Face(), set()),
        (Face(left_open=0.0), {"EYE_WINK_LEFT"}),
        (Face(right_open=0.0), {"EYE_WINK_RIGHT"}),
        (featuring(eye_left=1.0), {"EYE_SURPRISED_LEFT"}),
        (featuring(eye_right=1.0), {"EYE_SURPRISED_RIGHT"}),
        (featuring(brow_left=1.0), {"EYEBROW_RAISED_LEFT"}),
        (featuring(brow_right=-1.0), {"EYEBROW_LOWERED_RIGHT"}),
        (
            featuring(corner_left=1.0, corner_right=1.0),
            {f"{name}_{side}" for name in ("MOUTH_RAISED_CORNER", "EYEBROW_HAPPY") for side in ("LEFT", "RIGHT")},
        ),
        (featuring(corner_left=-1.0, corner_right=-1.0), {"MOUTH_LOWERED_CORNER_LEFT", "MOUTH_LOWERED_CORNER_RIGHT"}),
        (featuring(mouth_open=1.0), {"MOUTH_AAA"}),
        (featuring(mouth_open=1.0, mouth_wide=1.0), {"MOUTH_AAA", "MOUTH_III"}),
        (featuring(mouth_open=1.0, mouth_wide=-1.0), {"MOUTH_AAA", "MOUTH_OOO"}),
        (featuring(mouth_wide=1.0), set()),
    ],
)
def test_each_feature_moves_its_own_side_and_nothing_else(face: Face, moves: set[str]) -> None:
    assert changed(pose_of(face)) == moves


def test_noise_round_a_resting_feature_moves_nothing() -> None:
    assert changed(pose_of(Face(features=(0.14,) * 14, left_open=0.9, right_open=0.86))) == set()


def test_eyes_that_close_while_smiling_are_happy_eyes() -> None:
    smiling = featuring(corner_left=1.0, corner_right=1.0)._replace(left_open=0.0, right_open=0.0)
    pose = pose_of(smiling)
    assert [pose[Pose.EYE_HAPPY_WINK_LEFT], pose[Pose.EYE_HAPPY_WINK_RIGHT]] == [1.0, 1.0]
    assert [pose[Pose.EYE_WINK_LEFT], pose[Pose.EYE_WINK_RIGHT]] == [0.0, 0.0]


def test_a_wide_feature_cannot_open_a_closed_eye() -> None:
    assert pose_of(featuring(eye_left=1.0)._replace(left_open=0.0))[Pose.EYE_SURPRISED_LEFT] == 0.0


def test_pupils_that_move_toward_a_side_of_the_face_turn_the_eyes_to_it() -> None:
    """Which way the points run is read from the face itself: landmark 0 is its right jaw, 16 its left, 8 the chin."""
    recording = read_recording(data("streams/openseeface_model0.rec"))
    resting = unpacked(recording[20].datagram)
    points = np.array(resting.points).reshape(70, 3)
    rightwards, downwards = points[0] - points[16], points[8] - (points[0] + points[16]) / 2
    for direction, value in ((rightwards, Pose.IRIS_ROTATION_Y), (-downwards, Pose.IRIS_ROTATION_X)):
        moved = points.copy()
        moved[66:68, :2] += 0.03 * direction[:2] / np.linalg.norm(direction[:2])
        looking = resting._replace(points=tuple(moved.ravel()))
        assert pose_of(looking, resting)[value] > 0.3


def test_the_way_from_a_wink_to_a_smiling_one_never_opens_the_eye() -> None:
    for corners in np.linspace(-1.0, 1.0, 41):
        pose = pose_of(featuring(corner_left=corners, corner_right=corners)._replace(left_open=0.0))
        assert pose[Pose.EYE_WINK_LEFT] + pose[Pose.EYE_HAPPY_WINK_LEFT] == pytest.approx(1.0)


def test_eyes_close_all_the_way_although_trackers_seldom_say_so() -> None:
    closed = [float(pose_of(Face(left_open=openness))[Pose.EYE_WINK_LEFT]) for openness in np.linspace(1.0, 0.0, 101)]
    assert closed[0] == closed[14] == 0.0
    assert closed[76] == closed[-1] == 1.0
    assert min(np.diff(closed)) >= 0.0
    assert max(np.diff(closed)) < 0.03, "no threshold in between"


@pytest.mark.parametrize("feature", FEATURES)
def test_no_feature_makes_a_jump(feature: str) -> None:
    """One feature from end to end while the mouth is half open, in steps of a hundredth."""
    along = [pose_of(featuring(**{"mouth_open": 0.5, feature: value})) for value in np.linspace(-1.0, 1.0, 201)]
    assert np.abs(np.diff(np.array(along), axis=0)).max() < 0.05


def test_no_record_whatever_leaves_the_poses_ranges_but_for_gaze_and_head() -> None:
    random = np.random.default_rng(3)
    rest = np.zeros(mapping.VALUE_COUNT, np.float32)
    for values in random.uniform(-1.0, 1.0, (300, mapping.VALUE_COUNT)).astype(np.float32):
        pose = mapping.to_pose(values, rest, (0.0, 0.0, 0.0))
        face = pose[: Pose.IRIS_ROTATION_X]
        assert np.isfinite(pose).all()
        assert face.min() >= 0.0
        assert face.max() <= 1.0


def test_a_calibration_leaves_the_features_alone() -> None:
    """They are measured from OpenSeeFace's own running median already."""
    assert MAPPINGS[mapping.VOCABULARY].to_pose is mapping.to_pose
    assert MAPPINGS[mapping.VOCABULARY].shapes is None
