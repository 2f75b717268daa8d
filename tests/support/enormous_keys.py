"""F63: requests whose key is longer than any, sent to the real server of the service."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.wiring import serving
from pages_kit import House

ENORMOUS_BYTES = 8 << 20
_REFUSALS = (b"400", b"431")


@contextmanager
def served(opened: House) -> Iterator[int]:
    """Let the service's own server carry it, on a port of loopback; yield the port."""
    ended, troubles = threading.Event(), list[object]()
    watch = serving.ServiceWatch(troubles.append, ended.is_set)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        words = (opened.app.state.served, sock, watch)
        thread = threading.Thread(target=serving._run, args=words)
        thread.start()
        try:
            yield int(sock.getsockname()[1])
        finally:
            ended.set()
            thread.join()


def enormous_key_is_not_read(port: int) -> None:
    """F63: a request with an endless header is given up long before its end.

    Raises:
        AssertionError: It was read to its end, or costs the next request.
    """
    answer = _answer(port, b"e" * ENORMOUS_BYTES)
    assert answer in {*_REFUSALS, b""}, f"it was read to its end: {answer.decode()}"
    assert _answer(port, b"e" * 43) == b"401", "nobody answers any more"


def _answer(port: int, key: bytes) -> bytes:
    """Return the status of the answer; nothing where the server hung up on what it did not read."""
    head = b"GET /api/v1/search HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
        try:
            wire.sendall(head + b"Authorization: Bearer " + key + b"\r\n\r\n")
            with wire.makefile("rb") as answer:
                return b"".join(answer.readline().split()[1:2])
        except (BrokenPipeError, ConnectionResetError):
            return b""
