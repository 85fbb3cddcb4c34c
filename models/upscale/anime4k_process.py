"""Anime4K's program from its start to its end."""

from __future__ import annotations

import logging
import queue
import threading
from io import BufferedReader
from pathlib import Path
from typing import cast

import numpy as np

from core.wire import child_program
from core.wire.errors import AccelError, RuntimeFailed, RuntimeUnavailable
from models.base import Picture

from . import anime4k_program
from .anime4k_program import BAD, BROKEN, DRAW, GONE, GOOD, MESSAGE, NETWORK, OPEN, fill, send
from .base import ANIME4K

_log = logging.getLogger(__name__)

PROGRAM = Path(anime4k_program.__file__)
_OPEN_LIMIT_S = 60.0
"""Until it is there and a processor is open: OpenCL's drivers build their programs first."""
DRAW_LIMIT_S = 10.0
_JOIN_LIMIT_S = 2.0

_Answer = tuple[bytes, Picture | str]


class LibraryProcess:
    """Asks the program, one question at a time. Every answer has a limit; a program that exceeds it is ended."""

    def __init__(self, program: Path = PROGRAM) -> None:
        """Raises RuntimeUnavailable when the library is missing or does not load, RuntimeFailed when the program does
        not start."""
        try:
            self._process = child_program.start(program, in_background=True)
        except OSError as problem:
            raise _failed(str(problem)) from problem
        self._answers: queue.SimpleQueue[_Answer | None] = queue.SimpleQueue()
        self._picture = np.empty((0, 0, 3), np.uint8)
        self._listener = threading.Thread(target=self._listen, name="anime4k", daemon=True)
        self._listener.start()
        try:
            kind, said = self._answer(_OPEN_LIMIT_S)
            if kind in (GONE, BROKEN):
                reason = "package_missing" if kind == GONE else "package_broken"
                raise RuntimeUnavailable(str(said), runtime=ANIME4K, reason=reason)
        except AccelError:
            self.close()
            raise

    def open(self, processor: str) -> str:
        """Have the library compute on a processor (``opencl`` or ``cpu``); what it calls it. Raises RuntimeFailed."""
        _, name = self._ask(OPEN, processor, _OPEN_LIMIT_S)
        return str(name)

    def enlarge(self, colours: Picture) -> Picture:
        """RGB, contiguous; the result is overwritten by the next. Raises RuntimeFailed."""
        _, enlarged = self._ask(DRAW, colours, DRAW_LIMIT_S)
        assert not isinstance(enlarged, str)
        return enlarged

    def close(self) -> None:
        """End the program; safe to call twice."""
        if not child_program.end(self._process):
            _log.info("Anime4K's program was ended before it did so itself")
        self._listener.join(_JOIN_LIMIT_S)

    def _ask(self, kind: bytes, content: Picture | str, limit_s: float) -> _Answer:
        assert self._process.stdin is not None
        # a program that reads nothing would hold the question up before anybody waits for the answer
        watch = threading.Timer(limit_s, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            send(self._process.stdin, kind, content)
            answer, said = self._answer(limit_s)
        except (OSError, ValueError) as problem:
            raise _failed(f"{self._how_it_ended()} ({problem})") from problem
        finally:
            watch.cancel()
        if answer == BAD:
            raise _failed(str(said))
        return answer, said

    def _answer(self, limit_s: float) -> _Answer:
        try:
            answer = self._answers.get(timeout=limit_s)
        except queue.Empty:
            self._process.kill()
            raise _failed(f"no answer within {limit_s} s") from None
        if answer is None:
            raise _failed(self._how_it_ended())
        return answer

    def _how_it_ended(self) -> str:
        status = self._process.poll()
        return f"its program ended with status {status}" if status is not None else "its program does not listen"

    def _listen(self) -> None:
        assert self._process.stdout is not None
        stream = cast(BufferedReader, self._process.stdout)
        try:
            while (answer := self._read_one(stream)) is not None:
                self._answers.put(answer)
        except OSError as problem:
            _log.debug("Anime4K's program: %s", problem)
        finally:
            self._process.wait()
            self._answers.put(None)
            stream.close()

    def _read_one(self, stream: BufferedReader) -> _Answer | None:
        head = bytearray(MESSAGE.size)
        if not fill(stream, memoryview(head)):
            return None
        kind, rows, columns = MESSAGE.unpack(head)
        if kind == DRAW:
            if self._picture.shape[:2] != (rows, columns):
                self._picture = np.empty((rows, columns, 3), np.uint8)
            return (kind, self._picture) if fill(stream, memoryview(self._picture).cast("B")) else None
        if kind not in (GOOD, GONE, BROKEN, BAD):
            _log.warning("Anime4K's program said %r", bytes(head))
            return None
        text = bytearray(rows)
        return (kind, text.decode("utf-8", "replace")) if fill(stream, memoryview(text)) else None


def _failed(detail: str) -> RuntimeFailed:
    return RuntimeFailed(detail, runtime=ANIME4K, network=NETWORK)
