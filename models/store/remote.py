"""A file on a server, to be read from anywhere in it: most users want five networks of an archive with thirty-eight.

Read ahead in windows, so that unpacking one member after the other is a handful of requests.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from io import BufferedIOBase

from .transport import Answer, FetchFailed, Transport

_TAIL_BYTES = 256 << 10
"""Holds a zip's list of contents."""
_WINDOW_BYTES = 4 << 20
_PIECE = 64 << 10
_TRIES = 4
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class PartsNotServed(Exception):
    """The server gives the whole file or nothing, or not always the same file."""


class RemoteFile(BufferedIOBase):
    """The file at an address. Making it and reading from it raise FetchFailed and PartsNotServed.

    ``still_at_it`` is called while bytes come; what it raises ends the reading.
    """

    def __init__(
        self,
        address: str,
        transport: Transport,
        limit: int,
        still_at_it: Callable[[], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address
        self._transport = transport
        self._limit = limit
        self._still_at_it = still_at_it
        self._pause = pause
        self._validator = ""
        self._position = 0
        self.size = 0
        """Length of the whole file."""
        self._tail_start, self._tail = self._fetch(f"-{_TAIL_BYTES}")
        self._window_start, self._window = 0, b""

    def read(self, most: int | None = -1, /) -> bytes:
        end = self.size if most is None or most < 0 else min(self.size, self._position + most)
        pieces = []
        while self._position < end:
            piece = self._at(self._position)[: end - self._position]
            pieces.append(piece)
            self._position += len(piece)
        return b"".join(pieces)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"seek to {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def _at(self, position: int) -> bytes:
        """Some of what stands at a position, at least one byte."""
        if position >= self._tail_start:
            return self._tail[position - self._tail_start :]
        if not self._window_start <= position < self._window_start + len(self._window):
            last = min(position + _WINDOW_BYTES, self._tail_start) - 1
            self._window_start, self._window = self._fetch(f"{position}-{last}")
        return self._window[position - self._window_start :]

    def _fetch(self, wanted: str) -> tuple[int, bytes]:
        for tried in range(1, _TRIES):
            try:
                return self._ask(wanted)
            except FetchFailed as failure:
                if not (failure.broke_off or (self.size and failure.may_pass)):
                    raise
                self._pause(0.5 * tried)
        return self._ask(wanted)

    def _ask(self, wanted: str) -> tuple[int, bytes]:
        self._still_at_it()
        headers = {"Range": f"bytes={wanted}"}
        if self._validator:
            headers["If-Range"] = self._validator
        with self._transport.open(self._address, headers) as answer:
            first, length = self._measured(answer, wanted)
            content = bytearray()
            while len(content) < length and (piece := answer.read(min(_PIECE, length - len(content)))):
                content += piece
                self._still_at_it()
        if len(content) < length:
            raise FetchFailed("no_network", f"ended after {len(content)} of {length} bytes", broke_off=True)
        return first, bytes(content)

    def _measured(self, answer: Answer, wanted: str) -> tuple[int, int]:
        """Where the answer begins and how long it is. Raises PartsNotServed unless it is exactly what was asked for."""
        told = _RANGE.fullmatch(answer.header("Content-Range"))
        if answer.status != 206 or told is None or not answer.validator:
            raise PartsNotServed(f"status {answer.status}, {answer.header('Content-Range')!r}")
        first, last, size = (int(number) for number in told.groups())
        if size > self._limit:
            raise FetchFailed("too_large", f"{size} bytes")
        if wanted.startswith("-"):
            fits = (first, last) == (max(0, size + int(wanted)), size - 1)
        else:
            fits = f"{first}-{last}" == wanted
        is_same = not self.size or (size, answer.validator) == (self.size, self._validator)
        if not fits or not is_same:
            raise PartsNotServed(f"{told.group()}, version {answer.validator}")
        self.size, self._validator = size, answer.validator
        return first, last - first + 1
