"""One HTTP client for hosts that people name: no redirects, no compression, bounded answers.

It is a transport for httpx2, so that libraries can use it; `dialling` makes the connections.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from holdfast.core.errors import Refused, Unavailable
from holdfast.ingest.outbound.addresses import Place
from holdfast.ingest.outbound.dialling import Dial

READ_S = 15.0
WHOLE_S = 60.0
"""From the connection to the last byte, so that nobody holds us by answering slowly."""
MOST_BYTES = 1024 * 1024
"""Longest answer."""


class Transport(httpx2.BaseTransport):
    """Sends requests of httpx2 over connections that were dialled for one source."""

    def __init__(self, dial: Dial, context: ssl.SSLContext, whole_s: float = WHOLE_S) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_keepalive_connections=0,
            network_backend=_Network(dial, whole_s),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; return the whole answer.

        Raises:
            Refused: The answer points elsewhere, is compressed, or is too long.
            Unavailable: The connection broke.
        """
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(str(request.url)),
            headers=[(n, v) for n, v in request.headers.raw if n.lower() != b"accept-encoding"],
            content=request.read(),
            extensions={"timeout": {"read": READ_S, "write": READ_S, "pool": READ_S}},
        )
        try:
            answer = self._pool.handle_request(asked)
            try:
                return self._read(answer, request.url.host)
            finally:
                answer.close()
        except ssl.SSLCertVerificationError as error:
            raise Refused(
                f"The certificate of {request.url.host} is not valid for it: "
                f"{error.verify_message}.",
                next_step="Check the URL; give the authority of a private server by --ca-file.",
            ) from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException, OSError) as error:
            raise Unavailable(
                f"The connection to {request.url.host} broke.",
                next_step="Check that it can be reached, then repeat.",
            ) from error
        except httpcore2.ProtocolError as error:
            raise Unavailable(f"{request.url.host} answered with what is no HTTP.") from error

    def _read(self, answer: httpcore2.Response, host: str) -> httpx2.Response:
        headers = {name.lower(): value for name, value in answer.headers}
        if 300 <= answer.status < 400:
            raise Refused(
                f"{host} points elsewhere, which is not followed.", next_step="Check the URL."
            )
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refused(f"{host} sends compressed what was to come plain.")
        raw = b""
        for piece in answer.iter_stream():
            raw += piece
            if len(raw) > MOST_BYTES:
                raise Refused(f"{host} answers with more than {MOST_BYTES} bytes.")
        return httpx2.Response(answer.status, headers=answer.headers, content=raw)

    def close(self) -> None:
        self._pool.close()


@dataclass(frozen=True, slots=True)
class _Network(httpcore2.NetworkBackend):
    dial: Dial
    whole_s: float

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect as the source says; the name stays for the certificate."""
        wire = self.dial.open(Place(host, port))
        return _Stream(wire, time.monotonic() + self.whole_s)


@dataclass(frozen=True, slots=True)
class _Stream(httpcore2.NetworkStream):
    wire: socket.socket
    until: float
    """On the monotonic clock."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._hurry()
        return self.wire.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._hurry()
        self.wire.sendall(buffer)

    def close(self) -> None:
        self.wire.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        self._hurry()
        wire = ssl_context.wrap_socket(self.wire, server_hostname=server_hostname)
        return _Stream(wire, self.until)

    def get_extra_info(self, info: str) -> Any:
        return self.wire if info == "socket" else None

    def _hurry(self) -> None:
        """Give the next step what is left of the time.

        Raises:
            TimeoutError: Nothing is.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self.wire.settimeout(min(READ_S, left))
