"""OBS's end of the control pipe, for tests: says lines, hears messages, and never waits for ever."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from tests.contract.fake_outputs import LIMIT_S, wait_until

Heard = dict[str, Any]


class OtherSide:
    """Listens in a thread of its own, from the first time somebody wants to hear something."""

    def __init__(self, to_worker: BinaryIO, from_worker: BinaryIO) -> None:
        self._to_worker, self._from_worker = to_worker, from_worker
        self._listener = threading.Thread(target=self._listen, name="other-side", daemon=True)
        self._listening = False
        self._last_id = 0
        self._next = 0
        self.heard: list[Heard] = []
        self.odd_lines: list[bytes] = []
        """What came and was no message."""
        self.ended = threading.Event()
        """The worker's side closed its end."""

    def say(self, *lines: bytes) -> None:
        """Raw lines."""
        self._to_worker.write(b"".join(line + b"\n" for line in lines))
        self._to_worker.flush()

    def tell(self, type_: str, **fields: Any) -> None:
        """One message."""
        self.say(json.dumps({"type": type_, **fields}).encode())

    def hear(self, what: str | Callable[[Heard], bool] = lambda message: True) -> Heard:
        """The next message of this type (or for which this is true) after the one that was heard last."""
        self.listen()
        fits = (lambda message: bool(message["type"] == what)) if isinstance(what, str) else what
        found: list[Heard] = []

        def there() -> bool:
            while not found and self._next < len(self.heard):
                message = self.heard[self._next]
                self._next += 1
                if fits(message):
                    found.append(message)
            return bool(found)

        assert wait_until(lambda: there() or self.ended.is_set())
        assert there(), f"{what!s} never came; heard: {self.heard[-5:]}"
        return found[0]

    def ask(self, type_: str, **fields: Any) -> Heard:
        """Send a message with an id and wait for the reply to it."""
        self._last_id += 1
        self.listen()
        self.tell(type_, id=self._last_id, **fields)
        mine = self._last_id
        return self.hear(lambda message: message["type"] == "reply" and message["id"] == mine)

    def listen(self) -> None:
        """Begin to listen."""
        if not self._listening:
            self._listening = True
            self._listener.start()

    def hang_up(self) -> None:
        """Close our end of what the worker reads: its stdin ends."""
        with contextlib.suppress(OSError):
            self._to_worker.close()

    def close(self) -> None:
        """Close both ends."""
        self.hang_up()
        if self._listening:
            self._listener.join(LIMIT_S)
            assert not self._listener.is_alive(), "the worker's side keeps the pipe open"
        self._from_worker.close()

    def _listen(self) -> None:
        for line in self._from_worker:
            try:
                self.heard.append(json.loads(line))
            except ValueError:
                self.odd_lines.append(line)
        self.ended.set()
