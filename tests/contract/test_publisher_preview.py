"""The preview's window on a real X display, and every way in which its program can leave us."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.publish import preview
from core.publish.latest import CLOSE_LIMIT_S
from core.publish.preview import CLOSED, PreviewPublisher
from core.publish.preview_window import HEADER, MAGIC, TITLE
from core.wire.errors import DisplayMissing, OutputFailed

from .fake_outputs import (
    LIMIT_S,
    frame,
    open_past_registry,
    plain_picture,
    publisher_threads,
    wait_until,
    x_display,
    x_display_missing,
)

OPAQUE_RED = (0, 0, 200, 255)
RED = (0, 0, 200)
NOTHING = (0, 0, 0, 0)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A display with a window manager, as users have it."""
    missing = x_display_missing()
    if missing:
        pytest.skip(missing)
    for tool in ("openbox", "xdotool", "import"):
        if shutil.which(tool) is None:
            pytest.skip(f"looking at a window needs openbox, xdotool and ImageMagick: no {tool}")
    with x_display() as name:
        environment = {**os.environ, "DISPLAY": name}
        manager = subprocess.Popen(["openbox"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        yield name
        manager.terminate()
        manager.wait(LIMIT_S)


@pytest.fixture
def screen(display: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Screen:
    monkeypatch.setenv("DISPLAY", display)
    return Screen(tmp_path / "window.png")


class Screen:
    """What a user sees of the window, and does to it."""

    def __init__(self, picture: Path) -> None:
        self._picture = picture

    def look(self) -> NDArray[np.uint8]:
        """The window's content; empty while there is none."""
        for window in self.windows()[:1]:
            # a window may change its size or go while it is being looked at
            taken = subprocess.run(
                ["import", "-window", window, str(self._picture)], capture_output=True, timeout=LIMIT_S
            )
            seen = cv2.imread(str(self._picture), cv2.IMREAD_COLOR) if taken.returncode == 0 else None
            if seen is not None:
                return np.asarray(seen, np.uint8)
        return np.empty((0, 0, 3), np.uint8)

    def shows(self, size: tuple[int, int], places: dict[tuple[int, int], tuple[int, int, int]]) -> bool:
        """Does it show these colours (BGR) at these places (x, y), in this size?"""

        def is_there() -> bool:
            seen = self.look()
            return seen.shape[1::-1] == size and all(seen[y, x].tolist() == [*bgr] for (x, y), bgr in places.items())

        for _ in range(5):
            if wait_until(is_there, LIMIT_S / 5):
                return True
            # on a busy machine the Qt of OpenCV's package now and then loses the event that its window can be seen
            self.minimise_and_restore()
        return False

    def minimise_and_restore(self) -> None:
        for window in self.windows():
            for verb in ("windowminimize", "windowmap"):
                subprocess.run(["xdotool", verb, "--sync", window], check=True, timeout=LIMIT_S)

    def press(self, key: str) -> None:
        window = self.windows()[0]
        subprocess.run(["xdotool", "windowfocus", "--sync", window, "key", key], check=True, timeout=LIMIT_S)

    def windows(self) -> list[str]:
        found = subprocess.run(["xdotool", "search", "--name", "^EasyVtuber"], capture_output=True, timeout=LIMIT_S)
        return found.stdout.decode().split()


_opened: list[PreviewPublisher] = []


@pytest.fixture(autouse=True)
def everything_closed() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()
    assert wait_until(lambda: publisher_threads() == [])


def open_preview(background: int = 0xFF00B140, **figures: float | str) -> PreviewPublisher:
    publisher = open_past_registry("preview", {"background_colour": background}, figures=lambda: figures)
    assert isinstance(publisher, PreviewPublisher)
    _opened.append(publisher)
    return publisher


def test_the_window_shows_the_picture_over_the_background(screen: Screen) -> None:
    publisher = open_preview()
    picture = plain_picture(300, 200, NOTHING)
    picture[:, :150] = OPAQUE_RED
    publisher.publish(frame(picture))
    assert screen.shows((300, 200), {(75, 100): RED, (225, 100): (0, 177, 64)})
    publisher.publish(frame(plain_picture(400, 400, OPAQUE_RED)))
    assert screen.shows((400, 400), {(380, 380): RED})
    publisher.close()
    assert screen.windows() == []


def test_a_transparent_background_is_checks(screen: Screen) -> None:
    publisher = open_preview(background=0x00FFFFFF)
    publisher.publish(frame(plain_picture(256, 256, NOTHING)))
    assert screen.shows((256, 256), {(8, 8): (0xCC, 0xCC, 0xCC), (24, 8): (0x99, 0x99, 0x99)})


def test_figures_are_on_the_picture_and_go_with_a_key(screen: Screen) -> None:
    publisher = open_preview(frames_per_second=59.9, tracker="receiving")
    publisher.publish(frame(plain_picture(256, 256, OPAQUE_RED)))
    assert screen.shows((256, 256), {(200, 200): RED})
    text = screen.look()[:40, :200]
    assert (text == 255).all(axis=2).any()
    screen.press("f")
    assert wait_until(lambda: bool((screen.look()[:40, :200] == RED).all()))
    screen.press("f")
    assert wait_until(lambda: np.array_equal(screen.look()[:40, :200], text))


def test_it_opens_again_and_again(screen: Screen) -> None:
    for red in (50, 100, 150):
        publisher = open_preview()
        publisher.publish(frame(plain_picture(256, 256, (0, 0, red, 255))))
        assert screen.shows((256, 256), {(100, 100): (0, 0, red)})
        publisher.close()


def test_a_desktops_choice_of_wayland_does_no_harm(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "wayland")
    open_preview().close()


def test_the_user_closes_the_window(screen: Screen) -> None:
    if shutil.which("wmctrl") is None:
        pytest.skip("closing a window as a user does needs wmctrl")
    publisher = open_preview()
    publisher.publish(frame(plain_picture(256, 256, OPAQUE_RED)))
    assert screen.shows((256, 256), {(200, 200): RED})
    subprocess.run(["wmctrl", "-F", "-c", TITLE], check=True, timeout=LIMIT_S)
    assert wait_until(lambda: publisher.description == CLOSED)
    assert wait_until(lambda: publisher_threads() == [])
    assert publisher.failure is None
    publisher.publish(frame(plain_picture(256, 256, OPAQUE_RED)))
    assert screen.windows() == []


def test_a_minimised_window_is_not_closed(screen: Screen) -> None:
    publisher = open_preview()
    publisher.publish(frame(plain_picture(256, 256, OPAQUE_RED)))
    assert screen.shows((256, 256), {(200, 200): RED})
    screen.minimise_and_restore()
    publisher.publish(frame(plain_picture(256, 256, (200, 0, 0, 255)), 2))
    assert screen.shows((256, 256), {(200, 200): (200, 0, 0)})
    assert publisher.description == ""


def test_a_display_that_goes_away_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = x_display_missing()
    if missing:
        pytest.skip(missing)
    with x_display() as name:
        monkeypatch.setenv("DISPLAY", name)
        publisher = open_preview()
        publisher.publish(frame(plain_picture(256, 256, OPAQUE_RED)))
    assert wait_until(lambda: publisher.failure is not None)
    publisher.close()
    assert publisher_threads() == []


@pytest.mark.skipif(sys.platform != "linux", reason="DISPLAY is for X")
@pytest.mark.parametrize("name", ["", ":59999", ":59999.0", "unix:59999", "localhost:59000"])
def test_without_a_display_nothing_aborts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", name)
    with pytest.raises(DisplayMissing):
        open_preview()
    assert preview.unavailable() == (None if name else "no_display")
    assert publisher_threads() == []


@pytest.mark.skipif(sys.platform != "linux", reason="DISPLAY is for X")
def test_a_display_that_refuses_us_ends_only_the_windows_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """What libX11 is left to find out by itself: there Qt calls abort()."""
    monkeypatch.setenv("DISPLAY", "not a display")
    with pytest.raises(DisplayMissing, match="display"):
        open_preview()
    assert publisher_threads() == []


def program(folder: Path, after_ready: str) -> Path:
    path = folder / "window.py"
    path.write_text(f"import os, sys, time\nprint('ready', flush=True)\n{after_ready}\n", "utf-8")
    return path


def started(window_program: Path, monkeypatch: pytest.MonkeyPatch) -> PreviewPublisher:
    monkeypatch.setattr(preview, "probe_display", lambda display: None)
    publisher = PreviewPublisher(0xFF00B140, dict, window_program)
    _opened.append(publisher)
    publisher.start()
    return publisher


def test_an_end_with_status_zero_is_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = started(program(tmp_path, "sys.stdin.buffer.read(1); os._exit(0)"), monkeypatch)
    assert publisher.description == ""
    publisher.publish(frame(plain_picture(256, 256, OPAQUE_RED)))
    assert wait_until(lambda: publisher.description == CLOSED)
    assert wait_until(lambda: publisher_threads() == [])
    assert publisher.failure is None
    publisher.close()


def test_any_other_end_is_a_failure_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = "sys.stdin.buffer.read(1); print('out of memory', flush=True); os._exit(3)"
    publisher = started(program(tmp_path, dying), monkeypatch)
    publisher.publish(frame(plain_picture(256, 256, OPAQUE_RED)))
    assert wait_until(lambda: publisher.failure is not None)
    assert isinstance(publisher.failure, OutputFailed)
    assert "status 3" in publisher.failure.detail
    assert "out of memory" in publisher.failure.detail
    publisher.close()
    assert publisher_threads() == []


def test_a_program_that_takes_no_pictures_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = started(program(tmp_path, f"time.sleep({LIMIT_S * 10})"), monkeypatch)
    for sequence in range(30):
        publisher.publish(frame(plain_picture(1024, 1024, OPAQUE_RED), sequence))
    publisher.close()
    assert CLOSE_LIMIT_S < LIMIT_S
    assert wait_until(lambda: publisher_threads() == [])


def test_a_program_that_does_not_start_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputFailed, match="no_such"):
        started(tmp_path / "no_such.py", monkeypatch)
    assert publisher_threads() == []


def test_the_program_ends_when_its_input_ends_in_the_middle_of_a_picture(screen: Screen) -> None:
    child = subprocess.Popen(
        [sys.executable, "-I", str(preview.WINDOW_PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "QT_QPA_PLATFORM": "xcb"},
    )
    output, _ = child.communicate(HEADER.pack(MAGIC, 256, 256, 0) + b"half", timeout=LIMIT_S)
    assert output.split() == [b"ready"]
    assert child.returncode == 0
