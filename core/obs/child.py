"""One running worker seen from OBS: its pipe, its threads, its end."""

from __future__ import annotations

import os
import queue
import select
import subprocess
import sys
import threading
from typing import Any, Callable, Optional

from ..wire import messages
from ..wire.errors import ProtocolError
from ..wire.messages import LineSplitter, Message
from . import job_object, launcher
from .launcher import Launch

_READ_BYTES = 65536
_MOST_UNSENT = 256
"""Messages that may wait for a worker that does not read. More mean that it hangs; it will be found out by its
silence."""
_JOIN_LIMIT_S = 2.0
_LOOK_MS = 500


class Child:
    """Owns the process, a thread that reads and a thread that writes.

    ``on_frame`` is called on the reading thread, at once, for every announced frame: it is the way of the picture.
    ``on_message`` and ``on_exit`` are called on the reading thread too and must only hand things over.
    """

    def __init__(
        self,
        launched: Launch,
        on_frame: Callable[[int], None],
        on_message: Callable[[Child, Message], None],
        on_exit: Callable[[Child, Optional[int]], None],
    ) -> None:
        self._process = launched.process
        self._launched = launched
        self._on_frame, self._on_message, self._on_exit = on_frame, on_message, on_exit
        self._unsent: queue.Queue[Optional[bytes]] = queue.Queue(_MOST_UNSENT)
        self.refused_lines = 0
        self._job: Optional[int] = None
        self._job_lock = threading.Lock()
        handle = getattr(self._process, "_handle", None)
        if handle is not None:
            self._job = job_object.bind_to_our_life(int(handle))
        self._reader = threading.Thread(target=self._read, name="easyvtuber-read", daemon=True)
        self._writer = threading.Thread(target=self._write, name="easyvtuber-write", daemon=True)
        self._reader.start()
        self._writer.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def last_words(self) -> str:
        """The end of what it wrote to stderr."""
        return launcher.what_it_said(self._launched.stderr_path, self._launched.stderr_start)

    def send(self, type_: str, **fields: Any) -> None:
        """Queue a message; never blocks. A queue that is full drops it: such a worker does not listen any more."""
        try:
            self._unsent.put_nowait(messages.encode(type_, **fields))
        except queue.Full:
            pass

    def end_input(self) -> None:
        """Close the worker's stdin once what is queued was written: it ends by itself within a second."""
        try:
            self._unsent.put_nowait(None)
        except queue.Full:
            self.kill()

    def kill(self) -> None:
        """End the process now, on Windows with whatever it started: that may still hold the pipe."""
        try:
            self._process.kill()
        except OSError:
            pass
        self._end_job()

    def close(self) -> None:
        """After the process ended: wait for both threads and give the handles back."""
        try:
            self._unsent.put_nowait(None)
        except queue.Full:
            pass
        for thread in (self._reader, self._writer):
            if thread is not threading.current_thread():
                thread.join(_JOIN_LIMIT_S)
        self._end_job()

    def _end_job(self) -> None:
        """Safe from any thread, and more than once."""
        with self._job_lock:
            job, self._job = self._job, None
        if job is not None:
            job_object.close(job)

    def _read(self) -> None:
        splitter = LineSplitter()
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while self._wait_for_bytes(descriptor):
            try:
                chunk = os.read(descriptor, _READ_BYTES)
            except OSError:
                break
            if not chunk:
                break
            for line in splitter.feed(chunk):
                try:
                    message = messages.decode(line, messages.FROM_WORKER)
                except ProtocolError:
                    self.refused_lines += 1
                    continue
                if message.type == "frame":
                    self._on_frame(message.fields["sequence"])
                else:
                    self._on_message(self, message)
        self._on_exit(self, self._wait())
        self._process.stdout.close()

    def _wait_for_bytes(self, descriptor: int) -> bool:
        """False when the process is gone and nothing comes any more: what it had started may still hold the pipe."""
        if sys.platform == "win32":
            return True
        pipe = select.poll()
        pipe.register(descriptor, select.POLLIN)
        while not pipe.poll(_LOOK_MS):
            if self._process.poll() is not None:
                return False
        return True

    def _wait(self) -> Optional[int]:
        """The exit code; a process that closed its pipe but does not end is killed."""
        for _ in range(2):
            try:
                return self._process.wait(_JOIN_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return None

    def _write(self) -> None:
        assert self._process.stdin is not None
        stdin = self._process.stdin
        while True:
            try:
                line = self._unsent.get(timeout=1.0)
            except queue.Empty:
                if self._process.poll() is not None:
                    break
                continue
            if line is None:
                break
            try:
                stdin.write(line)
            except (OSError, ValueError):
                break
        try:
            stdin.close()
        except OSError:
            pass
