"""A small client for obs-websocket 5: one connection, one question at a time, and a limit on every wait.

    ObsWebsocketError
    |- ObsConnectionLost        nobody listens, the other side left, or what it said is not obs-websocket 5
    |  `- ObsPasswordRefused    the password is wrong or missing
    |- ObsNoAnswer              the time limit passed
    `- ObsRequestFailed         OBS answered with an error: code, comment

Disconnect before OBS is asked to end: an open connection delays its exit by five seconds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import struct
import time
from types import TracebackType
from typing import Any, Dict, Mapping, Optional, Tuple, Type

CONTINUATION, TEXT, CLOSE, PING, PONG = 0, 1, 8, 9, 10
LARGEST_MESSAGE_BYTES = 256 * 1024 * 1024
"""A screenshot of a large canvas, in base64, is the largest thing OBS sends."""
HELLO, IDENTIFY, IDENTIFIED, REQUEST, REQUEST_RESPONSE = 0, 1, 2, 6, 7
CLOSED_BY_PASSWORD = 4009
NO_EVENTS = 0
_ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class ObsWebsocketError(Exception):
    """OBS could not be asked, or did not do what it was asked for."""


class ObsConnectionLost(ObsWebsocketError):
    """There is no connection (any more)."""


class ObsPasswordRefused(ObsConnectionLost):
    """OBS wants another password."""


class ObsNoAnswer(ObsWebsocketError):
    """The time limit passed; the connection stays usable, a late answer is dropped."""


class ObsRequestFailed(ObsWebsocketError):
    """OBS understood the request and refused it. ``code`` is obs-websocket's RequestStatus."""

    def __init__(self, request: str, code: int, comment: str) -> None:
        super().__init__(f"{request}: {comment or 'no comment'} (code {code})")
        self.code = code
        self.comment = comment


class _Frames:
    """WebSocket frames over a socket: whole text messages in and out, pings answered on the way."""

    def __init__(self, host: str, port: int, deadline: float) -> None:
        self._received = bytearray()
        self._fragments = bytearray()
        self._in_fragments = False
        try:
            self._socket = socket.create_connection((host, port), timeout=_left(deadline))
        except OSError as error:
            raise ObsConnectionLost(f"nobody answers on {host}:{port} ({error})") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._upgrade(host, port, deadline)
        except BaseException:
            self._socket.close()
            raise

    def _upgrade(self, host: str, port: int, deadline: float) -> None:
        key = base64.b64encode(os.urandom(16))
        self._send_bytes(
            f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: obswebsocket.json\r\n\r\n".encode(),
            deadline,
        )
        while b"\r\n\r\n" not in self._received:
            if len(self._received) > 65536:
                raise ObsConnectionLost("the other side does not speak WebSocket")
            self._receive_more(deadline)
        head, _, rest = bytes(self._received).partition(b"\r\n\r\n")
        self._received = bytearray(rest)
        lines = head.split(b"\r\n")
        fields = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])
        }
        expected = base64.b64encode(hashlib.sha1(key + _ACCEPT_SUFFIX).digest())
        if lines[0].split(b" ")[1:2] != [b"101"] or fields.get(b"sec-websocket-accept") != expected:
            raise ObsConnectionLost(f"the other side does not speak WebSocket: {lines[0][:80]!r}")

    def send(self, opcode: int, payload: bytes, deadline: float) -> None:
        """Send one whole frame, masked as clients must."""
        size, mask = len(payload), os.urandom(4)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        else:
            head += struct.pack(">BH", 0xFE, size) if size < 65536 else struct.pack(">BQ", 0xFF, size)
        whole_mask = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(whole_mask, "big")).to_bytes(size, "big")
        self._send_bytes(head + mask + masked, deadline)

    def receive(self, deadline: float) -> bytes:
        """The next whole text message. Raises ObsNoAnswer at the deadline, and ObsConnectionLost."""
        while True:
            final, opcode, payload = self._frame(deadline)
            if opcode == PING:
                self.send(PONG, payload, deadline)
            elif opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                reason = payload[2:].decode("utf-8", "replace")
                kind = ObsPasswordRefused if code == CLOSED_BY_PASSWORD else ObsConnectionLost
                raise kind(f"OBS closed the connection: {reason or 'no reason given'} (code {code})")
            elif opcode != PONG:
                if opcode != (CONTINUATION if self._in_fragments else TEXT):
                    raise ObsConnectionLost(f"the other side broke the WebSocket protocol (opcode {opcode})")
                self._fragments += payload
                self._in_fragments = not final
                if len(self._fragments) > LARGEST_MESSAGE_BYTES:
                    raise ObsConnectionLost("the other side sent a message without end")
                if final:
                    message, self._fragments = bytes(self._fragments), bytearray()
                    return message

    def _frame(self, deadline: float) -> Tuple[bool, int, bytes]:
        """The next frame, left in the buffer until all of it is there, so that a time-out loses nothing."""
        have = self._received
        _left(deadline)  # a flood of frames must not outlast the limit either
        while True:
            if len(have) >= 2:
                size = have[1] & 0x7F
                start = {126: 4, 127: 10}.get(size, 2)
                control = have[0] & 0x08
                if have[0] & 0x70 or have[1] & 0x80 or (control and (size > 125 or not have[0] & 0x80)):
                    raise ObsConnectionLost("the other side broke the WebSocket protocol (bad frame)")
                if len(have) >= start:
                    if start > 2:
                        size = int.from_bytes(have[2:start], "big")
                    if size > LARGEST_MESSAGE_BYTES:
                        raise ObsConnectionLost("the other side announced a message without end")
                    if len(have) >= start + size:
                        first, payload = have[0], bytes(have[start : start + size])
                        del have[: start + size]
                        return bool(first & 0x80), first & 0x0F, payload
            self._receive_more(deadline)

    def _receive_more(self, deadline: float) -> None:
        try:
            self._socket.settimeout(_left(deadline))
            data = self._socket.recv(1 << 18)
        except socket.timeout as error:
            raise ObsNoAnswer("OBS did not answer in time") from error
        except OSError as error:
            raise ObsConnectionLost(f"the connection to OBS broke ({error})") from error
        if not data:
            raise ObsConnectionLost("OBS ended the connection")
        self._received += data

    def _send_bytes(self, data: bytes, deadline: float) -> None:
        try:
            self._socket.settimeout(_left(deadline))
            self._socket.sendall(data)
        except OSError as error:  # a time-out here leaves half a frame behind: the connection is lost as well
            raise ObsConnectionLost(f"the connection to OBS broke ({error})") from error

    def close(self) -> None:
        """Say goodbye and hang up, without waiting for more than a moment."""
        deadline = time.monotonic() + 0.5
        try:
            self.send(CLOSE, struct.pack(">H", 1000), deadline)
            self._socket.shutdown(socket.SHUT_WR)
            while True:  # OBS forgets the session when it has read our goodbye; its own close ends this loop
                self._receive_more(deadline)
                self._received.clear()
        except (ObsWebsocketError, OSError):
            pass
        finally:
            self._socket.close()


