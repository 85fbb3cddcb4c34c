"""Hands and eyes on a virtual screen: windows, clicks, keys and pictures, and OBS's Scripts window."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

SETTLE_S: Final = 0.25
"""What Qt needs to draw after a click; nothing tells when it has."""
KEY_PAUSE_MS: Final = 60

Result = TypeVar("Result")
RgbPicture = NDArray[np.uint8]
"""Shape (height, width, 3): red, green, blue."""


class NotInTime(AssertionError):
    """Something a test waits for did not happen."""


def wait_for(predicate: Callable[[], Result], limit_s: float, what: str, pause_s: float = 0.05) -> Result:
    """The predicate's first true result. ``what`` completes the sentence "waited 5 s for ..."."""
    deadline = time.monotonic() + limit_s
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > deadline:
            raise NotInTime(f"waited {limit_s:g} s for {what}; last seen: {result!r}")
        time.sleep(pause_s)


class Desktop:
    """One screen. Windows are named by their X ids; positions are relative to a window's top left corner."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def windows(self, title: str) -> list[str]:
        """The visible windows whose title matches this regular expression."""
        return self._xdotool("search", "--onlyvisible", "--name", title).split()

    def titles(self) -> list[str]:
        """The titles of all windows, for messages."""
        lines = self._run("wmctrl", "-l").decode("utf-8", "replace").splitlines()
        return [line.split(None, 3)[-1] for line in lines]

    def wait_for_window(self, title: str, limit_s: float = 10.0) -> str:
        """The first window whose title matches this regular expression."""
        try:
            return wait_for(lambda: self.windows(title), limit_s, f"a window {title!r}")[0]
        except NotInTime as error:
            raise NotInTime(f"{error}; there are {self.titles()}") from None

    def size(self, window: str) -> tuple[int, int]:
        """A window's width and height without its frame."""
        shown = self._xdotool("getwindowgeometry", "--shell", window)
        fields = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        return int(fields["WIDTH"]), int(fields["HEIGHT"])

    def place(self, window: str, x: int, y: int, width: int, height: int) -> None:
        """Move and resize a window."""
        self._xdotool("windowmove", "--sync", window, x, y)
        self._xdotool("windowsize", window, width, height)
        wait_for(lambda: self.size(window) == (width, height), 5.0, f"window {window} to get {width} x {height}")
        time.sleep(SETTLE_S)

    def activate(self, window: str) -> None:
        """Bring a window to the front and give it the keyboard."""
        self._xdotool("windowactivate", "--sync", window)

    def click(self, window: str, x: float, y: float, button: int = 1, times: int = 1) -> None:
        """Click at a place in a window: button 1 left, 3 right."""
        self._xdotool("mousemove", "--window", window, round(x), round(y))
        self._xdotool("click", "--repeat", times, "--delay", 40, button)
        time.sleep(SETTLE_S)

    def scroll(self, window: str, x: float, y: float, steps: int) -> None:
        """Turn the wheel over a place in a window; positive is down."""
        self.click(window, x, y, button=5 if steps > 0 else 4, times=abs(steps))

    def press(self, *keys: str) -> None:
        """Press keys one after another, named as xdotool names them (``alt+t``, ``Return``)."""
        self._xdotool("key", "--delay", KEY_PAUSE_MS, *keys)
        time.sleep(SETTLE_S)

    def type_text(self, text: str) -> None:
        """Type a text into the window that has the keyboard."""
        self._xdotool("type", "--delay", 5, "--", text)

    def close_window(self, window: str, limit_s: float = 5.0) -> None:
        """Close a window as its cross does, and wait until it is gone."""
        self._run("wmctrl", "-i", "-c", hex(int(window)))
        wait_for(lambda: window not in self.windows("."), limit_s, f"window {window} to close")

    def screenshot(self, window: str = "root", path: Path | None = None) -> RgbPicture:
        """The picture of a window, or of the whole screen; saved as a PNG file if a path is given."""
        data = self._run("import", "-silent", "-window", window, "png:-")
        if path is not None:
            path.write_bytes(data)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None, f"window {window} gives no picture"
        return np.ascontiguousarray(picture[:, :, ::-1], dtype=np.uint8)

    def open_scripts(self, main_window: str) -> ScriptsWindow:
        """Open Tools - Scripts from OBS's main window, or find it open."""
        for _ in range(3):  # a busy machine may swallow the first keys
            found = self.windows("^Scripts$")
            if not found:
                self.activate(main_window)
                self.press("alt+t")
                self.press("Down", "Down", "Down", "Return")  # the fourth entry; Qt's menus know no typing ahead here
            try:
                return ScriptsWindow(self, self.wait_for_window("^Scripts$", 4.0))
            except NotInTime:
                self.press("Escape", "Escape")
        raise NotInTime(f"Tools - Scripts does not open; there are {self.titles()}")

    def _xdotool(self, *arguments: str | int) -> str:
        return self._run("xdotool", *map(str, arguments)).decode("utf-8", "replace").strip()

    def _run(self, *command: str) -> bytes:
        finished = subprocess.run(command, env=self._environment, capture_output=True, timeout=20, check=False)
        if finished.returncode != 0 and "search" not in command:  # "search" ends with 1 when it finds nothing
            raise RuntimeError(f"{' '.join(command)} failed: {finished.stderr.decode('utf-8', 'replace').strip()}")
        return finished.stdout


