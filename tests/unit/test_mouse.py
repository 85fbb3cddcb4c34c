"""The mouse as a face: it looks where the pointer is, whatever happens to pointer, monitors and packets."""

from __future__ import annotations

import math
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from core.pose.mixer import PoseMixer
from core.pose.parameters import MAXIMUM, MINIMUM, Pose
from core.wire.clock import now_ns
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from trackers import mouse, registry
from trackers.base import Decoder, Drop, TrackerSample, TrackerState
from trackers.mouse import MouseDecoder, MouseTracker, within
from trackers.pointer import Area, Place, PointerUnavailable
from trackers.recording import RecordingWriter, read_recording

START = 10_000_000_000
FRAME_NS = 16_666_667
GAZE = [Pose.IRIS_ROTATION_X, Pose.IRIS_ROTATION_Y]
HEAD = [Pose.HEAD_X, Pose.HEAD_Y]
SCREEN = (0, 0, 1920, 1080)


def packet(right: float, up: float) -> bytes:
    return struct.pack("<ff", right, up)


def settings(**changed: Value) -> dict[str, Value]:
    return {**defaults(), "tracker": "mouse", **changed}


def sample_of(result: TrackerSample | Drop | None) -> TrackerSample:
    assert isinstance(result, TrackerSample), result
    return result


