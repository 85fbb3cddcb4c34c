"""From a tracker's sample to the tracked face: each input's own neutral, gains, body, place, fine tuning."""

from __future__ import annotations

import numpy as np
import pytest

from core.pose.calibration_store import CalibrationStore
from core.pose.mapping import MAPPINGS, arkit_names
from core.pose.mapping.arkit_names import SHAPE
from core.pose.parameters import Pose, neutral
from core.pose.sample import HeadAngles, Position, TrackerSample
from core.pose.tracked import TrackedFace
from core.wire.settings import Value, defaults

FRAME_NS = 16_666_667
SECOND = 1_000_000_000


def face_of(store: CalibrationStore | None = None, **settings: Value) -> TrackedFace:
    face = TrackedFace(store)
    face.configure({**defaults(), "smoothing": 0, "character": "test", **settings})
    face.use("ifacialmocap")
    return face


def arkit(
    now: int,
    head: HeadAngles = (0.0, 0.0, 0.0),
    position: Position | None = None,
    body: HeadAngles | None = None,
    **shapes: float,
) -> TrackerSample:
    values = np.zeros(arkit_names.SHAPE_COUNT, np.float32)
    for name, value in shapes.items():
        values[SHAPE[name]] = value
    return TrackerSample(now, arkit_names.VOCABULARY, values, head, position, body)


def rest(face: TrackedFace, seconds: float = 1.5, start: int = 5 * SECOND, **shapes: float) -> int:
    """The person looks straight ahead; returns the time after it."""
    now = start
    for now in range(start, start + int(seconds * SECOND), FRAME_NS):
        face.take(arkit(now, (0.0, 0.0, 0.0), (0.1, 0.2, -0.5), (0.0, 4.0, 0.0), **shapes))
    return now + FRAME_NS


def test_every_vocabulary_is_read_by_something_with_as_many_shapes_as_it_has_values() -> None:
    for vocabulary, mapping in MAPPINGS.items():
        assert vocabulary
        if mapping.shapes is not None:
            values = np.zeros(len(mapping.shapes), np.float32)
            assert mapping.to_pose(values, values, (0.0, 0.0, 0.0)).shape == (45,)


def test_a_resting_shape_is_taken_off_and_the_rest_stretched() -> None:
    face = face_of()
    now = rest(face, jawOpen=0.2)
    face.take(arkit(now, jawOpen=0.2))
    assert not face.pose[Pose.MOUTH_AAA : Pose.MOUTH_DELTA].any()
    face.take(arkit(now + FRAME_NS, jawOpen=0.7, mouthLowerDownLeft=0.5, mouthLowerDownRight=0.5))
    assert face.pose[Pose.MOUTH_AAA] > 0.9


def test_learning_the_reach_lets_a_weak_tracker_close_the_eyes() -> None:
    face = face_of()
    now = rest(face)
    assert face.begin_reach(arkit(now), now)
    for frame in range(520):
        face.take(arkit(now + frame * FRAME_NS, eyeBlinkLeft=0.4 if frame % 30 < 15 else 0.0))
    assert face.reach_left_s(now + 520 * FRAME_NS) == 0.0
    face.take(arkit(now + 521 * FRAME_NS, eyeBlinkLeft=0.4))
    assert face.pose[Pose.EYE_WINK_LEFT] == pytest.approx(1.0)


def test_an_input_without_shapes_has_no_reach_to_learn() -> None:
    face = face_of()
    assert not face.begin_reach(TrackerSample(1, "pose", neutral()), 1)


def test_the_place_is_relative_to_the_neutral_and_mirrored_with_the_face() -> None:
    for mirrored, sign in ((False, 1.0), (True, -1.0)):
        face = face_of(mirror=mirrored)
        now = rest(face)
        face.take(arkit(now, position=(0.3, 0.25, -0.4)))
        assert face.position == pytest.approx((0.2 * sign, 0.05, 0.1), abs=1e-5)


def test_a_tracker_that_does_not_know_the_place_leaves_the_avatar_in_its_own() -> None:
    face = face_of()
    for now in range(5 * SECOND, 7 * SECOND, FRAME_NS):
        face.take(arkit(now))
    assert face.position == (0.0, 0.0, 0.0)