class ScriptsWindow:
    """OBS's Tools - Scripts: the list on the left, sorted by name, the chosen script's panel on the right."""

    FIRST_ROW_Y: Final = 67
    ROW_HEIGHT: Final = 34
    BUTTONS_ABOVE_BOTTOM: Final = 81
    ADD_X, REMOVE_X, RELOAD_X = 38, 80, 122
    DEFAULTS_LEFT_OF_EDGE, SCRIPT_LOG_LEFT_OF_EDGE = 250, 50

    def __init__(self, desktop: Desktop, window: str) -> None:
        self.desktop, self.window = desktop, window

    def place(self, x: int = 20, y: int = 40, width: int = 1100, height: int = 900) -> None:
        """Move and resize the window, so that more of the panel is seen than OBS shows at first."""
        self.desktop.place(self.window, x, y, width, height)

    def select(self, number: int) -> None:
        """Choose the script in this row, counted from 0 in the order of names."""
        self.click(100, self.FIRST_ROW_Y + number * self.ROW_HEIGHT)

    def click(self, x: float, y: float, button: int = 1) -> None:
        """Click at a place in this window."""
        self.desktop.activate(self.window)
        self.desktop.click(self.window, x, y, button)

    def scroll(self, steps: int) -> None:
        """Scroll the chosen script's panel; positive is down."""
        width, height = self.desktop.size(self.window)
        # Over the margin between the labels and the scroll bar a wheel moves the panel and not a slider or a list.
        self.desktop.scroll(self.window, width - 30, height // 2, steps)

    def add(self, script: Path) -> None:
        """Add a script with the + button and the file dialog."""
        self._press_button(self.ADD_X)
        dialog = self.desktop.wait_for_window("^Add Scripts$")
        self.desktop.activate(dialog)
        self.desktop.type_text(str(script))
        self.desktop.press("Return")
        wait_for(lambda: not self.desktop.windows("^Add Scripts$"), 10.0, "the file dialog to close")
        time.sleep(SETTLE_S)

    def remove(self) -> None:
        """Remove the chosen script."""
        self._press_button(self.REMOVE_X)

    def reload(self) -> None:
        """Press the reload button: every script of the collection is loaded anew."""
        self._press_button(self.RELOAD_X)

    def defaults(self) -> None:
        """Press the chosen script's Defaults button."""
        self._press_button(self.list_edge() - self.DEFAULTS_LEFT_OF_EDGE)

    def show_log(self) -> str:
        """Press the Script Log button; gives the log's window."""
        self._press_button(self.list_edge() - self.SCRIPT_LOG_LEFT_OF_EDGE)
        return self.desktop.wait_for_window("^Script Log$")

    def list_edge(self) -> int:
        """Where the list ends and the panel begins (x); it moves with the window's size and the panel's content."""
        picture = self.screenshot()
        row = picture[picture.shape[0] - self.BUTTONS_ABOVE_BOTTOM - 35]
        differs = np.flatnonzero((row[100:] != row[100]).any(axis=1))
        assert differs.size, "the Scripts window looks different from what this helper knows"
        return 100 + int(differs[0])

    def screenshot(self, path: Path | None = None) -> RgbPicture:
        """This window's picture, saved as a PNG file if a path is given."""
        return self.desktop.screenshot(self.window, path)

    def close(self) -> None:
        """Close the window."""
        self.desktop.close_window(self.window)

    def _press_button(self, x: int) -> None:
        _, height = self.desktop.size(self.window)
        self.click(x, height - self.BUTTONS_ABOVE_BOTTOM)
