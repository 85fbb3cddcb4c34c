"""The camera's thread and the tracker on top of it, with cameras that do everything real ones do wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.wire.clock import now_ns
from core.wire.errors import InputUnavailable
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from tests.unit.webcam_packets import packet
from trackers import registry, webcam, webcam_capture
from trackers.base import TrackerState
from trackers.recording import RecordingWriter, read_recording
from trackers.webcam import WebcamTracker
from trackers.webcam_capture import CameraGone, CaptureThread, as_rgb, camera_opener, video_opener
from trackers.webcam_names import BACKEND

SECOND = 1_000_000_000


def shot(value: int = 0, height: int = 72, width: int = 96) -> NDArray[np.uint8]:
    """A plain BGR picture whose blue tells which one it is."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, :, 0] = value
    return picture


class FakeCamera:
    """In place of ``cv2.VideoCapture``: gives what is put into it and waits while there is nothing."""

    def __init__(self, *shots: Any, rate: float = 30.0) -> None:
        self.rate = rate
        self.opened = True
        self.asked: list[tuple[int, float]] = []
        self.reads = 0
        self.released = threading.Event()
        self.reader = ""
        self._shots = list(shots)
        self._more = threading.Condition()
        self._ended = False

    def give(self, *shots: Any) -> None:
        """These next; None is a read that fails, an exception is raised."""
        with self._more:
            self._shots += shots
            self._more.notify_all()

    def end(self) -> None:
        """From now on every read fails at once."""
        with self._more:
            self._ended = True
            self._more.notify_all()

    @property
    def is_empty(self) -> bool:
        """Was everything read?"""
        return not self._shots

    def isOpened(self) -> bool:
        return self.opened

    def read(self) -> tuple[bool, Any]:
        self.reader = threading.current_thread().name
        with self._more:
            self._more.wait_for(lambda: bool(self._shots) or self._ended, 30.0)
            self.reads += 1
            result = self._shots.pop(0) if self._shots else None
        if isinstance(result, Exception):
            raise result
        return (False, None) if result is None else (True, result)

    def set(self, what: int, value: float) -> bool:
        self.asked.append((what, value))
        return True

    def get(self, what: int) -> float:
        return self.rate

    def release(self) -> None:
        self.released.set()


@pytest.fixture
def capture_of() -> Iterator[Callable[..., CaptureThread]]:
    """Starts camera threads; at the end they must end."""
    made: list[tuple[CaptureThread, FakeCamera]] = []

    def start(camera: FakeCamera, clock: Callable[[], int] = now_ns, *, paced: bool = False) -> CaptureThread:
        capture = CaptureThread(lambda: camera, clock, paced=paced)
        made.append((capture, camera))
        return capture

    yield start
    for capture, camera in made:
        camera.end()
        capture.close(5.0)
    assert wait_until(lambda: all(camera.released.is_set() for _, camera in made))


# -- pictures of every kind -----------------------------------------------------------------------------------------


def test_a_colour_picture_turns_its_channels_round() -> None:
    picture = np.zeros((64, 80, 3), np.uint8)
    picture[:] = (1, 2, 3)
    rgb = as_rgb(picture)
    assert rgb is not None and rgb.shape == (64, 80, 3) and rgb[5, 5].tolist() == [3, 2, 1]


@pytest.mark.parametrize("shape", [(64, 80), (64, 80, 1)])
def test_grey_pictures_are_taken(shape: tuple[int, ...]) -> None:
    rgb = as_rgb(np.full(shape, 7, np.uint8))
    assert rgb is not None and rgb.shape == (64, 80, 3) and rgb[0, 0].tolist() == [7, 7, 7]


def test_a_picture_with_transparency_loses_it() -> None:
    picture = np.zeros((64, 80, 4), np.uint8)
    picture[:] = (1, 2, 3, 4)
    rgb = as_rgb(picture)
    assert rgb is not None and rgb.shape == (64, 80, 3) and rgb[5, 5].tolist() == [3, 2, 1]