def test_a_packet_that_leaves_the_place_out_does_not_make_the_avatar_jump() -> None:
    face = face_of()
    now = rest(face)
    face.take(arkit(now, position=(0.3, 0.2, -0.5)))
    face.take(arkit(now + FRAME_NS))
    assert face.position == pytest.approx((0.2, 0.0, 0.0), abs=1e-5)


def test_the_body_follows_the_head_with_its_own_gain() -> None:
    face = face_of(body_gain=0.5, head_gain=1.0)
    for now in range(5 * SECOND, 7 * SECOND, FRAME_NS):
        face.take(arkit(now))
    face.take(arkit(7 * SECOND, head=(0.0, -7.5, 6.0)))
    assert face.pose[[Pose.HEAD_Y, Pose.BODY_Y]] == pytest.approx([0.5, 0.25])
    assert face.pose[[Pose.NECK_Z, Pose.BODY_Z]] == pytest.approx([0.4, 0.2])


def test_a_torso_of_its_own_is_used_instead() -> None:
    face = face_of()
    now = rest(face)
    face.take(arkit(now, head=(0.0, -15.0, 0.0), body=(0.0, 11.5, 3.0)))
    assert face.pose[[Pose.BODY_Y, Pose.BODY_Z]] == pytest.approx([-0.5, 0.2])
    assert face.pose[Pose.HEAD_Y] == pytest.approx(1.0)


def test_the_eyebrows_can_be_kept_at_rest() -> None:
    face = face_of(eyebrows=False)
    now = rest(face)
    face.take(arkit(now, browInnerUp=1.0, browDownLeft=1.0, mouthSmileLeft=1.0, mouthSmileRight=1.0))
    assert not face.pose[:12].any()
    assert face.pose[Pose.MOUTH_RAISED_CORNER_LEFT] > 0.5


def test_fine_tuning_bends_a_value() -> None:
    face = face_of(tuning="eye_surprised=2")
    now = rest(face)
    face.take(arkit(now, eyeWideLeft=0.2))
    assert face.pose[Pose.EYE_SURPRISED_LEFT] == pytest.approx(0.8)


def test_each_input_keeps_its_own_neutral() -> None:
    store = CalibrationStore(None)
    face = face_of(store)
    for source, yaw in (("ifacialmocap", 5.0), ("webcam", -8.0)):
        face.use(source)
        for now in range(5 * SECOND, 7 * SECOND, FRAME_NS):
            face.take(arkit(now, head=(0.0, yaw, 0.0)))
    assert store.get("ifacialmocap.arkit", "test") is not None
    assert store.get("webcam.arkit", "test") is not None
    face.use("ifacialmocap")
    face.take(arkit(8 * SECOND, head=(0.0, 5.0, 0.0)))
    assert face.pose[Pose.HEAD_Y] == pytest.approx(0.0, abs=0.01)


def test_what_was_calibrated_with_an_earlier_version_is_found() -> None:
    store = CalibrationStore(None)
    face = face_of(store)
    face.use("openseeface")
    values = np.zeros(18, np.float32)
    for now in range(5 * SECOND, 7 * SECOND, FRAME_NS):
        face.take(TrackerSample(now, "openseeface", values))
    assert store.get("openseeface", "test") is not None


@pytest.mark.parametrize(
    "bad",
    [
        {"head": (np.nan, 0.0, 0.0)},
        {"position": (np.inf, 0.0, 0.0)},
        {"body": (0.0, np.nan, 0.0)},
        {"jawOpen": np.nan},
    ],
)
def test_a_sample_that_is_no_number_changes_nothing(bad: dict[str, float]) -> None:
    face = face_of()
    now = rest(face)
    before = face.pose.copy()
    face.take(arkit(now, **bad))  # type: ignore[arg-type]
    assert np.array_equal(face.pose, before)
    assert face.arrival_ns < now


def test_an_unknown_vocabulary_changes_nothing() -> None:
    face = face_of()
    face.take(TrackerSample(SECOND, "klingon", np.zeros(3, np.float32)))
    assert face.arrival_ns == 0
