"""One pose out of tracker and idle motion: coming, going, coming back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from core.pose import mapping, rotation
from core.pose.calibration import Neutral
from core.pose.calibration_store import CalibrationStore
from core.pose.lip_sync import MouthSample
from core.pose.mixer import HELD_NS, RETURN_S, PoseMixer, PoseMoment
from core.pose.parameters import MAXIMUM, MINIMUM, Pose, neutral
from core.pose.sample import TrackerSample
from core.wire.expressions import Expression
from core.wire.settings import Value, defaults

FRAME_NS = 16_666_667
SECOND = 1_000_000_000
EYES = [Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT]


def mixer_with(store: CalibrationStore | None = None, **settings: Value) -> PoseMixer:
    mixer = PoseMixer(store)
    mixer.configure({**defaults(), "smoothing": 0, "idle_strength": 0, "character": "test", **settings})
    return mixer


def face(**values: float) -> Callable[[int], TrackerSample]:
    """Makes samples that are poses already."""
    pose = neutral()
    for name, value in values.items():
        pose[Pose[name.upper()]] = value
    return lambda now: TrackerSample(now, "pose", pose)


class Scene:
    """A mixer and the time, both moved on frame by frame."""

    def __init__(self, mixer: PoseMixer) -> None:
        self.mixer = mixer
        self.now = 5 * SECOND
        self.last: TrackerSample | None = None

    def track(self, seconds: float, make: Callable[[int], TrackerSample]) -> list[PoseMoment]:
        """The tracker delivers a sample for every frame."""
        return [self._frame(make) for _ in range(round(seconds * 60))]

    def silence(self, seconds: float) -> list[PoseMoment]:
        """The tracker says nothing; its last sample stays what it is."""
        return [self._frame(None) for _ in range(round(seconds * 60))]

    def _frame(self, make: Callable[[int], TrackerSample] | None) -> PoseMoment:
        self.now += FRAME_NS
        if make is not None:
            self.last = make(self.now)
        return self.mixer.pose(self.last, self.now)


def shown(moments: list[PoseMoment], value: Pose) -> list[float]:
    return [float(moment.pose[value]) for moment in moments]


def largest_step(moments: list[PoseMoment], value: Pose) -> float:
    return max(abs(after - before) for before, after in pairwise(shown(moments, value)))


def test_without_a_tracker_it_is_idle_motion_alone() -> None:
    moments = Scene(mixer_with(idle_strength=100)).silence(20.0)
    assert {(moment.presence, moment.packet_ns) for moment in moments} == {(0.0, 0)}
    assert np.ptp(shown(moments, Pose.BODY_Y)) > 0.01
    assert max(shown(moments, Pose.EYE_WINK_LEFT)) == 1.0


def test_a_face_fades_in_and_is_then_shown_as_it_is() -> None:
    scene = Scene(mixer_with())
    moments = scene.track(RETURN_S + 0.1, face(head_y=0.8, mouth_aaa=0.6))
    assert largest_step(moments, Pose.HEAD_Y) < 0.8 / 10
    assert moments[-1].presence == 1.0
    assert moments[-1].packet_ns == scene.now
    assert moments[-1].pose[[Pose.HEAD_Y, Pose.MOUTH_AAA]] == pytest.approx([0.8, 0.6])


def test_a_tracked_face_blinks_only_when_its_person_does() -> None:
    scene = Scene(mixer_with())
    scene.track(1.0, face())
    assert max(shown(scene.track(15.0, face()), Pose.EYE_WINK_LEFT)) == pytest.approx(0.0)


def test_a_tracked_face_breathes() -> None:
    scene = Scene(mixer_with())
    scene.track(1.0, face())
    assert np.ptp(shown(scene.track(5.0, face()), Pose.BREATHING)) > 0.9


def test_a_short_silence_holds_the_face() -> None:
    scene = Scene(mixer_with())
    scene.track(1.0, face(head_y=0.8))
    held = scene.silence(HELD_NS / SECOND - 0.04)
    assert shown(held, Pose.HEAD_Y) == pytest.approx([0.8] * len(held))
    assert {moment.presence for moment in held} == {1.0}


def test_a_long_silence_fades_to_idle_without_a_jump() -> None:
    scene = Scene(mixer_with())
    scene.track(1.0, face(head_y=0.8))
    gone = scene.silence(3.0)
    assert largest_step(gone, Pose.HEAD_Y) < 0.08
    assert shown(gone, Pose.HEAD_Y) == sorted(shown(gone, Pose.HEAD_Y), reverse=True)
    assert (gone[-1].presence, gone[-1].packet_ns, gone[-1].pose[Pose.HEAD_Y]) == (0.0, 0, 0.0)


def test_after_a_loss_it_is_exactly_the_idle_motion_it_would_have_been() -> None:
    # a breath that has become faster stays so for a while
    scene, alone = (Scene(mixer_with(idle_strength=100, breath_reactive=False)) for _ in range(2))
    scene.track(1.0, face(head_y=0.8))
    scene.silence(4.0)
    alone.silence(5.0)
    for moment, idle in zip(scene.silence(5.0), alone.silence(5.0), strict=True):
        assert np.array_equal(moment.pose, idle.pose)


@pytest.mark.parametrize("lost_s", [0.4, 1.0, 3.0, 600.0])
def test_the_next_packet_brings_the_face_back_within_half_a_second(lost_s: float) -> None:
    scene = Scene(mixer_with())
    scene.track(1.0, face(head_y=0.8))
    scene.silence(min(lost_s, 3.0))
    scene.now += max(round((lost_s - 3.0) * SECOND), 0)
    back = scene.track(0.5, face(head_y=0.8))
    assert largest_step(back, Pose.HEAD_Y) < 0.08
    assert back[-1].presence == 1.0
    assert back[-1].pose[Pose.HEAD_Y] == pytest.approx(0.8)


@pytest.mark.parametrize("lost_s", [0.4, 1.0, 1.6, 3.0])
def test_nothing_of_the_old_face_survives_a_loss_in_the_filter(lost_s: float) -> None:
    smoothed, plain = Scene(mixer_with(smoothing=100)), Scene(mixer_with(smoothing=0))
    for scene in (smoothed, plain):
        scene.track(2.0, face(mouth_aaa=1.0))
        scene.silence(lost_s)
    new = face(mouth_aaa=0.1)
    for calm, quick in zip(smoothed.track(1.0, new), plain.track(1.0, new), strict=True):
        assert calm.pose[Pose.MOUTH_AAA] == pytest.approx(quick.pose[Pose.MOUTH_AAA], abs=1e-6)


@pytest.mark.parametrize("smoothing", [0, 100])
def test_eyes_that_were_closed_at_a_loss_do_not_stay_closed(smoothing: int) -> None:
    scene, alone = Scene(mixer_with(smoothing=smoothing)), Scene(mixer_with(smoothing=smoothing))
    scene.track(2.0, face(eye_wink_left=1.0, eye_wink_right=1.0))
    scene.silence(HELD_NS / SECOND + 0.4)
    alone.silence(2.0 + HELD_NS / SECOND + 0.4)
    for moment, idle in zip(scene.silence(6.0), alone.silence(6.0), strict=True):
        assert (moment.pose[EYES] <= idle.pose[EYES] + 0.03).all()


@pytest.mark.parametrize("smoothing", [0, 30, 100])
def test_open_eyes_after_a_loss_are_open_at_once(smoothing: int) -> None:
    scene, alone = Scene(mixer_with(smoothing=smoothing)), Scene(mixer_with(smoothing=smoothing))
    scene.track(2.0, face(eye_wink_left=1.0, eye_wink_right=1.0))
    scene.silence(1.0)
    alone.silence(3.0)
    for moment, idle in zip(scene.track(1.0, face()), alone.silence(1.0), strict=True):
        assert (moment.pose[EYES] <= idle.pose[EYES] + 0.03).all()


def test_presence_rises_and_falls_without_a_jump() -> None:
    scene = Scene(mixer_with())
    rising = [moment.presence for moment in scene.track(0.6, face())]
    falling = [moment.presence for moment in scene.silence(3.0)]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert max(abs(after - before) for before, after in pairwise([*rising, *falling])) < 0.06
    assert (max(rising), falling[-1]) == (1.0, 0.0)


def test_packet_times_are_told_while_the_face_is_in_the_pose() -> None:
    scene = Scene(mixer_with())
    scene.track(1.0, face())
    last = scene.now
    told = [(moment.presence > 0.0, moment.packet_ns) for moment in scene.silence(3.0)]
    assert set(told) == {(True, last), (False, 0)}


def test_mirrored_swaps_the_tracked_face_only() -> None:
    scene = Scene(mixer_with(mirror=True))
    pose = scene.track(1.0, face(eye_wink_left=1.0, head_y=0.5, neck_z=0.25, head_x=0.3))[-1].pose
    assert pose[EYES].tolist() == [0.0, 1.0]
    assert pose[[Pose.HEAD_Y, Pose.NECK_Z, Pose.HEAD_X]] == pytest.approx([-0.5, -0.25, 0.3])


def test_gain_makes_turns_larger_but_not_beyond_full() -> None:
    scene = Scene(mixer_with(head_gain=2.0))
    pose = scene.track(1.0, face(head_y=0.3, head_x=-0.8, iris_rotation_y=0.3, mouth_aaa=0.3))[-1].pose
    assert pose[[Pose.HEAD_Y, Pose.HEAD_X]] == pytest.approx([0.6, -1.0])
    assert pose[[Pose.IRIS_ROTATION_Y, Pose.MOUTH_AAA]] == pytest.approx([0.3, 0.3])


def test_settings_may_change_at_any_moment() -> None:
    scene = Scene(mixer_with(smoothing=100))
    scene.track(1.0, face(head_y=0.5))
    for changed in ({"smoothing": 0}, {"mirror": True, "smoothing": 60}, {"head_gain": 0.2, "smoothing": 0}):
        scene.mixer.configure({**defaults(), "idle_strength": 0, "character": "test", **changed})
        moment = scene.track(0.1, face(head_y=0.5))[-1]
        assert moment.presence == 1.0
    assert moment.pose[Pose.HEAD_Y] == pytest.approx(0.1)


def test_another_inputs_face_is_not_smoothed_from_the_old_ones() -> None:
    scene = Scene(mixer_with(smoothing=100))
    scene.track(2.0, face(head_y=1.0))
    scene.mixer.use_tracker("another")
    assert scene.track(0.02, face(head_y=-1.0))[0].pose[Pose.HEAD_Y] == pytest.approx(-1.0)


@pytest.mark.parametrize("backwards_ns", [1, SECOND, 3600 * SECOND])
def test_time_that_does_not_advance_is_harmless(backwards_ns: int) -> None:
    scene = Scene(mixer_with(smoothing=50))
    scene.track(1.0, face(head_y=0.5))
    scene.now -= backwards_ns
    for moment in scene.track(1.0, face(head_y=0.5)):
        assert np.isfinite(moment.pose).all()
    assert moment.pose[Pose.HEAD_Y] == pytest.approx(0.5, abs=0.01)


# -- samples that must be measured against a neutral ----------------------------------------------------------------


def openseeface(head: tuple[float, float, float] = (0.0, 0.0, 0.0), **changed: float) -> Callable[[int], TrackerSample]:
    values = np.zeros(mapping.openseeface.VALUE_COUNT, np.float32)
    values[:2] = 1.0
    for name, value in changed.items():
        values[getattr(mapping.openseeface, name.upper())] = value
    return lambda now: TrackerSample(now, "openseeface", values, head)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_leaves_no_trace(broken: float) -> None:
    scene = Scene(mixer_with(smoothing=50))
    scene.track(0.5, openseeface(gaze_x=broken))
    scene.track(0.5, openseeface(head=(0.0, broken, 0.0)))
    for moment in scene.track(3.0, openseeface(head=(0.0, -10.0, 0.0))):
        assert np.isfinite(moment.pose).all()
        assert ((moment.pose >= MINIMUM) & (moment.pose <= MAXIMUM)).all()
    turned = scene.track(1.0, openseeface(head=(0.0, -17.5, 0.0)))[-1]
    assert turned.pose[Pose.HEAD_Y] == pytest.approx(0.5, abs=0.02)


def test_where_the_face_rests_becomes_neutral_by_itself() -> None:
    scene = Scene(mixer_with())
    scene.track(2.0, openseeface(head=(-15.0, 12.0, -5.0), gaze_x=0.2))
    pose = scene.track(0.1, openseeface(head=(-15.0, 12.0, -5.0), gaze_x=0.2))[-1].pose
    assert np.abs(pose[: Pose.BREATHING]).max() < 0.001


def test_calibrating_makes_the_face_of_now_neutral_and_is_kept() -> None:
    store = CalibrationStore(None)
    scene = Scene(mixer_with(store))
    scene.track(2.0, openseeface())
    turned = openseeface(head=(5.0, 10.0, 0.0))
    scene.track(1.0, turned)
    assert scene.mixer.calibrate(scene.last, scene.now)
    assert np.abs(scene.track(1.0, turned)[-1].pose[Pose.HEAD_X : Pose.BREATHING]).max() < 0.001
    kept = store.get("openseeface", "test")
    assert kept is not None
    assert rotation.to_degrees(kept.rotation) == pytest.approx((5.0, 10.0, 0.0))


def test_calibrating_is_refused_without_a_face() -> None:
    scene = Scene(mixer_with())
    assert not scene.mixer.calibrate(None, scene.now)
    scene.track(1.0, openseeface())
    scene.silence(1.0)
    assert not scene.mixer.calibrate(scene.last, scene.now)


def test_each_character_keeps_its_own_neutral() -> None:
    store = CalibrationStore(None)
    store.put("openseeface", "other", Neutral(rotation.from_degrees((0.0, 7.5, 0.0)), openseeface()(0).values))
    scene = Scene(mixer_with(store))
    scene.track(2.0, openseeface())
    scene.mixer.configure({**defaults(), "smoothing": 0, "character": "other", "idle_strength": 0})
    assert scene.track(1.0, openseeface())[-1].pose[Pose.HEAD_Y] == pytest.approx(0.5)


def test_manual_poses_are_never_kept_as_a_calibration() -> None:
    store = CalibrationStore(None)
    Scene(mixer_with(store)).track(2.0, face(head_y=1.0))
    assert store.get("pose", "test") is None


# -- life, voice, expressions, remote ------------------------------------------------------------------------------


def blind(now: int) -> TrackerSample:
    return TrackerSample(now, "pose", neutral(), tracks_eyes=False)


def lids_shown(moments: list[PoseMoment]) -> list[float]:
    return shown(moments, Pose.EYE_WINK_LEFT)


def test_a_face_whose_eyes_nobody_sees_blinks_by_itself() -> None:
    scene = Scene(mixer_with())
    scene.track(1.0, blind)
    lids = lids_shown(scene.track(15.0, blind))
    assert max(lids) == pytest.approx(1.0, abs=0.01)
    assert lids[-1] < 1.0 or min(lids) == 0.0


def test_blinking_by_itself_can_be_wanted_always_and_never() -> None:
    always, never = Scene(mixer_with(blink="always")), Scene(mixer_with(blink="never"))
    assert max(lids_shown(always.track(15.0, face())[60:])) == pytest.approx(1.0, abs=0.01)
    assert max(lids_shown(never.track(15.0, blind))) == 0.0
    assert max(lids_shown(never.silence(15.0))) == 0.0


def test_a_smiling_eye_that_is_shut_does_not_blink_on_top() -> None:
    scene = Scene(mixer_with(blink="always"))
    for moment in scene.track(15.0, face(eye_happy_wink_left=1.0, eye_happy_wink_right=1.0))[40:]:
        assert moment.pose[Pose.EYE_WINK_LEFT] + moment.pose[Pose.EYE_HAPPY_WINK_LEFT] <= 1.001


def test_no_breath_is_no_breath() -> None:
    assert not np.ptp(shown(Scene(mixer_with(breath_rate=0)).track(5.0, face()), Pose.BREATHING))


def speak(scene: Scene, seconds: float, make: Callable[[int], TrackerSample] | None) -> list[PoseMoment]:
    mouth = MouthSample(0.8, np.array([0.6, 0.0, 0.2, 0.0, 0.0], np.float32))
    moments = []
    for _ in range(round(seconds * 60)):
        scene.now += FRAME_NS
        if make is not None:
            scene.last = make(scene.now)
        moments.append(scene.mixer.pose(scene.last, scene.now, mouth))
    return moments


def test_the_microphone_alone_moves_the_mouth_when_that_is_wanted() -> None:
    moment = speak(Scene(mixer_with(lip_sync="only")), 1.0, face(mouth_iii=1.0, mouth_raised_corner_left=0.5))[-1]
    assert moment.pose[[Pose.MOUTH_AAA, Pose.MOUTH_III, Pose.MOUTH_UUU]] == pytest.approx([0.6, 0.0, 0.2])
    assert moment.pose[Pose.MOUTH_RAISED_CORNER_LEFT] == pytest.approx(0.5)


def test_the_microphone_adds_to_the_trackers_mouth() -> None:
    moment = speak(Scene(mixer_with(lip_sync="add")), 1.0, face(mouth_aaa=0.3, mouth_iii=0.9))[-1]
    assert moment.pose[[Pose.MOUTH_AAA, Pose.MOUTH_III]] == pytest.approx([0.6, 0.9])


def test_the_microphone_speaks_only_while_tracking_is_lost() -> None:
    scene = Scene(mixer_with(lip_sync="lost"))
    assert speak(scene, 1.0, face(mouth_aaa=0.1))[-1].pose[Pose.MOUTH_AAA] == pytest.approx(0.1)
    assert speak(scene, 4.0, None)[-1].pose[Pose.MOUTH_AAA] == pytest.approx(0.6, abs=0.01)


def test_a_microphone_that_is_off_or_broken_changes_nothing() -> None:
    assert speak(Scene(mixer_with()), 1.0, face(mouth_aaa=0.1))[-1].pose[Pose.MOUTH_AAA] == pytest.approx(0.1)
    moment = Scene(mixer_with(lip_sync="only")).track(1.0, face(mouth_aaa=0.1))[-1]
    assert moment.pose[Pose.MOUTH_AAA] == pytest.approx(0.1)


def test_an_expression_lies_over_tracker_and_voice_and_remote_over_all() -> None:
    scene = Scene(mixer_with(lip_sync="only"))
    scene.mixer.expressions.use([Expression("o", {"mouth_aaa": 0.0, "mouth_ooo": 0.9}, 1, "set")])
    scene.mixer.expressions.toggle(1, scene.now)
    moment = speak(scene, 2.0, face())[-1]
    assert moment.pose[[Pose.MOUTH_AAA, Pose.MOUTH_OOO]] == pytest.approx([0.0, 0.9])
    for _ in range(60):
        scene.now += FRAME_NS
        moment = scene.mixer.pose(face()(scene.now), scene.now, None, {int(Pose.MOUTH_OOO): 0.2})
    assert moment.pose[Pose.MOUTH_OOO] == pytest.approx(0.2)


def test_an_apps_own_hotkey_toggles_the_expression_of_that_number_once() -> None:
    scene = Scene(mixer_with())
    scene.mixer.expressions.use([Expression("grin", {"mouth_raised_corner": 1.0}, 3)])

    def pressed(now: int) -> TrackerSample:
        return TrackerSample(now, "pose", neutral(), hotkey=3)

    scene.track(0.5, face())
    scene.track(0.5, pressed)
    assert scene.mixer.expressions.names == ["grin"]
    scene.track(0.5, face())
    scene.track(0.1, pressed)
    assert scene.mixer.expressions.names == []


def test_where_the_head_is_comes_and_goes_with_the_face() -> None:
    scene = Scene(mixer_with())

    def at(x: float) -> Callable[[int], TrackerSample]:
        return lambda now: TrackerSample(now, "pose", neutral(), position=(x, 0.0, 0.0))

    scene.track(2.0, at(0.0))
    moments = scene.track(1.0, at(0.2)) + scene.silence(4.0)
    places = [moment.position[0] for moment in moments]
    assert places[59] == pytest.approx(0.2)
    assert places[-1] == pytest.approx(0.0)
    assert max(abs(after - before) for before, after in pairwise(places[60:])) < 0.02


def test_what_the_tracker_makes_of_the_face_can_be_kept_as_an_expression() -> None:
    scene = Scene(mixer_with(lip_sync="only"))
    speak(scene, 1.0, face(eye_wink_left=1.0, mouth_aaa=0.3))
    assert scene.mixer.tracked_pose[[Pose.EYE_WINK_LEFT, Pose.MOUTH_AAA]] == pytest.approx([1.0, 0.3])


def test_a_bongo_cats_head_looks_up_a_little() -> None:
    moment = Scene(mixer_with(bongo=True)).track(1.0, face(head_y=0.5))[-1]
    assert moment.pose[[Pose.HEAD_X, Pose.HEAD_Y]] == pytest.approx([0.05, 0.55])
