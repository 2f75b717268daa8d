"""A real proxy on loopback, SOCKS5 and HTTP CONNECT, which a test can tell to be unkind."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DEADLINE_S = 30.0


@dataclass(slots=True)
class ProxyServer:
    """What it does, and where it was asked to connect to."""

    user: str = ""
    """Who may come in, with `password`; empty: everybody."""
    password: str = ""
    says: bytes = b""
    """Sent instead of any answer."""
    refuses: bool = False
    """It connects to nothing."""
    names_itself: bool = False
    """Its SOCKS answer gives its own address as a name."""
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def _one(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            if self.says:
                client.recv(4096)
                client.sendall(self.says)
                return
            first = _read(client, 1)
            found = self._socks(client) if first == b"\x05" else self._connect(client)
            if found is not None:
                with found:
                    _relay(client, found)

    def _socks(self, client: socket.socket) -> socket.socket | None:
        methods = _read(client, _read(client, 1)[0])
        if self.user:
            if b"\x02" not in methods:
                client.sendall(b"\x05\xff")
                return None
            client.sendall(b"\x05\x02")
            _read(client, 1)
            said = [_read(client, _read(client, 1)[0]).decode() for _ in range(2)]
            is_known = said == [self.user, self.password]
            client.sendall(b"\x01" + (b"\x00" if is_known else b"\x01"))
            if not is_known:
                return None
        else:
            client.sendall(b"\x05\x00")
        kind = _read(client, 4)[3]
        family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        address = socket.inet_ntop(family, _read(client, length))
        port = int.from_bytes(_read(client, 2), "big")
        self.asked.append(f"{address}:{port}")
        if self.refuses:
            client.sendall(b"\x05\x05\x00\x01" + bytes(6))
            return None
        found = socket.create_connection((address, port), DEADLINE_S)
        bound = b"\x03\x05proxy" if self.names_itself else b"\x01" + bytes(4)
        client.sendall(b"\x05\x00\x00" + bound + bytes(2))
        return found

    def _connect(self, client: socket.socket) -> socket.socket | None:
        head = b"C"
        while not head.endswith(b"\r\n\r\n"):
            head += _read(client, 1)
        lines = head.decode().split("\r\n")
        address, _, port = lines[0].split()[1].rpartition(":")
        self.asked.append(f"{address}:{port}")
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if self.user and f"Proxy-Authorization: Basic {pair}" not in lines:
            client.sendall(b"HTTP/1.1 407 Who are you\r\n\r\n")
            return None
        if self.refuses:
            client.sendall(b"HTTP/1.1 502 Not there\r\n\r\n")
            return None
        found = socket.create_connection((address.strip("[]"), int(port)), DEADLINE_S)
        client.sendall(b"HTTP/1.1 200 Go on\r\nVia: us\r\n\r\n")
        return found

    def serve(self, listener: socket.socket) -> None:
        """Serve until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._one, args=(client,), daemon=True).start()


def _read(client: socket.socket, length: int) -> bytes:
    """Return so many bytes; a client that has gone ends what is done for it."""
    read = b""
    while len(read) < length:
        piece = client.recv(length - len(read))
        if not piece:
            raise ConnectionResetError
        read += piece
    return read


def _relay(client: socket.socket, server: socket.socket) -> None:
    def down() -> None:
        _pass(server, client)

    thread = threading.Thread(target=down, daemon=True)
    thread.start()
    _pass(client, server)
    thread.join(DEADLINE_S)


def _pass(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while piece := here.recv(65536):
            there.sendall(piece)
    with suppress(OSError):
        there.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxying(proxy: ProxyServer) -> Iterator[ProxyServer]:
    """Serve on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]
        thread = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE_S)