def test_whatever_its_memory_looks_like_it_ends_up_contiguous() -> None:
    wide = np.zeros((200, 400, 3), np.uint8)
    wide[:, :, 0] = np.arange(400) % 200
    for picture in (wide[::2, ::2], wide[:, ::-1], np.asfortranarray(wide), wide[20:120, 30:130]):
        rgb = as_rgb(picture)
        assert rgb is not None and rgb.flags.c_contiguous and rgb.dtype == np.uint8
        assert np.array_equal(rgb, picture[:, :, ::-1])


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((63, 640, 3), np.uint8),
        np.zeros((640, 63), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((64, 64, 2), np.uint8),
        np.zeros((64, 64, 5), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros(5000, np.uint8),
        np.zeros((2, 64, 64, 3), np.uint8),
        "a picture",
        None,
    ],
    ids=lambda picture: str(getattr(picture, "shape", picture)),
)
def test_what_is_no_picture_for_a_face_is_none(picture: Any) -> None:
    assert as_rgb(picture) is None


# -- the camera's thread --------------------------------------------------------------------------------------------


def test_the_picture_carries_the_time_when_the_camera_gave_it(capture_of: Callable[..., CaptureThread]) -> None:
    camera = FakeCamera()
    times = iter(range(100, 10_000, 100))
    capture = capture_of(camera, lambda: next(times))
    camera.give(shot(8))
    picture = capture.wait(5.0)
    assert picture is not None
    assert picture.rgb[0, 0].tolist() == [0, 0, 8]
    arrival = picture.arrival_ns
    camera.give(shot(9))
    after = capture.wait(5.0)
    assert after is not None and after.arrival_ns > arrival


def test_only_the_newest_picture_is_kept(capture_of: Callable[..., CaptureThread]) -> None:
    camera = FakeCamera(*(shot(value) for value in range(1, 9)))
    capture = capture_of(camera)
    # the ninth read waits: all eight were taken over
    assert wait_until(lambda: camera.reads == 8)
    camera.give(shot(9))
    assert wait_until(lambda: camera.reads == 9)

    def newest() -> int:
        picture = capture.wait(1.0)
        return int(picture.rgb[0, 0, 2]) if picture is not None else -1

    seen = [newest()]
    while seen[-1] != 9:
        seen.append(newest())
    assert len([value for value in seen if value > 0]) <= 2, f"older ones were queued: {seen}"
    assert capture.wait(0.01) is None, "none is given out twice"


def test_unusable_pictures_are_passed_over(capture_of: Callable[..., CaptureThread]) -> None:
    camera = FakeCamera(shot(1, 32, 32), np.zeros((72, 96, 2), np.uint8), shot(5))
    capture = capture_of(camera)
    picture = None
    while picture is None:
        picture = capture.wait(1.0)
    assert int(picture.rgb[0, 0, 2]) == 5


def test_one_failed_read_is_a_hiccup_three_are_the_end(capture_of: Callable[..., CaptureThread]) -> None:
    camera = FakeCamera(shot(1), None, None, shot(2))
    capture = capture_of(camera)
    assert wait_until(lambda: camera.is_empty)
    assert capture.gone is None and not camera.released.is_set()
    camera.give(None, None, None)
    assert wait_until(lambda: capture.gone is not None)
    assert capture.gone is not None and capture.gone.reason == "camera_lost"
    assert camera.released.wait(5.0), "the camera was not given back"


def test_a_driver_that_raises_is_a_lost_camera(capture_of: Callable[..., CaptureThread]) -> None:
    camera = FakeCamera(shot(1), cv2.error("driver"))
    capture = capture_of(camera)
    assert wait_until(lambda: capture.gone is not None)
    assert camera.released.wait(5.0)


def test_closing_does_not_wait_for_a_driver_that_hangs(capture_of: Callable[..., CaptureThread]) -> None:
    camera = FakeCamera()
    capture = capture_of(camera)
    assert wait_until(lambda: camera.reader != "")
    capture.close(0.05)
    assert not camera.released.is_set(), "the driver does hang"
    # as soon as the driver lets it, the thread gives the camera back by itself
    camera.give(shot())
    assert camera.released.wait(5.0)


