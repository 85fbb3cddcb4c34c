"""The real landmarker: its answers as packets, times that never stand still, and what it says when it cannot work."""

from __future__ import annotations

import importlib
import importlib.util
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.wire.errors import InputUnavailable
from core.wire.folders import PROJECT
from models.store import catalog
from models.store.places import Places
from tests.data import data
from tests.unit.webcam_packets import SHAPES, recorded_rows
from trackers import webcam
from trackers.webcam_landmarker import FaceLandmarker, RgbPicture, task_file

VIDEO = "streams/head_640x360_30fps.mp4"
FRAME_NS = 1_000_000_000 // 30


def model() -> Path:
    """The landmarker's file; the test is skipped where it or the package is not there."""
    if importlib.util.find_spec("mediapipe") is None:
        pytest.skip("MediaPipe is not installed")
    return data("mediapipe/face_landmarker.task")


@pytest.fixture
def landmarker() -> Iterator[FaceLandmarker]:
    made = FaceLandmarker(model())
    yield made
    made.close()


def pictures(count: int) -> list[RgbPicture]:
    capture = cv2.VideoCapture(str(data(VIDEO)))
    found = [capture.read()[1] for _ in range(count)]
    capture.release()
    return [np.ascontiguousarray(picture[:, :, ::-1], np.uint8) for picture in found]


def blank(height: int = 360, width: int = 640) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 90, np.uint8)


def test_a_face_becomes_the_packet_that_was_recorded_from_it(landmarker: FaceLandmarker) -> None:
    rows = list(recorded_rows())[:20]
    for index, picture in enumerate(pictures(20)):
        numbers = struct.unpack("<68f", landmarker.look(picture, 10**9 + index * FRAME_NS))
        expected = struct.unpack("<68f", rows[index].packet)
        assert numbers[:52] == pytest.approx(expected[:52], abs=0.02)
        assert numbers[52:] == pytest.approx(expected[52:], abs=0.1)


def test_what_mediapipe_does_not_know_is_at_rest(landmarker: FaceLandmarker) -> None:
    numbers = struct.unpack("<68f", landmarker.look(pictures(1)[0], 0))
    assert numbers[SHAPES.index("tongueOut")] == 0.0
    assert numbers[64:] == (0.0, 0.0, 0.0, 1.0), "the matrix lies there row by row"


def test_without_a_face_the_packet_is_empty(landmarker: FaceLandmarker) -> None:
    assert landmarker.look(blank(), 0) == b""


def test_a_face_is_found_again_after_it_was_gone(landmarker: FaceLandmarker) -> None:
    first = pictures(1)[0]
    found = [len(landmarker.look(picture, 0)) for picture in (first, blank(), blank(), first, first)]
    assert found[0] == found[4] == 272 and found[2] == 0


@pytest.mark.parametrize("times", [(5, 5, 5), (10**15, 10**9, 0), (0, 10**18, 3)])
def test_no_clock_can_make_it_refuse(landmarker: FaceLandmarker, times: tuple[int, ...]) -> None:
    first = pictures(1)[0]
    assert [len(landmarker.look(first, time_ns)) for time_ns in times] == [272] * 3


def test_pictures_may_change_their_size(landmarker: FaceLandmarker) -> None:
    first = pictures(1)[0]
    larger = np.asarray(cv2.resize(first, (1280, 720)), np.uint8)
    assert [len(landmarker.look(picture, 0)) for picture in (first, larger, first)] == [272] * 3
    assert landmarker.look(blank(64, 64), 0) == b""


def test_closing_twice_does_no_harm() -> None:
    made = FaceLandmarker(model())
    made.close()
    made.close()


def test_a_process_that_closed_it_ends_without_a_word() -> None:
    code = (
        "import sys; from pathlib import Path; from trackers.webcam_landmarker import FaceLandmarker\n"
        "made = FaceLandmarker(Path(sys.argv[1])); made.close()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(model())], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr


# -- what can be wrong ----------------------------------------------------------------------------------------------


def reason(file: Path) -> str:
    with pytest.raises(InputUnavailable) as refused:
        FaceLandmarker(file)
    assert refused.value.parameters["tracker"] == "webcam"
    return str(refused.value.parameters["reason"])


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert reason(tmp_path / "face_landmarker.task") == "landmarker_missing"
    assert reason(tmp_path) == "landmarker_missing", "a folder"


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "middle"])
def test_a_damaged_file_is_told(tmp_path: Path, damage: str) -> None:
    whole = model().read_bytes()
    file = tmp_path / "face_landmarker.task"
    file.write_bytes(
        {
            "empty": b"",
            "cut": whole[:-5000],
            "text": b"<html>not found</html>" * 50,
            "middle": whole[: len(whole) // 2],
        }[damage]
    )
    assert reason(file) == "landmarker_damaged"


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "face_landmarker.task"
    file.write_bytes(b"any")
    for name in [name for name in sys.modules if name.split(".")[0] == "mediapipe"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    assert reason(file) == "mediapipe_missing"


def test_a_library_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    file = model()
    FaceLandmarker(file).close()
    vision = importlib.import_module("mediapipe.tasks.python.vision.face_landmarker")

    def fail(options: object) -> None:
        raise OSError("libmediapipe: cannot open shared object file")

    monkeypatch.setattr(vision.FaceLandmarker, "create_from_options", fail)
    assert reason(file) == "package_broken"


def test_a_sound_system_that_fails_is_none_of_its_business(tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise Exception('Error initializing PortAudio')", encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from trackers.webcam_landmarker import FaceLandmarker\n"
        "FaceLandmarker(Path(sys.argv[1])).close(); assert 'sounddevice' not in sys.modules"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(model())],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_a_path_may_have_any_letters(tmp_path: Path) -> None:
    folder = tmp_path / "模型 ü"
    folder.mkdir()
    copy = folder / "face_landmarker.task"
    copy.write_bytes(model().read_bytes())
    FaceLandmarker(copy).close()


def test_the_file_lies_where_the_catalogue_puts_it(home: Path) -> None:
    entry = catalog.entry("face_landmarker")
    assert entry is not None
    assert [Places.of_this_user().path(file.place) for file in entry.files] == [task_file()]
    assert home in task_file().parents


def test_it_is_offered_when_the_package_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    assert webcam.unavailable() == "mediapipe_missing"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: object())
    assert webcam.unavailable() is None
