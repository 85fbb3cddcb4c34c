"""VTube Studio on a phone: asked for as long as it is wanted, read in our senses, and nothing it sends does harm."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.mapping.arkit_names import SHAPE, VOCABULARY
from core.wire.clock import now_ns
from core.wire.errors import PhoneUnreachable
from core.wire.settings import defaults
from tests.contract.fake_outputs import wait_until
from tests.data import data
from tests.unit.free_port import free_port
from tests.unit.vts_packets import FIRST_TIME_MS, LEFT_OUT, SHAPES, android, axes, entries, pascal, vts
from trackers import udp
from trackers import vts as module
from trackers.base import Drop, TrackerSample, TrackerState
from trackers.phone import SILENT_NS
from trackers.recording import read_recording
from trackers.vts import PHONE_PORT, VtsDecoder, VtsRequests, request

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
HOME = "127.0.0.1"
TOLD = {name: place / 64 for place, name in enumerate(SHAPES)}


def sampled(packet: bytes, at: int = SECOND, decoder: VtsDecoder | None = None) -> TrackerSample:
    sample = (decoder or VtsDecoder()).feed(packet, at)
    assert isinstance(sample, TrackerSample)
    return sample


# -- the face -------------------------------------------------------------------------------------------------------


def test_shapes_are_told_by_name() -> None:
    sample = sampled(vts(TOLD))
    assert (sample.arrival_ns, sample.vocabulary) == (SECOND, VOCABULARY)
    assert sample.values.dtype == np.float32
    assert {name: float(sample.values[SHAPE[name]]) for name in SHAPES} == TOLD


@pytest.mark.parametrize("spelled", [str, pascal, android])
def test_phones_spell_and_order_them_differently(spelled: Any) -> None:
    told = entries([(spelled(name), TOLD[name]) for name in reversed(SHAPES)])
    assert sampled(vts(BlendShapes=told)).values.tolist() == sampled(vts(TOLD)).values.tolist()


def test_shapes_are_kept_in_their_range() -> None:
    values = sampled(vts({"jawOpen": 1e300, "eyeBlinkLeft": -7.0, "eyeBlinkRight": 5.0e-11, "mouthClose": 1})).values
    assert [float(values[SHAPE[name]]) for name in ("jawOpen", "eyeBlinkLeft", "mouthClose")] == [1.5, -1.0, 1.0]
    assert 0.0 <= values[SHAPE["eyeBlinkRight"]] < 1e-6


@pytest.mark.parametrize(
    ("turned", "expected"),
    [((7.0, 0.0, 0.0), (0.0, 7.0, 0.0)), ((0.0, 7.0, 0.0), (-7.0, 0.0, 0.0)), ((0.0, 0.0, 7.0), (0.0, 0.0, 7.0))],
)
def test_the_head_turns_in_arkits_sense(turned: Any, expected: Any) -> None:
    """Its x is toward the subject's left, its y is up."""
    assert sampled(vts(turned=turned)).head_degrees == pytest.approx(expected)


def test_the_head_turns_half_a_circle_at_most() -> None:
    assert sampled(vts(turned=(1e9, -1e9, 500.0))).head_degrees == (180.0, 180.0, 180.0)


@pytest.mark.parametrize(
    ("place", "expected"),
    [((1.0, 2.0, 4.7), (0.1, 0.2, -0.47)), ((-1.0, -2.0, 3.0), (-0.1, -0.2, -0.3)), ((1e9, -1e9, 1e9), (10, -10, -10))],
)
def test_tenths_of_a_metre_away_are_metres_toward_the_camera(place: Any, expected: Any) -> None:
    assert sampled(vts(place=place)).position == pytest.approx(expected)


@pytest.mark.parametrize("place", [LEFT_OUT, None, [1, 2, 3], {"x": 1.0}])
def test_a_head_without_a_place_is_a_head(place: Any) -> None:
    sample = sampled(vts({"jawOpen": 0.5}, Position=place))
    assert sample.position is None
    assert sample.values[SHAPE["jawOpen"]] == 0.5


def test_eyes_are_told_by_their_shapes_alone() -> None:
    odd = sampled(vts(TOLD, EyeLeft=axes((30.0, -20.0, 5.0)), EyeRight="closed"))
    assert odd.values.tolist() == sampled(vts(TOLD)).values.tolist()


def test_what_later_versions_add_is_left_alone() -> None:
    assert (
        sampled(vts(TOLD, Hands=[{"deep": [1, 2]}], Version="9")).values.tolist() == sampled(vts(TOLD)).values.tolist()
    )