class ObsWebsocket:
    """A conversation with one OBS. For one thread at a time."""

    def __init__(self, port: int, password: str = "", host: str = "127.0.0.1", limit_s: float = 5.0) -> None:
        """Connect and log in. Raises ObsConnectionLost, ObsPasswordRefused or ObsNoAnswer."""
        deadline = time.monotonic() + limit_s
        self._frames = _Frames(host, port, deadline)
        self._last_id = 0
        try:
            hello = self._receive(HELLO, deadline)
            identify: Dict[str, Any] = {"rpcVersion": 1, "eventSubscriptions": NO_EVENTS}
            challenge = hello.get("authentication")
            if isinstance(challenge, dict):
                salt, question = str(challenge.get("salt", "")), str(challenge.get("challenge", ""))
                identify["authentication"] = _digest(_digest(password + salt) + question)
            self._send(IDENTIFY, identify, deadline)
            self._receive(IDENTIFIED, deadline)
        except BaseException:
            self._frames.close()
            raise

    def request(self, name: str, data: Optional[Mapping[str, Any]] = None, limit_s: float = 10.0) -> Dict[str, Any]:
        """Ask OBS for something and wait for its answer. Raises the errors drawn above."""
        deadline = time.monotonic() + limit_s
        self._last_id += 1
        asked = {"requestType": name, "requestId": str(self._last_id), "requestData": dict(data or {})}
        self._send(REQUEST, asked, deadline)
        answer: Dict[str, Any] = {}
        while answer.get("requestId") != asked["requestId"]:  # another id: the late answer to a request given up
            answer = self._receive(REQUEST_RESPONSE, deadline)
        status = _dictionary(answer.get("requestStatus"))
        if status.get("result") is not True:
            code = status.get("code")
            raise ObsRequestFailed(name, code if isinstance(code, int) else 0, str(status.get("comment") or ""))
        return _dictionary(answer.get("responseData"))

    def _send(self, operation: int, data: Mapping[str, Any], deadline: float) -> None:
        self._frames.send(TEXT, json.dumps({"op": operation, "d": data}).encode("utf-8"), deadline)

    def _receive(self, operation: int, deadline: float) -> Dict[str, Any]:
        """The data of the next message of this kind; others (events) are dropped."""
        while True:
            try:
                message = json.loads(self._frames.receive(deadline).decode("utf-8"))
            except (ValueError, RecursionError) as error:
                raise ObsConnectionLost(f"OBS sent something unreadable ({error})") from error
            if not isinstance(message, dict):
                raise ObsConnectionLost("OBS sent something that is not a message")
            if message.get("op") == operation:
                return _dictionary(message.get("d"))

    def close(self) -> None:
        """Hang up. Takes half a second at most; safe to call twice."""
        self._frames.close()

    def __enter__(self) -> ObsWebsocket:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


def _left(deadline: float) -> float:
    """Seconds until the deadline; raises ObsNoAnswer when it passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise ObsNoAnswer("OBS did not answer in time")
    return left


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _dictionary(value: object) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}
