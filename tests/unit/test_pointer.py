"""Where the pointer is: on a real X display, on a stand-in for Windows, and why not where nobody tells."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.pose.parameters import Pose
from core.wire.clock import now_ns
from core.wire.folders import PROJECT
from core.wire.settings import defaults
from tests.contract.fake_outputs import LIMIT_S, wait_until, x_display, x_display_missing
from trackers import mouse, pointer
from trackers.pointer import Area, PointerUnavailable

no_x = pytest.mark.skipif(x_display_missing() is not None, reason=str(x_display_missing()))
SCREEN = (0, 0, 800, 700)


# -- where it cannot be told ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "x11", "wayland", "reason"),
    [
        ("win32", "", "", None),
        ("linux", ":0", "", None),
        ("linux", ":0", "wayland-0", None),
        ("linux", "", "wayland-0", "wayland_no_pointer"),
        ("linux", "", "", "no_display"),
        ("darwin", ":0", "", "windows_or_x11_only"),
    ],
)
def test_why_not(monkeypatch: pytest.MonkeyPatch, platform: str, x11: str, wayland: str, reason: str | None) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("DISPLAY", x11)
    monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    assert pointer.reason_against() == mouse.unavailable() == reason
    assert pointer.is_partial() == (platform == "linux" and bool(wayland))
    if reason is not None:
        with pytest.raises(PointerUnavailable) as raised:
            pointer.open_pointer()
        assert raised.value.reason == reason


@pytest.mark.skipif(sys.platform != "linux", reason="X displays are for Linux")
def test_a_display_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":99999")
    with pytest.raises(PointerUnavailable) as raised:
        pointer.open_pointer()
    assert raised.value.reason == "no_display"


# -- X11 ------------------------------------------------------------------------------------------------------------


class XScreen:
    """The test's own connection, to move the pointer and lay out monitors."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._x: Any = ctypes.CDLL("libX11.so.6")
        self._randr: Any = ctypes.CDLL("libXrandr.so.2")
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XDefaultRootWindow.restype = self._x.XInternAtom.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(name.encode()))
        self._root = ctypes.c_ulong(self._x.XDefaultRootWindow(self._display))

    def close(self) -> None:
        self._x.XCloseDisplay(self._display)

    def move(self, x: int, y: int) -> None:
        none = ctypes.c_ulong(0)
        self._x.XWarpPointer(self._display, none, self._root, 0, 0, 0, 0, x, y)
        self._x.XSync(self._display, 0)

    def add_monitor(self, name: str, area: Area, primary: bool) -> None:
        class Monitor(ctypes.Structure):
            _fields_ = [
                ("name", ctypes.c_ulong), *((key, ctypes.c_int) for key in (
                    "primary", "automatic", "outputs", "x", "y", "width", "height", "mm_width", "mm_height",
                )), ("output", ctypes.c_void_p),
            ]  # fmt: skip

        allocate = self._randr.XRRAllocateMonitor
        allocate.restype = ctypes.POINTER(Monitor)
        made = allocate(self._display, 0)
        made[0].name = self._x.XInternAtom(self._display, name.encode(), 0)
        made[0].primary = int(primary)
        made[0].x, made[0].y, made[0].width, made[0].height = area
        made[0].mm_width, made[0].mm_height = 100, 100
        self._randr.XRRSetMonitor(self._display, self._root, made)
        self._randr.XRRFreeMonitors(made)
        self._x.XSync(self._display, 0)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[XScreen]:
    with x_display() as name:
        monkeypatch.setenv("DISPLAY", name)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        opened = XScreen(name)
        try:
            yield opened
        finally:
            opened.close()


@no_x
def test_the_pointer_is_where_it_was_moved_to(screen: XScreen) -> None:
    asked = pointer.open_pointer()
    try:
        for place in ((0, 0), (799, 699), (123, 456)):
            screen.move(*place)
            assert asked.place() == place
    finally:
        asked.close()
        asked.close()


@no_x
def test_the_main_monitor_and_all_of_them(screen: XScreen) -> None:
    asked = pointer.open_pointer()
    try:
        assert asked.area(primary=False) == SCREEN
        assert asked.area(primary=True) == SCREEN
        screen.add_monitor("left", (0, 0, 300, 700), primary=False)
        screen.add_monitor("right", (300, 0, 500, 600), primary=True)
        assert asked.area(primary=True) == (300, 0, 500, 600)
        assert asked.area(primary=False) == SCREEN
    finally:
        asked.close()