@pytest.mark.parametrize("found", [False, None, 1, "true", "false", [True]])
def test_only_true_is_a_face(found: Any) -> None:
    assert VtsDecoder().feed(vts(TOLD, FaceFound=found), SECOND) is Drop.NO_FACE


@pytest.mark.parametrize("pressed", range(1, 9))
def test_the_apps_eight_hotkeys_are_passed_on(pressed: int) -> None:
    assert sampled(vts(Hotkey=pressed)).hotkey == pressed


@pytest.mark.parametrize("pressed", [-1, 0, 9, 10**9, -(10**9), 3.0, "3", None, [3], LEFT_OUT])
def test_anything_else_is_no_hotkey(pressed: Any) -> None:
    assert sampled(vts(Hotkey=pressed)).hotkey == 0


@pytest.mark.parametrize("pressed", [True, False])
def test_yes_and_no_are_no_hotkeys(pressed: bool) -> None:
    assert sampled(vts(Hotkey=pressed)).hotkey == 0


# -- what is missing, late or broken --------------------------------------------------------------------------------


def test_a_shape_that_is_left_out_keeps_its_value_for_half_a_second() -> None:
    decoder = VtsDecoder()
    sampled(vts({"jawOpen": 0.5, "tongueOut": 0.5}), SECOND, decoder)
    part = vts(BlendShapes=entries({"TongueOut": 0.25}), time_ms=FIRST_TIME_MS + 16)
    soon = sampled(part, SECOND + 400 * MILLISECOND, decoder)
    assert [float(soon.values[SHAPE[name]]) for name in ("jawOpen", "tongueOut")] == [0.5, 0.25]
    later = sampled(part, SECOND + 600 * MILLISECOND, decoder)
    assert [float(later.values[SHAPE[name]]) for name in ("jawOpen", "tongueOut")] == [0.0, 0.25]


def test_a_packet_that_was_overtaken_is_left_out() -> None:
    decoder = VtsDecoder()
    sampled(vts(time_ms=FIRST_TIME_MS), decoder=decoder)
    sampled(vts(time_ms=FIRST_TIME_MS + 33), decoder=decoder)
    assert decoder.feed(vts(time_ms=FIRST_TIME_MS + 16), SECOND) is Drop.OUT_OF_ORDER
    sampled(vts(time_ms=FIRST_TIME_MS + 50), decoder=decoder)


def test_an_app_whose_clock_was_set_back_is_followed() -> None:
    decoder = VtsDecoder()
    sampled(vts(time_ms=FIRST_TIME_MS), decoder=decoder)
    sampled(vts(time_ms=FIRST_TIME_MS - 3_600_000), decoder=decoder)
    assert decoder.feed(vts(time_ms=FIRST_TIME_MS - 3_600_016), SECOND) is Drop.OUT_OF_ORDER


@pytest.mark.parametrize("time_ms", [2**70, -5, 1e300, 0, 12.5, "soon", None, True, LEFT_OUT])
def test_no_time_keeps_out_what_follows(time_ms: Any) -> None:
    decoder = VtsDecoder()
    sampled(vts(Timestamp=time_ms), decoder=decoder)
    sampled(vts(time_ms=FIRST_TIME_MS), decoder=decoder)


BROKEN: list[dict[str, Any]] = [
    *({"BlendShapes": bad} for bad in (None, {}, "JawOpen", 5, LEFT_OUT)),
    *({"Rotation": bad} for bad in (None, [], "x", {"x": 1.0, "y": 2.0}, axes((1.0, math.nan, 1.0)), LEFT_OUT)),
    {"Rotation": {"x": True, "y": 0.0, "z": 0.0}},
    {"Rotation": {"x": "1", "y": 0.0, "z": 0.0}},
    {"FaceFound": LEFT_OUT},
    {"Other": math.inf},
]


@pytest.mark.parametrize("changed", BROKEN, ids=lambda changed: str(changed).split(" at 0x")[0])
def test_a_broken_packet_changes_nothing(changed: dict[str, Any]) -> None:
    """Neither the shapes that are kept, nor the time that the next packet is measured by."""
    decoder = VtsDecoder()
    before = sampled(vts(TOLD, time_ms=FIRST_TIME_MS), decoder=decoder)
    broken = vts(dict.fromkeys(SHAPES, 1.0), time_ms=FIRST_TIME_MS + 60_000, **changed)
    assert decoder.feed(broken, SECOND) is Drop.WRONG_FORMAT
    after = vts(time_ms=FIRST_TIME_MS + 16, BlendShapes=entries({"JawOpen": TOLD["jawOpen"]}))
    assert sampled(after, SECOND + MILLISECOND, decoder).values.tolist() == before.values.tolist()


