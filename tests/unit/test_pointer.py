"""Where the pointer is: asked of a real X server on a virtual screen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from core.install.virtual_screen import VirtualScreen, missing_programs
from trackers import pointer
from trackers.pointer import PointerUnavailable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is an X server on Linux only")


@pytest.fixture(scope="module")
def screen() -> Iterator[VirtualScreen]:
    missing = missing_programs(("Xvfb", "openbox", "wmctrl", "xdotool"))
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    with VirtualScreen(800, 600) as opened:
        yield opened


@pytest.fixture
def display(screen: VirtualScreen, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DISPLAY", screen.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return screen.display


def move_to(display: str, x: int, y: int) -> None:
    subprocess.run(
        ["xdotool", "mousemove", str(x), str(y)], env={"DISPLAY": display, "PATH": "/usr/bin:/bin"}, check=True
    )


def test_the_pointer_is_where_it_was_put(display: str) -> None:
    opened = pointer.open_pointer()
    try:
        for place in ((0, 0), (123, 456), (799, 599)):
            move_to(display, *place)
            assert opened.place() == place
    finally:
        opened.close()
        opened.close()


@pytest.mark.parametrize("primary", [False, True])
def test_the_area_is_the_screen(display: str, primary: bool) -> None:
    opened = pointer.open_pointer()
    try:
        assert opened.area(primary) == (0, 0, 800, 600)
    finally:
        opened.close()


def test_without_a_screen_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(PointerUnavailable) as refusal:
        pointer.open_pointer()
    assert refusal.value.reason == "no_display"
    monkeypatch.setenv("DISPLAY", "")
    with pytest.raises(PointerUnavailable):
        pointer.open_pointer()
