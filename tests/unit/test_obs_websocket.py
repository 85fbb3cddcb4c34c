"""The obs-websocket client against a small server that can be as wrong as it likes."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.install.obs import websocket as obs_websocket
from core.install.obs.websocket import (
    ObsConnectionLost,
    ObsNoAnswer,
    ObsPasswordRefused,
    ObsRequestFailed,
    ObsWebsocket,
)

from .fake_obs import FakeObs, Peer

SALT, CHALLENGE, PASSWORD = "salt+/=", "challenge+/=", "päss wörd"
Serve = Callable[[Callable[[Peer], None]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server with a talk; gives its port. Errors in the talk fail the test."""
    servers: list[FakeObs] = []

    def start(talk: Callable[[Peer], None]) -> int:
        servers.append(FakeObs(talk))
        return servers[-1].port

    yield start
    for server in servers:
        server.finish()


def test_a_request_and_its_answer(serve: Serve) -> None:
    seen: list[dict[str, Any]] = []

    def talk(peer: Peer) -> None:
        identify = peer.log_in()
        seen.append(identify)
        seen.append(peer.answer({"scenes": ["Ünï", "二"]}))
        seen.append(peer.answer())
        assert peer.read_frame() == (8, struct.pack(">H", 1000))

    with ObsWebsocket(serve(talk)) as obs:
        assert obs.request("GetSceneList") == {"scenes": ["Ünï", "二"]}
        assert obs.request("SetCurrentProgramScene", {"sceneName": "二"}) == {}
    assert seen[0] == {"rpcVersion": 1, "eventSubscriptions": 0}
    assert seen[1]["requestType"] == "GetSceneList"
    assert seen[2]["requestData"] == {"sceneName": "二"}


def test_the_password_is_proved_and_not_sent(serve: Serve) -> None:
    seen: list[str] = []

    def talk(peer: Peer) -> None:
        identify = peer.log_in({"authentication": {"salt": SALT, "challenge": CHALLENGE}})
        seen.append(identify["authentication"])

    ObsWebsocket(serve(talk), PASSWORD).close()
    secret = base64.b64encode(hashlib.sha256((PASSWORD + SALT).encode()).digest()).decode()
    assert seen == [base64.b64encode(hashlib.sha256((secret + CHALLENGE).encode()).digest()).decode()]