@pytest.mark.parametrize("cut", [1, 10, 200, 1000])
def test_half_a_packet_is_dropped(cut: int) -> None:
    assert VtsDecoder().feed(vts(TOLD)[:-cut], SECOND) is Drop.WRONG_FORMAT


def test_our_own_request_is_no_face() -> None:
    assert VtsDecoder().feed(request(50509), SECOND) is Drop.WRONG_FORMAT


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.floats(), max_size=3)


@given(st.dictionaries(st.sampled_from(["Timestamp", "Hotkey", "FaceFound", "Rotation", "Position"]), ODD), ODD, ODD)
def test_whatever_a_packet_says_the_face_is_one_that_can_be(fields: dict[str, Any], name: Any, amount: Any) -> None:
    packet = vts(**{"BlendShapes": [{"k": name, "v": amount}, {"k": "JawOpen", "v": amount}], **fields})
    result = VtsDecoder().feed(packet, SECOND)
    assert isinstance(result, (Drop, TrackerSample))
    if isinstance(result, TrackerSample):
        assert (result.values >= -1.0).all()
        assert (result.values <= 1.5).all()
        assert all(abs(angle) <= 180.0 for angle in result.head_degrees)
        assert 0 <= result.hotkey <= 8


# -- a recording ----------------------------------------------------------------------------------------------------


def test_the_recordings_face_moves_as_the_videos_does() -> None:
    """The columns: time, roll clockwise, yaw to the subject's left, pitch down, zoom, right and down in the picture,
    left and right blink, mouth."""
    truth = np.array(json.loads(data("streams/video_truth.json").read_text()), np.float64)
    decoder, seconds, samples, lost = VtsDecoder(), [], [], 0
    for record in read_recording(data("streams/vts_iphone_synth.rec")):
        result = decoder.feed(record.datagram, SECOND + int(record.seconds * 1e9))
        if isinstance(result, TrackerSample):
            seconds.append(record.seconds)
            samples.append(result)
        else:
            assert result is Drop.NO_FACE
            assert 16.0 < record.seconds < 18.3
            lost += 1
    assert (len(samples), lost) == (548, 52)
    times = np.array(seconds)

    def agrees(seen: list[float], column: int, start: float, end: float) -> float:
        there = (times >= start) & (times < end)
        drawn = np.interp(times[there], truth[:, 0], truth[:, column])
        return float(np.corrcoef(np.array(seen)[there], drawn)[0, 1])

    head = [sample.head_degrees for sample in samples]
    places = [sample.position for sample in samples if sample.position is not None]
    assert len(places) == len(samples)
    assert agrees([pitch for pitch, _, _ in head], 3, 10.0, 12.0) > 0.9
    assert agrees([yaw for _, yaw, _ in head], 2, 6.0, 10.0) > 0.9
    assert agrees([roll for _, _, roll in head], 1, 2.0, 6.0) < -0.9
    assert agrees([x for x, _, _ in places], 5, 15.5, 20.0) > 0.9
    assert agrees([y for _, y, _ in places], 6, 0.0, 2.0) < -0.9
    assert agrees([z for _, _, z in places], 4, 12.0, 14.0) > 0.9, "a bigger face is nearer"
    for name, column, start, end in (
        ("eyeBlinkLeft", 7, 14.0, 15.8), ("eyeBlinkRight", 8, 14.0, 15.8), ("jawOpen", 9, 0.0, 2.5),
    ):  # fmt: skip
        assert agrees([float(sample.values[SHAPE[name]]) for sample in samples], column, start, end) > 0.7
    assert [round(second, 2) for second, sample in zip(seconds, samples, strict=True) if sample.hotkey == 3] == [
        5.0,
        5.03,
    ]
    assert {sample.hotkey for sample in samples} == {0, 3}


# -- asking ---------------------------------------------------------------------------------------------------------


def test_the_request_is_what_the_app_expects() -> None:
    asked = json.loads(request(50509))
    assert asked["messageType"] == "iOSTrackingDataRequest"
    assert asked["ports"] == [50509]
    assert asked["sentBy"] == "EasyVtuber"
    assert 0.5 <= asked["time"] <= 10.0
    assert asked["time"] >= 2.0, "one request may be lost"


