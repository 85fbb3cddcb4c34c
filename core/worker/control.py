"""The worker's end of the control pipe: stdin and stdout, each with a thread of its own so that the loop never
waits."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO

from core.wire import messages
from core.wire.errors import EasyVtuberError, MessageMalformed, ProtocolError
from core.wire.messages import LineSplitter, Message

_log = logging.getLogger(__name__)

_READ_BYTES = 65536
_MOST_WAITING = 512
"""Messages that may wait to be written. OBS reads at once; if it does not, it is ending or dead."""


class ControlPipe:
    """Reads OBS's messages into a queue and writes ours in order; frame announcements replace each other.

    ``ended`` is called once, from the reading thread, when OBS closed the pipe or died.
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO, ended: Callable[[], None]) -> None:
        self._source, self._sink, self._ended = source, sink, ended
        self._incoming: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._condition = threading.Condition()
        self._outgoing: deque[bytes] = deque()
        self._frame = 0
        self._closing = False
        self._writer = threading.Thread(target=self._write, name="control-write", daemon=True)
        self._reader = threading.Thread(target=self._read, name="control-read", daemon=True)

    def start(self) -> None:
        """Begin reading and writing."""
        self._writer.start()
        self._reader.start()

    def send(self, type_: str, **fields: Any) -> None:
        """Queue one message. Never blocks; what cannot be encoded or does not fit is logged and dropped."""
        try:
            line = messages.encode(type_, **fields)
        except ProtocolError as problem:
            _log.error("message not sent: %s", problem)
            return
        with self._condition:
            if len(self._outgoing) < _MOST_WAITING:
                self._outgoing.append(line)
                self._condition.notify()

    def send_error(self, where: str, error: EasyVtuberError) -> None:
        """Tell the user's side that something does not work; ``where`` names the part, so that it can be cleared."""
        self.send("error", where=where, **error.as_message())

    def frame_ready(self, sequence: int) -> None:
        """Announce a frame; one that was not announced yet is superseded."""
        with self._condition:
            self._frame = sequence
            self._condition.notify()

    def received(self) -> list[Message]:
        """Everything that came since the last call. Never blocks."""
        result = []
        try:
            while True:
                result.append(self._incoming.get_nowait())
        except queue.Empty:
            return result

    def wait(self, limit_s: float) -> Message | None:
        """The next message, or None when none came in time."""
        try:
            return self._incoming.get(timeout=limit_s)
        except queue.Empty:
            return None

    def close(self, limit_s: float = 0.5) -> None:
        """Write what is queued and stop writing. (The reading thread ends with the pipe.)"""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._writer.join(limit_s)

    def _read(self) -> None:
        splitter = LineSplitter()
        overlong = 0
        while True:
            try:
                chunk = os.read(self._source.fileno(), _READ_BYTES)
            except OSError as problem:
                _log.warning("control pipe broke: %s", problem)
                break
            if not chunk:
                break
            for line in splitter.feed(chunk):
                try:
                    self._incoming.put(messages.decode(line, messages.FROM_OBS))
                except ProtocolError as problem:
                    self._refused(problem)
            if splitter.overlong > overlong:
                overlong = splitter.overlong
                self._refused(MessageMalformed(f"over {messages.MAXIMUM_LINE_BYTES} bytes", reason="too long"))
        self._ended()

    def _refused(self, problem: ProtocolError) -> None:
        _log.warning("message refused: %s", problem)
        self.send_error("control", problem)

    def _write(self) -> None:
        while True:
            with self._condition:
                while not (self._outgoing or self._frame or self._closing):
                    self._condition.wait(1.0)
                frame, self._frame = self._frame, 0
                lines = list(self._outgoing)
                self._outgoing.clear()
                if self._closing and not lines and not frame:
                    return
            if frame:
                # the picture is on its way to the screen: nothing may stand before it in the pipe
                lines.insert(0, messages.encode("frame", sequence=frame))
            try:
                self._sink.write(b"".join(lines))
                self._sink.flush()
            except (OSError, ValueError) as problem:
                _log.warning("control pipe broke: %s", problem)
                return
