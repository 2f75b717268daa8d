"""A proxy before a real S3 server that answers, delays, cuts or alters where a test says.

Requests pass with the headers they came with, so the server's check of signatures stays real.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from http_listening import listening

_STEP_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    """With its query."""
    body: bytes
    number: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one request."""

    status: int = 0
    """Answer with this instead of the server."""
    code: str = ""
    """S3 error code of that answer."""
    is_forwarded: bool = True
    """The server gets it, whatever is answered."""
    is_answered: bool = True
    """Without: the connection is closed after the request."""
    delay_s: float = 0.0
    """Wait before anything else."""
    bytes_per_s: int = 0
    """Speed of the answer's body; 0 without limit."""
    hidden: str = ""
    """Headers of the answer that begin with this are left out."""
    is_altered: bool = False
    """One bit of the body is turned on the way to the server."""


PASS = Fate()


@dataclass(slots=True)
class Proxy:
    """The proxy, its rule, and what passed."""

    target: str
    """`http://host:port` of the server."""
    endpoint: str = ""
    rule: Callable[[Request], Fate] = lambda request: PASS
    after: Callable[[Request], None] = lambda request: None
    """Called when the server has done the request, before its answer goes back."""
    requests: list[Request] = field(default_factory=list)
    answered_bytes: int = 0
    """Of bodies, since the start or since it was set."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def seen(self, method: str, part: str = "") -> list[Request]:
        """Return the requests of this method whose path holds `part`."""
        return [one for one in self.requests if one.method == method and part in one.path]


@contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    """Run a proxy before the server."""
    proxy = Proxy(target)

    class Handler(_Handler):
        state = proxy

    with listening(Handler) as port:
        proxy.endpoint = f"http://127.0.0.1:{port}"
        yield proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Proxy

    def handle_one_request(self) -> None:
        with suppress(ConnectionError):  # the client has gone
            super().handle_one_request()

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.state.lock:
            number = len(self.state.requests) + 1
            request = Request(self.command, self.path, body, number)
            self.state.requests.append(request)
        fate = self.state.rule(request)
        if fate.delay_s:
            time.sleep(fate.delay_s)
        status, answer = 502, b""
        headers: dict[str, str] = {}
        if fate.is_forwarded:
            status, headers, answer = self._forwarded(_turned(body) if fate.is_altered else body)
            self.state.after(request)
        if not fate.is_answered:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        if fate.status:
            answer = f"<Error><Code>{fate.code}</Code></Error>".encode() if fate.code else b""
            status, headers = fate.status, {"Content-Length": str(len(answer)), "ETag": '"0"'}
        if fate.hidden:
            headers = {n: v for n, v in headers.items() if not n.lower().startswith(fate.hidden)}
        self._answer(status, headers, answer, fate.bytes_per_s)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = do_any  # noqa: N815 - names of the handler

    def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        address = urlsplit(self.state.target)
        server = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            headers = dict(self.headers.items())
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                server.putheader(name, value)
            server.endheaders(body or None)
            got = server.getresponse()
            answer = got.read()
            kept = {n: v for n, v in got.getheaders() if n.lower() not in _HOP}
            if self.command != "HEAD":
                kept["Content-Length"] = str(len(answer))
            return got.status, kept, answer
        except OSError:
            return 502, {"Content-Length": "0"}, b""
        finally:
            server.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, bytes_per_s: int) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        with self.state.lock:
            self.state.answered_bytes += len(body)
        for start in range(0, len(body), _STEP_BYTES):
            self.wfile.write(body[start : start + _STEP_BYTES])
            if bytes_per_s:
                time.sleep(_STEP_BYTES / bytes_per_s)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        """Stay silent."""


def _turned(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else body


_HOP = {"connection", "transfer-encoding", "keep-alive"}