def test_the_apps_switch_is_told_of_while_nothing_comes() -> None:
    requests = VtsRequests((HOME, PHONE_PORT), [request(1)])
    assert requests.hints(100 * SECOND, 0) == ()
    requests.due(100 * SECOND, 0)
    assert requests.hints(101 * SECOND, 0) == ()
    silent = requests.hints(100 * SECOND + SILENT_NS, 0)
    assert [(hint.key, hint.warning) for hint in silent] == [("request_sent", True), ("vts_switch", True)]
    assert requests.hints(105 * SECOND, 104 * SECOND) == ()


class Phone:
    """The app on a socket of its own."""

    def __init__(self, port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOME, port))
        self.socket.setblocking(False)
        self.port = int(self.socket.getsockname()[1])
        self.asked: list[dict[str, Any]] = []
        self.time_ms = FIRST_TIME_MS

    def hears(self) -> int:
        """How many requests came so far."""
        while True:
            try:
                packet = self.socket.recv(2048)
            except BlockingIOError:
                return len(self.asked)
            self.asked.append(json.loads(packet))

    def sends(self, **changed: Any) -> None:
        """One frame to every port of the last request, as the app does."""
        self.time_ms += 16
        for port in self.asked[-1]["ports"]:
            self.socket.sendto(vts(time_ms=self.time_ms, **changed), (HOME, port))

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    yield made
    made.close()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(udp, "_WAIT_S", 0.02)
    return free_port()


def test_the_phone_is_asked_while_it_sends_and_when_it_is_gone_and_back(phone: Phone, port: int) -> None:
    tracker = module.open_tracker({**defaults(), "phone_address": f"{HOME}:{phone.port}", "vts_port": port})
    back = None
    try:
        assert tracker.recording_prefix == "vts"
        assert wait_until(lambda: phone.hears() > 0)
        assert phone.asked[0]["ports"] == [port]

        def asked_again_while_it_sends() -> bool:
            phone.sends(turned=(5.0, 0.0, 0.0))
            return phone.hears() >= 2

        assert wait_until(asked_again_while_it_sends)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert sample.head_degrees == pytest.approx((0.0, 5.0, 0.0))
        assert tracker.status(sample.arrival_ns).state is TrackerState.TRACKING
        assert tracker.status(sample.arrival_ns).hints == ()

        phone.close()
        assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.LOST)
        gone = {hint.key for hint in tracker.status(now_ns() + 2 * SILENT_NS).hints}
        assert gone == {"request_sent", "vts_switch"}

        back = Phone(phone.port)
        assert wait_until(lambda: back.hears() > 0)
        assert back.asked[0]["ports"] == [port]
        back.time_ms = phone.time_ms

        def is_followed() -> bool:
            back.sends(turned=(9.0, 0.0, 0.0))
            newest = tracker.latest(now_ns())
            return newest is not None and newest.head_degrees[1] == pytest.approx(9.0)

        assert wait_until(is_followed)
    finally:
        tracker.close()
        if back is not None:
            back.close()


def test_a_phone_without_a_face_is_there_all_the_same(phone: Phone, port: int) -> None:
    tracker = module.open_tracker({**defaults(), "phone_address": f"{HOME}:{phone.port}", "vts_port": port})
    try:
        assert wait_until(lambda: phone.hears() > 0)

        def counted() -> bool:
            phone.sends(FaceFound=False)
            return tracker.status(now_ns()).dropped.get("no_face", 0) > 0

        assert wait_until(counted)
        status = tracker.status(now_ns())
        assert (status.state, status.hints) == (TrackerState.WAITING, ())
    finally:
        tracker.close()


def test_without_a_phones_address_nobody_is_asked_and_the_user_is_told(port: int) -> None:
    tracker = module.open_tracker({**defaults(), "vts_port": port})
    try:
        assert [hint.key for hint in tracker.status(now_ns() + 60 * SECOND).hints] == ["phone_address_missing"]
    finally:
        tracker.close()


def test_what_is_no_address_is_refused_at_once() -> None:
    with pytest.raises(PhoneUnreachable):
        module.open_tracker({**defaults(), "phone_address": "my phone"})


def test_it_needs_nothing() -> None:
    assert module.unavailable() is None
    assert module.new_decoder(defaults(), "vts_iphone_synth.rec") is not module.new_decoder(defaults())
    assert PHONE_PORT == 21412
