"""One request over the network: https only, few redirects, limits to every wait, and one kind of failure."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPMessage
from io import BufferedIOBase, BytesIO
from types import TracebackType
from typing import IO
from urllib.parse import urlsplit

USER_AGENT = "EasyVtuber-OBS"
"""The program's name and nothing else: nobody shall be told apart by it."""
MAXIMUM_REDIRECTS = 5
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NO_SUCH_RANGE = 416


class FetchFailed(Exception):
    """An address did not deliver. ``reason`` is a key of ``reason.*``; ``broke_off`` when it had begun to deliver."""

    def __init__(self, reason: str, detail: str = "", broke_off: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.broke_off = broke_off

    @property
    def may_pass(self) -> bool:
        """Is it of the kind that another try may not meet?"""
        return self.broke_off or self.reason in ("no_network", "timed_out")


class Answer:
    """A server's answer: its status, its headers, and its content piece by piece. Use as a context manager."""

    def __init__(self, status: int, headers: Message, content: BufferedIOBase) -> None:
        self.status = status
        self._headers = headers
        self._content = content
        self._left = self.announced

    def header(self, name: str) -> str:
        """A header's text, empty when the server did not send it."""
        return str(self._headers.get(name) or "").strip()

    @property
    def announced(self) -> int | None:
        """How many bytes of content the server says will come."""
        text = self.header("Content-Length")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def validator(self) -> str:
        """What tells this version of the content from others; empty when nothing does so for sure."""
        etag = self.header("ETag")
        return etag if etag and not etag.startswith("W/") else self.header("Last-Modified")

    def read(self, most: int) -> bytes:
        """What has come by now, but for the first byte of which it waits; nothing at the end. Raises FetchFailed."""
        if self._left is not None:
            most = min(most, self._left)
        try:
            piece = self._content.read1(most) if most else b""
        except (http.client.HTTPException, OSError) as problem:
            reason = "timed_out" if isinstance(problem, TimeoutError) else "no_network"
            raise FetchFailed(reason, f"{type(problem).__name__}: {problem}", broke_off=True) from problem
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def __enter__(self) -> Answer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._content.close()


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = MAXIMUM_REDIRECTS
    max_repeats = MAXIMUM_REDIRECTS

    def __init__(self, allow_loopback_http: bool) -> None:
        self._allow_loopback_http = allow_loopback_http

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        fp.close()  # else its content would be read, however long it is
        problem = address_problem(newurl, self._allow_loopback_http)
        if problem:
            raise FetchFailed("not_secure", f"sent on to {newurl}: {problem}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Transport:
    """Opens addresses. The environment's proxies are used, as browsers do.

    ``timeout_s`` limits the connection and every silence after it. ``allow_loopback_http`` is for tests: plain http,
    but only to this computer itself.
    """

    def __init__(self, timeout_s: float = 20.0, *, allow_loopback_http: bool = False) -> None:
        self._timeout_s = timeout_s
        self._allow_loopback_http = allow_loopback_http
        self._opener: urllib.request.OpenerDirector | None = None

    def open(self, address: str, headers: Mapping[str, str]) -> Answer:
        """Ask for an address. Answers with status 200, 206 or 416 (no such range); raises FetchFailed for all else."""
        problem = address_problem(address, self._allow_loopback_http)
        if problem:
            raise FetchFailed("not_secure", f"{address}: {problem}")
        request = urllib.request.Request(address, headers=dict(headers))
        try:
            response = self._director().open(request, timeout=self._timeout_s)
        except urllib.error.HTTPError as refusal:
            if refusal.code == _NO_SUCH_RANGE:
                refusal.close()
                return Answer(refusal.code, refusal.headers, BytesIO())
            refusal.close()
            raise _as_failure(refusal) from refusal
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as trouble:
            raise _as_failure(trouble) from trouble
        answer = Answer(response.status, response.headers, response)
        if answer.status not in (200, 206):
            response.close()
            raise FetchFailed("server_error", f"status {answer.status}")
        if answer.header("Content-Encoding") not in ("", "identity"):
            response.close()
            raise FetchFailed("server_error", f"content is {answer.header('Content-Encoding')}")
        return answer

    def _director(self) -> urllib.request.OpenerDirector:
        """Put together by hand: the ready-made one would follow redirects to ftp and read local files."""
        if self._opener is None:
            director = urllib.request.OpenerDirector()
            director.addheaders = [("User-Agent", USER_AGENT)]
            handlers: list[urllib.request.BaseHandler] = [
                urllib.request.ProxyHandler(),
                urllib.request.UnknownHandler(),
                urllib.request.HTTPDefaultErrorHandler(),
                urllib.request.HTTPErrorProcessor(),
                urllib.request.HTTPSHandler(context=ssl.create_default_context()),
                _Redirects(self._allow_loopback_http),
            ]
            if self._allow_loopback_http:
                handlers.append(urllib.request.HTTPHandler())
            for handler in handlers:
                director.add_handler(handler)
            self._opener = director
        return self._opener


def address_problem(address: str, allow_loopback_http: bool = False) -> str:
    """Why an address may not be asked; empty when it may."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError as problem:
        return str(problem)
    if not host or not address.isprintable() or " " in address:
        return "not an address"
    if parts.username is not None or parts.password is not None:
        return "it carries a name or password"
    if parts.scheme == "https" or (parts.scheme == "http" and allow_loopback_http and host in _LOOPBACK):
        return ""
    return "not https"


def _as_failure(problem: Exception) -> FetchFailed:
    if isinstance(problem, urllib.error.HTTPError):
        reason = "not_found" if problem.code in (404, 410) else "server_error"
        return FetchFailed(reason, f"status {problem.code}")
    cause = problem.reason if isinstance(problem, urllib.error.URLError) else problem
    if isinstance(cause, TimeoutError):
        return FetchFailed("timed_out", str(cause))
    if isinstance(cause, ssl.SSLCertVerificationError):
        return FetchFailed("not_secure", str(cause))
    is_answer = not isinstance(cause, ConnectionError)
    if is_answer and isinstance(problem, (http.client.HTTPException, ValueError)):
        return FetchFailed("server_error", f"{type(problem).__name__}: {problem}")
    return FetchFailed("no_network", f"{type(cause).__name__}: {cause}")
