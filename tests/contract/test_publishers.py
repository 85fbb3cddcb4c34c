"""What every publisher promises, tried on all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.publish import registry
from core.publish.base import Picture, PublishContext, Publisher
from core.publish.null import NullPublisher
from core.publish.pixels import over_background, straight
from core.publish.spout import SpoutPublisher
from core.wire.ring import FLAG_TRANSPARENT, FrameRing
from core.wire.settings import MAXIMUM_PICTURE_BYTES, defaults

from .fake_outputs import (
    SpoutPc,
    fake_pyvirtualcam,
    frame,
    open_past_registry,
    plain_picture,
    publisher_threads,
    x_display,
    x_display_missing,
)

REASONS = {
    None, "windows_only", "package_missing", "no_display", "no_camera_driver", "no_file_path", "unknown_file_type",
}  # fmt: skip
GREEN = 0xFF00B140
HALF_RED = (10, 20, 100, 128)
SIZES = ((256, 256), (512, 384), (320, 320))


class Case(NamedTuple):
    """One publisher, and how its last picture looks to somebody outside (after close) beside how it should."""

    publisher: Publisher
    seen: Callable[[], NDArray[np.uint8] | None] = lambda: None
    expected: Callable[[Picture], NDArray[np.uint8]] = lambda picture: picture
    tolerance: int = 1

    def assert_shows(self, picture: Picture) -> None:
        seen, expected = self.seen(), self.expected(picture)
        if seen is None:
            return
        if self.tolerance > 1:
            # a video keeps the size of the first frame that it got
            seen = cv2.resize(seen, (expected.shape[1], expected.shape[0])).astype(np.uint8)
        assert seen.shape == expected.shape
        assert np.abs(seen.astype(int) - expected).max() <= self.tolerance


@pytest.fixture
def obs_source() -> Iterator[Case]:
    with FrameRing.create(MAXIMUM_PICTURE_BYTES) as ring:

        def seen() -> NDArray[np.uint8] | None:
            header, pixels = ring.header(ring.newest), ring.read(ring.newest)
            assert header is not None
            assert pixels is not None
            assert bool(header.flags & FLAG_TRANSPARENT) == (not any(pixels))
            return np.frombuffer(pixels, np.uint8).reshape(header.height, header.width, 4)

        context = PublishContext(ring_locator=ring.locator)
        yield Case(registry.open_publisher("obs_source", defaults(), context), seen, _straight)


@pytest.fixture
def null() -> Case:
    return Case(registry.open_publisher("null", defaults(), PublishContext()))


@pytest.fixture
def spout() -> Case:
    pc = SpoutPc()
    publisher = SpoutPublisher("EasyVtuber", 256, pc.make_sender)
    publisher.start()
    return Case(publisher, lambda: pc.sent[-1])


@pytest.fixture
def virtual_camera(monkeypatch: pytest.MonkeyPatch) -> Case:
    camera = fake_pyvirtualcam()
    monkeypatch.setitem(sys.modules, "pyvirtualcam", camera)
    publisher = open_past_registry("virtual_camera", {})
    return Case(publisher, lambda: camera.sent[-1][:, :, ::-1], _over_green)


def file(folder: Path, name: str) -> Case:
    publisher = open_past_registry("file", {"file_path": str(folder / name)})
    if name.endswith("png"):
        return Case(publisher, lambda: _read_picture(max(folder.glob("*.png"))), _straight)
    return Case(publisher, lambda: _read_last(folder / name), _over_green, tolerance=12)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    if sys.platform == "win32":
        yield ""
        return
    missing = x_display_missing()
    if missing:
        pytest.skip(missing)
    with x_display() as name:
        yield name


@pytest.fixture
def window(display: str, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setenv("DISPLAY", display)
    return Case(registry.open_publisher("preview", {**defaults(), "background_colour": 0}, PublishContext()))


FILES = ("a.mp4", "a.mkv", "a.avi", "a.png", "a_%05d.png")


@pytest.fixture(params=["obs_source", "null", "spout", "virtual_camera", "window", *FILES])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    made: Case = file(tmp_path, request.param) if request.param in FILES else request.getfixturevalue(request.param)
    yield made
    made.publisher.close()
    assert publisher_threads() == []


def test_thirty_frames_in_changing_sizes_and_hidden_ones(case: Case) -> None:
    for sequence in range(1, 30):
        width, height = SIZES[sequence // 10]
        visible = sequence % 7 != 0
        colour = HALF_RED if visible else (0, 0, 0, 0)
        case.publisher.publish(frame(plain_picture(width, height, colour), sequence, visible))
    newest = plain_picture(*SIZES[-1], (200, 100, 0, 255))
    case.publisher.publish(frame(newest, 30))
    case.publisher.close()
    assert case.publisher.failure is None
    case.assert_shows(newest)


def test_the_picture_may_be_overwritten_after_publish(case: Case) -> None:
    picture = plain_picture(256, 256, HALF_RED)
    promised = picture.copy()
    case.publisher.publish(frame(picture))
    picture[:] = 255
    case.publisher.close()
    case.assert_shows(promised)


def test_closing_twice_and_without_a_frame(case: Case) -> None:
    case.publisher.close()
    case.publisher.close()
    assert case.publisher.failure is None
    assert publisher_threads() == []


def test_a_description_is_there_from_the_start(case: Case) -> None:
    assert isinstance(case.publisher.description, str)


def test_what_cannot_work_here_is_a_known_reason() -> None:
    assert set(registry.availability().values()) <= REASONS
    assert registry.unavailable("obs_source") is None
    assert isinstance(registry.open_publisher("null", defaults(), PublishContext()), NullPublisher)


def _straight(picture: Picture) -> Picture:
    return straight(picture, np.empty_like(picture))


def _over_green(picture: Picture) -> Picture:
    return over_background(picture, GREEN)


def _read_picture(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)


def _read_last(path: Path) -> NDArray[np.uint8]:
    reader = cv2.VideoCapture(str(path))
    newest = None
    while (got := reader.read())[0]:
        newest = got[1]
    reader.release()
    assert newest is not None
    return np.asarray(newest, np.uint8)