def resting(decoder: Decoder, right: float, up: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """What the pose comes to while the pointer stays there."""
    values = np.zeros(45, np.float32)
    for frame in range(120):
        values = sample_of(decoder.feed(packet(right, up), START + frame * FRAME_NS)).values
    return values


# -- where it looks -------------------------------------------------------------------------------------------------


def test_the_middle_is_straight_ahead() -> None:
    assert not resting(MouseDecoder(), 0.0, 0.0).any()


def test_it_looks_to_the_pointers_side() -> None:
    """The avatar faces the viewer: the screen's right is its own left, which is negative."""
    right = resting(MouseDecoder(), 1.0, 0.0)
    assert right[Pose.HEAD_Y] == pytest.approx(-1.0, abs=0.01)
    assert right[Pose.IRIS_ROTATION_Y] < -0.2
    assert right[Pose.BODY_Y] < -0.2
    assert right[Pose.HEAD_X] == right[Pose.IRIS_ROTATION_X] == 0.0
    left = resting(MouseDecoder(), -1.0, 0.0)
    assert left == pytest.approx(-right, abs=1e-6)
    top = resting(MouseDecoder(), 0.0, 1.0)
    assert top[Pose.HEAD_X] == pytest.approx(1.0, abs=0.01)
    assert top[Pose.IRIS_ROTATION_X] > 0.1
    assert top[[Pose.HEAD_Y, Pose.NECK_Z, Pose.BODY_Y]] == pytest.approx([0.0, 0.0, 0.0])


def test_the_neck_tilts_a_little_and_the_body_follows_less() -> None:
    values = resting(MouseDecoder(), 1.0, 0.5)
    assert 0.0 < abs(values[Pose.NECK_Z]) < 0.3
    assert abs(values[Pose.BODY_Y]) < abs(values[Pose.HEAD_Y])
    assert abs(values[Pose.BODY_Z]) < abs(values[Pose.NECK_Z])
    moved = [*GAZE, *HEAD, Pose.NECK_Z, Pose.BODY_Y, Pose.BODY_Z]
    others = np.ones(45, bool)
    others[moved] = False
    assert not values[others].any(), "blinking, breathing and speaking are not the mouse's"


def test_the_eyes_lead_and_the_head_follows() -> None:
    decoder = MouseDecoder()
    decoder.feed(packet(0.0, 0.0), START)
    first = sample_of(decoder.feed(packet(-1.0, 1.0), START + FRAME_NS)).values
    later = resting(decoder, -1.0, 1.0)
    assert 0.0 < first[Pose.HEAD_Y] < 0.3
    assert first[Pose.IRIS_ROTATION_Y] > 0.6 > later[Pose.IRIS_ROTATION_Y] > 0.0
    assert first[Pose.IRIS_ROTATION_X] > later[Pose.IRIS_ROTATION_X] > 0.0


@pytest.mark.parametrize("per_second", [20, 60, 144])
def test_the_head_needs_the_same_time_at_any_rate(per_second: int) -> None:
    decoder = MouseDecoder()
    decoder.feed(packet(0.0, 0.0), START)
    step = 1_000_000_000 // per_second
    for frame in range(1, per_second * 150 // 1000 + 1):
        values = sample_of(decoder.feed(packet(-1.0, 0.0), START + frame * step)).values
        expected = 1.0 - math.exp(-frame * step / 75e6)
        assert values[Pose.HEAD_Y] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("percent", [20, 50, 100, 150, 300])
def test_range_turns_the_head_farther_and_the_eyes_never_away_from_the_pointer(percent: int) -> None:
    decoder = mouse.new_decoder(settings(mouse_range=percent))
    for right, up in ((-0.2, 0.2), (-0.6, 0.6), (-1.0, 1.0)):
        values = resting(decoder, right, up)
        reached = min(-right * percent / 100.0, 1.0)
        assert values[HEAD] == pytest.approx([reached, reached], abs=0.01)
        assert (values[GAZE] > 0.0).all()
        assert (values >= MINIMUM).all()
        assert (values <= MAXIMUM).all()


# -- packets --------------------------------------------------------------------------------------------------------


def test_a_sample_does_not_claim_to_see_the_eyes() -> None:
    sample = sample_of(MouseDecoder().feed(packet(0.3, 0.3), START))
    assert (sample.tracks_eyes, sample.arrival_ns, sample.vocabulary) == (False, START, "pose")
    assert sample.values.shape == (45,)
    assert sample.values.dtype == np.float32


@pytest.mark.parametrize("size", [0, 1, 7, 9, 16, 1785, 65_507])
def test_packets_of_another_size_are_dropped(size: int) -> None:
    assert MouseDecoder().feed(b"\x00" * size, START) is Drop.WRONG_SIZE


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_dropped_and_changes_nothing(bad: float) -> None:
    decoder, other = MouseDecoder(), MouseDecoder()
    for each in (decoder, other):
        each.feed(packet(0.5, 0.5), START)
    assert decoder.feed(packet(bad, 0.0), START + FRAME_NS) is Drop.NOT_FINITE
    assert decoder.feed(packet(0.0, bad), START + FRAME_NS) is Drop.NOT_FINITE
    one, two = (sample_of(each.feed(packet(0.6, 0.6), START + 2 * FRAME_NS)).values for each in (decoder, other))
    assert np.array_equal(one, two)


def test_numbers_out_of_range_are_the_edge() -> None:
    wild = sample_of(MouseDecoder().feed(packet(-1e30, 3e38), START)).values
    assert np.array_equal(wild, sample_of(MouseDecoder().feed(packet(-1.0, 1.0), START)).values)


def test_a_clock_that_goes_back_does_no_harm() -> None:
    """A recording that is played again from its beginning."""
    decoder = MouseDecoder()
    resting(decoder, 1.0, 1.0)
    again = sample_of(decoder.feed(packet(-1.0, 0.0), START - 10**12)).values
    assert np.isfinite(again).all()
    assert resting(decoder, -1.0, 0.0)[Pose.HEAD_Y] == pytest.approx(1.0, abs=0.01)


def test_a_face_made_of_the_mouse_blinks_and_breathes_by_itself() -> None:
    mixer, decoder = PoseMixer(), MouseDecoder()
    mixer.configure(settings())
    lids, breaths = [], []
    for frame in range(60 * 20):
        now = START + frame * FRAME_NS
        pose = mixer.pose(sample_of(decoder.feed(packet(0.9, 0.0), now)), now).pose
        lids.append(float(pose[Pose.EYE_WINK_LEFT]))
        breaths.append(float(pose[Pose.BREATHING]))
    assert max(lids[60:]) > 0.9
    assert min(lids[60:]) < 0.05
    assert max(breaths) - min(breaths) > 0.3
    assert pose[Pose.HEAD_Y] < -0.8


# -- the place in the area ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "expected"),
    [((0, 0), (-1, 1)), ((1919, 0), (1, 1)), ((1919, 1079), (1, -1)), ((0, 1079), (-1, -1)), ((960, 540), (0, 0))],
)
def test_corners_and_middle_of_a_monitor(place: Place, expected: tuple[float, float]) -> None:
    assert within(place, SCREEN, (0.5, 0.5)) == pytest.approx(expected, abs=0.002)


def test_monitors_may_lie_left_of_and_above_the_main_one() -> None:
    area = (-1280, -200, 3200, 1280)
    assert within((-1280, -200), area, (0.5, 0.5)) == (-1.0, 1.0)
    assert within((1919, 1079), area, (0.5, 0.5)) == (1.0, -1.0)


def test_a_pointer_outside_the_area_is_at_its_edge() -> None:
    assert within((5000, -5000), SCREEN, (0.5, 0.5)) == (1.0, 1.0)
    assert within((-5000, 5000), SCREEN, (0.5, 0.5)) == (-1.0, -1.0)


def test_the_centre_may_lie_elsewhere() -> None:
    centre = (0.25, 0.8)
    assert within((480, 863), SCREEN, centre) == pytest.approx((0.0, 0.0), abs=0.002)
    assert within((0, 0), SCREEN, centre) == (-1.0, 1.0)
    assert within((1919, 1079), SCREEN, centre) == (1.0, -1.0)


@pytest.mark.parametrize("centre", [(0.0, 0.0), (1.0, 1.0)])
@pytest.mark.parametrize("area", [SCREEN, (0, 0, 0, 0), (0, 0, 1, 1)])
def test_a_centre_at_the_edge_and_an_area_without_size_give_numbers(centre: tuple[float, float], area: Area) -> None:
    for place in ((0, 0), (7, 7), (-7, -7)):
        x, y = within(place, area, centre)
        assert -1.0 <= x <= 1.0
        assert -1.0 <= y <= 1.0


# -- the thread -----------------------------------------------------------------------------------------------------


class FakePointer:
    """A pointer and monitors that a test moves."""

    def __init__(self) -> None:
        self.at: Place | None = (960, 540)
        self.main: Area | None = SCREEN
        self.everything: Area | None = (-1920, 0, 3840, 1080)
        self.problem: Exception | None = None
        self.opened = self.closed = 0
        self.threads: set[int] = set()

    def open(self) -> FakePointer:
        if self.problem is not None:
            raise self.problem
        self.opened += 1
        return self

    def place(self) -> Place | None:
        self.threads.add(threading.get_ident())
        if self.problem is not None:
            raise self.problem
        return self.at

    def area(self, primary: bool) -> Area | None:
        return self.main if primary else self.everything

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def pointer(monkeypatch: pytest.MonkeyPatch) -> FakePointer:
    monkeypatch.setattr(mouse, "_RETRY_S", 0.01)
    return FakePointer()


def look(tracker: MouseTracker, side: float) -> bool:
    """Whether the head comes to be turned so far to the screen's right."""

    def turned() -> bool:
        sample = tracker.latest(now_ns())
        return sample is not None and abs(-sample.values[Pose.HEAD_Y] - side) < 0.01

    return wait_until(turned)


@pytest.mark.parametrize(("primary", "side"), [(True, 0.0), (False, 0.5)])
def test_the_tracker_follows_over_the_chosen_area(pointer: FakePointer, primary: bool, side: float) -> None:
    tracker = MouseTracker(MouseDecoder(), primary=primary, open_pointer=pointer.open)
    try:
        assert look(tracker, side)
        pointer.at = (1919, 0)
        assert look(tracker, 1.0)
        status = tracker.status(now_ns())
        assert (status.state, status.error) == (TrackerState.TRACKING, None)
        assert wait_until(lambda: tracker.status(now_ns()).samples_per_second > 0)
    finally:
        tracker.close()
    assert len(pointer.threads) == 1
    assert (pointer.opened, pointer.closed) == (1, 1)


def test_monitors_that_come_and_go_are_noticed(pointer: FakePointer) -> None:
    later = 0
    tracker = MouseTracker(
        MouseDecoder(), primary=False, open_pointer=pointer.open, clock=lambda: now_ns() + later * 1_000_000_000
    )
    try:
        pointer.at = (1919, 540)
        assert look(tracker, 1.0)
        pointer.everything = (-1920, 0, 3 * 1920, 1080)
        later = 3
        assert look(tracker, 1.0 / 3.0)
        pointer.everything = None
        later = 6
        assert wait_until(lambda: tracker.status(now_ns() + 7 * 10**9).state is TrackerState.LOST)
        pointer.everything = SCREEN
        assert look(tracker, 1.0)
    finally:
        tracker.close()


def test_a_pointer_that_cannot_be_told_for_a_while_is_lost_not_failed(pointer: FakePointer) -> None:
    tracker = MouseTracker(MouseDecoder(), primary=True, open_pointer=pointer.open)
    try:
        assert look(tracker, 0.0)
        pointer.at = None
        assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.LOST)
        pointer.at = (1919, 540)
        assert look(tracker, 1.0)
    finally:
        tracker.close()


