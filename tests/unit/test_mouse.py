"""The mouse as a face: where the pointer is, what that makes of the pose, and a thread that never gives up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from core.pose.parameters import Pose
from core.wire.clock import now_ns
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from trackers import mouse, pointer
from trackers.base import Drop, TrackerSample, TrackerState
from trackers.mouse import PACKET, MouseDecoder, MouseTracker, within
from trackers.pointer import Area, Place, PointerUnavailable
from trackers.recording import RecordingWriter, read_recording

FRAME_NS = 16_666_667
START = 5_000_000_000
SCREEN: Area = (0, 0, 1001, 501)
CENTRE = (0.5, 0.5)


def settled(right: float, up: float, reach: float = 1.0) -> TrackerSample:
    """The sample after the pointer has been there for a while."""
    decoder = MouseDecoder(reach)
    result: object = None
    for frame in range(120):
        result = decoder.feed(PACKET.pack(right, up), START + frame * FRAME_NS)
    assert isinstance(result, TrackerSample)
    return result


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((500, 250), (0.0, 0.0)),
        ((0, 0), (-1.0, 1.0)),
        ((1000, 500), (1.0, -1.0)),
        ((750, 125), (0.5, 0.5)),
        ((-300, 900), (-1.0, -1.0)),
    ],
)
def test_a_pixel_is_a_place_in_the_area(place: Place, expected: tuple[float, float]) -> None:
    assert within(place, SCREEN, CENTRE) == pytest.approx(expected)


def test_monitors_left_of_the_main_one_are_part_of_the_area() -> None:
    assert within((-960, 540), (-1920, 0, 1921, 1081), CENTRE) == pytest.approx((0.0, 0.0))


def test_another_centre_keeps_both_edges_full() -> None:
    centre = (0.25, 0.8)
    assert within((250, 400), SCREEN, centre) == pytest.approx((0.0, 0.0))
    assert within((0, 0), SCREEN, centre) == pytest.approx((-1.0, 1.0))
    assert within((1000, 500), SCREEN, centre) == pytest.approx((1.0, -1.0))
    assert all(-1.0 <= part <= 1.0 for part in within((5, 5), SCREEN, (0.0, 1.0)))
    assert within((5, 5), (0, 0, 0, 0), CENTRE)


def test_the_avatar_looks_where_the_pointer_is() -> None:
    """It looks out of the screen: the right of the screen is the character's left."""
    pose = settled(1.0, 1.0).values
    assert pose[Pose.HEAD_Y] == pytest.approx(-1.0, abs=0.01)
    assert pose[Pose.HEAD_X] == pytest.approx(1.0, abs=0.01)
    assert pose[Pose.IRIS_ROTATION_Y] < -0.2
    assert pose[Pose.IRIS_ROTATION_X] > 0.1
    assert -1.0 < pose[Pose.BODY_Y] < -0.2
    assert settled(0.0, 0.0).values == pytest.approx([0.0] * 45)


def test_the_range_scales_the_heads_turn() -> None:
    assert settled(1.0, 0.0, 0.5).values[Pose.HEAD_Y] == pytest.approx(-0.5, abs=0.01)


def test_the_eyes_are_there_before_the_head() -> None:
    decoder = MouseDecoder()
    decoder.feed(PACKET.pack(0.0, 0.0), START)
    first = decoder.feed(PACKET.pack(1.0, 0.0), START + FRAME_NS)
    assert isinstance(first, TrackerSample)
    assert abs(first.values[Pose.IRIS_ROTATION_Y]) > 0.6
    assert abs(first.values[Pose.HEAD_Y]) < 0.3