def test_a_wrong_password_is_told_apart(serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        peer.upgrade()
        peer.message(0, {"authentication": {"salt": SALT, "challenge": CHALLENGE}})
        peer.read_message()
        peer.frame(struct.pack(">H", 4009) + b"Authentication failed.", opcode=8)

    with pytest.raises(ObsPasswordRefused, match=r"Authentication failed.*4009"):
        ObsWebsocket(serve(talk), "wrong")


def test_a_refusal_carries_code_and_comment(serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        peer.log_in()
        peer.answer(result=False, code=600, comment="No source was found.")
        peer.answer(result=False)
        peer.answer({"fine": True})

    with ObsWebsocket(serve(talk)) as obs:
        with pytest.raises(ObsRequestFailed, match="GetX: No source was found") as refused:
            obs.request("GetX")
        assert (refused.value.code, refused.value.comment) == (600, "No source was found.")
        with pytest.raises(ObsRequestFailed) as refused:
            obs.request("GetX")
        assert refused.value.code == 0
        assert obs.request("GetX") == {"fine": True}


def test_events_pings_and_fragments_are_taken_in_stride(serve: Serve) -> None:
    long_text = "lang " * 40_000

    def talk(peer: Peer) -> None:
        peer.log_in()
        _, request = peer.read_message()
        peer.message(5, {"eventType": "SomethingHappened"})
        peer.frame(b"still there?", opcode=9)
        status = {"requestStatus": {"result": True}, "responseData": {"text": long_text}}
        whole = json.dumps({"op": 7, "d": {"requestId": request["requestId"], **status}}).encode()
        peer.frame(whole[:10], final=False)
        peer.frame(b"", opcode=0, final=False)
        peer.frame(b"", opcode=10)  # control frames may stand between fragments
        peer.frame(whole[10:70_000], opcode=0, final=False)
        for place in range(0, len(whole[70_000:]), 50_000):
            last = place + 50_000 >= len(whole[70_000:])
            peer.frame(whole[70_000:][place : place + 50_000], opcode=0, final=last)
        assert peer.read_frame() == (10, b"still there?")

    with ObsWebsocket(serve(talk)) as obs:
        assert obs.request("GetText")["text"] == long_text


def test_a_large_request_is_masked_right(serve: Serve) -> None:
    texts = ["", "x" * 100, "y" * 1000, "z" * 100_000]
    seen: list[str] = []

    def talk(peer: Peer) -> None:
        peer.log_in()
        seen.extend(peer.answer()["requestData"]["text"] for _ in texts)

    with ObsWebsocket(serve(talk)) as obs:
        for text in texts:
            obs.request("SetText", {"text": text})
    assert seen == texts


def test_bytes_may_come_one_by_one(serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        peer.log_in()
        _, request = peer.read_message()
        reply = json.dumps({"op": 7, "d": {"requestId": request["requestId"], "requestStatus": {"result": True}}})
        for byte in bytes([0x81, len(reply)]) + reply.encode():
            peer.raw(bytes([byte]))

    with ObsWebsocket(serve(talk)) as obs:
        assert obs.request("GetX") == {}


def test_a_late_answer_is_dropped_and_the_connection_stays_usable(serve: Serve) -> None:
    gave_up = threading.Event()

    def talk(peer: Peer) -> None:
        peer.log_in()
        _, request = peer.read_message()
        peer.raw(b"\x81")  # the time limit passes in the middle of a frame
        assert gave_up.wait(10)
        late = {"requestId": request["requestId"], "requestStatus": {"result": True}}
        text = json.dumps({"op": 7, "d": late}).encode()
        peer.raw(bytes([len(text)]) + text)
        peer.answer({"newer": True})

    with ObsWebsocket(serve(talk)) as obs:
        began = time.monotonic()
        with pytest.raises(ObsNoAnswer):
            obs.request("GetX", limit_s=0.2)
        assert time.monotonic() - began < 2
        gave_up.set()
        assert obs.request("GetY") == {"newer": True}


@pytest.mark.parametrize("opcode", [5, 9])
def test_a_flood_does_not_outlast_the_limit(serve: Serve, opcode: int) -> None:
    def talk(peer: Peer) -> None:
        peer.log_in()
        while True:
            if opcode == 9:
                peer.frame(b"", opcode=9)
            else:
                peer.message(5, {"eventType": "Again"})

    obs = ObsWebsocket(serve(talk))
    began = time.monotonic()
    with pytest.raises((ObsNoAnswer, ObsConnectionLost)):
        obs.request("GetX", limit_s=0.3)
    obs.close()
    assert time.monotonic() - began < 3


BAD_FRAMES = {
    "masked": b"\x81\x82abcdef",
    "reserved bit": b"\xc1\x02{}",
    "binary": b"\x82\x02{}",
    "unknown opcode": b"\x83\x02{}",
    "unknown control opcode": b"\x8b\x02{}",
    "continuation of nothing": b"\x80\x02{}",
    "text inside a fragmented text": b"\x01\x01{\x81\x02{}",
    "fragmented ping": b"\x09\x00",
    "long ping": b"\x89\x7e\x00\x7e" + b"x" * 126,
    "a frame without end": b"\x81\x7f" + b"\x7f" + b"\xff" * 7,
    "no JSON": b"\x81\x03{a}",
    "no UTF-8": b'\x81\x04"\xff\xfe"',
    "no object": b"\x81\x02[]",
    "a number": b"\x81\x011",
    "deep nesting": b"\x81\x7e\xff\xff" + b"[" * 65535,
    "goodbye": b"\x88\x02\x03\xe9",
    "goodbye without a code": b"\x88\x00",
    "goodbye with half a code": b"\x88\x01\x03",
    "goodbye in no UTF-8": b"\x88\x04\x03\xe9\xff\xff",
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_hostile_frames_end_the_connection_and_nothing_else(serve: Serve, name: str) -> None:
    def talk(peer: Peer) -> None:
        peer.log_in()
        peer.read_message()
        peer.raw(BAD_FRAMES[name])
        peer.read_frame()  # waits for the client's goodbye

    obs = ObsWebsocket(serve(talk))
    with pytest.raises(ObsConnectionLost):
        obs.request("GetX", limit_s=5)
    obs.close()


@pytest.mark.parametrize(
    "reply",
    [
        {"d": {}},
        {"op": "7", "d": 3},
        {"op": 7, "d": None},
        {"op": 7, "d": {"requestId": "1"}},
        {"op": 7, "d": {"requestId": "1", "requestStatus": {"result": 1, "code": "x", "comment": {}}}},
    ],
)
def test_answers_that_lack_something_are_no_success(serve: Serve, reply: dict[str, Any]) -> None:
    def talk(peer: Peer) -> None:
        peer.log_in()
        peer.read_message()
        peer.frame(json.dumps(reply).encode())

    with ObsWebsocket(serve(talk)) as obs, pytest.raises((ObsRequestFailed, ObsConnectionLost)):
        obs.request("GetX", limit_s=5)


def test_a_message_without_end_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obs_websocket, "LARGEST_MESSAGE_BYTES", 1000)

    def talk(peer: Peer) -> None:
        peer.log_in()
        peer.read_message()
        peer.frame(b"x" * 600, final=False)
        peer.frame(b"x" * 600, opcode=0, final=False)
        peer.read_frame()

    with ObsWebsocket(serve(talk)) as obs, pytest.raises(ObsConnectionLost, match="without end"):
        obs.request("GetX")


@pytest.mark.parametrize(
    "reply",
    [b"HTTP/1.1 404 Not Found\r\n\r\n", b"SSH-2.0-OpenSSH\r\n\r\n", b"\r\n\r\n", b"x" * 70_000, b""],
)
def test_another_kind_of_server_is_recognised(serve: Serve, reply: bytes) -> None:
    port = serve(lambda peer: peer.raw(reply))
    with pytest.raises(ObsConnectionLost):
        ObsWebsocket(port)


def test_a_false_accept_is_refused(serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        peer.upgrade(accept=b"AAAAAAAAAAAAAAAAAAAAAAAAAAA=")

    with pytest.raises(ObsConnectionLost, match="does not speak WebSocket"):
        ObsWebsocket(serve(talk))


@pytest.mark.parametrize("greets", [False, True])
def test_a_silent_server_costs_no_more_than_the_limit(serve: Serve, greets: bool) -> None:
    left = threading.Event()

    def talk(peer: Peer) -> None:
        if greets:
            peer.upgrade()
        assert left.wait(10)

    port = serve(talk)
    began = time.monotonic()
    with pytest.raises(ObsNoAnswer):
        ObsWebsocket(port, limit_s=0.3)
    left.set()
    assert time.monotonic() - began < 2


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ObsConnectionLost, match=str(port)):
        ObsWebsocket(port)


def test_the_server_vanishes(serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        peer.log_in()
        peer.read_message()

    obs = ObsWebsocket(serve(talk))
    with pytest.raises(ObsConnectionLost):
        obs.request("GetX")
    with pytest.raises(ObsConnectionLost):
        obs.request("GetX")
    obs.close()
    obs.close()


def test_closing_waits_for_nobody(serve: Serve) -> None:
    left = threading.Event()

    def talk(peer: Peer) -> None:
        peer.log_in()
        assert left.wait(10)

    obs = ObsWebsocket(serve(talk))
    began = time.monotonic()
    obs.close()
    assert time.monotonic() - began < 1.5
    left.set()