def test_the_camera_is_read_by_a_daemon(capture_of: Callable[..., CaptureThread]) -> None:
    camera = FakeCamera()
    capture_of(camera)
    assert wait_until(lambda: camera.reader != "")
    readers = [thread for thread in threading.enumerate() if thread.name == camera.reader]
    assert readers and all(thread.daemon for thread in readers), "a hanging driver would keep the process alive"


# -- opening --------------------------------------------------------------------------------------------------------


@pytest.fixture
def opencv(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What OpenCV was asked to open; what it opens is :data:`FakeCamera`."""
    asked: list[tuple[Any, ...]] = []

    def open_capture(*what: Any) -> FakeCamera:
        asked.append(what)
        camera = FakeCamera()
        camera.opened = what[0] not in (7, "broken.mp4")
        return camera

    monkeypatch.setattr(cv2, "VideoCapture", open_capture)
    return asked


def test_the_camera_of_that_name_is_opened_as_wished(
    opencv: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webcam_capture, "index_of", {"HD Pro Webcam": 4}.get)
    camera = camera_opener("HD Pro Webcam", 640, 360, 25)()
    assert opencv == [(4, BACKEND)]
    wishes = dict(camera.asked)
    assert (wishes[cv2.CAP_PROP_FRAME_WIDTH], wishes[cv2.CAP_PROP_FRAME_HEIGHT]) == (640, 360)
    assert wishes[cv2.CAP_PROP_FPS] == 25
    assert wishes[cv2.CAP_PROP_BUFFERSIZE] == 1, "what waits in the driver is old"


def test_large_pictures_are_asked_for_compressed(
    opencv: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webcam_capture, "index_of", lambda name: 0)
    large = [what for what, _ in camera_opener("HD Pro Webcam", 1280, 720, 30)().asked]
    small = [what for what, _ in camera_opener("HD Pro Webcam", 640, 480, 30)().asked]
    assert cv2.CAP_PROP_FOURCC not in small
    # the order that DirectShow needs
    assert large.index(cv2.CAP_PROP_FPS) < large.index(cv2.CAP_PROP_FOURCC) < large.index(cv2.CAP_PROP_FRAME_WIDTH)


def test_a_camera_that_is_not_there_is_not_opened(
    opencv: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webcam_capture, "index_of", lambda name: None)
    with pytest.raises(CameraGone) as gone:
        camera_opener("HD Pro Webcam", 640, 360, 30)()
    assert (gone.value.reason, opencv) == ("camera_not_found", [])


def test_a_camera_in_use_is_told_apart(opencv: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam_capture, "index_of", lambda name: 7)
    with pytest.raises(CameraGone) as gone:
        camera_opener("HD Pro Webcam", 640, 360, 30)()
    assert gone.value.reason == "camera_busy"


@pytest.mark.parametrize("path", ["nowhere.mp4", "", "http://192.0.2.1/stream.mjpg", "rtsp://192.0.2.1/"])
def test_only_files_are_played(opencv: list[tuple[Any, ...]], path: str) -> None:
    with pytest.raises(CameraGone) as gone:
        video_opener(Path(path))()
    assert (gone.value.reason, opencv) == ("no_video_file", [])


def test_a_file_that_is_no_video_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "text.mp4"
    file.write_text("no video", encoding="utf-8")
    with pytest.raises(CameraGone) as gone:
        video_opener(file)()
    assert gone.value.reason == "no_video_file"


# -- a video in a camera's place ------------------------------------------------------------------------------------


class Film(FakeCamera):
    """Three pictures; reading goes on only after the beginning was asked for."""

    def __init__(self, rate: float = 30.0) -> None:
        super().__init__(rate=rate)
        self.place = self.rewound = 0
        self.at: list[int] = []

    def read(self) -> tuple[bool, Any]:
        self.reads += 1
        if self._ended or self.place == 3:
            return False, None
        self.place += 1
        self.at.append(now_ns())
        return True, shot(self.place)

    def set(self, what: int, value: float) -> bool:
        if (what, value) == (cv2.CAP_PROP_POS_FRAMES, 0):
            self.place = 0
            self.rewound += 1
        return True


def test_a_video_begins_again_when_it_is_over(capture_of: Callable[..., CaptureThread]) -> None:
    film = Film(rate=240.0)
    capture = capture_of(film, paced=True)
    assert wait_until(lambda: film.rewound >= 3)
    assert capture.gone is None


def test_a_video_plays_at_its_own_speed(capture_of: Callable[..., CaptureThread]) -> None:
    film = Film(rate=100.0)
    capture_of(film, paced=True)
    assert wait_until(lambda: len(film.at) >= 31)
    # never faster; how much slower is the machine's affair
    assert film.at[30] - film.at[0] > 0.25 * SECOND


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), 1e9])
def test_a_video_that_tells_no_speed_plays_all_the_same(rate: float, capture_of: Callable[..., CaptureThread]) -> None:
    film = Film(rate=rate)
    capture_of(film, paced=True)
    assert wait_until(lambda: film.rewound >= 1)


# -- the tracker ----------------------------------------------------------------------------------------------------


class Finder:
    """In place of the landmarker: a face in every picture, but for blue 99."""

    def __init__(self) -> None:
        self.looked: list[int] = []
        self.closed = threading.Event()
        self.problem: Exception | None = None

    def look(self, picture: NDArray[np.uint8], time_ns: int) -> bytes:
        if self.problem is not None:
            problem, self.problem = self.problem, None
            raise problem
        self.looked.append(int(picture[0, 0, 2]))
        return b"" if self.looked[-1] == 99 else packet({"jawOpen": self.looked[-1] / 100})

    def close(self) -> None:
        self.closed.set()


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1000 * SECOND

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


class Desk:
    """A tracker with cameras that can be plugged in and out."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.finder = Finder()
        self.cameras: list[FakeCamera] = []
        self.missing = ""
        self.tracker: WebcamTracker | None = None

    def _open(self) -> FakeCamera:
        if self.missing:
            raise CameraGone(self.missing)
        self.cameras.append(FakeCamera())
        return self.cameras[-1]

    def start(self) -> WebcamTracker:
        self.tracker = WebcamTracker(
            "HD Pro Webcam", lambda: CaptureThread(self._open, self.clock), lambda: self.finder, self.clock
        )
        return self.tracker

    def reason(self) -> str:
        """Why the input does not work; empty when it does."""
        assert self.tracker is not None
        error = self.tracker.status(self.clock.now).error
        return str(error.parameters["reason"]) if error is not None else ""

    def state(self) -> TrackerState:
        assert self.tracker is not None
        return self.tracker.status(self.clock.now).state

    def hints(self) -> list[str]:
        assert self.tracker is not None
        return [hint.key for hint in self.tracker.status(self.clock.now).hints]

    def wait_for_camera(self, number: int = 1) -> FakeCamera:
        assert wait_until(lambda: len(self.cameras) >= number)
        return self.cameras[number - 1]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(webcam, "_SHORTEST_RETRY_S", 0.01)
    monkeypatch.setattr(webcam, "_LONGEST_RETRY_S", 0.02)
    monkeypatch.setattr(webcam, "_WAIT_S", 0.02)
    made = Desk()
    yield made
    if made.tracker is not None:
        made.tracker.close()
        assert made.finder.closed.wait(5.0), "the landmarker was not given back"
    for camera in made.cameras:
        camera.end()
    assert wait_until(lambda: all(camera.released.is_set() for camera in made.cameras))


def test_a_picture_becomes_a_sample_as_old_as_the_picture(desk: Desk) -> None:
    tracker = desk.start()
    desk.wait_for_camera().give(shot(50))
    assert wait_until(lambda: tracker.latest(desk.clock.now) is not None)
    sample = tracker.latest(desk.clock.now)
    assert sample is not None and sample.arrival_ns == desk.clock.now
    assert sample.values.max() == np.float32(0.5)
    assert desk.state() is TrackerState.TRACKING and desk.reason() == ""


def test_while_the_camera_wakes_up_the_user_is_told(desk: Desk) -> None:
    tracker = desk.start()
    camera = desk.wait_for_camera()
    assert (desk.hints(), desk.state()) == (["camera_opening"], TrackerState.WAITING)
    camera.give(shot(1))
    assert wait_until(lambda: tracker.latest(0) is not None)
    assert desk.hints() == []


def test_pictures_without_a_face_are_counted_and_the_face_is_lost(desk: Desk) -> None:
    tracker = desk.start()
    camera = desk.wait_for_camera()
    camera.give(shot(1))
    assert wait_until(lambda: tracker.latest(0) is not None)
    desk.clock.pass_seconds(0.6)
    camera.give(shot(99))
    assert wait_until(lambda: tracker.status(desk.clock.now).dropped.get("no_face") == 1)
    assert desk.state() is TrackerState.LOST
    camera.give(shot(2))
    assert wait_until(lambda: desk.state() is TrackerState.TRACKING)


@pytest.mark.parametrize("reason", ["camera_not_found", "camera_busy"])
def test_a_camera_that_comes_later_is_taken_then(desk: Desk, reason: str) -> None:
    desk.missing = reason
    tracker = desk.start()
    assert wait_until(lambda: desk.reason() == reason)
    error = tracker.status(desk.clock.now).error
    assert isinstance(error, InputUnavailable) and error.parameters["tracker"] == "webcam"
    assert desk.state() is TrackerState.FAILED
    desk.missing = ""
    desk.wait_for_camera().give(shot(3))
    assert wait_until(lambda: desk.state() is TrackerState.TRACKING)
    assert desk.reason() == ""


def test_a_camera_that_was_pulled_out_is_opened_again(desk: Desk) -> None:
    desk.start()
    desk.wait_for_camera().give(shot(1))
    assert wait_until(lambda: desk.state() is TrackerState.TRACKING)
    desk.missing = "camera_not_found"
    desk.cameras[0].end()
    assert wait_until(lambda: desk.reason() == "camera_not_found")
    assert desk.cameras[0].released.wait(5.0)
    desk.missing = ""
    desk.wait_for_camera(2).give(shot(2))
    assert wait_until(lambda: desk.state() is TrackerState.TRACKING)
    assert desk.finder.looked == [1, 2]


def test_a_camera_that_stands_still_is_opened_again(desk: Desk) -> None:
    desk.start()
    frozen = desk.wait_for_camera()
    frozen.give(shot(1))
    assert wait_until(lambda: desk.state() is TrackerState.TRACKING)
    desk.clock.pass_seconds(1.9)
    assert not wait_until(lambda: len(desk.cameras) > 1, 0.2), "not before its time"
    desk.clock.pass_seconds(0.2)
    desk.wait_for_camera(2).give(shot(2))
    assert wait_until(lambda: desk.finder.looked == [1, 2])
    # what the frozen driver gives at last is not shown any more, and its camera is given back
    frozen.give(shot(77))
    assert frozen.released.wait(5.0)
    assert 77 not in desk.finder.looked


def test_a_driver_that_hangs_for_good_does_not_pile_up_threads(desk: Desk) -> None:
    tracker = desk.start()
    for number in (1, 2, 3):
        desk.wait_for_camera(number).give(shot(number))
        assert wait_until(lambda number=number: desk.finder.looked[-1:] == [number])  # type: ignore[misc]
        desk.clock.pass_seconds(2.1)
    assert wait_until(lambda: desk.reason() == "camera_frozen")
    desk.clock.pass_seconds(60.0)
    assert not wait_until(lambda: len(desk.cameras) > 3, 0.3)
    # one comes to: there is room for another try
    desk.cameras[1].give(shot(77))
    desk.wait_for_camera(4).give(shot(4))
    assert wait_until(lambda: desk.finder.looked == [1, 2, 3, 4])
    assert tracker.status(desk.clock.now).error is None


def test_a_camera_may_take_long_for_its_first_picture(desk: Desk) -> None:
    desk.start()
    desk.wait_for_camera()
    desk.clock.pass_seconds(8.0)
    assert not wait_until(lambda: len(desk.cameras) > 1, 0.2)
    desk.clock.pass_seconds(11.0)
    assert wait_until(lambda: len(desk.cameras) > 1)


def test_a_landmarker_that_fails_is_made_anew(desk: Desk) -> None:
    desk.start()
    desk.finder.problem = RuntimeError("graph")
    desk.wait_for_camera().give(shot(1))
    desk.wait_for_camera(2).give(shot(2))
    assert wait_until(lambda: desk.state() is TrackerState.TRACKING)
    assert desk.finder.closed.is_set()
    assert desk.reason() == ""


def test_a_landmarker_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam, "_LONGEST_RETRY_S", 0.02)
    tries: list[int] = []

    def refuse() -> Finder:
        tries.append(1)
        raise InputUnavailable(tracker="webcam", reason="landmarker_damaged")

    def no_camera() -> CaptureThread:
        raise AssertionError("no camera is opened for nothing")

    tracker = WebcamTracker("x", no_camera, refuse)
    assert wait_until(lambda: len(tries) > 2)
    error = tracker.status(now_ns()).error
    assert error is not None and error.parameters["reason"] == "landmarker_damaged"
    tracker.close()