@pytest.mark.parametrize("fps", [30, 60, 144])
def test_the_head_follows_by_time_not_by_packets(fps: int) -> None:
    decoder = MouseDecoder()
    decoder.feed(PACKET.pack(0.0, 0.0), START)
    sides = []
    for frame in range(1, fps + 1):
        result = decoder.feed(PACKET.pack(1.0, 0.0), START + frame * 1_000_000_000 // fps)
        assert isinstance(result, TrackerSample)
        sides.append(float(result.values[Pose.HEAD_Y]))
    assert all(after <= before for before, after in pairwise(sides))
    assert sides[fps // 10 - 1] == pytest.approx(-0.736, abs=0.03)  # a tenth of a second: 1 - exp(-0.1 / 0.075)


def test_nobody_sees_the_eyes_so_the_avatar_blinks_by_itself() -> None:
    assert not settled(0.3, 0.0).tracks_eyes


@pytest.mark.parametrize(
    ("packet", "drop"),
    [
        (b"", Drop.WRONG_SIZE),
        (bytes(9), Drop.WRONG_SIZE),
        (PACKET.pack(float("nan"), 0.0), Drop.NOT_FINITE),
        (PACKET.pack(0.0, float("inf")), Drop.NOT_FINITE),
    ],
)
def test_what_is_no_place_is_left_out(packet: bytes, drop: Drop) -> None:
    assert MouseDecoder().feed(packet, START) is drop


def test_a_place_far_off_the_screen_is_its_edge() -> None:
    assert settled(50.0, -50.0).values == pytest.approx(settled(1.0, -1.0).values)


# -- the thread ----------------------------------------------------------------------------------------------------


class Hand:
    """A pointer in a test's hand."""

    def __init__(self) -> None:
        self.at: Place | None = (500, 250)
        self.screen: Area | None = SCREEN
        self.asked: list[bool] = []
        self.closed = 0

    def place(self) -> Place | None:
        return self.at

    def area(self, primary: bool) -> Area | None:
        self.asked.append(primary)
        return self.screen

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def tracker(hand: Hand) -> Iterator[MouseTracker]:
    made = MouseTracker(MouseDecoder(), primary=False, open_pointer=lambda: hand)
    yield made
    made.close()
    made.close()
    assert hand.closed == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "tracker-mouse"]


def side(tracker: MouseTracker) -> float:
    sample = tracker.latest(now_ns())
    return float(sample.values[Pose.HEAD_Y]) if sample is not None else 0.0


def test_it_follows_the_pointer(tracker: MouseTracker, hand: Hand) -> None:
    hand.at = (1000, 250)
    assert wait_until(lambda: side(tracker) < -0.9)
    hand.at = (0, 250)
    assert wait_until(lambda: side(tracker) > 0.9)
    assert tracker.status(now_ns()).state is TrackerState.TRACKING
    assert hand.asked[0] is False


def test_while_the_pointer_cannot_be_told_the_face_is_lost_and_then_back(tracker: MouseTracker, hand: Hand) -> None:
    assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.TRACKING)
    hand.at = None
    assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.LOST)
    hand.at = (3, 3)
    assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.TRACKING)


def test_its_packets_are_recorded(tracker: MouseTracker, tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "mouse_1.rec")
    tracker.record(writer)
    assert wait_until(lambda: writer.packets > 3)
    tracker.record(None)
    writer.close()
    assert {record.datagram for record in read_recording(writer.path)} == {PACKET.pack(0.0, 0.0)}
    assert tracker.recording_prefix == "mouse"


def test_a_system_that_does_not_tell_is_asked_again(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mouse, "_RETRY_S", 0.02)
    tries: list[int] = []

    def open_pointer() -> Hand:
        tries.append(1)
        if len(tries) < 4:
            raise PointerUnavailable("no_display")
        return hand

    tracker = MouseTracker(MouseDecoder(), primary=True, open_pointer=open_pointer)
    try:
        assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.TRACKING)
        assert tracker.status(now_ns()).error is None
        assert hand.asked == [True]
    finally:
        tracker.close()


def test_why_it_cannot_be_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for display, wayland, reason in (("", "", "no_display"), ("", "wayland-0", "wayland_no_pointer"), (":1", "", None)):
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
        assert mouse.unavailable() == reason
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert mouse.unavailable() is None
    assert pointer.is_partial()


def test_the_settings_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Value] = {**defaults(), "mouse_range": 50}
    decoder = mouse.new_decoder(given)
    for frame in range(60):
        result = decoder.feed(PACKET.pack(1.0, 0.0), START + frame * FRAME_NS)
    assert isinstance(result, TrackerSample)
    assert result.values[Pose.HEAD_Y] == pytest.approx(-0.5, abs=0.01)