@pytest.mark.parametrize("problem", [PointerUnavailable("no_display"), OSError("no such library")])
def test_a_system_that_fails_is_told_and_tried_again(pointer: FakePointer, problem: Exception) -> None:
    tracker = MouseTracker(MouseDecoder(), primary=True, open_pointer=pointer.open)
    try:
        assert look(tracker, 0.0)
        pointer.problem = problem
        assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.FAILED)
        error = tracker.status(now_ns()).error
        assert error is not None
        assert error.parameters["tracker"] == "mouse"
        if isinstance(problem, PointerUnavailable):
            assert error.parameters["reason"] == "no_display"
        assert pointer.closed == pointer.opened, "nothing is held meanwhile"
        pointer.problem, pointer.at = None, (1919, 540)
        assert look(tracker, 1.0)
        assert tracker.status(now_ns()).error is None
    finally:
        tracker.close()


def test_it_ends_at_once_even_while_it_waits_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mouse, "_RETRY_S", 60.0)
    pointer = FakePointer()
    pointer.problem = PointerUnavailable("no_display")
    tracker = MouseTracker(MouseDecoder(), primary=True, open_pointer=pointer.open)
    assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.FAILED)
    tracker.close()
    tracker.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "tracker-mouse"]


def test_on_wayland_the_user_is_told_what_is_seen(pointer: FakePointer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    tracker = MouseTracker(MouseDecoder(), primary=True, open_pointer=pointer.open)
    try:
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        assert [hint.key for hint in tracker.status(now_ns()).hints] == ["pointer_wayland"]
        monkeypatch.delenv("WAYLAND_DISPLAY")
        assert tracker.status(now_ns()).hints == ()
    finally:
        tracker.close()


def test_what_was_recorded_can_be_replayed(pointer: FakePointer, tmp_path: Path) -> None:
    file = tmp_path / "mouse_test.rec"
    pointer.at = (1919, 0)
    tracker = MouseTracker(MouseDecoder(), primary=True, open_pointer=pointer.open)
    try:
        writer = RecordingWriter(file)
        tracker.record(writer)
        since = now_ns()
        assert wait_until(lambda: (sample := tracker.latest(now_ns())) is not None and sample.arrival_ns > since)
        tracker.record(None)
        writer.close()
    finally:
        tracker.close()
    records = read_recording(file)
    assert {record.datagram for record in records} == {packet(1.0, 1.0)}
    assert registry.protocol_of_recording(file.name) == tracker.recording_prefix == "mouse"
    factory = registry.decoder_factory("mouse", settings())
    assert factory is not None
    assert resting(factory(), 1.0, 1.0)[Pose.HEAD_Y] == pytest.approx(-1.0, abs=0.01)


def test_the_settings_reach_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    pointer = FakePointer()
    pointer.at, pointer.main = (1919, 540), (0, 0, 3840, 1080)
    monkeypatch.setattr(MouseTracker.__init__, "__kwdefaults__", {
        **(MouseTracker.__init__.__kwdefaults__ or {}), "open_pointer": pointer.open,
    })  # fmt: skip
    tracker = mouse.open_tracker(settings(mouse_area="primary", mouse_centre_x=0, mouse_range=50))
    try:
        assert look(tracker, 0.25)
    finally:
        tracker.close()