def test_closing_while_the_driver_hangs_gives_everything_else_back(desk: Desk) -> None:
    tracker = desk.start()
    desk.wait_for_camera().give(shot(1))
    assert wait_until(lambda: tracker.latest(0) is not None)
    tracker.close()
    tracker.close()
    assert desk.finder.closed.wait(5.0)
    assert not desk.cameras[0].released.is_set()
    assert wait_until(lambda: all(thread.name != "tracker-webcam" for thread in threading.enumerate()))


def test_what_is_recorded_are_packets_not_pictures(desk: Desk, tmp_path: Path) -> None:
    tracker = desk.start()
    assert tracker.recording_prefix == "webcam"
    assert registry.protocol_of_recording(f"{tracker.recording_prefix}-now.rec") == "webcam"
    recording = RecordingWriter(tmp_path / "webcam.rec")
    tracker.record(recording)
    camera = desk.wait_for_camera()
    for number, value in enumerate((10, 99, 20)):
        camera.give(shot(value))
        assert wait_until(lambda number=number: len(desk.finder.looked) > number)  # type: ignore[misc]
    assert wait_until(lambda: recording.packets == 3)
    tracker.record(None)
    recording.close()
    expected = [packet({"jawOpen": 0.1}), b"", packet({"jawOpen": 0.2})]
    assert [record.datagram for record in read_recording(recording.path)] == expected


