"""Stand-ins for what frames are shown on, as strict as the real things, and a real X display."""

from __future__ import annotations

import contextlib
import enum
import importlib
import importlib.machinery
import os
import select
import shutil
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from core.publish import registry
from core.publish.base import Frame, Opener, Picture, PublishContext, Publisher
from core.wire.settings import Value, defaults

LIMIT_S = 20.0
"""For every wait: long enough for any machine, so that only a real fault meets it."""


def wait_until(condition: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def publisher_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("publish-", "preview-"))]


def plain_picture(width: int, height: int, premultiplied: tuple[int, int, int, int]) -> Picture:
    picture = np.empty((height, width, 4), np.uint8)
    picture[:] = premultiplied
    return picture


def frame(picture: Picture, sequence: int = 1, visible: bool = True) -> Frame:
    return Frame(picture, sequence, visible=visible)


def open_past_registry(name: str, settings: dict[str, Value], **context: Any) -> Publisher:
    """Open an output without the registry's look for drivers, which stand-ins do not have."""
    opener: Opener = importlib.import_module(f"core.publish.{registry.PUBLISHERS[name]}").open_publisher
    return opener({**defaults(), "output_size": 256, **settings}, PublishContext(**context))


class Gate:
    """Where a sink can be held: ``inside`` tells that it waits there, ``open`` lets it go."""

    def __init__(self, held: bool = False) -> None:
        self.inside = threading.Event()
        self.open = threading.Event()
        if not held:
            self.open.set()

    def pass_through(self) -> None:
        self.inside.set()
        assert self.open.wait(LIMIT_S)
        self.inside.clear()


class SpoutPc:
    """A PC's Spout senders, and what each was last given. ``broken`` lets every picture fail."""

    def __init__(self, gate: Gate | None = None) -> None:
        self.senders: dict[str, Picture] = {}
        self.sent: list[Picture] = []
        self.broken = False
        self.opengl_contexts = 0
        self.gate = gate or Gate()

    def make_sender(self) -> Any:
        return FakeSpoutSender(self)


class FakeSpoutSender:
    """SpoutGL's sender: everything on one thread, BGRA bytes of the told size."""

    def __init__(self, pc: SpoutPc) -> None:
        self._pc, self._name, self._thread = pc, "", 0

    def createOpenGL(self) -> bool:
        self._thread = threading.get_ident()
        self._pc.opengl_contexts += 1
        return True

    def closeOpenGL(self) -> bool:
        assert self._thread == threading.get_ident()
        self._pc.opengl_contexts -= 1
        return True

    def getSenderInfo(self, name: str) -> object | None:
        return self._pc.senders.get(name)

    def setSenderName(self, name: str) -> None:
        assert len(name.encode()) < 256
        self._name = f"{name}_1" if name in self._pc.senders else name

    def sendImage(self, pixels: Picture, width: int, height: int, gl_format: int, invert: bool, host_fbo: int) -> bool:
        assert self._thread == threading.get_ident()
        assert (pixels.nbytes, pixels.flags.c_contiguous) == (width * height * 4, True)
        assert (gl_format, invert, host_fbo) == (0x80E1, False, 0)
        self._pc.gate.pass_through()
        if self._pc.broken:
            return False
        self._pc.senders[self._name] = pixels.copy()
        self._pc.sent.append(pixels.copy())
        return True

    def setFrameSync(self, name: str) -> None:
        assert name == self._name

    def releaseSender(self) -> None:
        self._pc.senders.pop(self._name, None)


class PixelFormat(enum.Enum):
    RGB = 3
    RGBA = 4


class FakeCamera:
    """pyvirtualcam's Camera: what it refuses, this refuses. What was sent is in its module's ``sent``."""

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        *,
        fmt: PixelFormat = PixelFormat.RGB,
        device: str | None = None,
        backend: str | None = None,
        print_fps: bool = False,
        **kw: object,
    ) -> None:
        self._module = cast(Any, sys.modules["pyvirtualcam"])
        backends: dict[str, set[PixelFormat] | str] = self._module.camera.BACKENDS
        assert backend is not None
        accepted = backends[backend]
        if isinstance(accepted, str):
            raise RuntimeError(f"'{backend}' backend: {accepted}")
        if fmt not in accepted:
            raise RuntimeError(f"'{backend}' backend: Unsupported image format.")
        self.backend, self.device = backend, f"Fake {backend}"
        self._shape = (height, width, fmt.value)
        self._module.opened.append((backend, width, height, fps, fmt.name))
        self._module.open_now += 1

    def send(self, frame: NDArray[np.uint8]) -> None:
        if frame.dtype != np.uint8:
            raise TypeError(f"unexpected frame dtype: {frame.dtype} != uint8")
        if frame.shape != self._shape:
            raise ValueError(f"unexpected frame shape: {frame.shape} != {self._shape}")
        self._module.gate.pass_through()
        if self._module.broken:
            raise RuntimeError("the driver is gone")
        self._module.sent.append(frame.copy())

    def close(self) -> None:
        self._module.open_now -= 1


def fake_pyvirtualcam(gate: Gate | None = None, **backends: set[PixelFormat] | str) -> Any:
    """A module to be put into ``sys.modules``. A backend is the formats it takes, or the words it refuses with."""
    module: Any = types.ModuleType("pyvirtualcam")
    module.__spec__ = importlib.machinery.ModuleSpec("pyvirtualcam", None)
    module.camera = types.SimpleNamespace(BACKENDS=backends or {"obs": {PixelFormat.RGB}})
    module.Camera, module.PixelFormat = FakeCamera, PixelFormat
    module.sent, module.opened = [], []
    module.open_now = 0
    module.broken, module.gate = False, gate or Gate()
    return module


def x_display_missing() -> str | None:
    """Why no X display can be started; None when one can."""
    if sys.platform != "linux":
        return "X displays are for Linux"
    return None if shutil.which("Xvfb") else "Xvfb is not installed"


@contextlib.contextmanager
def x_display() -> Iterator[str]:
    """An X server of our own with a free number; yields what DISPLAY must be."""
    reading, writing = os.pipe()
    try:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x700x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    finally:
        os.close(writing)
    try:
        number = b""
        # the number comes before its newline: half a number would be another display
        while not number.endswith(b"\n"):
            assert select.select([reading], [], [], LIMIT_S)[0], "Xvfb did not start"
            piece = os.read(reading, 16)
            assert piece, "Xvfb ended"
            number += piece
        yield f":{int(number)}"
    finally:
        os.close(reading)
        server.terminate()
        server.wait(LIMIT_S)