@no_x
def test_without_xrandr_the_whole_screen_is_the_main_monitor(screen: XScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    from trackers import pointer_x11

    monkeypatch.setattr(pointer_x11, "_monitors_function", lambda: None)
    asked = pointer.open_pointer()
    try:
        assert asked.area(primary=True) == SCREEN
    finally:
        asked.close()


@no_x
def test_the_avatar_looks_where_a_real_pointer_is(screen: XScreen) -> None:
    tracker = mouse.open_tracker({**defaults(), "tracker": "mouse"})

    def head() -> tuple[float, float]:
        sample = tracker.latest(now_ns())
        return (0.0, 0.0) if sample is None else (sample.values[Pose.HEAD_Y], sample.values[Pose.HEAD_X])

    try:
        screen.move(799, 0)
        assert wait_until(lambda: head()[0] < -0.98 and head()[1] > 0.98), "its left, up"
        screen.move(0, 699)
        assert wait_until(lambda: head()[0] > 0.98 and head()[1] < -0.98), "its right, down"
    finally:
        tracker.close()


def run_apart(program: str, display: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: what is tested here would end it."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=PROJECT,
        env={"DISPLAY": display, "PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        timeout=2 * LIMIT_S,
        check=False,
    )


@no_x
def test_a_refusal_of_the_x_server_ends_no_process_not_even_after_the_tracker_closed() -> None:
    program = """
        import ctypes, gc
        from trackers.pointer_x11 import X11Pointer
        x = ctypes.CDLL("libX11.so.6")
        x.XOpenDisplay.restype = ctypes.c_void_p
        pointer = X11Pointer()
        display = ctypes.c_void_p(x.XOpenDisplay(None))
        def refused():
            x.XMapWindow(display, ctypes.c_ulong(0xDEAD))
            x.XSync(display, 0)
        refused()
        pointer.close()
        del pointer
        gc.collect()
        others = [ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1) for _ in range(2000)]
        del others
        gc.collect()
        refused()
        print("lives")
    """
    with x_display() as display:
        done = run_apart(program, display)
    assert (done.returncode, done.stdout.strip()) == (0, "lives"), done.stderr


def _outlives_a_server() -> bool:
    """Whether this libX11 can be asked not to end the process (1.7 and later)."""
    return sys.platform == "linux" and hasattr(ctypes.CDLL("libX11.so.6"), "XSetIOErrorExitHandler")


@no_x
def test_the_end_of_the_x_server_is_not_the_end_of_the_process() -> None:
    if not _outlives_a_server():
        pytest.skip("libX11 is older than 1.7")
    program = """
        import os
        from core.wire.clock import now_ns
        from core.wire.settings import defaults
        from tests.contract.fake_outputs import wait_until, x_display
        from trackers import mouse
        from trackers.base import TrackerState
        mouse._RETRY_S = 0.05
        with x_display() as first:
            os.environ["DISPLAY"] = first
            tracker = mouse.open_tracker(defaults())
            assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.TRACKING)
        assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.FAILED)
        print(tracker.status(now_ns()).error.parameters["reason"])
        with x_display() as second:
            os.environ["DISPLAY"] = second
            assert wait_until(lambda: tracker.status(now_ns()).state is TrackerState.TRACKING)
            tracker.close()
        print("lives")
    """
    done = run_apart(program, "")
    assert (done.returncode, done.stdout.split()) == (0, ["no_display", "lives"]), done.stderr


# -- Windows --------------------------------------------------------------------------------------------------------


class FakeUser32:
    """What the tracker asks of user32; functions take attributes, as those of ctypes do."""

    def __init__(self) -> None:
        self.at: tuple[int, int] | None = (-1500, 300)
        self.metrics = {0: 2560, 1: 1440, 76: -1920, 77: -200, 78: 4480, 79: 1640}
        self.contexts: list[int] = []
        self.GetCursorPos = self._function(self._cursor)
        self.GetSystemMetrics = self._function(lambda index: self.metrics[index])
        self.SetThreadDpiAwarenessContext = self._function(self.contexts.append)

    @staticmethod
    def _function(does: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def function(argument: Any) -> Any:
            return does(argument)

        return function

    def _cursor(self, reference: Any) -> int:
        if self.at is None:
            return 0
        reference._obj.x, reference._obj.y = self.at
        return 1


@pytest.fixture
def user32(monkeypatch: pytest.MonkeyPatch) -> FakeUser32:
    fake = FakeUser32()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "WinDLL", lambda name, use_last_error: {"user32": fake}[name], raising=False)
    return fake


def test_on_windows_pointer_and_monitors_are_told_in_the_same_pixels(user32: FakeUser32) -> None:
    asked = pointer.open_pointer()
    assert user32.contexts == [-4], "per monitor, version 2, for the asking thread only"
    assert asked.place() == (-1500, 300)
    assert asked.area(primary=True) == (0, 0, 2560, 1440)
    assert asked.area(primary=False) == (-1920, -200, 4480, 1640)
    asked.close()


def test_on_windows_a_lock_screen_hides_the_pointer(user32: FakeUser32) -> None:
    asked = pointer.open_pointer()
    user32.at = None
    assert asked.place() is None
    user32.at = (1, 2)
    assert asked.place() == (1, 2)


def test_a_windows_without_that_awareness_is_asked_all_the_same(user32: FakeUser32) -> None:
    del user32.SetThreadDpiAwarenessContext
    assert pointer.open_pointer().place() == (-1500, 300)