# -- from the settings ----------------------------------------------------------------------------------------------


def settings(**changed: Value) -> dict[str, Value]:
    return {**defaults(), "tracker": "webcam", **changed}


def test_without_the_landmarkers_file_the_user_is_told_how_to_get_it(home: Path) -> None:
    with pytest.raises(InputUnavailable) as refused:
        webcam.open_tracker(settings())
    assert refused.value.parameters == {"tracker": "webcam", "reason": "landmarker_missing"}


@pytest.mark.parametrize(
    ("size", "expected"), [("640x360", (640, 360)), ("1920x1080", (1920, 1080))], ids=["small", "large"]
)
def test_the_settings_choose_camera_size_and_rate(
    home: Path, monkeypatch: pytest.MonkeyPatch, size: str, expected: tuple[int, int]
) -> None:
    file = home / "weights" / "mediapipe" / "face_landmarker.task"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"any")
    asked: list[tuple[Any, ...]] = []
    finder = Finder()

    def opener(*what: Any) -> Callable[[], FakeCamera]:
        asked.append(what)
        return FakeCamera

    monkeypatch.setattr(webcam_capture, "camera_opener", opener)
    monkeypatch.setattr("trackers.webcam_landmarker.FaceLandmarker", lambda: finder)
    tracker = webcam.open_tracker(settings(camera="HD Pro Webcam", camera_size=size, camera_rate=60))
    tracker.close()
    assert asked == [("HD Pro Webcam", *expected, 60)]
