"""From a film to the face: the recorded video through OpenCV, MediaPipe, the tracker, its recording and its replay."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.mapping.arkit_names import SHAPE
from core.wire.clock import now_ns
from core.wire.settings import defaults
from tests.contract.fake_outputs import wait_until
from tests.data import data
from tests.unit.test_webcam_landmarker import FRAME_NS, VIDEO, model
from tests.unit.webcam_packets import Truth, truth
from trackers import registry
from trackers.base import Drop, TrackerSample, TrackerState
from trackers.recording import RecordingWriter, read_recording
from trackers.webcam import WebcamTracker
from trackers.webcam_capture import CaptureThread
from trackers.webcam_landmarker import FaceLandmarker

EVERY = 3
"""One picture of so many is looked at: ten a second are enough for a blink, and the test stays short."""
LIMIT_S = 120.0


class Film:
    """The video as a camera that goes on only when its last picture was looked at; its clock is the film's own."""

    def __init__(self, path: Path) -> None:
        self._capture = cv2.VideoCapture(str(path))
        self._next = 0
        self._looked_at = threading.Semaphore(1)
        self.may_start = threading.Event()

    def clock(self) -> int:
        """Nanoseconds of the picture that was read last, never 0."""
        return 1_000_000_000 + max(self._next - EVERY, 0) * FRAME_NS

    def looked_at(self) -> None:
        """The next picture, please."""
        self._looked_at.release()

    def read(self) -> tuple[bool, Any]:
        """As ``cv2.VideoCapture.read``, but two pictures of three are passed over."""
        if not self.may_start.wait(LIMIT_S) or not self._looked_at.acquire(timeout=LIMIT_S):
            return False, None
        good, picture = self._capture.read()
        for _ in range(EVERY - 1):
            self._capture.grab()
        self._next += EVERY
        if not good:
            self.looked_at()
        return good, picture

    def get(self, what: int) -> float:
        """Not asked."""
        return 0.0

    def release(self) -> None:
        """The end."""
        self._capture.release()


class Finder:
    """The real landmarker, telling the film when it is done."""

    def __init__(self, film: Film) -> None:
        self._film, self._landmarker = film, FaceLandmarker(model())

    def look(self, picture: NDArray[np.uint8], time_ns: int) -> bytes:
        """See the landmarker."""
        try:
            return self._landmarker.look(picture, time_ns)
        finally:
            self._film.looked_at()

    def close(self) -> None:
        """See the landmarker."""
        self._landmarker.close()


