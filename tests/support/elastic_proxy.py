"""A proxy on loopback that makes an Elasticsearch behind it fail in chosen ways; for tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from http_listening import listening

Item = dict[str, Any]
_PRODUCT = {"X-elastic-product": "Elasticsearch", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request."""

    kind: str
    """`status`: answered with it, nothing is done. `lost`: done, the answer never comes.
    `dropped`: not done, no answer. `late`: done, the answer comes after the client gave up.
    `items`: items for which `chosen` holds are answered with `status`, the others are done.
    `unseen`: not done, and answered as where no shard could be reached."""
    status: int = 503
    reason: str = "as the test wants it"
    chosen: Callable[[int], bool] = lambda at: True
    """Place of an item in its request."""


@dataclass(slots=True)
class FaultProxy:
    """What the proxy has seen, and what it is to do."""

    target: str
    faults: list[Fault] = field(default_factory=list)
    """For the next bulk requests, one each."""
    refresh_faults: list[Fault] = field(default_factory=list)
    """For the next requests to make what was written visible, one each."""
    requests: int = 0
    """Bulk requests."""
    met: int = 0
    """Faults that happened."""
    given_up: threading.Event = field(default_factory=threading.Event)
    """Set when late answers may come."""
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self) -> Fault | None:
        """Take the fault of one bulk request."""
        with self._lock:
            self.requests += 1
            if not self.faults:
                return None
            self.met += 1
            return self.faults.pop(0)

    def next_refresh_fault(self) -> Fault | None:
        """Take the fault of one request to make what was written visible."""
        with self._lock:
            return self.refresh_faults.pop(0) if self.refresh_faults else None


@contextmanager
def proxied(target: str) -> Iterator[FaultProxy]:
    """Run a proxy to one node."""
    proxy = FaultProxy(target)

    class Handler(_Handler):
        faults = proxy

    with listening(Handler) as port:
        proxy.url = f"http://127.0.0.1:{port}"
        try:
            yield proxy
        finally:
            proxy.given_up.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: FaultProxy

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = self._next_fault()
        if fault is None:
            self._answer(*self._forward(body))
        elif fault.kind == "unseen":
            self._answer(200, b'{"_shards":{"total":2,"successful":0,"failed":0}}')
        elif fault.kind == "status":
            self._answer(fault.status, _error(fault))
        elif fault.kind == "dropped":
            self.close_connection = True
        elif fault.kind == "items":
            self._answer(200, self._by_items(body, fault))
        else:
            self._forward(body)
            if fault.kind == "late":
                self.faults.given_up.wait()
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815 - as http.server calls them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        pass

    def _next_fault(self) -> Fault | None:
        if self.path.startswith("/_bulk"):
            return self.faults.next_fault()
        return self.faults.next_refresh_fault() if self.path.endswith("/_refresh") else None

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        place = urlsplit(self.faults.target)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=60)
        kept = ("content-type", "accept", "authorization")
        headers = {name: self.headers[name] for name in kept if name in self.headers}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def _by_items(self, body: bytes, fault: Fault) -> bytes:
        lines = body.splitlines()
        pairs = list(zip(lines[::2], lines[1::2], strict=True))
        kept = [pair for at, pair in enumerate(pairs) if not fault.chosen(at)]
        done: list[Item] = []
        if kept:
            forwarded = b"".join(line + b"\n" for pair in kept for line in pair)
            done = json.loads(self._forward(forwarded)[1])["items"]
        refused = {"index": {"status": fault.status, "error": {"reason": fault.reason}}}
        items = [refused if fault.chosen(at) else done.pop(0) for at in range(len(pairs))]
        return json.dumps({"items": items}).encode()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in _PRODUCT.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _error(fault: Fault) -> bytes:
    return json.dumps({"error": {"reason": fault.reason}, "status": fault.status}).encode()
