"""A web server on loopback that can be as wrong as real ones are, and files in a network's likeness."""

from __future__ import annotations

import http.server
import io
import re
import socket
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.store.places import Places
from models.store.transport import Transport

MOST_REQUESTS = 64


def onnx(text: str = "network", padding: int = 0) -> bytes:
    """What passes for an ONNX file: version, producer, graph. ``text`` makes it one of its own."""
    name = text.encode("utf-8") + b"\0" * padding
    return b"\x08\x08" + _field(2, b"tests") + _field(7, _field(2, name)) + _field(8, b"\x10\x10")


def _field(number: int, content: bytes) -> bytes:
    length, left = b"", len(content)
    while left > 127:
        length += bytes([left & 127 | 128])
        left >>= 7
    return bytes([number << 3 | 2]) + length + bytes([left]) + content


def png() -> bytes:
    """The smallest thing that begins and ends as a PNG picture does."""
    return b"\x89PNG\r\n\x1a\n" + b"\0" * 16 + b"IEND\xaeB`\x82"


def torch_file(text: str = "weights") -> bytes:
    """A zip, as .pt files are."""
    return make_zip({"archive/data.pkl": text.encode()}, zipfile.ZIP_STORED)


def make_zip(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these members: the same bytes whenever it is made."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return content.getvalue()


def places_in(folder: Path) -> Places:
    """The store's folders in a throw-away one, with a name as users have them."""
    home = folder / "Ünï 模型 home"
    return Places(home / "weights", home / "characters", home / "data", home / "cache")


def go_on(task: str, fraction: float) -> bool:
    """Progress that never stops."""
    assert 0.0 <= fraction <= 1.0
    return True


def no_pause(seconds: float) -> None:
    """Tests need not be patient."""


@dataclass
class Served:
    """A file on the server and what is wrong with it. Lists are used up one request after the other."""

    content: bytes = b""
    etag: str = '"one"'
    ranges: str = "served"
    """``served``, ``ignored`` (always all of it), ``wrong`` (another part than asked for), ``refused`` (416)."""
    respects_if_range: bool = True
    status: int = 200
    redirect: str = ""
    length: str = "told"
    """``told``, ``none`` (the end of the connection is the end), ``chunked``, or a lie: a number."""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    """Bytes of content after which the connection breaks off."""
    hang_after: list[int] = field(default_factory=list)
    """Bytes of content after which nothing comes any more."""
    raw: bytes | None = None
    """All that is sent, in place of an answer."""
    then: list[tuple[bytes, str]] = field(default_factory=list)
    """Content and ETag after each further request."""


class Server:
    """The server. ``files`` is looked up by path; every request is kept in ``requests``."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()
        outer = self

        class Handler(_Handler):
            server_of_test = outer

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def serve(self, path: str, content: bytes) -> Served:
        """Put a file up."""
        self.files[path] = Served(content)
        return self.files[path]

    @property
    def ranges(self) -> list[str]:
        """What part each request asked for."""
        return [headers.get("range", "") for _, headers in self.requests]

    def close(self) -> None:
        """Let go of whoever hangs, and end."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        assert len(self.requests) <= MOST_REQUESTS


class _Handler(http.server.BaseHTTPRequestHandler):
    server_of_test: Server
    protocol_version = "HTTP/1.1"
    timeout = 5.0
    """Seconds a write may take: Wine does not tell a writer that the other side is gone."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""

    def do_GET(self) -> None:
        server = self.server_of_test
        server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        file = server.files.get(self.path)
        self.close_connection = True
        if len(server.requests) > MOST_REQUESTS or file is None:
            self._end(404)
        elif file.raw is not None:
            self.wfile.write(file.raw)
        elif file.redirect:
            self._end(302, {"Location": file.redirect, **file.headers})
            if file.headers:
                server.released.wait(30.0)
        elif file.status != 200:
            self._end(file.status)
        else:
            self._give(file)
            if file.then:
                file.content, file.etag = file.then.pop(0)

    def _end(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _give(self, file: Served) -> None:
        content, status, extra = file.content, 200, {}
        asked = self._range(len(content))
        if_range = self.headers.get("If-Range")
        is_same = if_range in (None, file.etag) or not file.respects_if_range
        if asked is not None and file.ranges != "ignored" and is_same:
            first, last = asked
            if file.ranges == "refused" or first >= len(content):
                self._end(416, {"Content-Range": f"bytes */{len(content)}"})
                return
            if file.ranges == "wrong":
                first -= 1
            status = 206
            extra = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
            content = content[first : last + 1]
        self.send_response(status)
        if file.etag:
            self.send_header("ETag", file.etag)
        for name, value in {**extra, **file.headers}.items():
            self.send_header(name, value)
        if file.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif file.length != "none":
            told = len(content) if file.length == "told" else int(file.length)
            self.send_header("Content-Length", str(told))
        self.end_headers()
        self._send(file, content)

    def _range(self, size: int) -> tuple[int, int] | None:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if match is None:
            return None
        first, last = match.groups()
        if not first:
            return max(0, size - int(last)), size - 1
        return int(first), min(size - 1, int(last)) if last else size - 1

    def _send(self, file: Served, content: bytes) -> None:
        cut = file.cut_after.pop(0) if file.cut_after else None
        hang = file.hang_after.pop(0) if file.hang_after else None
        if cut is not None:
            content = content[:cut]
        try:
            if file.length == "chunked":
                self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content))
                return
            self.wfile.write(content if hang is None else content[:hang])
            self.wfile.flush()
            if hang is not None:
                self.server_of_test.released.wait(30.0)
            if cut is not None:
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            # the other side had enough
            pass


def transport(timeout_s: float = 10.0) -> Transport:
    """For plain http to this computer."""
    return Transport(timeout_s, allow_loopback_http=True)
