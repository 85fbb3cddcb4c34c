"""A publisher base for sinks that block: their own thread shows the newest frame, the render loop never waits."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from core.wire.errors import EasyVtuberError, OutputFailed

from .base import Frame

_log = logging.getLogger(__name__)

CLOSE_LIMIT_S = 2.0
_WAIT_LIMIT_S = 0.5


class LatestFramePublisher(ABC):
    """Copies each frame into a spare buffer and lets a thread of its own show the newest one.

    Subclasses implement ``open_sink``, ``show`` and ``close_sink``; all three run on that one thread, because windows,
    OpenGL contexts and camera handles belong to the thread that made them. A frame that waits when ``close`` is called
    is still shown.
    """

    def __init__(self, name: str) -> None:
        self.description = ""
        self.failure: EasyVtuberError | None = None
        self._name = name
        self._condition = threading.Condition()
        self._waiting: Frame | None = None
        self._spare: list[Frame] = []
        self._closing = False
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"publish-{name}", daemon=True)

    def start(self, open_limit_s: float = 10.0) -> None:
        """Open the sink. Raises what ``open_sink`` raised, or OutputFailed when it does not come back in time."""
        self._thread.start()
        if not self._opened.wait(open_limit_s):
            self._closing = True
            raise OutputFailed(f"{self._name} did not open within {open_limit_s} s", output=self._name)
        if self.failure is not None:
            self._thread.join(CLOSE_LIMIT_S)
            raise self.failure

    def publish(self, frame: Frame) -> None:
        """Hand the newest frame over; a frame that was not shown yet is replaced. After the end it does nothing."""
        if self._closing or self.failure is not None:
            return
        with self._condition:
            buffer = self._spare.pop().picture if self._spare else None
        if buffer is None or buffer.shape != frame.picture.shape or buffer.dtype != frame.picture.dtype:
            buffer = frame.picture.copy()
        else:
            buffer[:] = frame.picture
        copy = replace(frame, picture=buffer)
        with self._condition:
            if self._closing:
                return
            if self._waiting is not None:
                self._spare.append(self._waiting)
            self._waiting = copy
            self._condition.notify()

    def close(self) -> None:
        """Stop the thread; it releases the sink on its way out."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        if not self._thread.is_alive() or self._thread is threading.current_thread():
            return
        self._thread.join(CLOSE_LIMIT_S / 2)
        if self._thread.is_alive():
            self.interrupt()
            self._thread.join(CLOSE_LIMIT_S / 2)
        if self._thread.is_alive():
            _log.error("%s did not close within %s s", self._name, CLOSE_LIMIT_S)

    def finish(self) -> None:
        """For sinks: end without a failure and without another frame, because the user closed what shows them."""
        with self._condition:
            self._closing, self._waiting = True, None

    @abstractmethod
    def open_sink(self) -> None:
        """Open what frames are shown on. May raise an OutputError."""

    @abstractmethod
    def show(self, frame: Frame) -> None:
        """Show one frame; may block. May raise an OutputError, which ends the publisher."""

    @abstractmethod
    def close_sink(self) -> None:
        """Give everything back. Called once, also after a failure. May raise an OutputError."""

    def idle(self) -> None:  # noqa: B027 - most sinks have nothing to do meanwhile
        """Called about twice a second while no frame comes (window systems want to be listened to)."""

    def interrupt(self) -> None:  # noqa: B027 - most sinks cannot be hurried
        """Called from the closing thread when the sink is busy for long; may free it from what it waits for."""

    def _run(self) -> None:
        self._guarded(self.open_sink)
        self._opened.set()
        if self.failure is None:
            self._guarded(self._show_until_closed)
        self._guarded(self.close_sink)

    def _guarded(self, step: Callable[[], None]) -> None:
        """One step of the sink; what goes wrong becomes ``failure`` (the first one is kept, later ones are logged)."""
        try:
            step()
        except EasyVtuberError as problem:
            self._fail(problem)
        except Exception as problem:  # noqa: BLE001 - the border of this thread: whatever a sink's library raises
            _log.debug("%s failed", self._name, exc_info=True)
            self._fail(OutputFailed(repr(problem), output=self._name))

    def _fail(self, problem: EasyVtuberError) -> None:
        _log.warning("%s: %s", self._name, problem)
        if self.failure is None:
            self.failure = problem

    def _show_until_closed(self) -> None:
        while True:
            frame = self._next()
            if frame is not None:
                self.show(frame)
                with self._condition:
                    if len(self._spare) < 2:
                        self._spare.append(frame)
            elif self._closing:
                return
            else:
                self.idle()

    def _next(self) -> Frame | None:
        with self._condition:
            if self._waiting is None and not self._closing:
                self._condition.wait(_WAIT_LIMIT_S)
            frame, self._waiting = self._waiting, None
            return frame
