"""A server that speaks obs-websocket as well, or as badly, as a test wants it to."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.stream = connection.makefile("rb")

    def upgrade(self, accept: bytes | None = None) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.stream.readline()
        key = next(line.split(b":")[1].strip() for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
        accept = accept or base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.raw(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        return head

    def raw(self, data: bytes) -> None:
        self.connection.sendall(data)

    def frame(self, payload: bytes, opcode: int = 1, final: bool = True) -> None:
        size = len(payload)
        head = bytes([opcode | (0x80 if final else 0)])
        if size < 126:
            head += bytes([size])
        else:
            head += struct.pack(">BH", 126, size) if size < 65536 else struct.pack(">BQ", 127, size)
        self.raw(head + payload)

    def message(self, operation: int, data: Any) -> None:
        self.frame(json.dumps({"op": operation, "d": data}).encode())

    def read_frame(self) -> tuple[int, bytes]:
        first, second = self.stream.read(2)
        assert second & 0x80, "a client must mask its frames"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.stream.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.stream.read(8))
        mask = self.stream.read(4)
        payload = self.stream.read(size)
        return first & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))

    def read_message(self) -> tuple[int, dict[str, Any]]:
        opcode, payload = self.read_frame()
        assert opcode == 1
        message = json.loads(payload)
        return message["op"], message["d"]

    def log_in(self, hello: dict[str, Any] | None = None) -> dict[str, Any]:
        """Greet, and take whatever the client answers."""
        self.upgrade()
        self.message(0, hello or {"rpcVersion": 1})
        operation, identify = self.read_message()
        assert operation == 1
        self.message(2, {"negotiatedRpcVersion": 1})
        return identify

    def answer(self, data: Any = None, result: bool = True, **status: Any) -> dict[str, Any]:
        """Take one request and answer it."""
        operation, request = self.read_message()
        assert operation == 6
        self.respond(request, data, result, **status)
        return request

    def respond(self, request: dict[str, Any], data: Any = None, result: bool = True, **status: Any) -> None:
        reply = {"requestId": request["requestId"], "requestStatus": {"result": result, **status}, "responseData": data}
        self.message(7, reply)


class FakeObs:
    """Serves one connection with the given talk, in a thread that ``finish`` joins."""

    def __init__(self, talk: Callable[[Peer], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.port: int = self._listener.getsockname()[1]
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, args=(talk,))
        self._thread.start()

    def _serve(self, talk: Callable[[Peer], None]) -> None:
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(10)
                talk(Peer(connection))
        except ConnectionError:
            pass  # the client left in the middle, as it should in many of these tests
        except BaseException as error:  # noqa: BLE001  # shown in the test's own thread
            self.error = error

    def finish(self) -> None:
        self._thread.join(12)
        self._listener.close()
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
