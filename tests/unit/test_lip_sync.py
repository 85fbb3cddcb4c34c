"""The microphone's mouth over the tracker's."""

from __future__ import annotations

import numpy as np
import pytest

from core.pose.lip_sync import MouthSample, apply_lip_sync
from core.pose.parameters import Pose, PoseVector, neutral

VOWELS = [Pose.MOUTH_AAA, Pose.MOUTH_III, Pose.MOUTH_UUU, Pose.MOUTH_EEE, Pose.MOUTH_OOO]
MODES = ("only", "add", "lost")


def heard(*weights: float) -> MouthSample:
    return MouthSample(min(sum(weights), 1.0), np.array(weights, np.float32))


def tracked(**values: float) -> PoseVector:
    pose = neutral()
    for name, value in values.items():
        pose[Pose[name]] = value
    return pose


FACE = tracked(
    MOUTH_AAA=0.5,
    MOUTH_EEE=0.2,
    MOUTH_DELTA=0.3,
    MOUTH_RAISED_CORNER_LEFT=0.8,
    MOUTH_LOWERED_CORNER_RIGHT=0.1,
    MOUTH_SMIRK=0.4,
    EYE_WINK_LEFT=1.0,
    HEAD_Y=-0.5,
)


def test_vowels_go_where_the_networks_have_them() -> None:
    pose = apply_lip_sync(neutral(), heard(0.1, 0.2, 0.15, 0.3, 0.25), "only", 1.0)
    assert pose[VOWELS] == pytest.approx([0.1, 0.2, 0.15, 0.3, 0.25])
    assert float(pose.sum()) == pytest.approx(1.0)


def test_only_takes_the_trackers_open_mouth_away_and_leaves_its_smile() -> None:
    pose = apply_lip_sync(FACE, heard(0.0, 0.0, 0.0, 0.0, 0.0), "only", 1.0)
    assert not pose[[*VOWELS, Pose.MOUTH_DELTA]].any()
    kept = np.ones(len(pose), bool)
    kept[[*VOWELS, Pose.MOUTH_DELTA]] = False
    assert np.array_equal(pose[kept], FACE[kept])


def test_add_takes_the_wider_of_both_vowel_by_vowel() -> None:
    pose = apply_lip_sync(FACE, heard(0.3, 0.1, 0.0, 0.6, 0.0), "add", 1.0)
    assert pose[VOWELS] == pytest.approx([0.5, 0.1, 0.0, 0.6, 0.0])
    others = np.ones(len(pose), bool)
    others[VOWELS] = False
    assert np.array_equal(pose[others], FACE[others])


@pytest.mark.parametrize("presence", [0.0, 0.25, 1.0])
def test_lost_speaks_as_far_as_the_tracker_is_gone(presence: float) -> None:
    pose = apply_lip_sync(FACE, heard(0.0, 0.8, 0.0, 0.0, 0.0), "lost", presence)
    assert pose[Pose.MOUTH_AAA] == pytest.approx(0.5 * presence)
    assert pose[Pose.MOUTH_III] == pytest.approx(0.8 * (1.0 - presence))
    assert pose[Pose.MOUTH_DELTA] == pytest.approx(0.3 * presence)
    assert pose[Pose.MOUTH_RAISED_CORNER_LEFT] == pytest.approx(0.8)


@pytest.mark.parametrize("mode", MODES)
def test_a_microphone_that_does_not_work_leaves_the_tracker_alone(mode: str) -> None:
    assert np.array_equal(apply_lip_sync(FACE, None, mode, 0.0), FACE)


def test_a_mode_of_a_later_version_changes_nothing() -> None:
    assert np.array_equal(apply_lip_sync(FACE, heard(1.0, 0.0, 0.0, 0.0, 0.0), "off", 0.0), FACE)


@pytest.mark.parametrize("mode", MODES)
def test_neither_the_pose_nor_the_sample_is_changed(mode: str) -> None:
    face, mouth = FACE.copy(), heard(0.2, 0.2, 0.2, 0.2, 0.2)
    before = mouth.vowels.copy()
    pose = apply_lip_sync(face, mouth, mode, 0.5)
    pose[:] = 9.0
    assert np.array_equal(face, FACE)
    assert np.array_equal(mouth.vowels, before)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("presence", [0.0, 0.5, 1.0])
def test_the_mouth_stays_in_range(mode: str, presence: float) -> None:
    wide = tracked(MOUTH_AAA=1.0, MOUTH_OOO=1.0, MOUTH_DELTA=1.0)
    pose = apply_lip_sync(wide, heard(1.0, 0.0, 0.0, 0.0, 0.0), mode, presence)
    assert pose.dtype == np.float32
    assert (pose >= 0.0).all()
    assert (pose <= 1.0 + 1e-6).all()
