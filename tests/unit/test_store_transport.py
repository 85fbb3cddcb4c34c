"""Which servers are talked to, where they may send us on, and what their refusals are called."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.wire.errors import DownloadFailed
from models.store.download import Wanted, download
from models.store.transport import Transport, address_problem

from .store_server import Served, Server, go_on, no_pause, transport

CONTENT = bytes(range(256)) * 4096
"""1 MiB: several pieces."""
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = CONTENT[::-1]


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "Ünï 角色" / "net.onnx"


def wanted(server: Server, *paths: str, sha256: str = SHA256, byte_count: int = len(CONTENT)) -> Wanted:
    return Wanted("net", tuple(server.url(path) for path in paths or ("/net",)), sha256, byte_count)


def unknown(server: Server, *paths: str) -> Wanted:
    """Neither size nor hash are known."""
    return wanted(server, *paths, sha256="", byte_count=0)


def fetch(what: Wanted, target: Path, timeout_s: float = 10.0) -> None:
    download(what, target, go_on, transport(timeout_s), no_pause)


def failure(what: Wanted, target: Path, timeout_s: float = 10.0) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as caught:
        fetch(what, target, timeout_s)
    assert caught.value.parameters["file"] == "net"
    assert not target.exists()
    return caught.value


def reason(what: Wanted, target: Path, timeout_s: float = 10.0) -> str:
    return str(failure(what, target, timeout_s).parameters["reason"])


def stop_at(target: Path, what: Wanted, byte_count: int) -> None:
    """Have a download stopped by the user when so much is there."""

    def until(task: str, fraction: float) -> bool:
        part = target.with_name("net.onnx.part")
        return not (part.exists() and part.stat().st_size >= byte_count)

    with pytest.raises(DownloadFailed) as caught:
        download(what, target, until, transport(), no_pause)
    assert caught.value.parameters["reason"] == "stopped"


@pytest.mark.parametrize(
    ("status", "expected"), [(404, "not_found"), (410, "not_found"), (403, "server_error"), (500, "server_error")]
)
def test_a_refusal_is_told(server: Server, target: Path, status: int, expected: str) -> None:
    server.serve("/net", CONTENT).status = status
    problem = failure(wanted(server), target)
    assert problem.parameters["reason"] == expected
    assert str(status) in problem.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [204, 206, 304])
def test_an_answer_of_another_kind_is_an_error(server: Server, target: Path, status: int) -> None:
    server.serve("/net", CONTENT).status = status
    assert reason(wanted(server), target) == "server_error"


def test_packed_content_is_not_taken_for_the_file(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT).headers = {"Content-Encoding": "gzip"}
    assert reason(unknown(server), target) == "server_error"


def test_nobody_there_is_no_network(server: Server, target: Path) -> None:
    nobody = Wanted("net", ("http://127.0.0.1:1/net",))
    assert reason(nobody, target) == "no_network"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "no_network"),
        (b"SSH-2.0-server\r\n", "server_error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: some\r\nTransfer-Encoding: chunked\r\n\r\nnonsense", "no_network"),
    ],
)
def test_something_else_than_a_web_server_is_told(server: Server, target: Path, raw: bytes, expected: str) -> None:
    server.serve("/net", CONTENT).raw = raw
    assert reason(unknown(server), target) == expected


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (urllib.error.URLError(ssl.SSLCertVerificationError("self-signed")), "not_secure"),
        (urllib.error.URLError(TimeoutError("handshake")), "timed_out"),
        (urllib.error.URLError(socket.gaierror("no such host")), "no_network"),
        (ConnectionResetError("gone"), "no_network"),
        (http.client.BadStatusLine("?"), "server_error"),
        (UnicodeError("label too long"), "server_error"),
    ],
)
def test_what_goes_wrong_below_is_told_in_the_same_words(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception, expected: str
) -> None:
    def fail(*arguments: object, **others: object) -> None:
        raise problem

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", fail)
    assert reason(wanted(server), target) == expected


def test_a_redirect_is_followed(server: Server, target: Path) -> None:
    server.files["/net"] = Served(redirect=server.url("/real"))
    server.serve("/real", CONTENT)
    stop_at(target, wanted(server), 300_000)
    fetch(wanted(server), target)
    assert target.read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == ["/net", "/real"] * 2
    assert server.ranges[3].startswith("bytes=")


def test_the_content_of_a_redirect_is_not_waited_for(server: Server, target: Path) -> None:
    server.files["/net"] = Served(redirect=server.url("/real"), headers={"Content-Length": "1000000000"})
    server.serve("/real", CONTENT)
    fetch(wanted(server), target, timeout_s=5.0)
    assert target.read_bytes() == CONTENT


def test_redirects_come_to_an_end(server: Server, target: Path) -> None:
    for number in range(20):
        server.files[f"/{number}"] = Served(redirect=server.url(f"/{number + 1}"))
    assert reason(wanted(server, "/0"), target) == "server_error"
    assert len(server.requests) == 6
    server.files["/round"] = Served(redirect=server.url("/round"))
    assert reason(wanted(server, "/round"), target) == "server_error"
    assert len(server.requests) == 12


@pytest.mark.parametrize(
    "elsewhere",
    ["http://192.0.2.1/net", "http://example.org/net", "https://user:word@127.0.0.1/net", "ftp://127.0.0.1/net"],
)
def test_a_redirect_to_where_it_is_not_secure_is_refused(server: Server, target: Path, elsewhere: str) -> None:
    server.files["/net"] = Served(redirect=elsewhere)
    assert reason(wanted(server), target) == "not_secure"
    assert len(server.requests) == 1


def test_a_redirect_into_the_disk_is_refused(server: Server, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / "secret").write_bytes(CONTENT)
    server.files["/net"] = Served(redirect=(target.parent / "secret").as_uri())
    assert reason(wanted(server), target) == "server_error"


def test_plain_http_is_refused_unless_a_test_asks_for_it(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT)
    with pytest.raises(DownloadFailed) as caught:
        download(wanted(server), target, go_on, Transport(5.0), no_pause)
    assert caught.value.parameters["reason"] == "not_secure"
    assert server.requests == []


def test_a_server_without_a_certificate_is_not_talked_to(server: Server, target: Path) -> None:
    address = server.url("/net").replace("http:", "https:")
    with pytest.raises(DownloadFailed) as caught:
        download(Wanted("net", (address,)), target, go_on, transport(), no_pause)
    assert caught.value.parameters["reason"] in ("no_network", "not_secure")
    assert server.requests == []


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("https://example.org/a%20b", True),
        ("https://[::1]/a", True),
        ("http://127.0.0.1/a", False),
        ("https://name@example.org/a", False),
        ("https://name:word@example.org/a", False),
        ("https:///a", False),
        ("https://example.org/a b", False),
        ("https://example.org/a\n", False),
        ("https://[bad/a", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_which_addresses_may_be_asked(address: str, is_good: bool) -> None:
    assert (address_problem(address) == "") is is_good


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_only_this_computer_may_be_asked_without_encryption(host: str) -> None:
    assert address_problem(f"http://{host}:8/a", allow_loopback_http=True) == ""
    assert address_problem("http://127.0.0.1.example.org/a", allow_loopback_http=True) != ""