class Seen:
    """What the tracker recorded of the whole film, decoded by the decoder of recordings."""

    def __init__(self, folder: Path) -> None:
        model()
        film = Film(data(VIDEO))
        tracker = WebcamTracker(
            "film", lambda: CaptureThread(lambda: film, film.clock), lambda: Finder(film), film.clock
        )
        recording = RecordingWriter(folder / "webcam-film.rec")
        tracker.record(recording)
        film.may_start.set()
        try:
            self.ended = wait_until(lambda: tracker.status(0).error is not None, LIMIT_S)
            self.status = tracker.status(film.clock())
            self.last = tracker.latest(film.clock())
        finally:
            tracker.close()
            recording.close()
        new_decoder = registry.decoder_factory("webcam", defaults(), recording.path.name)
        assert new_decoder is not None
        decoder = new_decoder()
        self.packets = 0
        self.faces: list[tuple[float, TrackerSample]] = []
        self.no_face: list[float] = []
        for record in read_recording(recording.path):
            self.packets += 1
            result = decoder.feed(record.datagram, 1_000_000_000 + int(record.seconds * 1e9))
            if isinstance(result, TrackerSample):
                self.faces.append((record.seconds, result))
            else:
                assert result is Drop.NO_FACE
                self.no_face.append(record.seconds)

    def shape(self, name: str, start: float, end: float) -> list[float]:
        """Values of a shape between two times."""
        return [float(face.values[SHAPE[name]]) for seconds, face in self.faces if start <= seconds < end]

    def agreement(self, angle: int, drawn: NDArray[np.float64]) -> float:
        """Correlation of a head angle with what was drawn."""
        measured = [face.head_degrees[angle] for _, face in self.faces]
        expected = [drawn[round(seconds * 30)] for seconds, _ in self.faces]
        return float(np.corrcoef(measured, expected)[0, 1])


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return Seen(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def drawn() -> Truth:
    return truth()


def test_every_picture_was_looked_at_until_the_film_ended(seen: Seen) -> None:
    assert seen.ended and seen.packets == 600 // EVERY
    assert seen.status.state is TrackerState.FAILED and seen.status.error is not None
    assert seen.status.error.parameters["reason"] == "camera_lost"
    assert seen.last is not None and seen.last.arrival_ns == seen.faces[-1][1].arrival_ns


def test_the_head_turns_as_it_was_drawn(seen: Seen, drawn: Truth) -> None:
    assert seen.agreement(0, drawn.pitch) > 0.8
    assert seen.agreement(1, drawn.yaw) > 0.9
    assert seen.agreement(2, -drawn.roll) > 0.9, "clockwise on the screen tips the head to the subject's left"


def test_blinks_and_winks_are_seen_on_their_side(seen: Seen) -> None:
    open_eye = max(seen.shape("eyeBlinkLeft", 1.5, 4.5) + seen.shape("eyeBlinkRight", 1.5, 4.5))
    for start in (0.8, 5.0, 9.9):
        assert max(seen.shape("eyeBlinkLeft", start, start + 0.5)) > 2.0 * open_eye
        assert max(seen.shape("eyeBlinkRight", start, start + 0.5)) > 2.0 * open_eye
    assert max(seen.shape("eyeBlinkLeft", 14.2, 14.9)) > 2.0 * max(seen.shape("eyeBlinkRight", 14.2, 14.9))
    assert max(seen.shape("eyeBlinkRight", 15.2, 15.8)) > 2.0 * max(seen.shape("eyeBlinkLeft", 15.2, 15.8))


def test_the_mouth_opens(seen: Seen) -> None:
    assert max(seen.shape("jawOpen", 18.6, 19.8)) > 0.25 > 0.1 > max(seen.shape("jawOpen", 3.0, 6.0))


def test_the_face_is_lost_where_it_left_the_picture_and_found_again(seen: Seen) -> None:
    assert len(seen.no_face) > 10
    assert seen.status.dropped == {"no_face": len(seen.no_face)}
    assert 16.0 <= min(seen.no_face) < 16.7 and 17.7 < max(seen.no_face) <= 18.6
    assert [seconds for seconds, _ in seen.faces if seconds > 18.7]


@pytest.fixture
def home_with_model(home: Path) -> Iterator[Path]:
    place = home / "weights" / "mediapipe" / "face_landmarker.task"
    place.parent.mkdir(parents=True)
    shutil.copyfile(model(), place)
    yield home


def test_a_video_chosen_in_the_panel_is_tracked(home_with_model: Path) -> None:
    assert "webcam" in registry.TRACKERS
    tracker = registry.open_tracker("webcam", {**defaults(), "camera_video": str(data(VIDEO))})
    try:
        assert wait_until(lambda: tracker.status(now_ns()).samples_per_second > 0.0)
        sample = tracker.latest(now_ns())
        assert sample is not None
        assert -1.0 < (sample.position or (0.0, 0.0, 9.0))[2] < -0.1
    finally:
        tracker.close()


def test_a_video_that_is_not_there_is_told(home_with_model: Path) -> None:
    tracker = registry.open_tracker("webcam", {**defaults(), "camera_video": str(home_with_model / "gone.mp4")})
    try:
        assert wait_until(lambda: tracker.status(now_ns()).error is not None)
        error = tracker.status(now_ns()).error
        assert error is not None and error.parameters["reason"] == "no_video_file"
    finally:
        tracker.close()
