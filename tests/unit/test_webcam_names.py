"""Cameras by name: numbered when they share one, found again by it, and no camera library is no disaster."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import cast

import cv2
import pytest

from core.wire.settings import BY_KEY
from trackers import webcam_names
from trackers.webcam_names import camera_names, cameras, index_of

LIBRARY = "cv2_enumerate_cameras"


class Library:
    """In place of cv2-enumerate-cameras: what is plugged in, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plugged: list[tuple[int, str]] = []
        self.asked: list[int] = []
        self.problem: Exception | None = None
        monkeypatch.setitem(sys.modules, LIBRARY, cast(ModuleType, self))

    def enumerate_cameras(self, backend: int) -> list[SimpleNamespace]:
        self.asked.append(backend)
        if self.problem is not None:
            raise self.problem
        return [SimpleNamespace(index=index, name=name, backend=backend) for index, name in self.plugged]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    return Library(monkeypatch)


def test_cameras_come_in_the_order_of_their_numbers(library: Library) -> None:
    library.plugged = [(2, "Capture card"), (0, "Integrated Camera"), (1, "HD Pro Webcam")]
    assert list(camera_names()) == ["Integrated Camera", "HD Pro Webcam", "Capture card"]


def test_cameras_of_one_name_are_numbered(library: Library) -> None:
    library.plugged = [(0, "USB Camera"), (1, "Other"), (4, "USB Camera"), (6, "USB Camera")]
    assert list(camera_names()) == ["USB Camera", "Other", "USB Camera (2)", "USB Camera (3)"]
    assert [index_of(name) for name in camera_names()] == [0, 1, 4, 6]


def test_a_name_that_begins_like_another_is_not_numbered(library: Library) -> None:
    library.plugged = [(0, "USB Camera (046d:0825)"), (1, "USB Camera"), (2, "USB Camera (046d:0825)")]
    assert list(camera_names()) == ["USB Camera (046d:0825)", "USB Camera", "USB Camera (046d:0825) (2)"]


def test_what_was_chosen_in_the_panel_is_found_again(library: Library) -> None:
    library.plugged = [(0, "Webcam \x00\t "), (1, "\n")]
    assert [index_of(str(BY_KEY["camera"].check(name))) for name in camera_names()] == [0, 1]


def test_cameras_that_a_program_draws_are_never_the_first(library: Library) -> None:
    library.plugged = [(0, "OBS Virtual Camera"), (1, "Unity Video Capture"), (2, "HD Pro Webcam")]
    assert index_of("automatic") == 2
    assert index_of("OBS Virtual Camera") == 0, "who wants it gets it"
    library.plugged = library.plugged[:2]
    assert index_of("automatic") == 0


def test_a_name_finds_its_camera_wherever_it_is_plugged_in(library: Library) -> None:
    library.plugged = [(0, "Integrated Camera"), (1, "Kamera über USB 摄像头")]
    assert index_of("Kamera über USB 摄像头") == 1
    library.plugged = [(0, "Kamera über USB 摄像头"), (3, "Integrated Camera")]
    assert index_of("Kamera über USB 摄像头") == 0
    assert index_of("Integrated Camera") == 3


def test_a_camera_that_is_not_there_has_no_number(library: Library) -> None:
    library.plugged = [(0, "Integrated Camera")]
    assert index_of("HD Pro Webcam") is None
    library.plugged = []
    assert index_of("Integrated Camera") is None


def test_automatic_is_the_first(library: Library) -> None:
    library.plugged = [(5, "B"), (3, "A")]
    assert index_of("automatic") == 3


def test_automatic_tries_the_first_number_when_nobody_knows(library: Library) -> None:
    assert index_of("automatic") == 0


def test_the_system_is_asked_the_way_opencv_will_open(library: Library) -> None:
    cameras()
    assert set(library.asked) == {webcam_names.BACKEND}
    expected = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_V4L2)
    assert expected == webcam_names.BACKEND, "the same number that OpenCV knows it by"


@pytest.mark.parametrize(
    "problem", [OSError("no such device"), RuntimeError("COM"), UnicodeDecodeError("a", b"", 0, 1, "")]
)
def test_a_driver_that_fails_costs_the_list_only(library: Library, problem: Exception) -> None:
    library.plugged = [(0, "Integrated Camera")]
    library.problem = problem
    assert list(camera_names()) == []
    assert index_of("automatic") == 0
    assert index_of("Integrated Camera") is None


def test_without_the_library_there_are_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, LIBRARY, None)
    assert list(camera_names()) == []
    assert index_of("automatic") == 0


def test_the_real_library_answers() -> None:
    pytest.importorskip(LIBRARY)
    assert all(camera.name and camera.index >= 0 for camera in cameras())
